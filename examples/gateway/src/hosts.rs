//! The names by which the admin address may be asked.
//!
//! A web page can have a browser ask any address under the page's own name, once a name server says that
//! the name is there (DNS rebinding), and then read the answer. So a name has to be one that only
//! whoever runs the gateway gives away.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::{Request, header, uri::Authority};

use crate::error::Fault;

/// Names besides those that need no name server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    pub(crate) fn new(names: Vec<String>) -> Result<Self, Fault> {
        for (index, name) in names.iter().enumerate() {
            let is_a_name = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
            if !is_a_name {
                return Err(Fault::new(
                    format!("admin.hosts[{index}]"),
                    format!("`{name}` is no name of a host, without scheme and port"),
                ));
            }
        }
        Ok(Self(names))
    }

    /// Whether each name in the request is one of them. Without any it is no browser's.
    pub(crate) fn allow<B>(&self, request: &Request<B>) -> bool {
        let fields = request.headers().get_all(header::HOST);
        request.uri().authority().is_none_or(|name| self.has(name))
            && fields.iter().all(|field| {
                Authority::try_from(field.as_bytes()).is_ok_and(|name| self.has(&name))
            })
    }

    fn has(&self, authority: &Authority) -> bool {
        let host = authority.host();
        // Neither a name before it, nor more of one behind the brackets.
        let is_alone = match authority.as_str().strip_prefix(host) {
            Some("") => true,
            Some(rest) => rest
                .strip_prefix(':')
                .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit())),
            None => false,
        };
        if !is_alone {
            return false;
        }
        let in_brackets = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(address) = in_brackets {
            return address.parse::<Ipv6Addr>().is_ok();
        }
        is_localhost(host)
            || host.parse::<Ipv4Addr>().is_ok()
            || self
                .0
                .iter()
                .any(|name| relative(name).eq_ignore_ascii_case(relative(host)))
    }
}

/// RFC 6761 section 6.3: no name server is asked for it.
pub(crate) fn is_localhost(host: &str) -> bool {
    let last = relative(host).rsplit('.').next();
    last.is_some_and(|label| label.eq_ignore_ascii_case("localhost"))
}

/// Without the dot of the root.
fn relative(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(authority: &str, expected: bool) {
        let hosts = Hosts::new(vec!["gateway.ops.svc".to_owned(), "node_1".to_owned()]).unwrap();
        let in_field = Request::builder()
            .header("host", authority)
            .body(())
            .unwrap();
        assert_eq!(hosts.allow(&in_field), expected, "{authority}");
        let Ok(authority) = authority.parse::<Authority>() else {
            return;
        };
        let uri = format!("http://{authority}/healthz");
        let in_target = Request::builder().uri(uri).header("host", "127.0.0.1");
        let in_target = in_target.body(()).unwrap();
        assert_eq!(hosts.allow(&in_target), expected, "{authority}");
    }

    #[test]
    fn a_name_that_anybody_can_give_an_address_is_refused() {
        for allowed in [
            "127.0.0.1",
            "127.0.0.1:9443",
            "10.1.2.3:9443",
            "[::1]",
            "[::1]:9443",
            "localhost",
            "LocalHost:9443",
            "localhost.",
            "a.localhost:1",
            "gateway.ops.svc",
            "Gateway.ops.SVC.:9443",
            "node_1",
        ] {
            check(allowed, true);
        }
        for refused in [
            "attacker.example",
            "localhost.attacker.example",
            "127.0.0.1.attacker.example",
            "notlocalhost",
            "127.1",
            "2130706433",
            "svc",
            "a.gateway.ops.svc",
            "user@127.0.0.1",
            "127.0.0.1@attacker.example",
            "[::1].attacker.example",
            "",
        ] {
            check(refused, false);
        }
    }

    #[test]
    fn each_name_has_to_be_allowed_and_none_is_no_browsers() {
        let hosts = Hosts::default();
        assert!(hosts.allow(&Request::new(())));
        let two = Request::builder()
            .header("host", "127.0.0.1")
            .header("host", "attacker.example");
        assert!(!hosts.allow(&two.body(()).unwrap()));
        let two = Request::builder()
            .uri("http://127.0.0.1/")
            .header("host", "attacker.example");
        assert!(!hosts.allow(&two.body(()).unwrap()));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", "a:9443", "http://a", "*", "[::1]", "a b"] {
            let error = Hosts::new(vec![name.to_owned()]).unwrap_err();
            assert_eq!(error.field(), "admin.hosts[0]", "{name}");
        }
    }
}
