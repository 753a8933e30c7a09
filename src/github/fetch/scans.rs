//! Scan results in the organisation's repository `.github`, at the commit where its default
//! branch stands: found by name, read by blob, and kept as what they say. What a commit and a
//! blob hold never changes, so that only new ones are asked for again.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Mutex;

use fromguard_core::image::Digest;
use fromguard_core::trust::SCANS_PATH;
use fromguard_core::trust::ScanFile;
use fromguard_core::trust::scan_names;
use serde::Deserialize;

use crate::github::app::ORGANISATION_REPOSITORY;
use crate::github::client::Call;
use crate::github::error::Error;
use crate::github::fetch::entry::RAW;
use crate::github::repository::Repository;
use crate::github::repository::repository_path;
use crate::ids::InstallationId;
use crate::ids::RepositoryName;
use crate::ids::Sha;

/// The most digests in one query; each has two names.
const MAX_DIGESTS: usize = 50;
/// The largest result that is read, in bytes. Read as JSON it takes many times as much.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How many results, and how many digests of commits, are kept.
const MAX_KEPT: usize = 10_000;
/// What a query declares for every name that it asks for.
const ENTRY: &str = "{ mode object { ... on Blob { oid byteSize } } }";

/// What was read, by installation.
#[derive(Default)]
pub(in crate::github) struct KeptScans {
    /// What a blob says of a digest.
    blobs: Mutex<HashMap<(InstallationId, String, Digest), ScanFile>>,
    /// What stands at a commit for a digest.
    commits: Mutex<HashMap<(InstallationId, Sha, Digest), Vec<ScanFile>>>,
}

#[derive(Deserialize)]
struct Entry {
    mode: u32,
    object: Option<Blob>,
}

/// Empty when the object is no blob.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    oid: Option<String>,
    #[serde(default)]
    byte_size: u64,
}

/// What stands at each alias of a query.
type Entries = HashMap<String, Option<Entry>>;

/// A file by its name, and its blob.
struct Found {
    name: String,
    digest: Digest,
    oid: String,
    size_bytes: u64,
}

/// The scan results of these digests that the organisation's repository holds at a commit.
///
/// # Errors
/// When GitHub does not say.
pub async fn supplied_scans(
    repository: &Repository,
    tip: &Sha,
    digests: &[Digest],
) -> Result<BTreeMap<Digest, Vec<ScanFile>>, Error> {
    let installation = repository.place().installation;
    let kept = repository.github.scans();
    let mut all = BTreeMap::new();
    let mut asked = Vec::new();
    for digest in digests {
        match get(&kept.commits, &(installation, tip.clone(), digest.clone())) {
            Some(files) => drop(all.insert(digest.clone(), files)),
            None => asked.push(digest.clone()),
        }
    }
    for chunk in asked.chunks(MAX_DIGESTS) {
        let mut of_chunk: BTreeMap<Digest, Vec<ScanFile>> =
            chunk.iter().map(|digest| (digest.clone(), Vec::new())).collect();
        for found in find(repository, tip, chunk).await? {
            let key = (installation, found.oid.clone(), found.digest.clone());
            let file = match get(&kept.blobs, &key) {
                Some(file) => file,
                None => {
                    let file = read(repository, &found).await?;
                    put(&kept.blobs, key, file.clone());
                    file
                }
            };
            of_chunk.entry(found.digest).or_default().push(file);
        }
        for (digest, files) in of_chunk {
            put(&kept.commits, (installation, tip.clone(), digest.clone()), files.clone());
            all.insert(digest, files);
        }
    }
    Ok(all)
}

