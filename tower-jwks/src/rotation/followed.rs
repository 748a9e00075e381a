//! The state of a ring whose keys others put into a directory: what follows from their files.

use super::{
    policy::Promise,
    state::{Entry, Revoked, State},
};
use crate::UnixTime;
use std::time::Duration;

/// A key as it was found.
pub(super) struct FollowedKey {
    pub(super) kid: Box<str>,
    /// When its certificate begins, or its file was written: the order of keys.
    pub(super) begins_at: UnixTime,
    /// Nobody can have published it before.
    pub(super) known_since: UnixTime,
    pub(super) not_after: Option<UnixTime>,
    /// Whether it is the one that is to sign, by its name.
    pub(super) named: bool,
}

/// The state with these keys, after the state before.
///
/// A key takes its turn when it has been announced, in the order in which keys begin, up to the newest or the
/// named one. One whose file is gone stays for its tokens: who takes it away has put another in its place.
pub(super) fn follow(
    mut found: Vec<FollowedKey>,
    revoked: &[String],
    before: Option<&State>,
    promise: Promise,
    now: UnixTime,
) -> State {
    found.retain(|key| !revoked.iter().any(|kid| **kid == *key.kid));
    found.sort_by(|a, b| (a.begins_at, &a.kid).cmp(&(b.begins_at, &b.kid)));
    let is_revoked = |kid: &str| revoked.iter().any(|revoked| revoked == kid);

    // What was decided stays decided; also of keys that are gone and have signed.
    let mut keys: Vec<Entry> = before.map_or(Vec::new(), |before| {
        let stays = |key: &&Entry| {
            let found = found.iter().any(|found| found.kid == key.kid);
            let needed = key.activates_at.is_some_and(|at| at <= now)
                && key.gone_at(&promise).is_none_or(|at| at > now);
            !is_revoked(&key.kid) && (found || needed)
        };
        before.keys.iter().filter(stays).cloned().collect()
    });
    // The newest or the named key is back, in the place of the one that signs: its turn comes again.
    let replaced = before
        .and_then(|before| Some(&before.keys[before.active(now)?].kid))
        .is_some_and(|active| !found.iter().any(|key| key.kid == *active));
    let wanted = found.iter().find(|key| key.named).or(found.last());
    if let Some(wanted) = wanted.filter(|_| replaced)
        && let Some(back) = keys.iter_mut().find(|key| key.kid == wanted.kid)
        && back.retired_at.is_some()
    {
        (back.activates_at, back.retired_at) = (None, None);
    }
    for key in &mut found {
        if let Some(known) = keys.iter_mut().find(|known| known.kid == key.kid) {
            // Its certificate may have been renewed.
            known.not_after = key.not_after;
            key.known_since = known.published_at.unwrap_or(key.known_since);
            continue;
        }
        // Where the process was running, it knows that it has not published it, however old the file says
        // that it is: one that was copied or moved there keeps its time.
        if before.is_some() {
            key.known_since = key.known_since.max(now);
        }
        keys.push(Entry {
            published_at: Some(key.known_since),
            ..Entry::new(key.kid.clone(), key.not_after, key.known_since)
        });
    }
    let mut state = State {
        epoch: 0,
        promise,
        keys,
        revoked: revocations(revoked, before, now),
    };
    decide(&mut state, &found, before.is_none(), now);
    state.date(now);
    state.epoch = match before {
        Some(before) => {
            let same = before.keys == state.keys && before.revoked == state.revoked;
            // Higher than before a restart as well, as long as the clock does not go back.
            let next = before.epoch.saturating_add(1).max(now.as_secs());
            if same { before.epoch } else { next }
        }
        None => now.as_secs().max(1),
    };
    state
}

