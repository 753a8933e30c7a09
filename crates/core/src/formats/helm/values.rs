//! Images in the values of a chart, by the names of their keys: a text under a key
//! that ends in `image`, and a mapping that says of an image where it is kept.
//!
//! What a chart makes of them is in its templates; without those an image is put
//! together as charts commonly do it.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::formats::uses::Finder;
use crate::formats::value::Value;
use crate::image::ImageUse;
use crate::image::Role;
use crate::image::Target;
use crate::source::Location;
use crate::yaml::Node;

use super::data;
use super::data::Data;
use super::data::Kind;
use super::data::Leaf;
use super::data::Map;
use super::lines::is_image_key;

/// The keys under which the name of an image stands, in the order in which they are looked for.
const NAMES: [&str; 4] = ["repository", "repo", "image", "name"];

/// An image that values hold.
#[derive(Debug)]
pub(super) struct Candidate {
    /// What it is when no template says otherwise.
    pub(super) value: Value,
    /// Where it is named, and the mapping around that.
    pub(super) places: Vec<Location>,
    /// Where its parts stand; the name comes first.
    pub(super) parts: Vec<Location>,
}

/// What a chart adds to images that are not complete.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// The tag of images that have none.
    pub(super) app_version: Option<Value>,
    /// The keys that hold the values of other charts, and the tag of images that
    /// have none there, when such a chart is known.
    pub(super) subcharts: HashMap<String, Option<Value>>,
}

/// The images in values that stand anywhere, for a chart of which nothing is known.
pub(in crate::formats) fn read(finder: &Finder<'_>, node: Node<'_>) -> Vec<ImageUse> {
    let read = data::read(finder.file.path(), node);
    let found = candidates(&read.data, &Surroundings::default());
    found.iter().filter_map(|candidate| candidate.to_use(finder, Vec::new())).collect()
}

/// Every image that values hold.
pub(super) fn candidates(values: &Data, surroundings: &Surroundings) -> Vec<Candidate> {
    let registry = [&["global", "imageRegistry"][..], &["global", "image", "registry"]]
        .iter()
        .find_map(|path| values.at(path).and_then(text_leaf).map(Leaf::value));
    let mut finder = Candidates { surroundings, registry, found: Vec::new() };
    finder.visit(values, None);
    // An anchor's image is found at every alias.
    let mut seen = HashSet::new();
    finder
        .found
        .retain(|candidate| seen.insert((candidate.parts.clone(), candidate.value.text().to_owned())));
    finder.found
}

struct Candidates<'s> {
    surroundings: &'s Surroundings,
    registry: Option<Value>,
    found: Vec<Candidate>,
}

impl Candidates<'_> {
    fn visit(&mut self, data: &Data, parent: Option<&Map>) {
        match data {
            Data::Leaf(leaf) if is_image_key(leaf.path.key()) => {
                let candidate = parent.and_then(|parent| text_candidate(leaf, parent));
                self.found.extend(candidate);
            }
            Data::List(list) => {
                for item in list.items.iter().filter(|item| !matches!(item, Data::Leaf(_))) {
                    self.visit(item, None);
                }
            }
            Data::Map(map) => {
                let name = name_of(map);
                if let Some(name) = name {
                    let candidate = self.map_candidate(map, name);
                    self.found.push(candidate);
                }
                for entry in map.entries.values() {
                    // Beside the name that was chosen, another one is not an image.
                    let is_name = name.is_some()
                        && matches!(entry, Data::Leaf(leaf) if NAMES.contains(&leaf.path.key()));
                    if !is_name {
                        self.visit(entry, Some(map));
                    }
                }
            }
            _ => {}
        }
    }

    fn map_candidate(&self, map: &Map, name: &Leaf) -> Candidate {
        let part = |key: &str| map.entries.get(key).and_then(text_leaf);
        let (registry, digest) = (part("registry"), part("digest").or_else(|| part("sha")));
        let tag = part("tag").or_else(|| part("version"));
        let mut value = Value::default();
        let global = self.registry.as_ref().filter(|_| map.entries.contains_key("registry"));
        if let Some(registry) = global.cloned().or_else(|| registry.map(Leaf::value)) {
            value.append(&registry);
            value.push_str("/");
        }
        value.append(&name.value());
        if !is_complete(&name.text) {
            if let Some(tag) = tag {
                value.push_str(if tag.text.starts_with("sha256:") { "@" } else { ":" });
                value.append(&tag.value());
            }
            if let Some(digest) = digest {
                value.push_str(if digest.text.contains(':') { "@" } else { "@sha256:" });
                value.append(&digest.value());
            }
            if tag.is_none() && digest.is_none() {
                value.push_str(":");
                value.append(&self.default_tag(map));
            }
        }
        let parts = [Some(name), registry, digest, tag];
        Candidate {
            value,
            places: map.at.iter().chain([&name.at]).cloned().collect(),
            parts: parts.into_iter().flatten().map(|leaf| leaf.at.clone()).collect(),
        }
    }

    fn default_tag(&self, map: &Map) -> Value {
        let subchart = self.surroundings.subcharts.get(map.path.first());
        let tag = subchart.unwrap_or(&self.surroundings.app_version);
        tag.clone().unwrap_or_else(|| Value::unknown("no tag is set, and the chart decides it"))
    }
}

