//! An apk-conf as a value, to look for faults in and to write down again.
//!
//! It is read strictly: `version: 1.10` is a number, and its last digit gone, so it is refused where a
//! text has to be. What is written down is the same value: it is read again to be sure.

use std::{cell::Cell, fmt, path::Path};

use serde::{
    Serialize, Serializer,
    de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Number, Value};

use crate::{
    error::{Fault, LoadError},
    yaml,
};

/// The longest conf, as it comes and as it is written down: aliases may make it longer.
pub(super) const LONGEST: usize = 1024 * 1024;

/// A mapping, in the order in which it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Conf(Node);

/// A part of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Conf {
    /// `file` is for the errors alone.
    pub(super) fn parse(text: &str, file: &Path) -> Result<Self, LoadError> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_nodes: 50_000, max_aliases: 1_000 },
            // Or an API could not be called `n`.
            strict_booleans: true,
        };
        let left = Cell::new(LONGEST);
        let node = serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
            Reader { left: &left }.deserialize(yaml)
        })
        .map_err(|error| yaml::load_error(&error, "", file))?;
        match node {
            Node::Map(_) => Ok(Self(node)),
            _ => Err(Fault::new("", "an apk-conf is a mapping").in_file(file)),
        }
    }

    pub(super) const fn node(&self) -> &Node {
        &self.0
    }

    /// Puts the id first.
    pub(super) fn set_id(&mut self, id: &str) {
        if let Node::Map(members) = &mut self.0 {
            members.retain(|(name, _)| name != "id");
            members.insert(0, ("id".to_owned(), Node::Text(id.to_owned())));
        }
    }

    /// Whether there is a list of operations with nothing in it.
    pub(super) fn has_no_operations(&self) -> bool {
        let Node::Map(members) = &self.0 else {
            return false;
        };
        let operations = members.iter().find(|(name, _)| name == "operations");
        operations.is_some_and(|(_, node)| *node == Node::List(Vec::new()))
    }

    /// Text that reads as the same value.
    pub(super) fn to_yaml(&self) -> Result<String, String> {
        // Quoted, no text can be taken for a number or a date, by other readers of YAML neither.
        let options = serde_saphyr::ser_options! { quote_all: true };
        let text = serde_saphyr::to_string_with_options(&self.0, options)
            .map_err(|error| error.to_string())?;
        if text.len() > LONGEST {
            return Err("is too long when its aliases are written out".to_owned());
        }
        match Self::parse(&text, Path::new("")) {
            Ok(again) if again == *self => Ok(text),
            _ => Err("cannot be written down".to_owned()),
        }
    }
}

impl Node {
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(value) => Value::Number(value.clone()),
            Self::Text(value) => Value::String(value.clone()),
            Self::List(items) => items.iter().map(Self::to_value).collect(),
            Self::Map(members) => members
                .iter()
                .map(|(name, node)| (name.clone(), node.to_value()))
                .collect(),
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, node) in members {
                    map.serialize_entry(name, node)?;
                }
                map.end()
            }
        }
    }
}

/// Reads a node, and all that is in it, as long as there is room.
#[derive(Debug, Clone, Copy)]
struct Reader<'l> {
    /// Bytes of text: an alias of a long text is that text again.
    left: &'l Cell<usize>,
}

impl Reader<'_> {
    fn take<E: Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.left.get().checked_sub(bytes);
        self.left
            .set(left.ok_or_else(|| E::custom("too long when its aliases are written out"))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what JSON could hold")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Number::from_f64(value)
            .map(Node::Number)
            .ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        self.take(text.len())?;
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut map: Vec<(String, Node)> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            self.take(name.len())?;
            map.push((name, members.next_value_seed(self)?));
        }
        Ok(Node::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Conf, String> {
        Conf::parse(text, Path::new("a.yaml")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_down_is_the_same_in_the_same_order_with_the_id_first() {
        let mut conf = parse(
            "version: '1.10'\nname: a # why\nid: old\nempty: {}\nnone: []\nnothing:\nnumber: 1.5\n\
             big: 18446744073709551615\nlist: [yes, 'true', true, '007', '2024-01-01', 'a: b', '# c', \"d\\n e\\t\"]\n",
        )
        .unwrap();
        conf.set_id("new");
        assert_eq!(
            conf.to_yaml().unwrap(),
            "id: 'new'\nversion: '1.10'\nname: 'a'\nempty: {}\nnone: []\nnothing: null\nnumber: 1.5\n\
             big: 18446744073709551615\nlist:\n- 'yes'\n- 'true'\n- true\n- '007'\n- '2024-01-01'\n- 'a: b'\n\
             - '# c'\n- \"d\\n e\\t\"\n"
        );
    }

    #[test]
    fn every_text_can_be_written_down() {
        let odd = [
            "\u{feff}",
            "\u{2028}",
            "\u{fffe}",
            "\u{10ffff}",
            "",
            "~",
            "<<",
            "!!str a",
            "---",
            "a #",
        ];
        let controls = (0..=0x9f).filter_map(char::from_u32).map(String::from);
        for text in odd.map(str::to_owned).into_iter().chain(controls) {
            for text in [format!("{text}{text} a {text}"), text.repeat(200), text] {
                let node = Node::Text(text.clone());
                let conf = Conf(Node::Map(vec![(text.clone(), node)]));
                assert!(conf.to_yaml().is_ok(), "{text:?}");
            }
        }
    }

    #[test]
    fn json_is_yaml() {
        let json = parse(r#"{"name": "a", "operations": [{"target": "/", "secured": false}]}"#);
        let yaml = parse("name: a\noperations:\n- target: /\n  secured: false\n");
        assert_eq!(json, yaml);
    }

    #[test]
    fn what_an_apk_conf_cannot_be_is_refused() {
        for (text, reason) in [
            ("", "an apk-conf is a mapping"),
            ("[]", "an apk-conf is a mapping"),
            ("a", "an apk-conf is a mapping"),
            ("a: 1\n---\nb: 1", "more than one document"),
            ("a: 1\na: 2", "duplicate"),
            ("a: .inf", "non-finite"),
            ("a: 1e400", "non-finite"),
            ("a: [", "unclosed bracket"),
            ("a: *b", "anchor"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn a_text_that_grows_when_it_is_read_is_refused() {
        let nested = "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned()
            + &(1..20)
                .map(|n| format!("a{n}: &a{n} [{}]\n", format!("*a{}, ", n - 1).repeat(8)))
                .collect::<String>();
        let long = format!(
            "a: &a {}\nb: [{}]\n",
            "x".repeat(100_000),
            "*a, ".repeat(50)
        );
        let deep = "[".repeat(10_000);
        let deeper = "a:\n".to_owned()
            + &(1..1_000)
                .map(|n| format!("{}a:\n", " ".repeat(n)))
                .collect::<String>();
        let many = format!("a: [{}]", "1,".repeat(100_000));
        for (text, reason) in [
            (nested, "budget breached: Nodes"),
            (long, "too long when its aliases are written out"),
            (deep, "recursion limit"),
            (deeper, "budget breached: Depth"),
            (many, "budget breached: Nodes"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(reason), "{text:.20}: {error}");
        }
    }
}
