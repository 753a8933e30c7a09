//! Definitions of types (`CustomResourceDefinition`) are the longest of all manifests, and
//! nothing in them runs. A line tells which documents they are, so they are covered before
//! the text is read: every place in what is left stays the same place in the file.
//!
//! A document begins at a line `---`, which stands inside of nothing
//! (<https://yaml.org/spec/1.2.2/#912-document-markers>).

use std::borrow::Cow;

const KIND: &str = "CustomResourceDefinition";
/// What the versions of its API begin with.
const GROUP: &str = "apiextensions.k8s.io/";

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
pub(in crate::formats) fn are_in(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), KIND.as_bytes()).is_some()
}

/// Where each document ends.
fn ends(text: &str) -> impl Iterator<Item = usize> {
    let marks = memchr::memmem::find_iter(text.as_bytes(), b"\n---").map(|at| at + 1);
    let is_mark = |at: &usize| text[at + 3..].chars().next().is_none_or(char::is_whitespace);
    marks.filter(is_mark).chain([text.len()])
}

/// Whether a document is such an object for certain: its first two lines are the keys that
/// say so, so that it is a mapping in block style with keys at the beginning of lines, and no
/// other line there could say anything else. A line that only looks like a key, since it stands
/// inside of quotes or brackets, can then take nothing back.
fn is_definition(document: &str) -> bool {
    let bytes = document.as_bytes();
    if has_other_breaks(bytes) {
        return false;
    }
    let (mut keys, mut is_group, mut is_kind, mut is_over) = (0, false, false, false);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        let line = &document[start..end];
        let is_first = std::mem::replace(&mut start, end + 1) == 0;
        // Nearly all lines are of the schema inside.
        match line.as_bytes().first() {
            None | Some(b'#') => continue,
            Some(b' ') if keys >= 2 && !is_over => continue,
            _ => {}
        }
        let outer = if is_first { line.strip_prefix("---").unwrap_or(line) } else { line };
        let text = outer.trim_end();
        if text.trim_start().is_empty() || text.trim_start().starts_with('#') {
            continue;
        }
        if text == "..." {
            is_over = true;
            continue;
        }
        // Another document may follow without a mark.
        if is_over {
            return false;
        }
        keys += 1;
        match text.split_once(':') {
            Some(("kind", kind)) if kind.trim() == KIND && !is_kind => is_kind = true,
            Some(("apiVersion", group)) if group.trim_start().starts_with(GROUP) && !is_group => {
                is_group = true
            }
            Some(("metadata" | "spec" | "status", _)) if keys > 2 => {}
            _ => return false,
        }
    }
    is_kind && is_group
}

/// Whether lines end where `\n` does not stand, as YAML 1.1 has it.
fn has_other_breaks(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1) != Some(&b'\n'))
        || ["\u{85}", "\u{2028}", "\u{2029}"]
            .iter()
            .any(|mark| memchr::memmem::find(bytes, mark.as_bytes()).is_some())
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
            // A pod, in which a line stands that looks like a key.
            " kind: Pod\n metadata: {labels: {\nkind: CustomResourceDefinition\n }}\n".to_owned(),
            " apiVersion: v1\n kind: Pod\n x: \"\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n \"\n".to_owned(),
            format!("{CRD}...\n kind: Pod\n"),
            format!("{CRD}#\rkind: Pod\n"),
            format!("{CRD}#\u{2028}kind: Pod\n"),
            format!("{CRD}kind: Pod\n"),
            format!("{CRD}\"kind\": Pod\n"),
        ] {
            assert_eq!(without_definitions(&text), text, "{text}");
        }
    }
}
