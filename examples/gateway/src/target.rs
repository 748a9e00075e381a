//! An operation's target: `/orders/{id}/lines`, `/files/*`.

use percent_encoding::percent_decode_str;

use crate::path;

/// A target, taken apart. Of two that match the same path, the more specific sorts first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target(Vec<Part>);

/// The order of the variants is the order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// The segment, unescaped.
    Literal(String),
    /// `{name}`: any one segment. The name has no meaning, so `{a}` and `{b}` are the same.
    Parameter,
    /// `*` at the end: any number of segments, none included.
    Rest,
}

impl Target {
    /// Takes a target of an apk-conf apart.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // Without the braces it has to be a path that a request could have.
        let plain: String = text.chars().filter(|c| !matches!(c, '{' | '}')).collect();
        path::check(&plain).map_err(|why| why.text().to_owned())?;

        let mut parts = Vec::new();
        for segment in path::segments(text) {
            if parts.last() == Some(&Part::Rest) {
                return Err("`*` can only be the last segment".to_owned());
            }
            let name = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            parts.push(match name {
                Some(name) if !name.is_empty() && !name.contains(['{', '}', '*']) => {
                    Part::Parameter
                }
                None if segment == "*" => Part::Rest,
                None if !segment.contains(['{', '}', '*']) => Part::Literal(decoded(segment)),
                _ => {
                    return Err(format!(
                        "`{segment}`: `{{name}}` and `*` have to be whole segments"
                    ));
                }
            });
        }
        Ok(Self(parts))
    }

    /// Whether a checked path is of this target.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let mut segments = path::segments(path);
        for part in &self.0 {
            let fits = match (part, segments.next()) {
                (Part::Rest, _) => return true,
                (Part::Parameter, segment) => segment.is_some(),
                (Part::Literal(literal), segment) => {
                    segment.is_some_and(|segment| is(segment, literal))
                }
            };
            if !fits {
                return false;
            }
        }
        segments.next().is_none()
    }
}

/// Where an API is served: literal segments only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix(Vec<String>);

impl Prefix {
    /// `path` has to be a checked one.
    pub(crate) fn new(path: &str) -> Self {
        Self(path::segments(path).map(decoded).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the other one is longer, and begins with this one.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.len() < other.len() && other.0.starts_with(&self.0)
    }

    /// What a checked path has behind this prefix, if it starts with it.
    pub(crate) fn strip<'p>(&self, path: &'p str) -> Option<&'p str> {
        let mut segments = path::segments(path);
        self.0
            .iter()
            .all(|literal| segments.next().is_some_and(|segment| is(segment, literal)))
            .then(|| path::after(path, self.0.len()))
    }
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// Compared unescaped, as the service behind will: `/%61dmin` must not slip past the rule of `/admin`.
fn is(segment: &str, literal: &str) -> bool {
    if segment.contains('%') {
        percent_decode_str(segment).eq(literal.bytes())
    } else {
        segment == literal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        Target::parse(text).unwrap()
    }

    #[test]
    fn a_target_matches_its_paths_and_no_others() {
        for (text, paths, others) in [
            (
                "/test",
                &["/test", "/test/", "/t%65st"][..],
                &["/", "/tes", "/test/a", "/Test"][..],
            ),
            ("/test/", &["/test", "/test/"], &["/test/a"]),
            ("/", &["/"], &["/a"]),
            (
                "/a/{id}",
                &["/a/1", "/a/%7B", "/a/1/"],
                &["/a", "/a/", "/a/1/b"],
            ),
            ("/a/{id}/b", &["/a/1/b"], &["/a/b", "/a/1/c"]),
            ("/a/*", &["/a", "/a/", "/a/b", "/a/b/c"], &["/", "/ab"]),
            ("/*", &["/", "/a", "/a/b"], &[]),
            ("/caf%C3%A9", &["/caf%c3%a9", "/c%61f%C3%A9"], &["/cafe"]),
        ] {
            for path in paths {
                assert!(target(text).matches(path), "{text} {path}");
            }
            for path in others {
                assert!(!target(text).matches(path), "{text} {path}");
            }
        }
    }

    #[test]
    fn the_more_specific_target_sorts_first() {
        let mut targets = [
            "/*", "/{a}/*", "/a/*", "/{a}", "/a/{b}/c", "/a/{b}", "/a/b", "/a",
        ]
        .map(target);
        targets.sort();
        let order = [
            "/a", "/a/b", "/a/{b}", "/a/{b}/c", "/a/*", "/{a}", "/{a}/*", "/*",
        ]
        .map(target);
        assert_eq!(targets, order);
    }

    #[test]
    fn targets_that_stand_for_the_same_paths_are_equal() {
        assert_eq!(target("/a/{b}"), target("/a/{c}/"));
        assert_eq!(target("/caf%C3%A9"), target("/c%61f%c3%a9"));
    }

    #[test]
    fn a_target_that_cannot_be_served_is_refused() {
        for text in [
            "",
            "test",
            "*",
            "/a*",
            "/*/a",
            "/a.{format}",
            "/{}",
            "/{a}{b}",
            "/{a",
            "/../a",
            "/a//b",
            "/a?b=c",
            "/a;b",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_prefix_leaves_the_rest_of_the_path_as_it_was_written() {
        let prefix = Prefix::new("/backend_jwt/1.0.0");
        for (path, rest) in [
            ("/backend_jwt/1.0.0/test", Some("/test")),
            ("/backend_jwt/1.0.0/t%65st/", Some("/t%65st/")),
            ("/backend%5Fjwt/1.0.0/", Some("/")),
            ("/backend_jwt/1.0.0", Some("")),
            ("/backend_jwt/1.0.00/test", None),
            ("/backend_jwt", None),
        ] {
            assert_eq!(prefix.strip(path), rest, "{path}");
        }
    }
}
