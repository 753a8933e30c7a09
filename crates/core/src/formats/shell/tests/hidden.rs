//! What a limit cuts off, or what a script puts together in an unusual way, is found, not
//! known or told of: nothing is silent.

use super::Shell;
use crate::formats::Extracted;
use crate::formats::Files;
use crate::formats::Format;
use crate::image::Target;
use crate::source::RepoPath;
use crate::source::SourceFile;

fn extract(name: &str, text: &str) -> Extracted {
    Shell.extract(&SourceFile::new(RepoPath::new(name), text), &mut Files::new(&|_| None))
}

/// What a file uses: the images, and how it is with those that are not known.
pub(super) fn used(name: &str, text: &str) -> Vec<String> {
    let extracted = extract(name, text);
    assert_eq!(extracted.problems.len(), 0, "{:?}", extracted.problems);
    let say = |target: &Target| match target {
        Target::Image(image) => image.to_string().replace("docker.io/library/", ""),
        other => other.status().to_owned(),
    };
    let mut used: Vec<String> = extracted.uses.iter().flat_map(|usage| &usage.targets).map(say).collect();
    used.sort();
    used.dedup();
    used
}

/// The limits that a file tells of.
pub(super) fn limits(name: &str, text: &str) -> Vec<String> {
    extract(name, text).problems.into_iter().map(|problem| problem.message).collect()
}

#[test]
fn every_way_to_fill_an_array_counts() {
    let uses = |text: &str| used("a.sh", text);
    let words = "if a; then X='a:1 b:1'; else X=c:1; fi\nimages=($X)\n";
    assert_eq!(uses(&format!("{words}docker pull \"${{images[@]}}\"\n")), ["a:1", "b:1", "c:1"]);
    let each = "for i in \"${images[@]}\"; do docker pull $i; done\n";
    assert_eq!(uses(&format!("{words}{each}")), ["a:1", "b:1", "c:1"]);
    let branches = "if a; then images=(a:1); else images=(b:1 c:1); fi\n";
    assert_eq!(uses(&format!("{branches}{each}")), ["a:1", "b:1", "c:1"]);
    let text = "if a; then images=a:1; else images=(b:1 c:1); fi\n";
    assert_eq!(uses(&format!("{text}{each}")), ["a:1", "b:1", "c:1"]);
    let options = "args=()\nif a; then args+=(-v x:y); fi\nif b; then args+=(-v); fi\n";
    assert_eq!(uses(&format!("{options}docker run \"${{args[@]}}\" a:1 b:1\n")), ["a:1", "b:1"]);
    // What is not known may be many words.
    assert_eq!(uses("args=($X)\ndocker run \"${args[@]}\" a:1 sh\n"), ["a:1"]);
}

#[test]
fn of_too_many_arrays_the_rest_is_not_known() {
    let branches: String = (0..20).map(|number| format!("{number}) a=(x:{number}) ;;\n")).collect();
    let uses = used("a.sh", &format!("case $a in\n{branches}*) exit ;;\nesac\ndocker pull \"${{a[@]}}\"\n"));
    assert!(uses.contains(&"unresolved".to_owned()) && uses.contains(&"x:0".to_owned()), "{uses:?}");
    let words: String = (0..40).map(|number| format!("{number}) W='x:{number} y' ;;\n")).collect();
    let text = format!("case $a in\n{words}*) exit ;;\nesac\na=($W)\ndocker pull \"${{a[@]}}\"\n");
    assert!(used("a.sh", &text).contains(&"unresolved".to_owned()));
    let many: String = (0..5000).map(|number| format!("x:{number} ")).collect();
    let uses = used("a.sh", &format!("a=({many})\nfor i in \"${{a[@]}}\"; do docker pull $i; done\n"));
    assert!(uses.contains(&"unresolved".to_owned()));
}

#[test]
fn what_eval_sets_is_set() {
    assert_eq!(used("a.sh", "IMG=a:1\neval \"IMG=b:1\"\ndocker pull $IMG\n"), ["b:1"]);
    assert_eq!(used("a.sh", "f() { eval 'IMG=b:1'; }\nf\ndocker pull $IMG\n"), ["b:1"]);
}

