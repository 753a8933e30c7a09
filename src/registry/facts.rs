//! One question at a time: who is asked for what, what the answer means, and for
//! how long it is kept. Every fact says its source and its day.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use fromguard_core::day::Day;
use fromguard_core::image::Digest;
use fromguard_core::image::ImageRef;
use fromguard_core::image::is_docker_hub;
use fromguard_core::image::normal_host;
use fromguard_core::trust::Badge;
use fromguard_core::trust::Evidence;
use fromguard_core::trust::Fact;
use fromguard_core::trust::Item;
use fromguard_core::trust::Learnt;
use fromguard_core::trust::Provenance;
use fromguard_core::trust::SourceRepository;
use fromguard_core::trust::TagTruth;
use fromguard_core::trust::Wanted;
use serde::Deserialize;
use serde::Serialize;

use super::archive::Archives;
use super::attached;
use super::attached::Attached;
use super::client::Client;
use super::client::Place;
use super::error::Error;
use super::guard::Guard;
use super::hub::Hub;
use super::hub::HubTag;
use super::inquiry::Asking;
use super::shelf::Kept;
use super::shelf::Lifetimes;
use super::shelf::Shelf;
use super::signature::Verified;
use super::signature::Verifying;
use crate::clock::Clock;

/// What a reference without a tag means.
const LATEST: &str = "latest";

/// The label that claims a source.
const SOURCE_LABEL: &str = "org.opencontainers.image.source";

/// Of one tag, so many earlier digests are remembered.
const MAX_EARLIER: usize = 16;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Tags move.
const TAGS: Lifetimes = Lifetimes { fresh: Duration::from_secs(600), stale: DAY, error: MINUTE };
/// What has a digest does not change.
const CHILDREN: Lifetimes = Lifetimes {
    fresh: Duration::from_secs(7 * 86_400),
    stale: Duration::from_secs(7 * 86_400),
    error: MINUTE,
};
/// A badge is lost seldom.
const BADGES: Lifetimes =
    Lifetimes { fresh: DAY, stale: Duration::from_secs(7 * 86_400), error: Duration::from_secs(300) };
const HUB_TAGS: Lifetimes = Lifetimes { fresh: HOUR, stale: DAY, error: Duration::from_secs(300) };

/// Signatures are added to what is there.
const ATTACHED: Lifetimes = Lifetimes { fresh: HOUR, stale: DAY, error: MINUTE };

/// So long it is remembered what a tag stood for after it was last looked at.
const TAG_REMEMBERED: Duration = Duration::from_secs(180 * 86_400);

/// How the sources of facts are called.
const DOCKER_HUB: &str = "Docker Hub";

/// A repository at a registry, and whether it was asked with credentials: what is
/// learnt with them is kept apart.
type At = (String, String, bool);

