//! What a rehearsal prints: what GitHub would show of a pull request.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Context;
use fromguard_core::report::Annotation;
use fromguard_core::report::Style;
use fromguard_core::report::annotation_text;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use serde_json::Value;

use crate::cli::rehearse::markdown;
use crate::cli::rehearse::stage;
use crate::cli::rehearse::stage::Played;
use crate::local::Repository;
use crate::standin::CheckRunView;
use crate::standin::CommentView;
use crate::standin::MergeBox;
use crate::standin::PullPlace;
use crate::standin::Standin;

/// How wide headings are drawn, in columns.
pub(super) const WIDTH: usize = 80;

/// A pull request as GitHub shows it at one time.
pub(super) struct Scene {
    title: String,
    pull: PullPlace,
    head: String,
    run: Option<CheckRunView>,
    earlier_runs: usize,
    annotations: Vec<(Annotation, Option<SourceFile>)>,
    comments: Vec<CommentView>,
    pub(super) merge_box: MergeBox,
    cost: String,
}

impl Scene {
    /// Reads the stand-in.
    pub(super) fn look(
        standin: &Standin,
        pull: &PullPlace,
        title: &str,
        played: &Played,
        git: &Repository,
    ) -> anyhow::Result<Scene> {
        let head = standin.head(pull)?;
        let runs = standin.check_runs(&pull.repository.to_string(), &head.0)?;
        let run = runs.last().cloned();
        let commit = git.commit(&head.0)?;
        let mut files: BTreeMap<String, Option<SourceFile>> = BTreeMap::new();
        let mut annotations = Vec::new();
        for value in run.iter().flat_map(|run| &run.annotations) {
            let annotation = annotation(value).context("the stand-in holds an annotation without a place")?;
            let path = RepoPath::new(&annotation.path);
            let file = match files.get(&annotation.path) {
                Some(file) => file.clone(),
                None => commit.text(&path)?.map(|text| SourceFile::new(path, text)),
            };
            files.insert(annotation.path.clone(), file.clone());
            annotations.push((annotation, file));
        }
        Ok(Scene {
            title: title.to_owned(),
            pull: pull.clone(),
            head: head.0,
            earlier_runs: runs.len().saturating_sub(1),
            run,
            annotations,
            comments: standin.comments(pull)?,
            merge_box: standin.merge_box(pull)?,
            cost: cost(played),
        })
    }

    /// The scene as text for a terminal.
    pub(super) fn text(&self, style: Style) -> String {
        let mut out = String::new();
        let place = format!("{}#{} at {}", self.pull.repository, self.pull.number, &self.head[..10]);
        let _ = writeln!(out, "\n{}\n{}\n{place}\n", bold(&self.title, style), "═".repeat(WIDTH));
        match &self.run {
            None => out.push_str("No check run was posted.\n"),
            Some(run) => self.run_text(run, style, &mut out),
        }
        for comment in &self.comments {
            let _ = writeln!(out, "\n{}\n{}", rule("comment"), markdown::text(&comment.body, style));
        }
        let _ = writeln!(out, "\n{}\n{}", rule("merge box"), merge_box(&self.merge_box, style));
        let _ = writeln!(out, "\n{}\n{}", rule("cost"), self.cost);
        out
    }

    fn run_text(&self, run: &CheckRunView, style: Style, out: &mut String) {
        let conclusion = run.conclusion.as_deref().unwrap_or(&run.status);
        let _ = writeln!(out, "{}", rule("check run"));
        let _ = writeln!(out, "{} {} — {}\n", mark(conclusion, style), run.name, bold(conclusion, style));
        let _ = writeln!(out, "{}\n\n{}", bold(&run.title, style), markdown::text(&run.summary, style));
        if !run.text.is_empty() {
            let _ = writeln!(out, "\n{}", markdown::text(&run.text, style));
        }
        if self.earlier_runs > 0 {
            let _ = writeln!(out, "\n(supersedes {} earlier on this commit)", self.earlier_runs);
        }
        if !self.annotations.is_empty() {
            let _ = writeln!(out, "\n{}", rule("annotations in the diff"));
            let frames: Vec<String> = self
                .annotations
                .iter()
                .map(|(annotation, file)| annotation_text(annotation, file.as_ref(), style))
                .collect();
            let _ = writeln!(out, "{}", frames.join("\n").trim_end());
        }
    }
}

/// The first lines of a rehearsal.
pub(super) fn opening(standin: &Standin, what: &str) -> String {
    format!(
        "Rehearsing {what}: the real server and store, and a stand-in for GitHub at {}.\n",
        standin.base_url()
    )
}

/// What is left running with `--keep`.
pub(super) fn kept(standin: &Standin, server_url: &str) -> String {
    format!(
        "\nStill running until you press Ctrl-C:\n  fromguard    {server_url} (/healthz, /readyz, /metrics)\n  \
         the stand-in {} (GitHub's REST and GraphQL)\n",
        standin.base_url()
    )
}

fn cost(played: &Played) -> String {
    let traffic = &played.traffic;
    let mut out =
        played.deliveries.iter().map(|delivery| format!("delivered {delivery}\n")).collect::<String>();
    let _ = writeln!(
        out,
        "{} requests to GitHub, {} round trips one after another, {} ms in all\n\
         (each answer of the stand-in takes {} ms)",
        traffic.total(),
        traffic.longest_chain(),
        played.took.as_millis(),
        stage::LATENCY.as_millis()
    );
    for line in traffic.describe().lines() {
        let _ = writeln!(out, "  {line}");
    }
    out.trim_end().to_owned()
}

fn merge_box(merge_box: &MergeBox, style: Style) -> String {
    match merge_box {
        MergeBox::Mergeable => format!("{} This pull request can be merged", mark("success", style)),
        MergeBox::Expected { check } => {
            format!("{} Expected: {check} was never reported", mark("queued", style))
        }
        MergeBox::Blocked { why } => format!("{} Merging is blocked: {why}", mark("failure", style)),
        MergeBox::Closed => "This pull request is closed".to_owned(),
    }
}

fn annotation(value: &Value) -> Option<Annotation> {
    let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
    let number = |name: &str| usize::try_from(value.get(name)?.as_u64()?).ok();
    Some(Annotation {
        path: text("path")?,
        start_line: number("start_line")?,
        end_line: number("end_line")?,
        start_column: number("start_column"),
        end_column: number("end_column"),
        level: match text("annotation_level")?.as_str() {
            "failure" => "failure",
            "warning" => "warning",
            _ => "notice",
        },
        title: text("title").unwrap_or_default(),
        message: text("message")?,
        raw_details: text("raw_details"),
    })
}

fn rule(name: &str) -> String {
    let drawn = name.chars().count() + 4;
    format!("── {name} {}", "─".repeat(WIDTH.saturating_sub(drawn)))
}

fn mark(conclusion: &str, style: Style) -> String {
    let (sign, colour) = match conclusion {
        "success" => ("✓", 32),
        "neutral" | "skipped" | "cancelled" => ("■", 90),
        "queued" | "in_progress" => ("●", 33),
        _ => ("✗", 31),
    };
    match style {
        Style::Plain => sign.to_owned(),
        Style::Coloured => format!("\u{1b}[{colour}m{sign}\u{1b}[0m"),
    }
}

pub(super) fn bold(text: &str, style: Style) -> String {
    match style {
        Style::Plain => text.to_owned(),
        Style::Coloured => format!("\u{1b}[1m{text}\u{1b}[0m"),
    }
}
