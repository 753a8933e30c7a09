//! SARIF 2.1.0 (OASIS), for code scanning and editors.
//!
//! Columns count UTF-16 code units (section 3.14.17, `columnKind`); regions end
//! exclusively (3.30.8).

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;

use crate::change::Change;
use crate::policy::Severity;
use crate::report::Report;
use crate::report::explain;
use crate::report::item;
use crate::report::item::About;
use crate::report::item::Level;
use crate::report::item::level;
use crate::report::untrusted::MAX_SHOWN_CHARS;
use crate::report::untrusted::plain;
use crate::report::wording;
use crate::scan::Scanned;
use crate::source::Location;
use crate::source::SourceFile;

/// The rule of a use in the SARIF of a scan, which judges nothing.
const USE_RULE: &str = "image-source";
/// The rule of a problem in the SARIF of a scan.
const PROBLEM_RULE: &str = "unreadable";
/// The rule of an error in a policy file.
const POLICY_RULE: &str = "policy-error";

/// The SARIF document of `fromguard scan`: every use as a note, every problem as a warning.
#[must_use]
pub fn scan_sarif(scanned: &Scanned, tool_version: &str) -> String {
    let uses = scanned.uses.iter().map(|usage| {
        let at = Location { file: usage.file.clone(), span: usage.span };
        let members: Vec<String> = usage.targets.iter().map(wording::target).collect();
        let message = format!("{} uses {}", wording::statement(usage.role), members.join(", "));
        let mut result = result(USE_RULE, "note", &message, explain::source(scanned, &at), &at);
        result["relatedLocations"] =
            usage.via.iter().map(|via| related(scanned, &via.at, &via.what)).collect();
        result
    });
    let problems = scanned.problems.iter().map(|problem| {
        let source = explain::source(scanned, &problem.at);
        result(PROBLEM_RULE, "warning", &problem.message, source, &problem.at)
    });
    document(uses.chain(problems).collect(), tool_version)
}

/// The SARIF document of `fromguard check`: every finding, located where an edit
/// decides, and every error of a policy file of the repository.
#[must_use]
pub fn check_sarif(report: &Report, tool_version: &str) -> String {
    let head = &report.subject.head;
    let mut results = Vec::new();
    for (_, loaded) in wording::loaded_policies(report) {
        for diagnostic in loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
            let at = Location { file: loaded.file.path().clone(), span: diagnostic.span };
            let message = match &diagnostic.help {
                Some(help) => format!("{}: {help}", diagnostic.message),
                None => diagnostic.message.clone(),
            };
            results.push(result(POLICY_RULE, "error", &message, Some(&loaded.file), &at));
        }
    }
    for item in item::all(report) {
        let at = item.decided_at();
        for finding in &item.findings {
            let word = match (item.counts(), level(finding)) {
                (true, Level::Failure) => "error",
                (true, Level::Warning) => "warning",
                (true, Level::Notice) | (false, _) => "note",
            };
            let message = match &finding.fix {
                Some(fix) => format!("{}: write {fix} instead", finding.message),
                None => finding.message.clone(),
            };
            let mut result = result(&finding.rule, word, &message, explain::source(head, at), at);
            if let About::Use(judged) = item.about {
                let stands_at = item.stands_at();
                let mut places: Vec<Value> = Vec::new();
                if stands_at != *at {
                    places.push(related(head, &stands_at, wording::statement(judged.usage.role)));
                }
                places.extend(judged.usage.via.iter().map(|via| related(head, &via.at, &via.what)));
                result["relatedLocations"] = Value::Array(places);
                if report.subject.base.is_some() {
                    result["baselineState"] = json!(match judged.change {
                        Change::Introduced => "new",
                        Change::Changed { .. } => "updated",
                        Change::Unchanged => "unchanged",
                    });
                }
            }
            results.push(result);
        }
    }
    document(results, tool_version)
}

fn document(results: Vec<Value>, tool_version: &str) -> String {
    let ids: BTreeSet<String> =
        results.iter().filter_map(|result| result["ruleId"].as_str().map(str::to_owned)).collect();
    let rules: Vec<Value> =
        ids.iter().map(|id| json!({"id": id, "shortDescription": {"text": describe(id)}})).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "fromguard", "version": tool_version, "rules": rules}},
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&document).expect("a JSON value serialises");
    text.push('\n');
    text
}

/// What a rule is about, for the list of rules; a rule of somebody's policy has
/// only its own name.
fn describe(rule: &str) -> String {
    match rule {
        USE_RULE => "A container image that something pulls",
        PROBLEM_RULE => "A file or a part of it that could hold an image source cannot be read",
        POLICY_RULE => "The policy file has an error",
        "unknown" => "No source of the policy names the image",
        "unsure" => "What is known does not decide",
        "block" => "The policy blocks the image",
        "invalid" => "The text is not an image reference",
        other => return format!("The rule {other} of the policy"),
    }
    .to_owned()
}

fn result(rule: &str, level: &str, message: &str, source: Option<&SourceFile>, at: &Location) -> Value {
    json!({
        "ruleId": rule,
        "level": level,
        "message": {"text": plain(message, 2 * MAX_SHOWN_CHARS)},
        "locations": [{"physicalLocation": physical(source, at)}],
    })
}

fn related(scanned: &Scanned, at: &Location, what: &str) -> Value {
    json!({
        "physicalLocation": physical(explain::source(scanned, at), at),
        "message": {"text": plain(what, MAX_SHOWN_CHARS)},
    })
}

fn physical(source: Option<&SourceFile>, at: &Location) -> Value {
    let artifact = json!({"uri": uri(at.file.as_str()), "uriBaseId": "%SRCROOT%"});
    match source {
        Some(source) => {
            let (start_line, start_column) = utf16_position(source, at.span.start);
            let (end_line, end_column) = utf16_position(source, at.span.end.max(at.span.start));
            json!({
                "artifactLocation": artifact,
                "region": {
                    "startLine": start_line, "startColumn": start_column,
                    "endLine": end_line, "endColumn": end_column,
                },
            })
        }
        None => json!({"artifactLocation": artifact}),
    }
}

/// Line and column from 1, the column in UTF-16 code units.
fn utf16_position(source: &SourceFile, offset: usize) -> (usize, usize) {
    let position = source.position(offset);
    let line = source.line(position.line_1based).unwrap_or("");
    let line = match position.line_1based {
        1 => line.strip_prefix('\u{feff}').unwrap_or(line),
        _ => line,
    };
    let before: usize = line.chars().take(position.column_1based - 1).map(char::len_utf16).sum();
    (position.line_1based, before + 1)
}

/// A relative path as a URI reference (RFC 3986, section 4.2): everything but
/// unreserved characters and `/` is percent-encoded, so that no segment is read
/// as a scheme or a query.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte))
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests;
