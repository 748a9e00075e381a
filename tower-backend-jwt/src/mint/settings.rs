//! What backend JWTs are made with.

use super::{
    Api, Claims, Policy, cache::JwtCache, compatibility::Compatibility, signatures::Signatures,
};
use crate::{
    CacheStatus,
    bounded::{USUAL_BYTES, USUAL_ENTRIES},
};
use std::{sync::Arc, time::Duration};
use tower_jwks::{Clock, ConfigError, KeyRing, SystemClock};

/// How long a backend JWT lives if nobody says.
const USUAL_TTL: Duration = Duration::from_secs(3600);

/// What a [`Minter`](super::minter::Minter) is made from.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) keys: KeyRing,
    pub(crate) policy: Policy,
    /// How long a backend JWT lives: what the policy says, or the keys.
    pub(super) ttl: Duration,
    /// How long one that is handed out lives on for.
    pub(super) remaining_life: Duration,
    /// The policy's custom claims, rendered.
    pub(super) custom: Claims,
    pub(crate) api: Option<Api>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(super) cache: Option<Arc<JwtCache>>,
    pub(super) signatures: Signatures,
    /// The same for all that were made for one set of policies and its successors.
    family: Arc<()>,
}

impl Settings {
    pub(crate) fn new(keys: KeyRing) -> Self {
        let ttl = usual_ttl(&keys);
        Self {
            ttl,
            remaining_life: ttl / 2,
            keys,
            policy: Policy::default(),
            custom: Claims::new(),
            api: None,
            clock: Arc::new(SystemClock),
            cache: Some(Arc::new(JwtCache::new(USUAL_ENTRIES, USUAL_BYTES))),
            signatures: Signatures::default(),
            family: Arc::default(),
        }
    }

    /// Whether both are of one set of policies, or of its successors.
    pub(crate) fn is_of_family(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.family, &other.family)
    }

    /// Keeps so many JWTs, and so many bytes of them; none at all with no entries.
    pub(crate) fn set_cache(&mut self, entries: usize, bytes: u64) {
        self.cache = (entries > 0).then(|| Arc::new(JwtCache::new(entries, bytes)));
    }

    pub(crate) fn cache_status(&self) -> Option<CacheStatus> {
        self.cache.as_ref().map(|cache| cache.status())
    }

    /// Takes a policy that is sound by itself and fits the keys.
    pub(crate) fn set_policy(&mut self, policy: Policy) -> Result<(), ConfigError> {
        self.custom = policy.check()?;
        let ours = self.keys.algorithm();
        if let Some(asked) = policy.algorithm.filter(|asked| *asked != ours) {
            return Err(ConfigError::new(
                "algorithm",
                format!("is {asked}, but the key signs with {ours}"),
            ));
        }
        let ttl = policy.ttl.unwrap_or_else(|| usual_ttl(&self.keys));
        if let Some(longest) = self.keys.token_life().filter(|longest| ttl > *longest) {
            return Err(ConfigError::new(
                "ttl",
                format!(
                    "is {} seconds, but the keys are kept for tokens of at most {} seconds",
                    ttl.as_secs(),
                    longest.as_secs()
                ),
            ));
        }
        let remaining_life = policy.remaining_life.unwrap_or(ttl / 2);
        if remaining_life > ttl {
            return Err(ConfigError::new(
                "remaining_life",
                format!(
                    "is {} seconds, more than the {} that a backend JWT lives",
                    remaining_life.as_secs(),
                    ttl.as_secs()
                ),
            ));
        }
        for form in policy.compatibilities() {
            self.check_form(form)?;
        }
        self.ttl = ttl;
        self.remaining_life = remaining_life;
        self.policy = policy;
        Ok(())
    }

    /// What is of a certificate needs one at every key that signs.
    fn check_form(&self, form: Compatibility) -> Result<(), ConfigError> {
        if !matches!(form, Compatibility::X5t | Compatibility::X5tS256) {
            return Ok(());
        }
        let key = self.keys.signing_key().ok();
        let lacking = if self.keys.makes_keys() {
            // Whatever signs now, one that has none will.
            "the keys that the ring makes have none"
        } else if key.is_none_or(|key| key.wso2_x5t().is_none()) {
            "the signing key has none"
        } else {
            return Ok(());
        };
        Err(ConfigError::new(
            "compatibility",
            format!("{form} is of a certificate, and {lacking}"),
        ))
    }
}

fn usual_ttl(keys: &KeyRing) -> Duration {
    let longest = keys.token_life().unwrap_or(Duration::MAX);
    USUAL_TTL.min(longest)
}
