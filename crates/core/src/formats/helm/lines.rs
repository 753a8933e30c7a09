//! The lines of a template that name an image: `image: …`, wherever it stands,
//! whatever the YAML around it is. Most templates are no YAML before they are
//! rendered, so the text is looked at line by line as it is put together.

use crate::formats::value::Value;
use crate::image::Target;
use crate::source::Location;
use crate::source::RepoPath;
use crate::source::Span;

/// An image that a line names.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The place of the text, quotes excluded.
    pub(super) at: Location,
    /// What it is.
    pub(super) value: Value,
    /// Whether the line is not rendered with the values at hand.
    pub(super) is_off: bool,
    /// Whether it is a word of some other line: an argument, a variable.
    pub(super) is_word: bool,
}

/// Looks at a text as it is put together.
pub(super) struct Lines {
    file: RepoPath,
    /// Whether nothing but space stands on the line so far.
    is_blank: bool,
    is_comment: bool,
    /// The end of the line so far, from the last space, quote or `=` on.
    tail: (String, usize),
    open: Option<Open>,
    found: Vec<Found>,
}

/// A value that is not at its end.
struct Open {
    /// Whether the key is `image` itself.
    is_exact: bool,
    quote: Option<char>,
    start: Option<usize>,
    end: usize,
    value: Value,
    /// Whether the value is the text of the next line.
    is_block: bool,
    is_off: bool,
    is_word: bool,
}

impl Lines {
    pub(super) fn new(file: RepoPath) -> Lines {
        let tail = (String::new(), 0);
        Lines { file, is_blank: true, is_comment: false, tail, open: None, found: Vec::new() }
    }

    /// Whether the value of an image is being put together.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes text that stands at byte `offset`.
    pub(super) fn text(&mut self, text: &str, offset: usize, is_off: bool) {
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            self.piece(line.trim_end_matches(['\n', '\r']), offset + at, is_off);
            at += line.len();
            if line.ends_with('\n') {
                self.end_line();
            }
        }
    }

    /// Takes the result of an action, and where that stands.
    pub(super) fn value(&mut self, value: &Value, span: Option<Span>) {
        self.is_blank &= value.is_empty();
        let Some(open) = &mut self.open else { return };
        if let Some(span) = span {
            open.start.get_or_insert(span.start);
            open.end = span.end;
        }
        open.value.append(value);
    }

    /// Takes the word that the line ends in for a value, with what is put behind it.
    pub(super) fn open_word(&mut self, is_off: bool) {
        if self.is_comment {
            return;
        }
        let (tail, start) = std::mem::take(&mut self.tail);
        let mut open = Open::new(start + tail.len(), false, is_off);
        open.is_word = true;
        if !tail.is_empty() {
            open.start = Some(start);
            open.value.push_str(&tail);
        }
        self.open = Some(open);
    }

    /// Ends the value that began in a branch that ends here.
    pub(super) fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.found.extend(open.into_found(&self.file));
        }
    }

    /// Everything that was found.
    pub(super) fn into_found(mut self) -> Vec<Found> {
        self.close();
        self.found
    }

    fn end_line(&mut self) {
        match &mut self.open {
            Some(open) if open.is_header() => {
                open.value = Value::default();
                open.start = None;
                open.is_block = true;
            }
            Some(open) if open.is_block && open.value.is_empty() => {}
            _ => self.close(),
        }
        self.is_blank = true;
        self.is_comment = false;
        self.tail = (String::new(), 0);
    }

    /// A part of one line.
    fn piece(&mut self, mut text: &str, mut offset: usize, is_off: bool) {
        loop {
            if let Some(open) = &mut self.open {
                let Some(used) = open.take(text, offset) else { return };
                self.close();
                text = &text[used..];
                offset += used;
            }
            if self.is_blank && !text.trim_start().is_empty() {
                self.is_blank = false;
                self.is_comment = text.trim_start().starts_with('#');
            }
            if self.is_comment {
                return;
            }
            let Some((end, is_exact)) = find_key(text) else {
                let word = text.rfind([' ', '\t', '"', '\'', '=']).map_or(0, |before| before + 1);
                self.tail = (text[word..].to_owned(), offset + word);
                return;
            };
            self.open = Some(Open::new(offset + end, is_exact, is_off));
            text = &text[end..];
            offset += end;
        }
    }
}

impl Open {
    fn new(at: usize, is_exact: bool, is_off: bool) -> Open {
        let value = Value::default();
        Open { is_exact, quote: None, start: None, end: at, value, is_block: false, is_off, is_word: false }
    }

    /// `|` or `>`, with its marks.
    fn is_header(&self) -> bool {
        matches!(self.value.text(), "|" | ">" | "|-" | ">-" | "|+" | ">+") && !self.is_block
    }

