//! YAML that several extractions of one scan look at: a chart's values are read by
//! each of its templates, a base by its overlays. It is parsed once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::yaml;
use crate::yaml::Yaml;

/// How much text is kept parsed, in bytes; its tree takes some ten times as much.
const MAX_KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Files that are kept as YAML. Texts do not change while a scan lasts.
#[derive(Debug, Default)]
pub struct Parsed {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: usize,
    files: HashMap<RepoPath, Arc<Yaml>>,
}

impl Parsed {
    /// A file as YAML; kept for the next who looks, when it is `shared`.
    pub(super) fn yaml(&self, file: &SourceFile, shared: bool) -> Arc<Yaml> {
        if let Some(known) = self.lock().files.get(file.path()) {
            return Arc::clone(known);
        }
        let yaml = Arc::new(yaml::read(file.text(), yaml::Limits::default()));
        if shared {
            let mut kept = self.lock();
            if kept.bytes + file.text().len() > MAX_KEPT_BYTES {
                *kept = Kept::default();
            }
            kept.bytes += file.text().len();
            kept.files.insert(file.path().clone(), Arc::clone(&yaml));
        }
        yaml
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
