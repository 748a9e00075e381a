//! One public key as a JWK (RFC 7517).

use crate::{
    Algorithm, ConfigError, SigningKey, VerifyingKey, algorithm::KeyType, material::PublicMaterial,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, Serializer, de::IgnoredAny, ser::SerializeMap};
use serde_json::value::RawValue;
use std::{collections::HashMap, fmt};

/// The longest `kid` that is used: 256 bytes.
pub(crate) const MAX_KID_BYTES: usize = 256;

/// A public signature key as a JSON Web Key (RFC 7517).
///
/// The type has no place for a private member: what it serializes to can always be published. A
/// JWK that carries one is refused when it is read.
///
/// ```
/// use tower_jwks::Jwk;
///
/// let jwk = Jwk::parse(r#"{"kty":"OKP","crv":"Ed25519","alg":"EdDSA",
///     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)?;
/// assert_eq!(jwk.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
///
/// let private = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
///     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// assert_eq!(Jwk::parse(private).unwrap_err().field(), "d");
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Jwk {
    kid: Option<Box<str>>,
    algorithm: Option<Algorithm>,
    material: PublicMaterial,
}

impl Jwk {
    /// Reads a JWK.
    ///
    /// # Errors
    ///
    /// Names the member that is missing, malformed, not for signatures (`use`, `key_ops`), private,
    /// or of a key too weak to trust.
    pub fn parse(json: &str) -> Result<Self, ConfigError> {
        if let Some(name) = private_member(json) {
            return Err(ConfigError::new(
                name,
                "is private and must not be published",
            ));
        }
        let document: Document = serde_json::from_str(json).map_err(|error| not_a_jwk(&error))?;
        document.try_into()
    }

    pub(crate) const fn new(material: PublicMaterial, algorithm: Algorithm) -> Self {
        Self {
            kid: None,
            algorithm: Some(algorithm),
            material,
        }
    }

    pub(crate) fn set_kid(&mut self, kid: String) -> Result<(), ConfigError> {
        self.kid = Some(checked_kid(kid)?);
        Ok(())
    }

    /// Its key id.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithm it is bound to, where it says so.
    #[must_use]
    pub const fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// Its `kty`: `RSA`, `EC` or `OKP`.
    #[must_use]
    pub const fn key_type(&self) -> &'static str {
        match self.material.key_type() {
            KeyType::Rsa => "RSA",
            KeyType::P256 | KeyType::P384 => "EC",
            KeyType::Ed25519 => "OKP",
        }
    }

    /// The SHA-256 thumbprint of RFC 7638, base64url: the default `kid` of a signing key.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.material.thumbprint()
    }

    pub(crate) const fn material(&self) -> &PublicMaterial {
        &self.material
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("use", "sig")?;
        if let Some(algorithm) = self.algorithm {
            map.serialize_entry("alg", &algorithm)?;
        }
        if let Some(kid) = &self.kid {
            map.serialize_entry("kid", kid)?;
        }
        for (name, value) in self.material.members() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

/// The JWK as JSON.
impl fmt::Display for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk")
            .field("kty", &self.key_type())
            .field("kid", &self.kid)
            .field("alg", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl From<&SigningKey> for Jwk {
    fn from(key: &SigningKey) -> Self {
        key.jwk().clone()
    }
}

impl From<&VerifyingKey> for Jwk {
    fn from(key: &VerifyingKey) -> Self {
        key.jwk().clone()
    }
}

/// A `kid` that fits in a header, a log and a JWK.
pub(crate) fn checked_kid(kid: String) -> Result<Box<str>, ConfigError> {
    let message = if kid.is_empty() {
        "is empty"
    } else if kid.len() > MAX_KID_BYTES {
        "is over 256 bytes"
    } else if kid.chars().any(char::is_control) {
        "has a control character"
    } else {
        return Ok(kid.into());
    };
    Err(ConfigError::new("kid", message))
}

/// A JWK as others write it. Members not listed are ignored, as RFC 7517 section 4 says.
#[derive(Deserialize)]
struct Document {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The members of private and of symmetric keys (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The private member of a JWK, whatever else is wrong with it. Its value is not read.
fn private_member(json: &str) -> Option<&'static str> {
    let members: HashMap<String, IgnoredAny> = serde_json::from_str(json).ok()?;
    PRIVATE.into_iter().find(|name| members.contains_key(*name))
}

/// What can be said of a JWK that is not used.
pub(crate) struct Outline {
    pub(crate) kid: Option<String>,
    pub(crate) private: bool,
}

impl Outline {
    pub(crate) fn of(json: &str) -> Self {
        let members: HashMap<String, &RawValue> = serde_json::from_str(json).unwrap_or_default();
        Self {
            kid: members
                .get("kid")
                .and_then(|kid| serde_json::from_str(kid.get()).ok()),
            private: private_member(json).is_some(),
        }
    }
}

impl Document {
    fn material(&self) -> Result<PublicMaterial, ConfigError> {
        let key = |material: Result<_, &'static str>| {
            material.map_err(|message| ConfigError::new("kty", message))
        };
        match self.kty.as_str() {
            "RSA" => key(PublicMaterial::rsa(
                &number("n", self.n.as_deref())?,
                &number("e", self.e.as_deref())?,
            )),
            "EC" => {
                let curve = match self.crv.as_deref() {
                    Some("P-256") => KeyType::P256,
                    Some("P-384") => KeyType::P384,
                    _ => return Err(ConfigError::new("crv", "is not P-256 or P-384")),
                };
                key(PublicMaterial::ec(
                    curve,
                    &number("x", self.x.as_deref())?,
                    &number("y", self.y.as_deref())?,
                ))
            }
            "OKP" => {
                if self.crv.as_deref() != Some("Ed25519") {
                    return Err(ConfigError::new("crv", "is not Ed25519"));
                }
                key(PublicMaterial::ed25519(&number("x", self.x.as_deref())?))
            }
            _ => Err(ConfigError::new("kty", "is not RSA, EC or OKP")),
        }
    }
}

impl TryFrom<Document> for Jwk {
    type Error = ConfigError;

    fn try_from(document: Document) -> Result<Self, ConfigError> {
        if document
            .usage
            .as_deref()
            .is_some_and(|usage| usage != "sig")
        {
            return Err(ConfigError::new("use", "is not sig"));
        }
        if let Some(operations) = &document.key_ops
            && !operations.iter().any(|operation| operation == "verify")
        {
            return Err(ConfigError::new("key_ops", "is without verify"));
        }
        let material = document.material()?;
        let algorithm = document.alg.as_deref().map(str::parse).transpose()?;
        if let Some(algorithm) =
            algorithm.filter(|alg: &Algorithm| alg.key_type() != material.key_type())
        {
            return Err(ConfigError::new(
                "alg",
                format!(
                    "{algorithm} does not fit a key of type {}",
                    material.key_type().name()
                ),
            ));
        }
        Ok(Self {
            kid: document.kid.map(checked_kid).transpose()?,
            algorithm,
            material,
        })
    }
}

fn not_a_jwk(error: &serde_json::Error) -> ConfigError {
    ConfigError::new("jwk", format!("is not a JWK: {}", without_values(error)))
}

/// What is wrong with a document, without the value that was found in it: someone may have put a
/// private key where a public one belongs.
pub(crate) fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => text,
    }
}

fn number(name: &'static str, text: Option<&str>) -> Result<Vec<u8>, ConfigError> {
    let text = text.ok_or_else(|| ConfigError::new(name, "is missing"))?;
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| ConfigError::new(name, "is not base64url without padding"))
}
