//! The settings of keys that are fetched.

use super::{
    Handle, RemoteJwks,
    budget::Budget,
    discovery,
    fetch::{AnyClient, BoxError, Client},
    last_good::LastGood,
    locate::{Discovered, Locator},
    state::{Settings, State},
    task::Fetcher,
    timing::Timing,
    url::{self, Plain},
};
use crate::{Algorithm, BytesBody, Clock, ConfigError, SystemClock};
use http::{Request, Response};
use http_body::Body;
use std::{fmt, ops::RangeInclusive, path::PathBuf, sync::Arc, time::Duration};
use tower_service::Service;

/// Where the keys are.
pub(super) enum Location {
    Discovered,
    Known(String),
}

/// Builds a [`RemoteJwks`].
#[must_use]
pub struct RemoteJwksBuilder {
    issuer: String,
    location: Location,
    algorithms: Vec<Algorithm>,
    client: Option<Arc<dyn Client>>,
    timing: Timing,
    budget: (u32, Duration),
    wait: Wait,
    empty_revokes: bool,
    last_good: Option<PathBuf>,
    plain: Plain,
    clock: Arc<dyn Clock>,
}

/// A request that waits is a connection that is open.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How requests may wait for a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) time: Duration,
    pub(super) requests: usize,
}

impl RemoteJwksBuilder {
    pub(super) fn new(issuer: String, location: Location) -> Self {
        Self {
            issuer,
            location,
            algorithms: Algorithm::ALL.to_vec(),
            client: None,
            timing: Timing::default(),
            budget: (4, Duration::from_secs(5)),
            wait: Wait {
                time: Duration::from_secs(3),
                requests: 256,
            },
            empty_revokes: false,
            last_good: None,
            plain: Plain::Loopback,
            clock: Arc::new(SystemClock),
        }
    }

