//! Policies that can be exchanged while requests are served.

use super::{Api, Policy, minter::Minter, prepared_policy::PreparedPolicy, settings::Settings};
use crate::CacheStatus;
use arc_swap::ArcSwap;
use http::HeaderName;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tower_jwks::{Clock, ConfigError, KeyRing};

/// The policies of many APIs, by name, which can be exchanged while requests are served.
///
/// A handle: clones share the policies. A [`BackendJwtLayer`](crate::BackendJwtLayer) made
/// [with it](crate::BackendJwtLayer::from_policies) asks for the policy of each request.
///
/// A change is whole or not at all: policies that are not sound, or do not fit the keys, leave those in
/// force. So do policies with more fields than 64, past ones counted. A request that has its policy goes on
/// with it; the next one gets the new. JWTs that were made under a policy are not handed out any more when it
/// is exchanged. They are kept, up to a bound, for all policies of the set together.
///
/// A field that a policy of the set has ever put its JWT into stays the gateway's own: what a caller
/// sends in it is removed, whatever the policies are now. Requests may still be told of under the old ones,
/// and services behind may still trust them.
///
/// ```
/// use http::request::Parts;
/// use tower_backend_jwt::{Api, BackendJwtLayer, Policy, PolicySet};
/// use tower_jwks::{Algorithm, KeyRing};
///
/// let policies = PolicySet::new(KeyRing::generate(Algorithm::ES256)?);
/// policies.replace([
///     ("orders", Policy::default().audience("orders"), Api::new("orders", "1.0.0")),
///     ("stock", Policy::default().audience("stock"), Api::new("stock", "2.1.0")),
/// ])?;
///
/// // The first segment of the path names the API.
/// let layer = BackendJwtLayer::from_policies(policies.clone(), |policies: &PolicySet, request: &Parts| {
///     policies.get(request.uri.path().split('/').nth(1)?)
/// });
///
/// // Later, while it serves:
/// let policy = Policy::default().audience("orders").custom_claim("region", "eu");
/// policies.set("orders", policy, Api::new("orders", "1.0.1"))?;
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct PolicySet(Arc<Shared>);

struct Shared {
    settings: Settings,
    current: ArcSwap<Snapshot>,
    /// One change after another: each is made from the policies in force.
    changing: Mutex<()>,
}

type Prepared = HashMap<Box<str>, PreparedPolicy>;

#[derive(Clone, Default)]
struct Snapshot {
    policies: Prepared,
    /// The fields of all policies, past ones among them.
    headers: Arc<[HeaderName]>,
}

impl Snapshot {
    fn new(policies: Prepared, past: &[HeaderName]) -> Result<Self, ConfigError> {
        let mut headers = past.to_vec();
        for prepared in policies.values() {
            let header = prepared.policy().header_name();
            if !headers.contains(header) {
                headers.push(header.clone());
            }
        }
        if headers.len() > MOST_HEADERS {
            return Err(ConfigError::new(
                "header",
                format!("the policies of the set have had more than {MOST_HEADERS} fields"),
            ));
        }
        Ok(Self {
            policies,
            headers: headers.into(),
        })
    }
}

/// Each is looked for in every request.
const MOST_HEADERS: usize = 64;

fn named<N: Into<String>>(
    policies: impl IntoIterator<Item = (N, Policy, Api)>,
) -> Vec<(String, Policy, Api)> {
    let policies = policies.into_iter();
    policies
        .map(|(name, policy, api)| (name.into(), policy, api))
        .collect()
}

impl PolicySet {
    /// No policies yet, for the keys of this ring.
    #[must_use]
    pub fn new(keys: KeyRing) -> Self {
        Self::builder(keys).build()
    }

    /// The same, with a clock or a cache of your own.
    pub fn builder(keys: KeyRing) -> PolicySetBuilder {
        PolicySetBuilder {
            settings: Settings::new(keys),
        }
    }

