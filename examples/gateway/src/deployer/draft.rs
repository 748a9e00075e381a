//! An apk-conf in which faults are mended one by one, so that the next one is found.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::conf::Node;
use crate::error::Fault;

/// One step from a node to what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Item(usize),
}

/// A conf with some of its faults mended.
pub(super) struct Draft {
    root: Part,
    mended: Vec<Vec<Step>>,
}

enum Part {
    Leaf(Value),
    /// Without those that were taken out, whose places stay.
    List(Vec<Option<Self>>),
    Map(BTreeMap<String, Self>),
}

impl Draft {
    pub(super) fn new(conf: &Node) -> Self {
        Self {
            root: Part::new(conf),
            mended: Vec::new(),
        }
    }

    pub(super) fn value(&self) -> Value {
        self.root.value()
    }

    /// Where in the conf a fault of the draft is, as closely as its text says, and the text.
    pub(super) fn place<'f>(&self, fault: &'f Fault) -> (Vec<Step>, &'f str) {
        let mut place = Vec::new();
        let mut message = fault.message();
        let part = self.root.follow(&steps(fault.field()), &mut place);
        if let Some(part) = part {
            if let Some(name) = missing(message) {
                place.push(Step::Member(name.to_owned()));
            } else if let Some((field, rest)) = message.split_once(": ") {
                // A policy names the place within itself.
                let mut within = Vec::new();
                if part.follow(&steps(field), &mut within).is_some() {
                    place.append(&mut within);
                    message = rest;
                }
            }
        }
        (place, message)
    }

    pub(super) fn is_mended_in(&self, place: &[Step]) -> bool {
        self.mended.iter().any(|mended| mended.starts_with(place))
    }

    /// Changes what is at this place, or else around it. False: there is nothing left to change.
    pub(super) fn mend(&mut self, mut place: Vec<Step>) -> bool {
        while let Some(last) = place.pop() {
            let parent = self.root.at(&place);
            place.push(last.clone());
            let sample = sample(&place).filter(|_| !self.mended.contains(&place));
            let is_changed = match (parent, last, sample) {
                (Some(Part::Map(members)), Step::Member(name), Some(sample)) => {
                    members.insert(name, sample);
                    true
                }
                (Some(Part::Map(members)), Step::Member(name), None) => {
                    members.remove(&name).is_some()
                }
                (Some(Part::List(items)), Step::Item(index), _) => items
                    .get_mut(index)
                    .is_some_and(|item| item.take().is_some()),
                _ => false,
            };
            if is_changed {
                self.mended.push(place);
                return true;
            }
            place.pop();
        }
        false
    }
}

impl Part {
    fn new(node: &Node) -> Self {
        match node {
            Node::List(items) => Self::List(items.iter().map(Self::new).map(Some).collect()),
            Node::Map(members) => Self::Map(
                members
                    .iter()
                    .map(|(name, node)| (name.clone(), Self::new(node)))
                    .collect(),
            ),
            leaf => Self::Leaf(leaf.to_value()),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Leaf(value) => value.clone(),
            Self::List(items) => items.iter().flatten().map(Self::value).collect(),
            Self::Map(members) => members
                .iter()
                .map(|(name, part)| (name.clone(), part.value()))
                .collect(),
        }
    }

    /// Goes the steps of [`value`](Self::value), and notes those of the conf. Nothing if they lead to
    /// what is not there.
    fn follow(&self, steps: &[Step], place: &mut Vec<Step>) -> Option<&Self> {
        let mut part = Some(self);
        for step in steps {
            let (next, real) = match (part, step) {
                (Some(Self::Map(members)), Step::Member(name)) => (members.get(name), step.clone()),
                (Some(Self::List(items)), Step::Item(index)) => {
                    let mut there = items.iter().enumerate().filter(|(_, item)| item.is_some());
                    match there.nth(*index) {
                        Some((real, item)) => (item.as_ref(), Step::Item(real)),
                        None => (None, step.clone()),
                    }
                }
                _ => (None, step.clone()),
            };
            place.push(real);
            part = next;
        }
        part
    }

    fn at(&mut self, place: &[Step]) -> Option<&mut Self> {
        place
            .iter()
            .try_fold(self, |part, step| match (part, step) {
                (Self::Map(members), Step::Member(name)) => members.get_mut(name),
                (Self::List(items), Step::Item(index)) => items.get_mut(*index)?.as_mut(),
                _ => None,
            })
    }
}

/// What can stand at a place that a conf needs.
fn sample(place: &[Step]) -> Option<Part> {
    let conf = json!({
        "name": "sample", "basePath": "/sample", "version": "1", "type": "REST",
        "endpointConfigurations": { "production": { "endpoint": "http://sample" } },
        "operations": [{ "target": "/", "verb": "GET" }],
    });
    let found = place.iter().try_fold(&conf, |value, step| match step {
        Step::Member(name) => value.get(name),
        Step::Item(_) => value.get(0),
    });
    found.map(part)
}

fn part(value: &Value) -> Part {
    match value {
        Value::Array(items) => Part::List(items.iter().map(part).map(Some).collect()),
        Value::Object(members) => Part::Map(
            members
                .iter()
                .map(|(name, value)| (name.clone(), part(value)))
                .collect(),
        ),
        leaf => Part::Leaf(leaf.clone()),
    }
}

/// The name in serde's text about a member that is missing.
fn missing(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

/// `operations[0].verb` taken apart.
pub(super) fn steps(field: &str) -> Vec<Step> {
    field
        .split(['.', '['])
        .filter(|part| !part.is_empty())
        .map(|part| {
            let index = part.strip_suffix(']').and_then(|index| index.parse().ok());
            index.map_or_else(|| Step::Member(part.to_owned()), Step::Item)
        })
        .collect()
}
