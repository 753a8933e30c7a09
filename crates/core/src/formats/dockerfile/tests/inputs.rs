//! What a build is given, and what becomes of it.

use super::*;

/// What another file gives a build of this one.
fn given(text: &str, inputs: &[Inputs]) -> (SourceFile, Extracted) {
    let file = SourceFile::new(RepoPath::new("Dockerfile"), text);
    let extracted = extract_with(&file, inputs);
    (file, extracted)
}

fn compose(start: usize) -> Location {
    Location { file: RepoPath::new("compose.yml"), span: Span::new(start, start + 5) }
}

fn argument(name: &str, value: Option<&str>, start: usize) -> Argument {
    Argument { name: name.to_owned(), value: value.map(str::to_owned), at: Some(compose(start)) }
}

fn with_arguments(arguments: Vec<Argument>) -> Inputs {
    Inputs { arguments, ..Inputs::default() }
}

fn context(name: &str, source: &str) -> Inputs {
    let context = Context { name: name.to_owned(), source: source.to_owned(), at: Some(compose(7)) };
    Inputs { contexts: vec![context], ..Inputs::default() }
}

/// The targets of each use, in words.
fn targets(extracted: &Extracted) -> Vec<Vec<String>> {
    let word = |target: &Target| match target {
        Target::Image(image) => image.to_string(),
        Target::Partial(partial) => format!("partial {}", partial.name),
        Target::Unresolved { reason } => format!("unresolved: {reason}"),
        Target::Invalid { text, .. } => format!("invalid {text}"),
    };
    extracted.uses.iter().map(|usage| usage.targets.iter().map(word).collect()).collect()
}

/// extraction.md, "Decisions", 2; convert.go, buildMetaArgs.
#[test]
fn a_build_argument_adds_a_member() {
    let text = "ARG BASE=alpine\nARG I=$BASE:3\nFROM $I\n";
    let (_, extracted) = given(text, &[with_arguments(vec![argument("BASE", Some("evil.io/x"), 40)])]);
    assert_eq!(targets(&extracted), [["docker.io/library/alpine:3", "evil.io/x:3"]]);
    let usage = &extracted.uses[0];
    let via: Vec<(&str, usize, &str)> =
        usage.via.iter().map(|via| (via.at.file.as_str(), via.at.span.start, via.what.as_str())).collect();
    assert_eq!(
        via,
        [
            ("Dockerfile", 9, "default of `ARG BASE`"),
            ("compose.yml", 40, "build argument `BASE`"),
            ("Dockerfile", 22, "default of `ARG I`"),
        ]
    );
    // The file's own default decides first.
    assert_eq!(usage.decided_at.file.as_str(), "Dockerfile");
}

/// Two builds of a matrix give it in one line.
#[test]
fn a_place_is_told_once() {
    let with = |value| with_arguments(vec![argument("BASE", Some(value), 40)]);
    let (_, extracted) = given("ARG BASE\nFROM $BASE\n", &[with("a"), with("b")]);
    let places: Vec<&str> = extracted.uses[0].via.iter().map(|via| via.at.file.as_str()).collect();
    assert_eq!(places, ["Dockerfile", "compose.yml"]);
}

#[test]
fn an_argument_without_default_is_decided_where_it_is_given() {
    let text = "ARG BASE\nFROM $BASE\n";
    let (_, extracted) = given(text, &[with_arguments(vec![argument("BASE", Some("alpine"), 40)])]);
    assert_eq!(targets(&extracted), [["docker.io/library/alpine", "unresolved: `ARG BASE` has no default"]]);
    assert_eq!(extracted.uses[0].decided_at, compose(40));
    assert_eq!(extracted.problems, []);
}

#[test]
fn an_argument_that_is_given_and_not_known_is_open() {
    let unknown = || vec![with_arguments(vec![argument("V", None, 40)])];
    let reason = "the value of the build argument `V` is not known";
    let (_, extracted) = given("ARG V=3\nFROM r.io/a:$V\nFROM r.io/${V:-b}/c\n", &unknown());
    assert_eq!(
        targets(&extracted),
        [
            vec!["r.io/a:3".to_owned(), "partial r.io/a".to_owned()],
            vec!["r.io/3/c".to_owned(), format!("unresolved: {reason}")],
        ]
    );
    assert_eq!(extracted.uses[0].via.len(), 2);
    // One that no ARG declares feeds no FROM.
    let (_, extracted) = given("FROM r.io/${V:-b}/c\n", &unknown());
    assert_eq!(targets(&extracted), [["r.io/b/c"]]);
}

#[test]
fn every_way_to_build_a_file_counts() {
    let one = |value: &str| with_arguments(vec![argument("X", Some(value), 0)]);
    let (_, extracted) = given("ARG X=a\nFROM $X\n", &[one("b"), one("c"), one("")]);
    assert_eq!(targets(&extracted), [["docker.io/library/a", "docker.io/library/b", "docker.io/library/c"]]);
    assert_eq!(extracted.problems[0].message, "the image `$X` is blank");
    let many: Vec<Inputs> = (0..40).map(|number| one(&format!("v{number}"))).collect();
    let (_, extracted) = given("ARG X=a\nFROM $X\n", &many);
    assert_eq!(extracted.uses[0].targets.len(), 1 + crate::formats::dockerfile::inputs::MAX_BUILDS);
    assert_eq!(extracted.problems[0].code, ProblemCode::Limit);
}

