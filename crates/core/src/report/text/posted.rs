//! An annotation as it was posted, shown over the file it points into: what a
//! person sees in the pull request's diff.

use annotate_snippets::Level as Loudness;

use crate::report::Annotation;
use crate::report::text;
use crate::report::text::Style;
use crate::report::text::frame::Frame;
use crate::source::Location;
use crate::source::Position;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::source::Span;

/// A code frame of an annotation; without the file's text the place alone is named.
#[must_use]
pub fn annotation_text(annotation: &Annotation, source: Option<&SourceFile>, style: Style) -> String {
    let loudness = match annotation.level {
        "failure" => Loudness::ERROR,
        "warning" => Loudness::WARNING,
        _ => Loudness::NOTE,
    };
    let at = Location { file: RepoPath::new(&annotation.path), span: span(annotation, source) };
    let mut frame = Frame::new(loudness, &annotation.title);
    frame.point(source, at, "");
    let lines: Vec<String> =
        annotation.message.lines().map(|line| text::wrapped(line, text::NOTE_WIDTH, 0)).collect();
    frame.note(Loudness::NOTE, lines.join("\n"));
    frame.render(style)
}

/// Columns of annotations count from 1 and the last one is included; without
/// columns the whole lines are meant.
fn span(annotation: &Annotation, source: Option<&SourceFile>) -> Span {
    let Some(source) = source else { return Span::default() };
    let place = |line_1based, column_1based| source.offset(Position { line_1based, column_1based });
    match (annotation.start_column, annotation.end_column) {
        (Some(start), Some(end)) => {
            Span::new(place(annotation.start_line, start), place(annotation.end_line, end + 1))
        }
        _ => Span::new(place(annotation.start_line, 1), place(annotation.end_line, usize::MAX)),
    }
}
