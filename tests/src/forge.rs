//! Tokens good and bad: any header, any claims, any signature.

use crate::time::{NOW, clock};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tower_backend_jwt::{Issuer, IssuerBuilder, Verifier};
use tower_jwks::{JwkSet, SigningKey};

/// Who issues the tokens.
pub const ISSUER: &str = "https://idp.example.com";
/// Whom they are for.
pub const AUDIENCE: &str = "orders";

/// A good token of the key: [`ISSUER`]'s, for [`AUDIENCE`], valid for ten minutes from [`NOW`].
#[must_use]
pub fn token(key: &SigningKey) -> String {
    Token::of(key).sign()
}

/// The issuer of [`token`], with the one key.
#[must_use]
pub fn issuer(key: &SigningKey) -> Issuer {
    issuer_builder(key).build().expect("an issuer with a key")
}

/// As [`issuer`], to be changed.
pub fn issuer_builder(key: &SigningKey) -> IssuerBuilder {
    let keys = JwkSet::new([key.into()]).expect("a set of one key");
    Issuer::from_jwks(ISSUER, keys).audience(AUDIENCE)
}

/// Verifies [`token`], at [`NOW`].
#[must_use]
pub fn verifier(key: &SigningKey) -> Verifier {
    verifier_of(issuer(key))
}

/// Verifies the tokens of one issuer, at [`NOW`].
#[must_use]
pub fn verifier_of(issuer: Issuer) -> Verifier {
    let builder = Verifier::builder().issuer(issuer).clock(clock());
    builder.build().expect("a verifier with an issuer")
}

/// A token to be: a good one, until it is changed.
#[derive(Clone, Debug)]
#[must_use]
pub struct Token<'k> {
    key: &'k SigningKey,
    header: Part,
    claims: Part,
}

#[derive(Clone, Debug)]
enum Part {
    Members(Map<String, Value>),
    Bytes(Vec<u8>),
}

impl<'k> Token<'k> {
    /// A good token of this key.
    pub fn of(key: &'k SigningKey) -> Self {
        Self {
            key,
            header: Part::new(header(key)),
            claims: Part::new(claims()),
        }
    }

    /// Sets a member of the header.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.set(name, value.into());
        self
    }

    /// Takes a member out of the header.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.members().remove(name);
        self
    }

    /// Has this header, JSON or not.
    pub fn header_text(mut self, text: impl AsRef<[u8]>) -> Self {
        self.header = Part::Bytes(text.as_ref().to_vec());
        self
    }

    /// Sets a claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.set(name, value.into());
        self
    }

    /// Takes a claim out.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.members().remove(name);
        self
    }

    /// Has these claims, JSON or not.
    pub fn claims_text(mut self, text: impl AsRef<[u8]>) -> Self {
        self.claims = Part::Bytes(text.as_ref().to_vec());
        self
    }

    /// The token, signed.
    #[must_use]
    pub fn sign(self) -> String {
        sign(self.key, self.header.into_bytes(), self.claims.into_bytes())
    }
}

impl Part {
    fn new(value: Value) -> Self {
        match value {
            Value::Object(members) => Self::Members(members),
            other => Self::Bytes(other.to_string().into()),
        }
    }

    fn members(&mut self) -> &mut Map<String, Value> {
        match self {
            Self::Members(members) => members,
            Self::Bytes(_) => panic!("a text has no members to change"),
        }
    }

    fn set(&mut self, name: &str, value: Value) {
        self.members().insert(name.to_owned(), value);
    }

    fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Members(members) => Value::Object(members).to_string().into(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// The header of a good token.
#[must_use]
pub fn header(key: &SigningKey) -> Value {
    json!({ "alg": key.algorithm(), "typ": "at+jwt", "kid": key.kid() })
}

/// The claims of a good token.
#[must_use]
pub fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "alice",
        "aud": AUDIENCE,
        "iat": NOW.as_secs(),
        "exp": NOW.saturating_add(Duration::from_secs(600)).as_secs(),
        "jti": "6b0f1f0c",
        "client_id": "shop",
        "scope": "orders:read orders:write",
    })
}

/// Signs this header and these claims, JSON or not.
///
/// # Panics
///
/// The key does not sign.
#[must_use]
pub fn sign(key: &SigningKey, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(message.as_bytes()).expect("the key signs");
    format!("{message}.{}", encode(signature))
}

/// Puts the parts of a token together as they are.
#[must_use]
pub fn compact(
    header: impl AsRef<[u8]>,
    claims: impl AsRef<[u8]>,
    signature: impl AsRef<[u8]>,
) -> String {
    let [header, claims, signature] = [encode(header), encode(claims), encode(signature)];
    format!("{header}.{claims}.{signature}")
}

/// The header of a token.
///
/// # Panics
///
/// It has none.
#[must_use]
pub fn header_of(token: &str) -> Value {
    part(token, 0)
}

/// The claims of a token.
///
/// # Panics
///
/// It has none.
#[must_use]
pub fn claims_of(token: &str) -> Value {
    part(token, 1)
}

fn part(token: &str, position: usize) -> Value {
    let part = token.split('.').nth(position).expect("a part");
    serde_json::from_slice(&decode(part)).expect("JSON")
}

/// Base64url without padding.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// What was base64url without padding.
///
/// # Panics
///
/// It was not.
#[must_use]
pub fn decode(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
}
