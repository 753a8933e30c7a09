use super::*;
use crate::report::bench::report;

#[test]
fn a_finding_is_one_command_and_the_log_ends_with_a_line_for_people() {
    let report = report(&[("a,b:c/Dockerfile", "ARG X=evil.io/x:1\nFROM ${X}\n")]);
    insta::assert_snapshot!(check_workflow_commands(&report), @r#"
    ::error file=a%2Cb%3Ac/Dockerfile,line=1,endLine=1,col=7,endColumn=17,title=refused%3A evil.io/x%3A1::`evil.io/x:1` is blocked: frozen.%0AWrite registry.example.com/base/x:1 instead.%0AFROM ${X} at a,b:c/Dockerfile:2:6 takes its image from here.
    fromguard: 1 image use refused: `evil.io/x:1` (blocked).
    "#);
}

#[test]
fn a_reference_cannot_begin_a_command_of_its_own() {
    let report = report(&[("Dockerfile", "FROM %0A::error::x\n")]);
    let commands = check_workflow_commands(&report);
    assert_eq!(commands.lines().filter(|line| line.starts_with("::")).count(), 1, "{commands}");
    assert!(commands.contains("%250A"), "{commands}");
}

#[test]
fn there_is_no_limit_of_two_hundred_in_a_log() {
    let text: String = (0..250).map(|index| format!("FROM evil.io/x:{index}\n")).collect();
    let commands = check_workflow_commands(&report(&[("Dockerfile", &text)]));
    assert_eq!(commands.matches("::error ").count(), 250);
}
