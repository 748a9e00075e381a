//! The task that fetches: one for each issuer, so that there is never more than one fetch at a time,
//! and apart from all requests, so that a caller who hangs up stops nothing.

use super::{
    events,
    fetch::{Client, FetchError, Fetched, Query, fetch},
    last_good::{Copy, LastGood},
    locate::Locator,
    state::{State, Trusted},
    timing::{refresh_after, retry_after},
};
use crate::{JwkSet, KeySet, UnixTime};
use http::HeaderValue;
use std::{
    collections::hash_map::RandomState,
    future::{Future, poll_fn},
    hash::BuildHasher,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{task::spawn_blocking, time::timeout};

const MEDIA_TYPES: &[&str] = &["application/jwk-set+json", "application/json"];

/// The longest sleep, so that a machine that was suspended, whose timers stood still, does not go on
/// sleeping for hours.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

pub(super) async fn run(
    state: Arc<State>,
    mut locator: Locator,
    client: Arc<dyn Client>,
    last_good: Option<LastGood>,
) {
    if let Some(last_good) = &last_good {
        start_with(&state, last_good).await;
    }
    loop {
        let wanted = state.begin();
        let asked = Asked {
            past_caches: wanted,
            now: state.settings.clock.now(),
        };
        let attempt = attempt(&state, &mut locator, &*client, asked);
        let outcome = match timeout(state.settings.timing.time_limit, without_panic(attempt)).await
        {
            Ok(outcome) => outcome,
            Err(_) => Err(FetchError::new(format!(
                "was not there after {:?}",
                state.settings.timing.time_limit
            ))),
        };
        let next = match outcome {
            Ok(success) => succeed(&state, &locator, success, last_good.as_ref()).await,
            Err(error) => {
                locator.doubt();
                fail(&state, &locator, error)
            }
        };
        let due = state.settings.clock.now().saturating_add(next);
        let mut left = next;
        while !left.is_zero() {
            let nap = left.min(LONGEST_SLEEP);
            if timeout(nap, state.wanted()).await.is_ok() || due <= state.settings.clock.now() {
                break;
            }
            left = left.saturating_sub(nap);
        }
    }
}

struct Asked {
    past_caches: bool,
    now: UnixTime,
}

/// What a fetch brought.
struct Success {
    trusted: Trusted,
    changed: bool,
    fresh_for: Duration,
}

async fn attempt(
    state: &State,
    locator: &mut Locator,
    client: &dyn Client,
    asked: Asked,
) -> Result<Success, FetchError> {
    let uri = locator
        .locate(client, &state.settings.timing, asked.now)
        .await?;
    let at_uri = |error: FetchError| FetchError {
        message: format!("{uri}: {}", error.message),
        ..error
    };
    let before = state.trusted();
    let query = Query {
        uri: uri.clone(),
        etag: before.as_ref().and_then(|before| before.etag.clone()),
        media_types: MEDIA_TYPES,
        past_caches: asked.past_caches,
    };
    let fetched = fetch(client, query).await.map_err(at_uri)?;
    read(state, fetched, before.as_deref()).map_err(at_uri)
}

/// Makes keys to be trusted of what was fetched.
fn read(state: &State, fetched: Fetched, before: Option<&Trusted>) -> Result<Success, FetchError> {
    let now = state.settings.clock.now();
    let until = |fresh_for: Duration| {
        now.saturating_add(fresh_for)
            .saturating_add(state.settings.timing.stale_if_error)
    };
    let document = match (fetched, before) {
        (Fetched::New(document), _) => document,
        (Fetched::NotModified { lifetime }, Some(before)) => {
            let fresh_for = state.settings.timing.fresh_for(lifetime);
            return Ok(Success {
                trusted: Trusted {
                    keys: Arc::clone(&before.keys),
                    set: before.set.clone(),
                    etag: before.etag.clone(),
                    fetched_at: now,
                    usable_until: until(fresh_for),
                    copied: false,
                },
                changed: false,
                fresh_for,
            });
        }
        (Fetched::NotModified { .. }, None) => {
            return Err(FetchError::new("answered 304, and nothing is there"));
        }
    };
    let fresh_for = state.settings.timing.fresh_for(document.lifetime);
    let trusted = trusted(state, &document.bytes, document.etag, now, until(fresh_for))?;
    // The same keys stay the same objects, and with them whatever was concluded from them.
    match before {
        Some(before) if before.set.json() == trusted.set.json() => Ok(Success {
            trusted: Trusted {
                keys: Arc::clone(&before.keys),
                ..trusted
            },
            changed: false,
            fresh_for,
        }),
        _ => Ok(Success {
            trusted,
            changed: true,
            fresh_for,
        }),
    }
}

fn trusted(
    state: &State,
    json: &[u8],
    etag: Option<HeaderValue>,
    fetched_at: UnixTime,
    usable_until: UnixTime,
) -> Result<Trusted, FetchError> {
    let set = JwkSet::parse(json).map_err(|error| FetchError::new(error.to_string()))?;
    let keys = KeySet::new(&set, &state.settings.algorithms);
    if keys.is_empty() && !state.settings.empty_revokes {
        let mut message = "has no usable key".to_owned();
        for key in keys.left_out().iter().take(3) {
            message.push_str(&format!("; {key}"));
        }
        return Err(FetchError::new(message));
    }
    Ok(Trusted {
        keys: Arc::new(keys),
        set,
        etag,
        fetched_at,
        usable_until,
        copied: false,
    })
}

async fn succeed(
    state: &State,
    locator: &Locator,
    success: Success,
    last_good: Option<&LastGood>,
) -> Duration {
    let Success {
        trusted,
        changed,
        fresh_for,
    } = success;
    let copy = last_good.map(|last_good| {
        let copy = Copy {
            json: trusted.set.json().into(),
            fetched_at: trusted.fetched_at,
            usable_until: trusted.usable_until,
        };
        (last_good.clone(), copy)
    });
    let next = refresh_after(fresh_for, random());
    let keys = Arc::clone(&trusted.keys);
    state.trust(trusted);
    state.succeeded(locator.jwks_uri().cloned(), next);
    // Told when it is so: who reads it may act on it.
    if changed {
        tell(state, &keys);
    }
    events::fetched(&state.settings.issuer, changed, next);
    if let Some((last_good, copy)) = copy {
        let written = spawn_blocking(move || last_good.write(&copy)).await;
        if let Ok(Err(error)) = written {
            events::copy_failed(&state.settings.issuer, &error);
        }
    }
    next
}

fn fail(state: &State, locator: &Locator, error: FetchError) -> Duration {
    let failures = state.failures();
    let has_keys = state.keys().is_ok();
    let next = retry_after(failures, has_keys, error.retry_after, random());
    let issuer = &state.settings.issuer;
    events::failed(issuer, &error.message, failures, next, has_keys);
    state.failed(error.message, locator.jwks_uri().cloned(), next);
    next
}

fn tell(state: &State, keys: &KeySet) {
    let kids: Vec<&str> = keys.iter().filter_map(|key| key.kid()).collect();
    events::changed(&state.settings.issuer, &kids);
    for key in keys.left_out() {
        events::left_out(&state.settings.issuer, key);
    }
}

/// Trusts the copy on disk until a fetch succeeds, if the keys could still be trusted had they been
/// kept in memory.
async fn start_with(state: &State, last_good: &LastGood) {
    let file = last_good.clone();
    let copy = match spawn_blocking(move || file.read()).await {
        Ok(Ok(Some(copy))) => copy,
        Ok(Ok(None)) | Err(_) => return,
        Ok(Err(error)) => return events::copy_failed(&state.settings.issuer, &error),
    };
    let now = state.settings.clock.now();
    // By the settings of today, and not for longer than those of the day it was made.
    let longest = *state.settings.timing.lifetime.end() + state.settings.timing.stale_if_error;
    let usable_until = copy
        .usable_until
        .min(copy.fetched_at.saturating_add(longest));
    if copy.fetched_at > now || usable_until <= now {
        return events::copy_failed(&state.settings.issuer, "it is of another time");
    }
    // Without an ETag, so that the first fetch brings the whole set.
    match trusted(state, &copy.json, None, copy.fetched_at, usable_until) {
        Ok(trusted) => {
            events::copy_read(
                &state.settings.issuer,
                now.saturating_since(copy.fetched_at),
            );
            let keys = Arc::clone(&trusted.keys);
            state.trust(Trusted {
                copied: true,
                ..trusted
            });
            state.tell();
            tell(state, &keys);
        }
        Err(error) => events::copy_failed(&state.settings.issuer, &error.message),
    }
}

/// A client of someone else that panics is a fetch that fails, not the end of all fetching.
async fn without_panic<T>(
    future: impl Future<Output = Result<T, FetchError>>,
) -> Result<T, FetchError> {
    let mut future = pin!(future);
    poll_fn(move |cx| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)))
            .unwrap_or_else(|_| Err(FetchError::new("the HTTP client panicked")).into())
    })
    .await
}

/// From 0 to 1. Nothing secret depends on it.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(()) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}
