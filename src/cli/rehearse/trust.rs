//! `fromguard rehearse --scenario trust`: who stands behind an image. Five images, five
//! outcomes, five explanations, from facts that were recorded and on a day that was: what
//! registries would answer, nobody is asked.

use std::sync::Arc;

use anyhow::Context;
use anyhow::bail;
use fromguard_core::day::Day;
use fromguard_core::image::Digest;
use fromguard_core::image::ImageRef;
use fromguard_core::policy::Found;
use fromguard_core::policy::Policies;
use fromguard_core::policy::REPOSITORY_POLICY_PATH;
use fromguard_core::report;
use fromguard_core::report::Report;
use fromguard_core::report::Style;
use fromguard_core::report::Subject;
use fromguard_core::scan::Scan;
use fromguard_core::scan::Scanned;
use fromguard_core::source::Content;
use fromguard_core::source::RepoPath;
use fromguard_core::source::SourceFile;
use fromguard_core::trust::Badge;
use fromguard_core::trust::Evidence;
use fromguard_core::trust::Fact;
use fromguard_core::trust::Learnt;
use fromguard_core::trust::Provenance;
use fromguard_core::trust::ScanResult;
use fromguard_core::trust::Signer;
use fromguard_core::trust::SourceRepository;
use fromguard_core::trust::TagTruth;

/// The day on which everything here is judged, and the facts were recorded.
const TODAY: &str = "2026-11-26";

const POLICY: &str = r#"version: 1
mode: enforce
unknown: fail
reviewers: ["@acme/security"]
trust:
  internal: {images: ["registry.example.com/approved-base/**"], require: {digest: true}}
  official: {images: ["hub:official"], require: {tag: supported}}
  verified: {images: ["hub:verified-publisher"], publishers: [grafana], require: {digest: true}}
scrutinise:
  source-repo: public
  pushed-at-least: 7d
  vulnerabilities: {critical-fixable: 0, scan-within: 30d}
  end-of-life: false
  name-lookalike: false
"#;

/// Who stands behind each image, the image, and how it ends.
const IMAGES: [(&str, &str, &str); 5] = [
    ("The organisation's own base", INTERNAL, "pass internal"),
    ("An official image whose release is over", "python:3.7", "fail official"),
    ("A verified publisher", VERIFIED, "pass verified"),
    ("An unfamiliar image with everything proven", PROVEN, "pass"),
    ("An unfamiliar image with nothing proven", STRANGER, "fail"),
];

const INTERNAL: &str = "registry.example.com/approved-base/node:24@sha256:1111111111111111111111111111111111111111111111111111111111111111";
const VERIFIED: &str =
    "grafana/loki:3.7@sha256:2222222222222222222222222222222222222222222222222222222222222222";
const PROVEN: &str =
    "foo/exporter:1.4@sha256:3333333333333333333333333333333333333333333333333333333333333333";
const STRANGER: &str = "stranger/redis:8";

/// What is shown; an error when an image does not end as it should.
pub(super) fn show(style: Style) -> anyhow::Result<String> {
    let report = judged()?;
    let mut out = format!("Who stands behind an image: five images, judged on {TODAY} by recorded facts.\n");
    for (number, (who, image, wanted)) in IMAGES.iter().enumerate() {
        let judged = report.uses.iter().find(|judged| judged.usage.raw == *image);
        let judged = judged.with_context(|| format!("{image} was not found"))?;
        let judgement = judged.judgement.as_ref().context("there is a policy")?;
        let ended = [judgement.verdict.as_str(), judgement.source.as_deref().unwrap_or("")].join(" ");
        if ended.trim_end() != *wanted {
            bail!("{image} must end in `{wanted}` and ends in `{ended}`: this is a defect in fromguard");
        }
        out.push_str(&format!("\n{}. {who}\n\n", number + 1));
        out.push_str(&report::explain_text(&report.subject.policies, &judged.usage, Some(judgement)));
    }
    out.push_str("\nAnd as a developer sees it:\n\n");
    out.push_str(&report::check_text(&report, style));
    Ok(out)
}

fn judged() -> anyhow::Result<Report> {
    let policy = SourceFile::new(RepoPath::new(REPOSITORY_POLICY_PATH), POLICY);
    let subject = Subject {
        head: scanned(),
        base: None,
        touched: None,
        policies: Policies::load(Found::Absent, Found::File(Arc::new(policy)), day(TODAY)?),
        proposed: None,
        evidence: Arc::new(recorded()?),
        notices: Vec::new(),
        approvals: Vec::new(),
    };
    Ok(report::judge(subject))
}