    /// The name of the issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Prepares the keys for these algorithms only. Default: all there are; a key is still used only
    /// for those that fit it.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Fetches through this tower service. Default: an [`HttpClient`](crate::HttpClient) of its own,
    /// with the feature `client`; one that several share saves reading the system's certificate
    /// authorities for each.
    ///
    /// It is sent `GET` requests with an absolute URI and an empty body. Its responses are checked
    /// here: status, media type, size and time. It must follow no redirect.
    pub fn client<S, B>(mut self, client: S) -> Self
    where
        S: Service<Request<BytesBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        self.client = Some(Arc::new(AnyClient(client)));
        self
    }

    /// Bounds of the lifetime that the provider gives its keys, within one second and seven days.
    /// Default: 60 seconds to 24 hours.
    pub const fn lifetime(mut self, bounds: RangeInclusive<Duration>) -> Self {
        self.timing.lifetime = bounds;
        self
    }

    /// The lifetime of keys whose provider gives them none, brought within the bounds of
    /// [`lifetime`](Self::lifetime). Default: 10 minutes.
    pub const fn default_lifetime(mut self, lifetime: Duration) -> Self {
        self.timing.default_lifetime = lifetime;
        self
    }

    /// How long keys are trusted beyond their lifetime when they cannot be fetched (the
    /// `stale-if-error` of RFC 5861, but ours to say). Default: 24 hours, at most 30 days.
    ///
    /// A key that the provider has withdrawn is trusted that much longer while it cannot be reached.
    pub const fn stale_if_error(mut self, duration: Duration) -> Self {
        self.timing.stale_if_error = duration;
        self
    }

    /// The longest time a fetch may take, from discovery to the last byte, of which discovery may take
    /// half; a minute at most. Default: 5 seconds.
    pub const fn time_limit(mut self, limit: Duration) -> Self {
        self.timing.time_limit = limit;
        self
    }

    /// How many fetches tokens with an unknown `kid` may cause: `burst` of them one after the other,
    /// one at least, and one more each `interval`, in whole seconds, one at least. Default: 4, and one
    /// each 5 seconds.
    ///
    /// Under a flood of forged tokens the provider sees one request an interval, and a new key is
    /// accepted within one.
    pub const fn unknown_kid_budget(mut self, burst: u32, interval: Duration) -> Self {
        self.budget = (burst, interval);
        self
    }

    /// How long a request waits for the fetch that may bring its token's key, and how many may wait
    /// at a time; the others are refused at once. A minute at most. Default: 3 seconds, 256 requests.
    pub const fn unknown_kid_wait(mut self, time: Duration, requests: usize) -> Self {
        self.wait = Wait { time, requests };
        self
    }

    /// Takes a set without a usable key at its word: all keys are revoked. Default: such a set is an
    /// outage, and the keys at hand are kept.
    pub const fn revoke_on_empty_set(mut self) -> Self {
        self.empty_revokes = true;
        self
    }

    /// Keeps a copy of the keys in this file, and starts with it: a program whose provider is down
    /// starts all the same. The copy is trusted no longer than the keys would have been.
    ///
    /// Whoever can write the file decides whom this program trusts: keep it where only the program
    /// writes. One file is for one issuer; a file that is something else is left alone.
    pub fn last_good_copy(mut self, file: impl Into<PathBuf>) -> Self {
        self.last_good = Some(file.into());
        self
    }

    /// Fetches over `http` too. Whoever is on the way can then put in keys of their own, and be
    /// anybody. Default: only from loopback addresses, for tests and demos.
    pub const fn dangerous_allow_http(mut self) -> Self {
        self.plain = Plain::Anybody;
        self
    }

    /// Takes the time from here. Default: [`SystemClock`]. Pauses are those of tokio's timer.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The keys, which from now on are fetched in the background.
    ///
    /// # Errors
    ///
    /// A URL is not `https`, a setting is out of bounds, there is no client, or no tokio runtime to
    /// run the task.
    pub fn build(self) -> Result<RemoteJwks, ConfigError> {
        self.timing.check()?;
        if self.issuer.is_empty() {
            return Err(ConfigError::new("issuer", "has no name"));
        }
        if self.algorithms.is_empty() {
            return Err(ConfigError::new("algorithms", "are none"));
        }
        let locator = match &self.location {
            Location::Known(uri) => Locator::Known(url::parse("jwks_uri", uri, self.plain)?),
            Location::Discovered => {
                let places = discovery::places(&self.issuer, self.plain)?;
                let discovered = Discovered::new(self.issuer.clone(), places, self.plain);
                Locator::Discovered(discovered)
            }
        };
        if self.wait.time > LONGEST_WAIT {
            return Err(ConfigError::new(
                "unknown_kid_wait",
                "is for more than a minute",
            ));
        }
        let (burst, interval) = self.budget;
        let budget = Budget::new(burst, interval, self.clock.now())?;
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| {
            ConfigError::new(
                "runtime",
                "is missing: keys are fetched by a task of a tokio runtime, so build this in one",
            )
        })?;
        let client = match self.client {
            Some(client) => client,
            None => default_client()?,
        };
        let known = match &self.location {
            Location::Known(uri) => Some(uri.clone()),
            Location::Discovered => None,
        };
        let last_good = self
            .last_good
            .map(|file| LastGood::new(file, self.issuer.clone(), known));
        let settings = Settings {
            issuer: self.issuer,
            algorithms: self.algorithms,
            timing: self.timing,
            empty_revokes: self.empty_revokes,
            wait: self.wait,
            clock: self.clock,
        };
        let jwks_uri = locator.jwks_uri().cloned();
        let state = Arc::new(State::new(settings, budget, jwks_uri));
        let fetcher = Fetcher {
            state: Arc::clone(&state),
            locator,
            client,
            last_good,
            writing: None,
        };
        let task = runtime.spawn(fetcher.run()).abort_handle();
        Ok(RemoteJwks(Arc::new(Handle { state, task })))
    }
}

#[cfg(feature = "client")]
fn default_client() -> Result<Arc<dyn Client>, ConfigError> {
    Ok(Arc::new(AnyClient(super::HttpClient::new()?)))
}

#[cfg(not(feature = "client"))]
fn default_client() -> Result<Arc<dyn Client>, ConfigError> {
    Err(ConfigError::new(
        "client",
        "is missing: name one, or enable the feature `client`",
    ))
}

impl fmt::Debug for RemoteJwksBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteJwksBuilder")
            .field("issuer", &self.issuer)
            .field("algorithms", &self.algorithms)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}
