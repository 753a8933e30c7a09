//! What the bundled catalogues say against an image: that its name is official no more,
//! that nothing maintains its tag, that its release is over; since when, and what to use
//! instead.
//!
//! The list of official images is asked first (trust.md): what it lists is maintained,
//! unless a release ended after the day of the list.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::day::Day;
use crate::image::ImageRef;
use crate::image::LATEST;
use crate::image::normal_host;
use crate::trust::Age;
use crate::trust::CatalogueOrigin;
use crate::trust::age;
use crate::trust::ages_origin;
use crate::trust::catalogue_origin;
use crate::trust::lookalike;
use crate::trust::official;
use crate::trust::official::OfficialImage;
use crate::trust::official::removed_on;
use crate::trust::was_official;

/// More alternatives than this are not read by anybody.
const MAX_INSTEAD: usize = 3;

static SUCCESSORS: LazyLock<Successors> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/successors.json"))
        .expect("a test reads the bundled catalogue")
});

#[derive(Deserialize)]
struct Successors {
    #[serde(flatten)]
    origin: CatalogueOrigin,
    images: BTreeMap<String, Successor>,
}

/// What became of an official image.
#[derive(Deserialize)]
struct Successor {
    since: Option<String>,
    instead: Vec<String>,
    because: String,
}

/// What the catalogues say against an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What is so, the beginning of a sentence: `Python 3.7 is past its end of life`.
    pub what: String,
    /// Since when, where that is known.
    pub since: Option<Day>,
    /// Why, where that is known.
    pub because: Option<&'static str>,
    /// What to use instead, the best first.
    pub instead: Vec<String>,
    /// Who says so, and as of when.
    pub source: String,
}

/// ``Python 3.7 is past its end of life since 2023-06-27: use `docker.io/library/python:3.14` (endoflife.date, 2026-08-22)``
impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(since) = self.since {
            write!(f, " since {since}")?;
        }
        if let Some(because) = self.because {
            write!(f, ", because {because}")?;
        }
        match self.instead.as_slice() {
            [] => {}
            [one] => write!(f, ": use `{one}`")?,
            [many @ .., last] => {
                let many: Vec<String> = many.iter().map(|one| format!("`{one}`")).collect();
                write!(f, ": use {} or `{last}`", many.join(", "))?;
            }
        }
        write!(f, " ({})", self.source)
    }
}

/// What the catalogues say against an image on a day; `None` when they say nothing, which
/// proves nothing. Beside a digest the tag is what the author says of it.
///
/// ```
/// # use fromguard_core::day::Day;
/// # use fromguard_core::image::ImageRef;
/// # use fromguard_core::trust::remark;
/// let today = Day::parse("2026-11-26").unwrap();
/// let said = |text| remark(&ImageRef::parse(text).unwrap(), today).map(|remark| remark.to_string());
/// assert_eq!(said("docker.io/acme/python:3.7"), None); // somebody's own
/// assert!(said("python:3.7").unwrap().starts_with("Python 3.7 is past its end of life since 2023-06-27"));
/// ```
#[must_use]
pub fn remark(image: &ImageRef, today: Day) -> Option<Remark> {
    if normal_host(&image.registry) != "docker.io" {
        return None;
    }
    // What the tag stands for is known of a name without one too, but not beside a digest.
    let tag = match (&image.tag, &image.digest) {
        (None, Some(_)) => None,
        (tag, _) => Some(tag.as_deref().unwrap_or(LATEST)),
    };
    let age = tag.and_then(|tag| age(&image.repository, tag, today)).filter(|age| age.over);
    let name = image.repository.strip_prefix("library/").filter(|name| !name.contains('/'));
    match name {
        Some(name) if was_official(name) => Some(gone(name, tag, age)),
        Some(name) => of_official(name, official(name)?, tag?, age),
        None => age.map(|age| ended(age, Vec::new())),
    }
}

/// That the release which the tag of an image on Docker Hub names is maintained on a day:
/// which release, until when, and who says so.
#[must_use]
pub fn maintained(image: &ImageRef, today: Day) -> Option<String> {
    let repository = Some(&image.repository).filter(|_| normal_host(&image.registry) == "docker.io")?;
    let age = age(repository, image.tag.as_deref()?, today).filter(|age| !age.over)?;
    let until = age.last.map_or(String::new(), |last| format!(" until {last}"));
    Some(format!("{} is maintained{until} ({})", age.release, listed(ages_origin(), "endoflife.date")))
}