/// One Dockerfile with every image.
fn scanned() -> Scanned {
    let path = RepoPath::new("Dockerfile");
    let text: String = IMAGES.iter().map(|(_, image, _)| format!("FROM {image}\n")).collect();
    let mut scan = Scan::of_tree([path.clone()].into_iter().collect());
    loop {
        let wanted = scan.wanted();
        if wanted.is_empty() {
            return scan.finish();
        }
        for other in wanted {
            let content = match other == path {
                true => Content::from_bytes(text.clone().into_bytes()),
                false => Content::Missing,
            };
            scan.feed(&other, content);
        }
    }
}

/// What would have been answered.
fn recorded() -> anyhow::Result<Evidence> {
    const HUB: &str = "Docker Hub";
    const REGISTRY: &str = "docker.io";
    let today = day(TODAY)?;
    let mut evidence = Evidence::none();
    evidence.set_publisher("grafana", known(Badge::VerifiedPublisher, HUB, today));
    evidence.set_publisher("foo", known(Badge::Community, HUB, today));
    evidence.set_publisher("stranger", known(Badge::Community, HUB, today));
    for (image, registry) in [(INTERNAL, "registry.example.com"), (VERIFIED, HUB), (PROVEN, HUB)] {
        let (image, digest) = (reference(image)?, digest(image)?);
        let tag = TagTruth { digest, children: Vec::new(), earlier: Vec::new() };
        evidence.of_mut(&image).tag = known(tag, registry, today);
    }

    let proven = evidence.of_mut(&reference(PROVEN)?);
    proven.pushed = known(day("2026-10-30")?, HUB, today);
    proven.source_repository = known(
        Some(SourceRepository {
            address: "https://github.com/foo/exporter".to_owned(),
            public: true,
            active: None,
        }),
        "docker.io, by the certificate of its provenance of 2026-10-29",
        today,
    );
    let signer = Signer {
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        identity: "https://github.com/foo/exporter/.github/workflows/release.yml@refs/tags/v1.4".to_owned(),
    };
    let provenance =
        Provenance { builder: signer.identity.clone(), github_hosted: true, signer: signer.clone() };
    proven.signatures = known(vec![signer], REGISTRY, today);
    proven.provenance = known(vec![provenance], REGISTRY, today);
    let scan = ScanResult { critical_fixable: 0, day: day("2026-11-20")?, end_of_life: Some(false) };
    proven.scan = known(Some(scan), "Trivy, supplied by the organisation", today);

    let stranger = evidence.of_mut(&reference(STRANGER)?);
    stranger.pushed = known(day("2026-11-24")?, HUB, today);
    stranger.claimed_source = known(Some("https://github.com/stranger/redis".to_owned()), "its label", today);
    stranger.signatures = known(Vec::new(), HUB, today);
    stranger.provenance = known(Vec::new(), HUB, today);
    stranger.sbom = known(false, HUB, today);
    stranger.scan = Learnt::Unavailable("nobody supplied a scan of it".to_owned());
    stranger.used_before = known(false, "the organisation's inventory", today);
    Ok(evidence)
}

fn known<T>(value: T, source: &str, day: Day) -> Learnt<T> {
    Learnt::Known(Fact { value, source: source.to_owned(), day })
}

fn day(text: &str) -> anyhow::Result<Day> {
    Day::parse(text).with_context(|| format!("{text} is no day"))
}

fn reference(text: &str) -> anyhow::Result<ImageRef> {
    ImageRef::parse(text).with_context(|| format!("{text} is no image"))
}

fn digest(text: &str) -> anyhow::Result<Digest> {
    let digest = text.split_once('@').map_or("", |(_, digest)| digest);
    Digest::parse(digest).with_context(|| format!("{text} has no digest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each image ends as it should (`show` says so), and a person can read why.
    #[test]
    fn five_images_have_five_explanations() {
        let shown = show(Style::Plain).expect("each image ends as it should");
        for wanted in [
            "`registry.example.com/approved-base/**` covers it",
            "Python 3.7 is past its end of life since 2023-06-27: use `docker.io/library/python:3.14`",
            "comes from the source `verified`",
            "everything that `scrutinise` asks for is proven",
            "`https://github.com/foo/exporter`, which is public (docker.io, by the certificate of its provenance",
            "claims `https://github.com/stranger/redis`, not proven",
            "Official alternative: `docker.io/library/redis:8`",
        ] {
            assert!(shown.contains(wanted), "{wanted}\n{shown}");
        }
    }
}
