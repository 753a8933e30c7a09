//! What several extractions of one scan make of the same files: a base is read as YAML by
//! its overlays and by itself, a chart is rendered for each of its files, the pipelines of
//! a repository are told apart for each of theirs. It is made once, as long as it is kept.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::TryLockError;

use crate::formats::gitlab_ci::Roots;
use crate::formats::helm::Rendered;
use crate::formats::kubernetes;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::yaml;
use crate::yaml::Yaml;

/// How much text is kept parsed, in bytes; its tree takes some ten times as much.
const MAX_KEPT_BYTES: usize = 4 * 1024 * 1024;
/// How many charts are kept.
const MAX_KEPT_CHARTS: usize = 32;

/// Files that are kept as YAML, and charts that are kept rendered. Texts do not change
/// while a scan lasts.
#[derive(Debug, Default)]
pub struct Parsed {
    yaml: Mutex<Kept>,
    charts: Mutex<Charts>,
    pipelines: Slot<Roots>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: usize,
    files: HashMap<RepoPath, Arc<Yaml>>,
    /// Oldest first, with the length of each.
    order: VecDeque<(RepoPath, usize)>,
}

#[derive(Debug, Default)]
struct Charts {
    slots: HashMap<String, Arc<Slot<Rendered>>>,
    /// Oldest first.
    order: VecDeque<String>,
}

/// Something that is made once; locked while it is.
#[derive(Debug)]
pub(super) struct Slot<T>(Mutex<State<T>>);

/// How far it is made.
#[derive(Debug)]
pub(super) struct State<T> {
    /// It, when it is there.
    pub(super) made: Option<Arc<T>>,
    /// The last of the files without which it could not be made.
    pub(super) waits_for: Option<RepoPath>,
}

impl<T> Default for Slot<T> {
    fn default() -> Slot<T> {
        Slot(Mutex::new(State { made: None, waits_for: None }))
    }
}

impl<T> Slot<T> {
    /// How far it is; `None` when another extraction is at it.
    pub(super) fn state(&self) -> Option<MutexGuard<'_, State<T>>> {
        match self.0.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        }
    }
}

impl Parsed {
    /// A file as YAML.
    pub(super) fn yaml(&self, file: &SourceFile) -> Arc<Yaml> {
        if let Some(known) = lock(&self.yaml).files.get(file.path()) {
            return Arc::clone(known);
        }
        let yaml = Arc::new(read(file));
        let mut kept = lock(&self.yaml);
        if kept.files.insert(file.path().clone(), Arc::clone(&yaml)).is_none() {
            kept.bytes += file.text().len();
            kept.order.push_back((file.path().clone(), file.text().len()));
        }
        while kept.bytes > MAX_KEPT_BYTES
            && let Some((oldest, bytes)) = kept.order.pop_front()
        {
            kept.bytes -= bytes;
            kept.files.remove(&oldest);
        }
        yaml
    }

    /// The place of a rendered chart, by its folder.
    pub(super) fn chart(&self, root: &str) -> Arc<Slot<Rendered>> {
        let mut charts = lock(&self.charts);
        if let Some(known) = charts.slots.get(root) {
            return Arc::clone(known);
        }
        let slot = Arc::<Slot<Rendered>>::default();
        charts.slots.insert(root.to_owned(), Arc::clone(&slot));
        charts.order.push_back(root.to_owned());
        if charts.order.len() > MAX_KEPT_CHARTS
            && let Some(oldest) = charts.order.pop_front()
        {
            charts.slots.remove(&oldest);
        }
        slot
    }

    /// The place of the pipelines of the repository.
    pub(super) fn pipelines(&self) -> &Slot<Roots> {
        &self.pipelines
    }
}

/// Reads a file as YAML.
pub(super) fn read(file: &SourceFile) -> Yaml {
    yaml::read(&kubernetes::without_definitions(file.text()), yaml::Limits::default())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
