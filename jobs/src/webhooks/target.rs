//! Where webhooks may go. An address that somebody typed in must not make us a door into the
//! network that we stand in: only public addresses are sent to, and what was checked is what is
//! connected to (see `send.rs`).
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// What the operator allows beyond https to public addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct AddressPolicy {
    /// Let webhooks go to private and loopback addresses too. Never to link-local ones (where
    /// clouds keep their credentials), multicast or unspecified ones.
    #[arg(
        id = "allow_private_webhooks",
        long = "allow-private-webhooks",
        env = "WAVETANK_ALLOW_PRIVATE_WEBHOOKS"
    )]
    pub private: bool,
    /// Let webhooks go over plain http.
    #[arg(
        id = "allow_http_webhooks",
        long = "allow-http-webhooks",
        env = "WAVETANK_ALLOW_HTTP_WEBHOOKS"
    )]
    pub http: bool,
}

/// An address that was read and can be sent to, as far as its text tells.
#[derive(Clone, Debug)]
pub struct Target {
    /// The address as it is stored and shown.
    pub url: Url,
    /// The host, without the brackets of IPv6.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

/// Why an address cannot be a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// It is no URL with a host.
    #[error("it is no absolute URL with a host")]
    Form,
    /// It is not https.
    #[error("it must begin with https://")]
    Scheme,
    /// It holds a user or a password.
    #[error("it must not hold a user or a password")]
    Credentials,
    /// It has a fragment, which is never sent.
    #[error("it must not have a fragment")]
    Fragment,
    /// It names this machine or its network.
    #[error("it names an address that is not public")]
    Address,
}

impl Target {
    /// Reads an address. A name is looked up only when something is sent.
    ///
    /// # Errors
    /// It cannot be a target.
    pub fn parse(text: &str, policy: AddressPolicy) -> Result<Self, BadUrl> {
        // The parser would drop these silently, and what is shown would not be what is called.
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(BadUrl::Form);
        }
        let url = Url::parse(text).map_err(|_| BadUrl::Form)?;
        let tls = match url.scheme() {
            "https" => true,
            "http" if policy.http => false,
            _ => return Err(BadUrl::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadUrl::Credentials);
        }
        if url.fragment().is_some() {
            return Err(BadUrl::Fragment);
        }
        let host = match url.host().ok_or(BadUrl::Form)? {
            Host::Domain(name) if is_local_name(name) && !policy.private => {
                return Err(BadUrl::Address);
            }
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(ip) => literal(ip.into(), policy)?,
            Host::Ipv6(ip) => literal(ip.into(), policy)?,
        };
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(BadUrl::Form)?;
        Ok(Target { url, host, port, tls })
    }
}

fn literal(ip: IpAddr, policy: AddressPolicy) -> Result<String, BadUrl> {
    if is_allowed(ip, policy) { Ok(ip.to_string()) } else { Err(BadUrl::Address) }
}

/// Names that no public resolver knows: they mean something only inside.
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let inside = ["localhost", "local", "internal", "intranet", "lan", "home.arpa"];
    !name.contains('.') || inside.iter().any(|end| name.ends_with(&format!(".{end}")))
}

/// Whether something may be sent to this address.
pub fn is_allowed(ip: IpAddr, policy: AddressPolicy) -> bool {
    match kind(ip) {
        Kind::Public => true,
        Kind::Private => policy.private,
        Kind::Never => false,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Public,
    /// This machine and networks like ours: the operator may allow them.
    Private,
    /// Nothing that could take a webhook.
    Never,
}

fn kind(ip: IpAddr) -> Kind {
    match ip {
        IpAddr::V4(ip) => kind_v4(ip),
        IpAddr::V6(ip) => kind_v6(ip),
    }
}

/// By IANA's registry of special-purpose IPv4 addresses (RFC 6890 and later), and the addresses
/// at which clouds answer to every machine of theirs.
fn kind_v4(ip: Ipv4Addr) -> Kind {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        (0, ..) | (224.., ..) | (169, 254, _) => Kind::Never,
        (10, ..) | (127, ..) | (172, 16..=31, _) | (192, 168, _) => Kind::Private,
        (100, 64..=127, _) => Kind::Private, // carrier-grade NAT
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) => Kind::Never,
        (198, 51, 100) | (203, 0, 113) => Kind::Never, // documentation
        _ if ip == Ipv4Addr::new(168, 63, 129, 16) => Kind::Never, // Azure's host
        _ => Kind::Public,
    }
}

