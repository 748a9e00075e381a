//! The `BackendJwt` policy as an apk-conf of WSO2 APK writes it.

use crate::{
    ClaimType, CustomClaim,
    mint::{CopiedClaims, Policy},
};
use http::HeaderName;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use std::{fmt, time::Duration};
use tower_jwks::{Algorithm, ConfigError};

/// A `BackendJwt` entry among the policies of an apk-conf.
///
/// It reads what WSO2 APK reads, and turns into a [`Policy`] made after [`Policy::wso2`]. Whatever
/// is wrong is an error that names the field: an unknown field, a wrong type, a value that does not
/// parse as its claim's type, an algorithm that is unknown or `NONE`. An entry without `parameters`
/// is refused; WSO2 APK takes it and does nothing.
///
/// | parameter | default | |
/// |---|---|---|
/// | `encoding` | `Base64` | `Base64` and `Base64url` are both base64url without padding, as in APK 1.x |
/// | `signingAlgorithm` | that of the key ring | `SHA256withRSA` and its like, or `RS256` and its like |
/// | `header` | `X-JWT-Assertion` | |
/// | `tokenTTL` | `3600` | seconds |
/// | `customClaims` | none | `claim`, `value` (a string), `type`: `string`, `int`, `long`, `float`, `bool`, `date` |
///
/// WSO2 APK knows no others. These are read here as well, for what its other gateways have in settings of
/// their own, or what only this crate has:
///
/// | parameter | default | |
/// |---|---|---|
/// | `audiences` | none | a list: [`Policy::audiences`], Choreo's `backendJWTConfiguration.audiences` |
/// | `claimDialect` | `http://wso2.org/claims` | [`Policy::dialect`], Choreo Connect's `claimDialect` |
/// | `excludedClaims` | none | a list of claims that are not copied: [`CopiedClaims::all_but`], API Manager's `excluded_claims` |
/// | `copiedClaims` | all | a list of the claims that are copied, and no others: [`CopiedClaims::listed`] |
/// | `endUser` | `false` | `true`: [`Policy::enduser`], as in Choreo |
/// | `issuer` | `wso2.org/products/am` | [`Policy::issuer`] |
/// | `minimalAssertion` | `false` | `true`: [`Policy::minimal_assertion`] |
/// | `compatibility` | none | a list of forms that older products have: [`Compatibility`](crate::Compatibility) |
///
/// ```
/// use tower_backend_jwt::{BackendJwtEntry, Policy};
///
/// let entry: BackendJwtEntry = serde_json::from_str(r#"{
///     "policyName": "BackendJwt",
///     "parameters": {"signingAlgorithm": "SHA256withRSA", "tokenTTL": 3600}
/// }"#)?;
/// let policy = Policy::from(entry);
///
/// let wrong = r#"{"policyName": "BackendJwt", "parameters": {"tokenTTL": "1h"}}"#;
/// let error = serde_json::from_str::<BackendJwtEntry>(wrong).unwrap_err();
/// assert!(error.to_string().starts_with("parameters.tokenTTL: is not a whole number"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BackendJwtEntry(Policy);

impl BackendJwtEntry {
    /// The `policyName` of such an entry.
    pub const POLICY_NAME: &str = "BackendJwt";
}

impl From<BackendJwtEntry> for Policy {
    fn from(entry: BackendJwtEntry) -> Self {
        entry.0
    }
}

impl<'de> Deserialize<'de> for BackendJwtEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        entry(value).map(Self).map_err(Error::custom)
    }
}

fn entry(value: Value) -> Result<Policy, ConfigError> {
    let mut parameters = None;
    let mut named = false;
    for (name, value) in value.map("policy")? {
        match name.as_str() {
            "policyName" => {
                if value.text("policyName")? != BackendJwtEntry::POLICY_NAME {
                    return Err(wrong("policyName", "is not BackendJwt"));
                }
                named = true;
            }
            // APK ignores both, so that they say nothing that could be missed.
            "policyVersion" => {
                value.text("policyVersion")?;
            }
            "policyId" => {
                value.text("policyId")?;
            }
            "parameters" => parameters = Some(value),
            _ => return Err(unknown(name)),
        }
    }
    if !named {
        return Err(wrong("policyName", "is missing"));
    }
    parameters
        .ok_or_else(|| wrong("parameters", "is missing"))
        .and_then(policy)
}

fn policy(parameters: Value) -> Result<Policy, ConfigError> {
    let mut policy = Policy::wso2();
    let parameters = parameters.map("parameters")?;
    let has = |wanted: &str| parameters.iter().any(|(name, _)| name == wanted);
    if has("copiedClaims") && has("excludedClaims") {
        return Err(wrong("copiedClaims", "is set beside excludedClaims").within("parameters"));
    }
    for (name, value) in parameters {
        policy = parameter(policy, name, value).map_err(|error| error.within("parameters"))?;
    }
    Ok(policy)
}

