//! Dockerfiles, read as BuildKit reads them.

use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::source::RepoPath;
use crate::source::SourceFile;

/// The format `dockerfile`.
pub struct Dockerfile;

impl Format for Dockerfile {
    fn id(&self) -> &'static str {
        "dockerfile"
    }

    fn claims(&self, path: &RepoPath) -> bool {
        path.name() == "Dockerfile"
    }

    fn extract(&self, file: &SourceFile, files: &mut Files<'_>) -> Extracted {
        let _ = (file, files);
        Extracted::default()
    }
}
