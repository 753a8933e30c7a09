//! Dockerfiles that stand in compose files. Compose puts its own variables into the
//! text before BuildKit reads it: `$$BASE` there is `$BASE` of the Dockerfile.

use crate::formats::Extracted;
use crate::formats::dockerfile;
use crate::formats::dockerfile::Inputs;
use crate::formats::value::Value;
use crate::image::Target;
use crate::source::Mapped;
use crate::source::SourceFile;
use crate::source::Span;

use super::environment::Environment;
use super::model::Text;
use super::template;
use super::template::Budget;
use super::template::Piece;

/// A variable that was put into the text, at its place in the file.
struct Filled {
    span: Span,
    value: Value,
    /// What stands in the text for a value that is not known.
    marker: Option<String>,
}

/// Extracts every use from a Dockerfile that is a text of `file`.
pub(super) fn extract(
    file: &SourceFile,
    text: &Text,
    environment: &Environment,
    budget: &Budget,
    inputs: &[Inputs],
) -> Extracted {
    let (mapped, filled) = fill(text, environment, budget);
    let mut extracted = dockerfile::extract_inline(file, &mapped, inputs);
    for usage in &mut extracted.uses {
        let first = filled.partition_point(|filled| filled.span.start < usage.span.start);
        let inside = filled[first..].iter().take_while(|filled| filled.span.end <= usage.span.end);
        for Filled { span, value, marker } in inside {
            for via in value.via() {
                if !usage.via.contains(via) {
                    usage.via.push(via.clone());
                }
            }
            if let Some(origin) = value.origin().filter(|_| span.start == usage.span.start) {
                usage.decided_at = origin.clone();
            }
            let Some(marker) = marker else { continue };
            for target in &mut usage.targets {
                if let Target::Unresolved { reason } = target
                    && reason.contains(marker.as_str())
                {
                    *reason = value.reason().unwrap_or_default().to_owned();
                }
            }
        }
    }
    extracted
}

/// The text with Compose's variables in it, and where they were put, in order.
fn fill(text: &Text, environment: &Environment, budget: &Budget) -> (Mapped, Vec<Filled>) {
    let written = text.text();
    let mut mapped = Mapped::default();
    let mut filled = Vec::new();
    for piece in template::pieces(written) {
        match piece {
            Piece::Literal(range) => mapped.append(&text.mapped.slice(range)),
            Piece::Dollar(range) => mapped.push_made("$", text.mapped.span(range)),
            Piece::Invalid(range) => mapped.append(&text.mapped.slice(range)),
            Piece::Variable(variable) => {
                let span = text.mapped.span(variable.whole.clone());
                let values = template::resolve(&variable, written, environment, budget, 0);
                let known = values.iter().position(Value::is_known).unwrap_or(0);
                let Some(value) = values.into_iter().nth(known) else { continue };
                let marker = (!value.is_known()).then(|| format!("%%UNKNOWN-{}%%", filled.len()));
                mapped.push_made(marker.as_deref().unwrap_or(value.text()), span);
                filled.push(Filled { span, value, marker });
            }
        }
    }
    (mapped, filled)
}
