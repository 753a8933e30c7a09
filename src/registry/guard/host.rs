//! A host and its port, as one parser reads them: the URL standard's, which is
//! also what requests are made of. So `0x7f.1`, `2130706433` and `127.0.0.1` are
//! one address, and no second reading can make something else of a name.

use std::fmt;
use std::net::IpAddr;

use url::Host;
use url::Url;

/// The port of HTTPS.
const HTTPS_PORT: u16 = 443;

/// Where a connection leads: a host, in normal form, and a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority {
    host: Host<String>,
    port: u16,
}

impl Authority {
    /// Reads `host`, `host:port`, `[v6]:port`; port 443 when there is none.
    ///
    /// # Errors
    /// When it is not a host alone: an address in another notation than the usual one, too.
    pub fn parse(text: &str) -> Result<Authority, String> {
        let wrong = || format!("{text:?} is not a host, such as registry.example.com or 10.1.2.3:5000");
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains(PARTS) {
            return Err(wrong());
        }
        let url = Url::parse(&format!("https://{text}")).map_err(|_| wrong())?;
        let authority = Authority::of(&url).ok_or_else(wrong)?;
        let plain = match authority.host {
            // What the URL standard reads as an address must have been written as one.
            Host::Ipv4(address) => text == address.to_string() || text.starts_with(&format!("{address}:")),
            Host::Ipv6(_) => true,
            Host::Domain(ref name) => !name.ends_with('.') && !name.contains('%'),
        };
        if plain { Ok(authority) } else { Err(wrong()) }
    }

    /// Where a URL leads; `None` when it names no host or holds a user name.
    pub(super) fn of(url: &Url) -> Option<Authority> {
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        Some(Authority { host: url.host()?.to_owned(), port: url.port_or_known_default()? })
    }

    /// The address, where the host is one and not a name.
    pub(super) fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        }
    }

    /// The host alone; an IPv6 address without brackets.
    pub(super) fn name(&self) -> String {
        match &self.host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        }
    }

    /// Host and port, the port always: what a request is made of.
    pub(super) fn with_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

/// What separates a host from something else.
const PARTS: [char; 5] = ['/', '\\', '?', '#', '@'];

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            HTTPS_PORT => write!(f, "{}", self.host),
            port => write!(f, "{}:{port}", self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_one_form() {
        for (text, form) in [
            ("GHCR.io", "ghcr.io"),
            ("ghcr.io:443", "ghcr.io"),
            ("localhost:5000", "localhost:5000"),
            ("10.1.2.3:5000", "10.1.2.3:5000"),
            ("[::1]:5000", "[::1]:5000"),
            ("[0:0:0:0:0:ffff:127.0.0.1]", "[::ffff:7f00:1]"),
        ] {
            assert_eq!(Authority::parse(text).map(|it| it.to_string()).as_deref(), Ok(form), "{text}");
        }
    }

    #[test]
    fn an_address_in_another_notation_is_no_host() {
        for text in [
            "2130706433",
            "2130706433:5000",
            "0x7f.1",
            "0x7f000001",
            "017700000001",
            "127.1",
            "0177.0.0.1",
            "127.0.0.01",
            "127.0.0.1.",
            "ghcr.io.",
            "a b",
            "a/b",
            "user@host",
            "host\\x",
            "host?x",
            "host#x",
            "",
            "host:70000",
            "host:x",
            "[::1",
            "%31.1.1.1",
            "ghcr\u{3002}io",
        ] {
            assert!(Authority::parse(text).is_err(), "{text}");
        }
    }
}
