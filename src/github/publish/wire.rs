//! GitHub's form of a check run. octocrab's builders lack fields that we set.
//!
//! <https://docs.github.com/en/rest/checks/runs>

use fromguard_core::report::Annotation;
use serde::Deserialize;
use serde::Serialize;

use crate::ids::CheckRunId;

#[derive(Debug, Serialize)]
pub(super) struct NewRun<'a> {
    pub(super) name: &'a str,
    pub(super) head_sha: &'a str,
    pub(super) external_id: &'a str,
    pub(super) started_at: String,
    #[serde(flatten)]
    pub(super) state: State<'a>,
}

/// The part of a run that an update may set.
#[derive(Debug, Default, Serialize)]
pub(super) struct State<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) conclusion: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<Output<'a>>,
    #[serde(skip_serializing_if = "<[Action]>::is_empty")]
    pub(super) actions: &'a [Action],
}

/// A button of a completed run: at most 20, 40 and 20 characters.
#[derive(Debug, Serialize)]
pub(super) struct Action {
    pub(super) label: &'static str,
    pub(super) description: &'static str,
    pub(super) identifier: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Output<'a> {
    pub(super) title: &'a str,
    pub(super) summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) annotations: Vec<WireAnnotation<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct WireAnnotation<'a> {
    path: &'a str,
    start_line: usize,
    end_line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
    annotation_level: &'a str,
    title: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_details: Option<&'a str>,
}

impl<'a> From<&'a Annotation> for WireAnnotation<'a> {
    fn from(from: &'a Annotation) -> WireAnnotation<'a> {
        // Columns of an annotation over several lines are refused with 422.
        let one_line = from.start_line == from.end_line;
        WireAnnotation {
            path: &from.path,
            start_line: from.start_line,
            end_line: from.end_line,
            start_column: from.start_column.filter(|_| one_line),
            end_column: from.end_column.filter(|_| one_line),
            annotation_level: from.level,
            title: &from.title,
            message: &from.message,
            raw_details: from.raw_details.as_deref(),
        }
    }
}

/// What is read of a run.
#[derive(Debug, Deserialize)]
pub(super) struct Run {
    pub(super) id: CheckRunId,
    #[serde(default)]
    pub(super) external_id: Option<String>,
    pub(super) status: String,
    #[serde(default)]
    pub(super) conclusion: Option<String>,
    #[serde(default)]
    pub(super) output: RunOutput,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RunOutput {
    #[serde(default)]
    pub(super) annotations_count: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct Runs {
    pub(super) total_count: usize,
    pub(super) check_runs: Vec<Run>,
}
