//! `tests`: what the author of a policy expects of it. They run offline, with the
//! exceptions set aside and `tag: supported` counted as met, so that neither a date
//! nor a newer catalogue makes one fail.

use super::Circumstances;
use super::Effect;
use super::Judgement;
use super::Loaded;
use super::Policy;
use super::Verdict;
use super::case::Given;
use super::diagnostic::Diagnostic;
use super::diagnostic::Diagnostics;
use super::diagnostic::Severity;
use super::exception::Bounds;
use super::judge;
use super::keys;
use super::reader::Entry;
use super::reader::Spanned;
use super::wording::quoted;
use crate::day::Day;
use crate::image::ImageUse;
use crate::image::Role;
use crate::image::Stage;
use crate::source::RepoPath;
use crate::source::Span;
use crate::trust::Evidence;
use crate::yaml::Node;

/// Where a test's image stands unless it says where.
const DEFAULT_PATH: &str = "Dockerfile";

/// An item of `tests`.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    image: String,
    path: RepoPath,
    stage: Stage,
    expect: Spanned<Expect>,
    /// The id of a finding that there must be.
    why: Option<Spanned<String>>,
}

/// What a test expects: a verdict, what is not known read as `when-unsure` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Pass,
    Review,
    Fail,
    Undecided,
}

impl Expect {
    fn as_str(self) -> &'static str {
        match self {
            Expect::Pass => "pass",
            Expect::Review => "review",
            Expect::Fail => "fail",
            Expect::Undecided => "undecided",
        }
    }
}

/// Reads `tests`.
pub(super) fn read(node: Node<'_>, out: &mut Diagnostics) -> Vec<Trial> {
    out.list(node, "`tests`").into_iter().filter_map(|item| read_trial(item, out)).collect()
}

fn read_trial(node: Node<'_>, out: &mut Diagnostics) -> Option<Trial> {
    let (mut image, mut expect, mut why) = (None, None, None);
    let (mut path, mut stage) = (RepoPath::new(DEFAULT_PATH), Stage::Final);
    for Entry { key, value, .. } in out.entries(node, "a test", &keys::TEST) {
        match key {
            "image" => image = out.text(value, "`image`").map(str::to_owned),
            "path" => path = out.text(value, "`path`").map_or(path, RepoPath::new),
            "stage" => {
                let words = [("final", Stage::Final), ("build", Stage::Build)];
                stage = out.word(value, "`stage`", &words).map_or(stage, |word| word.value);
            }
            "expect" => {
                let words = [Expect::Pass, Expect::Review, Expect::Fail, Expect::Undecided];
                expect = out.word(value, "`expect`", &words.map(|word| (word.as_str(), word)));
            }
            "why" => {
                why = out
                    .text(value, "`why`")
                    .map(|text| Spanned { value: text.to_owned(), span: value.span() });
            }
            _ => {}
        }
    }
    out.needed(node, "a test", &keys::TEST);
    if let (Some(why), Some(Expect::Pass)) = (&why, expect.map(|expect| expect.value)) {
        out.error(why.span, "what passes has no finding", "remove `why`, or expect `review` or `fail`");
    }
    Some(Trial { image: image?, path, stage, expect: expect?, why })
}

/// A test that expects a finding which nothing makes would never hold.
pub(super) fn check(trials: &[Trial], bounds: &Bounds<'_>, out: &mut Diagnostics) {
    for why in trials.iter().filter_map(|trial| trial.why.as_ref()).filter(|why| why.value != "block") {
        super::exception::check_made(why, bounds, out);
    }
}

impl Loaded {
    /// Runs the tests of the policy: one that fails is an error at its line, and
    /// the policy cannot be used.
    #[must_use]
    pub fn with_tests(mut self, day: Day) -> Loaded {
        let Some(policy) = &self.policy else { return self };
        let failed = policy.failed_tests(day);
        if !failed.is_empty() {
            self.policy = None;
            self.diagnostics.extend(failed);
            self.diagnostics.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
        }
        self
    }
}

impl Policy {
    /// How many tests the file has.
    #[must_use]
    pub fn tests(&self) -> usize {
        self.trials.len()
    }

    fn failed_tests(&self, day: Day) -> Vec<Diagnostic> {
        let evidence = Evidence::none();
        let circumstances = Circumstances::default();
        let given = Given {
            day,
            evidence: &evidence,
            exceptions: Vec::new(),
            supported_tags_met: true,
            circumstances: &circumstances,
        };
        let failed = self.trials.iter().filter_map(|trial| {
            let usage = ImageUse::supposed(&trial.image, trial.path.clone(), Role::FinalStage, trial.stage);
            failure(trial, &judge::judge(self, &usage, &given))
        });
        failed
            .map(|(span, message, help)| Diagnostic {
                severity: Severity::Error,
                span,
                message,
                help: Some(help),
            })
            .collect()
    }
}

/// Why a test fails: where, what is so, and what to write if that is right.
fn failure(trial: &Trial, judgement: &Judgement) -> Option<(Span, String, String)> {
    let effect = judgement.findings.iter().map(|finding| finding.effect).max();
    let found = match effect {
        None => Expect::Pass,
        Some(Effect::Review) => Expect::Review,
        Some(Effect::Fail) => Expect::Fail,
    };
    let undecided = judgement.verdict == Verdict::Undecided;
    let expected = trial.expect.value;
    let image = quoted(&trial.image);
    let place = quoted(trial.path.as_str());
    let reasons: Vec<String> =
        judgement.findings.iter().map(|finding| format!("`{}`: {}", finding.rule, finding.message)).collect();
    let because = match reasons.is_empty() {
        true => judgement.explanation.text.clone(),
        false => reasons.join("; "),
    };
    if found != expected && !(undecided && expected == Expect::Undecided) {
        let message = format!(
            "this test fails: {image} in {place} is `{}` and not `{}`: {because}",
            found.as_str(),
            expected.as_str()
        );
        let help =
            format!("mend the policy, or write `expect: {}` if that is what it should say", found.as_str());
        return Some((trial.expect.span, message, help));
    }
    let why = trial.why.as_ref()?;
    if judgement.findings.iter().any(|finding| finding.rule == why.value) {
        return None;
    }
    let message =
        format!("this test fails: {image} in {place} has no finding {}: {because}", quoted(&why.value));
    let help = match judgement.findings.first() {
        Some(finding) => {
            format!("mend the policy, or write `why: {}` if that is what it should say", finding.rule)
        }
        None => "mend the policy".to_owned(),
    };
    Some((why.span, message, help))
}
