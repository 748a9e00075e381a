//! A verified token in, a signed JWT out: one that is there, or a new one.

use super::{
    Application, Claims,
    assertion::Fixed,
    cache::{Caller, Inputs, Key, Slot},
    flight::{Awaited, Flight, lost},
    minted::Minted,
    settings::Settings,
};
use crate::{
    VerifiedToken,
    refusal::{Refusal, RefusalReason},
    trace,
};
use http::HeaderValue;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tower_jwks::{Algorithm, SigningKey, UnixTime};

/// Makes backend JWTs under one policy.
pub(crate) struct Minter {
    pub(super) settings: Settings,
    /// No other minter's, so that several can share a cache, and what this one has made is not handed
    /// out any more when it is gone.
    number: u64,
    /// What every token of this minter claims.
    pub(super) fixed: Fixed,
}

/// What a request is given.
pub(crate) enum Minting {
    /// The value of the field; none for a caller of whom the policy says nothing.
    Done(Option<HeaderValue>),
    /// What is being signed, for this request or for another.
    Signing(Awaited),
}

impl Minter {
    pub(crate) fn new(settings: Settings) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        Self {
            number: MADE.fetch_add(1, Ordering::Relaxed),
            fixed: Fixed::new(&settings),
            settings,
        }
    }

    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A JWT that was made for the same inputs, or a new one.
    pub(crate) fn mint(
        self: &Arc<Self>,
        caller: Caller<'_>,
        application: Option<&Application>,
        claims: &Claims,
    ) -> Result<Minting, Refusal> {
        let Settings { policy, clock, .. } = &self.settings;
        match caller {
            Caller::Token(token) => self.refuse_own(token)?,
            Caller::Without(_) if !policy.minimal_assertion => return Ok(Minting::Done(None)),
            Caller::Without(_) => {}
        }
        // Before the key is asked for: of a process that is held up in between, the token is the older one,
        // and not one of a key that is gone by now.
        let now = clock.now();
        let keys = &self.settings.keys;
        let inputs = Inputs {
            minter: self.number,
            caller,
            application,
            claims,
        };
        let cache = self.settings.cache.as_deref();
        match cache.and_then(|cache| cache.find(&inputs)) {
            Some(Slot::Minted(minted))
                if minted.is_usable(now) && keys.is_signing_key(&minted.key)? =>
            {
                if minted.begin_renewal(now) {
                    self.renew(inputs.key(), &minted);
                }
                Ok(Minting::Done(Some(minted.value.clone())))
            }
            _ => self.begin(&inputs, &keys.signing_key()?, now),
        }
    }

    /// Begins a signature, unless one is under way.
    fn begin(
        self: &Arc<Self>,
        inputs: &Inputs<'_>,
        key: &Arc<SigningKey>,
        now: UnixTime,
    ) -> Result<Minting, Refusal> {
        let place = inputs.key();
        let flight = Flight::new(key);
        if let Some(cache) = &self.settings.cache {
            let will_do = |slot: &Slot| match slot {
                Slot::Signing(flight) => flight.is_of(key),
                Slot::Minted(minted) => minted.is_of(key) && minted.is_usable(now),
            };
            match cache.begin(&place, &flight, will_do) {
                Some(Slot::Signing(other)) => return Ok(Minting::Signing(other.outcome())),
                Some(Slot::Minted(minted)) => {
                    return Ok(Minting::Done(Some(minted.value.clone())));
                }
                None => {}
            }
        }
        let landing = Landing {
            minter: Arc::clone(self),
            place,
            flight,
            outcome: Err(lost()),
        };
        if is_slow(key.algorithm()) {
            let outcome = landing.flight.outcome();
            let job = trace::job_in_this_span(move || landing.land_later());
            let aside = self.settings.signatures.aside(job);
            if let Err(sign_here) = aside {
                sign_here();
            }
            return Ok(Minting::Signing(outcome));
        }
        landing
            .land(key, now)
            .map(|value| Minting::Done(Some(value)))
    }

    /// Has a new one made in the background. If that fails, the next one is made when this one may not be
    /// handed out any more.
    fn renew(self: &Arc<Self>, place: Key, before: &Arc<Minted>) {
        let (minter, old) = (Arc::clone(self), Arc::clone(before));
        let has_time = self.settings.signatures.when_there_is_time(move || {
            if let Ok(minted) = minter.sign_now(&place.inputs())
                && let Some(cache) = &minter.settings.cache
            {
                cache.renew(&place, &old, Arc::new(minted));
            }
        });
        if !has_time {
            before.put_off_renewal();
        }
    }

    /// A new one, on this thread.
    pub(super) fn sign_for(
        &self,
        token: &VerifiedToken,
        application: Option<&Application>,
        claims: &Claims,
    ) -> Result<HeaderValue, Refusal> {
        self.refuse_own(token)?;
        let inputs = Inputs {
            minter: self.number,
            caller: Caller::Token(token),
            application,
            claims,
        };
        self.sign_now(&inputs).map(|minted| minted.value)
    }

    /// Whatever `typ` it has and whoever is trusted: what we signed is not exchanged again.
    fn refuse_own(&self, token: &VerifiedToken) -> Result<(), Refusal> {
        if token.issuer() == self.settings.policy.issuer {
            return Err(Refusal::new(RefusalReason::SelfIssued));
        }
        Ok(())
    }

    /// Some time later than the request: with the time and the key of now, in this order.
    fn sign_now(&self, inputs: &Inputs<'_>) -> Result<Minted, Refusal> {
        let now = self.settings.clock.now();
        let key = self.settings.keys.signing_key()?;
        self.sign(inputs, &key, now)
    }
}

/// Whether a signature takes so long that requests with a JWT at hand should not wait behind it: hundreds of
/// microseconds, where to hand it over takes some tens. The other kinds take 10 to 20.
const fn is_slow(algorithm: Algorithm) -> bool {
    !matches!(algorithm, Algorithm::ES256 | Algorithm::EdDSA)
}

/// A signature that is under way, which ends when this is dropped: with an error if it was never made.
struct Landing {
    minter: Arc<Minter>,
    place: Key,
    flight: Arc<Flight>,
    outcome: Result<Arc<Minted>, Refusal>,
}

impl Landing {
    /// With the key and the time of the request.
    fn land(mut self, key: &Arc<SigningKey>, now: UnixTime) -> Result<HeaderValue, Refusal> {
        self.outcome = self
            .minter
            .sign(&self.place.inputs(), key, now)
            .map(Arc::new);
        self.value()
    }

    /// With those of when it is its turn.
    fn land_later(mut self) {
        // Without a cache nobody else can want it.
        if self.minter.settings.cache.is_none() && self.flight.is_abandoned() {
            return;
        }
        self.outcome = self.minter.sign_now(&self.place.inputs()).map(Arc::new);
    }

    fn value(&self) -> Result<HeaderValue, Refusal> {
        match &self.outcome {
            Ok(minted) => Ok(minted.value.clone()),
            Err(refusal) => Err(refusal.clone()),
        }
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if let Some(cache) = &self.minter.settings.cache {
            let minted = self.outcome.as_ref().ok();
            cache.end(&self.place, &self.flight, minted.map(Arc::clone));
        }
        self.flight.end(&self.value());
    }
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minter")
            .field("keys", &self.settings.keys)
            .field("policy", &self.settings.policy)
            .field("api", &self.settings.api)
            .field("cache", &self.settings.cache)
            .finish_non_exhaustive()
    }
}
