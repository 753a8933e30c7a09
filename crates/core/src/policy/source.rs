//! The sources of `trust`: which one applies to an image, and the checks that
//! this is never ambiguous.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::HashSet;

use super::Explanation;
use super::diagnostic::Diagnostics;
use super::form;
use super::form::Images;
use super::form::SourceForm;
use super::matcher::Hit;
use super::matcher::Matcher;
use super::near;
use super::reader::Spanned;
use super::require::Require;
use super::wording::foreign_sentence;
use crate::image::Glob;
use crate::image::ImageRef;
use crate::image::Pattern;
use crate::image::PatternMatch;
use crate::image::Specificity;
use crate::image::normal_host;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::Span;
use crate::trust;
use crate::trust::Badge;
use crate::trust::Evidence;

/// Pairs of patterns that may have to be compared one by one, with `*` in the
/// same place: keeps loading a file made of nothing else short.
const MAX_COMPARED_PAIRS: usize = 200_000;

/// What patterns are compared by, greater is more specific: every pattern is
/// more specific than `hub:official`, and that than `hub:verified-publisher`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rank {
    AnyPublisher,
    NamedPublishers,
    HubOfficial,
    Pattern(Specificity),
}

/// The sources of a file, indexed.
#[derive(Debug, Clone)]
pub(super) struct Trust {
    /// The file that the spans are of.
    pub(super) file: RepoPath,
    pub(super) sources: Vec<Source>,
    pub(super) entries: Vec<Entry>,
    pub(super) matcher: Matcher,
    /// The entries that are `hub:official`.
    official: Vec<usize>,
    /// The entries that are `hub:verified-publisher`.
    verified: Vec<usize>,
    /// The hosts that are named in full, each once, in the order of the file.
    pub(super) hosts: Vec<String>,
    /// What is trusted, for people.
    pub(super) allowed: Explanation,
}

/// A named source.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) name: String,
    /// The namespaces that `hub:verified-publisher` is limited to; empty: every one.
    pub(super) publishers: Vec<String>,
    pub(super) require: Require,
    /// All its images are official ones.
    pub(super) is_official: bool,
}

/// An item of a source's `images`.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) images: Images,
    pub(super) source: usize,
    pub(super) span: Span,
    pub(super) rank: Rank,
    /// The item as text.
    pub(super) text: String,
}

impl Entry {
    fn new(images: Images, source: usize, span: Span, named: bool) -> Entry {
        let text = match &images {
            Images::Pattern(pattern) => pattern.to_string(),
            Images::HubOfficial => "hub:official".to_owned(),
            Images::HubVerified => "hub:verified-publisher".to_owned(),
        };
        Entry { rank: rank(&images, named), images, source, span, text }
    }

    fn version(&self, image: &ImageRef, open: bool) -> PatternMatch {
        match &self.images {
            Images::Pattern(pattern) => pattern.trusts_version(image, open),
            Images::HubOfficial | Images::HubVerified => PatternMatch::Yes,
        }
    }
}

impl Trust {
    pub(super) fn new(forms: Vec<SourceForm>, file: RepoPath) -> Trust {
        let mut trust = Trust {
            file,
            sources: Vec::new(),
            entries: Vec::new(),
            matcher: Matcher::default(),
            official: Vec::new(),
            verified: Vec::new(),
            hosts: Vec::new(),
            allowed: Explanation::default(),
        };
        let mut hosts = HashSet::new();
        for form in forms {
            let is_official = form.is_official();
            let named = !form.publishers.is_empty();
            for item in form.images {
                let id = trust.entries.len();
                match &item.value {
                    Images::Pattern(pattern) => {
                        trust.matcher.insert(pattern, id);
                        let host = pattern.host();
                        if !host.subdomains && hosts.insert(host.name.clone()) {
                            trust.hosts.push(host.name.clone());
                        }
                    }
                    Images::HubOfficial => trust.official.push(id),
                    Images::HubVerified => trust.verified.push(id),
                }
                trust.entries.push(Entry::new(item.value, trust.sources.len(), item.span, named));
            }
            let publishers = form.publishers.into_iter().map(|publisher| publisher.value).collect();
            trust.sources.push(Source {
                name: form.name.value,
                publishers,
                require: form.require,
                is_official,
            });
        }
        trust.allowed = near::allowed(&trust);
        trust
    }