/// config.go, NamedContext; dockerfile_namedcontext_test.go.
#[test]
fn rule_39_a_named_context_adds_a_member() {
    let text = "FROM busybox AS base\nFROM base\nCOPY --from=tools /a /b\n";
    let of = |name: &str, source: &str| {
        let (_, extracted) = given(text, &[context(name, source)]);
        assert_eq!(extracted.problems, []);
        targets(&extracted)
    };
    let (busybox, tools) = ("docker.io/library/busybox", "docker.io/library/tools");
    assert_eq!(of("base", "docker-image://r.io/x"), [vec![busybox, "r.io/x"], vec![tools]]);
    assert_eq!(of("busybox", "docker-image://r.io/x"), [vec![busybox, "r.io/x"], vec![tools]]);
    assert_eq!(of("tools", "docker-image://r.io/x"), [vec![busybox], vec![tools, "r.io/x"]]);
    assert_eq!(of("busybox::linux/arm64", "docker-image://r.io/x"), [vec![busybox, "r.io/x"], vec![tools]]);
    assert_eq!(of("other", "docker-image://r.io/x"), [vec![busybox], vec![tools]]);
    assert_eq!(of("base", "./folder"), [vec![busybox], vec![tools]]);
    let (_, extracted) = given(text, &[context("tools", "docker-image://r.io/x")]);
    assert_eq!(extracted.uses[1].via[0].at, compose(7));
}

#[test]
fn a_given_target_is_shipped_too() {
    let text = "FROM a AS one\nFROM b AS two\nFROM c\n";
    let inputs = Inputs { target: Some("ONE".to_owned()), ..Inputs::default() };
    let (_, extracted) = given(text, &[inputs]);
    let read: Vec<(Role, bool)> = extracted.uses.iter().map(|usage| (usage.role, usage.reachable)).collect();
    assert_eq!(read, [(Role::FinalStage, true), (Role::BuildStage, false), (Role::FinalStage, true)]);
}

#[test]
fn given_platforms_add_members() {
    let platforms = |names: &[&str]| Inputs {
        platforms: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Inputs::default()
    };
    let (_, extracted) = given(
        "FROM r.io/a:${TARGETOS}-${TARGETARCH}${TARGETVARIANT}\n",
        &[platforms(&["linux/arm/v7", "Linux/s390x", "local"])],
    );
    assert_eq!(
        targets(&extracted),
        [["r.io/a:linux-amd64", "r.io/a:linux-arm64", "r.io/a:linux-armv7", "r.io/a:linux-s390x"]]
    );
    assert_eq!(extracted.problems, []);
}

/// A platform that is not evaluated is told where a file depends on it.
#[test]
fn platforms_that_are_not_evaluated_are_problems() {
    let build = |names: Vec<String>| [Inputs { platforms: names, ..Inputs::default() }];
    let numbered = |count: usize| (0..count).map(|number| format!("linux/a{number}")).collect::<Vec<_>>();
    let (most, text) = (crate::formats::dockerfile::inputs::MAX_PLATFORMS, "FROM r.io/a:$TARGETARCH\n");
    let (_, extracted) = given(text, &build(numbered(most)));
    assert_eq!((extracted.uses[0].targets.len(), extracted.problems), (2 + most, Vec::new()));
    let (_, extracted) = given(text, &build(numbered(most + 1)));
    assert_eq!(extracted.uses[0].targets.len(), 2 + most);
    assert_eq!(extracted.problems[0].code, ProblemCode::Limit);
    // One that stands twice is one.
    let twice = [numbered(most), numbered(most)].concat();
    assert_eq!(given(text, &build(twice)).1.problems, []);
    let (_, extracted) = given(text, &build(vec!["$PLATFORM".to_owned()]));
    assert_eq!(extracted.problems[0].message, "the platform `$PLATFORM` is not known: write it as `os/arch`");
    // What no reference looks at hides nothing.
    let apart = "FROM --platform=$BUILDPLATFORM r.io/a\n";
    for names in [numbered(most + 1), vec!["$PLATFORM".to_owned()]] {
        assert_eq!(given(apart, &build(names)).1.problems, []);
    }
}

/// build.go, keySyntaxArg.
#[test]
fn a_given_frontend_is_judged_too() {
    let given_syntax = [with_arguments(vec![argument("BUILDKIT_SYNTAX", Some("evil/fe x"), 40)])];
    let (_, extracted) = given("# syntax=docker/dockerfile:1\nFROM a\n", &given_syntax);
    assert_eq!(
        targets(&extracted),
        [vec!["docker.io/docker/dockerfile:1", "docker.io/evil/fe"], vec!["docker.io/library/a"]]
    );
    assert_eq!(extracted.problems[0].code, ProblemCode::ForeignFrontend);
    let (_, extracted) = given("FROM a\n", &given_syntax);
    assert_eq!(targets(&extracted), [["docker.io/evil/fe"], ["docker.io/library/a"]]);
    assert_eq!(extracted.uses[0].decided_at, compose(40));
    // Whatever the text is, that frontend reads it.
    let file = SourceFile::new(RepoPath::new("dockerfile.go"), "package x\n");
    assert!(!extract_with(&file, &given_syntax).is_foreign);
}