fn parameter(policy: Policy, name: String, value: Value) -> Result<Policy, ConfigError> {
    Ok(match name.as_str() {
        "encoding" => {
            let encoding = value.text("encoding")?;
            if !["base64", "base64url"].contains(&encoding.to_ascii_lowercase().as_str()) {
                return Err(wrong("encoding", "is not Base64 or Base64url"));
            }
            policy
        }
        "signingAlgorithm" => policy.algorithm(algorithm(&value.text("signingAlgorithm")?)?),
        "header" => {
            let header = value.text("header")?;
            policy.header(
                HeaderName::try_from(header)
                    .map_err(|_| wrong("header", "is not the name of a header field"))?,
            )
        }
        "tokenTTL" => match value {
            Value::Integer(seconds @ 1..=0xffff_ffff) => {
                policy.ttl(Duration::from_secs(seconds.unsigned_abs()))
            }
            _ => {
                return Err(wrong(
                    "tokenTTL",
                    "is not a whole number of seconds, 1 or more",
                ));
            }
        },
        "customClaims" => value
            .sequence("customClaims")?
            .into_iter()
            .enumerate()
            .try_fold(policy, |policy, (place, claim)| {
                let (name, claim) = custom_claim(claim)
                    .map_err(|error| error.within(&format!("customClaims[{place}]")))?;
                Ok(policy.custom_claim(name, claim))
            })?,
        "audiences" => policy.audiences(value.texts("audiences")?),
        "claimDialect" => policy.dialect(&value.text("claimDialect")?),
        "excludedClaims" => {
            policy.copied_claims(CopiedClaims::all_but(value.texts("excludedClaims")?))
        }
        "copiedClaims" => policy.copied_claims(CopiedClaims::listed(value.texts("copiedClaims")?)),
        "endUser" => match value.switch("endUser")? {
            true => policy.enduser(),
            false => policy,
        },
        "compatibility" => value
            .texts("compatibility")?
            .into_iter()
            .try_fold(policy, |policy, form| {
                Ok(policy.compatibility(form.parse()?))
            })?,
        "issuer" => policy.issuer(value.text("issuer")?),
        "minimalAssertion" => match value.switch("minimalAssertion")? {
            true => policy.minimal_assertion(),
            false => policy,
        },
        _ => return Err(unknown(name)),
    })
}

fn custom_claim(value: Value) -> Result<(String, CustomClaim), ConfigError> {
    let (mut claim, mut text, mut kind) = (None, None, ClaimType::default());
    for (name, value) in value.map("claim")? {
        match name.as_str() {
            "claim" => claim = Some(value.text("claim")?),
            "value" => text = Some(value.text("value")?),
            "type" => kind = value.text("type")?.parse()?,
            _ => return Err(unknown(name)),
        }
    }
    let claim = claim
        .filter(|name| !name.is_empty())
        .ok_or_else(|| wrong("claim", "is missing"))?;
    let text = text.ok_or_else(|| wrong("value", "is missing"))?;
    Ok((claim, CustomClaim::parse(kind, &text)?))
}

/// The names of Java's cryptography, and those of JOSE.
fn algorithm(name: &str) -> Result<Algorithm, ConfigError> {
    Ok(match name {
        "SHA256withRSA" => Algorithm::RS256,
        "SHA384withRSA" => Algorithm::RS384,
        "SHA512withRSA" => Algorithm::RS512,
        "SHA256withECDSA" => Algorithm::ES256,
        "SHA384withECDSA" => Algorithm::ES384,
        _ => name.parse().map_err(|_| {
            wrong(
                "signingAlgorithm",
                "is not SHA256withRSA, SHA384withRSA, SHA512withRSA, SHA256withECDSA, \
                 SHA384withECDSA, or a JOSE name such as RS256",
            )
        })?,
    })
}

fn wrong(field: &'static str, message: &'static str) -> ConfigError {
    ConfigError::new(field, message)
}

fn unknown(field: String) -> ConfigError {
    ConfigError::new(field, "is not a known field")
}

/// Any value, so that one of a wrong type is reported by the name of its field.
enum Value {
    Text(String),
    Integer(i64),
    Bool(bool),
    Sequence(Vec<Self>),
    Map(Vec<(String, Self)>),
    Other,
}

impl Value {
    fn text(self, field: &'static str) -> Result<String, ConfigError> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(wrong(field, "is not a string; put it in quotes")),
        }
    }

    fn switch(self, field: &'static str) -> Result<bool, ConfigError> {
        match self {
            Self::Bool(on) => Ok(on),
            _ => Err(wrong(field, "is not true or false")),
        }
    }

    fn sequence(self, field: &'static str) -> Result<Vec<Self>, ConfigError> {
        match self {
            Self::Sequence(values) => Ok(values),
            _ => Err(wrong(field, "is not a list")),
        }
    }

    fn texts(self, field: &'static str) -> Result<Vec<String>, ConfigError> {
        let values = self.sequence(field)?;
        values.into_iter().map(|value| value.text(field)).collect()
    }

    fn map(self, field: &'static str) -> Result<Vec<(String, Self)>, ConfigError> {
        match self {
            Self::Map(members) => Ok(members),
            _ => Err(wrong(field, "is not a mapping of names to values")),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Integer(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
                Ok(i64::try_from(number).map_or(Value::Other, Value::Integer))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_bool<E>(self, on: bool) -> Result<Value, E> {
                Ok(Value::Bool(on))
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_none<E>(self) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
                Value::deserialize(inner)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Value::Sequence(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, _>()? {
                    if members.iter().any(|(had, _)| *had == name) {
                        return Err(A::Error::custom(ConfigError::new(name, "is set twice")));
                    }
                    members.push((name, value));
                }
                Ok(Value::Map(members))
            }
        }

        deserializer.deserialize_any(Read)
    }
}
