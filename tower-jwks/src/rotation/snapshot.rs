//! What requests look at: the keys of one moment, ready to sign and rendered to be published.

use super::{
    audience::Audience,
    document::{Document, RingKeys},
    policy::RotationPolicy,
    state::{Entry, State},
    view::{Idle, View},
};
use crate::{SigningKey, UnixTime, published::PublishedKeys};
use std::{sync::Arc, time::Duration};

pub(super) struct Snapshot {
    pub(super) view: View,
    pub(super) keys: RingKeys,
    /// One for each key that is pending, or was when the set was rendered.
    pub(super) audiences: Vec<(Box<str>, Arc<Audience>)>,
    everyday: Arc<PublishedKeys>,
    /// For a while after a key was revoked.
    emergency: Option<Arc<PublishedKeys>>,
}

impl Snapshot {
    /// What was read of the store, asked for at a time; `before` is what it takes the place of.
    pub(super) fn new(
        document: Document,
        asked_at: UnixTime,
        policy: &RotationPolicy,
        before: Option<&Self>,
    ) -> Self {
        let Document { state, keys } = document;
        let audiences: Vec<(Box<str>, Arc<Audience>)> = state
            .keys
            .iter()
            .filter(|key| key.activates_at.is_none_or(|at| at > asked_at))
            .map(|Entry { kid, .. }| {
                let known = before.and_then(|before| before.audience(kid));
                (kid.clone(), known.cloned().unwrap_or_default())
            })
            .collect();
        let jwks: Vec<_> = state
            .published()
            .map(|place| keys.keys[place].signing.jwk().clone())
            .collect();
        let counted: Arc<[_]> = audiences
            .iter()
            .map(|(_, audience)| Arc::clone(audience))
            .collect();
        let render = |max_age: Duration| {
            let counted = Arc::clone(&counted);
            Arc::new(PublishedKeys::of_ring(&jwks, max_age, state.epoch, counted))
        };
        let emergency =
            (!state.revoked.is_empty()).then(|| render(state.emergency_max_age(policy)));
        Self {
            everyday: render(state.max_age(policy)),
            emergency,
            view: View {
                state,
                confirmed_at: asked_at,
            },
            keys,
            audiences,
        }
    }

    /// The same, which the store still had when it was asked at that time.
    pub(super) fn confirmed(&self, asked_at: UnixTime) -> Self {
        Self {
            view: View {
                state: self.view.state.clone(),
                confirmed_at: asked_at,
            },
            keys: self.keys.clone(),
            audiences: self.audiences.clone(),
            everyday: Arc::clone(&self.everyday),
            emergency: self.emergency.clone(),
        }
    }

    pub(super) const fn state(&self) -> &State {
        &self.view.state
    }

    pub(super) fn audience(&self, kid: &str) -> Option<&Arc<Audience>> {
        let mut audiences = self.audiences.iter();
        audiences
            .find(|(known, _)| **known == *kid)
            .map(|(_, audience)| audience)
    }

    pub(super) fn signer(
        &self,
        policy: &RotationPolicy,
        now: UnixTime,
    ) -> Result<&Arc<SigningKey>, Idle> {
        let place = self.view.signer(policy, now)?;
        Ok(&self.keys.keys[place].signing)
    }

    pub(super) fn published(&self, now: UnixTime) -> Result<&Arc<PublishedKeys>, Idle> {
        let state = self.view.published(now)?;
        let emergency = self.emergency.as_ref().filter(|_| state.is_emergency(now));
        Ok(emergency.unwrap_or(&self.everyday))
    }
}
