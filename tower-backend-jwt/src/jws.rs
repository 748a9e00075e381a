//! The compact form of a JWS (RFC 7515 section 7.1), taken apart.

use crate::{
    base64url,
    json::{Malformed, Object, text},
    refusal::{Refusal, RefusalReason},
};
use tower_jwks::Algorithm;

/// The longest `kid` that is looked up, in bytes.
const MAX_KID_BYTES: usize = 256;

/// The three parts, still encoded.
pub(crate) struct Compact<'a> {
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
    signed: &'a str,
}

impl<'a> Compact<'a> {
    /// Exactly three parts: five are a JWE, and are not decrypted.
    pub(crate) fn split(token: &'a str) -> Result<Self, Malformed> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Malformed)?;
        if claims.contains('.') || [header, claims, signature].contains(&"") {
            return Err(Malformed);
        }
        Ok(Self {
            header,
            claims,
            signature,
            signed,
        })
    }

    pub(crate) fn header(&self) -> Result<Header, Refusal> {
        Header::parse(self.header)
    }

    pub(crate) fn claims(&self) -> Result<Object, Malformed> {
        Object::parse(base64url::decode(self.claims)?)
    }

    pub(crate) fn signature(&self) -> Result<Vec<u8>, Malformed> {
        base64url::decode(self.signature)
    }

    /// What the signature is over.
    pub(crate) const fn signed(&self) -> &'a [u8] {
        self.signed.as_bytes()
    }
}

/// What of a JOSE header decides. Members that could bring a key (`jwk`, `jku`, `x5u`, `x5c`) are
/// not among them: a token never chooses its own key.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Box<str>>,
    pub(crate) typ: Option<Box<str>>,
}

impl Header {
    fn parse(segment: &str) -> Result<Self, Refusal> {
        let object = Object::parse(base64url::decode(segment)?)?;
        let (mut algorithm, mut kid, mut typ) = (None, None, None);
        for (name, value) in object.iter() {
            match name {
                "alg" => {
                    let known: Algorithm = text(value)
                        .ok_or(Malformed)?
                        .parse()
                        .map_err(|_| Refusal::new(RefusalReason::AlgorithmNotAllowed))?;
                    algorithm = Some(known);
                }
                "kid" => {
                    let text = text(value).ok_or(Malformed)?;
                    if text.is_empty() || text.len() > MAX_KID_BYTES {
                        return Err(Malformed.into());
                    }
                    kid = Some(text.into());
                }
                "typ" => typ = Some(text(value).ok_or(Malformed)?.into()),
                // No extension is implemented, so that none may be demanded (RFC 7515 section
                // 4.1.11); an unencoded payload and a compressed one are extensions as well.
                "crit" | "zip" => return Err(extension(name)),
                "b64" if value != "true" => return Err(extension(name)),
                _ => {}
            }
        }
        Ok(Self {
            algorithm: algorithm.ok_or(Malformed)?,
            kid,
            typ,
        })
    }
}

fn extension(name: &str) -> Refusal {
    Refusal::new(RefusalReason::UnsupportedHeader).with_detail(format!("{name} is not supported"))
}
