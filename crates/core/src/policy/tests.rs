#![allow(clippy::unwrap_used, reason = "tests")]

mod both_files;
mod cookbook;
mod evidence;
mod exceptions;
mod hardening;
mod judging;
mod loading;
mod page;
mod places;
mod properties;
mod trials;

use std::sync::Arc;

use super::*;
use crate::image::ImageUse;
use crate::image::Partial;
use crate::image::Role;
use crate::image::Stage;
use crate::image::Target;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::Span;
use crate::trust::Evidence;

const STARTER: &str = include_str!("../../../../docs/examples/fromguard.yml");

fn file(path: &str, text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile::new(RepoPath::new(path), text))
}

/// The day on which everything here is judged.
fn day() -> Day {
    Day::parse("2026-11-25").unwrap()
}

fn alone(text: &str) -> Policies {
    Policies::load(Found::Absent, Found::File(file(REPOSITORY_POLICY_PATH, text)), day())
}

fn both(organisation: &str, repository: &str) -> Policies {
    Policies::load(
        Found::File(file(ORGANISATION_POLICY_PATH, organisation)),
        Found::File(file(REPOSITORY_POLICY_PATH, repository)),
        day(),
    )
}

/// Policies that must have loaded.
fn sound(policies: Policies) -> Policies {
    for file in [&policies.organisation, &policies.repository] {
        if let PolicyFile::Read(loaded) = file {
            assert!(!loaded.is_broken(), "{}", shown(loaded));
        }
    }
    policies
}

/// The diagnostics as people see them: `line:column severity: message [help]`.
fn shown(loaded: &Loaded) -> String {
    let mut out = String::new();
    for diagnostic in &loaded.diagnostics {
        let at = loaded.file.position(diagnostic.span.start);
        let severity = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Notice => "notice",
        };
        out.push_str(&format!(
            "{}:{} {severity}: {}\n",
            at.line_1based, at.column_1based, diagnostic.message
        ));
        let text = loaded.file.slice(diagnostic.span).lines().next().unwrap_or("");
        out.push_str(&format!("    | {text}\n"));
        if let Some(help) = &diagnostic.help {
            out.push_str(&format!("    = {help}\n"));
        }
    }
    out
}

fn errors(text: &str) -> String {
    shown(&load(file("fromguard.yml", text), Scope::Organisation, day()))
}

fn usage(targets: Vec<Target>, raw: &str) -> ImageUse {
    let file = RepoPath::new("Dockerfile");
    let span = Span::new(5, 5 + raw.len());
    ImageUse {
        file: file.clone(),
        format: "dockerfile",
        role: Role::FinalStage,
        stage: Stage::Final,
        span,
        raw: raw.to_owned(),
        targets,
        reachable: true,
        replaced: false,
        via: Vec::new(),
        decided_at: Location { file, span },
    }
}

fn image(text: &str) -> ImageUse {
    usage(vec![Target::parse(text)], text)
}

fn partial(name: &str, complete: bool) -> ImageUse {
    let name_ref = crate::image::ImageRef::parse(name).unwrap();
    let reason = "ARG `TAG` has no default".to_owned();
    usage(vec![Target::Partial(Partial { name: name_ref, complete, reason })], &format!("{name}:$TAG"))
}

/// What is said offline, see [`short`].
fn verdict(policies: &Policies, usage: &ImageUse) -> String {
    short(&policies.judge(usage, &Evidence::none()).unwrap())
}

/// `verdict rule+rule [source]`, the short form of a judgement.
fn short(judgement: &Judgement) -> String {
    let rules: Vec<&str> = judgement.findings.iter().map(|finding| finding.rule.as_str()).collect();
    let mut out = judgement.verdict.as_str().to_owned();
    if !rules.is_empty() {
        out.push_str(&format!(" {}", rules.join("+")));
    }
    if let Some(source) = &judgement.source {
        out.push_str(&format!(" [{source}]"));
    }
    out
}

fn tree(explanation: &Explanation) -> String {
    let mut out = String::new();
    let mut stack = vec![(0, explanation)];
    while let Some((depth, step)) = stack.pop() {
        let at = step.at.as_ref().map_or(String::new(), |at| format!(" ({}:{})", at.file, at.span.start));
        out.push_str(&format!("{}{}{at}\n", "  ".repeat(depth), step.text));
        stack.extend(step.because.iter().rev().map(|below| (depth + 1, below)));
    }
    out
}
