//! Which addresses may be connected to: public ones, and those that the operator
//! lists for a registry; the metadata services of clouds never.
//!
//! Sources: the IANA special-purpose address registries for IPv4 and IPv6 (RFC
//! 6890 and its updates), RFC 6052 for NAT64, and what the clouds document of
//! their metadata services.

use std::fmt;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// What clouds hand out credentials at, beside everything that is link-local.
const METADATA: [IpAddr; 6] = [
    // Alibaba Cloud.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    // Azure's wire server; the address is a public one.
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    // Oracle Cloud.
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    // AWS: instances, and containers.
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    // Google Cloud.
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// IPv4 networks that are not the public Internet.
const NOT_PUBLIC_V4: [(Ipv4Addr, u8, &str); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "of this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "of a carrier's inner network"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "this machine"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "reserved"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// IPv6 networks inside 2000::/3 that are not the public Internet.
const NOT_PUBLIC_V6: [(Ipv6Addr, u8, &str); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "for documentation"),
    // 6to4 leads to any IPv4 address.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "a tunnel"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "for documentation"),
];

/// A network that the operator lists: `10.1.0.0/16`, `fd12::/16`, `127.0.0.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => in_v4(address, network, self.bits),
            (IpAddr::V6(network), IpAddr::V6(address)) => in_v6(address, network, self.bits),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let wrong = || format!("{text:?} is no range of addresses, such as \"10.1.0.0/16\" or \"fd12::/16\"");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?,
        };
        Ok(Network { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// Whether an address may be connected to; `permitted` is what the operator lists.
///
/// # Errors
/// With what the address is: `10.0.0.1 is a private address`.
pub(super) fn check(address: IpAddr, permitted: &[Network]) -> Result<(), String> {
    let meant = embedded(address).map_or(address, IpAddr::V4);
    if METADATA.contains(&meant) || METADATA.contains(&address) || is_link_local(meant) {
        return Err(format!("{address} is where clouds keep metadata, or link-local"));
    }
    match not_public(meant) {
        None => Ok(()),
        Some(_) if permitted.iter().any(|network| network.holds(address) || network.holds(meant)) => Ok(()),
        Some(what) => Err(format!("{address} is not public ({what})")),
    }
}

/// The IPv4 address that an IPv6 address stands for: v4-mapped, or by NAT64's well-known prefix.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let [a, b, c, d, e, f, high, low] = address.segments();
    let mapped = [a, b, c, d, e, f] == [0, 0, 0, 0, 0, 0xffff];
    let translated = [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0];
    let [first, second] = high.to_be_bytes();
    let [third, fourth] = low.to_be_bytes();
    (mapped || translated).then(|| Ipv4Addr::new(first, second, third, fourth))
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => in_v6(address, Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    }
}

/// What an address is that is not of the public Internet.
fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => NOT_PUBLIC_V4
            .iter()
            .find(|(network, bits, _)| in_v4(address, *network, *bits))
            .map(|(_, _, what)| *what),
        IpAddr::V6(address) if address.is_loopback() => Some("this machine"),
        IpAddr::V6(address) if in_v6(address, Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7) => {
            Some("private")
        }
        IpAddr::V6(address) if !in_v6(address, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3) => {
            Some("reserved")
        }
        IpAddr::V6(address) => NOT_PUBLIC_V6
            .iter()
            .find(|(network, bits, _)| in_v6(address, *network, *bits))
            .map(|(_, _, what)| *what),
    }
}

fn in_v4(address: Ipv4Addr, network: Ipv4Addr, bits: u8) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
    address.to_bits() & mask == network.to_bits() & mask
}

fn in_v6(address: Ipv6Addr, network: Ipv6Addr, bits: u8) -> bool {
    let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
    address.to_bits() & mask == network.to_bits() & mask
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn may(address: &str, permitted: &[&str]) -> bool {
        let permitted: Vec<Network> = permitted.iter().map(|text| text.parse().unwrap()).collect();
        check(address.parse().unwrap(), &permitted).is_ok()
    }

    #[test]
    fn public_addresses_pass() {
        for address in ["1.1.1.1", "44.205.64.79", "172.32.0.1", "100.128.0.1", "2606:4700::6810:84e5"] {
            assert!(may(address, &[]), "{address}");
        }
        // NAT64 of a public address.
        assert!(may("64:ff9b::101:101", &[]));
    }

    #[test]
    fn what_is_not_public_is_refused_in_every_dress() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.18.0.1",
            "192.0.2.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "100::1",
        ] {
            assert!(!may(address, &[]), "{address}");
        }
    }

    #[test]
    fn the_operator_permits_ranges_and_never_metadata() {
        assert!(may("10.1.2.3", &["10.1.0.0/16"]) && !may("10.2.2.3", &["10.1.0.0/16"]));
        assert!(may("127.0.0.1", &["127.0.0.1"]) && !may("127.0.0.2", &["127.0.0.1"]));
        assert!(may("::ffff:10.1.2.3", &["10.1.0.0/16"]) && may("fd12::5", &["fd12::/16"]));
        let everything = ["0.0.0.0/0", "::/0"];
        assert!(may("192.168.0.1", &everything) && may("::1", &everything));
        for metadata in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "169.254.170.2",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
        ] {
            assert!(!may(metadata, &everything), "{metadata}");
        }
    }

    #[test]
    fn a_range_is_read_or_refused() {
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "a/8", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        assert_eq!("10.0.0.1".parse::<Network>().unwrap().to_string(), "10.0.0.1/32");
    }
}
