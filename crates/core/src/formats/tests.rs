//! The registry, and the way in which every format is tested: a tree of files as
//! text, with carets under each reference.
//!
//! ```text
//! === compose.yml
//! services:
//!   web:
//!     image: nginx:$TAG
//! #          ^^^^^^^^^^ container docker.io/library/nginx:1 <- .env: 1
//! === .env
//! TAG=1
//! ```
//!
//! Under each line stand carets below every reference that begins there, its role,
//! what it may be (`|` between members), `, unreachable` or `, replaced`, and `<-` the texts it was
//! put together from, with their file where that is another and `*` at the one whose
//! edit decides. `# syntax: …`, `# limit: …` and `# unreadable: …` are problems of the
//! line above. Everything is scanned as one tree.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fmt::Write;

use super::*;
use crate::image::Target;
use crate::scan::Scan;
use crate::scan::Scanned;

/// Scans the files of a fixture as one tree.
pub(super) fn scan(fixture: &str) -> (Vec<(RepoPath, String)>, Scanned) {
    let files = split(fixture);
    let mut scan = Scan::of_tree(files.iter().map(|(path, _)| path.clone()).collect());
    loop {
        let wanted = scan.wanted();
        if wanted.is_empty() {
            break;
        }
        for path in wanted {
            let text = files.iter().find(|(name, _)| *name == path).map(|(_, text)| text.as_str());
            scan.feed(&path, text.map_or(Content::Missing, |text| Content::Text(text.into())));
        }
    }
    (files, scan.finish())
}

/// Compares what is found with the carets in a fixture, which are taken out first.
#[track_caller]
pub(super) fn check(fixture: &str) {
    let fixture = fixture.strip_prefix('\n').unwrap_or(fixture);
    let (files, scanned) = scan(fixture);
    let found: String =
        files.iter().map(|(path, text)| format!("=== {path}\n{}", annotated(path, text, &scanned))).collect();
    assert_eq!(found, fixture.trim_end_matches('\n').to_owned() + "\n");
}

fn split(fixture: &str) -> Vec<(RepoPath, String)> {
    let mut files: Vec<(RepoPath, String)> = Vec::new();
    for line in fixture.lines() {
        if let Some(path) = line.strip_prefix("=== ") {
            files.push((RepoPath::new(path), String::new()));
        } else if let Some((_, text)) = files.last_mut().filter(|_| !is_expectation(line)) {
            text.push_str(line);
            text.push('\n');
        }
    }
    files
}

fn is_expectation(line: &str) -> bool {
    let body = line.strip_prefix('#').unwrap_or("");
    body.trim_start().starts_with('^')
        || [" syntax: ", " limit: ", " unreadable: ", " foreign-frontend: "]
            .iter()
            .any(|word| body.starts_with(word))
}

fn annotated(path: &RepoPath, text: &str, scanned: &Scanned) -> String {
    let file = SourceFile::new(path.clone(), text);
    let mut out = String::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        writeln!(out, "{line}").unwrap();
        for usage in scanned.uses.iter().filter(|usage| usage.file == *path) {
            let (start, end) = (file.position(usage.span.start), file.position(usage.span.end));
            if start.line_1based != number {
                continue;
            }
            let last = if end.line_1based == number { end.column_1based } else { line.chars().count() + 1 };
            let carets = "^".repeat(last.saturating_sub(start.column_1based).max(1));
            let indent = " ".repeat(start.column_1based.saturating_sub(2));
            writeln!(out, "#{indent}{carets} {}", described(usage, scanned)).unwrap();
        }
        for problem in scanned.problems.iter().filter(|problem| problem.at.file == *path) {
            if file.position(problem.at.span.start).line_1based == number {
                writeln!(out, "# {}: {}", problem.code.as_str(), problem.message).unwrap();
            }
        }
    }
    out
}

fn described(usage: &ImageUse, scanned: &Scanned) -> String {
    let targets: Vec<String> = usage
        .targets
        .iter()
        .map(|target| match target {
            Target::Image(image) => image.to_string(),
            Target::Partial(partial) => {
                format!("{} {} ({})", target.status(), partial.name, partial.reason)
            }
            Target::Unresolved { reason } => format!("unresolved ({reason})"),
            Target::Invalid { text, .. } => format!("invalid {text:?}"),
        })
        .collect();
    let mut text = format!("{} {}", usage.role.as_str(), targets.join(" | "));
    if usage.replaced {
        text.push_str(", replaced");
    } else if !usage.reachable {
        text.push_str(", unreachable");
    }
    for via in &usage.via {
        let slice = scanned.sources.get(&via.at.file).map_or("", |file| file.slice(via.at.span));
        let file = if via.at.file == usage.file { String::new() } else { format!("{}: ", via.at.file) };
        let mark = if via.at == usage.decided_at { "*" } else { "" };
        write!(text, " <- {file}{}{mark}", slice.lines().next().unwrap_or("")).unwrap();
    }
    text
}

/// Every row of the table begins with a format's id, in the registry's order.
#[test]
fn the_documentation_lists_every_format() {
    let page = include_str!("../../../../docs/formats.md");
    let rows: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(id, _)| id).collect();
    let registry: Vec<&str> = FORMATS.iter().map(|format| format.id()).collect();
    assert_eq!(rows, registry);
}

#[test]
fn a_path_has_a_format_by_its_name() {
    let format = |path: &str| formats_for(&RepoPath::new(path)).next().map(|(format, _)| format.id());
    assert_eq!(format("services/a/Dockerfile.prod"), Some("dockerfile"));
    assert_eq!(format("docs/Dockerfile.md"), None);
}

#[test]
fn a_dockerfile_is_read_with_what_stands_beside_it() {
    check(
        "
=== app/Dockerfile
ARG BASE=alpine:3
FROM $BASE
#    ^^^^^ final-stage docker.io/library/alpine:3 <- alpine:3*
=== b/Dockerfile
FROM
# syntax: FROM takes an image, or an image, `AS` and a name
",
    );
}