#[test]
fn only_what_is_written_alike_was_built() {
    let name = "A".repeat(1100);
    for (built, run) in [
        (format!("${{{name}}}:1"), format!("${{{name}}}:2")),
        ("a:$(git describe --tags)".to_owned(), "a:$(git describe --tags --dirty)".to_owned()),
        ("a:$(cat $X)".to_owned(), "a:$(cat $Y)".to_owned()),
    ] {
        assert_eq!(used("a.sh", &format!("docker build -t {built} .\ndocker run {run}\n")), ["unresolved"]);
    }
    assert!(used("a.sh", "docker build -t a:$(git describe) .\ndocker run a:$(git describe)\n").is_empty());
    assert_eq!(used("a.sh", "docker run $(docker build -q . >x; cat y)\n"), ["unresolved"]);
}

#[test]
fn every_value_of_an_argument_is_a_build() {
    let values: String = (0..20).map(|number| format!("a:{number} ")).collect();
    let text = format!("for i in {values}; do docker build --build-arg BASE=$i .; done\n");
    assert_eq!(extract("a.sh", &text).builds.len(), 20);
    let choices = |names: &str| -> String {
        names.chars().map(|name| format!("if a; then {name}=1; else {name}=2; fi\n")).collect()
    };
    let two = choices("AB") + "docker build --build-arg A=$A --build-arg B=$B .\n";
    assert_eq!(extract("a.sh", &two).builds.len(), 4);
    let arguments: String = "ABCDEFG".chars().map(|name| format!("--build-arg {name}=${name} ")).collect();
    let many = format!("{}docker build {arguments} .\n", choices("ABCDEFG"));
    assert!(limits("a.sh", &many)[0].contains("more builds than are looked at"));
}

#[test]
fn names_of_tools_may_be_quoted() {
    for name in ["d''ocker", "do\\cker", "\"dock\"er", "dock\\\ner", "'docker'"] {
        assert_eq!(used("a.sh", &format!("{name} pull a:1\n")), ["a:1"], "{name}");
        assert_eq!(used("a.sh", &format!("retry {name} pull a:1\n")), ["a:1"], "{name}");
    }
}

#[test]
fn what_is_printed_for_a_shell_is_read() {
    assert_eq!(used("a.sh", "echo \"docker pull a:1\" | bash\n"), ["a:1"]);
    assert_eq!(used("a.sh", "X=a:1\necho docker pull $X | sudo sh -s\n"), ["a:1"]);
    assert_eq!(used("a.sh", "printf 'set -e\\ndocker pull a:1\\n' |\n  bash\n"), ["a:1"]);
    assert_eq!(used("a.sh", "echo -e 'FROM a:1\\nRUN x' | docker build -\n"), ["a:1"]);
    assert!(used("a.sh", "echo docker pull a:1\necho docker pull b | tee c\n").is_empty());
}

#[test]
fn long_indexes_and_patterns_hide_nothing() {
    let index = "x".repeat(300);
    assert_eq!(used("a.sh", &format!("A=a:1\nA[{index}]=b:1\ndocker pull $A\n")), ["unresolved"]);
    assert_eq!(used("a.sh", &format!("docker pull ${{A[{index}]}}\n")), ["unresolved"]);
    assert_eq!(used("a.sh", "ls @($(docker run a:1))\n"), ["a:1"]);
}

#[test]
fn scripts_that_are_too_deep_are_told_of() {
    let nested = format!("X='docker pull a'\n{}$X{}\n", "$(".repeat(60), ")".repeat(60));
    assert_eq!(limits("a.sh", &nested), ["substitutions and quotes are nested too deep here to be read"]);
    let scripts = (0..9).fold("docker pull a".to_owned(), |script, _| {
        format!("sh -c \"{}\"", script.replace('\\', "\\\\").replace('"', "\\\""))
    });
    assert!(limits("a.sh", &scripts)[0].contains("stand inside one another"));
}

#[test]
fn a_script_that_is_too_large_is_told_of() {
    let functions: String =
        (0..3000).map(|number| format!("f{number}() {{ A=$A$A$B{number}; B=$A; }}\n")).collect();
    let text = format!("{functions}docker pull $A\n");
    let found = extract("a.sh", &text);
    assert!(found.uses.iter().flat_map(|usage| &usage.targets).any(|target| target.status() == "unresolved"));
}
