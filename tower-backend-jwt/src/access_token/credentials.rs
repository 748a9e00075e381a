//! Where the token is in a request: exactly one field, and nothing but the token in it.

use crate::refusal::{Refusal, RefusalReason};
use http::{HeaderMap, HeaderName, header::AUTHORIZATION};

/// How the field holds the token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// After `Bearer` and one or more spaces (RFC 6750 section 2.1).
    #[default]
    Bearer,
    /// As [`Bearer`](Self::Bearer), or by itself.
    BearerOrBare,
    /// By itself.
    Bare,
}

/// Which field holds the token, and how.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) header: HeaderName,
    pub(super) scheme: Scheme,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            header: AUTHORIZATION,
            scheme: Scheme::default(),
        }
    }
}

impl Credentials {
    /// What should be a token in these fields; `None` if there is none, or credentials of another scheme.
    ///
    /// Whether it has the form of one is [asked](check_form) where it is no good token: one that is has it.
    pub(super) fn find<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a [u8]>, Refusal> {
        let mut fields = headers.get_all(&self.header).into_iter();
        let Some(field) = fields.next() else {
            return Ok(None);
        };
        if fields.next().is_some() {
            return Err(malformed("there are two of them"));
        }
        let text = field.as_bytes();
        let token = match (self.scheme, after_bearer(text)) {
            (Scheme::Bearer | Scheme::BearerOrBare, Some(token)) => token?,
            (Scheme::Bearer, None) => return check_ascii(text).map(|()| None),
            (Scheme::BearerOrBare | Scheme::Bare, _) => trim(text),
        };
        if token.is_empty() {
            return Err(malformed("there is no token"));
        }
        Ok(Some(token))
    }
}

/// Whether the credentials are one token.
pub(super) fn check_form(token: &[u8]) -> Result<(), Refusal> {
    check_ascii(token)?;
    // Two credentials in one field, or a list of challenges' answers: not one token.
    if token
        .iter()
        .any(|byte| matches!(byte, b' ' | b'\t' | b',' | b';' | b'"'))
    {
        return Err(malformed("there is more than a token"));
    }
    Ok(())
}

fn check_ascii(text: &[u8]) -> Result<(), Refusal> {
    if text.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        Ok(())
    } else {
        Err(malformed("they are not visible ASCII"))
    }
}

/// What follows the scheme `Bearer`, if that is the scheme.
fn after_bearer(text: &[u8]) -> Option<Result<&[u8], Refusal>> {
    const SCHEME: &[u8] = b"Bearer";
    let (scheme, rest) = text.split_at_checked(SCHEME.len())?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return None;
    }
    match rest.first() {
        None | Some(b' ') => Some(Ok(trim(rest))),
        // Another scheme, whose name starts with these letters.
        Some(byte) if is_token_char(*byte) => None,
        Some(_) => Some(Err(malformed("the scheme is not followed by a space"))),
    }
}

/// Without the spaces around it.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = text {
        text = rest;
    }
    text
}

/// RFC 9110 section 5.6.2.
const fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

fn malformed(detail: &'static str) -> Refusal {
    Refusal::new(RefusalReason::MalformedRequest).with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn find(scheme: Scheme, values: &[&[u8]]) -> Result<Option<String>, RefusalReason> {
        let credentials = Credentials {
            scheme,
            ..Credentials::default()
        };
        let mut headers = HeaderMap::new();
        for value in values {
            #[allow(clippy::disallowed_methods)] // two fields are what is tested
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        let token = credentials.find(&headers);
        let token = token.and_then(|token| {
            token
                .map(|token| check_form(token).map(|()| token))
                .transpose()
        });
        token
            .map(|token| token.map(|token| String::from_utf8(token.to_vec()).unwrap()))
            .map_err(|refusal| refusal.reason())
    }

    #[test]
    fn one_bearer_token_is_found_in_any_case_and_after_any_spaces() {
        for value in [
            "Bearer a.b.c",
            "bearer a.b.c",
            "BEARER   a.b.c",
            "Bearer a.b.c ",
        ] {
            let token = find(Scheme::Bearer, &[value.as_bytes()]);
            assert_eq!(token, Ok(Some("a.b.c".to_owned())), "{value:?}");
        }
    }

    #[test]
    fn another_scheme_is_no_credentials() {
        for value in [
            "Basic dTpw",
            "Bearerx a",
            "xBearer a",
            "Basic Bearer a",
            "",
            "DPoP a",
        ] {
            assert_eq!(
                find(Scheme::Bearer, &[value.as_bytes()]),
                Ok(None),
                "{value:?}"
            );
        }
        assert_eq!(find(Scheme::Bearer, &[]), Ok(None));
    }

    #[test]
    fn whatever_is_not_one_token_is_malformed() {
        for value in [
            &b"Bearer"[..],
            b"Bearer ",
            b"Bearer\ta",
            b"Bearer:a",
            b"Bearer a b",
            b"Bearer a, Bearer b",
            b"Bearer a,b",
            b"Bearer \xa0a",
            b"Bearer a\tb",
        ] {
            assert_eq!(
                find(Scheme::Bearer, &[value]),
                Err(RefusalReason::MalformedRequest),
                "{value:?}"
            );
        }
        for values in [
            [&b"Bearer a"[..], b"Bearer a"],
            [b"Bearer a", b"Bearer b"],
            [b"Bearer a", b""],
            [b"Basic a", b"Bearer a"],
        ] {
            assert_eq!(
                find(Scheme::Bearer, &values),
                Err(RefusalReason::MalformedRequest)
            );
        }
    }

    #[test]
    fn a_bare_token_is_taken_where_that_was_chosen() {
        let found = Ok(Some("a.b.c".to_owned()));
        assert_eq!(find(Scheme::Bare, &[b"a.b.c"]), found);
        assert_eq!(find(Scheme::BearerOrBare, &[b"a.b.c"]), found);
        assert_eq!(find(Scheme::BearerOrBare, &[b"bearer a.b.c"]), found);
        let malformed = Err(RefusalReason::MalformedRequest);
        assert_eq!(find(Scheme::Bare, &[b"Bearer a.b.c"]), malformed);
        assert_eq!(find(Scheme::BearerOrBare, &[b"Basic dTpw"]), malformed);
        assert_eq!(find(Scheme::Bare, &[b""]), malformed);
    }
}
