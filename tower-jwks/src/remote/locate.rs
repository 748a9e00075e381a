//! Where the keys are now: known from the start, or as the issuer's metadata says.

use super::{
    discovery,
    fetch::{Client, FetchError, Fetched, Query, fetch},
    timing::Timing,
    url::Plain,
};
use crate::UnixTime;
use http::{HeaderValue, StatusCode, Uri};

/// Finds `jwks_uri`.
#[derive(Debug)]
pub(super) enum Locator {
    Known(Uri),
    Discovered(Discovered),
}

#[derive(Debug)]
pub(super) struct Discovered {
    issuer: String,
    /// Where the document may be, the place first where it was found before.
    places: Vec<Uri>,
    plain: Plain,
    found: Option<Found>,
}

#[derive(Debug)]
struct Found {
    jwks_uri: Uri,
    etag: Option<HeaderValue>,
    fresh_until: UnixTime,
}

impl Locator {
    pub(super) const fn known(uri: Uri) -> Self {
        Self::Known(uri)
    }

    pub(super) fn discovered(issuer: &str, places: Vec<Uri>, plain: Plain) -> Self {
        Self::Discovered(Discovered {
            issuer: issuer.to_owned(),
            places,
            plain,
            found: None,
        })
    }

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
        // What was wrong with a document says more than that there is none somewhere else.
        let (mut wrong, mut not_here) = (None, None);
        for place in 0..self.places.len() {
            match self.ask(place, client, timing, now).await {
                Ok(uri) => {
                    self.places[..=place].rotate_right(1);
                    return Ok(uri);
                }
                Err(Miss::Wrong(error)) => wrong = wrong.or(Some(error)),
                Err(Miss::NotHere(error)) => not_here = not_here.or(Some(error)),
                // The other places are on the same host. The keys may be on another.
                Err(Miss::NoAnswer(error)) => {
                    return match &self.found {
                        Some(found) => Ok(found.jwks_uri.clone()),
                        None => Err(error),
                    };
                }
            }
        }
        Err(wrong
            .or(not_here)
            .unwrap_or_else(|| FetchError::new("there is no place to look for metadata")))
    }

    async fn ask(
        &mut self,
        place: usize,
        client: &dyn Client,
        timing: &Timing,
        now: UnixTime,
    ) -> Result<Uri, Miss> {
        let uri = self.places[place].clone();
        let at_place = |error: FetchError| FetchError {
            message: format!("{uri}: {}", error.message),
            ..error
        };
        let query = Query {
            uri: uri.clone(),
            // That of another place says nothing about this one.
            etag: self
                .found
                .as_ref()
                .filter(|_| place == 0)
                .and_then(|found| found.etag.clone()),
            media_types: &["application/json"],
            past_caches: false,
        };
        let fetched = fetch(client, query)
            .await
            .map_err(|error| match error.status {
                Some(status)
                    if !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS =>
                {
                    Miss::NotHere(at_place(error))
                }
                _ => Miss::NoAnswer(at_place(error)),
            })?;
        let found = match (fetched, self.found.take()) {
            (Fetched::NotModified { lifetime }, Some(found)) => Found {
                fresh_until: now.saturating_add(timing.fresh_for(lifetime)),
                ..found
            },
            (Fetched::NotModified { .. }, None) => {
                let error = FetchError::new("answered 304, and nothing is there");
                return Err(Miss::NoAnswer(at_place(error)));
            }
            (Fetched::New(document), before) => {
                let read = discovery::jwks_uri(&self.issuer, &document.bytes, self.plain);
                match read {
                    Ok(jwks_uri) => Found {
                        jwks_uri,
                        etag: document.etag,
                        fresh_until: now.saturating_add(timing.fresh_for(document.lifetime)),
                    },
                    Err(error) => {
                        self.found = before;
                        return Err(Miss::Wrong(at_place(FetchError::new(error.to_string()))));
                    }
                }
            }
        };
        let jwks_uri = found.jwks_uri.clone();
        self.found = Some(found);
        Ok(jwks_uri)
    }
}
