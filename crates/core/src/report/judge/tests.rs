use std::sync::Arc;

use crate::policy::Loaded;
use crate::policy::Mode;
use crate::policy::Policies;
use crate::policy::PolicyFile;
use crate::policy::REPOSITORY_POLICY_PATH;
use crate::policy::Verdict;
use crate::report::Conclusion;
use crate::report::Fault;
use crate::report::Report;
use crate::report::STARTER_POLICY;
use crate::report::Subject;
use crate::report::bench;
use crate::report::bench::POLICY;
use crate::report::bench::subject;
use crate::source::RepoPath;
use crate::source::SourceFile;

fn judge(base: &[(&str, &str)], head: &[(&str, &str)]) -> Report {
    bench::judge(subject(Some(base), head), Mode::Enforce)
}

#[test]
fn only_what_the_change_did_counts() {
    let report = judge(
        &[("Dockerfile", "FROM evil.io/x:1\n")],
        &[("Dockerfile", "FROM evil.io/x:1\nCOPY --from=nginx:1 / /\n")],
    );
    assert_eq!(report.conclusion, Conclusion::Success);
    let counts: Vec<bool> = report.uses.iter().map(|judged| judged.counts).collect();
    assert_eq!(counts, [false, true]);
    assert!(report.uses[0].judgement.is_some(), "what does not count is still judged, to be shown");
}

/// extraction.md, "Decisions", 2.
#[test]
fn an_image_that_every_overlay_replaces_is_listed_and_not_judged() {
    let pod = ("base/pod.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: evil.io/x}]}\n");
    let base = ("base/kustomization.yaml", "resources: [pod.yaml]\n");
    let overlay = (
        "prod/kustomization.yaml",
        "resources: [../base]\nimages: [{name: evil.io/x, newName: ghcr.io/acme/x}]\n",
    );
    assert_eq!(bench::report(&[pod]).conclusion, Conclusion::Failure);
    assert_eq!(bench::report(&[pod, base]).conclusion, Conclusion::Failure);
    let report = bench::report(&[pod, base, overlay]);
    assert_ne!(report.conclusion, Conclusion::Failure);
    assert_eq!(report.uses.len(), 2);
    assert!(report.uses[0].judgement.is_none() && !report.uses[0].usage.reachable);
}

#[test]
fn without_a_base_everything_is_introduced_and_counts() {
    let report = bench::report(&[("Dockerfile", "FROM evil.io/x:1\n")]);
    assert_eq!(report.conclusion, Conclusion::Failure);
    assert_eq!(report.uses[0].change.as_str(), "introduced");
}

#[test]
fn a_review_waits_and_a_refusal_outweighs_it() {
    let review = ("a/Dockerfile", "FROM ghcr.io/a/b:1\n");
    let refusal = ("b/Dockerfile", "FROM evil.io/x:1\n");
    assert_eq!(bench::report(&[review]).conclusion, Conclusion::ActionRequired);
    assert_eq!(bench::report(&[review, refusal]).conclusion, Conclusion::Failure);
}

#[test]
fn what_is_only_observed_passes_and_says_what_enforcement_would_do() {
    let report = bench::judge(subject(None, &[("Dockerfile", "FROM evil.io/x:1\n")]), Mode::Observe);
    assert_eq!(report.conclusion, Conclusion::Success);
    assert_eq!(report.title(), "Observed only: evil.io/x:1 (blocked)");
    let summary = report.check_run().summary;
    assert!(summary.starts_with(
        "Observed only: 1 image use refused: `evil.io/x:1` (blocked). Enforced, this check would fail."
    ));
}

#[test]
fn no_policy_anywhere_is_neutral_and_shows_a_policy_to_start_with() {
    let mut subject = subject(None, &[("Dockerfile", "FROM evil.io/x:1\n")]);
    subject.policies.repository = PolicyFile::Absent;
    let report = bench::judge(subject, Mode::Enforce);
    assert_eq!(report.conclusion, Conclusion::Neutral);
    assert!(report.check_run().summary.contains("hub:official"));
    assert_eq!(report.comment(false), None);
}

#[test]
fn the_policy_to_start_with_loads_without_a_word() {
    assert_eq!(bench::loaded(STARTER_POLICY).diagnostics, []);
}

