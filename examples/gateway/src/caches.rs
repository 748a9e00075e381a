//! What is remembered from one request to the next, for all APIs together: it stays when one is deployed.

use serde::Serialize;
use tower_backend_jwt::{CacheStatus, PolicySet, TokenCache};
use tower_jwks::KeyRing;

use crate::{
    error::Fault,
    settings::{CacheSettings, Room},
};

/// The caches. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Caches {
    tokens: Option<TokenCache>,
    /// Has no policies: the sets of the APIs that are served come from it, and share its backend JWTs.
    policies: PolicySet,
}

/// How they are doing, for an operator to look at; nothing of one that is switched off.
#[derive(Debug, Serialize)]
pub(crate) struct CachesStatus {
    tokens: Option<CacheStatus>,
    backend_jwts: Option<CacheStatus>,
}

impl Caches {
    pub(crate) fn new(settings: &CacheSettings, keys: KeyRing) -> Result<Self, Fault> {
        check("cache.tokens", &settings.tokens)?;
        check("cache.backendJwts", &settings.backend_jwts)?;
        let Room { entries, bytes } = settings.tokens;
        let jwts = &settings.backend_jwts;
        Ok(Self {
            tokens: (entries > 0).then(|| TokenCache::new(entries, bytes)),
            policies: PolicySet::builder(keys)
                .cache(jwts.entries, jwts.bytes)
                .build(),
        })
    }

    /// Nothing if verified tokens are not remembered.
    pub(crate) const fn tokens(&self) -> Option<&TokenCache> {
        self.tokens.as_ref()
    }

    pub(crate) const fn policies(&self) -> &PolicySet {
        &self.policies
    }

    pub(crate) fn status(&self) -> CachesStatus {
        CachesStatus {
            tokens: self.tokens.as_ref().map(TokenCache::status),
            backend_jwts: self.policies.cache_status(),
        }
    }
}

/// A cache that could hold nothing is a mistake, unless it is switched off.
fn check(field: &str, room: &Room) -> Result<(), Fault> {
    if room.entries > Room::MOST_ENTRIES {
        return Err(Fault::new(
            format!("{field}.entries"),
            format!("more than {}", Room::MOST_ENTRIES),
        ));
    }
    let least = room.entries as u64 * Room::LEAST_BYTES;
    if room.bytes < least {
        return Err(Fault::new(
            format!("{field}.bytes"),
            format!(
                "less than {} for each entry; `entries: 0` switches the cache off",
                Room::LEAST_BYTES
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tower_jwks::Algorithm;

    use super::*;

    fn caches(yaml: &str) -> Result<Caches, String> {
        let settings = serde_saphyr::from_str(yaml).unwrap();
        let keys = KeyRing::generate(Algorithm::ES256).unwrap();
        Caches::new(&settings, keys).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_cache_has_the_usual_room_or_what_is_said_or_is_not_there() {
        let usual = caches("{}").unwrap().status();
        assert!(usual.tokens.is_some() && usual.backend_jwts.is_some());
        let one = caches("{tokens: {entries: 0}, backendJwts: {bytes: 1000000}}").unwrap();
        let status = one.status();
        assert!(status.tokens.is_none() && status.backend_jwts.is_some());
        assert!(one.tokens().is_none());
        let other = caches("{backendJwts: {entries: 0, bytes: 0}}").unwrap();
        let status = other.status();
        assert!(status.tokens.is_some() && status.backend_jwts.is_none());
    }

    #[test]
    fn a_cache_that_could_hold_nothing_is_refused_by_name() {
        for (yaml, field) in [
            ("{tokens: {bytes: 0}}", "cache.tokens.bytes"),
            ("{tokens: {bytes: 639999}}", "cache.tokens.bytes"),
            ("{backendJwts: {bytes: 1}}", "cache.backendJwts.bytes"),
            (
                "{backendJwts: {entries: 16777217}}",
                "cache.backendJwts.entries",
            ),
        ] {
            let error = caches(yaml).unwrap_err();
            assert!(error.starts_with(field), "{yaml}: {error}");
        }
        assert!(caches("{tokens: {bytes: 640000}}").is_ok());
    }
}
