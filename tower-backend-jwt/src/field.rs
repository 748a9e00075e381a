//! A header field that only we may set, or that only we may read, and what may be taken for it.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONNECTION, TRAILER},
};

/// Removes a field and whatever may be taken for it.
///
/// Servers of the CGI kind turn `-` and `_`, some of them whatever is no letter and no digit, into
/// one character, so that `X_JWT_Assertion` arrives as `X-JWT-Assertion` does. And a field that
/// `Connection` names would be removed by the next proxy: ours would not arrive.
pub(crate) fn strip(headers: &mut HeaderMap, name: &HeaderName) {
    let found = Found::look(headers, name);
    if found.itself {
        headers.remove(name);
    }
    found.strip_twins(headers, name);
    if found.listing {
        for listing in [CONNECTION, TRAILER] {
            unlist(headers, listing, name);
        }
    }
}

/// Removes what may be taken for a field, and leaves the field.
pub(crate) fn strip_twins(headers: &mut HeaderMap, name: &HeaderName) {
    Found::look(headers, name).strip_twins(headers, name);
}

/// What there is of a field: nothing, as a rule, which one look over the names tells.
#[derive(Default)]
struct Found {
    itself: bool,
    twin: bool,
    listing: bool,
}

impl Found {
    fn look(headers: &HeaderMap, name: &HeaderName) -> Self {
        let mut found = Self::default();
        for other in headers.keys() {
            if other == name {
                found.itself = true;
            } else if reads_as(other.as_str(), name) {
                found.twin = true;
            }
            found.listing |= other == CONNECTION || other == TRAILER;
        }
        found
    }

    fn strip_twins(&self, headers: &mut HeaderMap, name: &HeaderName) {
        if !self.twin {
            return;
        }
        let is_twin = |other: &&HeaderName| *other != name && reads_as(other.as_str(), name);
        let twins: Vec<HeaderName> = headers.keys().filter(is_twin).cloned().collect();
        for twin in twins {
            headers.remove(twin);
        }
    }
}

fn reads_as(other: &str, name: &HeaderName) -> bool {
    other.len() == name.as_str().len()
        && other
            .bytes()
            .map(folded)
            .eq(name.as_str().bytes().map(folded))
}

/// A byte of a field's name, as it may be read.
pub(crate) const fn folded(byte: u8) -> u8 {
    match byte {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
        _ => b'-',
    }
}

/// Takes a name out of a field that lists names.
fn unlist(headers: &mut HeaderMap, listing: HeaderName, name: &HeaderName) {
    let listed = |value: &HeaderValue| {
        let mut names = value.as_bytes().split(|byte| *byte == b',');
        names.any(|listed| {
            std::str::from_utf8(listed.trim_ascii()).is_ok_and(|listed| reads_as(listed, name))
        })
    };
    if !headers.get_all(&listing).iter().any(listed) {
        return;
    }
    let kept: Vec<&[u8]> = headers
        .get_all(&listing)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|listed| !std::str::from_utf8(listed).is_ok_and(|listed| reads_as(listed, name)))
        .collect();
    let kept = kept.join(&b", "[..]);
    match HeaderValue::from_bytes(&kept) {
        Ok(value) if !kept.is_empty() => headers.insert(listing, value),
        _ => headers.remove(listing),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_and_every_copy_goes() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-jwt-assertion", "a"),
            ("x_jwt_assertion", "b"),
            ("x-jwt_assertion", "c"),
            ("x.jwt.assertion", "d"),
            ("x~jwt!assertion", "e"),
            ("x-jwt-assertion-2", "kept"),
            ("connection", "close, X-JWT-Assertion"),
            ("trailer", "x_jwt_assertion"),
        ] {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        strip(&mut headers, &HeaderName::from_static("x-jwt-assertion"));
        let mut left: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        left.sort_unstable();
        assert_eq!(
            left,
            [("connection", "close"), ("x-jwt-assertion-2", "kept")]
        );
    }
}
