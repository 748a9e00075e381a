//! When keys change, and what everybody can rely on while they do.

use std::time::Duration;

mod builder;
mod promise;

pub use self::builder::RotationPolicyBuilder;
pub(crate) use self::promise::Promise;

/// The most keys a ring holds at once, whatever is asked of it.
pub(super) const MOST_KEYS: usize = 32;

/// In the place of an interval that is others' to know: never is anything due because of it.
const UNKNOWN: Duration = Duration::MAX;

/// When the keys of a ring change, and the times by which nothing breaks when they do.
///
/// A key is published before it signs, until every verifier can have it: [`announcement`]. It stays
/// published after it has signed, until its last token is expired: [`afterlife`]. Both follow from the times
/// given here; a policy that could not keep its promise cannot be built.
///
/// What was promised stays promised: a process with a shorter [`max_age`] or [`token_life`] goes by the longest
/// that the ring has ever had.
///
#[doc = include_str!("../../docs/rotation.svg")]
///
/// ```
/// use std::time::Duration;
/// use tower_jwks::RotationPolicy;
///
/// let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
/// let policy = RotationPolicy::builder()
///     .max_age(minutes(5))
///     .grace(minutes(60)) // verifiers that fetch once an hour, whatever we say
///     .token_life(minutes(15))
///     .build()?;
/// assert_eq!(policy.announcement(), minutes(5 + 5 + 60 + 2));
/// assert_eq!(policy.afterlife(), minutes(5 + 15 + 3));
/// assert_eq!(policy.emergency_max_age(), minutes(1), "what is not chosen has a default");
///
/// // A replica would stop signing between two looks at the store.
/// let error = RotationPolicy::builder().poll(minutes(10)).build().unwrap_err();
/// assert_eq!(error.to_string(), "poll: is too long to read the store twice in less than `propagation`, 5m 0s");
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
///
/// [`announcement`]: Self::announcement
/// [`afterlife`]: Self::afterlife
/// [`max_age`]: RotationPolicyBuilder::max_age
/// [`token_life`]: RotationPolicyBuilder::token_life
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationPolicy {
    pub(super) interval: Duration,
    pub(super) poll: Duration,
    pub(super) emergency_max_age: Duration,
    pub(super) promise: Promise,
}

impl RotationPolicy {
    /// A policy that starts from the defaults.
    pub fn builder() -> RotationPolicyBuilder {
        RotationPolicyBuilder::new()
    }

    /// The policy of who signs nothing, and so has nothing to promise.
    pub(super) fn of_a_tool(promise: Promise) -> Self {
        Self {
            interval: UNKNOWN,
            promise,
            ..Self::default()
        }
    }

    /// How long a key signs.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// `None` of a tool's.
    pub(super) fn known_interval(&self) -> Option<Duration> {
        Some(self.interval).filter(|interval| *interval != UNKNOWN)
    }

    /// How often the store is read.
    #[must_use]
    pub const fn poll(&self) -> Duration {
        self.poll
    }

    /// How long a verifier may keep the published set.
    #[must_use]
    pub const fn max_age(&self) -> Duration {
        self.promise.max_age
    }

    /// How long a change of the store may take to reach every replica.
    #[must_use]
    pub const fn propagation(&self) -> Duration {
        self.promise.propagation
    }

    /// How much longer than `max_age` a verifier that ignores our header fields keeps the set.
    #[must_use]
    pub const fn grace(&self) -> Duration {
        self.promise.grace
    }

    /// How far apart clocks may be.
    #[must_use]
    pub const fn clock_skew(&self) -> Duration {
        self.promise.clock_skew
    }

    /// The longest life of a token.
    #[must_use]
    pub const fn token_life(&self) -> Duration {
        self.promise.token_life
    }

    /// How long a verifier may keep the set for a while after a key was revoked.
    #[must_use]
    pub const fn emergency_max_age(&self) -> Duration {
        self.emergency_max_age
    }

    /// How long a new key is published before it signs: `propagation` + `max_age` + `grace` + twice `clock_skew`.
    /// 37 minutes by default.
    #[must_use]
    pub fn announcement(&self) -> Duration {
        self.promise.announcement()
    }

    /// How long a key is published after another signs: `propagation` + `token_life` + three times
    /// `clock_skew`. 68 minutes by default.
    #[must_use]
    pub fn afterlife(&self) -> Duration {
        self.promise.afterlife()
    }

    pub(super) const fn promise(&self) -> Promise {
        self.promise
    }
}

impl Default for RotationPolicy {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            interval: minutes(30 * 24 * 60),
            poll: Duration::from_secs(10),
            emergency_max_age: minutes(1),
            promise: Promise {
                max_age: minutes(10),
                propagation: minutes(5),
                grace: minutes(20),
                clock_skew: minutes(1),
                token_life: minutes(60),
            },
        }
    }
}
