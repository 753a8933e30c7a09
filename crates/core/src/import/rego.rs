//! Docker's build policies (<https://docs.docker.com/build/policies/>): the allow-lists
//! of a `Dockerfile.rego`, which are `allow if` with conditions on `input.image`.
//!
//! Rego is not evaluated. A block of which every line is understood is translated, any
//! other is left out: an `allow` that is missing can only refuse.

use std::collections::BTreeMap;

use crate::import::draft::Draft;
use crate::import::draft::Unknown;
use crate::import::names;
use crate::import::names::Names;
use crate::import::names::Why;

pub(super) fn read(text: &str) -> Draft {
    let mut draft = Draft::new("a build policy of Docker");
    let lines: Vec<String> = joined(text);
    let lists: BTreeMap<&str, Vec<&str>> = lines.iter().filter_map(|line| list(line)).collect();
    let mut lines = lines.iter();
    while let Some(line) = lines.next() {
        if line.starts_with("default allow") && line.ends_with("true") {
            draft.unknown = Unknown::Allow;
            draft.leave_out(line, "it lets everything through that no other line refuses");
            continue;
        }
        let Some(head) = line.strip_prefix("allow").filter(|head| head.starts_with([' ', '{'])) else {
            if let Some(name) = rule_name(line) {
                draft.leave_out(name, "only `allow if …` with conditions on `input.image` is read");
            }
            continue;
        };
        let head = head.trim_start().trim_start_matches("if ").trim();
        let mut conditions = Vec::new();
        match head.strip_prefix('{') {
            Some(first) => {
                let mut closed = first.ends_with('}');
                conditions.extend(first.trim_end_matches('}').split(';').map(str::trim));
                while let Some(line) = if closed { None } else { lines.next() } {
                    closed = line == "}";
                    conditions.extend(line.trim_end_matches('}').split(';').map(str::trim));
                }
            }
            None => conditions.push(head),
        }
        conditions.retain(|condition| !condition.is_empty());
        allow(&conditions, &lists, &mut draft);
    }
    draft
}

/// Lines without comments; a list over several lines is one.
fn joined(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        match lines.last_mut().filter(|_| open) {
            Some(last) => last.push_str(line),
            None => lines.push(line.to_owned()),
        }
        let last = lines.last().map_or("", String::as_str);
        open = last.matches('[').count() > last.matches(']').count()
            || last.contains(":= {") && last.matches('{').count() > last.matches('}').count();
    }
    lines
}

/// `name := ["a", "b"]`
fn list(line: &str) -> Option<(&str, Vec<&str>)> {
    let (name, values) = line.split_once(":=").or_else(|| line.split_once(" = "))?;
    Some((name.trim(), literals(values.trim())?))
}

/// The texts of `["a", "b"]` or `{"a", "b"}`.
fn literals(text: &str) -> Option<Vec<&str>> {
    let inner = text.strip_prefix(['[', '{'])?.strip_suffix([']', '}'])?.trim().trim_end_matches(',');
    if inner.is_empty() {
        return None;
    }
    inner.split(',').map(|item| literal(item.trim())).collect()
}

fn literal(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"').filter(|text| !text.contains(['"', '\\']))
}

/// The name of a rule that decides something and is not read.
fn rule_name(line: &str) -> Option<&str> {
    let name = line.split([' ', '(', '[', '{']).next()?;
    let decides = line.ends_with('{') || line.contains(" if ");
    let known = ["package", "import", "default", "decision", "}", "input.image", "allow"];
    (decides && !known.contains(&name) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        .then_some(name)
}

/// What one `allow` says of an image.
#[derive(Default)]
struct Allowed<'a> {
    hosts: Vec<&'a str>,
    /// Paths on a host, in Docker Hub's short form.
    repositories: Vec<&'a str>,
    folders: Vec<&'a str>,
    whole: Vec<&'a str>,
    tags: Vec<&'a str>,
    digest: Option<&'a str>,
    needs_digest: bool,
}

