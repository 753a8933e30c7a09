//! What somebody needs who is told that no source names an image: which patterns
//! nearly do and why they do not, and what is trusted.

use super::Explanation;
use super::form::Images;
use super::matcher::Hit;
use super::scrutinising::said_by;
use super::source::Entry;
use super::source::Trust;
use super::source::location;
use super::source::official_name;
use super::wording::plain;
use super::wording::quoted;
use crate::day::Day;
use crate::image::ImageRef;
use crate::image::Pattern;
use crate::image::is_docker_hub;
use crate::image::normal_host;
use crate::source::Location;
use crate::trust::Evidence;
use crate::trust::namespace;
use crate::trust::remark;
use crate::trust::was_official;

/// More near misses than this are not read by anybody.
const MAX_MISSES: usize = 3;
/// Of a policy with so many patterns each is said to be tried, and why it does not cover.
const MAX_ALL_TRIED: usize = 20;
/// Hosts of the policy that are tried in the place of the written one.
const MAX_HOSTS_TRIED: usize = 16;
/// Sources, and patterns of one, that are listed.
const MAX_SOURCES: usize = 8;
const MAX_PATTERNS: usize = 4;

/// The patterns that were tried beside the near misses, and why none of them covers an
/// image: each while they are few.
pub(super) fn tried(
    trust: &Trust,
    image: &ImageRef,
    evidence: &Evidence,
    misses: &[Explanation],
) -> Option<Explanation> {
    let number = trust.entries.len();
    if number > MAX_ALL_TRIED {
        let text = format!("{number} patterns were tried, and none covers it");
        return Some(Explanation { text, at: None, because: Vec::new() });
    }
    let host = normal_host(&image.registry);
    let said =
        |entry: &Entry| misses.iter().any(|miss| miss.at.as_ref().is_some_and(|at| at.span == entry.span));
    let others = trust.entries.iter().filter(|entry| !said(entry));
    let because: Vec<Explanation> = others
        .map(|entry| Explanation {
            text: why_not(trust, entry, &host, image, evidence),
            at: Some(location(trust, entry.span)),
            because: Vec::new(),
        })
        .collect();
    let text = if misses.is_empty() { "what was tried" } else { "what was tried too" };
    (!because.is_empty()).then(|| Explanation { text: text.to_owned(), at: None, because })
}

/// Why an item of `images` does not cover an image that it is not even close to.
fn why_not(trust: &Trust, entry: &Entry, host: &str, image: &ImageRef, evidence: &Evidence) -> String {
    let text = quoted(&entry.text);
    match &entry.images {
        Images::Pattern(pattern) => format!("{text} {}", pattern_differs(pattern, host, image)),
        _ if host != "docker.io" => {
            format!("{text} is about Docker Hub, `docker.io`, and the host is {}", quoted(host))
        }
        Images::HubOfficial => match official_name(host, &image.repository) {
            Some(name) => format!("{text} does not list {}", quoted(name)),
            None => format!("{text} covers images that are written without a publisher, as `node`"),
        },
        Images::HubVerified => {
            let Some(namespace) = namespace(host, &image.repository) else {
                return format!("{text} covers images of a publisher, as `grafana/loki`");
            };
            let publishers = &trust.sources[entry.source].publishers;
            let name = quoted(namespace);
            if !publishers.is_empty() && !publishers.iter().any(|publisher| publisher == namespace) {
                return format!("{text} is limited to `publishers`, which do not name {name}");
            }
            match evidence.publisher(namespace).known() {
                Some(fact) => {
                    format!("{text} takes verified publishers, and {name} is none {}", said_by(fact))
                }
                None => format!("whether {text} covers it is not known"),
            }
        }
    }
}

/// The first thing in which an image is not what a pattern names.
fn pattern_differs(pattern: &Pattern, host: &str, image: &ImageRef) -> String {
    if !pattern.host().covers(host) {
        return format!("names the host {}, not {}", quoted(&host_text(pattern)), quoted(host));
    }
    let mut path = image.repository.split('/');
    for glob in pattern.segments() {
        match path.next() {
            Some(segment) if glob.matches(segment) => {}
            Some(segment) => {
                return format!("has {} where {} stands here", quoted(glob.as_str()), quoted(segment));
            }
            None => return "is about longer paths".to_owned(),
        }
    }
    match (path.next(), pattern.is_deep()) {
        (Some(_), false) => "is about shorter paths".to_owned(),
        (None, true) => "is about longer paths".to_owned(),
        _ if pattern.digest().is_some() => "covers another digest".to_owned(),
        _ => "covers other tags".to_owned(),
    }
}

