//! What a change did to the image uses: both ends are extracted, and uses are
//! matched as introduced, changed or unchanged; the rest of the base was removed.

use std::collections::BTreeMap;
use std::collections::VecDeque;

use crate::image::ImageUse;
use crate::image::Role;
use crate::image::Stage;
use crate::image::Target;
use crate::source::RepoPath;

/// What a change did to one use of the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing like it stood at the base.
    Introduced,
    /// A use in the same file stood at the base and differed: in what it
    /// resolved to, in its role, or in whether it is shipped or reached.
    Changed {
        /// What it resolved to.
        from: Vec<Target>,
    },
    /// The same use stood at the base.
    Unchanged,
}

impl Change {
    /// The word used in JSON.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Change::Introduced => "introduced",
            Change::Changed { .. } => "changed",
            Change::Unchanged => "unchanged",
        }
    }
}

/// What became of every use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// One for each use of the head, in its order.
    pub head: Vec<Change>,
    /// Indexes of the uses of the base that are gone.
    pub removed: Vec<usize>,
}

/// Everything in which two uses must agree to be the same use. Where in the
/// file they stand is not part of it: moving a line changes nothing.
type Identity<'a> = (&'a RepoPath, Role, Stage, [bool; 2], Vec<&'a Target>);

/// Matches the uses of both ends as a multiset on file, role, stage class,
/// reachability and the full value set (extraction.md, "Decisions", 6).
///
/// What is left over is paired in order: first uses of one file with the same
/// value set, then uses of one file in the same role; each pair is a change. A
/// use that moved to another file is introduced there.
#[must_use]
pub fn compare(base: &[ImageUse], head: &[ImageUse]) -> Changes {
    let mut matching = Matching { base, head, changes: vec![None; head.len()], gone: vec![true; base.len()] };
    matching.pair(identity, |_| Change::Unchanged);
    matching.pair(|usage| (&usage.file, value_set(usage)), changed_from);
    matching.pair(|usage| (&usage.file, usage.role), changed_from);
    Changes {
        head: matching.changes.into_iter().map(|change| change.unwrap_or(Change::Introduced)).collect(),
        removed: (0..base.len()).filter(|index| matching.gone[*index]).collect(),
    }
}

fn identity(usage: &ImageUse) -> Identity<'_> {
    (&usage.file, usage.role, usage.stage, [usage.reachable, usage.replaced], value_set(usage))
}

fn value_set(usage: &ImageUse) -> Vec<&Target> {
    let mut targets: Vec<&Target> = usage.targets.iter().collect();
    targets.sort_unstable();
    targets
}

fn changed_from(was: &ImageUse) -> Change {
    Change::Changed { from: was.targets.clone() }
}

struct Matching<'a> {
    base: &'a [ImageUse],
    head: &'a [ImageUse],
    /// What is known of each use of the head so far.
    changes: Vec<Option<Change>>,
    /// Which uses of the base have found no counterpart yet.
    gone: Vec<bool>,
}

impl<'a> Matching<'a> {
    /// Pairs the uses of both ends that are left over and agree in `key`, each
    /// with the first in order, in n log n.
    fn pair<K: Ord>(&mut self, key: impl Fn(&'a ImageUse) -> K, change: impl Fn(&ImageUse) -> Change) {
        let mut left_over: BTreeMap<K, VecDeque<usize>> = BTreeMap::new();
        for (index, usage) in self.base.iter().enumerate().filter(|(index, _)| self.gone[*index]) {
            left_over.entry(key(usage)).or_default().push_back(index);
        }
        if left_over.is_empty() {
            return;
        }
        for (usage, found) in self.head.iter().zip(&mut self.changes).filter(|(_, found)| found.is_none()) {
            if let Some(index) = left_over.get_mut(&key(usage)).and_then(VecDeque::pop_front) {
                self.gone[index] = false;
                *found = Some(change(&self.base[index]));
            }
        }
    }
}

#[cfg(test)]
mod tests;
