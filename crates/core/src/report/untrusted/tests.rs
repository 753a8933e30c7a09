use super::*;

/// What CommonMark takes out of a code span again: the fence, and one space on
/// each side when both stand and something else is between.
fn unspan(markdown: &str) -> String {
    let fence = markdown.len() - markdown.trim_start_matches('`').len();
    let inside = &markdown[fence..markdown.len() - fence];
    assert!(inside.split(|c| c != '`').all(|run| run.len() != fence), "the span ends early: {markdown}");
    match inside.strip_prefix(' ').and_then(|rest| rest.strip_suffix(' ')) {
        Some(bare) if !bare.trim().is_empty() => bare.to_owned(),
        _ => inside.to_owned(),
    }
}

#[test]
fn a_code_span_cannot_be_left() {
    for text in ["a`b", "`", "``", "a``b`c```", "`@team`", " x ", "x`", "<!-- x", "](http://x)", "a|b"] {
        let span = code(text);
        assert_eq!(unspan(&span), *text, "{span}");
    }
}

#[test]
fn lines_control_and_bidi_characters_do_not_pass() {
    assert_eq!(code("a\nb\r\u{1b}[31m"), "`a\u{fffd}b\u{fffd}\u{fffd}[31m`");
    assert_eq!(
        plain("\u{202e}evil\u{2066}\u{200b}\u{feff}\u{2028}", 99),
        "\u{fffd}evil\u{fffd}\u{fffd}\u{fffd}\u{fffd}"
    );
}

#[test]
fn what_is_too_long_is_cut_between_characters() {
    assert_eq!(plain("ééé", 2), "éé…");
    assert!(code(&"é`".repeat(100_000)).chars().count() < MAX_SHOWN_CHARS + 20);
    assert!(prose(&"é`".repeat(100_000)).len() < 10 * MAX_PROSE_CHARS);
}

#[test]
fn a_sentence_of_ours_stays_a_sentence() {
    assert_eq!(
        prose("no source names `docker.io/foo/bar:1`: ask for one, or (better) write your own."),
        "no source names `docker.io/foo/bar:1`: ask for one, or (better) write your own."
    );
}

#[test]
fn no_word_of_a_sentence_can_mention_link_or_mark_up() {
    for word in [
        "@acme/team",
        "user@example.com",
        "http://evil.io",
        "www.evil.io",
        "[x](y)",
        "<!--",
        "<b>",
        "**x**",
        "_x_",
        "#12",
        "GH-12",
        "a/b#1",
        "deadbeef",
        "&#64;team",
        "\\@team",
        "~~x~~",
        "|",
        "![x](y)",
        "mailto:a",
        ":tada:",
        "---",
    ] {
        let shown = prose(&format!("see {word} now"));
        assert_eq!(shown, format!("see {} now", code(word)));
    }
}

#[test]
fn unpaired_backticks_only_move_what_is_quoted() {
    for text in ["a ` b @team", "`@team", "x` @team `y", "``@team`", "`a``@team``b`", "` `` @team"] {
        let shown = prose(text);
        assert!(!outside_of_spans(&shown).contains('@'), "{text} became {shown}");
    }
}

/// The text that CommonMark does not read as a code span.
fn outside_of_spans(markdown: &str) -> String {
    let mut outside = String::new();
    let mut rest = markdown;
    while let Some(open) = rest.find('`') {
        outside.push_str(&rest[..open]);
        let from = &rest[open..];
        let fence = from.len() - from.trim_start_matches('`').len();
        let mut at = fence;
        let mut close = None;
        while let Some(next) = from[at..].find('`') {
            let run = from[at + next..].len() - from[at + next..].trim_start_matches('`').len();
            if run == fence {
                close = Some(at + next + run);
                break;
            }
            at += next + run;
        }
        match close {
            Some(end) => rest = &from[end..],
            None => {
                outside.push_str(&from[..fence]);
                rest = &from[fence..];
            }
        }
    }
    outside.push_str(rest);
    outside
}

proptest::proptest! {
    #[test]
    fn nothing_dangerous_is_ever_outside_of_a_span(text in "[`@a<\\[(! \\n-]{0,40}") {
        let shown = prose(&text);
        let outside = outside_of_spans(&shown);
        proptest::prop_assert!(!outside.contains(['@', '<', '[', '!', '\n', '`']), "{} became {}", text, shown);
        let span = code(&text);
        proptest::prop_assert_eq!(outside_of_spans(&span), "");
    }
}