    /// The entries that cover an image or, by something that is not known, may;
    /// most specific first. `open` as in [`Pattern::trusts_version`].
    pub(super) fn covering(
        &self,
        image: &ImageRef,
        open: bool,
        evidence: &Evidence,
    ) -> Vec<(&Entry, PatternMatch)> {
        let host = normal_host(&image.registry);
        let mut found: Vec<(&Entry, PatternMatch)> = Vec::new();
        self.matcher.find(&host, &image.repository, &mut |id, hit| {
            if hit == Hit::Covers {
                let entry = &self.entries[id];
                match entry.version(image, open) {
                    PatternMatch::No => {}
                    matched => found.push((entry, matched)),
                }
            }
        });
        if !self.official.is_empty()
            && official_name(&host, &image.repository).is_some_and(|name| trust::official(name).is_some())
        {
            found.extend(self.official.iter().map(|id| (&self.entries[*id], PatternMatch::Yes)));
        }
        if let Some(namespace) =
            trust::namespace(&host, &image.repository).filter(|_| !self.verified.is_empty())
        {
            let matched = match evidence.publisher(namespace).known().map(|fact| fact.value) {
                Some(Badge::VerifiedPublisher) => PatternMatch::Yes,
                Some(Badge::OpenSource | Badge::Community) => PatternMatch::No,
                None => PatternMatch::Unsure,
            };
            let entries = self.verified.iter().map(|id| &self.entries[*id]).filter(|entry| {
                let publishers = &self.sources[entry.source].publishers;
                publishers.is_empty() || publishers.iter().any(|publisher| publisher == namespace)
            });
            found.extend(
                entries.map(|entry| (entry, matched)).filter(|(_, matched)| *matched != PatternMatch::No),
            );
        }
        found.sort_by_key(|(entry, _)| Reverse(entry.rank));
        found
    }

    /// Whether `hub:official` stands in some source.
    pub(super) fn trusts_official(&self) -> bool {
        !self.official.is_empty()
    }
}

/// `named` says that publishers are.
fn rank(images: &Images, named: bool) -> Rank {
    match images {
        Images::HubVerified if named => Rank::NamedPublishers,
        Images::HubVerified => Rank::AnyPublisher,
        Images::Pattern(pattern) => Rank::Pattern(pattern.specificity()),
        Images::HubOfficial => Rank::HubOfficial,
    }
}

/// A place in the file of the sources, which may be the organisation's.
pub(super) fn location(trust: &Trust, span: Span) -> Location {
    Location { file: trust.file.clone(), span }
}

/// The short name of an image that could be an official one: `node` of
/// `docker.io/library/node`. The host is in normal form; only Docker Hub's own
/// name counts.
pub(super) fn official_name<'a>(host: &str, repository: &'a str) -> Option<&'a str> {
    if host != "docker.io" {
        return None;
    }
    repository.strip_prefix("library/").filter(|name| !name.contains('/'))
}

/// Sources that trust more people than they name.
pub(super) fn reject_broad(sources: &[SourceForm], out: &mut Diagnostics) {
    for source in sources {
        let patterns = source.images.iter().filter_map(|item| match &item.value {
            Images::Pattern(pattern) => Some((pattern, item.span)),
            Images::HubOfficial | Images::HubVerified => None,
        });
        form::reject_broad(patterns, source.everyone, out);
    }
}

