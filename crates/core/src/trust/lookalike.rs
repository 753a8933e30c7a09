//! Names that look like a known one: one slip of the keys away from an official
//! image, or from a registry that everybody knows.

use crate::image::ImageRef;
use crate::image::normal_host;
use crate::trust::official;
use crate::trust::official_names;
use crate::trust::was_official;

/// Shorter names are too often meant: among the official ones this leaves no false pair.
const MIN_NAME_BYTES: usize = 5;
/// A longer name is not compared.
const MAX_NAME_BYTES: usize = 64;

/// Of the hosts that an organisation names itself, so many are compared.
const MAX_OWN_HOSTS: usize = 16;

/// Registries that are typed a thousand times a day, and how they are misread.
const KNOWN_HOSTS: [&str; 12] = [
    "docker.io",
    "registry-1.docker.io",
    "registry.hub.docker.com",
    "ghcr.io",
    "quay.io",
    "gcr.io",
    "registry.k8s.io",
    "k8s.gcr.io",
    "public.ecr.aws",
    "mcr.microsoft.com",
    "registry.gitlab.com",
    "nvcr.io",
];

/// The name that an image looks like, in the place where it does: `ghcr.io` for
/// `ghrc.io`, `docker.io/library/nginx` for `docker.io/library/ngnix`. `None` for
/// known names. `own_hosts` are those that the organisation names itself.
///
/// ```
/// # use fromguard_core::image::ImageRef;
/// # use fromguard_core::trust::lookalike;
/// let meant = |text| lookalike(&ImageRef::parse(text).unwrap(), &[]);
/// assert_eq!(meant("ngnix").as_deref(), Some("docker.io/library/nginx"));
/// assert_eq!(meant("ghrc.io/acme/app").as_deref(), Some("ghcr.io"));
/// assert_eq!(meant("centos"), None); // it was one once
/// ```
#[must_use]
pub fn lookalike(image: &ImageRef, own_hosts: &[String]) -> Option<String> {
    let host = normal_host(&image.registry);
    if KNOWN_HOSTS.contains(&&*host) {
        let name = image.repository.strip_prefix("library/").filter(|_| host == "docker.io")?;
        if official(name).is_some() || was_official(name) {
            return None;
        }
        return official_names()
            .find(|other| is_close(name, other))
            .map(|close| format!("docker.io/library/{close}"));
    }
    let own = own_hosts.iter().take(MAX_OWN_HOSTS).map(String::as_str);
    if own.clone().any(|own| own == host) {
        return None;
    }
    KNOWN_HOSTS.into_iter().chain(own).find(|known| is_close(&host, known)).map(str::to_owned)
}

/// One letter more, less, other, or two swapped.
fn is_close(name: &str, known: &str) -> bool {
    let (length, other) = (name.len(), known.len());
    length.min(other) >= MIN_NAME_BYTES
        && length <= MAX_NAME_BYTES
        && length.abs_diff(other) <= 1
        && is_one_slip(name.as_bytes(), known.as_bytes())
}

/// Whether the Damerau-Levenshtein distance is one: what is left between the common
/// beginning and the common end is a single letter, or two that are swapped.
fn is_one_slip(name: &[u8], known: &[u8]) -> bool {
    let begin = name.iter().zip(known).take_while(|(one, other)| one == other).count();
    let (name, known) = (&name[begin..], &known[begin..]);
    let end = name.iter().rev().zip(known.iter().rev()).take_while(|(one, other)| one == other).count();
    match (&name[..name.len() - end], &known[..known.len() - end]) {
        ([_], [_]) | ([_], []) | ([], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(text: &str) -> Option<String> {
        lookalike(&ImageRef::parse(text).expect(text), &["registry.acme.example".to_owned()])
    }

    #[test]
    fn one_slip_is_seen() {
        for (text, wanted) in [
            ("ngnix", "docker.io/library/nginx"),
            ("pyhton:3", "docker.io/library/python"),
            ("postgress", "docker.io/library/postgres"),
            ("alpline", "docker.io/library/alpine"),
            ("docker.io/library/mysql1", "docker.io/library/mysql"),
            ("GHRC.io/acme/app", "ghcr.io"),
            ("ghcr.lo/acme/app", "ghcr.io"),
            ("dcoker.io/library/node", "docker.io"),
            ("registry.k8s.lo/pause", "registry.k8s.io"),
            ("mcr.micros0ft.com/x", "mcr.microsoft.com"),
            ("regsitry.acme.example/x", "registry.acme.example"),
        ] {
            assert_eq!(meant(text).as_deref(), Some(wanted), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_slip_is_a_distance_of_one(name in "[ab.]{0,7}", known in "[ab.]{0,7}") {
            let distance = strsim::damerau_levenshtein(&name, &known);
            proptest::prop_assert_eq!(is_one_slip(name.as_bytes(), known.as_bytes()), distance == 1);
        }
    }

    #[test]
    fn known_and_other_names_are_left_alone() {
        for text in [
            "nginx",
            "centos",
            "node",
            "nodes",
            "quay.io/acme/ngnix",
            "acme/ngnix",
            "gcr.io/x/y",
            "docker.io/a/b",
            "registry.example.com/x",
            "localhost:5000/ngnix",
            "k8s.gcr.io/pause",
        ] {
            assert_eq!(meant(text), None, "{text}");
        }
        for name in official_names() {
            assert_eq!(meant(name), None, "{name}");
        }
    }
}