    /// Takes text of the line; when the value ends in it, how much of it was taken.
    fn take(&mut self, text: &str, offset: usize) -> Option<usize> {
        let mut at = 0;
        if self.start.is_none() && !self.is_word {
            at = text.len() - text.trim_start().len();
            let rest = &text[at..];
            let first = rest.chars().next()?;
            // An anchor or a tag of the value.
            if matches!(first, '&' | '!') {
                at += rest.find(char::is_whitespace)?;
                at += text[at..].len() - text[at..].trim_start().len();
            }
            if let Some(quote @ ('"' | '\'')) = text[at..].chars().next() {
                self.quote = Some(quote);
                at += 1;
            }
            self.start = Some(offset + at);
        }
        let rest = &text[at..];
        let end = match self.quote {
            Some(quote) => rest.find(quote),
            None => {
                rest.find(|char: char| char.is_whitespace() || matches!(char, ',' | '}' | ']' | '"' | '\''))
            }
        };
        let taken = &rest[..end.unwrap_or(rest.len())];
        self.value.push_str(taken);
        if !taken.is_empty() {
            self.end = offset + at + taken.len();
        }
        end.map(|end| at + end + usize::from(self.quote.is_some()))
    }

    /// What was found, unless nothing is there or it is something else than text.
    fn into_found(self, file: &RepoPath) -> Option<Found> {
        let value = tidied(self.value);
        let text = value.text();
        if value.is_empty() || matches!(text, "null" | "~" | "true" | "false") {
            return None;
        }
        if value.is_known() && text.starts_with(['{', '[', '*', '|', '>']) {
            return None;
        }
        if !self.is_exact && matches!(value.target(), Target::Invalid { .. }) {
            return None;
        }
        let start = self.start.unwrap_or(self.end);
        let at = Location { file: file.clone(), span: Span::new(start, self.end.max(start)) };
        Some(Found { at, value, is_off: self.is_off, is_word: self.is_word })
    }
}

/// A value as YAML reads it, without the space and quotes that functions put
/// around it; where a part of it is plainly missing, it is not known.
pub(super) fn tidied(value: Value) -> Value {
    let text = value.text();
    let inner = text.trim().trim_matches(['"', '\'']).trim();
    let start = inner.as_ptr() as usize - text.as_ptr() as usize;
    let end = start + inner.len();
    let value = value.part(start, end);
    match gap(value.text()) {
        Some(at) if value.is_known() && matches!(value.target(), Target::Invalid { .. }) => {
            value.opened(at, "a part of it is empty")
        }
        _ => value,
    }
}

/// Where an empty part of a reference was put in.
fn gap(text: &str) -> Option<usize> {
    if text.starts_with(['/', ':', '@']) {
        return Some(0);
    }
    let of = |sign: &str, length: usize| text.find(sign).map(|at| at + length);
    let ends = |sign: &str| text.ends_with(sign).then_some(text.len());
    of("//", 1)
        .or_else(|| of("/:", 1))
        .or_else(|| of("/@", 1))
        .or_else(|| of(":@", 1))
        .or_else(|| ends(":"))
        .or_else(|| ends("@"))
        .or_else(|| ends("/"))
}

/// Whether the value of a key is an image by its name: `image`, `initImage`, `base_image`.
pub(super) fn is_image_key(key: &str) -> bool {
    key.len() >= 5
        && key.is_char_boundary(key.len() - 5)
        && key[key.len() - 5..].eq_ignore_ascii_case("image")
}

/// Whether a line of a text has a key of an image.
pub(super) fn has_key(text: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), b"mage").any(|at| {
        let rest = text[at + 4..].trim_start_matches(['"', '\'']);
        rest.starts_with(':')
    })
}

/// The first key of an image in a part of a line: where its value begins, and
/// whether it is `image` itself.
fn find_key(text: &str) -> Option<(usize, bool)> {
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(&text.as_bytes()[from..], b"mage") {
        let end = from + found + 4;
        from = end;
        let bytes = text.as_bytes();
        let quote = bytes.get(end).copied().filter(|byte| matches!(byte, b'"' | b'\''));
        let colon = end + usize::from(quote.is_some());
        let after = bytes.get(colon + 1);
        if bytes.get(colon) != Some(&b':') || after.is_some_and(|after| !after.is_ascii_whitespace()) {
            continue;
        }
        let name_start = text[..end]
            .rfind(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.' | '/')))
            .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
        let key = &text[name_start..end];
        let before = &text[..name_start];
        let stands_alone = match quote {
            Some(quote) => before.ends_with(char::from(quote)),
            None => before.is_empty() || before.ends_with([' ', '\t', '{', ',']),
        };
        if stands_alone && is_image_key(key) && !key.starts_with('-') {
            return Some((colon + 1, key == "image"));
        }
    }
    None
}
