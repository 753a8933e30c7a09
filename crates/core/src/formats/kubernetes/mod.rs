//! Kubernetes manifests: every document with `apiVersion` and `kind`, in YAML or
//! JSON (<https://kubernetes.io/docs/reference/kubernetes-api/>), custom resources
//! included, since most of those that run something hold a pod's containers.
//!
//! What an object runs is seen by its shape, wherever in it that stands; `fields`
//! knows the kinds whose images stand outside of containers, and those whose fields
//! only look like images. It does not know which of these are deployed: what a
//! kustomization puts in their place is `kustomize`'s business.

mod argo;
mod definitions;
mod fields;
mod parameters;
mod pod;
mod tekton;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod walk;

use std::borrow::Cow;
use std::sync::Arc;

use memchr::memmem;

use crate::formats::Claim;
use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::formats::kustomize;
use crate::formats::uses::Finder;
use crate::formats::value::Value;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::yaml;
use crate::yaml::Yaml;
use crate::yaml::YamlErrorKind;

pub(super) use self::definitions::are_in as are_definitions_in;
pub(super) use self::definitions::without_definitions;
pub(super) use self::pod::list_role;
pub(super) use self::text::Written;
pub(super) use self::walk::Walk;

/// The format of Kubernetes manifests.
pub struct Kubernetes;

impl Format for Kubernetes {
    fn id(&self) -> &'static str {
        "kubernetes"
    }

    /// A YAML file that cannot be read could hold a manifest. JSON and files of other
    /// tools are data far more often: those are taken for one only when read.
    fn claims(&self, path: &RepoPath) -> Claim {
        let name = path.name();
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("yaml" | "yml") if is_of_another_tool(name) => Claim::Maybe,
            Some("yaml" | "yml") => Claim::Yes,
            Some("json") if is_of_javascript(name) => Claim::No,
            Some("json") => Claim::Maybe,
            _ => Claim::No,
        }
    }

    /// A kustomization that is gone, or has let go of it, no longer says what becomes
    /// of what stands beside it; what it still holds is read for it ([`super::Rendering`]).
    fn may_depend(&self, candidate: &RepoPath, changed: &RepoPath) -> bool {
        kustomize::is_kustomization(changed) && candidate.folder() == changed.folder()
    }

    fn extract(&self, file: &SourceFile, files: &mut Files<'_>) -> Extracted {
        if !has_signs(file.text()) {
            return Extracted::foreign();
        }
        let (text, yaml) = read(file, files);
        let finder = Finder { file, format: self.id() };
        let mut walk = Walk::new(finder, Written::file(file, &text));
        let mut objects = 0;
        for document in &yaml.documents {
            objects += usize::from(walk.document(document));
        }
        let problems = problems(finder, &yaml, objects > 0);
        if objects == 0 && problems.is_empty() && !definitions::are_in(file.text()) {
            return Extracted::foreign();
        }
        let mut extracted = Extracted { problems, ..Extracted::default() };
        walk.finish(&mut extracted);
        extracted
    }
}

/// Lock files grow past every limit, and the policy file is read for itself.
fn is_of_another_tool(name: &str) -> bool {
    matches!(name, "pnpm-lock.yaml" | "conda-lock.yml" | "fromguard.yml")
}

/// What the tools of JavaScript keep under these names they would not find elsewhere, and
/// nearly every change of a repository with some touches one.
fn is_of_javascript(name: &str) -> bool {
    matches!(name, "package.json" | "package-lock.json" | "tsconfig.json")
}

/// What a text may be that stands where an image does, outside of any object that
/// has parameters.
pub(super) fn expand(text: &str) -> Vec<Value> {
    parameters::Scope::default().expand(text)
}

/// Whether a text may hold a manifest that names an image, by the words in it: most
/// YAML in a repository is never parsed here. An escape may spell any word.
pub(super) fn has_signs(text: &str) -> bool {
    let has = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    let named = has("apiVersion") && has("kind") && fields::SIGNS.iter().any(|word| has(word));
    named || (has("\\") && ["\\x", "\\u", "\\U", "\\\n", "\\\r"].iter().any(|escape| has(escape)) && has(":"))
}

/// Reads a file; one with a template's markers or escaped surrogates in a form that
/// is YAML, byte for byte of the same length.
fn read<'f>(file: &'f SourceFile, files: &mut Files<'_>) -> (Cow<'f, str>, Arc<Yaml>) {
    match template::masked(&without_definitions(file.text())) {
        Some(masked) => {
            let yaml = Arc::new(yaml::read(&masked, yaml::Limits::default()));
            (Cow::Owned(masked), yaml)
        }
        None => (Cow::Borrowed(file.text()), files.yaml(file)),
    }
}

/// What hides objects of a file: it has some, or its text says that it would.
fn problems(finder: Finder<'_>, yaml: &Yaml, has_objects: bool) -> Vec<Problem> {
    if yaml.errors.is_empty() || !(has_objects || looks_like_objects(finder.file)) {
        return Vec::new();
    }
    let problem = |error: &yaml::YamlError| {
        let code = match error.kind {
            YamlErrorKind::Syntax => ProblemCode::Syntax,
            YamlErrorKind::Limit => ProblemCode::Limit,
        };
        finder.problem(error.span, code, format!("this document cannot be read: {}", error.message))
    };
    let mut problems: Vec<Problem> = yaml.errors.iter().map(problem).collect();
    problems.sort_by_key(|problem| problem.at.span);
    problems
}

/// Whether a line sets `apiVersion` and another `kind`, as an object of YAML does at
/// its outermost level; JSON has no such level to see.
fn looks_like_objects(file: &SourceFile) -> bool {
    let text = file.text();
    if file.path().name().ends_with(".json") {
        let first = text.trim_start_matches(['\u{feff}', '{', '[', ' ', '\t', '\r', '\n']);
        return first.starts_with("\"apiVersion\"") || first.starts_with("\"kind\"");
    }
    let sets = |key: &str| {
        text.lines().any(|line| {
            let line = line.trim_start_matches(['\u{feff}', '"', '\'']);
            line.strip_prefix(key)
                .is_some_and(|rest| rest.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
        })
    };
    sets("apiVersion") && sets("kind")
}
