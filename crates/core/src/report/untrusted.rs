//! Text that somebody else wrote, made harmless for one line of plain text or
//! of Markdown.
//!
//! An author of a pull request chooses references, paths and, through them,
//! parts of every message. None of it may mention somebody, link, open a
//! comment or an element, end the line, or turn the reading direction.
//! Escaping does not help: GitHub links `\@team` and `&#64;team` all the same
//! (github/markup#1168). What does is a code span with a fence longer than any
//! run of backticks inside: nothing is interpreted in it
//! (CommonMark 0.31, section 6.1, "Code spans").

/// The longest reference, path or word that is shown, in characters: longer than any
/// valid reference with a digest (255 + 128 + 71 and separators).
pub(super) const MAX_SHOWN_CHARS: usize = 480;
/// The longest sentence that is shown, in characters.
const MAX_PROSE_CHARS: usize = 2_000;

/// Stands for a character that is not shown.
const HIDDEN: char = '\u{fffd}';

/// One line of plain text: control, bidirectional and invisible characters are
/// replaced, and what is longer than `max_chars` is cut.
pub(super) fn plain(text: &str, max_chars: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max_chars));
    for (index, character) in text.chars().enumerate() {
        if index == max_chars {
            shown.push('…');
            break;
        }
        shown.push(match character {
            '\t' => ' ',
            hidden if is_hidden(hidden) => HIDDEN,
            visible => visible,
        });
    }
    shown
}

/// A Markdown code span that holds exactly this text and cannot be left by it.
pub(super) fn code(text: &str) -> String {
    let text = plain(text, MAX_SHOWN_CHARS);
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    // One space on each side is taken off again when both stand; without them
    // a backtick at an end would join the fence.
    let padded = text.is_empty() || text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    match padded {
        true => format!("{fence} {text} {fence}"),
        false => format!("{fence}{text}{fence}"),
    }
}

/// A sentence of ours that may quote somebody's text, as Markdown. What stands
/// between backticks becomes a code span, and so does every word that is more
/// than letters and plain punctuation, so that no word can become syntax, a
/// mention or a link however the quotes are paired.
pub(super) fn prose(text: &str) -> String {
    let text = plain(text, MAX_PROSE_CHARS);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(open) = rest.find('`') {
        let (before, from) = rest.split_at(open);
        words(before, &mut shown);
        let fence = from.len() - from.trim_start_matches('`').len();
        let (fence, inside) = from.split_at(fence);
        match inside.find(fence) {
            Some(close) => {
                let (quoted, after) = inside.split_at(close);
                // Trimming undoes the padding of a span that was already made.
                let quoted = if fence.len() > 1 { quoted.trim() } else { quoted };
                span(quoted, &mut shown);
                rest = &after[fence.len()..];
            }
            None => {
                span(fence, &mut shown);
                rest = inside;
            }
        }
    }
    words(rest, &mut shown);
    shown
}

/// Two code spans that touch would be read as other spans.
fn span(text: &str, shown: &mut String) {
    if shown.ends_with('`') {
        shown.push(' ');
    }
    shown.push_str(&code(text));
}

fn words(text: &str, shown: &mut String) {
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            shown.push(' ');
        }
        match is_harmless(word) {
            true => shown.push_str(word),
            false => span(word, shown),
        }
    }
}

/// Letters, digits and the punctuation of sentences that Markdown and GitHub
/// leave alone.
fn is_harmless(word: &str) -> bool {
    // GitHub links hexadecimal runs as commits, and these words as addresses.
    let hex = word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let inner = word.trim_end_matches([':', '.', ',', ';']);
    !hex && !inner.contains(':')
        && !inner.to_ascii_lowercase().contains("www.")
        && !inner.to_ascii_lowercase().starts_with("gh-")
        && word.chars().all(|character| {
            character.is_alphanumeric()
                || matches!(character, '.' | ',' | ';' | ':' | '\'' | '"' | '(' | ')' | '-' | '–' | '—' | '…' | '→' | '?' | '/')
        })
        // A dash or a number with a full stop at a line's start makes a list.
        && word != "-"
        && !word.starts_with("--")
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|character| character != wanted).map(str::len).max().unwrap_or(0)
}

/// Characters that move, hide or join text without being seen: control
/// characters, line and paragraph separators, bidirectional controls (Unicode
/// TR 9, section 2), zero-width characters, tags and variation selectors.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests;
