//! What was found: lines, and how they are shown.

use std::fmt::Write as _;

use fromguard_core::report::Style;
use serde::Serialize;

/// What sentences are wrapped at, in columns.
const WIDTH: usize = 80;
/// How far what follows a line's level is indented.
const INDENT: usize = 6;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It is as it should be.
    Ok,
    /// It works, and somebody should know.
    Warn,
    /// It does not work, or does not protect.
    Fail,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "fail",
        }
    }

    /// The ANSI colour.
    fn colour(self) -> u8 {
        match self {
            Level::Ok => 32,
            Level::Warn => 33,
            Level::Fail => 31,
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What was looked at, for scripts.
    pub check: &'static str,
    /// How it is.
    pub level: Level,
    /// What was seen: whole sentences.
    pub message: String,
    /// What to do; `None` when nothing is.
    pub remedy: Option<String>,
    /// Lines that are shown as they are: what is wrong with a policy.
    pub detail: Option<String>,
}

impl Line {
    pub(super) fn ok(check: &'static str, message: impl Into<String>) -> Line {
        Line { check, level: Level::Ok, message: message.into(), remedy: None, detail: None }
    }

    pub(super) fn warn(check: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Line {
        Line { level: Level::Warn, remedy: Some(remedy.into()), ..Line::ok(check, message) }
    }

    pub(super) fn fail(check: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Line {
        Line { level: Level::Fail, ..Line::warn(check, message, remedy) }
    }

    pub(super) fn with_detail(self, detail: String) -> Line {
        Line { detail: Some(detail), ..self }
    }
}

/// Everything that was looked at, in the order to read it in.
#[derive(Debug, Default)]
pub struct Checkup {
    /// One for each check, and for each thing that is wrong.
    pub lines: Vec<Line>,
}

impl Checkup {
    pub(super) fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    pub(super) fn extend(&mut self, lines: impl IntoIterator<Item = Line>) {
        self.lines.extend(lines);
    }

    /// How many lines are of a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.lines.iter().filter(|line| line.level == level).count()
    }

    /// For people: a line each, what to do below it, and the counts at the end.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let mut out = String::new();
        for line in &self.lines {
            let word = line.level.word();
            let padding = " ".repeat(INDENT - word.len());
            let sentences = wrapped(&line.message);
            let _ = match style {
                Style::Plain => writeln!(out, "{word}{padding}{sentences}"),
                Style::Coloured => {
                    writeln!(out, "\x1b[1;{}m{word}\x1b[0m{padding}{sentences}", line.level.colour())
                }
            };
            for text in line.detail.iter().flat_map(|detail| detail.lines()) {
                let _ = match text.is_empty() {
                    true => writeln!(out),
                    false => writeln!(out, "{:INDENT$}{text}", ""),
                };
            }
            if let Some(remedy) = &line.remedy {
                let _ = writeln!(out, "{:INDENT$}{}", "", wrapped(&format!("-> {remedy}")));
            }
        }
        let (ok, warned, failed) = (self.count(Level::Ok), self.count(Level::Warn), self.count(Level::Fail));
        let _ = writeln!(out, "\n{ok} ok, {warned} to know of, {failed} to mend");
        out
    }

    /// For scripts: one document.
    #[must_use]
    pub fn json(&self) -> String {
        let document = serde_json::json!({
            "version": 1,
            "checks": self.lines,
            "ok": self.count(Level::Ok),
            "warn": self.count(Level::Warn),
            "fail": self.count(Level::Fail),
        });
        format!("{document:#}\n")
    }
}

/// Wrapped at [`WIDTH`], every line but the first indented. What others wrote keeps no control
/// characters, which could rewrite what stands above.
fn wrapped(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut out = String::new();
    let mut column = INDENT;
    for word in clean.split_whitespace() {
        let width = word.chars().count();
        if column > INDENT && column + 1 + width > WIDTH {
            let _ = write!(out, "\n{:INDENT$}", "");
            column = INDENT;
        }
        if column > INDENT {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_under_their_level_and_counted() {
        let long = "word ".repeat(20);
        let lines = vec![
            Line::ok("a", "Fine."),
            Line::fail("b", long.as_str(), "Do\x1b[2J it.").with_detail("  | code\n\n  | more\n".to_owned()),
        ];
        let text = Checkup { lines }.text(Style::Plain);
        let fifteen = ["word"; 15].join(" ");
        let five = ["word"; 5].join(" ");
        let expected = format!(
            "ok    Fine.\nfail  {fifteen}\n      {five}\n        | code\n\n        | more\n      -> Do [2J it.\n\n\
             1 ok, 0 to know of, 1 to mend\n"
        );
        assert_eq!(text, expected);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
    }
}
