//! What the arguments of each tool mean: which of them are images that it pulls,
//! which it makes, and what it builds. One file per family of tools.

mod containers;
mod kubernetes;
mod options;
mod registries;
mod wrappers;

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use aho_corasick::MatchKind;

use super::field::Field;
use super::field::Source;
use super::run::Input;
use super::run::Run;
use super::word::Command;
use super::word::Kind;

/// The tools that name images.
const TOOLS: [&str; 26] = [
    "docker",
    "podman",
    "nerdctl",
    "buildah",
    "skopeo",
    "crane",
    "gcrane",
    "krane",
    "oras",
    "regctl",
    "kubectl",
    "oc",
    "executor",
    "img",
    "ctr",
    "crictl",
    "kind",
    "k3d",
    "minikube",
    "trivy",
    "grype",
    "syft",
    "singularity",
    "apptainer",
    "cosign",
    "dive",
];
/// How many commands may stand inside one another: `docker run a docker run b …`.
const MAX_COMMANDS: usize = 6;

/// Whether a text may hold a command that names an image: the name of a tool stands in
/// it, or that of a variable for one.
pub(super) fn may_hold_one(text: &[u8]) -> bool {
    static SEARCHER: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    let build = || {
        let words = TOOLS.iter().chain(&["engine", "container"]);
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(words)
            .ok()
    };
    let Some(searcher) = SEARCHER.get_or_init(build) else { return true };
    let is_letter = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    searcher.find_iter(text).any(|found| {
        // `oc` in `local` is none.
        found.len() > 5 || !(is_letter(found.start().wrapping_sub(1)) || is_letter(found.end()))
    })
}

/// Whether a command is worth looking at: it, or an argument of it, is one of the
/// tools, or not known yet.
pub(super) fn is_of_interest(name: Option<&str>, command: &Command, text: &str) -> bool {
    let Some(name) = name else { return true };
    let base = base_name(name);
    if TOOLS.contains(&base) || wrappers::is_one(base) {
        return true;
    }
    !prints(base)
        && command.words.iter().skip(1).any(|word| match word.pieces.as_slice() {
            [piece] => match &piece.kind {
                Kind::Text => TOOLS.contains(&base_name(text.get(piece.range.clone()).unwrap_or(""))),
                Kind::Variable(variable) => !tool_named(&variable.name).is_empty(),
                Kind::Foreign(_) => true,
                _ => false,
            },
            _ => false,
        })
}

/// Looks at a command.
pub(super) fn run<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], input: &Input, source: &Source<'s>) {
    if run.commands >= MAX_COMMANDS {
        return;
    }
    run.commands += 1;
    look(run, fields, input, source);
    run.commands -= 1;
}

fn look<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], input: &Input, source: &Source<'s>) {
    let Some((first, rest)) = fields.split_first() else { return };
    let name = match first.known() {
        Some(name) => base_name(name).to_owned(),
        None => guess(first),
    };
    match name.as_str() {
        "docker" | "podman" | "nerdctl" => containers::engine(run, rest, input, source),
        "buildah" => containers::buildah(run, rest, input, source),
        "img" => containers::img(run, rest, input, source),
        "executor" => containers::kaniko(run, rest, source),
        "kubectl" | "oc" => kubernetes::client(run, rest, input, source),
        "kind" | "k3d" | "minikube" => kubernetes::cluster(run, &name, rest, source),
        "ctr" | "crictl" => kubernetes::runtime(run, &name, rest, source),
        "skopeo" => registries::skopeo(run, rest, source),
        "crane" | "gcrane" | "krane" | "oras" | "regctl" | "cosign" => {
            registries::copier(run, &name, rest, source)
        }
        "trivy" | "grype" | "syft" | "dive" => registries::scanner(run, &name, rest, source),
        "singularity" | "apptainer" => registries::singularity(run, rest, source),
        name if wrappers::is_one(name) => wrappers::run(run, name, rest, input, source),
        // `retry docker pull a`: a command of the script's own that runs another.
        name if !prints(name) => {
            let tool = |field: &Field<'s>| match field.known() {
                Some(text) => TOOLS.contains(&base_name(text)),
                None => !guess(field).is_empty(),
            };
            if let Some(at) = rest.iter().position(tool) {
                self::run(run, &rest[at..], input, source);
            }
        }
        _ => {}
    }
}

/// The last part of a path, without the suffix that Windows gives it.
fn base_name(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// The tool that a variable is named after: `$(DOCKER)`, `$CONTAINER_ENGINE`.
fn guess(field: &Field<'_>) -> String {
    if let Some(known) = field.members.iter().find(|member| member.value.is_known()) {
        let name = base_name(known.value.text());
        if TOOLS.contains(&name) {
            return name.to_owned();
        }
    }
    tool_named(field.hint()).to_owned()
}

/// The tool that a name stands for; empty for none.
fn tool_named(name: &str) -> &'static str {
    let name = name.trim_matches(['$', '(', ')', '{', '}']).to_ascii_lowercase();
    let stem = ["_cmd", "_bin", "_cli", "_exe", "_command", "_tool", "_path", "bin", "cmd"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(&name);
    match stem {
        "container" | "oci" | "container_engine" | "containerengine" | "engine" | "container_runtime"
        | "container_manager" | "docker_engine" => "docker",
        stem => TOOLS.iter().find(|tool| **tool == stem).copied().unwrap_or(""),
    }
}

/// Whether a command only prints or searches its arguments.
fn prints(name: &str) -> bool {
    const WORDS: [&str; 13] = [
        "echo", "print", "log", "info", "warn", "error", "die", "fail", "msg", "message", "usage", "help",
        "say",
    ];
    const NAMES: [&str; 36] = [
        "grep",
        "egrep",
        "fgrep",
        "rg",
        "sed",
        "awk",
        "cat",
        "tee",
        "which",
        "type",
        "hash",
        "whereis",
        "man",
        "test",
        "[",
        "[[",
        "apt",
        "apt-get",
        "apk",
        "yum",
        "dnf",
        "brew",
        "pip",
        "pip3",
        "npm",
        "git",
        "gh",
        "ls",
        "rm",
        "cp",
        "mv",
        "mkdir",
        "systemctl",
        "service",
        "usermod",
        "groupadd",
    ];
    NAMES.contains(&name) || WORDS.iter().any(|word| name.contains(word))
}
