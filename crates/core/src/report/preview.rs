//! What another policy would make of the same uses: which change their verdict,
//! and which exceptions nothing needs any more.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::image::ImageUse;
use crate::policy::Judgement;
use crate::policy::Policies;
use crate::policy::Verdict;
use crate::report::brief;
use crate::report::explain;
use crate::report::untrusted::MAX_SHOWN_CHARS;
use crate::report::untrusted::plain;
use crate::report::wording;
use crate::scan::Scanned;
use crate::source::Location;

/// How many uses a sentence names.
const MAX_NAMED: usize = 5;

/// The difference between two policies on some uses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// The uses whose verdict differs, in their order.
    pub changed: Vec<ChangedVerdict>,
    /// The ids of exceptions that lift something under the old policy and nothing
    /// under the new one, though it has them.
    pub unused: Vec<String>,
    /// How many uses were judged.
    pub uses: usize,
}

/// One use whose verdict differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedVerdict {
    /// The image, or what is written where that is not known.
    pub image: String,
    /// Where it is used: `path:line:column`.
    pub place: String,
    /// The verdict of the old policy; `None` when there is none.
    pub old: Option<Verdict>,
    /// The verdict of the new one.
    pub new: Option<Verdict>,
    /// Why, by the new one: the first finding, if there is one.
    pub because: Option<String>,
}

/// Compares two policies by what they say of each use of a scan.
pub(super) fn compare(
    scanned: &Scanned,
    uses: &[ImageUse],
    (old, new): (&Policies, &Policies),
    judge_use: impl Fn(&Policies, &ImageUse) -> Option<Judgement>,
) -> Preview {
    let mut preview = Preview { uses: uses.len(), ..Preview::default() };
    let (mut lifted_before, mut lifted_after) = (BTreeSet::new(), BTreeSet::new());
    for usage in uses {
        let (before, after) = (judge_use(old, usage), judge_use(new, usage));
        let ids = |judgement: &Option<Judgement>| -> Vec<String> {
            judgement
                .iter()
                .flat_map(|judgement| &judgement.lifted)
                .map(|one| one.exception.clone())
                .collect()
        };
        lifted_before.extend(ids(&before));
        lifted_after.extend(ids(&after));
        let verdict = |judgement: &Option<Judgement>| judgement.as_ref().map(|judgement| judgement.verdict);
        if verdict(&before) == verdict(&after) {
            continue;
        }
        let at = Location { file: usage.file.clone(), span: usage.span };
        let finding = after.as_ref().and_then(|judgement| {
            judgement.findings.iter().find(|finding| finding.verdict == judgement.verdict)
        });
        preview.changed.push(ChangedVerdict {
            image: brief::image_name(usage),
            place: explain::place(explain::source(scanned, &at), &at),
            old: verdict(&before),
            new: verdict(&after),
            because: finding.map(|finding| format!("{}: {}", finding.rule, finding.message)),
        });
    }
    let kept: BTreeSet<&str> =
        new.loaded().flat_map(|policy| policy.exceptions(new.day)).map(|(id, _)| id).collect();
    let unneeded = lifted_before.difference(&lifted_after);
    preview.unused = unneeded.filter(|id| kept.contains(id.as_str())).cloned().collect();
    preview
}

/// [`compare`] on everything that was scanned, offline.
#[must_use]
pub fn policy_diff(scanned: &Scanned, old: &Policies, new: &Policies) -> Preview {
    let nothing = crate::trust::Evidence::none();
    compare(scanned, &scanned.uses, (old, new), |policies, usage| policies.judge(usage, &nothing))
}

impl Preview {
    /// One sentence that says how many uses change, and the first of them.
    pub(super) fn sentence(&self) -> String {
        if self.changed.is_empty() {
            return "It changes no verdict on the image uses that were read.".to_owned();
        }
        let shown = self.changed.len().min(MAX_NAMED);
        let named: Vec<String> = self.changed[..shown]
            .iter()
            .map(|one| format!("`{}` ({})", one.image.replace('`', "'"), one.step()))
            .collect();
        let more = match self.changed.len() - shown {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        format!(
            "It would change the verdict on {}: {}{more}.",
            wording::count(self.changed.len(), "image use"),
            named.join(", ")
        )
    }

    /// How many uses go from which verdict to which: `3 pass → fail`.
    pub(super) fn counts(&self) -> Vec<String> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        self.changed.iter().for_each(|one| *counts.entry(one.step()).or_default() += 1);
        counts.into_iter().map(|(step, number)| format!("{number} {step}")).collect()
    }