impl Candidate {
    /// The use of it in the finder's file; `values` are what templates make of it.
    /// `None` when no part of it stands in this file.
    pub(super) fn to_use(&self, finder: &Finder<'_>, values: Vec<Value>) -> Option<ImageUse> {
        let here = self.parts.iter().find(|part| part.file == *finder.file.path())?.clone();
        let values = if values.is_empty() { vec![self.value.clone()] } else { values };
        let mut found = finder.image_use(Role::Container, here.span, &values);
        found.via.retain(|via| via.at != here);
        if self.parts.first() != Some(&here) {
            // What another file names is another image because of what stands here.
            found.decided_at = here;
        }
        Some(found)
    }
}

/// The scalar that names an image in a mapping that describes one.
fn name_of(map: &Map) -> Option<&Leaf> {
    let part = |key: &str| map.entries.get(key).and_then(text_leaf).filter(|leaf| may_be_name(&leaf.text));
    if is_image_key(map.path.key()) {
        return NAMES.into_iter().find_map(part);
    }
    let has = |key: &str| map.entries.contains_key(key);
    part("repository").filter(|_| has("tag") || has("digest"))
}

/// A scalar that holds text or a number, and something at all.
fn text_leaf(data: &Data) -> Option<&Leaf> {
    match data {
        Data::Leaf(leaf) if !leaf.text.is_empty() && !matches!(leaf.kind, Kind::Bool(_)) => Some(leaf),
        _ => None,
    }
}

/// Whether a text may name an image: neither an address nor a path nor a sentence.
fn may_be_name(text: &str) -> bool {
    let has_marker = text.contains("{{");
    let is_picture = [".png", ".jpg", ".jpeg", ".svg", ".gif"].iter().any(|end| text.ends_with(end));
    has_marker
        || !(text.contains("://")
            || text.starts_with(['/', '.', '-', '{', '['])
            || text.contains(char::is_whitespace)
            || text.contains("git@")
            || is_picture)
}

/// Whether a name brings its own tag or digest.
fn is_complete(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|last| last.contains([':', '@']))
}

fn text_candidate(leaf: &Leaf, parent: &Map) -> Option<Candidate> {
    if leaf.kind != Kind::Text || leaf.text.is_empty() || !may_be_name(&leaf.text) {
        return None;
    }
    let key = leaf.path.key();
    let sibling = |name: String| parent.entries.get(&name).and_then(text_leaf);
    let tag = sibling(format!("{key}Tag")).or_else(|| (key == "image").then(|| sibling("tag".to_owned()))?);
    let registry = sibling(format!("{key}Registry"))
        .or_else(|| (key == "image").then(|| sibling("registry".to_owned()))?);
    let mut value = Value::default();
    if let Some(registry) = registry {
        value.append(&registry.value());
        value.push_str("/");
    }
    value.append(&leaf.value());
    if let Some(tag) = tag.filter(|_| !is_complete(&leaf.text)) {
        value.push_str(":");
        value.append(&tag.value());
    }
    if key != "image" && matches!(value.target(), Target::Invalid { .. }) {
        return None;
    }
    let parts = [Some(leaf), registry, tag];
    Some(Candidate {
        value,
        places: vec![leaf.at.clone()],
        parts: parts.into_iter().flatten().map(|leaf| leaf.at.clone()).collect(),
    })
}