/// Decides when each key signs that is to, and is not decided on.
fn decide(state: &mut State, found: &[FollowedKey], at_start: bool, now: UnixTime) {
    let promise = state.promise;
    let named = found.iter().position(|key| key.named);
    let last = named.unwrap_or(found.len().saturating_sub(1));
    let usable = |key: &&FollowedKey| key.not_after.is_none_or(|end| end > now);
    let matures_at = |key: &FollowedKey| key.known_since.saturating_add(promise.announcement());
    let set = |state: &mut State, kid: &str, at: UnixTime| {
        if let Some(place) = state.place(kid) {
            state.keys[place].activates_at = Some(at);
        }
    };

    let mut after = state.active(now).map(|place| state.keys[place].kid.clone());
    if at_start {
        // Nobody tells what was decided before the start. Those that were announced for long enough are known
        // to verifiers; if none is, the first of all is the likeliest to be.
        let candidates = || found.iter().take(last + 1).filter(usable);
        let known = candidates().rfind(|key| matures_at(key) <= now);
        let first = found
            .iter()
            .filter(usable)
            .min_by_key(|key| (key.known_since, key.begins_at));
        if let Some(key) = known.or(first) {
            set(state, &key.kid, now);
            after = Some(key.kid.clone());
        }
    }
    let begins_at = |kid: &str| {
        found
            .iter()
            .find(|key| *key.kid == *kid)
            .map(|key| key.begins_at)
    };
    let signing_since = after.as_deref().and_then(begins_at);
    let mut last_at = state.keys.iter().filter_map(|key| key.activates_at).max();
    for key in found.iter().take(last + 1).filter(usable) {
        let decided = state
            .place(&key.kid)
            .is_none_or(|place| !state.keys[place].is_in_reserve());
        // What begins before the one that signs was not chosen then, and is not now; but if it is named.
        let older = signing_since.is_some_and(|since| key.begins_at < since) && !key.named;
        if decided || older {
            continue;
        }
        let next = last_at.map_or(now, |last| last.saturating_add(Duration::from_secs(1)));
        let at = matures_at(key).max(next).max(now);
        set(state, &key.kid, at);
        last_at = Some(at);
    }
}

