//! The few habits of Go's standard library that BuildKit's reading depends on.
//!
//! `strings.ToLower` and `strings.EqualFold` map rune by rune, `unicode.IsSpace`
//! is the White_Space property. Rust's own `to_lowercase` may turn one character
//! into two, so names are lowered here.

use std::borrow::Cow;

/// `strings.ToLower`, exact for every text whose result is ASCII; such results
/// are the only ones that can name an instruction or a stage.
pub(super) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(lower_char).collect())
}

fn lower_char(char: char) -> char {
    match char {
        // The two characters outside ASCII whose lower case is in it.
        '\u{130}' => 'i',
        '\u{212A}' => 'k',
        other => {
            let mut mapped = other.to_lowercase();
            match (mapped.next(), mapped.next()) {
                (Some(single), None) => single,
                _ => other,
            }
        }
    }
}

/// `strings.EqualFold(text, "as")`: U+017F folds to `s`.
pub(super) fn is_as(text: &str) -> bool {
    let mut chars = text.chars();
    matches!((chars.next(), chars.next(), chars.next()), (Some('a' | 'A'), Some('s' | 'S' | '\u{17F}'), None))
}

/// The white space that separates words: `[\t\v\f\r ]` of `reWhitespace` in
/// parser.go, narrower than `unicode.IsSpace`.
pub(super) fn is_separator(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x0B | 0x0C | b'\r' | b' ')
}

/// Whether a byte only ever stands for itself in a word: it separates nothing,
/// quotes nothing and escapes nothing.
pub(super) fn is_plain(byte: u8) -> bool {
    PLAIN[usize::from(byte)]
}

const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0x21;
    while byte < 0x7F {
        table[byte as usize] = !matches!(byte, b'"' | b'\'' | b'\\' | b'`');
        byte += 1;
    }
    table
};

/// `unicode.IsSpace(rune(byte))`: BuildKit's flag scanner looks at single bytes,
/// so the bytes 0x85 and 0xA0 inside a character count as space there.
pub(super) fn is_byte_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xA0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowers_rune_by_rune() {
        assert_eq!(lower("COPY"), "copy");
        assert_eq!(lower("WOR\u{212A}DIR"), "workdir");
        assert_eq!(lower("ONBU\u{130}LD"), "onbuild");
    }

    #[test]
    fn folds_as() {
        assert!(is_as("aS") && is_as("a\u{17F}"));
        assert!(!is_as("a") && !is_as("asx"));
    }
}
