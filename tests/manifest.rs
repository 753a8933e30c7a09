//! The App asks for exactly what its code uses: `app-manifest/manifest.json`
//! against the events that the receiver handles and the permissions that the
//! stand-in (which refuses what is not granted) was run with.
#![allow(clippy::unwrap_used, reason = "a manifest that cannot be read should stop the test")]

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use fromguard::github::event;
use fromguard::standin::StandinOptions;
use serde_json::Value;

fn manifest() -> Value {
    serde_json::from_str(include_str!("../app-manifest/manifest.json")).unwrap()
}

#[test]
fn the_events_are_those_that_are_handled() {
    let manifest = manifest();
    let asked: BTreeSet<&str> =
        manifest["default_events"].as_array().unwrap().iter().map(|event| event.as_str().unwrap()).collect();
    let handled: BTreeSet<&str> = event::HANDLED.iter().copied().collect();
    assert_eq!(asked, handled);
}

/// The conversations run with exactly these permissions, and the stand-in refuses
/// every call that needs another.
#[test]
fn the_permissions_are_those_that_the_conversations_get_by_with() {
    let manifest = manifest();
    let asked: BTreeMap<String, String> =
        serde_json::from_value(manifest["default_permissions"].clone()).unwrap();
    let granted: BTreeMap<String, String> = StandinOptions::default().permissions.into_iter().collect();
    assert_eq!(asked, granted);
}
