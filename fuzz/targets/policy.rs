//! The policy loader and the YAML tree below it: whatever the text, everything
//! said about it is about a place in it, and what loads can judge.

use std::sync::Arc;
use std::sync::LazyLock;

use fromguard_core::day::Day;
use fromguard_core::image::ImageUse;
use fromguard_core::policy;
use fromguard_core::policy::Explanation;
use fromguard_core::policy::Found;
use fromguard_core::policy::Loaded;
use fromguard_core::policy::Policies;
use fromguard_core::policy::Scope;
use fromguard_core::policy::Severity;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use fromguard_core::trust::Evidence;
use fromguard_core::yaml;
use fromguard_core::yaml::Limits;
use fromguard_core::yaml::Node;
use fromguard_core::yaml::Shape;

use super::check_span;
use super::dockerfile;

/// Small enough to be reached by small inputs.
const LIMITS: Limits = Limits { bytes: 1 << 20, depth: 16, nodes: 4096, documents: 4 };

/// One of every kind of use.
pub(super) static USES: LazyLock<Vec<ImageUse>> = LazyLock::new(|| {
    let text = "# syntax=docker/dockerfile:1\nARG V\nFROM node AS a\nFROM ghcr.io/acme/app:1.2\nFROM registry.example.com/x:$V\n\
        FROM $V\nFROM quay.io/a/b@sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n\
        FROM A B\nFROM Bad:\nCOPY --from=docker.io/library/redis:latest a b\n";
    dockerfile::check(text).uses
});

fn day() -> Day {
    Day::from_unix_ms(1_800_000_000_000)
}

/// See the module.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let file = Arc::new(SourceFile::new(RepoPath::new("fromguard.yml"), &*text));
    check_tree(&file);

    let organisation = policy::load(Arc::clone(&file), Scope::Organisation, day());
    check_loaded(&organisation);
    let under = Scope::RepositoryUnderOrganisation(organisation.policy.as_ref());
    check_loaded(&policy::load(Arc::clone(&file), under, day()));
    check_loaded(&policy::load(Arc::clone(&file), Scope::Repository, day()));

    if organisation.policy.is_none() {
        return;
    }
    let policies = Policies::load(Found::File(Arc::clone(&file)), Found::Absent, day());
    for usage in USES.iter() {
        let judgement = policies.judge(usage, &Evidence::none()).expect("a policy that loaded judges");
        check_explanation(&file, &judgement.explanation);
        for finding in &judgement.findings {
            assert!(!finding.message.contains('\n'), "{}", finding.message);
            assert!(finding.verdict <= judgement.verdict, "the verdict is the worst of the findings");
            check_explanation(&file, &finding.explanation);
        }
    }
}

fn check_loaded(loaded: &Loaded) {
    for diagnostic in &loaded.diagnostics {
        check_span(&loaded.file, diagnostic.span);
        assert!(!diagnostic.message.is_empty() && !diagnostic.message.contains('\n'), "{diagnostic:?}");
    }
    let broken = loaded.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    assert_eq!(loaded.is_broken(), broken, "a policy is unusable for a reason that is told");
}

fn check_explanation(file: &SourceFile, explanation: &Explanation) {
    if let Some(at) = &explanation.at
        && at.file == *file.path()
    {
        check_span(file, at.span);
    }
    explanation.because.iter().for_each(|reason| check_explanation(file, reason));
}

fn check_tree(file: &SourceFile) {
    let read = yaml::read(file.text(), LIMITS);
    for error in &read.errors {
        check_span(file, error.span);
        assert!(!error.message.chars().any(char::is_control), "{}", error.message);
    }
    for document in &read.documents {
        check_span(file, document.span());
        for node in document.nodes() {
            check_node(file, node);
        }
    }
}

fn check_node(file: &SourceFile, node: Node<'_>) {
    check_span(file, node.span());
    let inside = |child: Node<'_>| {
        let (outer, inner) = (node.span(), child.span());
        assert!(outer.start <= inner.start && inner.end <= outer.end, "{inner:?} stands outside {outer:?}");
    };
    for mark in node.anchor().into_iter().chain(node.tag()) {
        check_span(file, mark.span);
        assert!(file.slice(mark.span).starts_with(['&', '!']), "{mark:?}");
    }
    match node.shape() {
        Shape::Mapping(mapping) => mapping.entries().for_each(|(key, value)| {
            inside(key);
            inside(value);
        }),
        Shape::Sequence(sequence) => sequence.items().for_each(inside),
        Shape::Alias(alias) => assert!(!alias.name.is_empty()),
        Shape::Scalar(_) => {}
    }
    let _ = node.is_null();
}
