//! hadolint's `trustedRegistries`, as rule DL3026 compares them
//! (<https://github.com/hadolint/hadolint>, `src/Hadolint/Rule/DL3026.hs`): a host
//! alone; `*` in front is the end of a host, `*` behind its beginning.

use crate::import::draft::Draft;
use crate::import::names;
use crate::import::names::Names;
use crate::import::names::Why;
use crate::import::roots;
use crate::import::texts;
use crate::yaml::Yaml;

pub(super) fn read(yaml: &Yaml) -> Option<Draft> {
    let root = roots(yaml).find(|root| root.get("trustedRegistries").is_some())?;
    let mut draft = Draft::new("a hadolint configuration");
    for registry in texts(root.get("trustedRegistries")) {
        match registry {
            "*" => draft.leave_out(registry, "it lets everything through"),
            "hub.docker.com" => draft.trust(registry, names::folder("docker.io")),
            _ => draft.trust(registry, host(registry)),
        }
    }
    if texts(root.get("ignored")).contains(&"DL3026") {
        draft.changed("ignored: [DL3026]", "switched the rule off; `mode: observe` is what that is here");
    }
    Some(draft)
}

fn host(registry: &str) -> Result<Names, Why> {
    if registry.contains('/') {
        return Err("hadolint compares hosts only, so that it never let anything through".to_owned());
    }
    if let Some(end) = registry.strip_prefix("*.") {
        return names::glob(&format!("*.{end}/*")).map(|names| Names { narrower: None, ..names });
    }
    if let Some(end) = registry.strip_prefix('*') {
        let mut all = names::folder(end)?;
        all.patterns.extend(names::glob(&format!("*.{end}/*"))?.patterns);
        return Ok(Names { narrower: Some(names::as_end(&format!("evil{end}/…"))), ..all });
    }
    if let Some(start) = registry.strip_suffix('*') {
        return Err(format!("it also lets `{start}evil.io/…` through: name the hosts that you mean"));
    }
    names::folder_of_host(registry)
}
