//! Definitions of types (`CustomResourceDefinition`) are the longest of all manifests, and
//! nothing in them runs. A line tells which documents they are, so they are covered before
//! the text is read: every place in what is left stays the same place in the file.
//!
//! A document begins at a line `---`, which stands inside of nothing
//! (<https://yaml.org/spec/1.2.2/#912-document-markers>).

use std::borrow::Cow;

const KIND: &str = "CustomResourceDefinition";

/// A text without its documents that define types.
pub(in crate::formats) fn without_definitions(text: &str) -> Cow<'_, str> {
    if !are_in(text) {
        return Cow::Borrowed(text);
    }
    let mut left = String::with_capacity(text.len());
    let mut start = 0;
    for end in ends(text) {
        let document = &text[start..end];
        match is_definition(document) {
            true => cover(document, &mut left),
            false => left.push_str(document),
        }
        start = end;
    }
    Cow::Owned(left)
}

/// Puts space in the place of a document, but for the mark that begins it.
fn cover(document: &str, left: &mut String) {
    for (index, line) in document.split_inclusive('\n').enumerate() {
        match index == 0 && line.starts_with("---") {
            true => left.push_str(line),
            false => left.extend(line.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' })),
        }
    }
}

/// Whether a text names such a kind.
pub(super) fn are_in(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), KIND.as_bytes()).is_some()
}

/// Where each document ends.
fn ends(text: &str) -> impl Iterator<Item = usize> {
    let marks = memchr::memmem::find_iter(text.as_bytes(), b"\n---").map(|at| at + 1);
    let is_mark = |at: &usize| text[at + 3..].chars().next().is_none_or(char::is_whitespace);
    marks.filter(is_mark).chain([text.len()])
}

/// Whether a document is a mapping in block style with the keys of such an object, each on a
/// line of its own, and its only `kind` says so.
fn is_definition(document: &str) -> bool {
    let mut kinds = 0;
    for (index, line) in document.lines().enumerate() {
        let outer = match index {
            0 => line.strip_prefix("---").unwrap_or(line),
            _ => line,
        };
        let text = outer.trim_end();
        if text.is_empty() || outer.starts_with('#') || text == "..." || text.trim_start().starts_with('#') {
            continue;
        }
        if outer.starts_with(' ') && line.len() == outer.len() {
            continue;
        }
        match text.split_once(':') {
            Some(("kind", kind)) if kind.trim() == KIND => kinds += 1,
            Some(("apiVersion" | "metadata" | "spec" | "status", _)) => {}
            _ => return false,
        }
    }
    kinds == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRD: &str =
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {image: é}\n";

    #[test]
    fn definitions_are_covered_and_nothing_moves() {
        let text = format!("{CRD}--- # next\nkind: Pod\n---\n{CRD}...\n---\nkind: Job\n");
        let left = without_definitions(&text);
        assert_eq!(left.len(), text.len());
        assert_eq!(left.find("kind: Pod"), text.find("kind: Pod"));
        assert_eq!(left.find("kind: Job"), text.find("kind: Job"));
        assert!(!left.contains("image") && !left.contains("é"));
    }

    #[test]
    fn what_may_be_something_else_is_left() {
        for text in [
            "kind: Pod\nspec: {kind: CustomResourceDefinition}\n".to_owned(),
            "kind: CustomResourceDefinition\nkind: Pod\n".to_owned(),
            "kind: Pod\n---x\nkind: CustomResourceDefinition\n".to_owned(),
            "--- {kind: Pod, a:\nkind: CustomResourceDefinition\n}\n".to_owned(),
            "{\nkind: CustomResourceDefinition\n,image: a}\n".to_owned(),
            "  kind: CustomResourceDefinition\n".to_owned(),
        ] {
            assert_eq!(without_definitions(&text), text);
        }
    }
}
