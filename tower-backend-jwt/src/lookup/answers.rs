//! What a source said lately, and what it is being asked.

use super::asking::Kept;
use crate::{
    bounded::{self, Bounded, EvenShare},
    refusal::Refusal,
};
use quick_cache::{
    Weighter,
    sync::{EntryAction, EntryResult},
};
use std::{hash::Hash, sync::Arc};
use tokio::{
    sync::watch::{self, Receiver, Sender},
    time::Instant,
};

/// What a source says, or why it says nothing.
pub(super) type Said<V> = Result<V, Refusal>;

/// Answers by what was asked for, bounded in entries and in bytes.
pub(super) struct Answers<K, V>(Bounded<K, Slot<V>>);

#[derive(Clone)]
enum Slot<V> {
    Asked(Receiver<Option<Said<V>>>),
    Answered(Answer<V>),
}

#[derive(Clone)]
struct Answer<V> {
    said: Said<V>,
    until: Instant,
}

/// What there is for who wants to know.
pub(super) enum Found<K, V>
where
    K: Kept + Clone + Eq + Hash,
    V: Kept + Clone,
{
    Answer(Said<V>),
    /// Somebody has asked already.
    Asked(Awaited<V>),
    /// Nobody has: whoever is told this asks.
    Nothing(Question<K, V>, Awaited<V>),
}

/// The answer to a question that was asked.
pub(super) struct Awaited<V>(Receiver<Option<Said<V>>>);

/// A question that is being asked, which ends when this is dropped: without an answer if there was none.
pub(super) struct Question<K, V>
where
    K: Kept + Clone + Eq + Hash,
    V: Kept + Clone,
{
    answers: Arc<Answers<K, V>>,
    key: K,
    asked: Sender<Option<Said<V>>>,
}

impl<K, V> Answers<K, V>
where
    K: Kept + Clone + Eq + Hash,
    V: Kept + Clone,
{
    pub(super) fn new(entries: usize, bytes: u64) -> Arc<Self> {
        Arc::new(Self(bounded::cache(entries, bytes)))
    }

    /// The last answer, if it is believed still.
    pub(super) fn known(&self, key: &K) -> Option<Said<V>> {
        match self.0.get(key)? {
            Slot::Answered(answer) if Instant::now() < answer.until => Some(answer.said),
            _ => None,
        }
    }

    /// The last answer, or that to the question that is being asked. One at a time for a key.
    pub(super) fn find(self: &Arc<Self>, key: &K) -> Found<K, V> {
        let (asked, answer) = watch::channel(None);
        let now = Instant::now();
        let entry = self.0.entry(key, None, |_, slot| match slot {
            Slot::Answered(known) if known.until <= now => {
                *slot = Slot::Asked(answer.clone());
                EntryAction::Retain(None)
            }
            _ => EntryAction::Retain(Some(slot.clone())),
        });
        let there = match entry {
            EntryResult::Retained(there) => there,
            EntryResult::Vacant(place) => {
                // If somebody has taken the place meanwhile, both ask.
                let _ = place.insert(Slot::Asked(answer.clone()));
                None
            }
            EntryResult::Removed(..) | EntryResult::Replaced(..) | EntryResult::Timeout => {
                unreachable!("nothing is removed above, and waited for without end")
            }
        };
        match there {
            Some(Slot::Answered(known)) => Found::Answer(known.said),
            Some(Slot::Asked(other)) => Found::Asked(Awaited(other)),
            None => {
                let question = Question {
                    answers: Arc::clone(self),
                    key: key.clone(),
                    asked,
                };
                Found::Nothing(question, Awaited(answer))
            }
        }
    }
}

impl<V: Clone> Awaited<V> {
    /// `None`: whoever asked has panicked, or the runtime has ended.
    pub(super) async fn answer(mut self) -> Option<Said<V>> {
        let said = self.0.wait_for(Option::is_some).await.ok()?;
        said.clone()
    }
}

impl<K, V> Question<K, V>
where
    K: Kept + Clone + Eq + Hash,
    V: Kept + Clone,
{
    pub(super) const fn key(&self) -> &K {
        &self.key
    }

    /// Tells all who wait what was said, and those who come until then.
    pub(super) fn end(self, said: Said<V>, until: Instant) {
        let answer = Answer {
            said: said.clone(),
            until,
        };
        self.put(Some(answer));
        // Who has hung up need not be told.
        self.asked.send_replace(Some(said));
    }

    /// Puts the answer in the question's place, or nothing. Whatever has taken that since stays.
    fn put(&self, answer: Option<Answer<V>>) {
        let own = self.asked.subscribe();
        let entry = self.answers.0.entry(&self.key, None, |_, slot| {
            let is_own = matches!(slot, Slot::Asked(other) if other.same_channel(&own));
            match &answer {
                _ if !is_own => EntryAction::Retain(()),
                Some(answer) => {
                    *slot = Slot::Answered(answer.clone());
                    EntryAction::Retain(())
                }
                None => EntryAction::Remove,
            }
        });
        // It was too much while it was asked.
        if let (EntryResult::Vacant(place), Some(answer)) = (entry, answer) {
            let _ = place.insert(Slot::Answered(answer));
        }
    }
}

impl<K, V> Drop for Question<K, V>
where
    K: Kept + Clone + Eq + Hash,
    V: Kept + Clone,
{
    fn drop(&mut self) {
        if self.asked.borrow().is_none() {
            self.put(None);
        }
    }
}

impl<K: Kept, V: Kept> Weighter<K, Slot<V>> for EvenShare {
    fn weight(&self, key: &K, slot: &Slot<V>) -> u64 {
        let bytes = size_of::<K>()
            + size_of::<Slot<V>>()
            + key.bytes()
            + match slot {
                Slot::Answered(Answer {
                    said: Ok(value), ..
                }) => value.bytes(),
                Slot::Answered(_) | Slot::Asked(_) => 0,
            };
        self.weigh(bytes)
    }
}
