//! Text that was put together from pieces of one file, and knows where each of
//! its bytes came from: a block scalar without its indentation, a string without
//! its escapes, a command that stands on several lines.

use std::ops::Range;

use crate::source::Span;

/// A text and where its bytes stand in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapped {
    text: String,
    /// In the order of the text; each begins where the one before ends.
    runs: Vec<Run>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// Where it begins in the text.
    at: usize,
    /// What it was made of.
    source: Span,
    /// Whether each byte of the text is the byte of the file that it stands for.
    verbatim: bool,
}

impl Mapped {
    /// Text that stands in the file as it is, from byte `start` on.
    ///
    /// ```
    /// # use fromguard_core::source::{Mapped, Span};
    /// let mut text = Mapped::verbatim("docker \\\n", 10);
    /// text = text.slice(0..7);
    /// text.push_verbatim("pull a", 21);
    /// assert_eq!(text.text(), "docker pull a");
    /// assert_eq!(text.span(7..11), Span::new(21, 25));
    /// ```
    #[must_use]
    pub fn verbatim(text: &str, start: usize) -> Mapped {
        let mut mapped = Mapped::default();
        mapped.push_verbatim(text, start);
        mapped
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Appends text that stands in the file as it is, from byte `start` on.
    pub fn push_verbatim(&mut self, text: &str, start: usize) {
        if text.is_empty() {
            return;
        }
        let end = start + text.len();
        match self.runs.last_mut() {
            Some(last) if last.verbatim && last.source.end == start => last.source.end = end,
            _ => {
                self.runs.push(Run { at: self.text.len(), source: Span::new(start, end), verbatim: true });
            }
        }
        self.text.push_str(text);
    }

    /// Appends text that was made of other bytes: what an escape stands for, the
    /// space that a folded line break is.
    pub fn push_made(&mut self, text: &str, source: Span) {
        if text.is_empty() {
            return;
        }
        self.runs.push(Run { at: self.text.len(), source, verbatim: false });
        self.text.push_str(text);
    }

    /// Appends another text of the same file.
    pub fn append(&mut self, other: &Mapped) {
        for (index, run) in other.runs.iter().enumerate() {
            let text = &other.text[run.at..other.end_of(index)];
            match run.verbatim {
                true => self.push_verbatim(text, run.source.start),
                false => self.push_made(text, run.source),
            }
        }
    }

    /// The bytes of the file that a range of the text was made of, from the first
    /// to the last; for an empty range the place where it would stand.
    #[must_use]
    pub fn span(&self, range: Range<usize>) -> Span {
        let start = self.place(range.start, false);
        if range.start >= range.end {
            return Span::new(start, start);
        }
        Span::new(start, self.place(range.end - 1, true).max(start))
    }

    /// A part of the text; empty when the range is not of the text.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Mapped {
        let mut part = Mapped::default();
        if self.text.get(range.clone()).is_none() {
            return part;
        }
        let first = self.runs.partition_point(|run| run.at <= range.start).saturating_sub(1);
        for (index, run) in self.runs.iter().enumerate().skip(first) {
            let (start, end) = (run.at.max(range.start), self.end_of(index).min(range.end));
            if run.at >= range.end || start >= end {
                break;
            }
            match run.verbatim {
                true => part.push_verbatim(&self.text[start..end], run.source.start + (start - run.at)),
                false => part.push_made(&self.text[start..end], run.source),
            }
        }
        part
    }

    fn end_of(&self, index: usize) -> usize {
        self.runs.get(index + 1).map_or(self.text.len(), |next| next.at)
    }

    /// Where the byte of the text at `at` begins, or ends, in the file.
    fn place(&self, at: usize, ends: bool) -> usize {
        let index = self.runs.partition_point(|run| run.at <= at).checked_sub(1);
        let Some(run) = index.and_then(|index| self.runs.get(index)) else { return 0 };
        match (run.verbatim, ends) {
            (true, _) => (run.source.start + (at - run.at) + usize::from(ends)).min(run.source.end),
            (false, true) => run.source.end,
            (false, false) if at >= self.text.len() => run.source.end,
            (false, false) => run.source.start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `"a\tb" c` with the tab as an escape, and a second line.
    fn sample() -> Mapped {
        let mut text = Mapped::verbatim("a", 1);
        text.push_made("\t", Span::new(2, 4));
        text.push_verbatim("b", 4);
        text.push_made(" ", Span::new(5, 9));
        text.push_verbatim("c", 9);
        text
    }

    #[test]
    fn knows_where_each_byte_stands() {
        let text = sample();
        assert_eq!(text.text(), "a\tb c");
        assert_eq!(text.span(0..1), Span::new(1, 2));
        assert_eq!(text.span(1..2), Span::new(2, 4));
        assert_eq!(text.span(2..5), Span::new(4, 10));
        assert_eq!(text.span(5..5), Span::new(10, 10));
        assert_eq!(Mapped::default().span(0..0), Span::new(0, 0));
    }

    #[test]
    fn a_part_and_a_sum_know_it_too() {
        let text = sample();
        let part = text.slice(1..4);
        assert_eq!((part.text(), part.span(1..2)), ("\tb ", Span::new(4, 5)));
        let mut sum = text.slice(0..2);
        sum.append(&text.slice(2..5));
        assert_eq!(sum, text);
        assert_eq!(text.slice(4..9), Mapped::default());
    }

    #[test]
    fn what_follows_on_is_one_run() {
        let mut text = Mapped::verbatim("ab", 3);
        text.push_verbatim("cd", 5);
        assert_eq!(text, Mapped::verbatim("abcd", 3));
    }
}
