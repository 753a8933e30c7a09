//! A code frame: a title, the lines it is about with carets, and what to say below.

use annotate_snippets::AnnotationKind;
use annotate_snippets::Group;
use annotate_snippets::Level as Loudness;
use annotate_snippets::Origin;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;

use crate::report::text::Style;
use crate::report::untrusted::MAX_SHOWN_CHARS;
use crate::report::untrusted::plain;
use crate::source::Location;
use crate::source::SourceFile;
use crate::source::Span;

/// Places of one file at most this many lines apart share a snippet.
const NEAR_LINES: usize = 8;
/// The most lines of one place that are shown.
const MAX_PLACE_LINES: usize = 6;
/// A longer line is named and not shown, in bytes: frames stay readable, and
/// many findings on one line cost no more than their number.
const MAX_LINE_BYTES: usize = 2_000;
/// The most related places of one frame.
const MAX_RELATED: usize = 8;
/// What the renderer cuts lines to, in columns.
const WIDTH: usize = 100;

/// A code frame under construction.
pub(super) struct Frame<'a> {
    loudness: Loudness<'static>,
    title: String,
    id: Option<&'a str>,
    shown_as: Option<&'a str>,
    places: Vec<Place<'a>>,
    notes: Vec<(Loudness<'static>, String)>,
}

struct Place<'a> {
    source: Option<&'a SourceFile>,
    at: Location,
    label: String,
    primary: bool,
}

