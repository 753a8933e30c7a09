//! Constraints of gatekeeper-library
//! (<https://github.com/open-policy-agent/gatekeeper-library>): `K8sAllowedRepos`,
//! `K8sAllowedReposv2`, `K8sDisallowedRepos`, `K8sDisallowedTags`, `K8sImageDigests`.
//! The first and the third compare the beginning of the text as it is written.

use crate::import::draft::Draft;
use crate::import::draft::Unknown;
use crate::import::names;
use crate::import::roots;
use crate::import::texts;
use crate::yaml::Node;
use crate::yaml::Yaml;

const KINDS: [&str; 5] =
    ["K8sAllowedRepos", "K8sAllowedReposv2", "K8sDisallowedRepos", "K8sDisallowedTags", "K8sImageDigests"];

pub(super) fn read(yaml: &Yaml) -> Option<Draft> {
    let constraints: Vec<(&str, Node<'_>)> = roots(yaml)
        .filter_map(|root| {
            let kind = root.get("kind")?.scalar()?.text;
            KINDS.contains(&kind).then_some((kind, root))
        })
        .collect();
    let mut draft = Draft::new("constraints of gatekeeper");
    let restricts = |(kind, _): &(&str, Node<'_>)| kind.starts_with("K8sAllowedRepos");
    if !constraints.iter().any(restricts) {
        draft.unknown = Unknown::Allow;
    }
    let mut lists = 0;
    for (kind, root) in &constraints {
        let spec = root.get("spec");
        let parameters = spec.and_then(|spec| spec.get("parameters"));
        let list = |key: &str| texts(parameters.and_then(|parameters| parameters.get(key)));
        let exempt = list("exemptImages");
        match *kind {
            "K8sAllowedRepos" | "K8sAllowedReposv2" if lists > 0 => {
                draft.leave_out(kind, "a second list narrows the first one, which cannot be said here");
            }
            "K8sAllowedRepos" => {
                lists += 1;
                list("repos").iter().for_each(|text| draft.trust(text, names::beginning(text)));
            }
            "K8sAllowedReposv2" => {
                lists += 1;
                list("allowedImages").iter().for_each(|text| draft.trust(text, names::glob(text)));
            }
            "K8sDisallowedRepos" => {
                list("repos").iter().for_each(|text| draft.block(text, names::beginning(text)));
            }
            "K8sDisallowedTags" => tags(&list("tags"), &exempt, &mut draft),
            _ => digests(&exempt, &mut draft),
        }
        let narrowed =
            |key: &&str| spec.and_then(|spec| spec.get("match")).is_some_and(|all| all.get(key).is_some());
        for key in ["namespaces", "excludedNamespaces", "labelSelector", "namespaceSelector"]
            .iter()
            .filter(|key| narrowed(key))
        {
            draft.changed(
                &format!("match.{key}"),
                "has no counterpart: what is written here holds everywhere",
            );
        }
    }
    (!constraints.is_empty()).then_some(draft)
}

fn tags(tags: &[&str], exempt: &[&str], draft: &mut Draft) {
    let known: Vec<&str> = tags.iter().copied().filter(|tag| is_tag(tag)).collect();
    for tag in tags.iter().filter(|tag| !known.contains(*tag)) {
        draft.leave_out(tag, "it is no tag");
    }
    let mut condition = "image.tag == \"\" && image.digest == \"\"".to_owned();
    if !known.is_empty() {
        condition = format!("image.tag in [{}] || {condition}", quoted(&known));
    }
    let condition = with_exempt(condition, exempt, draft);
    draft.rule("disallowed-tags", condition, "fail", "write another tag");
}

fn digests(exempt: &[&str], draft: &mut Draft) {
    let condition = with_exempt("image.digest == \"\"".to_owned(), exempt, draft);
    draft.rule("image-digests", condition, "fail", "pin the image by digest");
}

/// Exempts whole references; a beginning of one is no reference.
fn with_exempt(condition: String, exempt: &[&str], draft: &mut Draft) -> String {
    let mut references = Vec::new();
    for text in exempt {
        match crate::image::ImageRef::parse(text) {
            Ok(image) => references.push(image.to_string()),
            Err(_) => draft.leave_out(text, "an exempt image must be one whole reference here"),
        }
    }
    if references.is_empty() {
        return condition;
    }
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    format!("({condition}) && !(image.reference in [{}])", quoted(&references))
}

fn is_tag(text: &str) -> bool {
    crate::image::Glob::of_tag(text).is_ok_and(|tag| tag.is_literal())
}

fn quoted(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ")
}
