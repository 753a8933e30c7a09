//! Texts that are made to be slow end, with what can be known of them, and what is not
//! read is told of.

use super::Shell;
use super::check;
use crate::formats::Files;
use crate::formats::Format;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::SourceFile;

/// How long the texts are.
const BYTES: usize = 96 * 1024;

/// `part` over and over behind a command.
fn filled(part: impl Fn(usize) -> String) -> String {
    let mut text = "docker pull first\n".to_owned();
    for index in 0.. {
        if text.len() > BYTES {
            break;
        }
        text.push_str(&part(index));
    }
    text
}

/// How many uses a script has, and its problems; all of them are limits.
fn read(text: &str) -> (usize, Vec<String>) {
    let file = SourceFile::new(RepoPath::new("a.sh"), text);
    let found = Shell.extract(&file, &mut Files::new(&|_| None));
    assert!(found.problems.iter().all(|problem| problem.code == ProblemCode::Limit));
    let first = found.uses.first().expect("the first command");
    assert_eq!((first.raw.as_str(), first.targets[0].status()), ("first", "resolved"));
    (found.uses.len(), found.problems.into_iter().map(|problem| problem.message).collect())
}

/// The number of lines of a text.
fn lines(text: &str) -> usize {
    text.lines().count()
}

#[test]
fn what_is_never_closed_ends_and_hides_no_command_before_it() {
    for part in [
        "a=(",
        "$(",
        "`a ",
        "\"$(",
        "\"$(\"",
        "' ",
        "\"'\"' ",
        "$((",
        "${a:-",
        "${a[",
        "((",
        "{ ",
        "@(",
        "case a in b) ",
        "$'\\'",
        "\"${a%'",
        "cat <<E\n$(\nE\n",
    ] {
        let (uses, _) = read(&filled(|_| part.to_owned()));
        assert_eq!(uses, 1, "{part}");
    }
}

#[test]
fn every_one_of_many_commands_is_read() {
    for part in ["docker pull a\n", "bash -c 'docker pull a'\n", "(docker pull a)\n", "x=`docker pull a`\n"] {
        let text = filled(|_| part.to_owned());
        assert_eq!(read(&text), (lines(&text), Vec::new()), "{part}");
    }
    let text = filled(|index| format!("f{index}() {{ A=$A; docker pull a; }}\n"));
    assert_eq!(read(&text), (lines(&text), Vec::new()));
    let text = filled(|index| format!("cat <<E{index}\ndocker pull a\n"));
    assert_eq!(read(&text).0, lines(&text) / 2 + 1);
}

#[test]
fn what_doubles_itself_ends_and_is_told_of() {
    let text = filled(|_| "A=$A$A; docker pull $A\n".into());
    let (uses, _) = read(&text);
    assert_eq!(uses, lines(&text));
    let text = filled(|_| "A=aaaaaaaa$A$A; docker pull b$A\n".into());
    let (uses, problems) = read(&text);
    assert_eq!(uses, lines(&text));
    assert!(problems[0].starts_with("the values of this script are too large"), "{problems:?}");
}

#[test]
fn many_values_of_many_variables_end_and_are_told_of() {
    let words = (0..60).map(|number| format!("v{number} ")).collect::<String>();
    let text = filled(|index| match index {
        0 => format!("for i in {words}; do\n"),
        _ => "A=$i$i; docker pull $i:$A\n".to_owned(),
    });
    let (uses, problems) = read(&text);
    assert_eq!(uses, lines(&text) - 1);
    assert!(problems[0].starts_with("the values of this script are too large"), "{problems:?}");
    let text = format!(
        "{}{}docker pull $A1\n",
        filled(|index| if index < 64 { "if a; then\n".into() } else { format!("A{index}=x\n") }),
        "fi\n".repeat(64)
    );
    let (uses, problems) = read(&text);
    assert_eq!((uses, problems.len()), (2, 0));
}

#[test]
fn arrays_that_grow_end() {
    let (uses, problems) = read(&filled(|_| "a+=(b)\n".into()));
    assert_eq!(uses, 1);
    assert!(problems[0].starts_with("the values of this script are too large"), "{problems:?}");
    check(
        r#"
=== a.sh
images=(a:1 b:2)
docker pull "${images[@]}"
#            ^^^^^^^^^^^^ command docker.io/library/a:1 | docker.io/library/b:2 <- a:1* <- b:2
"#,
    );
}

#[test]
fn a_command_that_may_be_very_many_is_told_of() {
    let options = "if a; then A=; else A=-i; fi\n";
    let (uses, problems) = read(&format!("docker pull first\n{options}docker run $A $A $A b\n"));
    assert_eq!((uses, problems.len()), (2, 0));
    // Whatever they are, it is the same image.
    let (uses, problems) = read(&format!("docker pull first\n{options}docker run $A $A $A $A $A $A b\n"));
    assert_eq!((uses, problems.len()), (2, 0));
    let options = "if a; then A=; else A=-v; fi\n";
    let (uses, problems) =
        read(&format!("docker pull first\n{options}docker run $A a $A b $A c $A d $A e $A f\n"));
    assert!(uses > 2);
    assert_eq!(problems, ["the variables of this command make more commands of it than are looked at"]);
    // One that names no tool is none of ours.
    let (_, problems) = read(&format!("docker pull first\n{options}x $A $A $A $A $A $A b\n"));
    assert_eq!(problems.len(), 0);
}

#[test]
fn commands_and_scripts_in_one_another_end() {
    for part in ["docker run -e a=b ", "sudo xargs bash -c ", "docker "] {
        let (_, problems) = read(&format!("{}\n", filled(|_| part.to_owned())));
        assert!(problems.iter().all(|problem| problem.contains("stand inside one another")), "{problems:?}");
    }
    let text =
        format!("docker pull first\nbash <<E{}\n{}E\n", " | bash".repeat(9), "docker pull $a\n".repeat(9));
    assert_eq!(read(&text).0, 10);
}

#[test]
fn scripts_that_a_shell_takes_have_no_problems() {
    let mut text = "docker pull first\n".to_owned();
    for _ in 0..40 {
        text.push_str(
            r#"x=$((cd a; pwd) | cat)
((a); (b))
y="${x//'"'/}" z="${x%'}'*}" w="${x//\'/}" v="${x:-it's}"
for i in a b # it's one
do :; done
a=(<(echo "x") b)
"#,
        );
    }
    text.push_str("docker pull last\n");
    assert_eq!(read(&text), (2, Vec::new()));
}
