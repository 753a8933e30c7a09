//! Markers of templates: `{{…}}`, `@NAME@`, `<<NAME>>`, `%%NAME%%`. They are no part
//! of any reference, so a text that holds one is not known yet, rather than wrong.

use memchr::memchr;
use memchr::memchr3;

/// Whether a text holds a marker.
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

/// Why a text with a marker is not known, for people.
pub(super) fn reason(text: &str) -> String {
    format!("`{text}` holds a template's marker, which is filled in before the build")
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
}
