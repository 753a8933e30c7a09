use super::*;
use crate::source::Location;
use crate::source::Span;

fn usage(file: &str, role: Role, targets: &[&str]) -> ImageUse {
    let file = RepoPath::new(file);
    ImageUse {
        file: file.clone(),
        format: "dockerfile",
        role,
        stage: Stage::Final,
        span: Span::new(0, 0),
        raw: String::new(),
        targets: targets.iter().map(|text| Target::parse(text)).collect(),
        reachable: true,
        replaced: false,
        via: Vec::new(),
        decided_at: Location { file, span: Span::new(0, 0) },
    }
}

/// Each use as `file role target|target`.
fn uses(lines: &[&str]) -> Vec<ImageUse> {
    lines
        .iter()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let role = match words[1] {
                "from" => Role::FinalStage,
                "build" => Role::BuildStage,
                _ => Role::CopyFrom,
            };
            usage(words[0], role, &words[2].split('|').collect::<Vec<_>>())
        })
        .collect()
}

/// What became of every use of the head, and which of the base are gone.
fn check(base: &[&str], head: &[&str], expected: &[&str], removed: &[usize]) {
    let changes = compare(&uses(base), &uses(head));
    let shown: Vec<String> = changes
        .head
        .iter()
        .map(|change| match change {
            Change::Changed { from } => {
                let from: Vec<String> = from
                    .iter()
                    .map(|target| match target {
                        Target::Image(image) => image.to_string(),
                        other => format!("{other:?}"),
                    })
                    .collect();
                format!("was {}", from.join("|"))
            }
            other => other.as_str().to_owned(),
        })
        .collect();
    assert_eq!(shown, expected);
    assert_eq!(changes.removed, removed);
}

#[test]
fn the_same_uses_in_another_order_are_unchanged() {
    check(&["D from a", "D copy b"], &["D copy b", "D from a"], &["unchanged", "unchanged"], &[]);
}

#[test]
fn a_second_use_of_the_same_image_is_introduced() {
    check(&["D copy a"], &["D copy a", "D copy a"], &["unchanged", "introduced"], &[]);
}

#[test]
fn another_image_in_the_same_role_is_changed() {
    check(&["D from a:1"], &["D from a:2"], &["was docker.io/library/a:1"], &[]);
}

#[test]
fn the_order_of_a_value_set_is_no_difference_and_another_member_is() {
    check(&["D from a|b"], &["D from b|a"], &["unchanged"], &[]);
    check(&["D from a|b"], &["D from a|b|c"], &["was docker.io/library/a|docker.io/library/b"], &[]);
}

#[test]
fn an_image_that_changed_its_role_is_changed_and_not_paired_with_another() {
    check(&["D from a"], &["D build a", "D from evil.io/x"], &["was docker.io/library/a", "introduced"], &[]);
}

#[test]
fn reachability_and_stage_are_part_of_the_identity() {
    let base = uses(&["D from a"]);
    let mut head = base.clone();
    head[0].reachable = false;
    assert_eq!(compare(&base, &head).head[0].as_str(), "changed");
    let mut head = base.clone();
    head[0].stage = Stage::Build;
    assert_eq!(compare(&base, &head).head[0].as_str(), "changed");
}

#[test]
fn a_use_that_moved_to_another_file_is_introduced_and_the_old_one_removed() {
    check(&["a/D from a"], &["b/D from a"], &["introduced"], &[0]);
}

#[test]
fn what_is_left_over_at_the_base_was_removed() {
    check(
        &["D from a", "D copy b", "D copy c"],
        &["D from a", "D copy x"],
        &["unchanged", "was docker.io/library/b"],
        &[2],
    );
}

#[test]
fn without_a_base_everything_is_introduced() {
    check(&[], &["D from a"], &["introduced"], &[]);
}

#[test]
fn many_equal_uses_are_matched_each_once() {
    let many = vec!["D copy a"; 20_000];
    let changes = compare(&uses(&many), &uses(&many[1..]));
    assert!(changes.head.iter().all(|change| *change == Change::Unchanged));
    assert_eq!(changes.removed, [19_999]);
}
