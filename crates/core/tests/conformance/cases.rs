//! The files under `tests/conformance`: questions, grouped by what they are
//! about, as text that a person can read and compare.
//!
//! ```text
//! file   := { line } { case }            lines before the first case are for people
//! case   := "=== " name { "--- " key ": " value } { line }
//! key    := "about" | "source" | "arg" | "context" | "image" | "platforms"
//! ```
//!
//! The lines after the keys are the Dockerfile itself, byte for byte but for
//! one notation: `‹…›` holds what an editor would hide or spoil, one of `CR`,
//! `TAB`, `SP`, `BOM`, `U+XXXX`, and `END`, which drops the line feed that
//! follows it.

use std::fmt::Write as _;

/// One question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Case {
    /// What it is called, unique in its file.
    pub(crate) name: String,
    /// The Dockerfile.
    pub(crate) text: String,
    /// What it shows.
    pub(crate) about: String,
    /// Where the input comes from.
    pub(crate) source: String,
    /// Build arguments.
    pub(crate) args: Vec<(String, String)>,
    /// Named contexts.
    pub(crate) contexts: Vec<(String, String)>,
    /// ONBUILD triggers in the configuration of base images.
    pub(crate) images: Vec<(String, String)>,
    /// The target platforms, when they are not [`PLATFORMS`].
    pub(crate) platforms: Vec<String>,
}

/// The platforms that a case is built for when it names none.
pub(crate) const PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];

impl Case {
    /// A case that is nothing but a text.
    pub(crate) fn of(name: &str, text: &str) -> Case {
        Case { name: name.to_owned(), text: text.to_owned(), ..Case::default() }
    }

    /// Whether the text alone decides the answer: nothing is built with
    /// arguments, contexts, images or platforms that a reader of the file cannot see.
    pub(crate) fn is_alone(&self) -> bool {
        self.args.is_empty()
            && self.contexts.is_empty()
            && self.images.is_empty()
            && self.platforms.is_empty()
    }

    /// Whether a repository can say all that decides the answer. What triggers an
    /// image holds is in a registry.
    pub(crate) fn is_readable(&self) -> bool {
        self.images.is_empty()
    }

    /// The target platforms.
    pub(crate) fn platforms(&self) -> Vec<String> {
        match self.platforms.as_slice() {
            [] => PLATFORMS.map(str::to_owned).to_vec(),
            named => named.to_vec(),
        }
    }
}

/// Reads a file of cases.
///
/// # Errors
/// With the line that is not as the grammar has it.
pub(crate) fn read(text: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    let mut in_keys = false;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let wrong = |what: &str| format!("line {}: {what}: {}", index + 1, line.trim_end());
        if let Some(name) = line.strip_prefix("=== ") {
            let name = name.trim_end();
            if cases.iter().any(|case| case.name == name) {
                return Err(wrong("two cases of one name"));
            }
            cases.push(Case { name: name.to_owned(), ..Case::default() });
            in_keys = true;
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(key) = line.strip_prefix("--- ").filter(|_| in_keys) {
            let (key, value) = key.trim_end().split_once(": ").ok_or_else(|| wrong("no value"))?;
            let pair = || {
                let (name, value) = value.split_once('=').ok_or_else(|| wrong("no `=`"))?;
                Ok::<_, String>((name.to_owned(), value.to_owned()))
            };
            match key {
                "about" => value.clone_into(&mut case.about),
                "source" => value.clone_into(&mut case.source),
                "arg" => case.args.push(pair()?),
                "context" => case.contexts.push(pair()?),
                "image" => case.images.push(pair()?),
                "platforms" => case.platforms = value.split(' ').map(str::to_owned).collect(),
                _ => return Err(wrong("no such key")),
            }
            continue;
        }
        in_keys = false;
        decode(line, &mut case.text).map_err(|what| wrong(&what))?;
    }
    Ok(cases)
}

/// Writes a case as [`read`] reads it.
pub(crate) fn write(case: &Case) -> String {
    let mut out = format!("=== {}\n", case.name);
    let mut key = |key: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "--- {key}: {value}");
        }
    };
    key("about", &case.about);
    key("source", &case.source);
    for (name, pairs) in [("arg", &case.args), ("context", &case.contexts), ("image", &case.images)] {
        for (left, right) in pairs {
            key(name, &format!("{left}={right}"));
        }
    }
    key("platforms", &case.platforms.join(" "));
    encode(&case.text, &mut out);
    if !case.text.ends_with('\n') {
        out.push_str("‹END›\n");
    }
    out
}

/// Reads the notation.
///
/// # Errors
/// With what is not in the notation.
pub(crate) fn decode(line: &str, out: &mut String) -> Result<(), String> {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('‹') {
        out.push_str(before);
        let (name, after) = after.split_once('›').ok_or("`‹` without `›`")?;
        rest = after;
        match name {
            "CR" => out.push('\r'),
            "TAB" => out.push('\t'),
            "SP" => out.push(' '),
            "BOM" => out.push('\u{feff}'),
            "END" => rest = rest.strip_prefix('\n').ok_or("text after ‹END›")?,
            code => out.push(
                code.strip_prefix("U+")
                    .and_then(|hex| u32::from_str_radix(hex, 16).ok())
                    .and_then(char::from_u32)
                    .ok_or_else(|| format!("no such notation: ‹{code}›"))?,
            ),
        }
    }
    out.push_str(rest);
    Ok(())
}

/// Writes in the notation.
pub(crate) fn encode(text: &str, out: &mut String) {
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let line_ends = characters.peek().is_none_or(|(_, next)| matches!(next, '\n' | '\r'));
        let line_starts = at == 0 || text[..at].ends_with('\n');
        match character {
            '\n' => out.push('\n'),
            '\r' => out.push_str("‹CR›"),
            '\t' => out.push_str("‹TAB›"),
            ' ' if line_ends => out.push_str("‹SP›"),
            '\u{feff}' => out.push_str("‹BOM›"),
            // What would be read as the start of a case or as one of its keys.
            '=' | '-' if line_starts && ["=== ", "--- "].iter().any(|mark| text[at..].starts_with(mark)) => {
                let _ = write!(out, "‹U+{:04X}›", u32::from(character));
            }
            '‹' | '›' => {
                let _ = write!(out, "‹U+{:04X}›", u32::from(character));
            }
            other if other.is_control() || (other.is_whitespace() && other != ' ') => {
                let _ = write!(out, "‹U+{:04X}›", u32::from(other));
            }
            other => out.push(other),
        }
    }
}
