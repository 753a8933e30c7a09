//! Files that are written to become Dockerfiles: `Dockerfile.in`,
//! `Dockerfile.template`, with lines and words that are the template's.

use super::go;
use crate::formats::marker::has_marker;

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
    fn keeps_a_marker_in_one_word() {
        let words = separated("alpine:{{ .a }}-{{b}} AS x", 2);
        assert_eq!(words, [("alpine:{{ .a }}-{{b}}", 2), ("AS", 24), ("x", 27)]);
    }
}