fn revocations(revoked: &[String], before: Option<&State>, now: UnixTime) -> Vec<Revoked> {
    let known = |kid: &str| {
        let mut known = before.into_iter().flat_map(|before| &before.revoked);
        known.find(|known| *known.kid == *kid).map(|known| known.at)
    };
    let mut revoked: Vec<Revoked> = revoked
        .iter()
        .map(|kid| Revoked {
            kid: kid.as_str().into(),
            at: known(kid).unwrap_or(now),
        })
        .collect();
    revoked.sort_by_key(|revoked| revoked.at);
    revoked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyState, RotationPolicy};

    const NOW: u64 = 1_000_000;

    fn promise() -> Promise {
        RotationPolicy::default().promise()
    }

    fn wait() -> u64 {
        promise().announcement().as_secs()
    }

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    fn key(kid: &str, since: u64) -> FollowedKey {
        FollowedKey {
            kid: kid.into(),
            begins_at: at(since),
            known_since: at(since),
            not_after: None,
            named: false,
        }
    }

    fn named(kid: &str, since: u64) -> FollowedKey {
        FollowedKey {
            named: true,
            ..key(kid, since)
        }
    }

    fn start(found: Vec<FollowedKey>, now: u64) -> State {
        follow(found, &[], None, promise(), at(now))
    }

    fn then(before: &State, found: Vec<FollowedKey>, now: u64) -> State {
        follow(found, &[], Some(before), promise(), at(now))
    }

    fn signer(state: &State, now: u64) -> Option<&str> {
        state.signer(at(now)).map(|place| &*state.keys[place].kid)
    }

    #[test]
    fn the_only_key_signs_at_once() {
        assert_eq!(signer(&start(vec![key("a", NOW)], NOW), NOW), Some("a"));
    }

    #[test]
    fn the_newest_key_that_verifiers_know_signs() {
        let known = NOW - wait();
        let state = start(vec![key("a", 1), key("b", known), key("c", known + 1)], NOW);
        assert_eq!(signer(&state, NOW), Some("b"));
        assert_eq!(signer(&state, NOW + 1), Some("c"));
    }

    #[test]
    fn the_named_key_signs_though_there_is_a_newer_one() {
        let state = start(vec![named("a", 1), key("b", 2)], NOW);
        assert_eq!(signer(&state, NOW), Some("a"));
        assert_eq!(signer(&state, NOW + 10 * wait()), Some("a"));
        assert_eq!(state.published().count(), 2);
    }

    #[test]
    fn a_named_key_that_nobody_knows_has_to_wait() {
        let state = start(vec![key("a", 1), named("b", NOW)], NOW);
        assert_eq!(signer(&state, NOW), Some("a"));
        assert_eq!(signer(&state, NOW + wait()), Some("b"));
    }

    #[test]
    fn a_new_key_is_announced_before_it_signs() {
        let first = start(vec![key("a", 1)], NOW);
        let second = then(&first, vec![key("a", 1), key("b", NOW + 50)], NOW + 60);
        let turn = NOW + 60 + wait();
        assert_eq!(signer(&second, turn - 1), Some("a"));
        assert_eq!(signer(&second, turn), Some("b"));
        assert!(second.epoch > first.epoch);
        let again = then(&second, vec![key("a", 1), key("b", NOW + 50)], NOW + 70);
        assert_eq!(again, second, "nothing has changed");
    }

    #[test]
    fn a_key_that_appears_is_announced_from_then_on_however_old_its_file_is() {
        let first = start(vec![key("a", 1)], NOW);
        let second = then(&first, vec![key("a", 1), key("b", 2)], NOW + 60);
        assert_eq!(signer(&second, NOW + 60 + wait() - 1), Some("a"));
        assert_eq!(signer(&second, NOW + 60 + wait()), Some("b"));
        let again = then(&second, vec![key("a", 1), key("b", 2)], NOW + 70);
        assert_eq!(again, second, "nothing has changed");
    }

    #[test]
    fn a_key_that_is_put_back_in_the_place_of_the_one_that_signs_signs_again() {
        let turn = NOW + wait();
        let second = then(&start(vec![key("a", 1)], NOW), vec![key("b", NOW)], NOW);
        let third = then(&second, vec![key("b", NOW)], turn);
        assert_eq!(signer(&third, turn), Some("b"));
        let fourth = then(&third, vec![key("a", 1)], turn + 60);
        assert_eq!(
            signer(&fourth, turn + 60 + 1),
            Some("a"),
            "it was published all the time"
        );
        let fifth = then(&fourth, vec![key("a", 1)], turn + 70);
        assert_eq!(fifth.key_state(1, at(turn + 70)), KeyState::Retiring);
        let end = turn + 70 + promise().afterlife().as_secs();
        assert_eq!(then(&fifth, vec![key("a", 1)], end).keys.len(), 1);
    }

    #[test]
    fn a_key_whose_certificate_was_renewed_has_the_new_end() {
        let until = |end| FollowedKey {
            not_after: Some(at(end)),
            ..key("a", 1)
        };
        let first = start(vec![until(NOW + 10)], NOW);
        let second = then(&first, vec![until(NOW + 1000)], NOW + 5);
        assert_eq!(signer(&second, NOW + 999), Some("a"));
        assert!(second.epoch > first.epoch);
    }

    #[test]
    fn a_key_whose_file_is_gone_signs_until_the_next_may_and_stays_for_its_tokens() {
        let first = start(vec![key("a", 1)], NOW);
        let second = then(&first, vec![key("b", NOW)], NOW);
        assert_eq!(signer(&second, NOW), Some("a"));
        let turn = NOW + wait();
        let third = then(&second, vec![key("b", NOW)], turn);
        assert_eq!(signer(&third, turn), Some("b"));
        assert_eq!(third.key_state(0, at(turn)), KeyState::Retiring);
        let end = turn + promise().afterlife().as_secs();
        assert_eq!(then(&third, vec![key("b", NOW)], end - 1).keys.len(), 2);
        assert_eq!(then(&third, vec![key("b", NOW)], end).keys.len(), 1);
    }

    #[test]
    fn a_revoked_key_is_gone_at_once_and_the_next_waits_until_it_is_known() {
        let revoked = ["a".to_owned()];
        let both = || vec![key("a", 1), key("b", NOW)];
        let first = start(both(), NOW);
        let second = follow(both(), &revoked, Some(&first), promise(), at(NOW + 5));
        assert_eq!(second.place("a"), None);
        assert_eq!(signer(&second, NOW + 5), None);
        assert_eq!(signer(&second, NOW + wait()), Some("b"));
        let end = NOW + 5 + promise().memory().as_secs();
        assert!(second.is_emergency(at(end - 1)) && !second.is_emergency(at(end)));
        let third = follow(both(), &revoked, Some(&second), promise(), at(NOW + 50));
        assert_eq!(third, second, "it was revoked when it was");
    }

    #[test]
    fn a_key_at_its_end_does_not_sign_at_the_start() {
        let ended = FollowedKey {
            not_after: Some(at(NOW)),
            ..key("a", 1)
        };
        assert_eq!(
            signer(&start(vec![ended, key("b", NOW)], NOW), NOW),
            Some("b")
        );
    }
}
