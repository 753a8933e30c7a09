//! Reading a pattern. Everything that is ambiguous or could never match is an
//! error that says what to write (policy.md, "Patterns").

use super::Glob;
use super::HostPattern;
use super::Pattern;
use super::PatternError;
use super::hosts;
use super::hosts::DOCKER_HUB;
use super::hosts::FOLDED_INTO_DOCKER_HUB;
use super::hosts::normal_host;
use super::hosts::without_port;
use crate::image::Digest;
use crate::image::ImageRef;
use crate::image::RefError;

/// The longest pattern, in bytes: a host, a path of 255 bytes, a tag of 128 and
/// a digest of 135 fit.
const MAX_PATTERN_BYTES: usize = 1024;
/// The longest tag, in bytes (distribution/reference v0.6.0, `regexp.go`).
const MAX_TAG_BYTES: usize = 128;

fn error<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, PatternError> {
    Err(PatternError { message: message.into(), help: Some(help.into()) })
}

pub(super) fn parse(text: &str) -> Result<Pattern, PatternError> {
    if text.is_empty() {
        return error(
            "a pattern cannot be empty",
            "write a registry and a path, as `registry.example.com/team/**`",
        );
    }
    if text.len() > MAX_PATTERN_BYTES {
        return Err(PatternError {
            message: format!(
                "a pattern is at most {MAX_PATTERN_BYTES} bytes long, this one is {}",
                text.len()
            ),
            help: None,
        });
    }
    if let Some(bad) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
        let what =
            if bad == ' ' { "a space".to_owned() } else { format!("the character {}", bad.escape_unicode()) };
        return error(format!("a pattern cannot hold {what}"), "write each pattern as an item of its own");
    }
    if !text.is_ascii() {
        return error(
            "a pattern holds ASCII characters only, as image references do",
            "write a host with other letters in its `xn--` form",
        );
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        return error(
            format!("a pattern names no protocol (`{scheme}://`)"),
            format!("write `{}`", rest.trim_end_matches('/')),
        );
    }
    if text.starts_with('!') {
        return error("a pattern cannot be negated with `!`", "list what is refused under `block`");
    }
    if let Some(bad) =
        text.chars().find(|c| matches!(c, '?' | '[' | '{' | '}' | '(' | '|' | '^' | '$' | '\\'))
        && !text.starts_with('[')
    {
        return error(
            format!("`{bad}` is not part of an image name; the only wildcards are `*` and a final `/**`"),
            "write one pattern for each alternative",
        );
    }

    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    if digest.is_some_and(|digest| digest.contains('/')) {
        return error(
            "`@` comes before a digest, at the end; a host has no user name before it",
            format!("write `{}`", text.rsplit_once('@').map_or(text, |(_, host)| host)),
        );
    }
    let Some((host, path)) = name.split_once('/') else { return bare(name) };
    let host = read_host(host, path)?;
    let last_segment = path.rfind('/').map_or(0, |slash| slash + 1);
    let (path, tag) = match path[last_segment..].split_once(':') {
        Some((last, tag)) => (&path[..last_segment + last.len()], Some(tag)),
        None => (path, None),
    };
    let (segments, deep) = read_path(&host, path)?;
    if let (Some(tag), Some(digest)) = (tag, digest) {
        let name = text.split_once(&format!(":{tag}@")).map_or(name, |(name, _)| name);
        return error(
            "a pattern has a tag or a digest, not both: a runtime ignores a tag beside a digest",
            format!("write `{name}@{digest}` or `{name}:{tag}`"),
        );
    }
    let tag = tag.map(|tag| read_tag(tag, name)).transpose()?.flatten();
    let digest = digest
        .map(|digest| {
            Digest::parse(digest).map_err(|error| PatternError {
                message: format!("`@` is followed by a digest: {error}"),
                help: Some("write the digest in full, as `@sha256:` and 64 hex digits".to_owned()),
            })
        })
        .transpose()?;
    let pattern = Pattern { host, segments, deep, tag, digest };
    check_can_match(&pattern)?;
    Ok(pattern)
}