/// Lines of one file that are shown together, and the places in them.
struct Window<'a> {
    source: &'a SourceFile,
    first_line: usize,
    last_line: usize,
    places: Vec<&'a Place<'a>>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(loudness: Loudness<'static>, title: &str) -> Frame<'a> {
        Frame {
            loudness,
            title: plain(title, 2 * MAX_SHOWN_CHARS),
            id: None,
            shown_as: None,
            places: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn id(mut self, id: &'a str) -> Frame<'a> {
        self.id = Some(id);
        self
    }

    /// Shows this path instead of the file's own.
    pub(super) fn shown_as(mut self, path: &'a str) -> Frame<'a> {
        self.shown_as = Some(path);
        self
    }

    /// The place that the frame is about.
    pub(super) fn point(&mut self, source: Option<&'a SourceFile>, at: Location, label: &str) {
        self.place(source, at, label, true);
    }

    /// A place that belongs to it; one that is shown already is left out.
    pub(super) fn relate(&mut self, source: Option<&'a SourceFile>, at: Location, label: &str) {
        if self.places.len() <= MAX_RELATED && self.places.iter().all(|place| place.at != at) {
            self.place(source, at, label, false);
        }
    }

    fn place(&mut self, source: Option<&'a SourceFile>, at: Location, label: &str, primary: bool) {
        self.places.push(Place { source, at, label: plain(label, MAX_SHOWN_CHARS), primary });
    }

    /// Something to say below the code; its lines are clean already.
    pub(super) fn note(&mut self, loudness: Loudness<'static>, text: String) {
        let lines: Vec<String> = text.lines().map(|line| plain(line, 2 * MAX_SHOWN_CHARS)).collect();
        self.notes.push((loudness, lines.join("\n")));
    }

    pub(super) fn render(&self, style: Style) -> String {
        let title = self.loudness.clone().primary_title(self.title.as_str());
        let title = match self.id {
            Some(id) => title.id(plain(id, MAX_SHOWN_CHARS)),
            None => title,
        };
        let mut group = Group::with_title(title);
        let (windows, unseen) = self.windows();
        for window in &windows {
            group = group.element(self.snippet(window));
        }
        for place in unseen {
            group = group.element(self.origin(place));
        }
        for (loudness, text) in &self.notes {
            group = group.element(loudness.clone().message(text.as_str()));
        }
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Coloured => Renderer::styled(),
        };
        let mut text = renderer.term_width(WIDTH).render(&[group]);
        text.push('\n');
        text
    }

    /// The places as windows of lines, the primary one's first, and those whose
    /// lines cannot be shown.
    fn windows(&self) -> (Vec<Window<'_>>, Vec<&Place<'_>>) {
        let mut windows: Vec<Window<'_>> = Vec::new();
        let mut unseen = Vec::new();
        for place in &self.places {
            let Some((source, first_line, last_line)) = lines_of(place) else {
                unseen.push(place);
                continue;
            };
            let near = windows.iter_mut().find(|window| {
                window.source.path() == source.path()
                    && first_line <= window.last_line + NEAR_LINES
                    && window.first_line <= last_line + NEAR_LINES
                    && all_short(source, first_line.min(window.first_line), last_line.max(window.last_line))
            });
            match near {
                Some(window) => {
                    window.first_line = window.first_line.min(first_line);
                    window.last_line = window.last_line.max(last_line);
                    window.places.push(place);
                }
                None => windows.push(Window { source, first_line, last_line, places: vec![place] }),
            }
        }
        (windows, unseen)
    }

    fn path(&self, place: &Place<'_>) -> String {
        plain(self.shown_as.unwrap_or(place.at.file.as_str()), MAX_SHOWN_CHARS)
    }

    fn snippet<'b>(&self, window: &Window<'b>) -> Snippet<'b, annotate_snippets::Annotation<'b>> {
        let shown: Vec<String> =
            (window.first_line..=window.last_line).map(|number| shown_line(window.source, number)).collect();
        let mut starts = Vec::with_capacity(shown.len());
        let mut length = 0;
        for line in &shown {
            starts.push(length);
            length += line.len() + 1;
        }
        // A character of the file is one character of what is shown, not always
        // as many bytes: offsets go by line and column.
        let offset_of = |offset: usize| {
            let position = window.source.position(offset);
            let index = position.line_1based.clamp(window.first_line, window.last_line) - window.first_line;
            let within = match position.line_1based > window.last_line {
                true => shown[index].len(),
                false => byte_of_column(&shown[index], position.column_1based),
            };
            starts[index] + within
        };
        let mut snippet = Snippet::source(shown.join("\n")).line_start(window.first_line);
        if let Some(place) = window.places.first() {
            snippet = snippet.path(self.path(place));
        }
        for place in &window.places {
            let start = offset_of(place.at.span.start);
            let end = offset_of(place.at.span.end).max(start);
            let kind = if place.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(start..end);
            snippet = snippet.annotation(match place.label.is_empty() {
                true => annotation,
                false => annotation.label(place.label.clone()),
            });
        }
        snippet
    }

    fn origin<'b>(&self, place: &Place<'b>) -> Origin<'b> {
        let origin = Origin::path(self.path(place));
        match place.source {
            Some(source) if place.at.span != Span::new(0, 0) => {
                let position = source.position(place.at.span.start);
                origin.line(position.line_1based).char_column(position.column_1based)
            }
            _ => origin,
        }
    }
}

/// The lines of a place, if they can be shown.
fn lines_of<'b>(place: &'b Place<'_>) -> Option<(&'b SourceFile, usize, usize)> {
    let source = place.source?;
    let first_line = source.position(place.at.span.start).line_1based;
    let last_line = source.position(place.at.span.end.max(place.at.span.start)).line_1based;
    let last_line = last_line.min(first_line + MAX_PLACE_LINES - 1);
    all_short(source, first_line, last_line).then_some((source, first_line, last_line))
}

fn all_short(source: &SourceFile, first_line: usize, last_line: usize) -> bool {
    (first_line..=last_line)
        .all(|number| source.line(number).is_some_and(|line| line.len() <= MAX_LINE_BYTES))
}

/// A line without what a terminal would obey, character for character. Tabs
/// stay: the renderer widens them.
fn shown_line(source: &SourceFile, number: usize) -> String {
    let line = source.line(number).unwrap_or("");
    let line = line.strip_prefix('\u{feff}').filter(|_| number == 1).unwrap_or(line);
    let pieces: Vec<String> = line.split('\t').map(|piece| plain(piece, MAX_LINE_BYTES)).collect();
    pieces.join("\t")
}

fn byte_of_column(line: &str, column_1based: usize) -> usize {
    line.char_indices().nth(column_1based - 1).map_or(line.len(), |(at, _)| at)
}
