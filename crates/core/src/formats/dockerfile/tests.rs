//! One test for each rule of "Dockerfile semantics that most tools get wrong",
//! named by what BuildKit does, with the place in BuildKit that decides it.
//!
//! Under each line stand carets below every reference, then its role (nothing
//! for a shipped `FROM`), what it is, and `<-` the texts it was put together
//! from, the deciding one with `*`; `# error:` is a problem on the line above.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod inline;
mod inputs;

use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::image::ImageUse;
use crate::image::Role;
use crate::image::Stage;

fn read(text: &str) -> (SourceFile, Extracted) {
    let file = SourceFile::new(RepoPath::new("Dockerfile"), text);
    let extracted = extract_with(&file, &[]);
    (file, extracted)
}

/// Compares what is found with the carets in `text`, which are taken out first.
#[track_caller]
fn check(text: &str) {
    check_lines(text, "\n");
}

#[track_caller]
fn check_lines(text: &str, newline: &str) {
    let text = text.strip_prefix('\n').unwrap_or(text);
    let is_expectation = |line: &&str| {
        let body = line.strip_prefix('#').unwrap_or("");
        body.trim_start().starts_with('^')
            || [" error: ", " limit: ", " foreign: "].iter().any(|word| body.starts_with(word))
    };
    let source: Vec<&str> = text.lines().filter(|line| !is_expectation(line)).collect();
    let source = source.join(newline) + newline;
    let (file, extracted) = read(&source);
    assert_eq!(annotated(&file, &extracted), text.trim_end_matches('\n').to_owned() + "\n");
}

fn annotated(file: &SourceFile, extracted: &Extracted) -> String {
    let mut out = String::new();
    let mut line = 1;
    while let Some(text) = file.line(line) {
        if text.is_empty() && file.line(line + 1).is_none() {
            break;
        }
        writeln!(out, "{text}").unwrap();
        for usage in &extracted.uses {
            let (start, end) = (file.position(usage.span.start), file.position(usage.span.end));
            if start.line_1based != line {
                continue;
            }
            let last = if end.line_1based == line { end.column_1based } else { text.chars().count() + 1 };
            let carets = "^".repeat(last - start.column_1based);
            let indent = " ".repeat(start.column_1based - 2);
            writeln!(out, "#{indent}{carets} {}", described(file, usage)).unwrap();
        }
        for problem in &extracted.problems {
            if file.position(problem.at.span.start).line_1based == line {
                let word = match problem.code {
                    ProblemCode::Limit => "limit",
                    ProblemCode::ForeignFrontend => "foreign",
                    _ => "error",
                };
                writeln!(out, "# {word}: {}", problem.message).unwrap();
            }
        }
        line += 1;
    }
    out
}

fn described(file: &SourceFile, usage: &ImageUse) -> String {
    let role = match usage.role {
        Role::FinalStage => String::new(),
        other => format!("{} ", other.as_str()),
    };
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
    let mut text = role + &targets.join(" | ");
    if !usage.reachable {
        text.push_str(", unreachable");
    }
    for via in &usage.via {
        let mark = if via.at == usage.decided_at { "*" } else { "" };
        write!(text, " <- {}{mark}", file.slice(via.at.span)).unwrap();
    }
    text
}

/// convert.go, addState: the base is looked up before the name is registered.
#[test]
fn rule_01_a_stage_is_not_its_own_base() {
    check(
        "
FROM alpine AS alpine
#    ^^^^^^ docker.io/library/alpine
",
    );
}

/// dockerfile_multistage_test.go, testMultiStageImplicitFrom.
#[test]
fn rule_02_a_later_from_finds_the_stage() {
    check(
        "
FROM golang:1 AS golang
#    ^^^^^^^^ docker.io/library/golang:1
FROM golang
",
    );
}

/// dockerfile_multistage_test.go, testOutOfOrderStage.
#[test]
fn rule_03_a_stage_that_comes_later_is_an_error_not_an_image() {
    check(
        "
FROM busybox
#    ^^^^^^^ build-stage docker.io/library/busybox, unreachable
COPY --from=later /a /b
# error: the stage is defined only after this; move it before
FROM alpine AS later
#    ^^^^^^ docker.io/library/alpine
COPY --from=later /a /b
# error: a stage cannot copy from itself
",
    );
}

/// dockerfile_multistage_test.go, testMultiStageCaseInsensitive.
#[test]
fn rule_04_copy_finds_stages_in_any_case() {
    check(
        "
FROM golang AS Build
#    ^^^^^^ build-stage docker.io/library/golang
FROM scratch
COPY --from=bUILD /a /b
",
    );
}

/// convert.go: addState compares as written, findStateByName in lower case.
#[test]
fn rule_05_from_finds_stages_only_as_they_are_kept() {
    check(
        "
FROM alpine AS Base
#    ^^^^^^ build-stage docker.io/library/alpine, unreachable
FROM Base
#    ^^^^ invalid \"Base\"
",
    );
}

