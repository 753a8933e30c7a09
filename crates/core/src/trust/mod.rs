//! Who stands behind an image: the bundled catalogues, names that look like
//! another, and the evidence that somebody else fetched. Knows no policy.

mod evidence;
mod lookalike;
mod official;

pub use evidence::{
    Badge, Dossier, Evidence, Fact, Item, Learnt, Provenance, ScanResult, Signer, SourceRepository, TagTruth,
    Wanted,
};
pub use lookalike::lookalike;
pub use official::{
    CatalogueOrigin, OfficialImage, catalogue_origin, official, official_names, was_official,
};
