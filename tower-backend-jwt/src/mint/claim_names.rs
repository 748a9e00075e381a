//! Which claim names belong to whom.
//!
//! They are compared without regard to case. To Go's parser of JSON, and to .NET's by default, a claim `Sub` behind the claim
//! `sub` is the subject; and the claims of an access token are copied behind the gateway's.

use std::borrow::Cow;

/// A name, to be compared without regard to case.
pub(super) fn folded(name: &str) -> Cow<'_, str> {
    let is_folded = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if name.bytes().all(is_folded) {
        return Cow::Borrowed(name);
    }
    // There and back, since some letters have no other way to those of ASCII: the long s, the sign of the kelvin.
    let upper = name.chars().flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).collect()
}

/// Claims of the JWT itself, which only the gateway makes (RFC 7519 section 4.1). None of them is
/// copied from the access token.
const REGISTERED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// Claims of an access token that are never copied: those of the token itself, those that WSO2's
/// key manager uses for its own purposes, and the binding to a key that the backend JWT has not. [Folded](folded).
const RESTRICTED: [&str; 12] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "application",
    "tierinfo",
    "subscribedapis",
    "aut",
    "cnf",
];

/// Whether a claim of this name is never copied from an access token.
pub(super) fn is_restricted(name: &str) -> bool {
    RESTRICTED.contains(&&*folded(name))
}

/// The claims of the dialect: what the gateway says of the API, the application and the user. [Folded](folded).
const DIALECT: [&str; 14] = [
    "apiname",
    "apicontext",
    "version",
    "keytype",
    "usertype",
    "enduser",
    "endusertenantid",
    "subscriber",
    "applicationid",
    "applicationuuid",
    "applicationname",
    "applicationtier",
    "applicationattributes",
    "tier",
];

/// The prefix of WSO2's gateways.
const USUAL: &str = "http://wso2.org/claims/";

/// The prefix of the gateway's claims, if it makes any beside those of the JWT itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dialect(Option<String>);

impl Dialect {
    /// Nothing is said of the API and the application.
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// A slash separates a prefix from a name, unless it ends in one or there is none.
    pub(super) fn new(prefix: &str) -> Self {
        let mut prefix = prefix.to_owned();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        Self(Some(prefix))
    }

    /// The name of a claim, if it is made.
    pub(super) fn name(&self, short: &str) -> Option<String> {
        self.0.as_ref().map(|prefix| format!("{prefix}{short}"))
    }

    /// Whether a claim of this name is the gateway's to make, be it made or not: an access token
    /// must not be able to fill in a subscriber where there is none. Nor in the usual dialect, whichever
    /// this is: services behind may know that one only.
    pub(super) fn owns(&self, name: &str) -> bool {
        let name = &*folded(name);
        let prefixes = self.0.as_deref().into_iter().chain([USUAL]);
        REGISTERED.contains(&name)
            || prefixes
                .filter_map(|prefix| name.strip_prefix(&*folded(prefix)))
                .any(|short| DIALECT.contains(&short))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_stands_between_a_dialect_and_a_name() {
        for (prefix, name) in [
            ("http://wso2.org/claims", "http://wso2.org/claims/tier"),
            ("http://wso2.org/claims/", "http://wso2.org/claims/tier"),
            ("/", "/tier"),
            ("", "tier"),
        ] {
            let dialect = Dialect::new(prefix);
            assert_eq!(dialect.name("tier").as_deref(), Some(name));
            assert!(dialect.owns(name));
        }
        assert!(!Dialect::new("http://wso2.org/claims").owns("tier"));
        assert!(!Dialect::new("http://wso2.org/claims").owns("http://wso2.org/claims/role"));
        for other in [Dialect::new("x"), Dialect::new(""), Dialect::none()] {
            assert!(other.owns("http://wso2.org/claims/enduser"));
            assert!(!other.owns("http://wso2.org/claims/role"));
        }
        for name in [
            "Sub",
            "EXP",
            "\u{17f}ub",
            "http://WSO2.org/claims/endUserTenantID",
        ] {
            assert!(Dialect::new("x").owns(name), "{name}");
        }
        assert!(
            Dialect::new("X").owns("x/Tier") && Dialect::new("x").owns("X/\u{17f}ub\u{17f}criber")
        );
        assert!(
            is_restricted("SubscribedAPIs") && is_restricted("tierInfo") && is_restricted("CNF")
        );
        assert!(!is_restricted("scope"));
        assert!(Dialect::new("x").owns("exp"));
        assert!(Dialect::none().owns("exp") && !Dialect::none().owns("tier"));
        assert_eq!(Dialect::none().name("tier"), None);
    }
}