    /// The policy of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<PreparedPolicy> {
        self.0.current.load().policies.get(name).cloned()
    }

    /// Exchanges all policies. One that stays as it was keeps the JWTs that were made under it.
    ///
    /// # Errors
    ///
    /// A policy is not sound or asks for another algorithm than the ring's, as in
    /// [`BackendJwtLayer::policy`](crate::BackendJwtLayer::policy), a name is there twice, or the policies
    /// have more than 64 fields, past ones counted. The policies in force stay.
    pub fn replace<N: Into<String>>(
        &self,
        policies: impl IntoIterator<Item = (N, Policy, Api)>,
    ) -> Result<(), ConfigError> {
        let policies = named(policies);
        self.change(|snapshot| {
            snapshot.policies = self.prepared(snapshot, policies)?;
            Ok(())
        })
    }

    /// Another set, with these policies in place of all. It has the keys, the clock and the JWTs that are
    /// kept of this one, which stays as it is: for who exchanges a whole table of routes and policies, and
    /// may think better of it. Its fields are those of its own policies: one that only policies of this set
    /// have is nobody's there.
    ///
    /// # Errors
    ///
    /// As [`replace`](Self::replace), but that fields of past policies do not count.
    ///
    /// ```
    /// use tower_backend_jwt::{Api, Policy, PolicySet};
    /// use tower_jwks::{Algorithm, KeyRing};
    ///
    /// let policies = PolicySet::new(KeyRing::generate(Algorithm::ES256)?);
    /// let next = policies.successor([("orders", Policy::default(), Api::new("orders", "1"))])?;
    /// assert!(policies.get("orders").is_none() && next.get("orders").is_some());
    /// # Ok::<(), tower_jwks::ConfigError>(())
    /// ```
    pub fn successor<N: Into<String>>(
        &self,
        policies: impl IntoIterator<Item = (N, Policy, Api)>,
    ) -> Result<Self, ConfigError> {
        let policies = self.prepared(&self.0.current.load(), named(policies))?;
        let snapshot = Snapshot::new(policies, &[])?;
        Ok(Self::of(self.0.settings.clone(), snapshot))
    }

    /// Adds a policy, or exchanges the one of this name.
    ///
    /// # Errors
    ///
    /// As [`replace`](Self::replace).
    pub fn set(&self, name: &str, policy: Policy, api: Api) -> Result<(), ConfigError> {
        self.change(|snapshot| {
            let prepared = self.prepare(snapshot, name, policy, api)?;
            snapshot.policies.insert(name.into(), prepared);
            Ok(())
        })
    }

    /// Removes the policy of this name; whether there was one.
    #[expect(clippy::must_use_candidate, reason = "that it is gone is what counts")]
    pub fn remove(&self, name: &str) -> bool {
        let mut had = false;
        let removed = self.change(|snapshot| {
            had = snapshot.policies.remove(name).is_some();
            Ok(())
        });
        removed.is_ok() && had
    }

    /// Whether a policy was prepared by this set, or one that it succeeds or is succeeded by.
    pub(crate) fn has_prepared(&self, policy: &PreparedPolicy) -> bool {
        self.0.settings.is_of_family(policy.minter().settings())
    }

    /// The names of its policies, in no order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let current = self.0.current.load();
        current.policies.keys().map(ToString::to_string).collect()
    }

    /// The fields that are the gateway's own: a route beside the layer has to
    /// [remove](crate::StripHeaderLayer) them too.
    #[must_use]
    pub fn headers(&self) -> Arc<[HeaderName]> {
        Arc::clone(&self.0.current.load().headers)
    }

    /// How the backend JWTs that are kept are doing, over all policies; `None` if none are kept.
    #[must_use]
    pub fn cache_status(&self) -> Option<CacheStatus> {
        self.0.settings.cache_status()
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Snapshot) -> Result<(), ConfigError>,
    ) -> Result<(), ConfigError> {
        let _one = self
            .0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut next = Snapshot::clone(&self.0.current.load());
        change(&mut next)?;
        let next = Snapshot::new(next.policies, &next.headers)?;
        self.0.current.store(Arc::new(next));
        Ok(())
    }

    fn of(settings: Settings, first: Snapshot) -> Self {
        Self(Arc::new(Shared {
            settings,
            current: ArcSwap::from_pointee(first),
            changing: Mutex::new(()),
        }))
    }

    fn prepared(
        &self,
        had: &Snapshot,
        policies: Vec<(String, Policy, Api)>,
    ) -> Result<Prepared, ConfigError> {
        let mut next = Prepared::with_capacity(policies.len());
        for (name, policy, api) in policies {
            let prepared = self.prepare(had, &name, policy, api)?;
            if next.insert(name.as_str().into(), prepared).is_some() {
                return Err(ConfigError::new(name, "is there twice"));
            }
        }
        Ok(next)
    }

    fn prepare(
        &self,
        had: &Snapshot,
        name: &str,
        policy: Policy,
        api: Api,
    ) -> Result<PreparedPolicy, ConfigError> {
        if let Some(same) = had.policies.get(name).filter(|had| had.is(&policy, &api)) {
            return Ok(same.clone());
        }
        let mut settings = self.0.settings.clone();
        settings
            .set_policy(policy)
            .map_err(|error| error.within(name))?;
        settings.api = Some(api);
        Ok(PreparedPolicy::new(Minter::new(settings)))
    }
}

/// Makes a [`PolicySet`].
#[must_use]
pub struct PolicySetBuilder {
    settings: Settings,
}

impl PolicySetBuilder {
    /// Takes the time from here. Default: [`SystemClock`](tower_jwks::SystemClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Keeps at most so many JWTs, and so many bytes of them, to be used again. Default: 10,000 and
    /// 64 MiB. The bounds are for all policies of the set together.
    pub fn cache(mut self, entries: usize, bytes: u64) -> Self {
        self.settings.set_cache(entries, bytes);
        self
    }

    /// Signs a JWT for every request.
    pub fn no_cache(self) -> Self {
        self.cache(0, 0)
    }

    /// A set without policies.
    #[must_use]
    pub fn build(self) -> PolicySet {
        PolicySet::of(self.settings, Snapshot::default())
    }
}

/// Names only.
impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let current = self.0.current.load();
        let mut names: Vec<_> = current.policies.keys().collect();
        names.sort_unstable();
        f.debug_tuple("PolicySet").field(&names).finish()
    }
}

impl fmt::Debug for PolicySetBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicySetBuilder").finish_non_exhaustive()
    }
}
