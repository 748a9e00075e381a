//! What a replica does with what it knows: it signs tokens and publishes the set.

use super::{
    promises::Broken,
    timeline::Who,
    token::{Answer, Token, kid_of, number_of},
    world::{Event, World},
};
use crate::rotation::view::{Idle, View};
use std::time::Duration;

impl World<'_> {
    /// Signs a token, if it may, and shows it to each verifier.
    pub(super) fn mint(&mut self, place: usize) {
        let replica = &mut self.replicas[place];
        let (next, short) = match self.scenario.jitter {
            true => (replica.random.between(1..=6), replica.random.percent(25)),
            false => (1, false),
        };
        self.push(self.now + next, Event::Mint(place));
        let replica = &self.replicas[place];
        if !replica.is_up(self.now) {
            return;
        }
        let now = self.clock(replica.ahead);
        let signer = match replica.signer(now) {
            Ok(signer) => signer,
            Err(idle) => return self.check_pause(place, idle),
        };
        let Some(view) = &replica.view else { return };
        let key = &view.state.keys[signer];
        let kid = number_of(&key.kid);
        let longest = replica.policy.token_life();
        let life = match short {
            true => Duration::from_secs(1),
            false => longest,
        };
        let expires_at = now.saturating_add(life);
        let token = Token {
            kid,
            expires_at: key.not_after.map_or(expires_at, |end| expires_at.min(end)),
            minted_by: place,
            minted: self.now,
        };
        // Who answers with no set at all contradicts nothing.
        let is_published = view.published(now).map_or(true, |state| {
            let mut places = state.published();
            places.any(|place| place == signer)
        });
        let has_ended = key.not_after.is_some_and(|end| end <= now);
        let was_revoked = view.state.was_revoked(&key.kid);
        if !is_published || has_ended {
            let wrong = if has_ended {
                "has come to its end"
            } else {
                "it does not publish"
            };
            self.fail(Broken::SignerIsPublished, || {
                format!("replica {place} signs with {}, which {wrong}", kid_of(kid))
            });
        }
        if was_revoked {
            self.fail(Broken::RevokedIsRefused, || {
                format!(
                    "replica {place} signs with {}, and knows that it was revoked",
                    kid_of(kid)
                )
            });
        }
        self.counts.tokens += 1;
        if self
            .tokens
            .iter()
            .all(|token| token.kid != kid || token.minted_by != place)
        {
            self.note(Who::Replica(place), || {
                let until = super::timeline::date(expires_at);
                format!("mints a token with k{kid} that expires at {until} by its clock")
            });
        }
        for verifier in 0..self.verifiers.len() {
            self.verify(verifier, &token, false);
        }
        self.tokens.push(token);
    }

    fn check_pause(&mut self, place: usize, idle: Idle) {
        let replica = &self.replicas[place];
        let now = self.clock(replica.ahead);
        // By a clock that is behind, the first key of all does not sign yet.
        let first = |view: &View| {
            view.state
                .keys
                .iter()
                .all(|key| key.activates_at.is_none_or(|at| at > now))
        };
        if idle == Idle::NoKey
            && !self.scenario.may_pause()
            && !replica.view.as_ref().is_some_and(first)
        {
            self.fail(Broken::SignsWithoutPause, || {
                format!("replica {place} has no key to sign with")
            });
        }
    }

    /// The set that a replica answers with, if it answers, and for how long that may be kept.
    pub(super) fn publish(&mut self, place: usize) -> Option<(Answer, Duration)> {
        let replica = &self.replicas[place];
        if !replica.is_up(self.now) {
            return None;
        }
        let now = self.clock(replica.ahead);
        let state = replica.view.as_ref()?.published(now).ok()?;
        let policy = &replica.policy;
        let max_age = match state.is_emergency(now) {
            true => state.emergency_max_age(policy),
            false => state.max_age(policy),
        };
        let kids: Vec<_> = state
            .published()
            .map(|place| number_of(&state.keys[place].kid))
            .collect();
        let epoch = state.epoch;
        let revoked = state.revoked.iter().map(|revoked| number_of(&revoked.kid));
        let revoked = revoked.into_iter().find(|kid| kids.contains(kid));
        let answered = replica.answered;
        self.replicas[place].answered = answered.max(epoch);
        if epoch < answered {
            self.went_back(place, answered, epoch);
        }
        if let Some(kid) = revoked {
            self.fail(Broken::RevokedIsRefused, || {
                format!("replica {place} publishes k{kid}, and knows that it was revoked")
            });
        }
        let answer = Answer {
            kids,
            epoch,
            from: place,
            answered: self.now,
            kept_until: self.now,
        };
        Some((answer, max_age))
    }

    pub(super) fn went_back(&mut self, place: usize, from: u64, to: u64) {
        self.fail(Broken::OneEpoch, || {
            format!("replica {place} goes back from epoch {from} to {to}")
        });
    }
}
