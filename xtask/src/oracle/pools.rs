//! What made-up Dockerfiles and references are made of.

/// Names of arguments.
pub(crate) const NAMES: &[&str] = &["A", "B", "C", "REG", "TAG", "IMG", "BASE_1", "v", "_x"];
/// Names that nothing declares.
pub(crate) const UNSET: &[&str] = &["NONE", "UNSET", "Z9"];
/// Names that BuildKit declares.
pub(crate) const PLATFORM_NAMES: &[&str] =
    &["TARGETARCH", "TARGETOS", "TARGETVARIANT", "TARGETPLATFORM", "BUILDARCH", "BUILDOS"];
/// References.
pub(crate) const IMAGES: &[&str] = &[
    "alpine",
    "alpine:3",
    "busybox:1.36",
    "r.io/a/b:1",
    "r.io:5000/a",
    "localhost:5000/x:y",
    "localhost/x",
    "Foo/bar:1",
    "library/x",
    "index.docker.io/x",
    "docker.io/x/y",
    "scratch",
    "a__b/c",
    "x:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "mcr.example.com/dotnet/sdk:8.0",
    "0",
];
/// Texts that are no references.
pub(crate) const BROKEN_IMAGES: &[&str] =
    &["Alpine", "a//b", "x:", ":1", "r.io/A/b", "-x", "a b", "x@sha256:12", "@", "9"];
/// For values, so that most expansions are references.
pub(crate) const VALUES: &[&str] = &[
    "alpine", "3", "1.2", "x-y", "ab", "aab", "base", "a.b", "a-b-c", "x/y", "s0", "s1", "latest", "alpine3",
];
/// Registries, with and without a path.
pub(crate) const HOSTS: &[&str] = &["r.io", "r.io:5000", "localhost", "docker.io/library", "ghcr.io/o"];
/// Pieces of words.
pub(crate) const WORDS: &[&str] =
    &["a", "b", "alpine", "3", "1.2", "x-y", "ab", "aab", "base", "r.io/a", "a:b", ""];
/// Names of stages.
pub(crate) const STAGES: &[&str] =
    &["base", "build", "Base", "BUILD", "alpine", "x-1", "a.b", "scratch", "final", "s0", "busybox"];
/// Pieces of patterns.
pub(crate) const PATTERNS: &[&str] = &[
    "a", "*", "?", "a*", "*a", ":*", "*:", "*/", "/*", "[ab]", "b?", ".", "\\*", "\\/", "**", "+", "a?b", "x",
];
/// Values of `--platform`; the first four are sound.
pub(crate) const PLATFORMS: &[&str] = &[
    "$BUILDPLATFORM",
    "${TARGETPLATFORM}",
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "\"linux/amd64\"",
    "$A",
    "",
    "linux",
    "nonsense/x/y/z",
];
/// Lines that are directives, or nearly.
pub(crate) const DIRECTIVES: &[&str] = &[
    "# syntax=docker/dockerfile:1",
    "#syntax=docker/dockerfile:1.7-labs",
    "# syntax = docker/dockerfile",
    "# Syntax=docker/dockerfile:1 extra words",
    "# check=skip=all",
    "# check=error=true",
    "# escape=\\",
    "# escape=`",
    "#escape = `",
    "# ESCAPE=`",
    "# syntax=docker/dockerfile:1.2",
    "# escape=x",
    "# unknown=1",
    " # syntax=evil/one",
    "// syntax=docker/dockerfile:1",
    "#!/usr/bin/env x",
    "# a comment",
    "#",
    "",
    "# syntax=docker.io/docker/dockerfile:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "# syntax=evil/fe",
    "#\tsyntax\t=\tdocker/dockerfile:1\t",
];
/// Lines for a frontend, or none.
pub(crate) const SYNTAXES: &[&str] = &[
    "",
    "# syntax=docker/dockerfile:1",
    "#syntax=docker/dockerfile:1.7-labs",
    "# SYNTAX = docker/dockerfile",
    "# syntax=docker/dockerfile:1.4 words",
];
/// Lines for an escape, or none.
pub(crate) const ESCAPES: &[&str] = &["", "# escape=`", "#escape = `", "# Escape=`", "# escape=\\"];
/// Lines in a heredoc.
pub(crate) const HEREDOC_LINES: &[&str] = &[
    "FROM evil",
    "from os import path",
    "COPY --from=evil / /",
    "RUN --mount=from=evil,target=/x true",
    "echo hi",
    "",
    "# comment",
    "EOF ",
    " EOF",
    "\tEOF",
    "line \\",
    "$A ${B}",
    "\tindented",
];
/// What references are damaged with.
pub(crate) const REFERENCE_CHARACTERS: &[&str] = &[
    "a",
    "A",
    "0",
    "f",
    ".",
    ":",
    "/",
    "@",
    "-",
    "_",
    "[",
    "]",
    "%",
    "+",
    " ",
    "é",
    "É",
    "\n",
    "localhost",
    "sha256:",
];
/// What Dockerfiles are damaged with.
pub(crate) const SPECIAL: &[&str] = &[
    "\\",
    "\\\n",
    "\n",
    "\r\n",
    " ",
    "\t",
    "#",
    "\"",
    "'",
    "$",
    "${",
    "}",
    "<<",
    "<<EOF",
    "EOF\n",
    ":",
    "@",
    "/",
    "=",
    ",",
    "--",
    "--from=",
    "FROM ",
    "\nFROM a",
    " AS b",
    "`",
    "\u{a0}",
    "\u{feff}",
    "\u{2028}",
    "é",
    "\u{b}",
    "\u{c}",
    "\u{85}",
    "-",
    "*",
    "%",
    "[",
    "]",
    "ONBUILD ",
    "COPY --from=x a b\n",
    "\n\n",
    "\\ \n",
    "$A",
    "${A:-b}",
];
