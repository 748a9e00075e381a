//! Headers of tokens that were verified, so that the next one's is not read again.

use crate::{jws::Header, refusal::Refusal};
use arc_swap::ArcSwap;
use std::{fmt, sync::Arc};

/// The last few headers, as they were encoded. All tokens of a key have the same one, as a rule.
#[derive(Default)]
pub(crate) struct Headers(ArcSwap<Vec<Arc<Encoded>>>);

/// A header, and its text before it was decoded.
pub(crate) struct Encoded {
    pub(crate) segment: Box<str>,
    pub(crate) header: Header,
}

/// The keys of some issuers, and of their last rotation.
const MOST: usize = 16;

/// A longer one is read each time: what is kept here is few and small.
const LONGEST: usize = 1024;

impl Headers {
    /// The header with this text.
    pub(crate) fn read(&self, segment: &str) -> Result<Arc<Encoded>, Refusal> {
        let known = self.0.load();
        let known = known.iter().find(|known| *known.segment == *segment);
        match known {
            Some(known) => Ok(Arc::clone(known)),
            None => Ok(Arc::new(Encoded {
                header: Header::parse(segment)?,
                segment: segment.into(),
            })),
        }
    }

    /// Remembers the header of a token that was verified: others could fill the place with what nobody
    /// ever sends again.
    pub(crate) fn remember(&self, header: &Arc<Encoded>) {
        let is_known =
            |known: &[Arc<Encoded>]| known.iter().any(|known| known.segment == header.segment);
        if header.segment.len() > LONGEST || is_known(&self.0.load()) {
            return;
        }
        self.0.rcu(|known| {
            let mut next = Vec::clone(known);
            if !is_known(&next) {
                if next.len() == MOST {
                    next.remove(0);
                }
                next.push(Arc::clone(header));
            }
            next
        });
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Headers").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

    fn segment(kid: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#))
    }

    #[test]
    fn a_header_is_read_once_and_only_some_are_kept() {
        let headers = Headers::default();
        let first = headers.read(&segment("0")).unwrap();
        assert!(!Arc::ptr_eq(&first, &headers.read(&segment("0")).unwrap()));
        headers.remember(&first);
        assert!(Arc::ptr_eq(&first, &headers.read(&segment("0")).unwrap()));
        assert_eq!(
            headers.read(&segment("1")).unwrap().header.kid.as_deref(),
            Some("1")
        );
        for kid in 1..=MOST {
            let other = headers.read(&segment(&kid.to_string())).unwrap();
            headers.remember(&other);
            headers.remember(&other);
        }
        assert_eq!(headers.0.load().len(), MOST);
        assert!(!Arc::ptr_eq(&first, &headers.read(&segment("0")).unwrap()));
        assert_eq!(
            headers.read(&segment("0")).unwrap().header.kid.as_deref(),
            Some("0")
        );
    }

    #[test]
    fn a_header_that_is_refused_or_huge_is_not_kept() {
        let headers = Headers::default();
        assert!(headers.read("e30").is_err());
        let huge = headers.read(&BASE64_URL_SAFE_NO_PAD.encode(format!(
            r#"{{"alg":"ES256","x":"{}"}}"#,
            "x".repeat(LONGEST)
        )));
        headers.remember(&huge.unwrap());
        assert!(headers.0.load().is_empty());
    }
}
