//! The header of a JWS, rendered once for each form that a key writes.

use crate::Algorithm;
use serde::Serialize;
use std::sync::{Arc, PoisonError, RwLock};

/// In the order in which WSO2's products write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Header<'a> {
    pub(crate) typ: &'a str,
    pub(crate) alg: Algorithm,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) x5t: Option<&'a str>,
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub(crate) x5t_s256: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<&'a str>,
}

impl Header<'_> {
    pub(crate) fn to_json(self) -> Vec<u8> {
        serde_json::to_vec(&self).expect("a struct of strings always serializes")
    }
}

/// The headers that a key has written, encoded.
#[derive(Default)]
pub(crate) struct Headers(RwLock<Vec<Rendered>>);

struct Rendered {
    header: Owned,
    /// Whether it is in the standard alphabet.
    standard: bool,
    segment: Arc<str>,
}

/// A [`Header`] that is kept.
struct Owned {
    typ: Box<str>,
    alg: Algorithm,
    x5t: Option<Box<str>>,
    x5t_s256: Option<Box<str>>,
    kid: Option<Box<str>>,
}

/// A key writes one form as a rule, and each policy one of its own at most. More are rendered each time.
const MOST: usize = 16;

impl Headers {
    /// The header as it is encoded, by `encode` if it is the first time.
    pub(crate) fn segment(
        &self,
        header: Header<'_>,
        standard: bool,
        encode: impl FnOnce() -> String,
    ) -> Arc<str> {
        let is = |known: &&Rendered| known.standard == standard && known.header.is(header);
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.iter().find(is) {
            return Arc::clone(&known.segment);
        }
        drop(known);
        let segment: Arc<str> = encode().into();
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MOST && all.iter().find(is).is_none() {
            all.push(Rendered {
                header: Owned::from(header),
                standard,
                segment: Arc::clone(&segment),
            });
        }
        segment
    }
}

impl Owned {
    fn is(&self, header: Header<'_>) -> bool {
        header
            == Header {
                typ: &self.typ,
                alg: self.alg,
                x5t: self.x5t.as_deref(),
                x5t_s256: self.x5t_s256.as_deref(),
                kid: self.kid.as_deref(),
            }
    }
}

impl From<Header<'_>> for Owned {
    fn from(header: Header<'_>) -> Self {
        Self {
            typ: header.typ.into(),
            alg: header.alg,
            x5t: header.x5t.map(Into::into),
            x5t_s256: header.x5t_s256.map(Into::into),
            kid: header.kid.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(typ: &str) -> Header<'_> {
        Header {
            typ,
            alg: Algorithm::ES256,
            x5t: None,
            x5t_s256: None,
            kid: Some("one"),
        }
    }

    #[test]
    fn each_form_is_rendered_once_and_only_some_are_kept() {
        let headers = Headers::default();
        let render = |header: Header<'_>, standard, text: &str| {
            let segment = headers.segment(header, standard, || text.to_owned());
            segment.to_string()
        };
        assert_eq!(render(header("JWT"), false, "first"), "first");
        assert_eq!(render(header("JWT"), false, "again"), "first");
        assert_eq!(render(header("JWT"), true, "standard"), "standard");
        let without_kid = Header {
            kid: None,
            ..header("JWT")
        };
        assert_eq!(render(without_kid, false, "no kid"), "no kid");
        for number in 0..2 * MOST {
            let typ = number.to_string();
            assert_eq!(render(header(&typ), false, &typ), typ);
        }
        assert_eq!(headers.0.read().unwrap().len(), MOST);
        assert_eq!(render(header("JWT"), false, "again"), "first");
    }
}