/// The official image that somebody may have wanted: the one of the same name, or of a name
/// one letter away, with the same tag where that is maintained. `None` for official images.
#[must_use]
pub fn official_alternative(image: &ImageRef, today: Day) -> Option<String> {
    let last = image.repository.rsplit('/').next().unwrap_or("");
    let on_docker = normal_host(&image.registry) == "docker.io";
    let name = if on_docker && image.repository == format!("library/{last}") {
        let known = lookalike(image, &[])?;
        known.strip_prefix("docker.io/library/")?.to_owned()
    } else {
        last.to_owned()
    };
    let found = official(&name)?;
    let name = name.as_str();
    let tag = image.tag.as_deref().filter(|tag| *tag != LATEST);
    let alternative = format!("docker.io/library/{name}");
    let Some(tag) = tag else { return Some(alternative) };
    if found.supports(tag) {
        return Some(format!("{alternative}:{tag}"));
    }
    let newer = age(&format!("library/{name}"), tag, today);
    let newer = newer.and_then(|age| newest(name, found, tag, &age).into_iter().next());
    Some(newer.unwrap_or(alternative))
}

/// The name is official no more.
fn gone(name: &str, tag: Option<&str>, age: Option<Age>) -> Remark {
    let successor = SUCCESSORS.images.get(name);
    let removed = removed_on(name);
    let since = age.as_ref().and_then(|age| age.last);
    let since = since.or_else(|| Day::parse(successor?.since.as_deref()?)).or(removed);
    let official = format!("`{name}` is no official image any more and gets no updates");
    let what = match age {
        Some(age) => format!("{} is past its end of life, and {official}", age.release),
        None => official,
    };
    let instead = successor.map(|successor| alternatives(successor, tag)).unwrap_or_default();
    let because = successor.map(|successor| successor.because.as_str());
    Remark { what, since, because, instead, source: listed(catalogue_origin(), "Docker's official images") }
}

/// The name is official; its tag may not be.
fn of_official(name: &str, image: &OfficialImage, tag: &str, age: Option<Age>) -> Option<Remark> {
    let supported = image.supports(tag);
    if supported {
        // The list could not know what ended after it was written.
        let as_of = Day::parse(&catalogue_origin().date)?;
        let age = age.filter(|age| age.last.is_some_and(|last| last >= as_of))?;
        let instead = newest(name, image, tag, &age);
        return Some(ended(age, instead));
    }
    let source = listed(catalogue_origin(), "Docker's official images");
    if let Some(successor) = SUCCESSORS.images.get(name) {
        return Some(Remark {
            what: format!("the tag `{tag}` of the official image `{name}` gets no updates"),
            since: successor.since.as_deref().and_then(Day::parse),
            because: Some(&successor.because),
            instead: alternatives(successor, Some(tag)),
            source,
        });
    }
    if let Some(age) = age {
        let instead = newest(name, image, tag, &age);
        return Some(ended(age, instead));
    }
    Some(Remark {
        what: format!(
            "the tag `{tag}` of the official image `{name}` is not supported any more, or never was"
        ),
        since: None,
        because: None,
        instead: Vec::new(),
        source,
    })
}

fn ended(age: Age, instead: Vec<String>) -> Remark {
    Remark {
        what: format!("{} is past its end of life", age.release),
        since: age.last,
        because: None,
        instead,
        source: listed(ages_origin(), "endoflife.date"),
    }
}

fn listed(origin: &CatalogueOrigin, name: &str) -> String {
    format!("{name}, {}", origin.date)
}

/// The newest maintained release of an official image, in the same variant where there is one.
fn newest(name: &str, image: &OfficialImage, tag: &str, age: &Age) -> Vec<String> {
    let variant = tag.find('-').map_or("", |dash| &tag[dash..]);
    let supported = |tag: &String| image.supports(tag);
    let of_cycle = |cycle: &&str| {
        let in_variant = Some(format!("{cycle}{variant}")).filter(supported);
        in_variant.or_else(|| Some((*cycle).to_owned()).filter(supported))
    };
    let newest = age.maintained.iter().find_map(of_cycle);
    newest.map(|tag| format!("docker.io/library/{name}:{tag}")).into_iter().collect()
}

/// The successors of an image, official ones with the same tag where they have it.
fn alternatives(successor: &Successor, tag: Option<&str>) -> Vec<String> {
    let tag = tag.filter(|tag| *tag != LATEST);
    let with_tag = |instead: &String| {
        let image = instead.strip_prefix("docker.io/library/").and_then(official);
        let same = image.zip(tag).filter(|(image, tag)| image.supports(tag));
        same.map_or_else(|| instead.clone(), |(_, tag)| format!("{instead}:{tag}"))
    };
    successor.instead.iter().take(MAX_INSTEAD).map(with_tag).collect()
}

