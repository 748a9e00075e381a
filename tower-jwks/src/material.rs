//! The public half of a key, as numbers: what a JWK, a SPKI and a certificate all carry.

use crate::{algorithm::KeyType, crypto};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

/// A public key by its numbers, big-endian; `x` of Ed25519 as RFC 8032 writes it.
///
/// There is no member for a private number: nothing built on this type can publish one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PublicMaterial {
    /// Without leading zero octets.
    Rsa {
        n: Box<[u8]>,
        e: Box<[u8]>,
    },
    P256 {
        x: [u8; 32],
        y: [u8; 32],
    },
    P384 {
        x: [u8; 48],
        y: [u8; 48],
    },
    Ed25519 {
        x: [u8; 32],
    },
}

/// RFC 7518 sections 3.3 and 3.5.
const RSA_MIN_BITS: usize = 2048;
/// What both backends verify; a larger modulus is only good for keeping us busy.
const RSA_MAX_BITS: usize = 8192;
/// Both backends' own limit; 65537 needs 17.
const RSA_MAX_EXPONENT_BITS: usize = 33;

impl PublicMaterial {
    /// An RSA key, after the checks that make it worth trusting.
    pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Result<Self, &'static str> {
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        if bits(n) < RSA_MIN_BITS {
            return Err("an RSA key under 2048 bits");
        }
        if bits(n) > RSA_MAX_BITS {
            return Err("an RSA key over 8192 bits");
        }
        if n.last().is_none_or(|byte| byte % 2 == 0) {
            return Err("an RSA modulus that is even");
        }
        if e.last().is_none_or(|byte| byte % 2 == 0) || e == [1] {
            return Err("an RSA exponent that is not odd and at least 3");
        }
        if bits(e) > RSA_MAX_EXPONENT_BITS {
            return Err("an RSA exponent over 33 bits");
        }
        if is_roca(n) {
            return Err("an RSA modulus made by a weak generator (ROCA, CVE-2017-15361)");
        }
        Ok(Self::Rsa {
            n: n.into(),
            e: e.into(),
        })
    }

    /// A point on P-256 or P-384. That it lies on the curve is the backend's check.
    pub(crate) fn ec(curve: KeyType, x: &[u8], y: &[u8]) -> Result<Self, &'static str> {
        // RFC 7518 section 6.2.1.2: the full length of the field, leading zeros included.
        const LENGTH: &str = "an EC coordinate of the wrong length for its curve";
        match curve {
            KeyType::P256 => Ok(Self::P256 {
                x: x.try_into().map_err(|_| LENGTH)?,
                y: y.try_into().map_err(|_| LENGTH)?,
            }),
            KeyType::P384 => Ok(Self::P384 {
                x: x.try_into().map_err(|_| LENGTH)?,
                y: y.try_into().map_err(|_| LENGTH)?,
            }),
            KeyType::Rsa | KeyType::Ed25519 => Err("a curve that is not P-256 or P-384"),
        }
    }

    /// An Ed25519 point.
    pub(crate) fn ed25519(x: &[u8]) -> Result<Self, &'static str> {
        let x: [u8; 32] = x
            .try_into()
            .map_err(|_| "an Ed25519 key that is not 32 bytes")?;
        if is_small_order(x) {
            return Err("an Ed25519 key of small order, under which anyone can sign");
        }
        Ok(Self::Ed25519 { x })
    }

    pub(crate) const fn key_type(&self) -> KeyType {
        match self {
            Self::Rsa { .. } => KeyType::Rsa,
            Self::P256 { .. } => KeyType::P256,
            Self::P384 { .. } => KeyType::P384,
            Self::Ed25519 { .. } => KeyType::Ed25519,
        }
    }

    /// The members of the JWK that make the key, in lexical order (RFC 7638 section 3.2).
    pub(crate) fn members(&self) -> Vec<(&'static str, String)> {
        let b64 = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let ec = |crv: &str, x: &[u8], y: &[u8]| {
            vec![
                ("crv", crv.to_owned()),
                ("kty", "EC".to_owned()),
                ("x", b64(x)),
                ("y", b64(y)),
            ]
        };
        match self {
            Self::Rsa { n, e } => vec![("e", b64(e)), ("kty", "RSA".to_owned()), ("n", b64(n))],
            Self::P256 { x, y } => ec("P-256", x, y),
            Self::P384 { x, y } => ec("P-384", x, y),
            Self::Ed25519 { x } => vec![
                ("crv", "Ed25519".to_owned()),
                ("kty", "OKP".to_owned()),
                ("x", b64(x)),
            ],
        }
    }

    /// The JWK thumbprint with SHA-256, base64url (RFC 7638, RFC 8037 section 2).
    pub(crate) fn thumbprint(&self) -> String {
        // No value needs an escape: they are base64url or names of the standards.
        let members: Vec<String> = self
            .members()
            .into_iter()
            .map(|(name, value)| format!("\"{name}\":\"{value}\""))
            .collect();
        let json = format!("{{{}}}", members.join(","));
        BASE64_URL_SAFE_NO_PAD.encode(crypto::sha256(json.as_bytes()))
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// The length of a number without leading zero octets.
fn bits(number: &[u8]) -> usize {
    number
        .first()
        .map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

/// The points of order 1, 2, 4 and 8, in each encoding that decodes to one, sign bit aside: a key
/// among them accepts signatures that anyone can make.
const SMALL_ORDER: [[u8; 32]; 7] = {
    const fn filled(first: u8, middle: u8, last: u8) -> [u8; 32] {
        let mut point = [middle; 32];
        point[0] = first;
        point[31] = last;
        point
    }
    [
        filled(0x00, 0x00, 0x00),
        filled(0x01, 0x00, 0x00),
        filled(0xec, 0xff, 0x7f),
        filled(0xed, 0xff, 0x7f),
        filled(0xee, 0xff, 0x7f),
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
    ]
};

fn is_small_order(mut point: [u8; 32]) -> bool {
    point[31] &= 0x7f;
    SMALL_ORDER.contains(&point)
}

/// Whether a modulus bears the mark of the generator of CVE-2017-15361: modulo each small prime it
/// is a power of 65537. A sound modulus passes all of these by chance about once in 2^28.
fn is_roca(modulus: &[u8]) -> bool {
    const PRIMES: [u32; 38] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
        97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    PRIMES.iter().all(|prime| {
        let remainder = modulus
            .iter()
            .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        (0..*prime).any(|_| {
            let found = power == remainder;
            power = power * 65537 % prime;
            found
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_first_set_one() {
        assert_eq!(bits(&[]), 0);
        assert_eq!(bits(&[1]), 1);
        assert_eq!(bits(&[0x80, 0]), 16);
        assert_eq!(bits(without_leading_zeros(&[0, 0, 0x7f, 0])), 15);
    }

    #[test]
    fn an_ed25519_key_of_small_order_is_refused_whatever_its_sign() {
        for point in SMALL_ORDER {
            let mut negative = point;
            negative[31] |= 0x80;
            assert!(PublicMaterial::ed25519(&point).is_err());
            assert!(PublicMaterial::ed25519(&negative).is_err());
        }
    }
}
