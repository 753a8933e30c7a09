//! `policy.json` of containers/image
//! (<https://github.com/containers/image/blob/main/docs/containers-policy.json.5.md>):
//! the most specific scope of the transport `docker` decides.

use crate::import::draft::Draft;
use crate::import::draft::Unknown;
use crate::import::names;
use crate::import::names::Names;
use crate::import::names::Why;
use crate::import::roots;
use crate::yaml::Node;
use crate::yaml::Yaml;

/// What a scope asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    Nothing,
    Signature,
    Reject,
}

pub(super) fn read(yaml: &Yaml) -> Option<Draft> {
    let root = roots(yaml).find(|root| root.get("default").and_then(Node::sequence).is_some())?;
    let mut draft = Draft::new("a signature policy of containers/image");
    let mut default = root.get("default").map_or(Asks::Reject, asks);
    let mut scopes: Vec<(&str, Asks)> = Vec::new();
    for (transport, all) in
        root.get("transports").and_then(Node::mapping).into_iter().flat_map(|all| all.entries())
    {
        let transport = transport.scalar().map_or("", |scalar| scalar.text);
        if transport != "docker" {
            draft.leave_out(transport, "only images of registries (`docker`) are judged here");
            continue;
        }
        for (scope, requirements) in all.mapping().into_iter().flat_map(|all| all.entries()) {
            match scope.scalar().map_or("", |scalar| scalar.text) {
                "" => default = asks(requirements),
                scope => scopes.push((scope, asks(requirements))),
            }
        }
    }
    draft.unknown = match default {
        Asks::Nothing => Unknown::Allow,
        Asks::Signature => Unknown::Review,
        Asks::Reject => Unknown::Fail,
    };
    if default == Asks::Signature {
        draft.changed(
            "default",
            "asks for a signature: until a source says whose (`require: {signed-by: …}`), a person has to look",
        );
    }
    for (scope, asked) in &scopes {
        let narrower = scopes.iter().any(|(other, asked)| *asked != Asks::Reject && is_below(other, scope));
        match asked {
            Asks::Nothing => draft.trust(scope, patterns(scope)),
            Asks::Reject if default == Asks::Reject && !is_accepted_around(scope, &scopes) => {
                draft.leave_out(scope, "what nothing trusts fails anyway");
            }
            Asks::Reject => {
                if narrower {
                    let text = "is blocked with all that is in it: a narrower scope that accepts something \
                                does not win over that here";
                    draft.changed(scope, text);
                }
                draft.block(scope, patterns(scope));
            }
            Asks::Signature => signature(scope, default, &scopes, &mut draft),
        }
    }
    Some(draft)
}

/// A scope that asks for a signature must not be trusted through a wider one that does not.
fn signature(scope: &str, default: Asks, scopes: &[(&str, Asks)], draft: &mut Draft) {
    let wider = is_accepted_around(scope, scopes);
    let Some(condition) = condition(scope).filter(|_| wider || default == Asks::Nothing) else {
        return draft.leave_out(
            scope,
            "it asks for a signature: a source has to say whose (`require: {signed-by: …}`)",
        );
    };
    draft.changed(
        scope,
        "asks for a signature: until a source says whose (`require: {signed-by: …}`), a person has to look",
    );
    draft.rule("needs-a-signature", condition, "review", "policy.json asks for a signature of this image");
}

/// Whether a wider scope accepts what is in this one.
fn is_accepted_around(scope: &str, scopes: &[(&str, Asks)]) -> bool {
    scopes.iter().any(|(other, asked)| *asked == Asks::Nothing && is_below(scope, other))
}

fn asks(requirements: Node<'_>) -> Asks {
    let mut worst = Asks::Nothing;
    let Some(items) = requirements.sequence().map(|all| all.items()).filter(|items| items.len() > 0) else {
        return Asks::Reject;
    };
    for item in items {
        match item.get("type").and_then(Node::scalar).map(|scalar| scalar.text) {
            Some("insecureAcceptAnything") => {}
            Some("signedBy" | "sigstoreSigned" | "signedBaseLayer") if worst == Asks::Nothing => {
                worst = Asks::Signature
            }
            Some("signedBy" | "sigstoreSigned" | "signedBaseLayer") => {}
            _ => return Asks::Reject,
        }
    }
    worst
}

fn patterns(scope: &str) -> Result<Names, Why> {
    let last = scope.rsplit('/').next().unwrap_or(scope);
    if scope.starts_with("*.") {
        return names::glob(&format!("{scope}/*")).map(|names| Names { narrower: None, ..names });
    }
    if scope.contains('/') && last.contains([':', '@']) {
        names::exact(scope)
    } else {
        names::folder_of_host(scope)
    }
}

/// Whether a scope lies inside another one.
fn is_below(scope: &str, wider: &str) -> bool {
    if let Some(end) = wider.strip_prefix('*') {
        let host = scope.split('/').next().unwrap_or(scope);
        return scope != wider && host.split(':').next().unwrap_or(host).ends_with(end);
    }
    scope.strip_prefix(wider).is_some_and(|rest| rest.starts_with(['/', ':', '@']))
}

/// A scope as an expression.
fn condition(scope: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ':' | '@' | '*');
    if !scope.chars().all(plain) {
        return None;
    }
    if let Some(end) = scope.strip_prefix('*') {
        return Some(format!("image.registry.endsWith(\"{end}\")"));
    }
    let Some((host, path)) = scope.split_once('/') else {
        return Some(format!("image.registry == \"{scope}\""));
    };
    if path.contains([':', '@']) {
        return Some(format!("image.reference == \"{scope}\""));
    }
    Some(format!(
        "image.registry == \"{host}\" && (image.repository == \"{path}\" || image.repository.startsWith(\"{path}/\"))"
    ))
}