/// Only global unicast (2000::/3) without its special parts is public. Addresses that carry an
/// IPv4 address within are refused, public or not: nobody needs them to receive webhooks.
fn kind_v6(ip: Ipv6Addr) -> Kind {
    let segments = ip.segments();
    if ip.is_loopback() || segments[0] & 0xfe00 == 0xfc00 {
        // fd00:ec2::254 and fd20:ce::254 answer with a cloud's credentials.
        let metadata = matches!(segments, [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..]);
        return if metadata { Kind::Never } else { Kind::Private };
    }
    match segments {
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] => Kind::Never,
        [0x3fff, 0..=0xfff, ..] => Kind::Never,
        [0x2000..=0x3fff, ..] => Kind::Public,
        _ => Kind::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: AddressPolicy = AddressPolicy { private: false, http: false };
    const OPEN: AddressPolicy = AddressPolicy { private: true, http: true };

    #[test]
    fn public_addresses_are_targets() {
        for (url, host, port) in [
            ("https://hooks.example.com/in?a=b", "hooks.example.com", 443),
            ("https://hooks.example.com:8443", "hooks.example.com", 8443),
            ("https://93.184.215.14/", "93.184.215.14", 443),
            ("https://[2606:2800:21f::1]/x", "2606:2800:21f::1", 443),
            ("https://bücher.example/", "xn--bcher-kva.example", 443),
        ] {
            let target = Target::parse(url, STRICT).unwrap();
            assert_eq!((target.host.as_str(), target.port, target.tls), (host, port, true));
        }
    }

    #[test]
    fn hostile_addresses_are_refused() {
        use BadUrl::*;
        for (url, why) in [
            ("", Form),
            ("hooks.example.com", Form),
            ("https://", Form),
            ("https://example.com:0/", Form),
            ("https://example.com\\@127.0.0.1/", Form),
            ("https://exa mple.com/", Form),
            ("https://example.com/\r\nX: y", Form),
            ("http://example.com/", Scheme),
            ("ftp://example.com/", Scheme),
            ("file:///etc/passwd", Scheme),
            ("gopher://127.0.0.1:6379/_", Scheme),
            ("https://user@example.com/", Credentials),
            ("https://:secret@example.com/", Credentials),
            ("https://example.com/#x", Fragment),
            ("https://localhost/", Address),
            ("https://LOCALHOST./", Address),
            ("https://db.internal/", Address),
            ("https://metadata.google.internal/", Address),
            ("https://postgres:5432/", Address),
            ("https://printer.local/", Address),
            ("https://127.0.0.1/", Address),
            ("https://2130706433/", Address),
            ("https://0x7f.1/", Address),
            ("https://0177.0.0.1/", Address),
            ("https://127.1/", Address),
            ("https://①②⑦.⓪.⓪.①/", Address),
            ("https://0/", Address),
            ("https://10.1.2.3/", Address),
            ("https://172.31.255.255/", Address),
            ("https://192.168.0.1/", Address),
            ("https://100.100.100.200/", Address),
            ("https://169.254.169.254/latest/meta-data/", Address),
            ("https://168.63.129.16/", Address),
            ("https://224.0.0.1/", Address),
            ("https://255.255.255.255/", Address),
            ("https://[::]/", Address),
            ("https://[::1]/", Address),
            ("https://[::ffff:127.0.0.1]/", Address),
            ("https://[::ffff:93.184.215.14]/", Address),
            ("https://[::7f00:1]/", Address),
            ("https://[64:ff9b::a9fe:a9fe]/", Address),
            ("https://[2002:7f00:1::]/", Address),
            ("https://[2001:0:1::1]/", Address),
            ("https://[fe80::1]/", Address),
            ("https://[fec0::1]/", Address),
            ("https://[fd00:ec2::254]/", Address),
            ("https://[fc00::1]/", Address),
            ("https://[ff02::1]/", Address),
        ] {
            assert_eq!(Target::parse(url, STRICT).map(|t| t.host), Err(why), "{url}");
        }
    }

    #[test]
    fn an_operator_may_allow_private_addresses_but_nothing_worse() {
        for url in [
            "http://localhost:9000/",
            "http://127.0.0.1:1/",
            "https://10.0.0.1/",
            "https://100.64.0.1/",
            "https://[::1]/",
            "https://[fd12::1]/",
            "http://receiver:80/",
        ] {
            assert!(Target::parse(url, OPEN).is_ok(), "{url}");
        }
        for url in [
            "http://169.254.169.254/",
            "http://0.0.0.0/",
            "http://168.63.129.16/",
            "http://239.1.1.1/",
            "http://[::]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://[::ffff:10.0.0.1]/",
        ] {
            assert_eq!(Target::parse(url, OPEN).map(|t| t.host), Err(BadUrl::Address), "{url}");
        }
    }
}
