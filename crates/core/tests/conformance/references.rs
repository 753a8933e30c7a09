//! The vectors of references: `references.cases` has one text a line, in the
//! notation of `cases.rs`; the golden file has what
//! distribution/reference makes of each, tab-separated.
//!
//! ```text
//! line := text ( normal-form domain path tag digest | "error" message )
//! ```

use fromguard_core::image::ImageRef;

/// What distribution/reference made of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vector {
    /// The text.
    pub(crate) text: String,
    /// Its parts, or why it is no reference.
    pub(crate) read: Result<Parts, String>,
}

/// The parts of a reference; what is not there is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) normalised: String,
    pub(crate) domain: String,
    pub(crate) path: String,
    pub(crate) tag: String,
    pub(crate) digest: String,
}

/// Reads the texts to ask about.
///
/// # Errors
/// With the line that is not in the notation.
pub(crate) fn texts(file: &str) -> Result<Vec<String>, String> {
    file.lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .map(|line| {
            let mut text = String::new();
            super::cases::decode(line, &mut text).map_err(|what| format!("{what}: {line}"))?;
            Ok(text)
        })
        .collect()
}

/// Reads the golden file.
///
/// # Errors
/// With the line that is no vector.
pub(crate) fn read(file: &str) -> Result<Vec<Vector>, String> {
    file.lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .map(|line| {
            let mut fields = line.split('\t');
            let mut field = || fields.next().ok_or_else(|| format!("a field is missing: {line}"));
            let mut text = String::new();
            super::cases::decode(field()?, &mut text)?;
            let first = field()?;
            if first == "error" {
                return Ok(Vector { text, read: Err(field()?.to_owned()) });
            }
            let mut parts = Parts { normalised: first.to_owned(), ..Parts::default() };
            for part in [&mut parts.domain, &mut parts.path, &mut parts.tag, &mut parts.digest] {
                field()?.clone_into(part);
            }
            Ok(Vector { text, read: Ok(parts) })
        })
        .collect()
}

/// Writes the golden file. `versions` says what answered.
pub(crate) fn write(versions: &str, vectors: &[Vector]) -> String {
    let mut out = format!("# Written by `cargo xtask oracle`; answered by {versions}.\n");
    for Vector { text, read } in vectors {
        encode(text, &mut out);
        match read {
            Ok(Parts { normalised, domain, path, tag, digest }) => {
                for field in [normalised, domain, path, tag, digest] {
                    out.push('\t');
                    out.push_str(field);
                }
            }
            Err(message) => {
                out.push_str("\terror\t");
                encode(message, &mut out);
            }
        }
        out.push('\n');
    }
    out
}

/// In the notation, on one line whatever it holds.
fn encode(text: &str, out: &mut String) {
    let mut encoded = String::new();
    super::cases::encode(text, &mut encoded);
    out.push_str(&encoded.replace('\n', "‹U+000A›"));
}

/// How fromguard's reading differs, in words.
pub(crate) fn difference(vector: &Vector) -> Option<String> {
    let text = &vector.text;
    match (&vector.read, ImageRef::parse(text)) {
        (Err(_), Err(_)) => None,
        (Err(message), Ok(image)) => Some(format!("{text:?} is {image} here, and refused there: {message}")),
        (Ok(parts), Err(error)) => {
            Some(format!("{text:?} is {} there, and refused here: {error}", parts.normalised))
        }
        (Ok(parts), Ok(image)) => {
            let ours = Parts {
                normalised: image.to_string(),
                domain: image.registry.clone(),
                path: image.repository.clone(),
                tag: image.tag.clone().unwrap_or_default(),
                digest: image.digest.as_ref().map(ToString::to_string).unwrap_or_default(),
            };
            // Where the first component is not a domain by the grammar (`my_host.com/x`),
            // upstream has no domain at all; a runtime contacts that host all the same.
            let theirs = if parts.domain.is_empty() {
                let (domain, path) = parts.path.split_once('/').unwrap_or(("", &parts.path));
                Parts { domain: domain.to_owned(), path: path.to_owned(), ..parts.clone() }
            } else {
                parts.clone()
            };
            (ours != theirs).then(|| format!("{text:?} is {ours:?} here and {theirs:?} there"))
        }
    }
}
