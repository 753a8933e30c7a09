//! Texts that were read from GitHub, kept in memory and bounded, so that the next
//! commit of a pull request reads only what is new in it.
//!
//! What is kept are the files themselves, by installation and blob, and not what was
//! extracted from them: extraction takes less time than finding out that it was done
//! before, and so neither a path nor a version of the extractor is part of a key. A
//! blob alone is not trusted to be a file: who asks compares its mode as well, since a
//! symbolic link's target is a blob like any other. What stands at a path of a commit
//! never changes, so that is kept too. A restart forgets all of it, and reads again.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use fromguard_core::source::RepoPath;

use crate::ids::InstallationId;
use crate::ids::PullNumber;
use crate::ids::RepositoryId;
use crate::ids::RepositoryPlace;
use crate::ids::Sha;

/// What all texts and keys together may take, in bytes.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// What an entry takes besides its texts, in bytes: keys, maps, allocations.
const ENTRY_BYTES: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Blob(InstallationId, String),
    Place(InstallationId, RepositoryId, Sha, RepoPath),
    Pull(InstallationId, RepositoryId, PullNumber),
}

#[derive(Debug, Clone)]
enum Value {
    Text(Arc<str>),
    /// A regular file with this blob, or nothing.
    Stands(Option<String>),
    Seen,
}

/// What stands at a path of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stands {
    /// A regular file with this text.
    File(Arc<str>),
    /// Nothing.
    Nothing,
}

/// The texts; one for the whole App.
pub(crate) struct Texts {
    kept: Mutex<Kept>,
    max_bytes: usize,
}

impl Default for Texts {
    fn default() -> Texts {
        Texts { kept: Mutex::default(), max_bytes: MAX_BYTES }
    }
}

#[derive(Default)]
struct Kept {
    values: HashMap<Key, (Value, u64)>,
    /// Keys by when they were last of use, the oldest first.
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    bytes: usize,
}

impl Texts {
    /// The text of a blob.
    pub(crate) fn blob(&self, place: &RepositoryPlace, blob: &str) -> Option<Arc<str>> {
        match self.get(&Key::Blob(place.installation, blob.to_owned()))? {
            Value::Text(text) => Some(text),
            Value::Stands(_) | Value::Seen => None,
        }
    }

    /// What stands at a path of a commit, if it is known with its text.
    pub(crate) fn at(&self, place: &RepositoryPlace, commit: &Sha, path: &RepoPath) -> Option<Stands> {
        let key = Key::Place(place.installation, place.id, commit.clone(), path.clone());
        match self.get(&key)? {
            Value::Stands(None) => Some(Stands::Nothing),
            Value::Stands(Some(blob)) => self.blob(place, &blob).map(Stands::File),
            Value::Text(_) | Value::Seen => None,
        }
    }

    /// Keeps that a regular file stands there, and its text.
    pub(crate) fn keep(
        &self,
        place: &RepositoryPlace,
        commit: &Sha,
        path: &RepoPath,
        blob: &str,
        text: &Arc<str>,
    ) {
        let key = Key::Place(place.installation, place.id, commit.clone(), path.clone());
        self.put(key, Value::Stands(Some(blob.to_owned())));
        self.put(Key::Blob(place.installation, blob.to_owned()), Value::Text(Arc::clone(text)));
    }

    /// Keeps that nothing stands there.
    pub(crate) fn keep_nothing(&self, place: &RepositoryPlace, commit: &Sha, path: &RepoPath) {
        let key = Key::Place(place.installation, place.id, commit.clone(), path.clone());
        self.put(key, Value::Stands(None));
    }

    /// Whether texts of this pull request may be kept: it was read before.
    pub(crate) fn has_read(&self, place: &RepositoryPlace, pull: PullNumber) -> bool {
        self.get(&Key::Pull(place.installation, place.id, pull)).is_some()
    }

    /// From now on texts of this pull request may be kept.
    pub(crate) fn note_read(&self, place: &RepositoryPlace, pull: PullNumber) {
        self.put(Key::Pull(place.installation, place.id, pull), Value::Seen);
    }

