//! Definitions of types (`CustomResourceDefinition`) are the longest of all manifests, and
//! nothing in them runs. A line tells which documents they are, so they are covered before
//! the text is read: every place in what is left stays the same place in the file.
//!
//! A document begins at a line `---`, which stands inside of nothing
//! (<https://yaml.org/spec/1.2.2/#912-document-markers>).

use std::borrow::Cow;

const KIND: &str = "CustomResourceDefinition";

/// A text without its documents that define types; what would stand behind the last other
/// document is not there at all.
pub(in crate::formats) fn without_definitions(text: &str) -> Cow<'_, str> {
    if !are_in(text) {
        return Cow::Borrowed(text);
    }
    let mut left = String::new();
    // Definitions that no other document follows, so far.
    let mut covered = 0;
    let mut start = 0;
    for end in ends(text) {
        let document = &text[start..end];
        if is_definition(document) {
            start = end;
            continue;
        }
        if covered < start {
            cover(&text[covered..start], &mut left);
        }
        left.push_str(document);
        (start, covered) = (end, end);
    }
    Cow::Owned(left)
}

/// Puts a comment in the place of a document, but for the line of the mark that begins it.
fn cover(document: &str, left: &mut String) {
    let marked =
        if document.starts_with("---") { document.find('\n').map_or(document.len(), |at| at + 1) } else { 0 };
    left.push_str(&document[..marked]);
    if let Some(blank) = (document.len() - marked).checked_sub(2) {
        left.push('#');
        left.push_str(&" ".repeat(blank));
    }
    left.push_str(if document.len() > marked { "\n" } else { "" });
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
    let bytes = document.as_bytes();
    let mut kinds = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        let line = &document[start..end];
        let is_first = std::mem::replace(&mut start, end + 1) == 0;
        // Nearly all lines are of the schema inside.
        if matches!(line.as_bytes().first(), None | Some(b' ' | b'#')) {
            continue;
        }
        let outer = if is_first { line.strip_prefix("---").unwrap_or(line) } else { line };
        let text = outer.trim_end();
        if text.is_empty() || text == "..." || text.trim_start().starts_with('#') {
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