/// A text without a `/`: an image's short name or a host, and nobody knows which.
fn bare(name: &str) -> Result<Pattern, PatternError> {
    if name.chars().all(|c| c == '*') {
        return error(
            format!("`{name}` names no registry"),
            "name each registry, as `registry.example.com/**`; what no source names is decided by `unknown`",
        );
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("*.") {
        return error(
            format!("`{name}` is a host without a path"),
            format!("write `{lower}/**` for every image on its subdomains"),
        );
    }
    let (before, after) = lower.split_once(':').unwrap_or((&lower, ""));
    let is_host = before.contains('.')
        || before == "localhost"
        || (!after.is_empty() && after.bytes().all(|b| b.is_ascii_digit()));
    if is_host {
        return error(
            format!("`{name}` could be the registry of that name, or an image of that name on Docker Hub"),
            format!("write `{lower}/**` for the registry, or `docker.io/library/{lower}` for the image"),
        );
    }
    error(
        format!("`{name}` could be Docker Hub's image, or an image of that name on your registry"),
        format!(
            "write `docker.io/library/{lower}` for Docker Hub's, or `registry.example.com/{lower}` with your registry's host"
        ),
    )
}

fn read_host(written: &str, path: &str) -> Result<HostPattern, PatternError> {
    let lower = written.to_ascii_lowercase();
    if written.is_empty() {
        return error(
            "a pattern starts with a host, not with `/`",
            format!("write `registry.example.com/{path}` with your registry's host"),
        );
    }
    let (subdomains, name) = match lower.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, lower.as_str()),
    };
    if name.contains('*') {
        return error(
            format!(
                "`{written}` is not a host: `*` stands only at its beginning, as `*.example.com`, for its subdomains"
            ),
            "write each host in full, or the domain that all of them are subdomains of",
        );
    }
    if !subdomains && name != "localhost" && !name.contains(['.', ':', '[']) {
        return error(
            format!(
                "`{written}/{path}` names no registry: it could be on Docker Hub, or on a registry of yours"
            ),
            format!(
                "write `docker.io/{lower}/{path}` for Docker Hub's, or `registry.example.com/{lower}/{path}` with your registry's host"
            ),
        );
    }
    let bare = without_port(name);
    if bare.ends_with('.') {
        let fixed = format!("{}{}", bare.trim_end_matches('.'), &name[bare.len()..]);
        return error(
            format!("`{written}` ends in a dot, which no image reference may"),
            format!("write `{}{fixed}/{path}`", if subdomains { "*." } else { "" }),
        );
    }
    let name = normal_host(name).into_owned();
    if name == FOLDED_INTO_DOCKER_HUB || without_port(&name) == FOLDED_INTO_DOCKER_HUB {
        return error(
            format!("`{FOLDED_INTO_DOCKER_HUB}` is read as `{DOCKER_HUB}`, so that this could never match"),
            format!("write `{DOCKER_HUB}/{path}`"),
        );
    }
    if subdomains {
        let labels: Vec<&str> = bare.split('.').collect();
        if labels.len() < 2
            || labels.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return error(
                format!(
                    "`{written}` is too wide: `*.` needs a domain of at least two names after it, and no address"
                ),
                "write the domain that is yours, as `*.example.com`",
            );
        }
    }
    // The grammar of hosts is that of references.
    match ImageRef::parse(&format!("{name}/a/a")) {
        Ok(image) if normal_host(&image.registry) == name => Ok(HostPattern { subdomains, name }),
        _ => Err(PatternError { message: format!("`{written}` is not a host name"), help: None }),
    }
}

fn read_path(host: &HostPattern, path: &str) -> Result<(Vec<Glob>, bool), PatternError> {
    let whole = format!("{}{}/{path}", if host.subdomains { "*." } else { "" }, host.name);
    let (before, deep) = match path {
        "**" => ("", true),
        _ => match path.strip_suffix("/**") {
            Some(before) => (before, true),
            None => (path, false),
        },
    };
    if before.contains("**") {
        return error(
            format!("in `{whole}`, `**` stands for whole segments, and only at the end"),
            "write `*` inside one segment, or end the pattern in `/**`",
        );
    }
    if path.is_empty() || path.ends_with('/') {
        let trimmed = whole.trim_end_matches('/');
        return error(
            format!("`{whole}` ends in `/`"),
            format!("write `{trimmed}/**` for everything under it"),
        );
    }
    let segments: Vec<&str> =
        if before.is_empty() && deep { Vec::new() } else { before.split('/').collect() };
    if segments.contains(&"") {
        return error(format!("`{whole}` has an empty segment"), "write one `/` between two segments");
    }
    if before.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return error(
            "repository names are lower case, so that this could never match",
            format!("write `{}`", whole.to_ascii_lowercase()),
        );
    }
    if before.contains(':') {
        return error(
            format!("in `{whole}`, `:` stands in the middle; it comes before a tag, at the end"),
            "write the port after the host, and the tag after the last segment",
        );
    }
    Ok((segments.into_iter().map(Glob::new).collect(), deep))
}