/// Which of the files there are; a link or a folder is none.
async fn find(repository: &Repository, tip: &Sha, digests: &[Digest]) -> Result<Vec<Found>, Error> {
    #[derive(Deserialize)]
    struct Data {
        repository: Option<HashMap<String, Option<Entries>>>,
    }

    let names: Vec<(&Digest, String)> = digests
        .iter()
        .flat_map(|digest| scan_names(digest).into_iter().map(move |name| (digest, name)))
        .collect();
    let mut variables = serde_json::Map::new();
    let mut declared = String::from("$owner: String!, $name: String!, $tip: GitObjectID!");
    let mut selections = String::new();
    variables.insert("owner".into(), repository.place().name.owner.clone().into());
    variables.insert("name".into(), ORGANISATION_REPOSITORY.into());
    variables.insert("tip".into(), tip.0.clone().into());
    for (index, (_, name)) in names.iter().enumerate() {
        declared.push_str(&format!(", $p{index}: String!"));
        variables.insert(format!("p{index}"), format!("{SCANS_PATH}/{name}").into());
        selections.push_str(&format!("        f{index}: file(path: $p{index}) {ENTRY}\n"));
    }
    let query = format!(
        "query Scans({declared}) {{\n  repository(owner: $owner, name: $name) {{\n    c: object(oid: $tip) {{\n      \
         ... on Commit {{\n{selections}      }}\n    }}\n  }}\n}}\n"
    );
    let data: Data = repository.graphql("the scan results", &query, &variables, &[]).await?;
    let mut entries = data
        .repository
        .and_then(|mut node| node.remove("c")?)
        .ok_or_else(|| Error::GraphQl { message: format!("commit {tip} is not there (yet)") })?;
    let mut found = Vec::new();
    for (index, (digest, name)) in names.into_iter().enumerate() {
        let entry = entries.remove(&format!("f{index}")).flatten().filter(Entry::is_file);
        let Some(Blob { oid: Some(oid), byte_size }) = entry.and_then(|entry| entry.object) else { continue };
        found.push(Found { name, digest: digest.clone(), oid, size_bytes: byte_size });
    }
    Ok(found)
}

impl Entry {
    /// Whether it is a regular file: `git help fast-import`, "filemodify".
    fn is_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }
}

async fn read(repository: &Repository, found: &Found) -> Result<ScanFile, Error> {
    let owner = repository.place().name.owner.clone();
    let holder = RepositoryName { owner, name: ORGANISATION_REPOSITORY.to_owned() };
    let keeper = holder.to_string();
    let name = format!("{SCANS_PATH}/{}", found.name);
    let too_large = || {
        let why = format!("it is {} bytes long, the limit is {MAX_BYTES}", found.size_bytes);
        Ok(ScanFile::unreadable(keeper.clone(), &name, &why))
    };
    if usize::try_from(found.size_bytes).is_ok_and(|size| size > MAX_BYTES) {
        return too_large();
    }
    let path = repository_path(&holder, &format!("/git/blobs/{}", found.oid));
    let call = Call { accept: Some(RAW), max_bytes: MAX_BYTES, ..Call::get("the scan result", &path) };
    let answer = match repository.rest(call).await {
        Err(Error::TooLarge { .. }) => return too_large(),
        answer => answer?,
    };
    let digest = found.digest.clone();
    let parsed = tokio::task::spawn_blocking(move || match std::str::from_utf8(&answer.body) {
        Ok(text) => ScanFile::read(keeper, &name, &digest, text),
        Err(_) => ScanFile::unreadable(keeper, &name, "it is not UTF-8"),
    });
    parsed.await.map_err(|error| Error::Malformed { reason: error.to_string() })
}

fn get<K: std::hash::Hash + Eq, V: Clone>(kept: &Mutex<HashMap<K, V>>, key: &K) -> Option<V> {
    kept.lock().expect("no holder of the scan results panics").get(key).cloned()
}

/// Keeps a value; when there are too many, all others go.
fn put<K: std::hash::Hash + Eq, V>(kept: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut kept = kept.lock().expect("no holder of the scan results panics");
    if kept.len() >= MAX_KEPT {
        kept.clear();
    }
    kept.insert(key, value);
}
