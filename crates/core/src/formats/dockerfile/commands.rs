//! What `RUN`s command: images that a build pulls beside those of its stages. The exec
//! form is read as the shell command that does the same.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::formats::Extracted;
use crate::formats::shell;
use crate::formats::shell::Script;
use crate::formats::uses::Finder;
use crate::image::Stage;
use crate::source::Mapped;
use crate::source::SourceFile;

use super::instruction;
use super::uses;

/// Adds the uses of the scripts of a file. They are no part of what is shipped.
pub(super) fn read(file: &SourceFile, scripts: &[Mapped], extracted: &mut Extracted) {
    let local = RefCell::new(BTreeSet::new());
    let mut found = Extracted::default();
    for text in scripts {
        let quoted = instruction::is_exec_form(text.text()).then(|| quoted(text));
        let script = Script {
            finder: Finder { file, format: uses::FORMAT },
            text: quoted.as_ref().unwrap_or(text),
            foreign: &[],
            environment: &|_| None,
            folders: &[],
            local: &local,
        };
        shell::read(&script, &mut found);
    }
    for usage in &mut found.uses {
        usage.stage = Stage::Build;
    }
    extracted.uses.append(&mut found.uses);
    extracted.problems.append(&mut found.problems);
}

/// The exec form, `["docker", "pull", "a"]`, as a shell would have to be given it.
fn quoted(list: &Mapped) -> Mapped {
    let text = list.text();
    let mut script = Mapped::default();
    let mut made = |text: &str, range: Range<usize>| script.push_made(text, list.span(range));
    let mut is_inside = false;
    let mut at = 0;
    while let Some(char) = text[at..].chars().next() {
        let mut end = at + char.len_utf8();
        match char {
            '"' => {
                made(if is_inside { "' " } else { "'" }, at..end);
                is_inside = !is_inside;
            }
            _ if !is_inside => {}
            '\\' => {
                end += match &text.as_bytes()[end..] {
                    [b'u', ..] if is_surrogate(&text[at..]) => 11,
                    [b'u', ..] => 5,
                    _ => 1,
                };
                let char =
                    text.get(at..end).map(|escape| serde_json::from_str::<String>(&format!("\"{escape}\"")));
                let char = char.and_then(Result::ok).unwrap_or_default();
                made(if char == "'" { QUOTE } else { &char }, at..end);
            }
            '\'' => made(QUOTE, at..end),
            _ => made(&text[at..end], at..end),
        }
        at = end.min(text.len());
    }
    script
}

/// A quote inside quotes.
const QUOTE: &str = r"'\''";

/// Whether an escape is the first of two that stand for one character.
fn is_surrogate(escape: &str) -> bool {
    escape
        .get(2..4)
        .is_some_and(|digits| matches!(digits.to_ascii_lowercase().as_str(), "d8" | "d9" | "da" | "db"))
}
