//! Who may be contacted for a registry: its API, what hands out its tokens, what
//! stores its blobs; each an exact host and port.
//!
//! The hosts are what the registries document, or were seen to redirect to; a
//! registry that moves its blobs is *not contacted* there until its row says so.

use std::collections::BTreeSet;
use std::path::PathBuf;

use secrecy::SecretString;

use super::address::Network;
use super::host::Authority;

/// The name of Docker Hub in references.
pub(in crate::registry) const DOCKER_HUB: &str = "docker.io";

/// The row of Docker Hub's own API, which is no registry.
pub(in crate::registry) const HUB_API: &str = "hub.docker.com";

/// A registry's name in references, where its API is, and what else belongs to it.
type BuiltIn = (&'static str, &'static str, &'static [&'static str]);

const BUILT_IN: [BuiltIn; 14] = [
    (
        DOCKER_HUB,
        "registry-1.docker.io",
        &[
            "auth.docker.io",
            "production.cloudflare.docker.com",
            "production.cloudfront.docker.com",
            "docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com",
        ],
    ),
    (HUB_API, HUB_API, &[]),
    ("ghcr.io", "ghcr.io", &["pkg-containers.githubusercontent.com"]),
    ("quay.io", "quay.io", &["cdn.quay.io", "cdn01.quay.io", "cdn02.quay.io", "cdn03.quay.io"]),
    ("gcr.io", "gcr.io", &[GOOGLE_STORAGE]),
    ("us.gcr.io", "us.gcr.io", &[GOOGLE_STORAGE]),
    ("eu.gcr.io", "eu.gcr.io", &[GOOGLE_STORAGE]),
    ("asia.gcr.io", "asia.gcr.io", &[GOOGLE_STORAGE]),
    ("mirror.gcr.io", "mirror.gcr.io", &[GOOGLE_STORAGE]),
    (
        "registry.k8s.io",
        "registry.k8s.io",
        &[
            "asia-east1-docker.pkg.dev",
            "asia-northeast1-docker.pkg.dev",
            "asia-south1-docker.pkg.dev",
            "australia-southeast1-docker.pkg.dev",
            "europe-north1-docker.pkg.dev",
            "europe-southwest1-docker.pkg.dev",
            "europe-west1-docker.pkg.dev",
            "europe-west2-docker.pkg.dev",
            "europe-west4-docker.pkg.dev",
            "europe-west8-docker.pkg.dev",
            "europe-west9-docker.pkg.dev",
            "southamerica-west1-docker.pkg.dev",
            "us-central1-docker.pkg.dev",
            "us-east1-docker.pkg.dev",
            "us-east4-docker.pkg.dev",
            "us-east5-docker.pkg.dev",
            "us-south1-docker.pkg.dev",
            "us-west1-docker.pkg.dev",
            "us-west2-docker.pkg.dev",
        ],
    ),
    ("public.ecr.aws", "public.ecr.aws", &["d2glxqk2uabbnd.cloudfront.net", "d5l0dvt14r5h8.cloudfront.net"]),
    (
        "mcr.microsoft.com",
        "mcr.microsoft.com",
        &["eastus.data.mcr.microsoft.com", "westus.data.mcr.microsoft.com"],
    ),
    (
        "registry.gitlab.com",
        "registry.gitlab.com",
        &["gitlab.com", "cdn.registry.gitlab-static.net", GOOGLE_STORAGE],
    ),
    ("nvcr.io", "nvcr.io", &["authn.nvidia.com"]),
];

const GOOGLE_STORAGE: &str = "storage.googleapis.com";

/// What may be contacted for one registry, and how.
#[derive(Debug, Clone)]
pub struct Row {
    /// The registry's name, as references have it in normal form.
    pub name: String,
    /// Where its API is.
    pub api: Authority,
    /// Its realm and blob hosts, beside the API's.
    pub hosts: BTreeSet<Authority>,
    /// Addresses that are not public and may be connected to all the same.
    pub addresses: Vec<Network>,
    /// Whether its API, realm and blobs may be had over plain HTTP.
    pub plain_http: bool,
    /// The file of certificate authorities (PEM) that its hosts are checked
    /// against, instead of the system's.
    pub authorities: Option<PathBuf>,
    /// Who to be for it.
    pub credentials: Option<Credentials>,
}

/// A user of a registry and the password, or the token that is used as one.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

impl Row {
    /// A registry that is its own realm and keeps its own blobs.
    pub(in crate::registry) fn alone(name: &str, api: Authority) -> Row {
        Row {
            name: name.to_owned(),
            api,
            hosts: BTreeSet::new(),
            addresses: Vec::new(),
            plain_http: false,
            authorities: None,
            credentials: None,
        }
    }

    /// Whether a host and port belong to it.
    pub(super) fn lists(&self, authority: &Authority) -> bool {
        self.api == *authority || self.hosts.contains(authority)
    }

    /// Where its API begins: `https://registry-1.docker.io`.
    pub(in crate::registry) fn origin(&self) -> String {
        format!("{}://{}", if self.plain_http { "http" } else { "https" }, self.api.with_port())
    }
}

/// The rows that are always there.
pub(in crate::registry) fn built_in() -> Vec<Row> {
    let authority = |host: &&str| Authority::parse(host).expect("a test reads every built-in host");
    BUILT_IN
        .iter()
        .map(|(name, api, hosts)| Row {
            hosts: hosts.iter().map(authority).collect(),
            ..Row::alone(name, authority(api))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rows_can_be_read() {
        let rows = built_in();
        assert_eq!(rows.len(), BUILT_IN.len());
        let hub = rows.iter().find(|row| row.name == DOCKER_HUB).expect("Docker Hub has a row");
        assert_eq!(hub.origin(), "https://registry-1.docker.io:443");
        let at = |host| Authority::parse(host).expect("a host");
        assert!(hub.lists(&at("auth.docker.io")) && !hub.lists(&at("auth.docker.io:8443")));
        assert!(!hub.lists(&at("docker.io")) && !hub.lists(&at("evil.auth.docker.io")));
        assert!(rows.iter().all(|row| row.addresses.is_empty() && !row.plain_http));
    }
}
