//! Who stands behind an image: the bundled catalogues, names that look like
//! another, and the evidence that somebody else fetched. Knows no policy.

mod ages;
mod drift;
mod evidence;
mod lookalike;
mod official;
mod remark;
mod scan;
mod supplied;

pub use ages::{Age, age, ages_origin};
pub use drift::{Drift, DriftKind, Found, Look, Seen, drift};
pub use evidence::{
    Badge, Dossier, Evidence, Fact, Item, Learnt, Provenance, ScanResult, Signer, SourceRepository, TagTruth,
    Wanted, names_somebody, namespace,
};
pub use lookalike::lookalike;
pub use official::{
    CatalogueOrigin, OfficialImage, catalogue_origin, official, official_names, was_official,
};
pub use remark::{Remark, maintained, official_alternative, remark, successors_origin};
pub use scan::{MAX_SCAN_BYTES, ScanError, SuppliedScan, read_scan};
pub use supplied::{SCANS_PATH, ScanFile, scan_names, supplied_scan};