/// `tag: supported` has a meaning on official images only.
pub(super) fn reject_unsupported_requirements(sources: &[SourceForm], out: &mut Diagnostics) {
    for source in sources {
        let Some(span) = source.require.supported_tag else { continue };
        let other = source.images.iter().find_map(|item| match &item.value {
            Images::Pattern(pattern) if !is_under_library(pattern) => Some(pattern.to_string()),
            Images::HubVerified => Some("hub:verified-publisher".to_owned()),
            Images::Pattern(_) | Images::HubOfficial => None,
        });
        if let Some(other) = other {
            let message = format!("`tag: supported` is known of official images only, and `{other}` is none");
            out.error(span, message, "move `hub:official` and this requirement to a source of their own");
        }
    }
}

impl SourceForm {
    /// Whether all its images are official ones, of which the supported tags are known.
    pub(super) fn is_official(&self) -> bool {
        !self.images.is_empty()
            && self.images.iter().all(|item| match &item.value {
                Images::Pattern(pattern) => is_under_library(pattern),
                Images::HubOfficial => true,
                Images::HubVerified => false,
            })
    }
}

fn is_under_library(pattern: &Pattern) -> bool {
    let host = pattern.host();
    !host.subdomains
        && host.name == "docker.io"
        && pattern.segments().first().map(Glob::as_str) == Some("library")
}

/// What makes two entries comparable at all: equal rank, and equal in everything
/// that is literal.
#[derive(PartialEq, Eq, Hash)]
struct Bucket<'a> {
    rank: Rank,
    host: Option<&'a str>,
    prefix: &'a [Glob],
    tag: Option<&'a Glob>,
    digest: Option<&'a str>,
}

/// Two sources with equally specific patterns for the same image: nobody could
/// say which applies.
pub(super) fn reject_ties(sources: &[SourceForm], out: &mut Diagnostics) {
    let mut buckets: HashMap<Bucket<'_>, Vec<(usize, &Spanned<Images>)>> = HashMap::new();
    for (index, source) in sources.iter().enumerate() {
        for item in &source.images {
            let bucket = match &item.value {
                Images::HubOfficial | Images::HubVerified => Bucket {
                    rank: rank(&item.value, !source.publishers.is_empty()),
                    host: None,
                    prefix: &[],
                    tag: None,
                    digest: None,
                },
                Images::Pattern(pattern) => Bucket {
                    rank: rank(&item.value, false),
                    host: (!pattern.host().subdomains).then_some(pattern.host().name.as_str()),
                    prefix: pattern.literal_prefix(),
                    tag: pattern.tag().filter(|tag| tag.is_literal()),
                    digest: pattern.digest().map(crate::image::Digest::as_str),
                },
            };
            buckets.entry(bucket).or_default().push((index, item));
        }
    }
    let mut compared = 0;
    for items in buckets.into_values() {
        for (at, (source, item)) in items.iter().enumerate() {
            // One error for each item is enough to mend it.
            let tied = items[..at].iter().find(|(other_source, other)| {
                if other_source == source || compared > MAX_COMPARED_PAIRS {
                    return false;
                }
                compared += 1;
                match (&item.value, &other.value) {
                    (Images::Pattern(one), Images::Pattern(two)) => one.overlaps(two),
                    (Images::HubVerified, Images::HubVerified) => {
                        let (one, two) = (&sources[*source].publishers, &sources[*other_source].publishers);
                        one.is_empty()
                            || one.iter().any(|name| two.iter().any(|other| other.value == name.value))
                    }
                    _ => true,
                }
            });
            if compared > MAX_COMPARED_PAIRS {
                let message = "too many patterns with `*` in the same place to tell whether two sources meet";
                return out.error(item.span, message, "end patterns in `/**`, or put them into one source");
            }
            if let Some((other_source, other)) = tied {
                let message = format!(
                    "the sources `{}` (line {}) and `{}` (line {}) name the same images equally exactly, so that it is not clear which applies",
                    sources[*other_source].name.value,
                    out.line(other.span),
                    sources[*source].name.value,
                    out.line(item.span),
                );
                out.error(
                    item.span,
                    foreign_sentence(&message),
                    "make one of the two more specific, or keep it in one source",
                );
            }
        }
    }
}
