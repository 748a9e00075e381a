//! Where the keys are now: known from the start, or as the issuer's metadata says.

use super::{
    discovery,
    fetch::{Client, Document, FetchError, Fetched, Query, fetch},
    timing::Timing,
    url::Plain,
};
use crate::UnixTime;
use http::{HeaderValue, StatusCode, Uri};
use std::time::Duration;
use tokio::time::timeout;

/// Finds `jwks_uri`.
#[derive(Debug)]
pub(super) enum Locator {
    Known(Uri),
    Discovered(Discovered),
}

impl Locator {
    /// Where the keys are, as far as is known.
    pub(super) fn jwks_uri(&self) -> Option<&Uri> {
        match self {
            Self::Known(uri) => Some(uri),
            Self::Discovered(discovered) => discovered.found.as_ref().map(|found| &found.jwks_uri),
        }
    }

    /// The keys were not where they should be: the metadata is asked again next time.
    pub(super) fn doubt(&mut self) {
        if let Self::Discovered(Discovered {
            found: Some(found), ..
        }) = self
        {
            found.fresh_until = UnixTime::from_secs(0);
        }
    }

    /// Where the keys are, asking the issuer if it is not known or has been known for too long.
    pub(super) async fn locate(
        &mut self,
        client: &dyn Client,
        timing: &Timing,
        now: UnixTime,
    ) -> Result<Uri, FetchError> {
        match self {
            Self::Known(uri) => Ok(uri.clone()),
            Self::Discovered(discovered) => discovered.locate(client, timing, now).await,
        }
    }
}

#[derive(Debug)]
pub(super) struct Discovered {
    issuer: String,
    /// Where the document may be, the place first where it was found before.
    places: Vec<Uri>,
    plain: Plain,
    found: Option<Found>,
}

/// What the document said.
#[derive(Clone, Debug)]
struct Found {
    jwks_uri: Uri,
    etag: Option<HeaderValue>,
    lifetime: Option<Duration>,
    fresh_until: UnixTime,
}

/// Why a place did not tell where the keys are.
enum Miss {
    /// There is no such document there.
    NotHere(FetchError),
    /// There is a document, but not of this issuer.
    Wrong(FetchError),
    /// Nothing was answered that says anything.
    NoAnswer(FetchError),
}

impl Discovered {
    pub(super) const fn new(issuer: String, places: Vec<Uri>, plain: Plain) -> Self {
        Self {
            issuer,
            places,
            plain,
            found: None,
        }
    }

    async fn locate(
        &mut self,
        client: &dyn Client,
        timing: &Timing,
        now: UnixTime,
    ) -> Result<Uri, FetchError> {
        if let Some(found) = &self.found
            && now < found.fresh_until
        {
            return Ok(found.jwks_uri.clone());
        }
        // A share of the time, so that metadata that hangs leaves some for the keys.
        let share = timing.time_limit / 2;
        let miss = match timeout(share, self.ask_all(client, timing, now)).await {
            Ok(Ok(uri)) => return Ok(uri),
            Ok(Err(miss)) => miss,
            Err(_) => Miss::NoAnswer(FetchError::new(format!(
                "{}: was not there after {share:?}",
                self.places[0]
            ))),
        };
        match (miss, &self.found) {
            // The issuer has not said that its keys have moved: they may be well where they were.
            (Miss::NoAnswer(_) | Miss::NotHere(_), Some(found)) => Ok(found.jwks_uri.clone()),
            // Somebody else speaks at its place, or it does not make sense any more.
            (Miss::Wrong(error), _) | (Miss::NoAnswer(error) | Miss::NotHere(error), None) => {
                Err(error)
            }
        }
    }

    async fn ask_all(
        &mut self,
        client: &dyn Client,
        timing: &Timing,
        now: UnixTime,
    ) -> Result<Uri, Miss> {
        let mut first: Option<Miss> = None;
        for place in 0..self.places.len() {
            match self.ask(place, client, timing, now).await {
                Ok(uri) => {
                    self.places[..=place].rotate_right(1);
                    return Ok(uri);
                }
                // The other places are on the same host.
                Err(miss @ Miss::NoAnswer(_)) => return Err(miss),
                // What is wrong with a document says more than that there is none elsewhere.
                Err(miss @ Miss::Wrong(_)) => match first {
                    Some(Miss::Wrong(_)) => {}
                    _ => first = Some(miss),
                },
                Err(miss @ Miss::NotHere(_)) => {
                    first.get_or_insert(miss);
                }
            }
        }
        Err(first.unwrap_or_else(|| {
            Miss::NotHere(FetchError::new("there is no place to look for metadata"))
        }))
    }

    async fn ask(
        &mut self,
        place: usize,
        client: &dyn Client,
        timing: &Timing,
        now: UnixTime,
    ) -> Result<Uri, Miss> {
        let uri = self.places[place].clone();
        let at_place = |error: FetchError| error.at(&uri);
        let query = Query {
            uri: uri.clone(),
            media_types: &["application/json"],
            past_caches: false,
        };
        let known = match &self.found {
            // The tag of another place says nothing about this one.
            Some(found) if place == 0 => found.etag.clone().map(|etag| (etag, found.clone())),
            _ => None,
        };
        let mut found = match fetch(client, query, known).await {
            Ok(Fetched::NotModified(found, lifetime)) => Found {
                lifetime: lifetime.or(found.lifetime),
                ..found
            },
            Ok(Fetched::New(document)) => self
                .read(document)
                .map_err(|error| Miss::Wrong(at_place(error)))?,
            Err(error) => {
                return Err(match error.status {
                    Some(status) if is_final(status) => Miss::NotHere(at_place(error)),
                    _ => Miss::NoAnswer(at_place(error)),
                });
            }
        };
        found.fresh_until = now.saturating_add(timing.fresh_for(found.lifetime));
        let jwks_uri = found.jwks_uri.clone();
        self.found = Some(found);
        Ok(jwks_uri)
    }

    fn read(&self, document: Document) -> Result<Found, FetchError> {
        let jwks_uri = discovery::jwks_uri(&self.issuer, &document.bytes, self.plain)
            .map_err(|error| FetchError::new(error.to_string()))?;
        Ok(Found {
            jwks_uri,
            etag: document.etag,
            lifetime: document.lifetime,
            fresh_until: UnixTime::from_secs(0),
        })
    }
}

/// Whether a status says that nothing is there, and not that it could not be told.
fn is_final(status: StatusCode) -> bool {
    !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS
}
