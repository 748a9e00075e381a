//! Which addresses a client may connect to, decided on the addresses that it then connects to.

use http::Uri;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use std::{
    error::Error,
    fmt,
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    vec,
};
use tower_service::Service;

/// IPv4 networks that are not the public internet (the special-purpose registry, RFC 6890).
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 16] = [
    // "This network": Linux connects 0.0.0.0 to itself (RFC 791).
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private (RFC 1918).
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Carrier-grade NAT (RFC 6598), in which Alibaba Cloud has its metadata service.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback (RFC 1122).
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Azure's wire server: a metadata service at an address that looks public.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // Link-local (RFC 3927), in which most clouds have their metadata service.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Private (RFC 1918).
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // Protocol assignments (RFC 6890), in which Oracle Cloud has its metadata service.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation (RFC 5737).
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // 6to4 relays, given up (RFC 7526).
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Private (RFC 1918).
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarks (RFC 2544).
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Documentation (RFC 5737).
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast (RFC 5771).
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved (RFC 1112); the last of them is broadcast (RFC 919).
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// What of IPv6 is given to networks; loopback, link-local, multicast and all else lies outside.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// IPv6 networks of global unicast that are not the public internet.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 3] = [
    // Protocol assignments (RFC 2928), among them Teredo, which embeds IPv4 addresses (RFC 4380).
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation (RFC 3849, RFC 9637).
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether this is an address of the public internet.
///
/// NAT64 under the well-known prefix (RFC 6052) and 6to4 (RFC 3056) are as public as the IPv4
/// address that they embed.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.segments() {
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
                is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
            }
            _ => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |&(network, prefix): &(Ipv4Addr, u32)| {
        (address.to_bits() ^ network.to_bits()).leading_zeros() >= prefix
    };
    !NOT_PUBLIC_V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within = |&(network, prefix): &(Ipv6Addr, u32)| {
        (address.to_bits() ^ network.to_bits()).leading_zeros() >= prefix
    };
    within(&GLOBAL_UNICAST) && !NOT_PUBLIC_V6.iter().any(within)
}

/// The addresses that may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// All.
    Everywhere,
    /// Those of the public internet.
    Public,
}

impl Reach {
    /// Checks a host that is written as an address: no resolver is asked for it.
    pub(super) fn check_literal(self, uri: &Uri) -> Result<(), NotPublic> {
        let host = uri.host().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        match bare.unwrap_or(host).parse() {
            // No address but a name. Odd spellings of an address (`127.1`, `0x7f000001`) are among
            // them: the system's resolver reads those.
            Err(_) => Ok(()),
            Ok(address) if self.includes(address) => Ok(()),
            Ok(_) => Err(NotPublic::new(host)),
        }
    }

    /// Those of a host's addresses that may be connected to.
    fn filter(self, host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
        let (allowed, refused): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|address| self.includes(address.ip()));
        if allowed.is_empty() && !refused.is_empty() {
            return Err(NotPublic::new(host));
        }
        Ok(allowed)
    }

    fn includes(self, address: IpAddr) -> bool {
        self == Self::Everywhere || is_public(address)
    }
}

/// The system's resolver, without the addresses that may not be connected to.
///
/// What it returns is what is connected to. A check of a lookup of its own, made before, could be
/// told other addresses than the connection is (DNS rebinding).
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    system: GaiResolver,
    reach: Reach,
}

impl Resolver {
    pub(super) fn new(reach: Reach) -> Self {
        Self {
            system: GaiResolver::new(),
            reach,
        }
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.system.poll_ready(cx)
    }

    fn call(&mut self, host: Name) -> Self::Future {
        let reach = self.reach;
        let found = self.system.call(host.clone());
        Box::pin(async move {
            let allowed = reach.filter(host.as_str(), found.await?.collect());
            allowed.map(Vec::into_iter).map_err(io::Error::other)
        })
    }
}

/// A host none of whose addresses is public.
///
/// It names none of them: how names resolve inside is nothing for logs to spread.
#[derive(Debug)]
pub(super) struct NotPublic {
    host: String,
}

impl NotPublic {
    fn new(host: &str) -> Self {
        Self {
            // A name of the DNS is no longer.
            host: host.chars().take(253).collect(),
        }
    }
}

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the address of {:?} is not public", self.host)
    }
}

impl Error for NotPublic {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::ToSocketAddrs;

    /// A public neighbour below, the first and the last address of a network that is not public,
    /// and a public neighbour above; `-` where the neighbour is not public either.
    const NETWORKS: &str = "
        -               0.0.0.0        0.255.255.255   1.0.0.0
        9.255.255.255   10.0.0.0       10.255.255.255  11.0.0.0
        100.63.255.255  100.64.0.0     100.127.255.255 100.128.0.0
        126.255.255.255 127.0.0.0      127.255.255.255 128.0.0.0
        168.63.129.15   168.63.129.16  168.63.129.16   168.63.129.17
        169.253.255.255 169.254.0.0    169.254.255.255 169.255.0.0
        172.15.255.255  172.16.0.0     172.31.255.255  172.32.0.0
        191.255.255.255 192.0.0.0      192.0.0.255     192.0.1.0
        192.0.1.255     192.0.2.0      192.0.2.255     192.0.3.0
        192.88.98.255   192.88.99.0    192.88.99.255   192.88.100.0
        192.167.255.255 192.168.0.0    192.168.255.255 192.169.0.0
        198.17.255.255  198.18.0.0     198.19.255.255  198.20.0.0
        198.51.99.255   198.51.100.0   198.51.100.255  198.51.101.0
        203.0.112.255   203.0.113.0    203.0.113.255   203.0.114.0
        223.255.255.255 224.0.0.0      239.255.255.255 -
        -               240.0.0.0      255.255.255.255 -

