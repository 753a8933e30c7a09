//! What commands read from their standard input: scripts, and Dockerfiles.

use memchr::memmem;

use super::Run;
use crate::formats::Claim;
use crate::formats::Format;
use crate::formats::dockerfile::Dockerfile;
use crate::formats::dockerfile::Inputs;
use crate::formats::dockerfile::extract_from_script;
use crate::formats::shell::Foreign;
use crate::formats::shell::expand;
use crate::formats::shell::field::Source;
use crate::formats::shell::word::Command;
use crate::formats::shell::word::Kind;
use crate::formats::shell::word::Word;
use crate::source::Mapped;
use crate::source::ProblemCode;
use crate::source::RepoPath;
use crate::source::Span;

/// What a command reads: heredocs and here-strings.
pub(in crate::formats::shell) type Input = Vec<Written>;

/// A text that a script hands to a command.
pub(in crate::formats::shell) struct Written {
    /// As a script, with the variables that the script around it sets.
    pub(in crate::formats::shell) text: Mapped,
    pub(in crate::formats::shell) foreign: Vec<Foreign>,
    /// With the values of those that are known; empty when no image can be named in it.
    expanded: Mapped,
    /// Something in it is put together when the script runs.
    varies: bool,
}

impl Written {
    /// The same where `\n` is the end of a line.
    fn with_lines(mut self) -> Written {
        for text in [&mut self.text, &mut self.expanded] {
            if memmem::find(text.text().as_bytes(), b"\\n").is_none() {
                continue;
            }
            let mut lines = Mapped::default();
            let mut at = 0;
            for found in memmem::find_iter(text.text().as_bytes(), b"\\n") {
                lines.append(&text.slice(at..found));
                at = found + 2;
                // As long as what it stands for, so that expressions stay where they are.
                lines.push_made(" \n", text.span(found..at));
            }
            lines.append(&text.slice(at..text.text().len()));
            *text = lines;
        }
        self
    }

    /// Appends another text behind a space.
    fn append(&mut self, other: Written, span: Span) {
        let is_expanded = |written: &Written| !written.expanded.text().is_empty();
        if is_expanded(self) || is_expanded(&other) {
            if !is_expanded(self) {
                self.expanded = self.text.clone();
            }
            self.expanded.push_made(" ", span);
            self.expanded.append(if is_expanded(&other) { &other.expanded } else { &other.text });
        }
        self.text.push_made(" ", span);
        let start = self.text.text().len();
        self.text.append(&other.text);
        self.foreign.extend(other.foreign.into_iter().map(|mut one| {
            one.range = one.range.start + start..one.range.end + start;
            one
        }));
        self.varies |= other.varies;
    }
}

impl Run<'_, '_> {
    /// `cat > Dockerfile <<EOF`
    pub(in crate::formats::shell) fn dockerfile(
        &mut self,
        command: &Command,
        input: &Input,
        source: &Source<'_>,
    ) {
        if input.is_empty() {
            return;
        }
        let names_one = |word: &Word| {
            let name = word.literal(source.text.text());
            name.is_some_and(|name| Dockerfile.claims(&RepoPath::new(&name)) != Claim::No)
        };
        let writes = command.redirects.iter().any(|redirect| redirect.writes && names_one(&redirect.target))
            || (command.words.iter().any(|word| word.literal(source.text.text()).as_deref() == Some("tee"))
                && command.words.iter().any(names_one));
        if writes {
            self.build_inline(input, &[]);
        }
    }

    /// Reads what a command is handed as a Dockerfile.
    pub(in crate::formats::shell) fn build_inline(&mut self, input: &Input, inputs: &[Inputs]) {
        for written in input {
            if !self.scope.spend(32 * written.expanded.text().len() * inputs.len().max(1)) {
                return;
            }
            let mut found = extract_from_script(self.script.finder.file, &written.expanded, inputs);
            if written.varies {
                // What is put in may be what makes it right.
                found.problems.retain(|problem| problem.code != ProblemCode::Syntax);
            }
            self.inline(found);
        }
    }

