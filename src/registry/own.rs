//! What is known without asking a registry: what stands on the organisation's default
//! branches, and scan results that it or the operator supplies. None of it is ever read
//! from what is judged.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use fromguard_core::day::Day;
use fromguard_core::image::Digest;
use fromguard_core::image::ImageRef;
use fromguard_core::image::normal_host;
use fromguard_core::policy::Policies;
use fromguard_core::trust::Fact;
use fromguard_core::trust::Learnt;
use fromguard_core::trust::MAX_SCAN_BYTES;
use fromguard_core::trust::ScanFile;
use fromguard_core::trust::ScanResult;
use fromguard_core::trust::scan_names;
use fromguard_core::trust::supplied_scan;
use futures_util::future::BoxFuture;

use super::error::Error;
use super::shelf::Lifetimes;
use super::shelf::Shelf;
use crate::clock::Clock;

/// Who keeps the operator's folder, for people.
const OPERATOR: &str = "the operator's folder";

/// Who says what stands on default branches, for people.
const INVENTORY: &str = "the inventory of default branches";

/// A scanner writes anew now and then.
const FILES: Lifetimes = Lifetimes {
    fresh: Duration::from_secs(600),
    stale: Duration::from_secs(600),
    error: Duration::from_secs(60),
};

/// What an organisation keeps itself, of which its pull requests know nothing.
pub trait Organisation: Send + Sync {
    /// Its scan results of these digests, as far as there are any; or why that is not known.
    fn scans(&self, digests: Vec<Digest>) -> BoxFuture<'_, Result<BTreeMap<Digest, Vec<ScanFile>>, String>>;

    /// The images with these digests that stand on default branches of its repositories, as
    /// they are written there; or why that is not known.
    fn standing(
        &self,
        digests: Vec<Digest>,
    ) -> BoxFuture<'_, Result<BTreeMap<Digest, Vec<ImageRef>>, String>>;
}

/// Scan results in a folder of the operator's.
pub(super) struct Folder {
    path: PathBuf,
    files: Shelf<Digest, Vec<ScanFile>>,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Folder {
        Folder { path, files: Shelf::new(FILES) }
    }

    async fn scans(&self, digest: &Digest, clock: &Clock) -> Vec<ScanFile> {
        let read = |_| async {
            let (path, digest) = (self.path.clone(), digest.clone());
            let read = tokio::task::spawn_blocking(move || read(&path, &digest));
            read.await.map_err(|error| Error::Malformed(error.to_string()))
        };
        match self.files.get(digest, clock, read).await {
            Ok(kept) => kept.value,
            Err(error) => vec![ScanFile::unreadable(OPERATOR.to_owned(), "", &error.to_string())],
        }
    }
}

/// What is supplied of each of these digests; of one of which nothing is, nothing is said.
pub(super) async fn supplied(
    folder: Option<&Folder>,
    organisation: Option<&dyn Organisation>,
    digests: &[Digest],
    clock: &Clock,
) -> BTreeMap<Digest, Learnt<Option<ScanResult>>> {
    let mut files = match organisation {
        Some(organisation) if !digests.is_empty() => organisation.scans(digests.to_vec()).await,
        _ => Ok(BTreeMap::new()),
    };
    let mut all = BTreeMap::new();
    for digest in digests {
        let mut of_digest = match &mut files {
            Ok(files) => files.remove(digest).unwrap_or_default(),
            Err(why) => {
                all.insert(digest.clone(), Learnt::Unavailable(why.clone()));
                continue;
            }
        };
        if let Some(folder) = folder {
            of_digest.extend(folder.scans(digest, clock).await);
        }
        let learnt = supplied_scan(&of_digest, Day::from_unix_ms(clock.now_ms()));
        if !learnt.may_be_asked() {
            all.insert(digest.clone(), learnt);
        }
    }
    all
}

/// Whether each of these images stands on a default branch of the organisation: the same
/// repository and digest, or a mirror's of it.
pub(super) async fn used_before(
    organisation: &dyn Organisation,
    images: &[ImageRef],
    policies: &Policies,
    clock: &Clock,
) -> Vec<Learnt<bool>> {
    let digests: BTreeSet<&Digest> = images.iter().filter_map(|image| image.digest.as_ref()).collect();
    let standing = organisation.standing(digests.into_iter().cloned().collect()).await;
    let day = Day::from_unix_ms(clock.now_ms());
    let learnt = |image: &ImageRef| match &standing {
        Err(why) => Learnt::Unavailable(why.clone()),
        Ok(standing) => {
            let known = image.digest.as_ref().and_then(|digest| standing.get(digest));
            let value = known.into_iter().flatten().any(|known| is_of(known, image, policies));
            Learnt::Known(Fact { value, source: INVENTORY.to_owned(), day })
        }
    };
    images.iter().map(learnt).collect()
}

/// Whether what stands on a branch is of the repository that is judged, by its own name or
/// as the mirror of it that a policy in force knows.
fn is_of(standing: &ImageRef, image: &ImageRef, policies: &Policies) -> bool {
    let name = |image: &ImageRef| (normal_host(&image.registry).to_string(), image.repository.clone());
    let wanted = name(image);
    name(standing) == wanted || policies.loaded().any(|policy| name(&policy.origin(standing)) == wanted)
}

fn read(folder: &Path, digest: &Digest) -> Vec<ScanFile> {
    let names = scan_names(digest);
    let files = names.iter().filter_map(|name| match text_of(&folder.join(name)) {
        Ok(text) => Some(ScanFile::read(OPERATOR.to_owned(), name, digest, &text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(ScanFile::unreadable(OPERATOR.to_owned(), name, &error.to_string())),
    });
    files.collect()
}

/// The text of a file; of one that is too long, as much as shows that it is.
fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let limit = u64::try_from(MAX_SCAN_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)?.take(limit).read_to_string(&mut text)?;
    Ok(text)
}
