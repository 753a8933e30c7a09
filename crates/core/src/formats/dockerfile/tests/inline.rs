//! Dockerfiles that stand inside other files.

use super::*;
use crate::source::Mapped;

#[test]
fn places_of_an_inline_dockerfile_are_places_of_its_file() {
    let outer = "services:\n  web:\n    build:\n      dockerfile_inline: |\n        ARG V=3\n        FROM alpine:$V\n        FROM\n";
    let mut text = Mapped::default();
    for line in ["ARG V=3\n", "FROM alpine:$V\n", "FROM\n"] {
        text.push_verbatim(line, outer.rfind(line).unwrap());
    }
    let file = SourceFile::new(RepoPath::new("compose.yml"), outer);
    let extracted = extract_inline(&file, &text, &[]);
    let usage = &extracted.uses[0];
    assert_eq!((usage.file.as_str(), file.slice(usage.span)), ("compose.yml", "alpine:$V"));
    assert_eq!(usage.raw, "alpine:$V");
    assert_eq!(file.slice(usage.via[0].at.span), "3");
    assert_eq!(usage.decided_at.file.as_str(), "compose.yml");
    let problem = &extracted.problems[0];
    assert_eq!(
        (problem.at.file.as_str(), file.position(problem.at.span.start).line_1based),
        ("compose.yml", 7)
    );
}