fn allow<'a>(conditions: &[&'a str], lists: &BTreeMap<&'a str, Vec<&'a str>>, draft: &mut Draft) {
    let was = conditions.join("; ");
    if !was.contains("input.image") || conditions.iter().all(|one| one.starts_with("not ")) {
        // About contexts, Git and HTTP sources, which are not images.
        if was == "true" || was.contains("input.env") {
            draft.leave_out(&was, "it lets everything through");
        }
        return;
    }
    let mut allowed = Allowed::default();
    for condition in conditions {
        if !understand(condition, lists, &mut allowed) {
            return draft
                .leave_out(&was, &format!("`{condition}` has no counterpart that this version can decide"));
        }
    }
    if allowed.needs_digest {
        return draft
            .leave_out(&was, "a requirement of some images only: write it as `require: {digest: true}`");
    }
    let hosts_only =
        allowed.repositories.is_empty() && allowed.folders.is_empty() && allowed.whole.is_empty();
    if hosts_only && allowed.hosts.is_empty() {
        return draft.leave_out(&was, "it names no repository: everybody's images would be trusted");
    }
    for names in patterns(&allowed) {
        draft.trust(&was, names);
    }
}

/// Reads one condition; `false` when it is not understood.
fn understand<'a>(
    condition: &'a str,
    lists: &BTreeMap<&'a str, Vec<&'a str>>,
    allowed: &mut Allowed<'a>,
) -> bool {
    if condition == "input.image" {
        return true;
    }
    if condition == "input.image.isCanonical" {
        allowed.needs_digest = true;
        return true;
    }
    if let Some((field, beginning)) = condition
        .strip_prefix("startswith(")
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|rest| rest.split_once(','))
    {
        let Some(beginning) = literal(beginning.trim()).filter(|text| text.ends_with('/')) else {
            return false;
        };
        match field.trim() {
            "input.image.repo" => allowed.folders.push(beginning),
            "input.image.fullRepo" => allowed.whole.push(beginning),
            _ => return false,
        }
        return true;
    }
    let (field, values) = if let Some((field, value)) = condition.split_once(" == ") {
        let Some(value) = literal(value.trim()) else { return false };
        (field, vec![value])
    } else if let Some((field, list)) = condition.split_once(" in ") {
        let list = list.trim();
        let Some(values) = literals(list).or_else(|| lists.get(list).cloned()) else { return false };
        (field, values)
    } else {
        return false;
    };
    let kept = match field.trim() {
        "input.image.host" => &mut allowed.hosts,
        "input.image.repo" => &mut allowed.repositories,
        "input.image.fullRepo" => &mut allowed.whole,
        "input.image.tag" => &mut allowed.tags,
        "input.image.checksum" if values.len() == 1 && allowed.digest.is_none() => {
            allowed.digest = values.first().copied();
            return true;
        }
        _ => return false,
    };
    if !kept.is_empty() {
        return false;
    }
    kept.extend(values);
    true
}

fn patterns(allowed: &Allowed<'_>) -> Vec<Result<Names, Why>> {
    let hosts: &[&str] = if allowed.hosts.is_empty() { &["docker.io"] } else { &allowed.hosts };
    let mut places: Vec<String> = allowed.whole.iter().map(|&whole| whole.to_owned()).collect();
    for host in hosts {
        let on_host = |path: &&str| match *host {
            "docker.io" if !path.contains('/') => format!("docker.io/library/{path}"),
            host => format!("{host}/{path}"),
        };
        places.extend(allowed.repositories.iter().chain(&allowed.folders).map(on_host));
        if allowed.whole.is_empty() && allowed.repositories.is_empty() && allowed.folders.is_empty() {
            places.push(format!("{host}/"));
        }
    }
    let mut out = Vec::new();
    for place in places {
        match (place.strip_suffix('/'), allowed.digest) {
            (Some(_), None) if allowed.tags.is_empty() => out.push(names::beginning(&place)),
            (Some(_), _) => {
                out.push(Err("a tag or digest of every repository has no counterpart".to_owned()))
            }
            (None, Some(digest)) => out.push(names::exact(&format!("{place}@{digest}"))),
            (None, None) if allowed.tags.is_empty() => out.push(names::beginning(&format!("{place}:"))),
            (None, None) => {
                out.extend(allowed.tags.iter().map(|tag| names::exact(&format!("{place}:{tag}"))))
            }
        }
    }
    out
}
