//! What there is to say about a policy file, collected: all of it, not the first.

use std::sync::Arc;

use crate::source::SourceFile;
use crate::source::Span;

/// More problems than this are counted, not listed.
const MAX_DIAGNOSTICS: usize = 1000;

/// Something to say about a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or notice.
    pub severity: Severity,
    /// Where in the policy file.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The policy cannot be used.
    Error,
    /// It can, and somebody should know.
    Notice,
}

/// The diagnostics of one file while it is being loaded.
pub(super) struct Diagnostics {
    file: Arc<SourceFile>,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    pub(super) fn new(file: Arc<SourceFile>) -> Diagnostics {
        Diagnostics { file, list: Vec::new() }
    }

    /// The policy cannot be used, and this is what to write instead.
    pub(super) fn error(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Error, span, message.into(), Some(help.into()));
    }

    /// The policy cannot be used.
    pub(super) fn error_without_help(&mut self, span: Span, message: impl Into<String>) {
        self.push(Severity::Error, span, message.into(), None);
    }

    /// Somebody should know.
    pub(super) fn notice(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Notice, span, message.into(), Some(help.into()));
    }

    fn push(&mut self, severity: Severity, span: Span, message: String, help: Option<String>) {
        self.list.push(Diagnostic { severity, span, message, help });
    }

    /// The line of a place, for messages that name a second one.
    pub(super) fn line(&self, span: Span) -> usize {
        self.file.position(span.start).line_1based
    }

    /// What stands at a place.
    pub(super) fn slice(&self, span: Span) -> &str {
        self.file.slice(span)
    }

    pub(super) fn has_errors(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Everything, by position.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
        self.list.dedup();
        if let Some(over) = self.list.len().checked_sub(MAX_DIAGNOSTICS).filter(|over| *over > 0) {
            let span = self.list[MAX_DIAGNOSTICS].span;
            self.list.truncate(MAX_DIAGNOSTICS);
            self.error_without_help(span, format!("and {over} problems more, from here on"));
        }
        self.list
    }
}
