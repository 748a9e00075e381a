//! Which request paths are taken at all.
//!
//! The rule for a request is chosen by its path, and the service behind applies the path to its own
//! resources. A path that the two could read differently lets a caller reach one resource under the
//! rule of another, so it is refused rather than repaired: what is taken means the same to everyone.

use percent_encoding::percent_decode_str;

/// Why a path is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ambiguous {
    /// Not a path: `*`, or the authority of a CONNECT.
    NotAPath,
    /// `//`: some collapse it.
    EmptySegment,
    /// `.` or `..`: resolved by most.
    DotSegment,
    /// A character outside RFC 3986's `pchar`, or `;`, after which some cut the segment off.
    Character,
    /// An escape that is malformed, or stands for what separates and cuts: `/`, `\`, `.`, `;`, `%`, controls.
    Escape,
    /// Escapes that are not UTF-8: overlong forms of `.` and `/` among them.
    NotUtf8,
}

impl Ambiguous {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::NotAPath => "the request target is not a path",
            Self::EmptySegment => "the path has an empty segment",
            Self::DotSegment => "the path has a dot segment",
            Self::Character => "the path has a character that must be escaped",
            Self::Escape => "the path has an escape that is not allowed",
            Self::NotUtf8 => "the path is not UTF-8",
        }
    }
}

/// Passes the paths that mean the same to every reader.
pub(crate) fn check(path: &str) -> Result<(), Ambiguous> {
    let Some(segments) = path.strip_prefix('/') else {
        return Err(Ambiguous::NotAPath);
    };
    let mut rest = segments.split('/').peekable();
    while let Some(segment) = rest.next() {
        let last = rest.peek().is_none();
        match segment {
            "" if last => {}
            "" => return Err(Ambiguous::EmptySegment),
            "." | ".." => return Err(Ambiguous::DotSegment),
            _ => check_segment(segment)?,
        }
    }
    Ok(())
}

fn check_segment(segment: &str) -> Result<(), Ambiguous> {
    let mut has_escape = false;
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                has_escape = true;
                let digits = [bytes.next(), bytes.next()];
                let [Some(high), Some(low)] = digits.map(|digit| digit.and_then(hex)) else {
                    return Err(Ambiguous::Escape);
                };
                // An escaped percent sign followed by hex digits would be another escape to whoever
                // decodes twice; without them it is only odd, and refused with the rest.
                if matches!(
                    high << 4 | low,
                    b'.' | b'/' | b'\\' | b';' | b'%' | 0..=0x1f | 0x7f
                ) {
                    return Err(Ambiguous::Escape);
                }
            }
            _ if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte) => {}
            _ => return Err(Ambiguous::Character),
        }
    }
    if has_escape && percent_decode_str(segment).decode_utf8().is_err() {
        return Err(Ambiguous::NotUtf8);
    }
    Ok(())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// The segments of a checked path, without the empty one that a trailing slash leaves:
/// `/a/b` and `/a/b/` are the same place, as in WSO2 APK.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// What is left of a checked path behind its first `count` segments; empty or with a leading slash.
pub(crate) fn after(path: &str, count: usize) -> &str {
    let slash = path
        .match_indices('/')
        .nth(count)
        .map_or(path.len(), |(index, _)| index);
    &path[slash..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_everyone_reads_alike_is_taken() {
        for path in [
            "/",
            "/a",
            "/a/",
            "/a.b/c..d/...",
            "/caf%C3%A9",
            "/a%20b",
            "/a%3Fb",
            "/~u/@me:1",
            "/a*(b)",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn a_path_that_can_be_read_in_two_ways_is_refused() {
        use Ambiguous::{Character, DotSegment, EmptySegment, Escape, NotAPath, NotUtf8};
        for (path, why) in [
            ("", NotAPath),
            ("*", NotAPath),
            ("example.com:443", NotAPath),
            ("//", EmptySegment),
            ("//a", EmptySegment),
            ("/a//b", EmptySegment),
            ("/a//", EmptySegment),
            ("/a/../b", DotSegment),
            ("/a/..", DotSegment),
            ("/./a", DotSegment),
            ("/a/%2e%2E/b", Escape),
            ("/a/.%2e/b", Escape),
            ("/a%2fb", Escape),
            ("/a%2Fb", Escape),
            ("/a%5cb", Escape),
            ("/a%00", Escape),
            ("/a%0d%0a", Escape),
            ("/a%7f", Escape),
            ("/%252e%252e/a", Escape),
            ("/100%25", Escape),
            ("/..%3b/a", Escape),
            ("/a%", Escape),
            ("/a%2", Escape),
            ("/a%zz", Escape),
            ("/a%+1", Escape),
            ("/a\\b", Character),
            ("/a;b=c", Character),
            ("/..;/a", Character),
            ("/a#b", Character),
            ("/a|b", Character),
            ("/caf\u{e9}", Character),
            ("/%c0%ae%c0%ae/a", NotUtf8),
            ("/%ff", NotUtf8),
        ] {
            assert_eq!(check(path), Err(why), "{path}");
        }
    }

    #[test]
    fn the_rest_of_a_path_is_what_follows_the_prefix() {
        for (path, count, rest) in [
            ("/a/1.0.0/x/y", 2, "/x/y"),
            ("/a/1.0.0/", 2, "/"),
            ("/a/1.0.0", 2, ""),
            ("/x", 0, "/x"),
            ("/", 0, "/"),
        ] {
            assert_eq!(after(path, count), rest, "{path} {count}");
        }
    }
}
