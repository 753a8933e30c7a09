use crate::policy::Mode;
use crate::report::bench;
use crate::report::bench::report;

#[test]
fn nothing_is_said_about_a_change_that_passes_unless_something_was_said_before() {
    let good = report(&[("Dockerfile", "FROM node:20\n")]);
    assert_eq!(good.comment(false), None);
    insta::assert_snapshot!(good.comment(true).unwrap_or_default(), @r#"
    <!-- fromguard -->
    **fromguard: settled.** 1 image use from trusted sources.
    "#);
}

#[test]
fn a_refusal_is_said_with_the_marker_first() {
    let bad = report(&[("Dockerfile", "FROM evil.io/x:1\n")]);
    insta::assert_snapshot!(bad.comment(false).unwrap_or_default(), @r#"
    <!-- fromguard -->
    **fromguard:** 1 image use refused: `evil.io/x:1` (blocked).

    - `Dockerfile:1:6`: `evil.io/x:1` is blocked: frozen. Write `registry.example.com/base/x:1` instead.

    The check run `fromguard` on the newest commit has every detail.
    "#);
}

#[test]
fn what_is_only_observed_is_said_too() {
    let subject = bench::subject(None, &[("Dockerfile", "FROM evil.io/x:1\n")]);
    let comment = bench::judge(subject, Mode::Observe).comment(false).unwrap_or_default();
    assert!(comment.contains("Observed only"), "{comment}");
}

#[test]
fn a_long_list_is_cut_and_counted() {
    let text: String = (0..30).map(|index| format!("FROM evil.io/x:{index}\n")).collect();
    let comment = report(&[("Dockerfile", &text)]).comment(false).unwrap_or_default();
    assert!(comment.contains("- … and 10 more, in the check run"), "{comment}");
}