#[test]
fn what_skip_paths_leaves_out_is_counted_and_does_not_count() {
    let mut skipping = subject(None, &[("testdata/Dockerfile", "FROM evil.io/x:1\n")]);
    let policy = "version: 1\nmode: enforce\nunknown: fail\nskip-paths: [\"testdata/**\"]\n";
    skipping.policies.repository = PolicyFile::Read(bench::loaded(policy));
    let report = bench::judge(skipping, Mode::Enforce);
    assert_eq!((report.conclusion, report.uses[0].counts), (Conclusion::Success, false));
    let summary = report.check_run().summary;
    assert!(summary.contains("1 image use in paths that `skip-paths` leaves out."), "{summary}");
}

#[test]
fn a_policy_that_cannot_be_used_is_a_failure_whatever_there_is_to_judge() {
    let mut unreadable = subject(None, &[]);
    unreadable.policies.repository =
        PolicyFile::Unreadable { path: REPOSITORY_POLICY_PATH.into(), reason: "a symbolic link".into() };
    let report = bench::judge(unreadable, Mode::Enforce);
    assert_eq!((report.conclusion, report.policy_is_broken()), (Conclusion::Failure, true));

    let mut broken = subject(None, &[]);
    broken.policies.repository = PolicyFile::Read(bench::broken());
    assert_eq!(bench::judge(broken, Mode::Enforce).conclusion, Conclusion::Failure);
}

#[test]
fn a_head_policy_that_does_not_load_is_a_failure_under_a_good_one_or_none() {
    let mut proposing = subject(Some(&[]), &[]);
    proposing.proposed = Some(bench::broken());
    assert_eq!(bench::judge(proposing.clone(), Mode::Enforce).conclusion, Conclusion::Failure);
    proposing.policies.repository = PolicyFile::Absent;
    assert_eq!(bench::judge(proposing, Mode::Enforce).conclusion, Conclusion::Failure);
}

#[test]
fn a_broken_policy_can_be_mended_by_a_change_of_nothing_else() {
    let mut mending = subject(Some(&[]), &[]);
    mending.policies.repository = PolicyFile::Read(bench::broken());
    mending.proposed = Some(bench::loaded(POLICY));
    mending.touched = Some([RepoPath::new(REPOSITORY_POLICY_PATH)].into());
    let report = bench::judge(mending.clone(), Mode::Enforce);
    assert_eq!(report.conclusion, Conclusion::Neutral);
    assert!(report.notices[0].contains("mends it"), "{:?}", report.notices);

    mending.policies.organisation = PolicyFile::Read(bench::loaded(POLICY));
    assert_eq!(bench::judge(mending.clone(), Mode::Enforce).conclusion, Conclusion::Success);

    mending.touched = Some([RepoPath::new(REPOSITORY_POLICY_PATH), RepoPath::new("Dockerfile")].into());
    assert_eq!(bench::judge(mending, Mode::Enforce).conclusion, Conclusion::Failure);
}

#[test]
fn a_problem_counts_when_its_file_is_touched_or_it_is_new() {
    let bad = "FROM\n";
    let standing = judge(&[("a/Dockerfile", bad)], &[("a/Dockerfile", bad)]);
    assert_eq!(standing.problems.iter().map(|p| p.counts).collect::<Vec<_>>(), [false]);
    assert_eq!(standing.conclusion, Conclusion::Success);
    let touched = judge(&[("a/Dockerfile", bad)], &[("a/Dockerfile", "FROM\nFROM alpine\n")]);
    assert!(touched.problems[0].counts);
    let new = judge(&[], &[("a/Dockerfile", bad)]);
    assert_eq!(new.conclusion, Conclusion::ActionRequired);
}

#[test]
fn an_edited_policy_is_previewed_and_does_not_judge() {
    let mut editing = subject(Some(&[]), &[("Dockerfile", "FROM evil.io/x:1\n")]);
    editing.proposed = Some(Loaded {
        file: Arc::new(SourceFile::new(RepoPath::new(REPOSITORY_POLICY_PATH), POLICY)),
        ..bench::loaded(POLICY)
    });
    let report = bench::judge(editing, Mode::Enforce);
    assert_eq!(report.conclusion, Conclusion::Failure);
    assert!(report.notices[0].contains("changes no verdict"), "{:?}", report.notices);
}

