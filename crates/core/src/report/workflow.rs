//! GitHub Actions workflow commands, one line for each finding.
//!
//! Grammar: `actions/toolkit`, `packages/core/src/command.ts`:
//!
//! ```text
//! line     := "::" command [ " " property { "," property } ] "::" message
//! property := key "=" value
//! ```
//!
//! In a message `%`, CR and LF are written `%25`, `%0D`, `%0A`; in a property
//! also `:` as `%3A` and `,` as `%2C`.

use crate::policy::Severity;
use crate::report::Report;
use crate::report::check_run;
use crate::report::check_run::Annotation;
use crate::report::wording;
use crate::report::wording::Whose;

/// The report as workflow commands, and a line for the log that says how it ended.
#[must_use]
pub fn check_workflow_commands(report: &Report) -> String {
    let mut out = String::new();
    for annotation in &check_run::annotations(report) {
        out.push_str(&command(annotation));
    }
    // The organisation's file is not in this repository: no line to annotate.
    for (whose, loaded) in wording::loaded_policies(report) {
        let errors = loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error);
        for diagnostic in errors.filter(|_| whose == Whose::Organisation) {
            let line = loaded.file.position(diagnostic.span.start).line_1based;
            out.push_str(&format!(
                "::error::{}\n",
                message(&format!("{} line {line}: {}", loaded.file.path(), diagnostic.message))
            ));
        }
    }
    // What is printed for people must not be taken for a command.
    out.push_str(&format!("fromguard: {}\n", message(&wording::what_is_wrong(report))));
    out
}

fn command(annotation: &Annotation) -> String {
    let word = match annotation.level {
        "failure" => "error",
        other => other,
    };
    let mut properties = format!(
        "file={},line={},endLine={}",
        property(&annotation.path),
        annotation.start_line,
        annotation.end_line
    );
    if let (Some(start), Some(end)) = (annotation.start_column, annotation.end_column) {
        properties.push_str(&format!(",col={start},endColumn={end}"));
    }
    format!("::{word} {properties},title={}::{}\n", property(&annotation.title), message(&annotation.message))
}

fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests;