    fn get(&self, key: &Key) -> Option<Value> {
        let mut kept = self.kept.lock().expect("no holder of the texts panics");
        let kept = &mut *kept;
        let (value, used) = kept.values.get_mut(key)?;
        kept.by_use.remove(used);
        kept.uses += 1;
        *used = kept.uses;
        kept.by_use.insert(kept.uses, key.clone());
        Some(value.clone())
    }

    fn put(&self, key: Key, value: Value) {
        let size = size_bytes(&key, &value);
        if size > self.max_bytes {
            return;
        }
        let mut kept = self.kept.lock().expect("no holder of the texts panics");
        kept.remove(&key);
        while kept.bytes + size > self.max_bytes {
            let Some((_, oldest)) = kept.by_use.pop_first() else { break };
            kept.remove(&oldest);
        }
        kept.uses += 1;
        let uses = kept.uses;
        kept.bytes += size;
        kept.by_use.insert(uses, key.clone());
        kept.values.insert(key, (value, uses));
    }
}

impl Kept {
    fn remove(&mut self, key: &Key) {
        if let Some((value, used)) = self.values.remove(key) {
            self.by_use.remove(&used);
            self.bytes -= size_bytes(key, &value);
        }
    }
}

/// What an entry takes; its key is kept twice.
fn size_bytes(key: &Key, value: &Value) -> usize {
    let key_bytes = match key {
        Key::Blob(_, blob) => blob.len(),
        Key::Place(_, _, commit, path) => commit.0.len() + path.as_str().len(),
        Key::Pull(..) => 0,
    };
    let value_bytes = match value {
        Value::Text(text) => text.len(),
        Value::Stands(Some(blob)) => blob.len(),
        Value::Stands(None) | Value::Seen => 0,
    };
    2 * key_bytes + value_bytes + ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RepositoryName;

    fn place(installation: u64) -> RepositoryPlace {
        RepositoryPlace {
            installation: InstallationId(installation),
            id: RepositoryId(7),
            name: RepositoryName { owner: "acme".into(), name: "shop".into() },
        }
    }

    fn commit(text: &str) -> Sha {
        Sha(text.to_owned())
    }

    #[test]
    fn what_was_read_is_known_by_its_blob_and_by_its_place_to_its_installation() {
        let texts = Texts::default();
        let path = RepoPath::new("Dockerfile");
        texts.keep(&place(1), &commit("c1"), &path, "b1", &"FROM a".into());
        texts.keep_nothing(&place(1), &commit("c0"), &path);
        assert_eq!(texts.blob(&place(1), "b1").as_deref(), Some("FROM a"));
        assert_eq!(texts.at(&place(1), &commit("c1"), &path), Some(Stands::File("FROM a".into())));
        assert_eq!(texts.at(&place(1), &commit("c0"), &path), Some(Stands::Nothing));
        assert_eq!(texts.at(&place(1), &commit("c2"), &path), None);
        assert_eq!(texts.blob(&place(2), "b1"), None, "another installation's");
        assert_eq!(texts.at(&place(2), &commit("c1"), &path), None);
    }

    #[test]
    fn what_was_of_no_use_for_longest_makes_room() {
        let texts = Texts { kept: Mutex::default(), max_bytes: 2_400 };
        let path = RepoPath::new("Dockerfile");
        let text: Arc<str> = "x".repeat(500).into();
        texts.keep(&place(1), &commit("c1"), &path, "b1", &text);
        texts.keep(&place(1), &commit("c2"), &path, "b2", &text);
        assert!(texts.blob(&place(1), "b1").is_some());
        texts.keep(&place(1), &commit("c3"), &path, "b3", &text);
        let known = |blob: &str| texts.blob(&place(1), blob).is_some();
        assert_eq!((known("b1"), known("b2"), known("b3")), (true, false, true));
        assert!(texts.kept.lock().unwrap_or_else(|it| it.into_inner()).bytes <= 2_400);
        // What never fits puts nothing out.
        texts.keep(&place(1), &commit("c4"), &path, "b4", &"x".repeat(4_000).into());
        assert_eq!((known("b1"), known("b3"), known("b4")), (true, true, false));
    }
}