/// Why the patterns that come close do not cover an image, closest first.
pub(super) fn misses(trust: &Trust, image: &ImageRef, day: Day) -> Vec<Explanation> {
    let host = normal_host(&image.registry);
    let host: &str = &host;
    let mut misses = Vec::new();
    let mut say = |entry: Option<&Entry>, text: String| {
        if misses.len() < MAX_MISSES {
            let at = entry.map(|entry| Location { file: trust.file.clone(), span: entry.span });
            misses.push(Explanation { text, at, because: Vec::new() });
        }
    };
    trust.matcher.find(host, &image.repository, &mut |id, hit| {
        let entry = &trust.entries[id];
        if let Images::Pattern(pattern) = &entry.images {
            say(Some(entry), by_path(pattern, &entry.text, hit));
        }
    });
    by_host(trust, host, &mut say);
    let first = image.repository.split('/').next().unwrap_or("");
    if trust.matcher.has_host(first) || is_docker_hub(first) {
        say(None, format!("{} stands in the path here: the host is {}", quoted(first), quoted(host)));
    }
    if let Some(name) = official_name(host, &image.repository).filter(|_| trust.trusts_official()) {
        say(
            None,
            if let Some(remark) = remark(image, day).filter(|_| was_official(name)) {
                remark.to_string()
            } else {
                format!("`{}` is not in the list of official images", plain(name))
            },
        );
    }
    if misses.is_empty() {
        misses.extend(by_other_host(trust, host, image));
    }
    misses
}

fn by_path(pattern: &Pattern, name: &str, hit: Hit) -> String {
    let under =
        pattern.segments().iter().fold(host_text(pattern), |text, segment| format!("{text}/{segment}"));
    match hit {
        Hit::EndsAbove if pattern.segments().last().is_some_and(|last| !last.is_literal()) => {
            let above = under.rsplit_once('/').map_or(under.as_str(), |(above, _)| above);
            format!("`{name}` covers one level; `{above}/**` would cover what is below")
        }
        Hit::EndsAbove => {
            format!("`{name}` covers that one repository; `{under}/**` would cover what is below it")
        }
        Hit::BeginsBelow => format!("`{name}` covers what is below, not `{under}` itself"),
        Hit::Covers => match pattern.digest() {
            Some(_) => format!("`{name}` covers another digest"),
            None => format!("`{name}` covers other tags"),
        },
    }
}

fn host_text(pattern: &Pattern) -> String {
    let host = pattern.host();
    if host.subdomains { format!("*.{}", host.name) } else { host.name.clone() }
}

fn by_host(trust: &Trust, host: &str, say: &mut impl FnMut(Option<&Entry>, String)) {
    let matcher = &trust.matcher;
    if matcher.has_host(host) {
        return;
    }
    if host != "docker.io" && is_docker_hub(host) {
        say(None, format!("{} is Docker Hub under another name; sources name it `docker.io`", quoted(host)));
    }
    if matcher.has_subdomains_of(host) {
        say(None, format!("`*.{}` covers its subdomains, not {} itself", plain(host), quoted(host)));
    }
    let without_port = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if without_port != host && matcher.has_host(without_port) {
        say(None, format!("{} is trusted on its default port only", quoted(without_port)));
    }
    for (dot, _) in host.match_indices('.') {
        let (before, after) = (&host[..dot], &host[dot + 1..]);
        if matcher.has_host(before) || is_docker_hub(before) {
            say(
                None,
                format!(
                    "the host is {}, not {}: it belongs to whoever owns {}",
                    quoted(host),
                    quoted(before),
                    quoted(after)
                ),
            );
        }
        if matcher.has_host(after) {
            say(
                None,
                format!(
                    "{} is a host of its own; the policy names {} without its subdomains",
                    quoted(host),
                    quoted(after)
                ),
            );
        }
    }
}

fn by_other_host(trust: &Trust, host: &str, image: &ImageRef) -> Option<Explanation> {
    trust.hosts.iter().take(MAX_HOSTS_TRIED).filter(|other| other.as_str() != host).find_map(|other| {
        let mut covering = None;
        trust.matcher.find(other, &image.repository, &mut |id, hit| {
            if hit == Hit::Covers && covering.is_none() {
                covering = Some(&trust.entries[id]);
            }
        });
        let entry: &Entry = covering?;
        Some(Explanation {
            text: format!("the host differs: it is {}, and {} is trusted", quoted(host), quoted(&entry.text)),
            at: Some(Location { file: trust.file.clone(), span: entry.span }),
            because: Vec::new(),
        })
    })
}

/// What the policy trusts, by the names of its sources.
pub(super) fn allowed(trust: &Trust) -> Explanation {
    let mut because: Vec<Explanation> = Vec::new();
    let mut entries = trust.entries.iter().peekable();
    for (index, source) in trust.sources.iter().enumerate().take(MAX_SOURCES) {
        let mut of_source = Vec::new();
        let mut first = None;
        while let Some(entry) = entries.next_if(|entry| entry.source == index) {
            first = first.or(Some(entry.span));
            of_source.push(entry);
        }
        let mut text = format!("`{}`: ", source.name);
        let shown: Vec<String> =
            of_source.iter().take(MAX_PATTERNS).map(|entry| quoted(&entry.text)).collect();
        text.push_str(&shown.join(", "));
        if of_source.len() > MAX_PATTERNS {
            text.push_str(&format!(" and {} more", of_source.len() - MAX_PATTERNS));
        }
        let at = first.map(|span| Location { file: trust.file.clone(), span });
        because.push(Explanation { text, at, because: Vec::new() });
    }
    if trust.sources.len() > MAX_SOURCES {
        let text = format!("and {} sources more", trust.sources.len() - MAX_SOURCES);
        because.push(Explanation { text, at: None, because: Vec::new() });
    }
    let text = if because.is_empty() { "this policy trusts no source" } else { "this policy trusts" };
    Explanation { text: text.to_owned(), at: None, because }
}