#[test]
fn a_change_that_removes_the_policy_is_judged_by_it_and_told_so() {
    let mut removing = subject(Some(&[]), &[("Dockerfile", "FROM evil.io/x:1\n")]);
    removing.touched = Some([RepoPath::new(REPOSITORY_POLICY_PATH), RepoPath::new("Dockerfile")].into());
    let report = bench::judge(removing, Mode::Enforce);
    assert_eq!(report.conclusion, Conclusion::Failure);
    assert!(report.notices[0].contains("removes"), "{:?}", report.notices);
}

#[test]
fn the_worst_of_several_reports_stands_and_names_the_others() {
    let good = bench::report(&[("Dockerfile", "FROM alpine\n")]);
    let bad = bench::report(&[("Dockerfile", "FROM evil.io/x:1\n")]);
    let both = Report::worst(vec![("#1 into main".into(), good.clone()), ("#2 into lax".into(), bad)]);
    let both = both.expect("there are two");
    assert_eq!(both.conclusion, Conclusion::Failure);
    assert_eq!(both.label.as_deref(), Some("#2 into lax"));
    let summary = both.check_run().summary;
    assert!(summary.contains("- `#1 into main`: success (1 image use from trusted sources)"), "{summary}");

    let alone = Report::worst(vec![("#1 into main".into(), good)]).expect("there is one");
    assert_eq!((alone.label, alone.others), (None, vec![]));
    assert!(Report::worst(vec![]).is_none());
}

#[test]
fn what_could_not_be_judged_blocks_and_says_whose_fault_it_is() {
    let report = Report::could_not_judge(Fault::GitHub, "GitHub answered 502 for 10 minutes");
    assert_eq!(report.conclusion, Conclusion::Failure);
    let output = report.check_run();
    assert_eq!(output.title, "Could not be judged: GitHub did not answer");
    let lines: Vec<&str> = output.summary.lines().take(2).map(str::trim_end).collect();
    assert_eq!(lines[0], "This head could not be judged: GitHub answered 502 for 10 minutes.");
    assert!(lines[1].contains("Re-run this check"), "{}", lines[1]);
}

const TRUSTING: &str = "version: 1\nmode: enforce\nunknown: fail\nwhen-unsure: fail\ntrust:\n  official: {images: [\"hub:official\"]}\n  internal: {images: [\"registry.example.com/base/**\"]}\n  acme: {images: [\"docker.io/acme/app:1.*\"]}\nblock: [{images: [\"docker.io/library/redis\"]}]\n";

/// What a policy says of the image of a Dockerfile.
fn of_dockerfile(text: &str) -> (Option<Verdict>, Option<String>, Vec<String>) {
    let policies = Policies {
        repository: PolicyFile::Read(bench::loaded(TRUSTING)),
        day: bench::day(),
        ..Policies::none()
    };
    let subject = Subject { policies, ..subject(None, &[("Dockerfile", text)]) };
    let report = crate::report::judge(subject);
    let judgement = report.uses.into_iter().next().and_then(|judged| judged.judgement);
    let Some(judgement) = judgement else { return (None, None, Vec::new()) };
    let rules = judgement.findings.into_iter().map(|finding| finding.rule).collect();
    (Some(judgement.verdict), judgement.source, rules)
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Nothing passes by being built from variables that would not pass as it stands.
    #[test]
    fn what_arguments_put_together_is_judged_as_if_it_stood_there(
        reference in proptest::sample::select(vec![
            "node:24",
            "docker.io/library/node:24",
            "library/redis:8",
            "registry.example.com/base/team/jre:21",
            "registry.example.com.evil.io/base/jre:21",
            "evil.io/registry.example.com/base/jre:21",
            "REGISTRY.example.com:443/base/jre",
            "registry.example.com:444/base/jre",
            "docker.io/acme/app:1.2",
            "docker.io/acme/app:2",
            "acme/app:1.2@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "ngnix:1",
        ]),
        first in proptest::prelude::any::<proptest::sample::Index>(),
        second in proptest::prelude::any::<proptest::sample::Index>(),
    ) {
        let (one, two) = (1 + first.index(reference.len() - 1), 1 + second.index(reference.len() - 1));
        let (begin, end) = (one.min(two), one.max(two));
        let built = format!(
            "ARG A={}\nARG B={}\nARG C={}\nFROM ${{A}}${{B}}$C\n",
            &reference[..begin], &reference[begin..end], &reference[end..]
        );
        proptest::prop_assert_eq!(of_dockerfile(&built), of_dockerfile(&format!("FROM {reference}\n")), "{}", built);
    }
}