/// Where the bundled list of successors comes from.
#[must_use]
pub fn successors_origin() -> &'static CatalogueOrigin {
    &SUCCESSORS.origin
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn said(text: &str) -> String {
        let today = Day::parse("2026-11-26").unwrap();
        remark(&ImageRef::parse(text).unwrap(), today).map_or(String::new(), |remark| remark.to_string())
    }

    #[test]
    fn what_is_over_says_what_since_when_and_what_instead() {
        assert_eq!(
            said("python:3.7"),
            "Python 3.7 is past its end of life since 2023-06-27: use `docker.io/library/python:3.14` \
             (endoflife.date, 2026-08-22)"
        );
        assert!(
            said("python:3.7-slim-bookworm").contains("use `docker.io/library/python:3.14-slim-bookworm`")
        );
        assert_eq!(
            said("openjdk:8"),
            "the tag `8` of the official image `openjdk` gets no updates since 2022-07-31, because only early-access \
             builds of Java are still made: use `docker.io/library/eclipse-temurin:8`, \
             `docker.io/library/amazoncorretto:8` or `docker.io/library/sapmachine` \
             (Docker's official images, 2026-08-21)"
        );
        assert_eq!(
            said("centos:7"),
            "CentOS 7 is past its end of life, and `centos` is no official image any more and gets no updates \
             since 2024-06-30, because CentOS Linux has ended: use `docker.io/library/almalinux` or \
             `docker.io/rockylinux/rockylinux` (Docker's official images, 2026-08-21)"
        );
        // Official no more, on a day that the list's own history has.
        assert!(said("vault:1.12").contains("gets no updates since 2024-07-29, because HashiCorp"));
        assert!(said("node:8-nothing").starts_with("Node.js 8 is past its end of life since 2019-12-31"));
        assert!(
            said("nginx:frobnicate").starts_with("the tag `frobnicate` of the official image `nginx` is not")
        );
        assert!(said("grafana/loki:2.0").starts_with("Grafana Loki 2.0 is past its end of life"));
    }

    /// The official list comes first; what ended since it was written does not.
    #[test]
    fn what_the_official_list_has_is_maintained_until_its_release_ends() {
        assert_eq!(said("debian:12"), "");
        assert!(said("python:3.10").starts_with("Python 3.10 is past its end of life since 2026-10-31"));
        for text in
            ["python", "python:3.14", "nginx:latest", "ghcr.io/acme/python:3.7", "acme/app:1", "ngnix"]
        {
            assert_eq!(said(text), "", "{text}");
        }
    }

    #[test]
    fn beside_a_digest_alone_only_the_name_speaks() {
        assert_eq!(said(&format!("python@{DIGEST}")), "");
        assert!(said(&format!("centos@{DIGEST}")).starts_with("`centos` is no official image any more"));
        assert!(said(&format!("python:3.7@{DIGEST}")).starts_with("Python 3.7"));
    }

    #[test]
    fn an_official_image_of_the_same_name_is_an_alternative() {
        let today = Day::parse("2026-11-26").unwrap();
        let instead = |text| official_alternative(&ImageRef::parse(text).unwrap(), today);
        for (text, wanted) in [
            ("foo/redis:8", Some("docker.io/library/redis:8")),
            ("quay.io/strangers/nginx", Some("docker.io/library/nginx")),
            ("registry.example.com/a/b/python:3.7-slim", Some("docker.io/library/python:3.14-slim")),
            ("foo/redis:frobnicated", Some("docker.io/library/redis")),
            ("ngnix:1", Some("docker.io/library/nginx:1")),
            ("foo/bar:1", None),
            ("node:24", None),
            ("foo/centos:7", None),
        ] {
            assert_eq!(instead(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn every_successor_is_sound() {
        for (name, successor) in &SUCCESSORS.images {
            assert!(official(name).is_some() || was_official(name), "{name}");
            assert!(!successor.since.as_deref().is_some_and(|day| Day::parse(day).is_none()), "{name}");
            for instead in &successor.instead {
                assert_eq!(ImageRef::parse(instead).unwrap().to_string(), *instead, "{name}");
                let of_docker = instead.strip_prefix("docker.io/library/");
                assert!(of_docker.is_none_or(|name| official(name).is_some()), "{name}: {instead}");
            }
        }
    }
}
