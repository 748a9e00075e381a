//! How long a backend JWT lives.

use crate::refusal::{Refusal, RefusalReason};
use std::time::Duration;
use tower_jwks::UnixTime;

/// How long a backend JWT lives, and is handed out.
pub(super) struct Lifetime {
    pub(super) expires_at: UnixTime,
    pub(super) renew_at: UnixTime,
}

impl Lifetime {
    /// It never outlives its source nor its key. Leeway, which the source may live on for, is for
    /// clocks that differ, and is not handed on.
    pub(super) fn new(
        now: UnixTime,
        ttl: Duration,
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
        Ok(Self {
            expires_at,
            // Half of its time is left at least, unless a new one could live no longer.
            renew_at: if expires_at < wanted {
                expires_at
            } else {
                now.saturating_add(ttl / 2)
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(secs)
    }

    fn lifetime(source: u64, key: Option<u64>) -> Result<(u64, u64), RefusalReason> {
        Lifetime::new(
            at(1000),
            Duration::from_secs(100),
            Some(at(source)),
            key.map(at),
        )
        .map(|life| (life.expires_at.as_secs(), life.renew_at.as_secs()))
        .map_err(|refusal| refusal.reason())
    }

    #[test]
    fn a_backend_jwt_outlives_neither_its_source_nor_its_key() {
        assert_eq!(lifetime(5000, None), Ok((1100, 1050)));
        assert_eq!(lifetime(1030, None), Ok((1030, 1030)));
        assert_eq!(lifetime(5000, Some(1020)), Ok((1020, 1020)));
        assert_eq!(lifetime(1030, Some(1020)), Ok((1020, 1020)));
        assert_eq!(lifetime(1100, None), Ok((1100, 1050)));
    }

    #[test]
    fn without_a_source_only_the_policy_and_the_key_end_it() {
        let life = Lifetime::new(at(1000), Duration::from_secs(100), None, Some(at(1020))).unwrap();
        assert_eq!(life.expires_at, at(1020));
        let life = Lifetime::new(at(1000), Duration::from_secs(100), None, None).unwrap();
        assert_eq!((life.expires_at, life.renew_at), (at(1100), at(1050)));
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
