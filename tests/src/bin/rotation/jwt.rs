//! What a backend JWT says of itself.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};
use tower_jwks::UnixTime;

use crate::Failure;

/// A backend JWT as a service behind gets it, not verified.
pub(crate) struct Jwt {
    pub(crate) text: String,
    pub(crate) kid: String,
    pub(crate) end: UnixTime,
}

impl Jwt {
    pub(crate) fn read(text: Vec<u8>) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Header {
            kid: String,
        }
        #[derive(Deserialize)]
        struct Claims {
            exp: u64,
        }

        let text = String::from_utf8(text)?;
        let mut parts = text.split('.');
        let header: Header = part(parts.next())?;
        let claims: Claims = part(parts.next())?;
        Ok(Self {
            kid: header.kid,
            end: UnixTime::from_secs(claims.exp),
            text,
        })
    }
}

fn part<T: DeserializeOwned>(text: Option<&str>) -> Result<T, Failure> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.ok_or("no JWT")?)?;
    Ok(serde_json::from_slice(&bytes)?)
}
