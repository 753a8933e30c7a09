//! Manifests that are filled in before they are applied. `{{ … }}`, `{% … %}`,
//! `<% … %>`, `@NAME@` and `%%NAME%%` are no YAML, so they are covered by text that
//! is, byte for byte: every place in the covered text is the same place in the file.
//! A line of nothing but markers becomes empty. JSON's escaped surrogates, which YAML
//! does not have, are covered likewise.

/// The text with its markers covered; `None` when there are none.
pub(super) fn masked(text: &str) -> Option<String> {
    let starts = ["{{", "{%", "<%", "%%", "@", "\\ud", "\\uD"];
    if !starts.iter().any(|start| memchr::memmem::find(text.as_bytes(), start.as_bytes()).is_some()) {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    let mut covered = false;
    for (open, close) in [("{{", "}}"), ("{%", "%}"), ("<%", "%>")] {
        covered |= cover_pairs(text, open, close, &mut bytes);
    }
    covered |= cover_names(text, "@", &mut bytes);
    covered |= cover_names(text, "%%", &mut bytes);
    covered |= cover_surrogates(text, &mut bytes);
    if !covered {
        return None;
    }
    empty_lines(text, &mut bytes);
    // Only whole characters are covered, each of their bytes with ASCII.
    String::from_utf8(bytes).ok()
}

/// What stands for a covered byte, no part of any manifest.
const COVER: u8 = b'_';

fn cover(bytes: &mut [u8]) {
    bytes.fill(COVER);
}

fn cover_pairs(text: &str, open: &str, close: &str, bytes: &mut [u8]) -> bool {
    let mut at = 0;
    let mut covered = false;
    while let Some(start) = text[at..].find(open).map(|start| at + start) {
        let Some(end) = text[start..].find(close).map(|end| start + end + close.len()) else { break };
        // `{{{x}}}` ends with its last brace.
        let end = end + text[end..].bytes().take_while(|byte| close == "}}" && *byte == b'}').count().min(1);
        let end =
            if text[start..].starts_with("{{{") || !text[..end].ends_with("}}}") { end } else { end - 1 };
        cover(&mut bytes[start..end]);
        (at, covered) = (end, true);
    }
    covered
}

/// Covers `@NAME@` where a value begins with it: elsewhere it is YAML.
fn cover_names(text: &str, mark: &str, bytes: &mut [u8]) -> bool {
    let mut covered = false;
    let mut at = 0;
    while let Some(start) = text[at..].find(mark).map(|start| at + start) {
        let name = start + mark.len();
        let length = text[name..]
            .find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.')))
            .unwrap_or(text.len() - name);
        at = name + length;
        let begins = text[..start].ends_with([' ', '\t']);
        if length > 0 && begins && text[at..].starts_with(mark) {
            at += mark.len();
            cover(&mut bytes[start..at]);
            covered = true;
        }
    }
    covered
}

/// Covers `\ud83d\ude00`, of which YAML knows no half, by an escape of the same length.
fn cover_surrogates(text: &str, bytes: &mut [u8]) -> bool {
    let mut covered = false;
    for (at, _) in text.match_indices("\\u") {
        let escapes = text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        let digits = text.as_bytes().get(at + 2..at + 4);
        let is_half = digits.is_some_and(|digits| {
            digits[0].eq_ignore_ascii_case(&b'd')
                && matches!(digits[1], b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
        });
        if escapes % 2 == 0 && is_half {
            bytes[at + 2..at + 4].fill(b'0');
            covered = true;
        }
    }
    covered
}

/// Empties the lines that hold nothing but covered markers.
fn empty_lines(text: &str, bytes: &mut [u8]) {
    let mut start = 0;
    while start < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |end| start + end);
        let line = &bytes[start..end];
        let blank = line.iter().all(|byte| matches!(*byte, COVER | b' ' | b'\t' | b'\r'));
        if blank && line.contains(&COVER) && line != &text.as_bytes()[start..end] {
            for byte in bytes[start..end].iter_mut().filter(|byte| **byte == COVER) {
                *byte = b' ';
            }
        }
        start = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_markers_and_keeps_every_place() {
        let text = "a: {{ .x }}\n{{- if é }}\nb: @B@-c\n  {% end %}\nd: \"\\ud83d\\ude00\"\n";
        let masked = masked(text).unwrap_or_default();
        assert_eq!(masked, "a: ________\n            \nb: ___-c\n           \nd: \"\\u003d\\u0000\"\n");
        assert_eq!(masked.len(), text.len());
    }

    #[test]
    fn leaves_everything_else() {
        for text in ["a: b@c\n", "a: x@y@z\n", "{{ a\n", "a: 50%\n", "a: {b: {c: d}}\n"] {
            assert_eq!(masked(text), None, "{text}");
        }
    }
}
