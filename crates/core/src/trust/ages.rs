//! When the releases that images are named after end, from the bundled list of endoflife.date.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::day::Day;
use crate::trust::CatalogueOrigin;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/end-of-life.json"))
        .expect("a test reads the bundled catalogue")
});

/// Which product a repository of Docker Hub is.
static BY_IMAGE: LazyLock<HashMap<&'static str, &'static Product>> = LazyLock::new(|| {
    let products = CATALOGUE.products.values();
    products.flat_map(|product| product.images.iter().map(move |image| (image.as_str(), product))).collect()
});

#[derive(Deserialize)]
struct Catalogue {
    #[serde(flatten)]
    origin: CatalogueOrigin,
    products: HashMap<String, Product>,
}

#[derive(Deserialize)]
struct Product {
    /// For people: `Node.js`.
    label: String,
    /// Repositories of Docker Hub: `library/node`.
    images: Vec<String>,
    /// The newest first, and what their tags begin with.
    cycles: Vec<(String, Eol)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Eol {
    /// The last day.
    On(String),
    /// Whether it is over, on a day that nobody wrote down.
    Over(bool),
}

impl Eol {
    /// Whether it is over on a day, and the last day where that is known.
    fn read(&self, today: Day) -> (bool, Option<Day>) {
        match self {
            Eol::Over(over) => (*over, None),
            Eol::On(text) => {
                let last = Day::parse(text);
                (last.is_some_and(|last| last < today), last)
            }
        }
    }
}

/// The release that a tag is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Age {
    /// The product and the release, for people: `Python 3.7`.
    pub release: String,
    /// The part of the tag that names the release: `3.7` of `3.7-slim`.
    pub cycle: &'static str,
    /// Whether the release is over.
    pub over: bool,
    /// The last day of its maintenance, where that is known.
    pub last: Option<Day>,
    /// The releases that are maintained, the newest first.
    pub maintained: Vec<&'static str>,
}

/// The release that a tag of a repository on Docker Hub is of: the longest one that it
/// begins with. `None` when no product is known of the repository, or no release of the tag.
///
/// ```
/// # use fromguard_core::day::Day;
/// # use fromguard_core::trust::age;
/// let today = Day::parse("2026-11-26").unwrap();
/// assert_eq!(age("library/python", "3", today), None); // it moves on
/// let old = age("library/python", "3.7.1-slim", today).unwrap();
/// assert_eq!((old.release.as_str(), old.over), ("Python 3.7", true));
/// ```
#[must_use]
pub fn age(repository: &str, tag: &str, today: Day) -> Option<Age> {
    let product = BY_IMAGE.get(repository)?;
    let cycles = product.cycles.iter().filter(|(cycle, _)| begins_with_release(tag, cycle));
    let (cycle, eol) = cycles.max_by_key(|(cycle, _)| cycle.len())?;
    let (over, last) = eol.read(today);
    let maintained = product.cycles.iter().filter(|(_, eol)| !eol.read(today).0);
    Some(Age {
        release: format!("{} {cycle}", product.label),
        cycle,
        over,
        last,
        maintained: maintained.map(|(cycle, _)| cycle.as_str()).collect(),
    })
}

/// Whether a tag is a release or one of its variants: `3.7` of `3.7-slim`, not of `3.70`.
fn begins_with_release(tag: &str, cycle: &str) -> bool {
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    tag.strip_prefix(cycle).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
}

/// Where the bundled list comes from.
#[must_use]
pub fn ages_origin() -> &'static CatalogueOrigin {
    &CATALOGUE.origin
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn on(repository: &str, tag: &str, day: &str) -> Option<(String, bool, Option<String>)> {
        let age = age(repository, tag, Day::parse(day).unwrap())?;
        Some((age.release, age.over, age.last.map(|day| day.to_string())))
    }

    #[test]
    fn the_bundled_catalogue_is_read() {
        assert_eq!(CATALOGUE.origin.date, "2026-08-22");
        assert!(CATALOGUE.products.len() > 100, "{}", CATALOGUE.products.len());
        for (name, product) in &CATALOGUE.products {
            assert!(!product.cycles.is_empty() && !product.images.is_empty(), "{name}");
            for (cycle, eol) in &product.cycles {
                assert!(!matches!(eol, Eol::On(day) if Day::parse(day).is_none()), "{name} {cycle}");
            }
        }
    }

    #[test]
    fn a_release_ends_with_its_last_day() {
        let python = |day| on("library/python", "3.7-slim", day).unwrap().1;
        assert!(!python("2023-06-27") && python("2023-06-28"));
    }

    #[test]
    fn a_tag_is_of_the_longest_release_that_it_begins_with() {
        let today = "2026-11-26";
        let seven = Some(("CentOS 7".to_owned(), true, Some("2024-06-30".to_owned())));
        assert_eq!(on("library/centos", "7", today), seven);
        assert_eq!(on("library/centos", "7.9.2009", today), on("library/centos", "7", today));
        assert_eq!(on("library/node", "8.17-alpine", today).unwrap().0, "Node.js 8");
        assert_eq!(on("library/debian", "buster-slim", today).unwrap().2.as_deref(), Some("2022-09-10"));
        assert_eq!(on("library/ubuntu", "18.04", today).unwrap().2.as_deref(), Some("2023-05-31"));
        assert_eq!(on("library/mysql", "5.7.44", today).unwrap().0, "MySQL 5.7");
        for (repository, tag) in [
            ("library/python", "3"),
            ("library/python", "latest"),
            ("library/node", "80"),
            ("acme/python", "3.7"),
        ] {
            assert_eq!(on(repository, tag, today), None, "{repository}:{tag}");
        }
    }
}
