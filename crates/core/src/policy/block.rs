//! `block`: images that are refused whatever else the policy says.

use super::Policy;
use super::diagnostic::Diagnostics;
use super::form::BlockForm;
use super::form::Form;
use super::form::Images;
use super::matcher::Hit;
use super::matcher::Matcher;
use crate::image::ImageRef;
use crate::image::Pattern;
use crate::image::PatternMatch;
use crate::image::is_docker_hub;
use crate::image::normal_host;
use crate::source::Span;

/// The other names under which Docker Hub can be written, for `*.docker.io` and the like.
const DOCKER_HUB_NAMES: [&str; 4] =
    ["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];

/// The blocks of a file, indexed. Docker Hub's names are one registry here.
#[derive(Debug, Clone, Default)]
pub(super) struct Blocks {
    entries: Vec<Blocked>,
    pub(super) matcher: Matcher,
}

/// A pattern of `block`.
#[derive(Debug, Clone)]
pub(super) struct Blocked {
    pub(super) pattern: Pattern,
    pub(super) span: Span,
    pub(super) because: Option<String>,
}

impl Blocks {
    pub(super) fn new(forms: Vec<BlockForm>) -> Blocks {
        let mut blocks = Blocks::default();
        for form in forms {
            for item in form.images {
                let id = blocks.entries.len();
                let host = item.value.host();
                if !host.subdomains && is_docker_hub(&host.name) {
                    blocks.matcher.insert(&item.value.with_host("docker.io"), id);
                } else {
                    blocks.matcher.insert(&item.value, id);
                }
                let because = form.because.clone();
                blocks.entries.push(Blocked { pattern: item.value, span: item.span, because });
            }
        }
        blocks
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first pattern in the file that blocks an image; failing that the first
    /// that may, by a tag or digest that is not known. `open` as in
    /// [`Pattern::blocks_version`].
    pub(super) fn find(&self, image: &ImageRef, open: bool) -> Option<(&Blocked, PatternMatch)> {
        let mut best: Option<(usize, PatternMatch)> = None;
        let mut visit = |id: usize, hit: Hit| {
            if hit != Hit::Covers {
                return;
            }
            let matched = self.entries[id].pattern.blocks_version(image, open);
            let rank = |matched: PatternMatch| u8::from(matched == PatternMatch::Yes);
            let better = best.is_none_or(|(other, known)| (rank(matched), other) > (rank(known), id));
            if matched != PatternMatch::No && better {
                best = Some((id, matched));
            }
        };
        self.each_name(&normal_host(&image.registry), &image.repository, &mut visit);
        best.map(|(id, matched)| (&self.entries[id], matched))
    }

    fn each_name(&self, host: &str, repository: &str, visit: &mut impl FnMut(usize, Hit)) {
        if !is_docker_hub(host) {
            return self.matcher.find(host, repository, visit);
        }
        let library = format!("library/{repository}");
        let single = !repository.contains('/') && repository != "**";
        let repository = if single { &library } else { repository };
        self.matcher.find("docker.io", repository, visit);
        for name in DOCKER_HUB_NAMES {
            self.matcher.find_as_subdomain(name, repository, visit);
        }
    }

    /// The pattern that blocks everything that `pattern` covers.
    fn containing(&self, pattern: &Pattern) -> Option<&Blocked> {
        let host = pattern.host();
        let name = if host.subdomains { format!("*.{}", host.name) } else { host.name.clone() };
        let mut found: Option<usize> = None;
        self.each_name(&name, &pattern.path_text(), &mut |id, hit| {
            let block = &self.entries[id].pattern;
            let tag = match (block.tag(), pattern.tag()) {
                (None, _) => true,
                (Some(block), Some(tag)) => block == tag || block.matches(tag.as_str()),
                (Some(_), None) => false,
            };
            let digest = block.digest().is_none() || block.digest() == pattern.digest();
            if hit == Hit::Covers && tag && digest {
                found = Some(found.map_or(id, |other| other.min(id)));
            }
        });
        found.map(|id| &self.entries[id])
    }
}

/// What a repository excepts that the organisation blocks: its exception lifts nothing.
pub(super) fn reject_blocked_by_organisation(form: &Form, organisation: &Policy, out: &mut Diagnostics) {
    for item in form.exceptions.iter().flat_map(|exception| &exception.images) {
        let Some(block) = organisation.blocks.containing(&item.value) else { continue };
        let at = organisation.file.position(block.span.start);
        let message = format!(
            "`{}` is wholly inside the block `{}` of the organisation's policy ({}:{}:{}): no exception lifts a block",
            item.value,
            block.pattern,
            organisation.file.path(),
            at.line_1based,
            at.column_1based
        );
        let help = match &block.because {
            Some(because) => format!("remove it, and use another image: {because}"),
            None => "remove it, and use another image".to_owned(),
        };
        out.error(item.span, message, help);
    }
}

/// A pattern that is wholly blocked does nothing, and somebody believes that it does.
pub(super) fn reject_blocked(form: &Form, blocks: &Blocks, out: &mut Diagnostics) {
    if blocks.is_empty() {
        return;
    }
    let library = Pattern::parse("docker.io/library/*").ok();
    let publishers = Pattern::parse("docker.io/*/*").ok();
    let mut reject = |text: String, pattern: Option<&Pattern>, span: Span, why: &str| {
        let Some(block) = pattern.and_then(|pattern| blocks.containing(pattern)) else { return };
        let line = out.line(block.span);
        let message =
            format!("`{text}` is wholly inside the block `{}` on line {line}: {why}", block.pattern);
        out.error(span, message, "remove one of the two");
    };
    for item in form.trust.iter().flat_map(|source| &source.images) {
        let (text, pattern) = match &item.value {
            Images::Pattern(pattern) => (pattern.to_string(), Some(pattern)),
            Images::HubOfficial => ("hub:official".to_owned(), library.as_ref()),
            Images::HubVerified => ("hub:verified-publisher".to_owned(), publishers.as_ref()),
        };
        reject(text, pattern, item.span, "it could never be trusted");
    }
    for item in form.exceptions.iter().flat_map(|exception| &exception.images) {
        reject(item.value.to_string(), Some(&item.value), item.span, "no exception lifts a block");
    }
}
