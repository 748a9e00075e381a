//! How long a backend JWT lives.

use crate::refusal::{Refusal, RefusalReason};
use std::time::Duration;
use tower_jwks::UnixTime;

/// After how much of the time for which it is handed out the next one is made.
const AHEAD_IN_FIFTHS: u32 = 4;

/// How long a backend JWT lives, and is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetime {
    pub(super) expires_at: UnixTime,
    /// When a new one is to be made, ahead of time.
    pub(super) renew_at: UnixTime,
    pub(super) usable_until: UnixTime,
}

impl Lifetime {
    /// It never outlives its source nor its key. Leeway, which the source may live on for, is for
    /// clocks that differ, and is not handed on.
    ///
    /// It is handed out while it lives on for `remaining`, unless a new one could live no longer.
    pub(super) fn new(
        now: UnixTime,
        ttl: Duration,
        remaining: Duration,
        source_end: Option<UnixTime>,
        key_end: Option<UnixTime>,
    ) -> Result<Self, Refusal> {
        let wanted = now.saturating_add(ttl);
        let mut expires_at = wanted;
        if let Some(source_end) = source_end {
            if source_end <= now {
                return Err(Refusal::new(RefusalReason::Expired));
            }
            expires_at = expires_at.min(source_end);
        }
        if let Some(key_end) = key_end {
            if key_end <= now {
                return Err(Refusal::new(RefusalReason::KeysUnavailable)
                    .with_detail("the signing key's certificate is expired"));
            }
            expires_at = expires_at.min(key_end);
        }
        if expires_at < wanted {
            return Ok(Self {
                expires_at,
                renew_at: expires_at,
                usable_until: expires_at,
            });
        }
        let usable = ttl.saturating_sub(remaining);
        Ok(Self {
            expires_at,
            renew_at: now.saturating_add(usable / 5 * AHEAD_IN_FIFTHS),
            usable_until: now.saturating_add(usable),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    fn life(source: Option<u64>, key: Option<u64>) -> Result<Lifetime, RefusalReason> {
        let (ttl, remaining) = (Duration::from_secs(100), Duration::from_secs(50));
        Lifetime::new(at(1000), ttl, remaining, source.map(at), key.map(at))
            .map_err(|refusal| refusal.reason())
    }

    fn lifetime(source: u64, key: Option<u64>) -> Result<(u64, u64, u64), RefusalReason> {
        let life = life(Some(source), key)?;
        Ok((
            life.expires_at.as_secs(),
            life.renew_at.as_secs(),
            life.usable_until.as_secs(),
        ))
    }

    #[test]
    fn a_backend_jwt_outlives_neither_its_source_nor_its_key() {
        assert_eq!(lifetime(5000, None), Ok((1100, 1040, 1050)));
        assert_eq!(lifetime(1030, None), Ok((1030, 1030, 1030)));
        assert_eq!(lifetime(5000, Some(1020)), Ok((1020, 1020, 1020)));
        assert_eq!(lifetime(1030, Some(1020)), Ok((1020, 1020, 1020)));
        assert_eq!(lifetime(1100, None), Ok((1100, 1040, 1050)));
    }

    #[test]
    fn without_a_source_only_the_policy_and_the_key_end_it() {
        assert_eq!(life(None, Some(1020)).unwrap().expires_at, at(1020));
        let life = life(None, None).unwrap();
        assert_eq!((life.expires_at, life.usable_until), (at(1100), at(1050)));
    }

    #[test]
    fn one_that_has_to_live_on_for_all_of_its_time_is_used_once() {
        let ttl = Duration::from_secs(100);
        for remaining in [ttl, Duration::MAX] {
            let life = Lifetime::new(at(1000), ttl, remaining, None, None).unwrap();
            assert_eq!((life.renew_at, life.usable_until), (at(1000), at(1000)));
        }
        let life = Lifetime::new(at(1000), ttl, Duration::ZERO, None, None).unwrap();
        assert_eq!((life.renew_at, life.usable_until), (at(1080), at(1100)));
    }

    #[test]
    fn nothing_is_minted_from_what_is_expired() {
        assert_eq!(lifetime(1000, None), Err(RefusalReason::Expired));
        assert_eq!(lifetime(999, None), Err(RefusalReason::Expired));
        assert_eq!(
            lifetime(5000, Some(1000)),
            Err(RefusalReason::KeysUnavailable)
        );
    }
}
