//! What GitHub refuses in a check run: <https://docs.github.com/en/rest/checks/runs>.
//!
//! The figures come from there and from what apps were answered; lengths of the
//! long texts are counted in bytes although the description says characters.

use serde_json::Value;

use crate::standin::answer::Answer;

/// Annotations in one request.
const ANNOTATIONS_LIMIT: usize = 50;
/// Bytes in a summary, and again in a text.
const OUTPUT_LIMIT_BYTES: usize = 65_535;
/// Bytes in an annotation's message, and again in its raw details.
const ANNOTATION_LIMIT_BYTES: usize = 64 * 1024;
/// Characters in an annotation's title.
const ANNOTATION_TITLE_LIMIT: usize = 255;
/// Buttons on a check run.
const ACTIONS_LIMIT: usize = 3;
/// Characters in each field of a button.
const ACTION_LIMITS: [(&str, usize); 3] = [("label", 20), ("description", 40), ("identifier", 20)];
/// What an app may set; `waiting`, `requested` and `pending` are for GitHub Actions.
const STATUSES: [&str; 3] = ["queued", "in_progress", "completed"];
/// What an app may conclude; `stale` is GitHub's own.
const CONCLUSIONS: [&str; 7] =
    ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"];
/// Text fields of a check run itself.
const TEXTS: [&str; 6] = ["name", "head_sha", "details_url", "external_id", "started_at", "completed_at"];

/// Checks everything in a body that does not depend on the run it is for.
pub(super) fn check(body: &Value) -> Result<(), Answer> {
    for field in TEXTS {
        optional_text(body, field)?;
    }
    one_of(body, "status", &STATUSES)?;
    one_of(body, "conclusion", &CONCLUSIONS)?;
    if body["status"] == "completed" && body["conclusion"].is_null() {
        return Err(Answer::unprocessable(
            "\"conclusion\" wasn't supplied; it is required when the status is completed.",
        ));
    }
    output(&body["output"])?;
    actions(&body["actions"])
}

fn output(output: &Value) -> Result<(), Answer> {
    if output.is_null() {
        return Ok(());
    }
    if !output.is_object() {
        return Err(Answer::unprocessable("\"output\" is not an object."));
    }
    for field in ["title", "summary", "text"] {
        optional_text(output, field)?;
    }
    if output["summary"].is_null() {
        return Err(Answer::unprocessable("\"summary\" wasn't supplied."));
    }
    for field in ["summary", "text"] {
        if length(&output[field]) > OUTPUT_LIMIT_BYTES {
            let message = format!("{field} exceeds a maximum bytesize of {OUTPUT_LIMIT_BYTES}");
            return Err(Answer::invalid("CheckRun", field, &message));
        }
    }
    let annotations = list(output, "annotations")?;
    if annotations.len() > ANNOTATIONS_LIMIT {
        return Err(Answer::unprocessable(&format!(
            "No more than {ANNOTATIONS_LIMIT} items are allowed; {} were supplied.",
            annotations.len()
        )));
    }
    annotations.iter().try_for_each(annotation)
}

fn annotation(annotation: &Value) -> Result<(), Answer> {
    for field in ["path", "annotation_level", "message"] {
        required_text(annotation, field)?;
    }
    for field in ["title", "raw_details"] {
        optional_text(annotation, field)?;
    }
    one_of(annotation, "annotation_level", &["notice", "warning", "failure"])?;
    let line = |field: &str| {
        annotation[field]
            .as_u64()
            .filter(|line| *line > 0)
            .ok_or_else(|| Answer::unprocessable(&format!("\"{field}\" is not the number of a line.")))
    };
    let (start, end) = (line("start_line")?, line("end_line")?);
    if end < start {
        return Err(invalid("end_line", "end_line must not be before start_line"));
    }
    let columns = [&annotation["start_column"], &annotation["end_column"]];
    if columns.iter().any(|column| !column.is_null()) && start != end {
        return Err(invalid(
            "start_column",
            "start_column and end_column must be omitted if start_line and end_line have different values",
        ));
    }
    if columns.iter().any(|column| !column.is_null() && column.as_u64().is_none()) {
        return Err(Answer::unprocessable("\"start_column\" and \"end_column\" are numbers."));
    }
    for field in ["message", "raw_details"] {
        if length(&annotation[field]) > ANNOTATION_LIMIT_BYTES {
            return Err(invalid(
                field,
                &format!("{field} exceeds a maximum bytesize of {ANNOTATION_LIMIT_BYTES}"),
            ));
        }
    }
    if annotation["title"].as_str().is_some_and(|title| title.chars().count() > ANNOTATION_TITLE_LIMIT) {
        return Err(invalid(
            "title",
            &format!("title is too long (maximum is {ANNOTATION_TITLE_LIMIT} characters)"),
        ));
    }
    Ok(())
}

fn actions(actions: &Value) -> Result<(), Answer> {
    if actions.is_null() {
        return Ok(());
    }
    let actions = actions.as_array().ok_or_else(|| Answer::unprocessable("\"actions\" is not a list."))?;
    if actions.len() > ACTIONS_LIMIT {
        return Err(Answer::unprocessable(&format!(
            "No more than {ACTIONS_LIMIT} items are allowed; {} were supplied.",
            actions.len()
        )));
    }
    for action in actions {
        for (field, limit) in ACTION_LIMITS {
            let supplied = required_text(action, field)?.chars().count();
            if supplied > limit {
                return Err(Answer::unprocessable(&format!(
                    "Only {limit} characters are allowed in \"{field}\"; {supplied} were supplied."
                )));
            }
        }
    }
    Ok(())
}

/// The items of an optional list.
pub(super) fn list<'a>(body: &'a Value, field: &str) -> Result<&'a [Value], Answer> {
    match &body[field] {
        Value::Null => Ok(&[]),
        Value::Array(items) => Ok(items),
        _ => Err(Answer::unprocessable(&format!("\"{field}\" is not a list."))),
    }
}

/// A text that has to be there and to say something.
pub(super) fn required_text<'a>(body: &'a Value, field: &str) -> Result<&'a str, Answer> {
    match body[field].as_str() {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(Answer::unprocessable(&format!("\"{field}\" wasn't supplied."))),
    }
}

fn optional_text(body: &Value, field: &str) -> Result<(), Answer> {
    match &body[field] {
        Value::Null | Value::String(_) => Ok(()),
        other => Err(Answer::unprocessable(&format!("For '{field}', {other} is not a string."))),
    }
}

fn one_of(body: &Value, field: &str, words: &[&str]) -> Result<(), Answer> {
    match &body[field] {
        Value::Null => Ok(()),
        Value::String(word) if words.contains(&word.as_str()) => Ok(()),
        other => Err(Answer::unprocessable(&format!("For '{field}', {other} is not a member of {words:?}."))),
    }
}

fn invalid(field: &str, message: &str) -> Answer {
    Answer::invalid("CheckAnnotation", field, message)
}

fn length(text: &Value) -> usize {
    text.as_str().map_or(0, str::len)
}
