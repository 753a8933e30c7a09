//! The expressions of `rules`: whatever the text, it is read or refused, and what loads
//! judges every kind of use and only adds findings.

use std::sync::Arc;
use std::sync::LazyLock;

use fromguard_core::day::Day;
use fromguard_core::policy::Circumstances;
use fromguard_core::policy::Found;
use fromguard_core::policy::Policies;
use fromguard_core::policy::Scope;
use fromguard_core::policy::Severity;
use fromguard_core::policy::load;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use fromguard_core::trust::Evidence;

use super::check_span;
use super::policy::USES;

const POLICY: &str =
    "version: 1\nmode: observe\nunknown: allow\ntrust: {official: {images: [\"hub:official\"]}}\n";

/// What the policy says without a rule.
static WITHOUT: LazyLock<Policies> = LazyLock::new(|| policies(POLICY));

/// See the module.
pub fn run(data: &[u8]) {
    let expression = String::from_utf8_lossy(data);
    // A JSON text is a YAML text.
    let quoted = serde_json::Value::from(&*expression).to_string();
    let text = format!("{POLICY}rules: [{{name: r, then: review, if: {quoted}}}]\n");
    let file = Arc::new(SourceFile::new(RepoPath::new("fromguard.yml"), &*text));
    let loaded = load(Arc::clone(&file), Scope::Organisation, Day::from_unix_ms(0));
    let errors = loaded.diagnostics.iter().filter(|one| one.severity == Severity::Error);
    assert_eq!(loaded.is_broken(), errors.count() > 0);
    for diagnostic in &loaded.diagnostics {
        check_span(&file, diagnostic.span);
        assert!(diagnostic.span.start >= POLICY.len(), "{diagnostic:?} is not about the rule");
        assert!(!diagnostic.message.chars().any(char::is_control), "{diagnostic:?}");
    }
    if loaded.is_broken() {
        return;
    }
    let known = Circumstances { repository: Some(("acme".into(), "shop".into())), pull_request: Some(12) };
    for policies in [policies(&text), policies(&text).under(known)] {
        for usage in USES.iter() {
            let judgement = policies.judge(usage, &Evidence::none()).expect("a policy that loaded judges");
            assert_eq!(policies.judge(usage, &Evidence::none()).as_ref(), Some(&judgement), "the same twice");
            let without = WITHOUT.judge(usage, &Evidence::none()).expect("it loads");
            assert!(without.verdict <= judgement.verdict, "{expression:?} lifts something");
            assert!(without.findings.iter().all(|finding| judgement.findings.contains(finding)));
        }
    }
}

fn policies(text: &str) -> Policies {
    let file = Arc::new(SourceFile::new(RepoPath::new("fromguard.yml"), text));
    Policies::load(Found::File(file), Found::Absent, Day::from_unix_ms(0))
}
