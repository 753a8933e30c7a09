//! Files that are written to become Dockerfiles: `Dockerfile.in`,
//! `Dockerfile.template`. Their markers are no part of any reference, so a text
//! that holds one is not known yet, rather than wrong.

use memchr::memchr;
use memchr::memchr3;

use super::go;

/// Whether a text holds `{{…}}`, `@NAME@`, `<<NAME>>` or `%%NAME%%`.
pub(super) fn has_marker(text: &str) -> bool {
    let bytes = text.as_bytes();
    if memchr3(b'{', b'@', b'<', bytes).is_none() && memchr(b'%', bytes).is_none() {
        return false;
    }
    if text.contains("{{") {
        return true;
    }
    enclosed(text, "@", "@") || enclosed(text, "<<", ">>") || enclosed(text, "%%", "%%")
}

fn enclosed(text: &str, open: &str, close: &str) -> bool {
    text.match_indices(open).any(|(at, _)| {
        let rest = &text[at + open.len()..];
        let name = rest
            .find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.')))
            .unwrap_or(rest.len());
        name > 0 && rest[name..].starts_with(close)
    })
}

/// Whether a line steers the template instead of being an instruction.
pub(super) fn is_control_line(line: &str) -> bool {
    let line = line.trim_start();
    ["{{", "{%", "<%"].iter().any(|open| line.starts_with(open))
        || ((line.starts_with('@') || line.starts_with("%%") || line.starts_with("<<")) && has_marker(line))
}

/// Splits like the arguments of `FROM`, but keeps `{{ … }}` in one word.
pub(super) fn separated(text: &str, at: usize) -> Vec<(&str, usize)> {
    let mut words = Vec::new();
    let mut start = None;
    let mut open = false;
    for (offset, byte) in text.bytes().enumerate() {
        let rest = &text.as_bytes()[offset..];
        if rest.starts_with(b"{{") {
            open = true;
        } else if offset > 0 && text.as_bytes()[..offset].ends_with(b"}}") {
            open = rest.starts_with(b"}");
        }
        match (start, go::is_separator(byte) && !open) {
            (None, false) => start = Some(offset),
            (Some(begin), true) => {
                words.push((&text[begin..offset], at + begin));
                start = None;
            }
            _ => {}
        }
    }
    if let Some(begin) = start {
        words.push((&text[begin..], at + begin));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_markers() {
        for marked in ["alpine:{{ .v }}", "@BASE@", "node:@V@-slim", "<<IMAGE>>", "a:%%TAG%%"] {
            assert!(has_marker(marked), "{marked}");
        }
        for plain in ["alpine:3", "a@sha256:00", "a@b", "x<<y", "50%%", "{x}"] {
            assert!(!has_marker(plain), "{plain}");
        }
    }

    #[test]
    fn keeps_a_marker_in_one_word() {
        let words = separated("alpine:{{ .a }}-{{b}} AS x", 2);
        assert_eq!(words, [("alpine:{{ .a }}-{{b}}", 2), ("AS", 24), ("x", 27)]);
    }
}
