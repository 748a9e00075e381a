//! Names of header fields as a service behind may read them.

use http::HeaderName;

/// Many servers hand headers to programs as variables, in whose names `-`, `_` and `.`, or whatever is
/// neither letter nor digit, are all one.
pub(crate) fn folded(name: &HeaderName) -> String {
    name.as_str()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

/// The same, up to the longest name that there is something to be said of; without memory of its own, as it
/// is asked of each name in each request.
#[derive(Debug)]
pub(crate) struct Start {
    bytes: [u8; Self::LONGEST],
    length: usize,
}

impl Start {
    const LONGEST: usize = 64;

    pub(crate) fn of(name: &HeaderName) -> Self {
        let name = name.as_str().as_bytes();
        let mut bytes = [b'-'; Self::LONGEST];
        for (folded, byte) in bytes.iter_mut().zip(name) {
            if byte.is_ascii_alphanumeric() {
                *folded = *byte;
            }
        }
        let length = name.len().min(Self::LONGEST);
        Self { bytes, length }
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

/// Whether a service behind may take one for the other.
pub(crate) fn alike(one: &HeaderName, other: &HeaderName) -> bool {
    let folded = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            byte
        } else {
            b'-'
        }
    };
    let (one, other) = (one.as_str().bytes(), other.as_str().bytes());
    one.map(folded).eq(other.map(folded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_when_they_fold_to_the_same() {
        let names = [
            "x-foo", "X_Foo", "x.foo", "x~foo", "x-fo", "x-foo-", "xfoo", "y-foo",
        ];
        let names = names.map(|name| HeaderName::try_from(name).unwrap());
        for one in &names {
            for other in &names {
                assert_eq!(Start::of(one).as_str(), folded(one));
                assert_eq!(
                    alike(one, other),
                    folded(one) == folded(other),
                    "{one} {other}"
                );
            }
        }
        assert!(alike(&names[0], &names[1]) && !alike(&names[0], &names[4]));
    }
}
