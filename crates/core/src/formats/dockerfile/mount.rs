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

use std::borrow::Cow;

use memchr::memchr;

use super::flags::FlagValue;
use super::flags::Places;
use super::go;

/// The `from` of a mount, `None` when it has none.
///
/// # Errors
/// When BuildKit would refuse the mount before it looks for images.
pub(super) fn from<'f>(value: &'f FlagValue<'_>) -> Result<Option<FlagValue<'f>>, String> {
    let mut from = None;
    let mut refused = None;
    each_field(value, |field| {
        let Some(equals) = memchr(b'=', field.text.as_bytes()) else { return };
        if go::lower(&field.text[..equals]) != "from" {
            return;
        }
        let places = field.places.part(equals + 1, field.text.len());
        let text = match field.text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[equals + 1..]),
            Cow::Owned(text) => Cow::Owned(text[equals + 1..].to_owned()),
        };
        if text.find('$').is_some_and(|at| at + 1 != text.len()) {
            refused = Some(
                "`from` of a mount takes no variables; name a stage with `FROM … AS` and mount from that"
                    .to_owned(),
            );
        }
        from = Some(FlagValue { text, places });
    })?;
    match refused {
        Some(message) => Err(message),
        None => Ok(from.filter(|from| !from.text.is_empty())),
    }
}

/// Hands every field to `found`, in order.
fn each_field<'f>(value: &'f FlagValue<'_>, mut found: impl FnMut(FlagValue<'f>)) -> Result<(), String> {
    let text: &'f str = &value.text;
    if text.is_empty() {
        return Err("`--mount=` is empty".to_owned());
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        if bytes.get(at) != Some(&b'"') {
            let end = memchr(b',', &bytes[at..]).map_or(text.len(), |comma| at + comma);
            if memchr(b'"', &bytes[at..end]).is_some() {
                return Err("a quote inside a field of `--mount=`".to_owned());
            }
            found(FlagValue { text: Cow::Borrowed(&text[at..end]), places: value.places.part(at, end) });
            if end == text.len() {
                return Ok(());
            }
            at = end + 1;
            continue;
        }
        at += 1;
        let mut field = String::new();
        let mut places = Vec::new();
        loop {
            let Some(quote) = memchr(b'"', &bytes[at..]).map(|found| at + found) else {
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
                    found(FlagValue { text: Cow::Owned(field), places: Places::Each(places) });
                    return Ok(());
                }
                Some(_) => return Err("text after a closing quote in `--mount=`".to_owned()),
            }
        }
        found(FlagValue { text: Cow::Owned(field), places: Places::Each(places) });
        at += 1;
    }
}
