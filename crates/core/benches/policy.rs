//! How fast policies are loaded and uses judged: 100,000 uses against 1,000
//! patterns, and files of 256 KiB.
//!
//! `cargo bench -p fromguard_core --bench policy`

use std::sync::Arc;

use divan::Bencher;

use fromguard_core::day::Day;
use fromguard_core::image::ImageUse;
use fromguard_core::image::Role;
use fromguard_core::image::Stage;
use fromguard_core::policy;
use fromguard_core::policy::Found;
use fromguard_core::policy::MAX_POLICY_BYTES;
use fromguard_core::policy::Policies;
use fromguard_core::policy::Scope;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use fromguard_core::trust::Evidence;

// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

const USES: usize = 100_000;

fn day() -> Day {
    Day::parse("2026-11-25").expect("a day")
}

fn file(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile::new(RepoPath::new("fromguard.yml"), text))
}

/// A policy with so many patterns: repositories, folders, subdomains, `*` in one
/// folder, tags; and everything else that a policy can have.
fn policy_text(patterns: usize) -> String {
    let mut text = String::from(
        "version: 1\nmode: enforce\nunknown: review\nreviewers: [\"@acme/security\"]\ntrust:\n  official: {images: [\"hub:official\"], require: {forbid-tags: [latest]}}\n",
    );
    for source in 0..patterns.div_ceil(10) {
        text.push_str(&format!("  source-{source}:\n    require: {{digest: true}}\n    images:\n"));
        for at in 0..10 {
            let pattern = match at {
                0..4 => format!("ghcr.io/acme-{source}/app-{at}"),
                4..6 => format!("ghcr.io/acme-{source}/team-{at}/**"),
                6 => format!("*.registry-{source}.example.com/base/**"),
                7 => format!("docker.io/acme/tool-{source}-*"),
                8 => format!("docker.io/acme/versioned-{source}:1.*"),
                _ => format!("registry.example.com/base-{source}/**"),
            };
            text.push_str(&format!("      - \"{pattern}\"\n"));
        }
    }
    text.push_str("block:\n  - images: [\"k8s.gcr.io/**\", \"docker.io/bitnamilegacy/**\"]\n");
    text.push_str("mirrors: {mirror.example.com/hub/**: docker.io/**}\n");
    text.push_str("where:\n");
    for place in 0..10 {
        text.push_str(&format!(
            "  - {{name: place-{place}, paths: [\"services-{place}/**/Dockerfile*\"], only-from: [source-{place}], when-unsure: fail}}\n"
        ));
    }
    text.push_str("exceptions:\n");
    for id in 0..20 {
        text.push_str(&format!(
            "  - {{id: EX-{id}, images: [\"docker.io/foo/bar-{id}\"], rules: [unknown], until: 2027-01-31, owner: \"@a\", reason: b}}\n"
        ));
    }
    text
}

fn uses() -> Vec<ImageUse> {
    let text = |at: usize| {
        let source = at % 100;
        match at % 10 {
            0 => "node:24".to_owned(),
            1 => format!("ghcr.io/acme-{source}/app-1:2.{at}"),
            2 => format!("ghcr.io/acme-{source}/team-4/service/worker:{at}"),
            3 => format!("eu.registry-{source}.example.com/base/jre:21"),
            4 => format!("docker.io/acme/tool-{source}-{at}:1"),
            5 => format!("docker.io/acme/versioned-{source}:1.{at}"),
            6 => format!("registry.example.com/base-{source}/node:24"),
            7 => format!("docker.io/foo/bar-{source}:{at}"),
            8 => format!("mirror.example.com/hub/library/redis:{at}"),
            _ => format!("evil.io/ghcr.io/acme-{source}/app-1:{at}"),
        }
    };
    (0..USES)
        .map(|at| {
            let path = RepoPath::new(&format!("services-{}/team/app-{at}/Dockerfile", at % 20));
            ImageUse::supposed(&text(at), path, Role::FinalStage, Stage::Final)
        })
        .collect()
}

#[divan::bench(args = [100, 1_000], sample_count = 5)]
fn judge_100_000_uses(bencher: Bencher<'_, '_>, patterns: usize) {
    let policies = Policies::load(Found::File(file(&policy_text(patterns))), Found::Absent, day());
    assert!(policies.loaded().next().is_some(), "the policy loads");
    let uses = uses();
    let nothing = Evidence::none();
    bencher.bench(|| uses.iter().filter_map(|usage| policies.judge(usage, &nothing)).count());
}

/// A file of the largest size, made of patterns like those of [`policy_text`].
fn largest() -> String {
    let mut patterns = 5_000;
    loop {
        let text = policy_text(patterns);
        if text.len() <= MAX_POLICY_BYTES {
            return text;
        }
        patterns -= 50;
    }
}

#[divan::bench(sample_count = 20)]
fn load_256_kib(bencher: Bencher<'_, '_>) {
    let text = largest();
    bencher.bench(|| {
        let loaded = policy::load(file(&text), Scope::Organisation, day());
        assert!(!loaded.is_broken(), "{:?}", loaded.diagnostics.first());
        loaded
    });
}

/// The same with every pattern wrong: everything is said, and no slower.
#[divan::bench(sample_count = 20)]
fn load_256_kib_of_mistakes(bencher: Bencher<'_, '_>) {
    let text = largest().replace("/**", "/**/x");
    let text = text.get(..MAX_POLICY_BYTES).unwrap_or(&text).to_owned();
    bencher.bench(|| policy::load(file(&text), Scope::Organisation, day()));
}
