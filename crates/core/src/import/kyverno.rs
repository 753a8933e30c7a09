//! Kyverno's image patterns (<https://kyverno.io/docs/policy-types/cluster-policy/validate/>):
//! `validate.pattern`, `anyPattern` and `foreach[].pattern` that hold an `image`.
//! There `*` is any text, `/` included, compared with what is written; `|` is or, `&`
//! and, `!` not.

use crate::import::draft::Draft;
use crate::import::draft::Unknown;
use crate::import::names;
use crate::import::roots;
use crate::yaml::Node;
use crate::yaml::Shape;
use crate::yaml::Yaml;

/// Deeper patterns than any pod has.
const MAX_DEPTH: usize = 16;

pub(super) fn read(yaml: &Yaml) -> Option<Draft> {
    let policies: Vec<Node<'_>> = roots(yaml)
        .filter(|root| {
            let api = root.get("apiVersion").and_then(Node::scalar).map_or("", |scalar| scalar.text);
            api.starts_with("kyverno.io/") || api.starts_with("policies.kyverno.io/")
        })
        .collect();
    if policies.is_empty() {
        return None;
    }
    let mut draft = Draft::new("policies of Kyverno");
    draft.unknown = Unknown::Allow;
    let mut allow_list: Option<String> = None;
    for policy in policies {
        let rules = policy.get("spec").and_then(|spec| spec.get("rules")).and_then(Node::sequence);
        let Some(rules) = rules else {
            draft.leave_out("spec", "only `rules` with `validate.pattern` are read");
            continue;
        };
        for rule in rules.items() {
            let name = rule.get("name").and_then(Node::scalar).map_or("a rule", |scalar| scalar.text);
            if rule.get("exclude").is_some() || rule.get("preconditions").is_some() {
                draft.changed(name, "has exceptions, which have no counterpart: it holds everywhere here");
            }
            let mut found = Vec::new();
            let Some(validate) = rule.get("validate") else {
                draft.leave_out(name, "it does not validate");
                continue;
            };
            collect(validate, &mut found, 0);
            if found.is_empty() {
                draft.leave_out(name, "it holds no pattern of an `image`");
            }
            for text in found {
                condition(text, &mut allow_list, &mut draft);
            }
        }
    }
    Some(draft)
}

/// Every text under a key `image`, in whatever anchor, once.
fn collect<'a>(node: Node<'a>, found: &mut Vec<&'a str>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match node.shape() {
        Shape::Mapping(mapping) => {
            for (key, value) in mapping.entries() {
                let key = key.scalar().map_or("", |scalar| scalar.text);
                let is_image =
                    key.trim_start_matches(['=', '^', '<', '+', 'X', '(']).trim_end_matches(')') == "image";
                match value.scalar().filter(|_| is_image) {
                    Some(scalar) if !found.contains(&scalar.text) => found.push(scalar.text),
                    Some(_) => {}
                    None => collect(value, found, depth + 1),
                }
            }
        }
        Shape::Sequence(sequence) => sequence.items().for_each(|item| collect(item, found, depth + 1)),
        Shape::Scalar(_) | Shape::Alias(_) => {}
    }
}

/// One pattern of an image, which every image must meet.
fn condition(text: &str, allow_list: &mut Option<String>, draft: &mut Draft) {
    if text.contains("{{") {
        return draft.leave_out(text, "its value is known to Kyverno only");
    }
    let alternatives: Vec<&str> = text.split('|').map(str::trim).collect();
    match alternatives.as_slice() {
        ["*"] => {}
        ["*:*"] => {
            let condition = "image.tag == \"\" && image.digest == \"\"".to_owned();
            draft.rule("tag-required", condition, "fail", "write a tag");
        }
        ["*@*" | "*@sha256:*"] => {
            draft.rule(
                "digest-required",
                "image.digest == \"\"".to_owned(),
                "fail",
                "pin the image by digest",
            );
        }
        [one] if one.starts_with('!') => one.split('&').for_each(|part| denial(part.trim(), draft)),
        all if all.iter().any(|one| one.contains(['!', '&'])) => {
            draft.leave_out(text, "alternatives of denials have no counterpart");
        }
        all => {
            if allow_list.as_ref().is_some_and(|other| other != text) {
                return draft
                    .leave_out(text, "a second list narrows the first one, which cannot be said here");
            }
            *allow_list = Some(text.to_owned());
            draft.unknown = Unknown::Fail;
            all.iter().for_each(|one| draft.trust(one, names::glob(one)));
        }
    }
}

fn denial(part: &str, draft: &mut Draft) {
    let Some(denied) = part.strip_prefix('!') else {
        return draft.leave_out(part, "it stands beside a denial, which has no counterpart");
    };
    let denied = denied.trim();
    match denied
        .strip_prefix("*:")
        .filter(|tag| crate::image::Glob::of_tag(tag).is_ok_and(|tag| tag.is_literal()))
    {
        Some(tag) => {
            let also = if tag == "latest" { " || image.tag == \"\" && image.digest == \"\"" } else { "" };
            draft.rule("denied-tag", format!("image.tag == \"{tag}\"{also}"), "fail", "write another tag");
        }
        None => draft.block(denied, names::glob(denied)),
    }
}