    /// What a command reads from its standard input.
    pub(in crate::formats::shell) fn input(
        &mut self,
        command: &Command,
        piped: Input,
        source: &Source<'_>,
    ) -> Input {
        let mut input = piped;
        for index in &command.heredocs {
            if let Some(heredoc) = source.parsed.heredocs.get(*index) {
                input = vec![self.written(&heredoc.body, heredoc.strips_tabs, source)];
            }
        }
        if let Some(word) = &command.here_string {
            input = vec![self.written(word, false, source)];
        }
        input
    }

    /// What `echo` and `printf` print: their arguments, with the escapes that both know.
    pub(in crate::formats::shell) fn print(&mut self, command: &Command, source: &Source<'_>) {
        let text = source.text.text();
        let mut words = command.words.iter();
        let name = words.next().and_then(|word| word.literal(text));
        if self.gathers || !self.piped.is_empty() || !matches!(name.as_deref(), Some("echo" | "printf")) {
            return;
        }
        let is_option = |word: &&Word| {
            word.literal(text).is_some_and(|text| matches!(&*text, "-n" | "-e" | "-E" | "-ne" | "-en"))
        };
        let mut printed: Option<Written> = None;
        for word in words.skip_while(is_option) {
            let written = self.written(word, false, source).with_lines();
            match &mut printed {
                None => printed = Some(written),
                Some(printed) => printed.append(written, source.text.span(word.range())),
            }
        }
        self.piped.extend(printed);
    }

    pub(in crate::formats::shell) fn written(
        &mut self,
        word: &Word,
        strips_tabs: bool,
        source: &Source<'_>,
    ) -> Written {
        let (mut text, mut foreign) = inner(word, source);
        let mut expanded = Mapped::default();
        if memmem::find(text.text().as_bytes(), b"FROM").is_some() {
            for piece in &word.pieces {
                let span = source.text.span(piece.range.clone());
                let values = match &piece.kind {
                    Kind::Text => Vec::new(),
                    _ => expand::one(piece, source, self),
                };
                match values.as_slice() {
                    [only] if only.value.is_known() => expanded.push_made(only.value.text(), span),
                    _ => expanded.append(&source.text.slice(piece.range.clone())),
                }
            }
        }
        if strips_tabs {
            (text, foreign) = without_tabs(&text, foreign);
            expanded = without_tabs(&expanded, Vec::new()).0;
        }
        let varies = word.pieces.iter().any(|piece| !matches!(piece.kind, Kind::Text));
        Written { text, foreign, expanded, varies }
    }
}

/// The text of a word as a script of its own. Its variables are left in it: the
/// script around it sets them.
pub(in crate::formats::shell) fn inner(word: &Word, source: &Source<'_>) -> (Mapped, Vec<Foreign>) {
    let mut text = Mapped::default();
    let mut foreign = Vec::new();
    for piece in &word.pieces {
        let start = text.text().len();
        match &piece.kind {
            Kind::Made(made) => text.push_made(made, source.text.span(piece.range.clone())),
            _ => text.append(&source.text.slice(piece.range.clone())),
        }
        if let Kind::Foreign(index) = piece.kind
            && let Some(known) = source.foreign.get(index)
        {
            foreign.push(Foreign { range: start..text.text().len(), values: known.values.clone() });
        }
    }
    (text, foreign)
}

/// The body of `<<-`: without the tabs at the beginning of its lines.
fn without_tabs(text: &Mapped, foreign: Vec<Foreign>) -> (Mapped, Vec<Foreign>) {
    let mut stripped = Mapped::default();
    let mut moved = foreign;
    let mut at = 0;
    let mut cut = 0;
    let mut next = 0;
    for line in text.text().split_inclusive('\n') {
        let tabs = line.len() - line.trim_start_matches('\t').len();
        cut += tabs;
        while let Some(foreign) = moved.get_mut(next).filter(|foreign| foreign.range.start < at + line.len())
        {
            foreign.range = foreign.range.start.saturating_sub(cut)..foreign.range.end.saturating_sub(cut);
            next += 1;
        }
        stripped.append(&text.slice(at + tabs..at + line.len()));
        at += line.len();
    }
    (stripped, moved)
}
