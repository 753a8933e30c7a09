//! Text of other people inside our sentences: nothing in it can break a line,
//! end a code span, or turn the reading direction.

use crate::image::ImageRef;

/// More of a foreign text than this is cut, in characters.
const MAX_QUOTED_CHARS: usize = 300;

/// A foreign text in backquotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(4 * MAX_QUOTED_CHARS) + 2);
    out.push('`');
    push_plain(&mut out, text);
    out.push('`');
    out
}

/// An image in backquotes: what [`quoted`] makes of its text, at once.
pub(super) fn quoted_image(image: &ImageRef) -> String {
    let ImageRef { registry, repository, tag, digest } = image;
    let tag = tag.as_deref().map_or(["", ""], |tag| [":", tag]);
    let digest = digest.as_ref().map_or(["", ""], |digest| ["@", digest.as_str()]);
    let text = ["`", registry, "/", repository, tag[0], tag[1], digest[0], digest[1], "`"].concat();
    // The grammar has no other letters, but a whole reference may be too long.
    if text.len() > MAX_QUOTED_CHARS { quoted(text.trim_matches('`')) } else { text }
}

/// A foreign text without control, formatting and backquote characters, on one line.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(4 * MAX_QUOTED_CHARS));
    push_plain(&mut out, text);
    out
}

fn push_plain(out: &mut String, text: &str) {
    let harmless = |byte: u8| (byte.is_ascii_graphic() || byte == b' ') && byte != b'`';
    if text.len() <= MAX_QUOTED_CHARS && text.bytes().all(harmless) {
        return out.push_str(text);
    }
    for (count, c) in text.chars().enumerate() {
        if count == MAX_QUOTED_CHARS {
            out.push('…');
            break;
        }
        match c {
            '`' => out.push('\''),
            _ if c.is_control() || is_formatting(c) => out.extend(c.escape_unicode()),
            _ => out.push(c),
        }
    }
}

/// A sentence of ours around foreign text, with backquotes of its own.
pub(super) fn foreign_sentence(text: &str) -> String {
    text.split('`').map(plain).collect::<Vec<_>>().join("`")
}

/// Prose of the policy's author, on one line.
pub(super) fn prose(text: &str) -> String {
    plain(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Invisible characters that change how the text around them is shown: Unicode's
/// bidirectional controls, zero-width characters, separators and tags.
pub(super) fn is_formatting(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// `a`, `b` and `c`, each in backquotes, joined by the last word.
pub(super) fn listed(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [all @ .., end] => {
            let all: Vec<String> = all.iter().map(|word| format!("`{word}`")).collect();
            format!("{} {last} `{end}`", all.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_leave_its_quotes() {
        assert_eq!(quoted("a`b\n\u{1b}[31m\u{202e}c"), "`a'b\\u{a}\\u{1b}[31m\\u{202e}c`");
        assert_eq!(prose("two\n  lines"), "two lines");
        assert_eq!(plain(&"x".repeat(301)).chars().count(), 301);
        assert!(plain(&"x".repeat(301)).ends_with('…'));
    }

    #[test]
    fn lists_read_as_english() {
        assert_eq!(listed(&["a"], "or"), "`a`");
        assert_eq!(listed(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }
}
