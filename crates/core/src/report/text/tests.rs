use super::*;
use crate::policy::Mode;
use crate::policy::PolicyFile;
use crate::report::bench;
use crate::report::bench::report;

fn check(files: &[(&str, &str)]) -> String {
    check_text(&report(files), Style::Plain)
}

#[test]
fn a_refused_image_is_underlined_and_told_what_to_write() {
    insta::assert_snapshot!(check(&[("svc/Dockerfile", "FROM node:20\nCOPY --from=evil.io/x:1 / /\n")]), @r#"
    error[block]: `evil.io/x:1` is blocked: frozen
     --> svc/Dockerfile:2:13
      |
    2 | COPY --from=evil.io/x:1 / /
      |             ^^^^^^^^^^^
      |
      = help: write registry.example.com/base/x:1 instead
      = note: the policy reads (.github/fromguard.yml:2:1)
                as it was matched

    note: .github/fromguard.yml:2:7: something here can end in `review`, and nobody
      is named who could settle it
    help: Write `registry.example.com/base/x:1` instead of `evil.io/x:1`.
    failure: 1 image use refused (2 image uses in 1 file read)
    "#);
}

#[test]
fn an_argument_that_decides_is_underlined_with_the_from_beside_it() {
    insta::assert_snapshot!(check(&[("Dockerfile", "ARG BASE=evil.io/x:1\nRUN nothing\nFROM ${BASE}\n")]), @r#"
    error[block]: `evil.io/x:1` is blocked: frozen
     --> Dockerfile:1:10
      |
    1 | ARG BASE=evil.io/x:1
      |          ^^^^^^^^^^^ decided here
    2 | RUN nothing
    3 | FROM ${BASE}
      |      ------- used here: evil.io/x:1
      |
      = help: write registry.example.com/base/x:1 instead
      = note: the policy reads (.github/fromguard.yml:2:1)
                as it was matched

    warning[syntax]: an instruction before the first FROM; only ARG can stand here
     --> Dockerfile:2:1
      |
    2 | RUN nothing
      | ^^^^^^^^^^^
      |
      = note: the policy reads (.github/fromguard.yml:2:1)
                as it was matched

    note: .github/fromguard.yml:2:7: something here can end in `review`, and nobody
      is named who could settle it
    help: Write `registry.example.com/base/x:1` instead of `evil.io/x:1`. Mend the
      lines shown, or leave the file out with `skip-paths` in the policy: what
      cannot be read could hide an image, so it is never passed.
    failure: 1 image use refused, 1 file cannot be read in full (1 image use in 1 file read)
    "#);
}

#[test]
fn a_deciding_line_far_away_is_a_snippet_of_its_own() {
    let far = format!("ARG BASE=evil.io/x:1\n{}FROM ${{BASE}}\n", "# padding\n".repeat(40));
    insta::assert_snapshot!(check(&[("Dockerfile", &far)]), @r#"
    error[block]: `evil.io/x:1` is blocked: frozen
      --> Dockerfile:1:10
       |
     1 | ARG BASE=evil.io/x:1
       |          ^^^^^^^^^^^ decided here
       |
      ::: Dockerfile:42:6
       |
    42 | FROM ${BASE}
       |      ------- used here: evil.io/x:1
       |
       = help: write registry.example.com/base/x:1 instead
       = note: the policy reads (.github/fromguard.yml:2:1)
                 as it was matched

    note: .github/fromguard.yml:2:7: something here can end in `review`, and nobody
      is named who could settle it
    help: Write `registry.example.com/base/x:1` instead of `evil.io/x:1`.
    failure: 1 image use refused (1 image use in 1 file read)
    "#);
}

#[test]
fn what_cannot_be_read_is_said_with_its_file() {
    insta::assert_snapshot!(check(&[("Dockerfile", "FROM\n"), ("b/Dockerfile", "FROM a\0b\n")]), @r#"
    warning[syntax]: FROM takes an image, or an image, `AS` and a name
     --> Dockerfile:1:1
      |
    1 | FROM
      | ^^^^
      |
      = note: the policy reads (.github/fromguard.yml:2:1)
                as it was matched

    warning[unreadable]: this file cannot be scanned: it is a binary file (it holds NUL bytes)
    --> b/Dockerfile
     = note: the policy reads (.github/fromguard.yml:2:1)
               as it was matched

    note: .github/fromguard.yml:2:7: something here can end in `review`, and nobody
      is named who could settle it
    help: Mend the lines shown, or leave the file out with `skip-paths` in the
      policy: what cannot be read could hide an image, so it is never passed.
    action_required: 2 files cannot be read in full (0 image uses in 1 file read)
    "#);
}

#[test]
fn a_change_says_what_it_was() {
    let subject =
        bench::subject(Some(&[("Dockerfile", "FROM node:20\n")]), &[("Dockerfile", "FROM ghcr.io/a/b:1\n")]);
    insta::assert_snapshot!(check_text(&bench::judge(subject, Mode::Enforce), Style::Plain), @r#"
    warning[unknown]: no source names `ghcr.io/a/b:1`
     --> Dockerfile:1:6
      |
    1 | FROM ghcr.io/a/b:1
      |      ^^^^^^^^^^^^^
      |
      = note: it was docker.io/library/node:20
      = note: the policy reads (.github/fromguard.yml:2:1)
                as it was matched

    note: .github/fromguard.yml:2:7: something here can end in `review`, and nobody
      is named who could settle it
    help: Take it from a source that the policy trusts. To have an image allowed,
      propose a change of `.github/fromguard.yml`.
    action_required: 1 image use needs review (1 image use in 1 file read)
    "#);
}

#[test]
fn a_broken_policy_is_shown_at_its_line() {
    let mut subject = bench::subject(None, &[]);
    subject.policies.repository = PolicyFile::Read(bench::broken());
    insta::assert_snapshot!(check_text(&bench::judge(subject, Mode::Enforce), Style::Plain), @r#"
    error: unknown key `mood`
     --> .github/fromguard.yml:2:1
      |
    2 | mood: enforce
      | ^^^^
      |
      = help: did you mean `mode`?

    help: Mend the lines shown of `.github/fromguard.yml`; until then no image can
      be judged.
    failure: The policy has errors (0 image uses in 0 files read)
    "#);
    insta::assert_snapshot!(policy_text(&bench::broken(), "/etc/p.yml", Style::Plain), @r#"
    error: unknown key `mood`
     --> /etc/p.yml:2:1
      |
    2 | mood: enforce
      | ^^^^
      |
      = help: did you mean `mode`?

    /etc/p.yml cannot be used: 1 error
    "#);
}

#[test]
fn a_scan_of_nothing_says_why() {
    assert_eq!(
        scan_text(&bench::scanned(&[("README.md", "x")]), Style::Plain),
        "no image sources: nothing here has the name of a file that is read\n"
    );
}

#[test]
fn a_scan_is_one_line_for_each_use() {
    let files = [
        (
            "a/Dockerfile",
            "ARG TAG\nFROM node:20 AS build\nFROM ghcr.io/a/b:$TAG\nCOPY --from=build / /\nCOPY --from=nginx / /\n",
        ),
        ("b/Dockerfile", "FROM Upper/x\nFROM\n"),
    ];
    insta::assert_snapshot!(scan_text(&bench::scanned(&files), Style::Plain), @r#"
    a/Dockerfile:2:6   build-stage  docker.io/library/node:20
    a/Dockerfile:3:6   final-stage  ghcr.io/a/b with something unknown: `ARG TAG` has no default
    a/Dockerfile:5:13  copy-from    docker.io/library/nginx
    b/Dockerfile:1:6   build-stage  Upper/x (not reached)

    warning[syntax]: FROM takes an image, or an image, `AS` and a name
     --> b/Dockerfile:2:1
      |
    2 | FROM
      | ^^^^

    4 image uses in 2 files read, 1 problem
    "#);
}

#[test]
fn nothing_that_a_terminal_obeys_reaches_it() {
    let shown =
        check(&[("Dockerfile", "FROM evil.io/x:1\u{1b}]8;;http://evil\u{7} \u{202e}\n# \u{1b}[31m\n")]);
    assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown:?}");
}

#[test]
fn columns_stand_under_the_reference_after_a_byte_order_mark_and_wide_characters() {
    insta::assert_snapshot!(check(&[("Dockerfile", "\u{feff}FROM evil.io/x:1\n")]), @r#"
    error[block]: `evil.io/x:1` is blocked: frozen
     --> Dockerfile:1:6
      |
    1 | FROM evil.io/x:1
      |      ^^^^^^^^^^^
      |
      = help: write registry.example.com/base/x:1 instead
      = note: the policy reads (.github/fromguard.yml:2:1)
                as it was matched

    note: .github/fromguard.yml:2:7: something here can end in `review`, and nobody
      is named who could settle it
    help: Write `registry.example.com/base/x:1` instead of `evil.io/x:1`.
    failure: 1 image use refused (1 image use in 1 file read)
    "#);
}

#[test]
fn many_findings_on_one_long_line_are_named_and_not_drawn() {
    let line = format!("RUN {} true", "--mount=from=evil.io/x:1 ".repeat(2_000));
    let shown = check(&[("Dockerfile", &format!("FROM node\n{line}\n"))]);
    assert_eq!(shown.matches("--> Dockerfile:2:").count(), 2_000);
    assert!(shown.len() < 2_000 * 1_000);
}

#[test]
fn colours_come_only_when_asked_for() {
    let report = report(&[("Dockerfile", "FROM evil.io/x:1\n")]);
    let coloured = check_text(&report, Style::Coloured);
    assert!(coloured.contains("\u{1b}[") && !coloured.contains("\u{1b}]"), "colours, and no links");
    assert!(!check_text(&report, Style::Plain).contains('\u{1b}'));
}
