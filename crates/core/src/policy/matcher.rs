//! Many patterns at once: a tree over host and path, built once, so that judging
//! costs by the depth of a path and not by the number of patterns.

use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::image::Glob;
use crate::image::Pattern;
use crate::image::glob_matches;

/// An index of patterns by host and path; tags and digests are the caller's.
#[derive(Debug, Clone, Default)]
pub(super) struct Matcher {
    hosts: HashMap<Box<str>, usize>,
    /// What stands after `*.`.
    subdomains: HashMap<Box<str>, usize>,
    nodes: Vec<Folder>,
}

#[derive(Debug, Clone, Default)]
struct Folder {
    literal: HashMap<Box<str>, usize>,
    globs: BTreeMap<Box<str>, usize>,
    /// Patterns that end here.
    here: Vec<usize>,
    /// Patterns that end here in `/**`.
    deep: Vec<usize>,
}

/// How a pattern met a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hit {
    /// It covers it.
    Covers,
    /// It covers a folder above it, and ends there.
    EndsAbove,
    /// It covers what is below it.
    BeginsBelow,
}

impl Matcher {
    /// Adds a pattern under an id of the caller's.
    pub(super) fn insert(&mut self, pattern: &Pattern, id: usize) {
        let host = pattern.host();
        let table = if host.subdomains { &mut self.subdomains } else { &mut self.hosts };
        let mut at = match table.get(host.name.as_str()) {
            Some(at) => *at,
            None => {
                table.insert(host.name.as_str().into(), self.nodes.len());
                self.nodes.push(Folder::default());
                self.nodes.len() - 1
            }
        };
        for segment in pattern.segments() {
            at = self.below(at, segment);
        }
        let folder = &mut self.nodes[at];
        if pattern.is_deep() { folder.deep.push(id) } else { folder.here.push(id) }
    }

    fn below(&mut self, at: usize, segment: &Glob) -> usize {
        let next = self.nodes.len();
        let folder = &mut self.nodes[at];
        let text: Box<str> = segment.as_str().into();
        let found = if segment.is_literal() {
            *folder.literal.entry(text).or_insert(next)
        } else {
            *folder.globs.entry(text).or_insert(next)
        };
        if found == next {
            self.nodes.push(Folder::default());
        }
        found
    }

    /// Tells every pattern whose host and path cover these, and those that end
    /// above. The host is in normal form.
    ///
    /// A pattern's own text may be looked up too: `*` in it is matched by `*`
    /// only, and a last segment `**` by `/**` only, so that what is found covers
    /// everything that the pattern covers.
    pub(super) fn find(&self, host: &str, path: &str, found: &mut impl FnMut(usize, Hit)) {
        if let Some(root) = self.hosts.get(host) {
            self.walk(*root, path, found);
        }
        self.find_as_subdomain(host, path, found);
    }

    /// Like [`Matcher::find`], by patterns with a host wildcard only.
    pub(super) fn find_as_subdomain(&self, host: &str, path: &str, found: &mut impl FnMut(usize, Hit)) {
        if self.subdomains.is_empty() {
            return;
        }
        for (dot, _) in host.match_indices('.').filter(|(dot, _)| *dot > 0) {
            if let Some(root) = self.subdomains.get(&host[dot + 1..]) {
                self.walk(*root, path, found);
            }
        }
    }

    /// The most patterns with `*` in one place: each is tried on its own.
    pub(super) fn most_globs_in_one_place(&self) -> usize {
        self.nodes.iter().map(|folder| folder.globs.len()).max().unwrap_or(0)
    }

    /// Whether a pattern names this host in full.
    pub(super) fn has_host(&self, host: &str) -> bool {
        self.hosts.contains_key(host)
    }

    /// Whether a pattern names the subdomains of this host.
    pub(super) fn has_subdomains_of(&self, host: &str) -> bool {
        self.subdomains.contains_key(host)
    }

    fn walk(&self, root: usize, path: &str, found: &mut impl FnMut(usize, Hit)) {
        // A tree: no folder is reached twice, so this holds each at most once.
        let mut active = vec![root];
        let mut next = Vec::new();
        let mut segments = path.split('/').peekable();
        while let Some(segment) = segments.next() {
            let last = segments.peek().is_none();
            for at in active.drain(..) {
                let folder = &self.nodes[at];
                folder.deep.iter().for_each(|id| found(*id, Hit::Covers));
                folder.here.iter().for_each(|id| found(*id, Hit::EndsAbove));
                if segment == "**" {
                    continue;
                }
                if let Some(below) = folder.literal.get(segment) {
                    next.push(*below);
                }
                let matching = folder.globs.iter().filter(|(glob, _)| glob_matches(glob, segment));
                next.extend(matching.map(|(_, below)| *below));
            }
            std::mem::swap(&mut active, &mut next);
            if active.is_empty() {
                return;
            }
            if last {
                for at in &active {
                    self.nodes[*at].here.iter().for_each(|id| found(*id, Hit::Covers));
                    self.nodes[*at].deep.iter().for_each(|id| found(*id, Hit::BeginsBelow));
                }
            }
        }
    }
}
