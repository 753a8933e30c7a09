use super::*;
use crate::policy::Mode;
use crate::policy::PolicyFile;
use crate::report::bench;
use crate::report::bench::report;

/// One Dockerfile with this many blocked images.
fn many(number: usize, name: &str) -> Report {
    let mut text = "FROM node AS base\n".to_owned();
    for index in 0..number {
        text.push_str(&format!("COPY --from=evil.io/{name}{index} / /\n"));
    }
    report(&[("Dockerfile", &text)])
}

#[test]
fn the_first_line_says_what_is_wrong_and_the_second_what_to_do() {
    let output = report(&[(
        "svc/Dockerfile",
        "ARG BASE=evil.io/x:1\nFROM node:20 AS build\nFROM ${BASE}\nCOPY --from=ghcr.io/a/b / /\n",
    )])
    .check_run();
    insta::assert_snapshot!(output.title, @r#"1 image use refused, 1 needs review"#);
    insta::assert_snapshot!(output.summary, @r#"
    1 image use refused: `evil.io/x:1` (blocked); 1 needs review: `ghcr.io/a/b` (no trusted source).  
    Write `registry.example.com/base/x:1` instead of `evil.io/x:1`. Take the other from a source that the policy trusts.

    ### Findings
    - **refused** `evil.io/x:1` (from `${BASE}`) at `svc/Dockerfile:1:10`
      - write `registry.example.com/base/x:1` instead
      - `evil.io/x:1` is blocked: frozen
      - introduced by `FROM` at `svc/Dockerfile:3:6`
      - by default of `ARG BASE` at `svc/Dockerfile:1:10`

      <details><summary>why</summary>

      - the policy reads (`.github/fromguard.yml:2:1`)
        - as it was matched

      </details>

    - **needs review** `ghcr.io/a/b` at `svc/Dockerfile:4:13`
      - no source names `ghcr.io/a/b`
      - introduced by `COPY --from`

      <details><summary>why</summary>

      - the policy reads (`.github/fromguard.yml:2:1`)
        - as it was matched

      </details>


    ### Notices
    - **notice** at `.github/fromguard.yml:2:7`: something here can end in `review`, and nobody is named who could settle it
      - name them: `reviewers: ["@organisation/team"]`

    3 image uses in 1 file read.
    "#);
    insta::assert_snapshot!(output.text.as_deref().unwrap_or("none"), @r#"
    <details><summary>1 image use passed</summary>

    - `node:20` at `svc/Dockerfile:2:6` (introduced, source `official`)

    </details>
    "#);
    insta::assert_debug_snapshot!(output.annotations, @r#"
    [
        Annotation {
            path: "svc/Dockerfile",
            start_line: 1,
            end_line: 1,
            start_column: Some(
                10,
            ),
            end_column: Some(
                20,
            ),
            level: "failure",
            title: "refused: evil.io/x:1",
            message: "`evil.io/x:1` is blocked: frozen.\nWrite registry.example.com/base/x:1 instead.\nFROM ${BASE} at svc/Dockerfile:3:6 takes its image from here.",
            raw_details: Some(
                "rule: block\n  the policy reads (.github/fromguard.yml:2:1)\n    as it was matched",
            ),
        },
        Annotation {
            path: "svc/Dockerfile",
            start_line: 4,
            end_line: 4,
            start_column: Some(
                13,
            ),
            end_column: Some(
                23,
            ),
            level: "warning",
            title: "needs review: ghcr.io/a/b",
            message: "No source names `ghcr.io/a/b`.",
            raw_details: Some(
                "rule: unknown\n  the policy reads (.github/fromguard.yml:2:1)\n    as it was matched",
            ),
        },
    ]
    "#);
}

#[test]
fn a_tree_without_images_passes() {
    let output = report(&[]).check_run();
    assert_eq!(output.title, "No image sources");
    assert!(output.annotations.is_empty());
    insta::assert_snapshot!(output.summary, @r#"
    Nothing is wrong: these files hold no image source.  
    Nothing is to be done.

    ### Notices
    - **notice** at `.github/fromguard.yml:2:7`: something here can end in `review`, and nobody is named who could settle it
      - name them: `reviewers: ["@organisation/team"]`

    0 image uses in 0 files read.
    "#);
}

#[test]
fn two_hundred_are_annotated_and_the_rest_is_counted() {
    let output = many(260, "x").check_run();
    assert_eq!(output.annotations.len(), 200);
    assert!(output.summary.contains("The worst 200 are annotated in the files, and 60 more are not."));
    assert_eq!(many(51, "x").check_run().annotations.len(), 51);
}

/// docker-library/tomcat: a template is one thing to mend, not one for each of its lines.
#[test]
fn what_cannot_be_read_in_a_file_is_one_finding() {
    let output = report(&[
        ("a/Dockerfile", "FROM node\nname: x\non: y\nRUN a\njobs: z\n"),
        ("b/Dockerfile", "FROM\n"),
    ])
    .check_run();
    assert_eq!(output.title, "2 files cannot be read in full");
    assert_eq!(output.annotations.len(), 2);
    assert!(
        output.annotations[0].message.ends_with("The same file cannot be read at lines 3, 5."),
        "{}",
        output.annotations[0].message
    );
    assert!(
        output.summary.contains("  - the same file cannot be read at lines 3, 5\n"),
        "{}",
        output.summary
    );
}

#[test]
fn the_worst_are_annotated_first() {
    let output = report(&[("a/Dockerfile", "FROM ghcr.io/a/b:1\n"), ("b/Dockerfile", "FROM evil.io/x:1\n")])
        .check_run();
    let levels: Vec<&str> = output.annotations.iter().map(|annotation| annotation.level).collect();
    assert_eq!(levels, ["failure", "warning"]);
}

#[test]
fn what_is_observed_never_annotates_a_failure() {
    let subject = bench::subject(
        None,
        &[("a/Dockerfile", "FROM ghcr.io/a/b:1\n"), ("b/Dockerfile", "FROM evil.io/x:1\n")],
    );
    let output = bench::judge(subject, Mode::Observe).check_run();
    let levels: Vec<&str> = output.annotations.iter().map(|annotation| annotation.level).collect();
    assert_eq!(levels, ["warning", "notice"]);
}

#[test]
fn the_summary_stays_within_its_bytes_and_counts_what_is_missing() {
    for number in [300, 1_000] {
        let output = many(number, "long-name-of-an-image-that-takes-many-bytes-").check_run();
        assert!(output.summary.len() <= 65_535, "{}", output.summary.len());
        assert!(output.summary.contains(" more, left out here"), "{number}");
        assert!(output.summary.ends_with("read.\n"), "the count at the end still fits");
    }
}

#[test]
fn text_of_several_bytes_a_character_is_never_cut_within_one() {
    // Not references, so that the whole text is quoted.
    let mut text = String::new();
    for index in 0..2_000 {
        text.push_str(&format!("FROM {}{index}\n", "日本".repeat(40)));
    }
    let output = report(&[("Dockerfile", &text)]).check_run();
    assert!(output.summary.len() <= 65_535);
    for annotation in &output.annotations {
        assert!(annotation.title.chars().count() <= 255);
        assert!(annotation.message.len() <= 64_000);
    }
}

#[test]
fn passed_uses_stay_within_their_bytes_and_the_list_is_closed() {
    let text: String = (0..5_000).map(|index| format!("FROM node:{index}\n")).collect();
    let passed = report(&[("Dockerfile", &text)]).check_run().text.expect("all passed");
    assert!(passed.len() <= 65_535);
    assert!(passed.ends_with("</details>\n"));
    assert!(passed.contains("… and "));
}

#[test]
fn nothing_that_an_author_writes_can_leave_its_code_span() {
    for evil in ["`@team`", "``x``@team", "<!--x", "](http://evil.io)", "a`b`c@team", "\u{202e}@team", "x|y"]
    {
        let path = format!("{}/Dockerfile", evil.replace('/', "_"));
        let output = report(&[(&path, &format!("FROM {evil}\n"))]).check_run();
        let comment = report(&[(&path, &format!("FROM {evil}\n"))]).comment(false).expect("it is refused");
        for markdown in [output.summary.as_str(), comment.trim_start_matches("<!-- fromguard -->")] {
            let ours = [markdown::WHY_OPENS, markdown::WHY_CLOSES];
            for line in markdown.lines().filter(|line| !ours.contains(line)) {
                let outside = outside_of_spans(line);
                assert!(!outside.contains(['@', '<', '[', '`', '\u{202e}']), "{evil:?}: {line}");
            }
        }
    }
}

/// The text of a line that is in no code span.
fn outside_of_spans(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(open) = rest.find('`') {
        outside.push_str(&rest[..open]);
        let from = &rest[open..];
        let fence: String = from.chars().take_while(|c| *c == '`').collect();
        let body = &from[fence.len()..];
        let close = body
            .match_indices(&fence)
            .map(|(at, _)| at)
            .find(|at| !body[..*at].ends_with('`') && !body[at + fence.len()..].starts_with('`'));
        match close {
            Some(at) => rest = &body[at + fence.len()..],
            None => {
                outside.push_str(&fence);
                rest = body;
            }
        }
    }
    outside.push_str(rest);
    outside
}

#[test]
fn a_broken_policy_is_annotated_at_its_own_line() {
    let mut subject = bench::subject(Some(&[]), &[("Dockerfile", "FROM evil.io/x:1\n")]);
    subject.policies.repository = PolicyFile::Read(bench::broken());
    let output = bench::judge(subject, Mode::Enforce).check_run();
    let first = &output.annotations[0];
    assert_eq!((first.path.as_str(), first.start_line, first.level), (".github/fromguard.yml", 2, "failure"));
    assert_eq!((first.start_column, first.end_column), (Some(1), Some(4)));
    insta::assert_snapshot!(output.summary.lines().take(7).collect::<Vec<_>>().join("\n"), @r#"
    The repository's policy `.github/fromguard.yml` has 1 error.  
    Mend `.github/fromguard.yml` on the base branch, in a pull request that changes nothing else; until then no image can be judged.

    ### Errors in the repository's policy `.github/fromguard.yml`
    - **error** at `.github/fromguard.yml:2:1`: unknown key `mood`
      - did you mean `mode`?
    "#);
}

#[test]
fn the_organisations_file_is_never_annotated_in_another_repository() {
    let mut subject = bench::subject(None, &[]);
    subject.policies.organisation = PolicyFile::Read(bench::broken());
    let output = bench::judge(subject, Mode::Enforce).check_run();
    assert!(output.annotations.is_empty());
    assert!(output.summary.contains("unknown key `mood`"));
}
