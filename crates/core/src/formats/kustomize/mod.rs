//! Kustomizations: `kustomization.yaml` and what it is built from
//! (<https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/>).
//!
//! A kustomization takes manifests from elsewhere and puts other images into them. It
//! is built here as far as images go, in kustomize's order: resources, components,
//! patches, then `images`. What it names itself is a use, at the text whose edit
//! decides, with the image of the base in `via`; and it says which places of its bases
//! are left in what it renders ([`Rendering`]), so that an image that every overlay
//! rewrites is not taken for one that is pulled. Generators and names of resources
//! matter only as far as patches find their targets by them.

mod build;
mod edit;
mod images;
mod load;
mod patch;
mod resource;
#[cfg(test)]
mod tests;

use crate::formats::Claim;
use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::formats::Rendering;
use crate::formats::uses::Finder;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Tree;
use crate::yaml::Node;
use crate::yaml::YamlErrorKind;

use self::build::Build;

/// The format of kustomizations.
pub struct Kustomize;

impl Format for Kustomize {
    fn id(&self) -> &'static str {
        "kustomize"
    }

    fn claims(&self, path: &RepoPath) -> Claim {
        if is_kustomization(path) { Claim::Yes } else { Claim::No }
    }

    /// Any manifest, patch or other kustomization may be one that it is built from:
    /// overlays refer to bases anywhere in the repository.
    fn may_depend(&self, _candidate: &RepoPath, changed: &RepoPath) -> bool {
        let is_hidden = changed.as_str().split('/').any(|part| part.starts_with('.'));
        !is_hidden && (is_kustomization(changed) || is_manifest(changed))
    }

    /// Kustomize takes files only from a kustomization's own folder and those in it, and
    /// kustomizations from anywhere: without one around it, a file is in none.
    fn may_matter(&self, changed: &RepoPath, tree: &Tree) -> bool {
        let mut folder = changed.folder();
        loop {
            if load::kustomizations_in(folder).any(|path| path == *changed || tree.contains(&path)) {
                return true;
            }
            if folder.is_empty() {
                return false;
            }
            folder = folder.rsplit_once('/').map_or("", |(outer, _)| outer);
        }
    }

    fn extract(&self, file: &SourceFile, files: &mut Files<'_>) -> Extracted {
        let finder = Finder { file, format: self.id() };
        let yaml = files.yaml(file);
        let mut extracted = Extracted::default();
        for error in &yaml.errors {
            let code = match error.kind {
                YamlErrorKind::Syntax => ProblemCode::Syntax,
                YamlErrorKind::Limit => ProblemCode::Limit,
            };
            let message = format!("this kustomization cannot be read: {}", error.message);
            extracted.problems.push(finder.problem(error.span, code, message));
        }
        let Some(root) = yaml.documents.first().map(|document| document.root()) else {
            extracted.is_foreign = extracted.problems.is_empty();
            return extracted;
        };
        if !is_of_kustomize(root) {
            return Extracted::foreign();
        }
        let mut build = Build::new(finder, files);
        let resources = build.root(root);
        let (mut uses, problems, parts, gone) = build.finish();
        uses.sort_by(|a, b| (&a.file, a.span).cmp(&(&b.file, b.span)));
        extracted.uses = uses;
        extracted.problems.extend(problems);
        extracted.problems.sort_by(|a, b| a.at.cmp(&b.at));
        if let Some(resources) = resources {
            let mut places = gone;
            let images = resources.into_iter().flat_map(|resource| resource.images);
            places.extend(images.map(|image| (image.at, true)));
            places.sort();
            places.dedup();
            extracted.rendering = Some(Rendering { parts, places });
        }
        extracted
    }
}

/// Whether kustomize takes a file of this name for a kustomization.
pub(super) fn is_kustomization(path: &RepoPath) -> bool {
    matches!(path.name(), "kustomization.yaml" | "kustomization.yml" | "Kustomization")
}

fn is_manifest(path: &RepoPath) -> bool {
    path.name().rsplit_once('.').is_some_and(|(_, extension)| matches!(extension, "yaml" | "yml" | "json"))
}

/// Flux has objects of its own in files of this name.
fn is_of_kustomize(root: Node<'_>) -> bool {
    root.mapping().is_some()
        && root
            .at(&["apiVersion"])
            .and_then(Node::text)
            .is_none_or(|version| version.starts_with("kustomize.config.k8s.io/"))
}