    /// The whole of it as lines for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let line = |text: &str| plain(text, 2 * MAX_SHOWN_CHARS);
        let mut out = String::new();
        for one in &self.changed {
            out.push_str(&format!("{}: {}: {}\n", line(&one.place), line(&one.image), one.step()));
            if let Some(because) = &one.because {
                out.push_str(&format!("  {}\n", line(because)));
            }
        }
        for id in &self.unused {
            out.push_str(&format!("exception {}: lifts nothing any more\n", line(id)));
        }
        let uses = wording::count(self.uses, "image use");
        out.push_str(&match self.changed.len() {
            0 => format!("no verdict changes on {uses}\n"),
            changed => format!("{changed} of {uses} change their verdict: {}\n", self.counts().join(", ")),
        });
        out
    }
}

impl ChangedVerdict {
    /// `pass → fail`
    #[must_use]
    pub fn step(&self) -> String {
        let word = |verdict: Option<Verdict>| verdict.map_or("not judged", Verdict::as_str);
        format!("{} → {}", word(self.old), word(self.new))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::policy;
    use crate::policy::Found;
    use crate::policy::ORGANISATION_POLICY_PATH;
    use crate::policy::REPOSITORY_POLICY_PATH;
    use crate::policy::Scope;
    use crate::report::Report;
    use crate::report::bench;
    use crate::source::RepoPath;
    use crate::source::SourceFile;

    const OLD: &str = "\
version: 1
mode: observe
unknown: review
trust: {official: {images: [\"hub:official\"]}}
exceptions:
  - {id: EX-1, images: [\"docker.io/foo/bar\"], rules: [unknown], until: 2027-01-31, owner: \"@a\", reason: b}
";

    fn file(path: &str, text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile::new(RepoPath::new(path), text))
    }

    /// A pull request whose files stand unchanged and whose policy does not.
    fn edited(new: &str) -> Report {
        let files = [("Dockerfile", "FROM node:24\nCOPY --from=foo/bar / /\nCOPY --from=ghcr.io/a/b / /\n")];
        let mut subject = bench::subject(Some(&files), &files);
        subject.policies =
            Policies::load(Found::Absent, Found::File(file(REPOSITORY_POLICY_PATH, OLD)), bench::day());
        subject.proposed = Some(subject.policies.load_proposed(file(REPOSITORY_POLICY_PATH, new)));
        crate::report::judge(subject)
    }

    #[test]
    fn an_edited_policy_shows_what_it_would_change() {
        let report = edited(&OLD.replace("hub:official", "docker.io/foo/*"));
        let summary = report.check_run().summary;
        let section = summary.split("### What the new policy would change\n").nth(1).unwrap_or_default();
        assert_eq!(
            section.split("\n### Notices").next(),
            Some(
                "\n1 of 3 image uses that were read: 1 pass → review.\n\n\
                 - exception `EX-1` lifts nothing any more\n\
                 - `docker.io/library/node:24` at `Dockerfile:1:6`: pass → review\n  \
                 - unknown: `docker.io/library/node:24` comes from no source this policy trusts\n"
            ),
            "{summary}"
        );
        assert!(
            report.notices[0].ends_with(
                "It would change the verdict on 1 image use: `docker.io/library/node:24` (pass → review)."
            ),
            "{:?}",
            report.notices
        );
        assert_eq!(report.conclusion.as_str(), "success", "nothing is judged by it");
    }

    #[test]
    fn an_edit_without_effect_says_so_in_one_sentence() {
        let report = edited(&format!("# edited\n{OLD}"));
        assert!(report.notices[0].ends_with("It changes no verdict on the image uses that were read."));
        assert!(!report.check_run().summary.contains("### What the new policy would change"));
    }

    #[test]
    fn a_failing_test_of_an_edited_policy_fails_the_check() {
        let report = edited(&format!("{OLD}tests: [{{image: node, expect: fail}}]\n"));
        assert_eq!(report.conclusion.as_str(), "failure");
        let annotation = &report.check_run().annotations[0];
        assert_eq!((annotation.path.as_str(), annotation.start_line), (REPOSITORY_POLICY_PATH, 7));
        assert!(
            annotation
                .message
                .starts_with("this test fails: `node` in `Dockerfile` is `pass` and not `fail`")
        );
    }

    #[test]
    fn under_an_edited_organisations_file_the_repositorys_is_read_again() {
        let organisation =
            OLD.replace("exceptions:", "repos-may: {add-exceptions: {max-days: 14}}\nexceptions:");
        let repository = "version: 1\nexceptions: [{id: EX-2, images: [\"docker.io/a/b\"], rules: [unknown], until: 2026-12-01, owner: \"@a\", reason: b}]\n";
        let policies = Policies::load(
            Found::File(file(ORGANISATION_POLICY_PATH, &organisation)),
            Found::File(file(REPOSITORY_POLICY_PATH, repository)),
            bench::day(),
        );
        assert!(policies.repository.policy().is_some());
        let new = policy::load(file(ORGANISATION_POLICY_PATH, OLD), Scope::Organisation, bench::day());
        let after = policies.with_proposed(&new);
        assert!(after.repository.policy().is_none(), "it may not except anything any more");
    }
}
