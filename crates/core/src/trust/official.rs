//! Docker's official images, from the bundled list of docker-library/official-images.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::day::Day;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/official-images.json"))
        .expect("a test reads the bundled catalogue")
});

#[derive(Deserialize)]
struct Catalogue {
    #[serde(flatten)]
    origin: CatalogueOrigin,
    images: BTreeMap<String, OfficialImage>,
    /// With the day on which the list dropped it.
    removed: BTreeMap<String, String>,
}

/// Where the bundled list comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CatalogueOrigin {
    /// The repository on GitHub.
    pub from: String,
    /// The commit that was read.
    pub commit: String,
    /// The day of that commit, `YYYY-MM-DD`.
    pub date: String,
    /// The SPDX id of its licence.
    pub licence: String,
}

/// An official image that still builds something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OfficialImage {
    source: String,
    tags: Vec<String>,
}

impl OfficialImage {
    /// The repository that it is built from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The tags that are maintained, sorted.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Whether a tag is maintained. Other tags stay pullable and get no updates.
    #[must_use]
    pub fn supports(&self, tag: &str) -> bool {
        self.tags.binary_search_by(|listed| listed.as_str().cmp(tag)).is_ok()
    }
}

/// The official image of this name (`node`), listed with at least one supported
/// tag. Not everything under `library/` is: names that were removed stay pullable.
///
/// ```
/// # use fromguard_core::trust::official;
/// assert!(official("centos").is_none()); // removed, and docker.io/library/centos still pulls
/// assert!(official("node").is_some());
/// ```
#[must_use]
pub fn official(name: &str) -> Option<&'static OfficialImage> {
    CATALOGUE.images.get(name).filter(|image| !image.tags.is_empty())
}

/// The names of all official images, sorted.
pub fn official_names() -> impl Iterator<Item = &'static str> {
    CATALOGUE.images.iter().filter(|(_, image)| !image.tags.is_empty()).map(|(name, _)| name.as_str())
}

/// Whether a name was an official image once and builds nothing any more.
#[must_use]
pub fn was_official(name: &str) -> bool {
    CATALOGUE.removed.contains_key(name)
        || CATALOGUE.images.get(name).is_some_and(|image| image.tags.is_empty())
}

/// The day on which the list dropped a name.
pub(super) fn removed_on(name: &str) -> Option<Day> {
    Day::parse(CATALOGUE.removed.get(name)?)
}

/// Where the bundled list comes from.
#[must_use]
pub fn catalogue_origin() -> &'static CatalogueOrigin {
    &CATALOGUE.origin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_catalogue_is_read_and_sorted() {
        assert_eq!(CATALOGUE.images.len(), 144);
        assert_eq!(CATALOGUE.origin.date, "2026-08-21");
        assert!(CATALOGUE.removed.values().all(|day| Day::parse(day).is_some()));
        for (name, image) in &CATALOGUE.images {
            assert!(image.tags.is_sorted(), "{name}");
        }
    }

    #[test]
    fn official_means_a_supported_tag() {
        let node = official("node").expect("node is listed");
        assert!(node.supports("latest") && !node.supports("0.10") && !node.supports(""));
        for gone in ["centos", "java", "clefos", "unit"] {
            assert!(official(gone).is_none() && was_official(gone), "{gone}");
        }
        for never in ["nodejs", "", "library/node", "Node"] {
            assert!(official(never).is_none() && !was_official(never), "{never}");
        }
    }
}
