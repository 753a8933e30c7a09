//! Other engines' policies, translated as far as they mean the same here.
//!
//! What an engine compares as the beginning of a text becomes the host or folder that
//! it names, what trusts everybody is left out, and what cannot be said is left out:
//! each with a comment that says so. What comes out always loads, trusts no more than
//! the original, and starts in `mode: observe`. Nothing here judges.

mod containers;
mod draft;
mod gatekeeper;
mod hadolint;
mod kyverno;
mod names;
mod rego;
#[cfg(test)]
mod tests;

use crate::import::draft::Draft;
use crate::source::SourceFile;
use crate::yaml;
use crate::yaml::Limits;
use crate::yaml::Node;
use crate::yaml::Yaml;

/// What is read of a file; other engines' policies are short.
const LIMITS: Limits = Limits { bytes: 1 << 20, depth: 64, nodes: 1 << 16, documents: 256 };

/// What importing a file gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// A complete policy that loads, with what to know about it in comments.
    Policy(String),
    /// The file is none of the kinds that are read, or broken: why, for people.
    Refused(String),
}

/// Translates a policy of hadolint, gatekeeper, Kyverno, containers/image or Docker
/// build; its kind is told by what stands in it.
#[must_use]
pub fn import(file: &SourceFile) -> Imported {
    let name = file.path().name();
    if name.ends_with(".rego") {
        return finished(rego::read(file.text()), name);
    }
    let yaml = yaml::read(file.text(), LIMITS);
    if let Some(error) = yaml.errors.first() {
        let line = file.position(error.span.start).line_1based;
        return Imported::Refused(format!("line {line}: this is neither YAML nor JSON: {}", error.message));
    }
    let readers = [hadolint::read, containers::read, gatekeeper::read, kyverno::read];
    match readers.into_iter().find_map(|read| read(&yaml)) {
        Some(draft) => finished(draft, name),
        None => Imported::Refused(
            "this is none of the policies that can be read: hadolint's `trustedRegistries`, gatekeeper's \
             K8sAllowedRepos and its kin, Kyverno's image patterns, containers' policy.json, and Docker's \
             build policies (*.rego)"
                .to_owned(),
        ),
    }
}

fn finished(draft: Draft, name: &str) -> Imported {
    match draft.finish(name) {
        Some(policy) => Imported::Policy(policy),
        None => Imported::Refused("nothing in it can be said here".to_owned()),
    }
}

/// The roots of all documents.
fn roots(yaml: &Yaml) -> impl Iterator<Item = Node<'_>> {
    yaml.documents.iter().map(yaml::Document::root)
}

/// The texts of a list.
fn texts<'a>(node: Option<Node<'a>>) -> Vec<&'a str> {
    let items = node.and_then(Node::sequence).into_iter().flat_map(yaml::Sequence::items);
    items.filter_map(|item| item.scalar().map(|scalar| scalar.text)).collect()
}