        -           ::                 ::1                 -
        -           ::2                ::ffff:ffff         -
        -           ::8.8.8.8          ::203.0.114.0       -
        -           ::ffff:0.0.0.0     ::ffff:255.255.255.255 -
        -           ::ffff:8.8.8.8     ::ffff:127.0.0.1    -
        -           64:ff9a:ffff::     64:ff9b::0.255.255.255 64:ff9b::1.0.0.0
        64:ff9b::9.255.255.255 64:ff9b::10.0.0.0 64:ff9b::10.255.255.255 64:ff9b::11.0.0.0
        64:ff9b::223.255.255.255 64:ff9b::224.0.0.0 64:ff9b::255.255.255.255 -
        -           64:ff9b::1:0:0     64:ff9b:0:ffff:ffff:ffff:ffff:ffff -
        -           64:ff9b:1::        64:ff9b:1:ffff:ffff:ffff:ffff:ffff -
        -           64:ff9b:1::8.8.8.8 64:ff9b:2::         -
        -           100::              100::ffff:ffff:ffff:ffff -
        -           1000::             1fff:ffff::         2000::
        2000:ffff:: 2001::             2001:0:ffff::       -
        -           2001:1::           2001:1ff:ffff::     2001:200::
        2001:db7:ffff:: 2001:db8::     2001:db8:ffff::     2001:db9::
        2001:ffff:: 2002::             2002:ff:ffff::      2002:100::
        2002:9ff:ffff:: 2002:a00::     2002:aff:ffff::     2002:b00::
        2002:dfff:ffff:: 2002:e000::   2002:ffff:ffff::    2003::
        3ffe:ffff:: 3fff::             3fff:fff:ffff::     3fff:1000::
        3fff:ffff:: 4000::             5eff:ffff::         -
        -           5f00::             5f00:ffff::         -
        -           fc00::             fdff:ffff::         -
        -           fe80::             febf:ffff::         -
        -           fec0::             feff:ffff::         -
        -           ff00::             ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff -
    ";

    #[test]
    fn special_networks_are_not_public_and_their_neighbors_are() {
        for row in NETWORKS.lines().filter(|row| !row.trim().is_empty()) {
            let [before, first, last, after] =
                <[&str; 4]>::try_from(Vec::from_iter(row.split_whitespace())).unwrap();
            for (text, public) in [(before, true), (first, false), (last, false), (after, true)] {
                if text != "-" {
                    assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
                }
            }
        }
    }

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        let parse = |text: &&str| SocketAddr::new(text.parse().unwrap(), 443);
        texts.iter().map(parse).collect()
    }

    #[test]
    fn of_several_addresses_only_the_public_ones_are_left() {
        let mixed = addresses(&["10.0.0.1", "93.184.215.14", "::1", "2606:2800:21f::1"]);
        let public = addresses(&["93.184.215.14", "2606:2800:21f::1"]);
        let filtered = |reach: Reach| reach.filter("a.example", mixed.clone()).unwrap();
        assert_eq!(filtered(Reach::Public), public);
        assert_eq!(filtered(Reach::Everywhere), mixed);

        let private = addresses(&["10.0.0.1", "fd00::1"]);
        let error = Reach::Public.filter("a.example", private).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"the address of "a.example" is not public"#
        );
    }

    #[test]
    fn a_host_written_as_an_address_is_checked_without_a_lookup() {
        let check = |host: &str, allowed: bool| {
            let uri = format!("https://{host}:8443/jwks.json").parse().unwrap();
            assert_eq!(Reach::Public.check_literal(&uri).is_ok(), allowed, "{host}");
            assert!(Reach::Everywhere.check_literal(&uri).is_ok(), "{host}");
        };
        check("127.0.0.1", false);
        check("user@169.254.169.254", false);
        check("[::1]", false);
        check("[::ffff:127.0.0.1]", false);
        check("[64:ff9b::7f00:1]", false);
        check("93.184.215.14", true);
        check("[2606:2800:21f::1]", true);
        check("idp.example", true);
    }

    #[tokio::test]
    async fn odd_spellings_of_an_address_are_caught_by_the_resolver() {
        for host in ["localhost", "127.1", "2130706433", "0x7f000001"] {
            // Whichever of them the system's resolver reads at all.
            if (host, 443).to_socket_addrs().is_err() {
                continue;
            }
            let answer = Resolver::new(Reach::Public).call(host.parse().unwrap());
            let error = answer.await.unwrap_err().to_string();
            assert_eq!(error, format!("the address of {host:?} is not public"));
        }
    }
}
