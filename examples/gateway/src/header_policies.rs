//! `AddHeader`, `SetHeader` and `RemoveHeader`: headers as the author of an API wants them.
//!
//! On requests after authentication and before the backend JWT is set; on responses only those of the
//! service behind, not on refusals. The trailers of both are left alone.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    fold::{alike, folded},
    forwarded,
    hop_by_hop::is_hop_by_hop,
    loops::CDN_LOOP,
};

/// What is done to one header.
///
/// The values are marked as sensitive, so that `Debug` does not show them: one may be a key for the
/// service behind.
#[derive(Debug, Clone)]
pub(crate) enum HeaderPolicy {
    /// One value more than there are.
    Add(HeaderName, HeaderValue),
    /// This value in the place of all that there are.
    Set(HeaderName, HeaderValue),
    Remove(HeaderName),
}

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}

impl HeaderPolicy {
    pub(crate) fn name(&self) -> &HeaderName {
        match self {
            Self::Add(name, _) | Self::Set(name, _) | Self::Remove(name) => name,
        }
    }

    /// Whether the gateway would be another one with this policy: the header is its own to set, or
    /// says where a message ends.
    ///
    /// Names are compared folded, as the service behind may read them.
    pub(crate) fn check(&self, direction: Direction) -> Result<(), &'static str> {
        let name = folded(self.name());
        if is_hop_by_hop(&name) || matches!(name.as_str(), "content-length" | "expect" | "host") {
            return Err("belongs to the connection or frames the message");
        }
        if direction == Direction::Request && name == CDN_LOOP.as_str() {
            return Err("is for finding requests that go in a circle");
        }
        if name == "authorization" {
            return Err("is for credentials, and those for the service behind are not implemented");
        }
        // In a response nobody believes them; some services tell in one how long they took.
        if direction == Direction::Request && forwarded::is_claim(self.name()) {
            return Err("is one that only the gateway may set");
        }
        Ok(())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a value beside the others is what is asked for; headers of identity are refused"
    )]
    fn apply(&self, headers: &mut HeaderMap) {
        match self {
            Self::Add(name, value) => {
                headers.append(name, value.clone());
            }
            Self::Set(name, value) => {
                remove(headers, name);
                headers.insert(name, value.clone());
            }
            Self::Remove(name) => remove(headers, name),
        }
    }
}

/// Also what a service behind may take for it: else a client's `X_Tenant` would stand beside the
/// `X-Tenant` that a policy has set.
fn remove(headers: &mut HeaderMap, name: &HeaderName) {
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|other| alike(name, other))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

/// Policies in the order in which they are applied. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeaderPolicies {
    for_all: Arc<[HeaderPolicy]>,
    own: Arc<[HeaderPolicy]>,
}

impl HeaderPolicies {
    /// With those of one operation after those of the API, which all operations share.
    pub(crate) fn then(&self, own: Arc<[HeaderPolicy]>) -> Self {
        let for_all = Arc::clone(&self.for_all);
        Self { for_all, own }
    }

    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        for policy in self.for_all.iter().chain(self.own.iter()) {
            policy.apply(headers);
        }
    }
}

impl FromIterator<HeaderPolicy> for HeaderPolicies {
    fn from_iter<I: IntoIterator<Item = HeaderPolicy>>(policies: I) -> Self {
        Self {
            for_all: policies.into_iter().collect(),
            own: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> HeaderName {
        HeaderName::try_from(name).unwrap()
    }

    fn add(header: &str, value: &'static str) -> HeaderPolicy {
        HeaderPolicy::Add(name(header), HeaderValue::from_static(value))
    }

    fn set(header: &str, value: &'static str) -> HeaderPolicy {
        HeaderPolicy::Set(name(header), HeaderValue::from_static(value))
    }

    fn remove(header: &str) -> HeaderPolicy {
        HeaderPolicy::Remove(name(header))
    }

    #[track_caller]
    fn check(policies: impl IntoIterator<Item = HeaderPolicy>, expected: &[(&str, &str)]) {
        let given = [
            ("x-foo", "1"),
            ("x_foo", "2"),
            ("x-foo", "3"),
            ("x-bar", "4"),
        ];
        let mut headers: HeaderMap = given
            .map(|(header, value)| (name(header), HeaderValue::from_static(value)))
            .into_iter()
            .collect();
        policies
            .into_iter()
            .collect::<HeaderPolicies>()
            .apply(&mut headers);
        let mut left: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        left.sort_unstable();
        assert_eq!(left, expected);
    }

    #[test]
    fn each_policy_does_what_it_is_called() {
        let bar = ("x-bar", "4");
        let all = [
            bar,
            ("x-foo", "1"),
            ("x-foo", "3"),
            ("x-foo", "5"),
            ("x_foo", "2"),
        ];
        check([add("X-Foo", "5")], &all);
        check([set("X-Foo", "5")], &[bar, ("x-foo", "5")]);
        check([remove("X-Foo")], &[bar]);
        check([remove("X.Foo")], &[bar]);
        check(
            [add("x-new", "5")],
            &[bar, all[1], all[2], ("x-new", "5"), all[4]],
        );
        check([remove("x-new")], &[bar, all[1], all[2], all[4]]);
    }

    #[test]
    fn policies_are_applied_in_the_order_they_are_written() {
        let both = [("x-bar", "5"), ("x-bar", "6"), ("x-foo", "5")];
        check(
            [set("x-foo", "5"), set("x-bar", "5"), add("x-bar", "6")],
            &both,
        );
        check([add("x-foo", "5"), remove("x-foo")], &[("x-bar", "4")]);
        check(
            [remove("x-foo"), add("x-foo", "5")],
            &[("x-bar", "4"), ("x-foo", "5")],
        );
    }

    #[test]
    fn what_the_gateway_sets_and_what_frames_a_message_is_nobody_elses() {
        let both = [
            "Authorization",
            "Connection",
            "Content-Length",
            "Content_Length",
            "Expect",
            "Host",
            "HTTP2-Settings",
            "Keep-Alive",
            "Proxy",
            "Proxy-Authorization",
            "TE",
            "Trailer",
            "Transfer-Encoding",
            "transfer_encoding",
            "Upgrade",
        ];
        let requests = [
            "CDN-Loop",
            "Client-Cert",
            "Forwarded",
            "Remote-User",
            "X-Envoy-Internal",
            "X-Forwarded-For",
            "X-HTTP-Method-Override",
            "X-Original-URL",
            "X-Real-IP",
            "X_Forwarded_Host",
        ];
        for header in both.iter().chain(&requests) {
            for policy in [add(header, "x"), set(header, "x"), remove(header)] {
                assert!(policy.check(Direction::Request).is_err(), "{header}");
                assert_eq!(
                    policy.check(Direction::Response).is_err(),
                    both.contains(header),
                    "{header}"
                );
            }
        }
        for header in ["Accept", "Content-Type", "Cookie", "Set-Cookie", "X-Tenant"] {
            assert_eq!(
                set(header, "x").check(Direction::Request),
                Ok(()),
                "{header}"
            );
            assert_eq!(
                set(header, "x").check(Direction::Response),
                Ok(()),
                "{header}"
            );
        }
    }
}