/// What was learnt, and who can be asked for more.
pub(super) struct Facts {
    clock: Clock,
    archives: Archives,
    guard: Guard,
    client: Client,
    hub: Hub,
    tags: Shelf<(At, String), Tag>,
    children: Shelf<(At, Digest), Arc<Vec<Digest>>>,
    badges: Shelf<String, Badge>,
    hub_tags: Shelf<(String, String), Arc<HubTag>>,
    verifying: Verifying,
    attached: Shelf<(At, Digest), Arc<Attached>>,
    buildkit_sboms: Shelf<(At, Digest), bool>,
    /// What labels claim to be the source.
    labels: Shelf<(At, Digest), Option<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tag {
    digest: Digest,
    earlier: Vec<Digest>,
}

/// Who says something, for people, and when.
struct Source {
    text: String,
    day: Day,
}

impl Source {
    fn fact<T>(&self, value: T, source: String) -> Learnt<T> {
        Learnt::Known(Fact { value, source, day: self.day })
    }
}

/// An answer on its way into the evidence.
pub(super) struct Entry(Box<dyn FnOnce(&mut Evidence) + Send>);

impl Entry {
    pub(super) fn write(self, evidence: &mut Evidence) {
        (self.0)(evidence);
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry")
    }
}

impl Facts {
    /// `verified_by` stands for everything that decides which signatures hold.
    pub(super) fn new(guard: Guard, verifying: Verifying, verified_by: &str) -> Facts {
        let archives = Archives::default();
        Facts {
            clock: guard.clock().clone(),
            client: Client::new(guard.clone()),
            hub: Hub::new(guard.clone()),
            guard,
            tags: Shelf::lasting("tag 1", TAGS, TAG_REMEMBERED, &archives),
            children: Shelf::lasting_shared("children 1", CHILDREN, CHILDREN.stale, &archives),
            badges: Shelf::lasting("badge 1", BADGES, BADGES.stale, &archives),
            hub_tags: Shelf::lasting_shared("hub tag 1", HUB_TAGS, HUB_TAGS.stale, &archives),
            verifying,
            attached: Shelf::lasting_shared(
                format!("attached 1 {verified_by}"),
                ATTACHED,
                ATTACHED.stale,
                &archives,
            ),
            buildkit_sboms: Shelf::lasting("buildkit sbom 1", CHILDREN, CHILDREN.stale, &archives),
            labels: Shelf::lasting("label 1", CHILDREN, CHILDREN.stale, &archives),
            archives,
        }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where answers last, from when on that is known.
    pub(super) fn archives(&self) -> &Archives {
        &self.archives
    }

    pub(super) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Asks for one thing; what cannot be had is an answer too.
    pub(super) async fn answer(&self, wanted: &Wanted, asking: &Asking) -> Entry {
        let (image, item) = match wanted {
            Wanted::Publisher(namespace) => {
                let badge = self.badge(namespace).await;
                let (namespace, badge) = (namespace.clone(), self.learnt(DOCKER_HUB, badge));
                return Entry(Box::new(move |evidence| evidence.set_publisher(&namespace, badge)));
            }
            Wanted::Image(image, item) => (image, *item),
        };
        match item {
            Item::Tag => {
                let (image, tag) = (image.clone(), self.tag(image, asking).await);
                Entry(Box::new(move |evidence| evidence.of_mut(&image).tag = tag))
            }
            Item::Pushed => {
                let (image, pushed) = (image.clone(), self.pushed(image).await);
                Entry(Box::new(move |evidence| evidence.of_mut(&image).pushed = pushed))
            }
            Item::Signatures | Item::Provenance | Item::Scan => match self.attached(image, asking).await {
                Ok((source, found)) => {
                    let image = image.clone();
                    Entry(Box::new(move |evidence| beside(evidence, &image, item, &source, &found)))
                }
                Err(why) => not_known(wanted, why),
            },
            Item::Sbom => {
                let (image, sbom) = (image.clone(), self.sbom(image, asking).await);
                Entry(Box::new(move |evidence| evidence.of_mut(&image).sbom = sbom))
            }
            Item::SourceRepository => {
                let (image, source) = (image.clone(), self.source_repository(image, asking).await);
                let claimed = self.claimed_source(&image, asking).await;
                Entry(Box::new(move |evidence| {
                    let dossier = evidence.of_mut(&image);
                    dossier.source_repository = source;
                    dossier.claimed_source = claimed;
                }))
            }
            Item::UsedBefore => not_known(wanted, "no inventory of default branches is kept".to_owned()),
        }
    }

    pub(super) async fn badge(&self, namespace: &str) -> Result<Kept<Badge>, Error> {
        let key = namespace.to_owned();
        self.badges.get(&key, &self.clock, |_| self.hub.badge(namespace)).await
    }

    /// What an image stands for now; an old answer is none.
    pub(super) async fn stands_for(&self, image: &ImageRef, asking: &Asking) -> Result<Digest, Error> {
        let place = self.client.place(image, &asking.contact, asking.private)?;
        if let (Some(digest), None) = (&image.digest, &image.tag) {
            return self.client.head(&place, digest.as_str()).await;
        }
        let kept = self.seen(&place, image).await?;
        kept.stale_because.map_or(Ok(kept.value.digest), Err)
    }

    /// What a tag stands for, with the children of an index where they decide.
    pub(super) async fn tag(&self, image: &ImageRef, asking: &Asking) -> Learnt<TagTruth> {
        let place = match self.client.place(image, &asking.contact, asking.private) {
            Ok(place) => place,
            Err(error) => return Learnt::Unavailable(error.to_string()),
        };
        let kept = match self.seen(&place, image).await {
            Ok(kept) => kept,
            Err(error) => return self.learnt(place.registry(), Err(error)),
        };
        let digest = kept.value.digest.clone();
        let decides = image.digest.as_ref().is_some_and(|pinned| *pinned != digest);
        let children = match decides {
            false => Arc::default(),
            true => {
                let key = (at(&place, image), digest.clone());
                let children = self.children.get(&key, &self.clock, |_| async {
                    let index = self.client.manifest(&place, &digest).await?;
                    Ok(Arc::new(
                        index.manifests.iter().filter_map(|child| child.digest()).collect::<Vec<_>>(),
                    ))
                });
                match children.await {
                    Ok(children) => children.value,
                    Err(error) => return self.learnt(place.registry(), Err(error)),
                }
            }
        };
        let truth = |Tag { digest, earlier }| TagTruth { digest, children: children.to_vec(), earlier };
        self.learnt(place.registry(), Ok(kept.map(truth)))
    }

    /// What the tag of an image stands for now, and what it was seen to stand for.
    async fn seen(&self, place: &Place, image: &ImageRef) -> Result<Kept<Tag>, Error> {
        let tag = image.tag.as_deref().unwrap_or(LATEST);
        let key = (at(place, image), tag.to_owned());
        let kept = self.tags.get(&key, &self.clock, |before| async {
            let digest = self.client.head(place, tag).await?;
            Ok(Tag { earlier: earlier(before, &digest), digest })
        });
        kept.await
    }

    /// What is beside an image, and who says so.
    async fn attached(&self, image: &ImageRef, asking: &Asking) -> Result<(Source, Arc<Attached>), String> {
        let (place, digest) = self.pinned(image, asking).await?;
        let key = (at(&place, image), digest.clone());
        let kept = self.attached.get(&key, &self.clock, |_| async {
            attached::read(&self.client, &self.verifying, &place, &digest).await.map(Arc::new)
        });
        let kept = kept.await.map_err(|error| format!("{}: {error}", place.registry()))?;
        let source =
            Source { text: self.source(place.registry(), &kept), day: Day::from_unix_ms(kept.at_ms) };
        Ok((source, kept.value))
    }

    /// Where an image is, and its digest: the one that its tag stands for if none is written.
    async fn pinned(&self, image: &ImageRef, asking: &Asking) -> Result<(Place, Digest), String> {
        let place =
            self.client.place(image, &asking.contact, asking.private).map_err(|error| error.to_string())?;
        let digest = match &image.digest {
            Some(digest) => digest.clone(),
            None => match self.seen(&place, image).await {
                Ok(kept) => kept.value.digest,
                Err(error) => return Err(format!("{}: {error}", place.registry())),
            },
        };
        Ok((place, digest))
    }

    /// Whether there is a bill of materials. Nobody vouches for what it says.
    async fn sbom(&self, image: &ImageRef, asking: &Asking) -> Learnt<bool> {
        let (source, found) = match self.attached(image, asking).await {
            Ok(attached) => attached,
            Err(why) => return Learnt::Unavailable(why),
        };
        let there = |source: &str| format!("{source}; nobody vouches for what it says");
        if found.sbom {
            return source.fact(true, there(&source.text));
        }
        let (place, digest) = match self.pinned(image, asking).await {
            Ok(pinned) => pinned,
            Err(why) => return Learnt::Unavailable(why),
        };
        let key = (at(&place, image), digest.clone());
        let kept = self.buildkit_sboms.get(&key, &self.clock, |_| async {
            attached::buildkit_sbom(&self.client, &place, &digest).await
        });
        match self.learnt(place.registry(), kept.await) {
            Learnt::Known(fact) if fact.value => Learnt::Known(Fact { source: there(&fact.source), ..fact }),
            learnt => learnt,
        }
    }

    /// The repository that an image is built from, as the certificate of its verified
    /// provenance has it.
    async fn source_repository(&self, image: &ImageRef, asking: &Asking) -> Learnt<Option<SourceRepository>> {
        let (source, found) = match self.attached(image, asking).await {
            Ok(attached) => attached,
            Err(why) => return Learnt::Unavailable(why),
        };
        let workloads = found.provenance().filter_map(|proven| proven.workload.as_ref());
        let mut repositories: Vec<_> =
            workloads.filter_map(|workload| Some((workload.source.as_ref()?, workload.signed_ms))).collect();
        // What the newest says of a repository counts.
        repositories.sort_by_key(|(repository, signed_ms)| (&repository.address, Reverse(*signed_ms)));
        repositories.dedup_by_key(|(repository, _)| &repository.address);
        match (repositories.as_slice(), found.provenance().next()) {
            ([(one, signed_ms)], _) => {
                let (address, public) = (one.address.clone(), one.public);
                let day = Day::from_unix_ms(*signed_ms);
                let text = format!("{}, by the certificate of its provenance of {day}", source.text);
                // When it was last pushed to only GitHub could say, who is not asked.
                source.fact(Some(SourceRepository { address, public, active: None }), text)
            }
            ([(one, _), (other, _), ..], _) => Learnt::Unavailable(format!(
                "it is attested to be built from {} and from {}",
                one.address, other.address
            )),
            // A key says who signed, and not from what repository.
            ([], Some(Verified { signer, .. })) => Learnt::Unavailable(format!(
                "the provenance that {} signed does not prove a repository",
                signer.identity
            )),
            ([], None) => match found.provenance_unread() {
                Some(why) => Learnt::Unavailable(why),
                None => source.fact(None, format!("{}{}", source.text, claimed(&found))),
            },
        }
    }

    /// The repository that a label names, of an image beside which nothing proves one.
    async fn claimed_source(&self, image: &ImageRef, asking: &Asking) -> Learnt<Option<String>> {
        if !self.attached(image, asking).await.is_ok_and(|(_, found)| found.is_bare()) {
            return Learnt::NotAsked;
        }
        let (place, digest) = match self.pinned(image, asking).await {
            Ok(pinned) => pinned,
            Err(why) => return Learnt::Unavailable(why),
        };
        let key = (at(&place, image), digest.clone());
        let kept = self.labels.get(&key, &self.clock, |_| async {
            let labels = self.client.labels(&place, &digest).await?;
            Ok(labels.get(SOURCE_LABEL).cloned())
        });
        self.learnt(place.registry(), kept.await)
    }

    /// When a digest was pushed, where its registry says so of the tag beside it.
    async fn pushed(&self, image: &ImageRef) -> Learnt<Day> {
        if !is_docker_hub(&normal_host(&image.registry)) {
            return Learnt::Unavailable("the registry does not say when it took a digest".to_owned());
        }
        let (Some(tag), Some(digest)) = (&image.tag, &image.digest) else {
            return Learnt::Unavailable("Docker Hub says it of tags, and no tag is written".to_owned());
        };
        let key = (image.repository.clone(), tag.clone());
        let kept = self
            .hub_tags
            .get(&key, &self.clock, |_| async { self.hub.tag(&image.repository, tag).await.map(Arc::new) });
        let kept = match kept.await {
            Ok(kept) => kept,
            Err(error) => return self.learnt(DOCKER_HUB, Err(error)),
        };
        match kept.value.pushed(digest) {
            Some(day) => self.learnt(DOCKER_HUB, Ok(kept.map(|_| day))),
            None => Learnt::Unavailable("Docker Hub does not say when this digest was pushed".to_owned()),
        }
    }

    /// Who says something; what could not be refreshed says how old it is.
    fn source<T>(&self, source: &str, kept: &Kept<T>) -> String {
        match &kept.stale_because {
            None => source.to_owned(),
            Some(error) => {
                let age = age(self.clock.now_ms().saturating_sub(kept.at_ms));
                format!("{source}, {age} ago; asked again: {error}")
            }
        }
    }

    /// An answer with its source and its day.
    fn learnt<T>(&self, source: &str, kept: Result<Kept<T>, Error>) -> Learnt<T> {
        match kept {
            Ok(kept) => {
                let source = self.source(source, &kept);
                Learnt::Known(Fact { value: kept.value, source, day: Day::from_unix_ms(kept.at_ms) })
            }
            Err(error @ Error::NotContacted(_)) => Learnt::Unavailable(error.to_string()),
            Err(error) => Learnt::Unavailable(format!("{source}: {error}")),
        }
    }
}

/// Writes down what is beside an image. What is there and was not verified is no
/// proof; what could not be looked at leaves the question open.
fn beside(evidence: &mut Evidence, image: &ImageRef, item: Item, source: &Source, found: &Attached) {
    let refuted = found.refuted.first().map(|why| {
        let count = found.refuted.len();
        format!("; {count} that {} not hold: {why}", if count == 1 { "does" } else { "do" })
    });
    let refuted = refuted.unwrap_or_default();
    let text = |more: &str| format!("{}{more}", source.text);
    let dossier = evidence.of_mut(image);
    match item {
        Item::Signatures => {
            let signers = found.signers();
            dossier.signatures = match found.signature_unread().filter(|_| signers.is_empty()) {
                Some(why) => Learnt::Unavailable(why),
                None => source.fact(signers, text(&refuted)),
            };
        }
        Item::Provenance => {
            let proven: Vec<Provenance> = found.provenance().map(provenance).collect();
            dossier.provenance = match found.provenance_unread().filter(|_| proven.is_empty()) {
                Some(why) => Learnt::Unavailable(why),
                None => source.fact(proven, text(&format!("{}{refuted}", claimed(found)))),
            };
        }
        _ => {
            dossier.scan = match (found.scan(), found.scan_unread()) {
                (None, Some(why)) => Learnt::Unavailable(why),
                (scan, _) => source.fact(scan, text(&refuted)),
            };
        }
    }
}

/// What is to be said where a provenance is there and proves nothing.
fn claimed(found: &Attached) -> &'static str {
    match found.provenance().next().is_none() && found.claims_provenance() {
        true => "; there is one that nobody who is known signed",
        false => "",
    }
}

/// Who built an image: whom the certificate names or, where a key signed the
/// provenance, whom it names itself. Only a certificate proves that it was one of
/// GitHub's own machines.
fn provenance(proven: &Verified) -> Provenance {
    let signer = proven.signer.clone();
    if let Some(workload) = &proven.workload {
        let builder = signer.identity.clone();
        return Provenance { builder, github_hosted: workload.github_hosted, signer };
    }
    let predicate = proven.statement.as_ref().map(|statement| &statement.predicate);
    let stated = predicate.and_then(|predicate| {
        let builder =
            predicate.pointer("/runDetails/builder/id").or_else(|| predicate.pointer("/builder/id"));
        builder.and_then(|id| id.as_str()).map(str::to_owned)
    });
    let builder = stated.unwrap_or_else(|| signer.identity.clone());
    Provenance { builder, github_hosted: false, signer }
}

/// Writes down that a thing is not known, and why.
pub(super) fn not_known(wanted: &Wanted, why: String) -> Entry {
    let (image, item) = match wanted.clone() {
        Wanted::Publisher(namespace) => {
            return Entry(Box::new(move |evidence| {
                evidence.set_publisher(&namespace, Learnt::Unavailable(why));
            }));
        }
        Wanted::Image(image, item) => (image, item),
    };
    Entry(Box::new(move |evidence| {
        let dossier = evidence.of_mut(&image);
        match item {
            Item::Tag => dossier.tag = Learnt::Unavailable(why),
            Item::Signatures => dossier.signatures = Learnt::Unavailable(why),
            Item::Provenance => dossier.provenance = Learnt::Unavailable(why),
            Item::Sbom => dossier.sbom = Learnt::Unavailable(why),
            Item::UsedBefore => dossier.used_before = Learnt::Unavailable(why),
            Item::SourceRepository => dossier.source_repository = Learnt::Unavailable(why),
            Item::Pushed => dossier.pushed = Learnt::Unavailable(why),
            Item::Scan => dossier.scan = Learnt::Unavailable(why),
        }
    }))
}

fn at(place: &Place, image: &ImageRef) -> At {
    (place.registry().to_owned(), image.repository.clone(), place.as_user())
}

/// The digests that a tag was seen to stand for before it stood for this one, the newest last.
fn earlier(before: Option<Tag>, digest: &Digest) -> Vec<Digest> {
    let Some(Tag { digest: last, mut earlier }) = before else { return Vec::new() };
    if last != *digest {
        earlier.retain(|old| *old != last && old != digest);
        earlier.push(last);
    }
    let surplus = earlier.len().saturating_sub(MAX_EARLIER);
    earlier.drain(..surplus);
    earlier
}

/// How long ago, in the largest unit that fits.
fn age(ms: i64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0..=119 => format!("{minutes} min"),
        120..=2_879 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}
