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
    /// Three parts at least: [whether no more](Self::has_three_parts) need not be asked of most.
    pub(crate) fn split(token: &'a str) -> Result<Self, Malformed> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Malformed)?;
        if [header, claims, signature].contains(&"") {
            return Err(Malformed);
        }
        Ok(Self {
            header,
            claims,
            signature,
            signed,
        })
    }

    /// Whether that is all: five are a JWE, and are not decrypted. Where the claims can be decoded it is.
    pub(crate) fn has_three_parts(&self) -> bool {
        !self.claims.contains('.')
    }

    /// The header, as it is encoded.
    pub(crate) const fn header(&self) -> &'a str {
        self.header
    }

    /// The claims, with room for so many bytes behind them.
    pub(crate) fn claims(&self, room: usize) -> Result<Object, Malformed> {
        Object::parse(base64url::decode(self.claims, room)?)
    }

    pub(crate) fn signature(&self) -> Result<Signature, Malformed> {
        Signature::decode(self.signature)
    }

    /// What the signature is over.
    pub(crate) const fn signed(&self) -> &'a [u8] {
        self.signed.as_bytes()
    }
}

/// The bytes of a signature, on the stack.
pub(crate) struct Signature {
    bytes: [u8; Self::LONGEST],
    len: usize,
}

impl Signature {
    /// Of RSA with 8192 bits, the longest that a key verifies.
    const LONGEST: usize = 1024;

    /// One that is longer holds for nothing, as one of no bytes does.
    fn decode(text: &str) -> Result<Self, Malformed> {
        let mut bytes = [0; Self::LONGEST];
        let len = match text.len() / 4 * 3 {
            len if len > Self::LONGEST => 0,
            _ => base64url::decode_into(text, &mut bytes)?,
        };
        Ok(Self { bytes, len })
    }
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
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
    pub(crate) fn parse(segment: &str) -> Result<Self, Refusal> {
        let object = Object::parse(base64url::decode(segment, 0)?)?;
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

/// A `typ` without `application/`, which may be left out (RFC 7515 section 4.1.9).
pub(crate) fn short_type(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, short)) if prefix.eq_ignore_ascii_case(PREFIX) => short,
        _ => typ,
    }
}

fn extension(name: &str) -> Refusal {
    Refusal::new(RefusalReason::UnsupportedHeader).with_detail(format!("{name} is not supported"))
}