fn read_tag(tag: &str, name: &str) -> Result<Option<Glob>, PatternError> {
    let without = name.strip_suffix(tag).and_then(|name| name.strip_suffix(':')).unwrap_or(name);
    if tag.is_empty() || tag.contains("**") {
        return error(
            format!("`:{tag}` is not a tag; `*` is the wildcard in tags"),
            format!("write `{without}` for every tag"),
        );
    }
    if tag == "*" {
        return Ok(None);
    }
    check_tag_glob(tag).map_err(|message| PatternError {
        message,
        help: Some("write letters, digits, `_`, `.`, `-` and the wildcard `*`".to_owned()),
    })?;
    Ok(Some(Glob::new(tag)))
}

/// Whether some tag matches a glob.
pub(super) fn check_tag_glob(glob: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'*');
    let literal = glob.bytes().filter(|byte| *byte != b'*').count();
    if glob.is_empty() || !glob.bytes().all(legal) || glob.starts_with(['.', '-']) || literal > MAX_TAG_BYTES
    {
        return Err(format!("`{glob}` is not a tag, nor a pattern that a tag could match"));
    }
    Ok(())
}

/// The last step: the shortest reference that the pattern covers must be one.
fn check_can_match(pattern: &Pattern) -> Result<(), PatternError> {
    let host = &pattern.host.name;
    let segments = pattern.segments.len();
    let prefix = if pattern.host.subdomains { "*." } else { "" };
    if !pattern.deep && segments < hosts::min_segments(host) {
        if host == DOCKER_HUB {
            let name = &pattern.segments[0];
            let version = match (&pattern.tag, &pattern.digest) {
                (Some(tag), _) => format!(":{tag}"),
                (None, Some(digest)) => format!("@{digest}"),
                (None, None) => String::new(),
            };
            let owner = match name.is_literal() {
                true => format!("`docker.io/{name}/**` for that owner's images"),
                false => "`docker.io/**` for everybody's images".to_owned(),
            };
            return error(
                format!("on Docker Hub `{name}` is `library/{name}`, so that `{pattern}` could never match"),
                format!("write `docker.io/library/{name}{version}` for the image, or {owner}"),
            );
        }
        let path = pattern.segments.iter().map(Glob::as_str).collect::<Vec<_>>().join("/");
        return error(
            format!(
                "images on `{host}` have at least {} path segments, so that `{pattern}` could never match",
                hosts::min_segments(host)
            ),
            format!("write `{prefix}{host}/{path}/**`"),
        );
    }
    let mut sample = String::new();
    for segment in &pattern.segments {
        if !sample.is_empty() {
            sample.push('/');
        }
        // If no repository name has an `a` in the place of each `*`, none has anything there.
        sample.push_str(&segment.as_str().replace('*', "a"));
    }
    if pattern.deep {
        sample.push_str(if sample.is_empty() { "a/a" } else { "/a" });
    }
    match ImageRef::parse(&format!("{host}/{sample}")) {
        Ok(image) if normal_host(&image.registry) == host.as_str() && image.repository == sample => Ok(()),
        Err(RefError::TooLong(_)) => Err(PatternError {
            message: "the path is longer than a repository name may be".to_owned(),
            help: None,
        }),
        _ => Err(PatternError {
            message: format!("`{pattern}` could never match: that is not a repository name"),
            help: Some(
                "write lower-case letters and digits, with single `.`, `_`, `__` or dashes between them"
                    .to_owned(),
            ),
        }),
    }
}