/// Found by comparing with BuildKit: the image of an unreachable stage's `COPY`
/// is pulled when a reachable stage names it by its index.
#[test]
fn an_index_makes_an_image_reachable() {
    check(
        "
FROM x/3 AS one
#    ^^^ build-stage docker.io/x/3, unreachable
COPY --from=alpine /a /b
#           ^^^^^^ copy-from docker.io/library/alpine
COPY --from=busybox /a /b
#           ^^^^^^^ copy-from docker.io/library/busybox, unreachable
FROM y/4
#    ^^^ docker.io/y/4
COPY --from=2 /a /b
",
    );
}

/// Found by comparing with BuildKit: circles are looked for before triggers run.
#[test]
fn a_trigger_may_read_the_stage_it_runs_in() {
    check(
        "
FROM alpine AS base
#    ^^^^^^ docker.io/library/alpine
ONBUILD COPY --from=self /a /b
#                   ^^^^ onbuild docker.io/library/self
FROM base AS self
",
    );
}

/// Found by comparing with BuildKit: a trigger is taken apart where it stands.
#[test]
fn a_broken_trigger_is_an_error_here() {
    check(
        "
FROM scratch
ONBUILD COPY [\"a\", 1]
# error: a JSON array of arguments may hold only texts
ONBUILD COPY --from=$X /a /b
ONBUILD FROM x
# error: FROM is not allowed as an ONBUILD trigger
",
    );
}

/// convert_runmount.go; renovate#37534.
#[test]
fn rule_06_every_mount_counts() {
    check(
        "
FROM scratch
RUN --mount=type=bind,from=a:1,target=/a --mount=from=ghcr.io/b/c:2,target=/b make
#                          ^^^ mount-from docker.io/library/a:1
#                                                     ^^^^^^^^^^^^^ mount-from ghcr.io/b/c:2
",
    );
}

/// convert_runmount.go: only COPY, in toCommand, takes numbers as indexes.
#[test]
fn rule_07_a_number_is_an_image_to_a_mount() {
    check(
        "
FROM alpine
#    ^^^^^^ build-stage docker.io/library/alpine, unreachable
FROM busybox
#    ^^^^^^^ docker.io/library/busybox
RUN --mount=from=0,target=/a make
#                ^ mount-from docker.io/library/0
",
    );
}

/// convert.go, findStateByIndex.
#[test]
fn rule_08_an_index_without_a_stage_is_an_error() {
    check(
        "
FROM alpine
#    ^^^^^^ docker.io/library/alpine
COPY --from=9 /a /b
# error: there is no stage with the index 9
COPY --from=-1 /a /b
# error: there is no stage with the index -1
",
    );
}

/// convert.go: images that commands read are appended to the states.
#[test]
fn rule_08_an_index_may_reach_an_image_that_was_read_before() {
    check(
        "
FROM alpine
#    ^^^^^^ docker.io/library/alpine
COPY --from=busybox /a /b
#           ^^^^^^^ copy-from docker.io/library/busybox
COPY --from=1 /a /c
",
    );
}

/// dockerfile_args_test.go, testDockerfileCopyFromArgs; dockerfile_mount_test.go, testMountFromError.
#[test]
fn rule_09_variables_in_sources_are_errors() {
    check(
        "
ARG X=alpine
FROM alpine
#    ^^^^^^ docker.io/library/alpine
ARG X
COPY --from=$X /a /b
# error: `COPY --from=` takes no variables; name a stage with `FROM … AS` and copy from that
RUN --mount=from=${X},target=/a make
# error: `from` of a mount takes no variables; name a stage with `FROM … AS` and mount from that
",
    );
}

/// parser_heredoc_test.go.
#[test]
fn rule_10_heredoc_text_is_no_instruction() {
    check(
        "
FROM python:3
#    ^^^^^^^^ docker.io/library/python:3
RUN python3 <<EOF
from os import path
FROM evil
EOF
RUN --mount=from=real:1 true
#                ^^^^^^ mount-from docker.io/library/real:1
",
    );
}

/// parser_heredoc_test.go: quoted names, and `<<-` with tabs.
#[test]
fn rule_11_chomped_and_quoted_heredocs() {
    check(
        "
FROM alpine:3
#    ^^^^^^^^ docker.io/library/alpine:3
COPY <<-'EOF' /Dockerfile
\tFROM evil
\t\tEOF
COPY <<\"A B\" <<C /x/
FROM evil
A B
FROM worse
C
",
    );
}

/// parser.go, reHeredoc; lex.go, processPossibleHeredoc.
#[test]
fn rule_12_a_space_may_stand_before_the_heredoc_name() {
    check(
        "
FROM alpine:3
#    ^^^^^^^^ docker.io/library/alpine:3
RUN cat <<  EOF
FROM evil
EOF
ONBUILD RUN <<EOF
FROM evil
EOF
",
    );
}

/// parser_heredoc_test.go: what looks like a heredoc and is none.
#[test]
fn rule_12_other_uses_of_less_than_are_no_heredocs() {
    check(
        "
FROM alpine:3 AS a
#    ^^^^^^^^ build-stage docker.io/library/alpine:3, unreachable
RUN echo $((1<<2))
RUN cat <<<\"x\"
RUN [\"sh\", \"-c\", \"cat <<EOF\"]
RUN echo \"<<EOF\"
RUN cat <<- EOF
CMD cat <<EOF
FROM busybox:1
#    ^^^^^^^^^ docker.io/library/busybox:1
",
    );
}

/// shell/lex.go, processDoubleQuote.
#[test]
fn rule_13_quotes_are_no_part_of_a_reference() {
    check(
        "
FROM \"alpine:3\"
#     ^^^^^^^^ build-stage docker.io/library/alpine:3, unreachable
FROM al'pi'ne:3
#    ^^^^^^^^^^ docker.io/library/alpine:3
",
    );
}

/// shell/envVarTest: nothing is expanded in single quotes.
#[test]
fn rule_14_single_quotes_keep_the_dollar() {
    check(
        "
ARG X=alpine
FROM '$X'
#     ^^ invalid \"$X\"
",
    );
}

/// shell/envVarTest.
#[test]
fn rule_15_defaults_in_expansions() {
    check(
        "
ARG A
ARG B
FROM ${A:-${B:-alpine:3}} AS a
#    ^^^^^^^^^^^^^^^^^^^^ build-stage docker.io/library/alpine:3, unreachable
FROM ${A-alpine:3}
#    ^^^^^^^^^^^^^ docker.io/library/alpine:3
",
    );
}

/// shell/envVarTest.
#[test]
fn rule_16_alternatives_in_expansions() {
    check(
        "
ARG R=r.io
FROM ${R:+${R}/}alpine:3
#    ^^^^^^^^^^^^^^^^^^^ r.io/alpine:3 <- r.io*
",
    );
    check(
        "
ARG R=
FROM ${R:+${R}/}alpine:3
#    ^^^^^^^^^^^^^^^^^^^ docker.io/library/alpine:3 <- 
",
    );
}

/// lex.go, trimSuffix, trimPrefix, convertShellPatternToRegex.
#[test]
fn rule_17_patterns_in_expansions() {
    check(
        "
ARG I=r.io/alpine:3.19:x
FROM ${I%:*} AS a
#    ^^^^^^^ build-stage r.io/alpine:3.19, unreachable <- r.io/alpine:3.19:x*
FROM ${I%%:*}:4 AS b
#    ^^^^^^^^^^ build-stage r.io/alpine:4, unreachable <- r.io/alpine:3.19:x*
FROM ${I##*/} AS c
#    ^^^^^^^^ build-stage invalid \"alpine:3.19:x\", unreachable <- r.io/alpine:3.19:x*
FROM ${I/alpine:*/busybox} AS d
#    ^^^^^^^^^^^^^^^^^^^^^ build-stage r.io/busybox, unreachable <- r.io/alpine:3.19:x*
FROM ${I//[:.]*/} AS e
#    ^^^^^^^^^^^^ build-stage invalid \"r.io/alpine:3.19:x\", unreachable <- r.io/alpine:3.19:x*
FROM ${I/r.io\\//}
#    ^^^^^^^^^^^^ invalid \"alpine:3.19:x\" <- r.io/alpine:3.19:x*
",
    );
}

/// dockerfile_args_test.go, testMultiArgs.
#[test]
fn rule_18_one_arg_may_hold_many() {
    check(
        "
ARG A=x B=alpine:3
FROM $B
#    ^^ docker.io/library/alpine:3 <- alpine:3*
",
    );
}

/// dockerfile_args_test.go, testQuotedMetaArgs.
#[test]
fn rule_19_defaults_see_the_ones_before_them() {
    check(
        "
ARG V=3
ARG I=\"alpine:${V}\"
FROM $I
#    ^^ docker.io/library/alpine:3 <- 3 <- alpine:${V}*
",
    );
    check(
        "
ARG A=alpine:3
ARG B=$A
FROM $B
#    ^^ docker.io/library/alpine:3 <- alpine:3* <- $A
",
    );
}

/// convert.go, buildMetaArgs.
#[test]
fn rule_20_a_bare_arg_keeps_the_value() {
    check(
        "
ARG X=alpine:3
ARG X
FROM $X
#    ^^ docker.io/library/alpine:3 <- alpine:3*
",
    );
}

/// instructions/parse.go, Parse: only ARGs before the first FROM are global.
#[test]
fn rule_21_an_arg_behind_from_feeds_no_from() {
    check(
        "
FROM scratch
ARG I=alpine
FROM $I
# error: the image `$I` is blank: `ARG I` stands behind a FROM, where no FROM sees it; move it before the first FROM
",
    );
    check(
        "
ARG I=alpine:3
FROM scratch
ARG I=busybox
FROM $I
#    ^^ docker.io/library/alpine:3 <- alpine:3*
",
    );
}

/// convert.go, buildDispatchStates: FROM sees globalArgs only.
#[test]
fn rule_22_env_never_feeds_from() {
    check(
        "
FROM scratch
ENV I=alpine
FROM $I
# error: the image `$I` is blank: no `ARG I` stands before the first FROM
",
    );
}

/// dockerfile_args_test.go, testInvalidDefaultArgInFrom; "Decisions", 7.
#[test]
fn rule_23_an_arg_without_default_is_not_expanded_to_nothing() {
    check(
        "
ARG TAG
FROM alpine:$TAG AS a
#    ^^^^^^^^^^^ build-stage unresolved docker.io/library/alpine (`ARG TAG` has no default), unreachable <- TAG
FROM ghcr.io/acme/app:1.${TAG} AS b
#    ^^^^^^^^^^^^^^^^^^^^^^^^^ build-stage partial ghcr.io/acme/app (`ARG TAG` has no default), unreachable <- TAG
FROM a/b:1@sha256:$TAG AS c
#    ^^^^^^^^^^^^^^^^^ build-stage partial docker.io/a/b:1 (`ARG TAG` has no default), unreachable <- TAG
FROM ghcr.io/acme/$TAG AS d
#    ^^^^^^^^^^^^^^^^^ build-stage unresolved (`ARG TAG` has no default), unreachable <- TAG
FROM localhost:$TAG/app:1
#    ^^^^^^^^^^^^^^^^^^^^ unresolved (`ARG TAG` has no default) <- TAG
",
    );
}

/// platform.go, defaultArgs.
#[test]
fn rule_24_platform_arguments_are_value_sets() {
    check(
        "
FROM a AS base-amd64
#    ^ build-stage docker.io/library/a
FROM b AS base-arm64
#    ^ build-stage docker.io/library/b
FROM base-${TARGETARCH} AS x
FROM ${TARGETARCH}/alpine AS y
#    ^^^^^^^^^^^^^^^^^^^^ build-stage docker.io/amd64/alpine | docker.io/arm64/alpine, unreachable
FROM r.io/$TARGETSTAGE:$BUILDARCH AS last
#    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ r.io/last:amd64 | r.io/last:arm64
COPY --from=x /a /b
",
    );
}

/// directives.go: directives stand in any order.
#[test]
fn rule_25_syntax_after_another_directive() {
    check(
        "
# check=skip=all
# syntax=evil/fe
#        ^^^^^^^ frontend docker.io/evil/fe
# foreign: the frontend evil/fe reads this file in its own way, so the images in it are not known; use docker/dockerfile
FROM alpine
",
    );
}

/// directives_test.go, TestDetectSyntax.
#[test]
fn rule_26_every_form_of_a_frontend() {
    check(
        "
//syntax=x and more
#        ^ frontend docker.io/library/x
# foreign: the frontend x reads this file in its own way, so the images in it are not known; use docker/dockerfile
",
    );
    check(
        "
{\"syntax\":\"x\"}
#          ^ frontend docker.io/library/x
# foreign: the frontend x reads this file in its own way, so the images in it are not known; use docker/dockerfile
",
    );
    check(
        "
#!/usr/bin/env dockerfile
# syntax=docker/dockerfile:1
#        ^^^^^^^^^^^^^^^^^^^ frontend docker.io/docker/dockerfile:1
FROM alpine
#    ^^^^^^ docker.io/library/alpine
",
    );
    check(
        "
# just a comment
# syntax=x
FROM alpine
#    ^^^^^^ docker.io/library/alpine
",
    );
}

/// directives.go, ParseLine: CutPrefix, without trimming.
#[test]
fn rule_27_an_indented_syntax_is_a_comment() {
    check(
        "
 # syntax=x
FROM alpine
#    ^^^^^^ docker.io/library/alpine
",
    );
}

/// parser/testfiles, escape-with-syntax.
#[test]
fn rule_28_the_escape_directive() {
    check(
        "
# escape=`
FROM a`
#    ^^ build-stage docker.io/library/alpine, unreachable
lpine
RUN dir c:\\
FROM b AS b
#    ^ docker.io/library/b
",
    );
}

/// parser.go, Parse.
#[test]
fn rule_29_comments_and_blank_lines_inside_an_instruction() {
    check(
        "
FROM \\
# a comment

  \\
  # another
    alpine:3 \\
#   ^^^^^^^^ docker.io/library/alpine:3
  AS x
FROM x
",
    );
}

/// instructions/parse.go, parseBuildStageName.
#[test]
fn rule_30_no_comment_behind_from() {
    check(
        "
FROM alpine:3 # pinned
# error: FROM takes an image, or an image, `AS` and a name; a comment cannot stand behind an instruction
RUN --mount=from=x true
#                ^ mount-from docker.io/library/x
",
    );
}

/// convert.go, addState, emptyImageName.
#[test]
fn rule_31_scratch_is_no_image() {
    check(
        "
FROM alpine AS scratch
#    ^^^^^^ docker.io/library/alpine
FROM scratch
",
    );
    check(
        "
FROM scratch
COPY --from=scratch /a /b
RUN --mount=type=cache,from=scratch,target=/a true
",
    );
}

/// split_command.go, extractBuilderFlags.
#[test]
fn rule_32_quotes_in_flags() {
    check(
        "
FROM scratch
COPY --from=\"x\" /a /b
#            ^ copy-from docker.io/library/x
COPY \"--from=y\" /a /b
COPY --fr'om=z:1' /a /b
#            ^^^ copy-from docker.io/library/z:1
",
    );
}

/// split_command.go, extractBuilderFlags.
#[test]
fn rule_33_other_flags_before_from() {
    check(
        "
FROM scratch
COPY --chown=${U}:${G} --from=x /a /b
#                             ^ copy-from docker.io/library/x
COPY --exclude=*.md --exclude=b --link --from=y:2 /a /b
#                                             ^^^ copy-from docker.io/library/y:2
ADD --from=z /a /b
# error: unknown flag `--from`
",
    );
}

/// commands_runmount.go, parseMount; go-csvvalue.
#[test]
fn rule_34_mount_options() {
    check(
        "
FROM scratch
RUN --mount=TYPE=bind,FROM=a true
#                          ^ mount-from docker.io/library/a
RUN --mount=\"type=bind,from=b\" true
#                           ^ mount-from docker.io/library/b
RUN --mount=type=cache,from=c,target=/c true
#                           ^ mount-from docker.io/library/c
RUN --mount='type=bind,\"from=d:1\"' true
#                            ^^^ mount-from docker.io/library/d:1
RUN --mount=type=bind,from=e,from=f true
#                                 ^ mount-from docker.io/library/f
",
    );
}

/// split_command.go: only leading words are flags.
#[test]
fn rule_35_what_is_no_flag() {
    check(
        "
FROM scratch
RUN echo --mount=from=x
RUN -- --mount=from=x
",
    );
}

/// convert.go, initOnBuildTriggers; dockerfile_onbuild_test.go, testOnBuildInheritedStageWithFrom.
#[test]
fn rule_36_triggers_are_deferred_sources() {
    check(
        "
FROM alpine
#    ^^^^^^ docker.io/library/alpine
ONBUILD COPY --from=x /a /b
#                   ^ onbuild docker.io/library/x
ONBUILD RUN --mount=from=y:1,target=/a make
#                        ^^^ onbuild docker.io/library/y:1
ONBUILD COPY --from=0 /a /b
",
    );
    check(
        "
FROM alpine AS tools
#    ^^^^^^ build-stage docker.io/library/alpine
FROM busybox AS base
#    ^^^^^^^ docker.io/library/busybox
ONBUILD COPY --from=tools /a /b
#                   ^^^^^ onbuild docker.io/library/tools
ONBUILD COPY --from=Tools /a /b
FROM base
",
    );
}

/// convert.go, findStateByName.
#[test]
fn rule_37_a_tag_makes_it_an_image() {
    check(
        "
FROM alpine AS base
#    ^^^^^^ build-stage docker.io/library/alpine, unreachable
FROM scratch
COPY --from=base:latest /a /b
#           ^^^^^^^^^^^ copy-from docker.io/library/base:latest
",
    );
}

/// dockerfile_multistage_test.go, testDuplicateStageName.
#[test]
fn rule_38_the_last_of_two_stages_of_a_name_counts() {
    check(
        "
FROM a AS x
#    ^ build-stage docker.io/library/a, unreachable
FROM b AS x
#    ^ docker.io/library/b
FROM x
",
    );
}

/// dockerui/config.go, NamedContext: contexts come from the command line, the
/// file's own reference stays a use.
#[test]
fn rule_39_without_named_contexts_the_file_decides() {
    check(
        "
FROM alpine:latest AS base
#    ^^^^^^^^^^^^^ docker.io/library/alpine:latest
",
    );
}

/// convert.go, allReachableStages.
#[test]
fn rule_40_unreachable_stages_are_told_and_flagged() {
    check(
        "
FROM a AS one
#    ^ build-stage docker.io/library/a, unreachable
COPY --from=b /x /x
#           ^ copy-from docker.io/library/b, unreachable
FROM c AS two
#    ^ build-stage docker.io/library/c
FROM d
#    ^ docker.io/library/d
RUN --mount=from=two,target=/a true
",
    );
}

/// parser.go: the text of a reference may go on over lines.
#[test]
fn spans_hold_what_the_reference_is_made_of() {
    let (file, extracted) = read("FROM alp\\\n# no\nine:\\\r\n3 AS x\nFROM x\n");
    let usage = &extracted.uses[0];
    assert_eq!(usage.raw, "alp\\\n# no\nine:\\\r\n3");
    assert_eq!(usage.raw, file.slice(usage.span));
    assert_eq!(usage.targets, [Target::parse("alpine:3")]);
}

/// parser.go: newlines of both kinds, and a byte order mark.
#[test]
fn carriage_returns_and_byte_order_marks() {
    check_lines(
        "
ARG V=3
FROM alpine:$V \\
#    ^^^^^^^^^ docker.io/library/alpine:3 <- 3
  AS x
RUN <<EOF
FROM evil
EOF
FROM x
",
        "\r\n",
    );
    let (_, extracted) = read("\u{feff}FROM alpine:3\n");
    assert_eq!(extracted.uses[0].span, Span::new(8, 16));
}

/// policy.md, `stages: final`: the last stage, what it is built from, and what
/// those copy and mount.
#[test]
fn what_is_shipped() {
    let (_, extracted) = read(
        "FROM a AS base\nCOPY --from=b / /\nFROM c AS tools\nRUN --mount=from=d true\nFROM base\nCOPY --from=tools / /\n",
    );
    let shipped: Vec<(&str, Stage)> =
        extracted.uses.iter().map(|usage| (usage.raw.as_str(), usage.stage)).collect();
    assert_eq!(shipped, [("a", Stage::Final), ("b", Stage::Final), ("c", Stage::Build), ("d", Stage::Build)]);
}

/// extraction.md, "Decisions", 7.
#[test]
fn template_markers_are_unresolved() {
    check(
        "
{{ def foo }}
# error: a template's own lines are not evaluated: what they put into the Dockerfile is not seen
{{ if bar -}}
FROM alpine:{{ .version }} AS a
#    ^^^^^^^^^^^^^^^^^^^^^ build-stage unresolved (`alpine:{{ .version }}` holds a template's marker, which is filled in before the build), unreachable
FROM @BASE@
#    ^^^^^^ unresolved (`@BASE@` holds a template's marker, which is filled in before the build)
COPY --from=%%IMG%% /a /b
#           ^^^^^^^ copy-from unresolved (`%%IMG%%` holds a template's marker, which is filled in before the build)
",
    );
}

/// extraction.md, "Decisions", 5.
#[test]
fn an_older_frontend_knows_no_heredocs() {
    check(
        "
# syntax=docker/dockerfile:1.3
#        ^^^^^^^^^^^^^^^^^^^^^ frontend docker.io/docker/dockerfile:1.3
FROM alpine:3
#    ^^^^^^^^ build-stage docker.io/library/alpine:3, unreachable
RUN cat <<EOF
FROM evil:1
#    ^^^^^^ docker.io/library/evil:1
not an instruction
EOF
COPY --from=x /a /b
#           ^ copy-from docker.io/library/x
",
    );
}

/// An unknown base may be any stage that fits, so none of those is unreachable.
#[test]
fn an_unknown_base_reaches_what_it_may_be() {
    check(
        "
ARG KIND
FROM a AS base-a
#    ^ docker.io/library/a
FROM b AS base-b
#    ^ docker.io/library/b
FROM c AS other
#    ^ build-stage docker.io/library/c, unreachable
FROM base-$KIND
#    ^^^^^^^^^^ unresolved (`ARG KIND` has no default) <- KIND
",
    );
}

/// Limits that BuildKit does not have.
#[test]
fn growth_and_nesting_are_limits() {
    let nested = format!("FROM {}a{}\n", "${A:-".repeat(100), "}".repeat(100));
    let (_, extracted) = read(&nested);
    assert_eq!(extracted.problems[0].code, ProblemCode::Limit);
    let mut doubling = String::from("ARG A=aaaaaaaaaaaaaaaa\n");
    for _ in 0..40 {
        doubling.push_str("ARG A=$A$A\n");
    }
    let (_, extracted) = read(&(doubling + "FROM $A\n"));
    assert!(extracted.problems.iter().any(|problem| problem.code == ProblemCode::Limit));
    assert_eq!(extracted.uses.len(), 1);
}

/// However many variables stand in a reference that nothing declares, one that a
/// build could be given makes it another image than the stage.
#[test]
fn many_undeclared_variables_hide_no_open_one() {
    let undeclared: String = (0..40).map(|number| format!("$U{number}")).collect();
    for reference in [format!("alpine{undeclared}$X"), "${I%z}".to_owned(), "${I/z/$X}".to_owned()] {
        let text = format!("ARG X\nARG I=alpine$U$X\nFROM a AS alpine\nFROM {reference}\n");
        let (_, extracted) = read(&text);
        assert_eq!(extracted.uses.len(), 2, "{text}");
        assert!(matches!(extracted.uses[1].targets[..], [Target::Unresolved { .. }]), "{text}");
    }
    // Those alone expand to nothing in every build.
    let (_, extracted) = read(&format!("FROM a AS alpine\nFROM alpine{undeclared}\n"));
    assert_eq!(extracted.uses.len(), 1);
}

/// A line whose words are too much to read may open a heredoc, so what follows
/// is not known.
#[test]
fn a_line_that_is_too_much_to_split_is_a_problem() {
    let problems = |words: &str| {
        let (_, extracted) = read(&format!("FROM a\nRUN {words} <<EOF\nFROM b\nEOF\n"));
        extracted.problems.into_iter().map(|problem| problem.code).collect::<Vec<_>>()
    };
    assert!(problems(&format!("{}a{}", "${A:-".repeat(100), "}".repeat(100))).contains(&ProblemCode::Limit));
    // However long it is, a line of plain and quoted words is split.
    assert_eq!(problems(&format!("\"{}\" \\\n", "a".repeat(60_000)).repeat(3)), []);
}

/// `bufio.MaxScanTokenSize`: BuildKit scans the lines of heredocs and comments too.
#[test]
fn a_line_that_is_too_long_is_a_problem_wherever_it_stands() {
    let long = "a".repeat(70_000);
    for text in [
        format!("FROM a\nRUN {long}\n"),
        format!("# {long}\nFROM a\n"),
        format!("FROM a\nRUN <<EOF\n{long}\nEOF\n"),
    ] {
        let messages: Vec<String> =
            read(&text).1.problems.into_iter().map(|problem| problem.message).collect();
        assert_eq!(messages, ["a line is longer than 65535 bytes, which BuildKit refuses"]);
    }
}

/// What one reading costs is bounded by the file; how many there are, together.
#[test]
fn readings_are_a_limit() {
    let stages = format!("FROM r.io/x:$TARGETARCH\n{}", "FROM r.io/a\n".repeat(3000));
    let platforms = (0..super::inputs::MAX_PLATFORMS).map(|number| format!("linux/a{number}")).collect();
    let builds = vec![Inputs { platforms, ..Inputs::default() }; super::inputs::MAX_BUILDS];
    let extracted = extract_with(&SourceFile::new(RepoPath::new("Dockerfile"), stages.as_str()), &builds);
    let codes: Vec<ProblemCode> = extracted.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [ProblemCode::Limit]);
    assert_eq!((extracted.uses.len(), extracted.uses[0].targets.len()), (3001, 11));
    // A limit of expansions is told a few times only.
    let text = format!("ARG A={}\n{}", "a".repeat(60_000), "FROM $A\n".repeat(3000));
    assert_eq!(read(&text).1.problems.len(), MAX_FAULTS_OF_A_KIND);
}

fn read_as(name: &str, text: &str) -> Extracted {
    extract_with(&SourceFile::new(RepoPath::new(name), text), &[])
}

/// parse.go, Parse: a file whose first instruction is neither FROM nor ARG is
/// refused before any image is asked for. Where its name is another language's,
/// it is no Dockerfile.
#[test]
fn another_language_is_no_dockerfile() {
    let program = "//go:build linux\n// Package x\n\npackage x\n\nvar text = `\nFROM busybox\nRUN x\n`\n";
    for (name, text) in [
        ("dockerfile_test.go", program),
        ("dockerfile_test.go", "// syntax is what = is for\npackage x\n\nconst a = `\nFROM x\n`\n"),
        ("x/dockerfile-readiness.lock.yml", "# a comment\nname: x\non: push\njobs: {}\nfrom: x\n"),
        ("Dockerfile.json", "{\"FROM\": \"x\"}\n"),
        ("Dockerfile.txt", ""),
        ("Dockerfile.txt", "# FROM x\n"),
        ("dockerfile.py", "# escape=`\nfrom\u{a0}x import y\nFROM x\n"),
        ("Dockerfile.sh", "#!/bin/sh\nRUN x\nFROM x\n"),
    ] {
        let extracted = read_as(name, text);
        assert_eq!(extracted, Extracted { is_foreign: true, ..Extracted::default() }, "{name}: {text}");
    }
    // The same under a Dockerfile's own name is a broken one.
    for name in ["dockerfile_test", "Dockerfile.in", "Dockerfile"] {
        let extracted = read_as(name, program);
        assert!(!extracted.is_foreign && !extracted.problems.is_empty(), "{name}");
        assert_eq!(extracted.uses.len(), 1, "{name}");
    }
}

#[test]
fn a_dockerfile_with_another_languages_name_is_read() {
    for (name, text) in [
        ("Dockerfile.go", "FROM evil\n"),
        ("Dockerfile.go", "\u{feff}\n# a comment\n  fRoM evil\n"),
        ("Dockerfile.go", "FR\\\n# inside\nOM evil\n"),
        ("Dockerfile.go", "# escape=`\nFR`\nOM evil\n"),
        ("Dockerfile.yml", "ARG A=evil\nFROM $A\n"),
        ("Dockerfile.yml", "arg\nfrom evil\n"),
        ("Dockerfile.go", "// syntax=evil\npackage x\n"),
        ("Dockerfile.json", "{\"syntax\": \"evil\"}\n"),
        ("Dockerfile.sh", "#!/bin/sh\n# syntax=evil\necho\n"),
        ("Dockerfile.tpl", "{{ if .x }}\nFROM evil\n"),
        ("Dockerfile.png", "FROM evil\n"),
        ("dockerfiles.tar.gz", "# syntax=evil\n"),
    ] {
        let extracted = read_as(name, text);
        assert!(!extracted.is_foreign, "{name}: {text}");
        assert_eq!(extracted.uses.len(), 1, "{name}: {text}");
    }
    // BuildKit refuses these, for what stands behind their first word.
    assert_eq!(read_as("Dockerfile.go", "FROM a b\nFROM c\n").problems.len(), 1);
}

#[test]
fn a_file_of_errors_shows_some() {
    let texts = |count: usize| {
        let lines: String = (0..count).map(|number| format!("word{number} x\n")).collect();
        let messages: Vec<String> = read_as("Dockerfile", &format!("FROM a\n{lines}"))
            .problems
            .into_iter()
            .map(|problem| problem.message)
            .collect();
        (messages.len(), messages.last().cloned().unwrap_or_default())
    };
    assert_eq!(texts(20), (20, "unknown instruction `word19`".to_owned()));
    assert_eq!(
        texts(21),
        (20, "unknown instruction `word19`; 1 more error in this file not listed".to_owned())
    );
    assert_eq!(
        texts(500),
        (20, "unknown instruction `word19`; 480 more errors in this file not listed".to_owned())
    );
}

/// docker-library/php and docker-library/tomcat.
#[test]
fn a_templates_own_text_is_one_problem() {
    let text = "{{\n\tdef is_alpine:\n\t\tenv.from | x\n\t;\n-}}\nFROM {{ env.from }}\nRUN for key in \\\n{{\n\t[ \"a\",\n\t\"b\" ]\n-}}\n\t; do \\\n\tx; done\nCOPY --from=a b c\nFROM a b\n";
    for name in ["Dockerfile.template", "Dockerfile.in", "a.dockerfile.template"] {
        let extracted = read_as(name, text);
        let messages: Vec<&str> = extracted.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "a template's own lines are not evaluated: what they put into the Dockerfile is not seen",
                "FROM takes an image, or an image, `AS` and a name",
            ]
        );
        assert_eq!(extracted.uses.len(), 2);
    }
    // nodejs/docker-node: not every template has markers that are known.
    let extracted = read_as("Dockerfile.in", "FROM a\nRUN case in \\\n\"${KEYS[@]}\"\n; do \\\n;\nesac\n");
    assert_eq!(extracted.problems.len(), 1);
}

/// Found by comparing with BuildKit: a trigger that cannot run fails the build
/// of a stage that the last one does not need.
#[test]
fn a_broken_trigger_is_an_error_of_every_target() {
    check(
        "
FROM scratch AS base
ONBUILD COPY --from=$X a b
# error: `COPY --from=` takes no variables; name a stage with `FROM … AS` and copy from that
FROM base AS unused
FROM scratch
",
    );
    // Nobody can build a stage without a name that the last one does not need.
    check("\nFROM scratch AS base\nONBUILD COPY --from=$X a b\nFROM base\nFROM scratch\n");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in "\\PC*") {
        sound(&text);
    }

    #[test]
    fn any_dockerfile_like_text_is_read(parts in prop::collection::vec(
        prop::sample::select(vec![
            "FROM ", "ARG ", "COPY ", "RUN ", "ONBUILD ", "ENV ", "alpine", "A", "B", "=", "$A", "${A", "${A:-", "}", "#", "%", "/",
            "--from=", "--mount=", "type=bind,", "from=", "\"", "'", "\\", "\n", "\r\n", " ", "\t", "<<EOF", "<<-", "EOF\n",
            "# syntax=", "# escape=`\n", "`", "\u{feff}", "\u{a0}", "à", "𠠀", " AS ", "0", "{{", "}}", "@", ":", "?", "*", "+", "--", ",",
        ]), 0..40)) {
        sound(&parts.concat());
    }
}

fn sound(text: &str) {
    let (file, extracted) = read(text);
    for usage in &extracted.uses {
        assert_eq!(usage.raw, file.slice(usage.span));
        assert!(!usage.raw.is_empty() && !usage.targets.is_empty(), "{usage:?}");
    }
    for problem in &extracted.problems {
        assert!(text.get(problem.at.span.start..problem.at.span.end).is_some(), "{problem:?}");
    }
}

#[test]
fn what_a_run_commands_is_found() {
    crate::formats::tests::check(
        r#"
=== Dockerfile
FROM docker:28
#    ^^^^^^^^^ final-stage docker.io/library/docker:28
RUN apk add git && \
    # a comment
    docker pull alpine:3 \
#               ^^^^^^^^ command docker.io/library/alpine:3
    && docker run --rm busybox:1
#                      ^^^^^^^^^ command docker.io/library/busybox:1
RUN ["docker", "pull", "list:1"]
#                       ^^^^^^ command docker.io/library/list:1
RUN ["sh", "-c", "echo 'it' && docker pull inner:1"]
#                                          ^^^^^^^ command docker.io/library/inner:1
RUN [ "\u0064ocker" , "pull", "a\u003a1" ]
#                              ^^^^^^^^ command docker.io/library/a:1
RUN doc\
ker pull parts:1
#        ^^^^^^^ command docker.io/library/parts:1
RUN ["echo", "docker pull no:1"]
RUN <<EOF
docker pull a:1
#           ^^^ command docker.io/library/a:1
EOF
RUN sh <<EOF && docker pull b:1
#                           ^^^ command docker.io/library/b:1
docker pull c:1
#           ^^^ command docker.io/library/c:1
EOF
RUN <<EOF
#!/usr/bin/env python3
docker pull d:1
EOF
RUN cat <<EOF > x
docker pull e:1
EOF
ONBUILD RUN docker pull f:1
#                       ^^^ command docker.io/library/f:1
"#,
    );
}

/// A frontend before 1.4 reads the lines of a heredoc as instructions.
#[test]
fn what_a_run_commands_is_found_under_an_old_frontend() {
    let text =
        "# syntax=docker/dockerfile:1.2\nFROM scratch\nRUN docker pull a:1 <<EOF\nRUN docker pull b:1\nEOF\n";
    let (_, extracted) = read(text);
    let raws: Vec<&str> = extracted.uses.iter().map(|usage| usage.raw.as_str()).collect();
    assert_eq!(raws, ["docker/dockerfile:1.2", "a:1", "b:1"]);
}
