//! What the arguments of each tool mean: which of them are images that it pulls,
//! which it makes, and what it builds. One file per family of tools.

mod containers;
mod glance;
mod kubernetes;
mod options;
mod registries;
mod wrappers;

pub(super) use self::glance::may_hold_one;

use super::field::Field;
use super::field::Source;
use super::run::Input;
use super::run::Run;
use super::word::Command;
use super::word::Kind;
use super::word::Piece;
use super::word::Word;

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

/// Whether a command is worth looking at: it, or an argument of it, is one of the
/// tools, or not known yet.
pub(super) fn is_of_interest(name: Option<&str>, command: &Command, text: &str) -> bool {
    let Some(name) = name else { return true };
    let base = base_name(name);
    if TOOLS.contains(&base) || wrappers::is_one(base) {
        return true;
    }
    let may_be_a_tool = |word: &Word| match word.pieces.as_slice() {
        [Piece { kind: Kind::Variable(variable), .. }] => !tool_named(&variable.name).is_empty(),
        [Piece { kind: Kind::Foreign(_), .. }] => true,
        _ => word.literal(text).is_some_and(|text| TOOLS.contains(&base_name(&text))),
    };
    let is_dashes = |word: &Word| matches!(word.pieces.as_slice(), [piece] if is_text(piece, text, "--"));
    let mut arguments = command.words.iter().skip(1);
    arguments.clone().any(may_be_a_tool) && (runs_others(base) || arguments.any(is_dashes))
}

fn is_text(piece: &Piece, script: &str, text: &str) -> bool {
    matches!(piece.kind, Kind::Text) && script.get(piece.range.clone()) == Some(text)
}

/// Whether a tool that names images is named in fields.
pub(super) fn name_tool(fields: &[Field<'_>]) -> bool {
    fields.iter().any(is_tool)
}

fn is_tool(field: &Field<'_>) -> bool {
    match field.known() {
        Some(text) => TOOLS.contains(&base_name(text)),
        None => !guess(field).is_empty(),
    }
}

/// Looks at a command.
pub(super) fn run<'s>(run: &mut Run<'_, '_>, fields: &[Field<'s>], input: &Input, source: &Source<'s>) {
    if run.commands >= MAX_COMMANDS {
        // A script that is an argument may name one too.
        let names_one = |field: &Field<'_>| {
            field.members.iter().any(|member| may_hold_one(member.value.text().as_bytes()))
        };
        if let Some(first) = fields.first()
            && (name_tool(fields) || fields.iter().any(names_one))
        {
            run.limit(first.span, "too many commands stand inside one another here to be looked at");
        }
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
        name if first.known().is_none() || runs_others(name) => {
            if let Some(at) = rest.iter().position(is_tool) {
                self::run(run, &rest[at..], input, source);
            }
        }
        // `anything -- docker pull a`
        _ => {
            let dashes = rest.iter().position(|field| field.known() == Some("--"));
            let behind = dashes.map_or(&[][..], |at| &rest[at + 1..]);
            if behind.first().is_some_and(is_tool) {
                self::run(run, behind, input, source);
            }
        }
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

/// Whether a command that is no tool itself runs its arguments, by its name: `retry`,
/// `run_cmd`, `travis_wait`. The arguments of others mean something of their own, like
/// those of `archery docker run`.
fn runs_others(name: &str) -> bool {
    const WORDS: [&str; 14] = [
        "retry", "retries", "try", "run", "exec", "execute", "repeat", "attempt", "attempts", "cmd",
        "quietly", "wait", "verbose", "dry",
    ];
    let lower = name.to_ascii_lowercase();
    lower.split(['_', '-', '.', ':']).any(|part| WORDS.contains(&part))
}
