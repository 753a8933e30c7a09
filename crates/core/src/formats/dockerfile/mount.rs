//! The value of `RUN --mount=…`: a line of comma-separated fields, of which only
//! `from` names an image.
//!
//! After `parseMount` in `frontend/dockerfile/instructions/commands_runmount.go`
//! of BuildKit 0.34 (read once, before any variable is known) and
//! `tonistiigi/go-csvvalue`:
//!
//! ```text
//! fields := field { "," field }
//! field  := text without `"` | '"' { char | '""' } '"'
//! ```

use super::flags::FlagValue;
use super::flags::Places;
use super::go;

/// The `from` of a mount, `None` when it has none.
///
/// # Errors
/// When BuildKit would refuse the mount before it looks for images.
pub(super) fn from(value: &FlagValue) -> Result<Option<FlagValue>, String> {
    let mut from = None;
    for field in fields(value)? {
        let Some(equals) = field.text.find('=') else { continue };
        if go::lower(&field.text[..equals]) != "from" {
            continue;
        }
        let text = field.text[equals + 1..].to_owned();
        if text.find('$').is_some_and(|at| at + 1 != text.len()) {
            return Err(
                "`from` of a mount takes no variables; name a stage with `FROM … AS` and mount from that"
                    .to_owned(),
            );
        }
        let places = field.places.part(equals + 1, field.text.len());
        from = Some(FlagValue { text, places });
    }
    Ok(from.filter(|from| !from.text.is_empty()))
}

fn fields(value: &FlagValue) -> Result<Vec<FlagValue>, String> {
    let text = &value.text;
    if text.is_empty() {
        return Err("`--mount=` is empty".to_owned());
    }
    let bytes = text.as_bytes();
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        if bytes.get(at) != Some(&b'"') {
            let end = text[at..].find(',').map_or(text.len(), |comma| at + comma);
            if text[at..end].contains('"') {
                return Err("a quote inside a field of `--mount=`".to_owned());
            }
            fields.push(FlagValue { text: text[at..end].to_owned(), places: value.places.part(at, end) });
            if end == text.len() {
                return Ok(fields);
            }
            at = end + 1;
            continue;
        }
        at += 1;
        let mut field = String::new();
        let mut places = Vec::new();
        loop {
            let Some(quote) = text[at..].find('"').map(|found| at + found) else {
                return Err("a quote in `--mount=` is not closed".to_owned());
            };
            field.push_str(&text[at..quote]);
            places.extend((at..quote).map(|index| value.places.at(index)));
            at = quote + 1;
            match bytes.get(at) {
                Some(b'"') => {
                    field.push('"');
                    places.push(value.places.at(at));
                    at += 1;
                }
                Some(b',') => break,
                None => {
                    fields.push(FlagValue { text: field, places: Places::Each(places) });
                    return Ok(fields);
                }
                Some(_) => return Err("text after a closing quote in `--mount=`".to_owned()),
            }
        }
        fields.push(FlagValue { text: field, places: Places::Each(places) });
        at += 1;
    }
}
