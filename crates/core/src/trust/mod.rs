//! Who stands behind an image: the bundled catalogues. Knows no policy.

mod official;

pub use official::{CatalogueOrigin, OfficialImage, catalogue_origin, official, was_official};
