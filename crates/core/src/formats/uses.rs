//! From values to a use of an image, for every format that is no Dockerfile.

use std::collections::HashSet;

use crate::formats::value::Value;
use crate::image::ImageUse;
use crate::image::Role;
use crate::image::Stage;
use crate::image::Target;
use crate::source::Location;
use crate::source::Problem;
use crate::source::ProblemCode;
use crate::source::SourceFile;
use crate::source::Span;

/// The file and the format that a use is found by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finder<'f> {
    pub(super) file: &'f SourceFile,
    pub(super) format: &'static str,
}

impl Finder<'_> {
    /// A use of every image that `values` may be; it stands at `span`, is shipped
    /// and reachable.
    pub(super) fn image_use(&self, role: Role, span: Span, values: &[Value]) -> ImageUse {
        let here = self.location(span);
        let mut targets: Vec<Target> = values.iter().map(Value::target).collect();
        targets.sort();
        targets.dedup();
        if targets.is_empty() {
            targets.push(Target::Unresolved { reason: "it has no value".to_owned() });
        }
        let mut seen = HashSet::new();
        let places = values.iter().flat_map(Value::via).filter(|place| seen.insert(*place));
        let via = places.cloned().collect();
        let decided_at = values.iter().find_map(Value::origin).cloned().unwrap_or(here);
        ImageUse {
            file: self.file.path().clone(),
            format: self.format,
            role,
            stage: Stage::Final,
            span,
            raw: self.file.slice(span).to_owned(),
            targets,
            reachable: true,
            replaced: false,
            via,
            decided_at,
        }
    }

    /// A problem at a place of the file.
    pub(super) fn problem(&self, span: Span, code: ProblemCode, message: impl Into<String>) -> Problem {
        Problem { at: self.location(span), code, message: message.into() }
    }

    /// A place of the file.
    pub(super) fn location(&self, span: Span) -> Location {
        Location { file: self.file.path().clone(), span }
    }
}
