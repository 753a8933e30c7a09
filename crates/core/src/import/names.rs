//! What other engines write for images, as patterns of ours: hosts, folders, whole
//! references, beginnings of texts.

use crate::image::ImageRef;
use crate::image::Pattern;

/// Patterns for a text, and what no longer goes through when it is read safely.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) patterns: Vec<String>,
    /// For people: ``was compared as the beginning of a text, and also let `x.evil.io/…` through``.
    pub(super) narrower: Option<String>,
}

/// What cannot be translated, for people.
pub(super) type Why = String;

/// What a beginning of a text let through beside what it names.
fn as_beginning(other: &str) -> String {
    format!("was compared as the beginning of a text, and also let `{other}` through")
}

/// What an end of a text let through beside what it names.
pub(super) fn as_end(other: &str) -> String {
    format!("was compared as the end of a text, and also let `{other}` through")
}

/// Whether the first part of a name is a host, as Docker tells it from an owner.
fn is_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

/// Whether a name that stands alone is a host: `redis:7` is a tag, `localhost:5000` is none.
fn is_host_alone(name: &str) -> bool {
    let before_port = name.split(':').next().unwrap_or(name);
    before_port.contains('.') || before_port == "localhost"
}

/// Like [`folder`], for engines that compare with a host in front only.
pub(super) fn folder_of_host(text: &str) -> Result<Names, Why> {
    if is_host(text.split('/').next().unwrap_or(text)) {
        return folder(text);
    }
    Err("it names no host, so that it never matched anything".to_owned())
}

/// Everything in a host or folder, and the repository of that name.
pub(super) fn folder(text: &str) -> Result<Names, Why> {
    let (first, path) = text.split_once('/').map_or((text, None), |(first, path)| (first, Some(path)));
    let patterns = match (is_host(first), path) {
        (true, None) => vec![format!("{first}/**")],
        (true, Some(path)) if first == "docker.io" && !path.contains('/') => {
            vec![format!("{first}/{path}/**")]
        }
        (true, Some(path)) if first == "docker.io" => vec![format!("{first}/{path}")],
        (true, Some(path)) => vec![format!("{first}/{path}"), format!("{first}/{path}/**")],
        (false, None) => vec![format!("docker.io/{first}/**")],
        (false, Some(path)) => vec![format!("docker.io/{first}/{path}")],
    };
    checked(patterns, None)
}

/// One whole reference, as it is written: without a tag it is `latest`.
pub(super) fn exact(text: &str) -> Result<Names, Why> {
    let image = ImageRef::parse(text).map_err(|error| error.to_string())?;
    let name = format!("{}/{}", image.registry, image.repository);
    let pattern = match (&image.tag, &image.digest) {
        (_, Some(digest)) => format!("{name}@{digest}"),
        (Some(tag), None) => format!("{name}:{tag}"),
        (None, None) => format!("{name}:latest"),
    };
    checked(vec![pattern], None)
}

/// Whatever begins with a text: the host, folder or reference that it names.
pub(super) fn beginning(text: &str) -> Result<Names, Why> {
    if text.is_empty() {
        return Err("it lets everything through".to_owned());
    }
    if let Some(text) = text.strip_suffix('/') {
        return match text.split_once('/') {
            Some((host, path)) if is_host(host) => checked(vec![format!("{host}/{path}/**")], None),
            Some((owner, path)) => checked(vec![format!("docker.io/{owner}/{path}/**")], None),
            None => folder(text),
        };
    }
    if let Some(name) = text.strip_suffix([':', '@']) {
        let image = ImageRef::parse(name).map_err(|error| error.to_string())?;
        return checked(vec![image.name()], None);
    }
    let (before, last) = text.rsplit_once('/').unwrap_or(("", text));
    if last.contains(['@', ':']) && (!before.is_empty() || !is_host_alone(last)) {
        let narrower = Some(as_beginning(&format!("{text}…")));
        return Ok(Names { narrower, ..exact(text)? });
    }
    let mut names = folder(text)?;
    if before.is_empty() && !is_host_alone(text) {
        names.patterns.insert(0, format!("docker.io/library/{text}"));
        names = checked(names.patterns, None)?;
    } else if before == "docker.io" {
        names.patterns.insert(0, format!("docker.io/library/{last}"));
        names = checked(names.patterns, None)?;
    }
    let other = if before.is_empty() && is_host_alone(text) {
        format!("{text}.evil.io/…")
    } else {
        format!("{text}-evil")
    };
    names.narrower = Some(as_beginning(&other));
    Ok(names)
}

/// A glob in which `*` is any text, `/` included.
pub(super) fn glob(text: &str) -> Result<Names, Why> {
    let inner = text.strip_suffix('*').unwrap_or(text);
    if text.contains('?') {
        return Err("`?` has no counterpart".to_owned());
    }
    if let Some(rest) = inner.strip_prefix("*.") {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if rest.contains('*') || !path.is_empty() || !inner.ends_with('/') || !text.ends_with('*') {
            return Err("a `*` in front stands for a whole path too".to_owned());
        }
        let narrower = Some(as_end(&format!("evil.io/x.{host}/…")));
        return checked(vec![format!("*.{host}/**")], narrower);
    }
    match (inner.contains('*'), text.ends_with('*')) {
        (true, _) => Err("a `*` in the middle stands for a whole path too".to_owned()),
        (false, true) => beginning(inner),
        (false, false) => exact(text),
    }
}

/// The patterns among these that can match something.
fn checked(patterns: Vec<String>, narrower: Option<String>) -> Result<Names, Why> {
    let mut read = Vec::new();
    let mut why = None;
    for text in patterns {
        match Pattern::parse(&text) {
            Ok(pattern) => read.push(pattern.to_string()),
            Err(error) => why = why.or(Some(error.message)),
        }
    }
    match why {
        Some(why) if read.is_empty() => Err(why),
        _ => Ok(Names { patterns: read, narrower }),
    }
}
