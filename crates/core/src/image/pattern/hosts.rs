//! What is known of registries by their host names: which are one registry under
//! several names, which everybody can push to, and how deep their paths are.
//!
//! Sources: docs/policy.md, "Patterns"; the path shapes are those of each registry's
//! own documentation.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use super::Pattern;
use super::PatternError;

/// Docker Hub's name in normalised references.
pub(super) const DOCKER_HUB: &str = "docker.io";
/// Folded into [`DOCKER_HUB`] when a reference is read, so no pattern with it can match.
pub(super) const FOLDED_INTO_DOCKER_HUB: &str = "index.docker.io";
/// Other names of the same registry. A runtime does not fold the last two: they
/// stay hosts of their own in `trust`, and count as Docker Hub in `block`.
const DOCKER_HUB_ALIASES: [&str; 3] =
    [FOLDED_INTO_DOCKER_HUB, "registry-1.docker.io", "registry.hub.docker.com"];

/// A registry on which whoever has an account can push: the owner is the first
/// segment of the path.
struct Shared {
    /// The host, or `*.` and what its hosts end with.
    host: &'static str,
    /// Fewer path segments than this name no image there.
    min_segments: usize,
}

const SHARED: [Shared; 17] = [
    Shared { host: DOCKER_HUB, min_segments: 2 },
    Shared { host: "ghcr.io", min_segments: 2 },
    Shared { host: "quay.io", min_segments: 2 },
    Shared { host: "gcr.io", min_segments: 2 },
    Shared { host: "mirror.gcr.io", min_segments: 2 },
    // Vanity hosts such as k8s.gcr.io have images of one segment.
    Shared { host: "*.gcr.io", min_segments: 1 },
    Shared { host: "*.pkg.dev", min_segments: 3 },
    Shared { host: "public.ecr.aws", min_segments: 2 },
    Shared { host: "registry.gitlab.com", min_segments: 2 },
    Shared { host: "registry-1.docker.io", min_segments: 2 },
    Shared { host: "registry.hub.docker.com", min_segments: 2 },
    Shared { host: "nvcr.io", min_segments: 2 },
    Shared { host: "*.ocir.io", min_segments: 2 },
    Shared { host: "registry.fly.io", min_segments: 1 },
    Shared { host: "registry.digitalocean.com", min_segments: 2 },
    Shared { host: "ttl.sh", min_segments: 1 },
    // Not a tenant's host: docker.cloudsmith.io/OWNER/REPOSITORY/IMAGE.
    Shared { host: "docker.cloudsmith.io", min_segments: 3 },
];

/// Registries that give every tenant a host.
const TENANT_IN_HOST: [&str; 4] = ["*.azurecr.io", "*.amazonaws.com", "*.jfrog.io", "*.cloudsmith.io"];

/// A host as policy compares it: lower case, without the default port, an IPv6
/// address in its shortest form. Ports otherwise compare as numbers.
///
/// ```
/// # use fromguard_core::image::normal_host;
/// assert_eq!(normal_host("GHCR.io:0443"), "ghcr.io");
/// assert_eq!(normal_host("localhost:5000"), "localhost:5000");
/// ```
#[must_use]
pub fn normal_host(registry: &str) -> Cow<'_, str> {
    let mut host = Cow::Borrowed(registry);
    // Nearly every host is normal already.
    if !registry.bytes().any(|byte| byte.is_ascii_uppercase() || matches!(byte, b':' | b'[')) {
        return host;
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        host = Cow::Owned(host.to_ascii_lowercase());
    }
    if let Some((name, port)) = host.rsplit_once(':').filter(|(_, port)| is_port(port)) {
        let number = port.trim_start_matches('0');
        if number == "443" {
            host = Cow::Owned(name.to_owned());
        } else if number.len() != port.len() {
            host = Cow::Owned(format!("{name}:{number}"));
        }
    }
    if host.starts_with('[')
        && let Some((address, rest)) = host[1..].split_once(']')
        && let Ok(address) = address.parse::<Ipv6Addr>()
    {
        host = Cow::Owned(format!("[{address}]{rest}"));
    }
    host
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a host in normal form is Docker Hub under any of its names.
#[must_use]
pub fn is_docker_hub(host: &str) -> bool {
    host == DOCKER_HUB || DOCKER_HUB_ALIASES.contains(&host)
}

/// The host without its port.
pub(super) fn without_port(host: &str) -> &str {
    host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name)
}

/// How many path segments an image has at least on this host.
pub(super) fn min_segments(host: &str) -> usize {
    shared(host).map_or(1, |shared| shared.min_segments)
}

fn shared(host: &str) -> Option<&'static Shared> {
    let host = without_port(host);
    SHARED.iter().find(|shared| covers(shared.host, host))
}

/// Whether a row of the tables covers a literal host.
fn covers(row: &str, host: &str) -> bool {
    match row.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => host == row,
    }
}

/// Whether `*.name` and a row of the tables have a host in common.
fn meets_subdomains_of(row: &str, name: &str) -> bool {
    let ends_with = |long: &str, short: &str| {
        long == short || long.strip_suffix(short).is_some_and(|before| before.ends_with('.'))
    };
    match row.strip_prefix("*.") {
        Some(suffix) => ends_with(name, suffix) || ends_with(suffix, name),
        None => row != name && ends_with(row, name),
    }
}

/// See [`Pattern::check_not_broad`].
pub(super) fn check_not_broad(pattern: &Pattern) -> Result<(), PatternError> {
    const LIFT: &str = "or put `i-trust-everyone: true` beside the list if you mean it";
    let host = pattern.host();
    let name = without_port(&host.name);
    if host.subdomains {
        if let Some(row) = TENANT_IN_HOST.iter().find(|row| meets_subdomains_of(row, name)) {
            return Err(PatternError {
                message: format!(
                    "`*.{name}` covers every customer of `{row}`: there the host names the owner"
                ),
                help: Some(format!("write the host in full, as `acme{}/…`, {LIFT}", &row[1..])),
            });
        }
        if let Some(row) = SHARED.iter().find(|row| meets_subdomains_of(row.host, name)) {
            return Err(PatternError {
                message: format!("`*.{name}` covers `{}`, where everybody can push", row.host),
                help: Some(format!("write the host and the owner in full, {LIFT}")),
            });
        }
        return Ok(());
    }
    if shared(&host.name).is_some() && !pattern.segments().first().is_some_and(super::Glob::is_literal) {
        return Err(PatternError {
            message: format!(
                "everybody can push to `{name}`: `{pattern}` does not say whose images are trusted"
            ),
            help: Some(format!("name the owner, as `{name}/acme/**`, {LIFT}")),
        });
    }
    Ok(())
}
