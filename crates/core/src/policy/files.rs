//! The organisation's and the repository's file together: each is evaluated
//! alone, and the worse result is taken.

use std::sync::Arc;

use super::Circumstances;
use super::Effect;
use super::Explanation;
use super::Finding;
use super::JudgeScope;
use super::Judgement;
use super::Lifted;
use super::Loaded;
use super::Mode;
use super::ORGANISATION_POLICY_PATH;
use super::Policy;
use super::Scope;
use super::Verdict;
use super::case::Given;
use super::judge;
use super::load;
use crate::day::Day;
use crate::image::ImageUse;
use crate::source::Content;
use crate::source::Problem;
use crate::source::RepoPath;
use crate::source::SourceFile;
use crate::trust::Evidence;

/// What stands where a policy file may stand, as the shell found it. Absent is
/// known, or it is a failure: there is no "probably absent".
#[derive(Debug, Clone)]
pub enum Found {
    /// The repository or the file is known not to exist.
    Absent,
    /// Its text.
    File(Arc<SourceFile>),
    /// It exists or may exist and cannot be read.
    Unreadable {
        /// Its path, for people.
        path: String,
        /// Why, for people.
        reason: String,
    },
}

impl Found {
    /// What a side of a change holds at the path of a policy.
    #[must_use]
    pub fn from_content(path: &RepoPath, content: Content) -> Found {
        let reason = match content {
            Content::Missing => return Found::Absent,
            Content::Text(text) => return Found::File(Arc::new(SourceFile::new(path.clone(), text))),
            Content::Symlink(_) => "a symbolic link; a policy is a file of its own".to_owned(),
            Content::Unreadable(reason) => reason.to_string(),
        };
        Found::Unreadable { path: path.to_string(), reason }
    }
}

/// What is known about one of the two policy files.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "two of these per judged change")]
pub enum PolicyFile {
    /// The repository or the file is known not to exist.
    Absent,
    /// It was read; it may still be broken.
    Read(Loaded),
    /// It exists or may exist and cannot be read.
    Unreadable {
        /// Its path, for people.
        path: String,
        /// Why, for people.
        reason: String,
    },
}

impl PolicyFile {
    fn load(found: Found, scope: Scope<'_>, day: Day) -> PolicyFile {
        match found {
            Found::Absent => PolicyFile::Absent,
            Found::File(file) => PolicyFile::Read(load(file, scope, day)),
            Found::Unreadable { path, reason } => PolicyFile::Unreadable { path, reason },
        }
    }

    /// The policy, if it loaded.
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        match self {
            PolicyFile::Read(loaded) => loaded.policy.as_ref(),
            PolicyFile::Absent | PolicyFile::Unreadable { .. } => None,
        }
    }

    fn status(&self) -> PolicyStatus {
        match self {
            PolicyFile::Absent => PolicyStatus::None,
            PolicyFile::Read(loaded) if loaded.is_broken() => PolicyStatus::Broken,
            PolicyFile::Read(_) => PolicyStatus::Loaded,
            PolicyFile::Unreadable { .. } => PolicyStatus::Unreadable,
        }
    }
}

/// The policy files in force.
#[derive(Debug, Clone)]
pub struct Policies {
    /// The organisation's.
    pub organisation: PolicyFile,
    /// The repository's.
    pub repository: PolicyFile,
    /// The day of judgement.
    pub day: Day,
    /// Where the judgement takes place, for `rules`.
    pub circumstances: Circumstances,
}

/// What became of the policy files, the worse of the two, best first. On
/// `Broken` and `Unreadable` the check fails, whatever the other file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyStatus {
    /// There is no policy anywhere.
    None,
    /// Everything that exists loaded.
    Loaded,
    /// A file has errors.
    Broken,
    /// A file could not be read.
    Unreadable,
}

impl Policies {
    /// Loads both files as they are on a day, the repository's under the
    /// organisation's if that exists.
    #[must_use]
    pub fn load(organisation: Found, repository: Found, day: Day) -> Policies {
        let organisation = PolicyFile::load(organisation, Scope::Organisation, day);
        let repository = PolicyFile::load(repository, repository_scope(&organisation), day);
        Policies { organisation, repository, day, circumstances: Circumstances::default() }
    }

    /// The same policies, in these circumstances.
    #[must_use]
    pub fn under(self, circumstances: Circumstances) -> Policies {
        Policies { circumstances, ..self }
    }

    /// No policy anywhere.
    #[must_use]
    pub fn none() -> Policies {
        Policies {
            organisation: PolicyFile::Absent,
            repository: PolicyFile::Absent,
            day: Day::from_unix_ms(0),
            circumstances: Circumstances::default(),
        }
    }

    /// Reads the repository's file as a change would make it, under the same
    /// organisation's, and runs its tests. Nothing is judged by it.
    #[must_use]
    pub fn load_proposed(&self, file: Arc<SourceFile>) -> Loaded {
        load(file, repository_scope(&self.organisation), self.day).with_tests(self.day)
    }

    /// The policies in force once a proposed file is: under an organisation's new
    /// file the repository's is read again.
    #[must_use]
    pub fn with_proposed(&self, proposed: &Loaded) -> Policies {
        let read = PolicyFile::Read(proposed.clone());
        if proposed.file.path().as_str() != ORGANISATION_POLICY_PATH {
            return Policies {
                organisation: self.organisation.clone(),
                repository: read,
                day: self.day,
                circumstances: self.circumstances.clone(),
            };
        }
        let repository = match &self.repository {
            PolicyFile::Read(loaded) => {
                PolicyFile::Read(load(Arc::clone(&loaded.file), repository_scope(&read), self.day))
            }
            other => other.clone(),
        };
        Policies { organisation: read, repository, day: self.day, circumstances: self.circumstances.clone() }
    }

    /// Every policy that loaded, the organisation's first.
    pub fn loaded(&self) -> impl Iterator<Item = &Policy> {
        [&self.organisation, &self.repository].into_iter().filter_map(PolicyFile::policy)
    }

    /// What became of the files.
    #[must_use]
    pub fn status(&self) -> PolicyStatus {
        self.organisation.status().max(self.repository.status())
    }

    /// The stricter mode of the files that loaded; `None` when none did.
    #[must_use]
    pub fn mode(&self) -> Option<Mode> {
        self.loaded().map(Policy::mode).max()
    }

    /// The scope of the files that loaded that judges more.
    #[must_use]
    pub fn judge_scope(&self) -> JudgeScope {
        self.loaded().map(Policy::judge_scope).max().unwrap_or(JudgeScope::Changed)
    }

    /// Whether `skip-paths` leaves a file out, of the organisation's policy or of
    /// a repository's that stands alone. It does not cover a file that an
    /// unskipped one builds from: that is the caller's to know.
    #[must_use]
    pub fn is_skipped(&self, path: &RepoPath) -> bool {
        self.loaded().any(|policy| policy.is_skipped(path))
    }

    /// Whose approval settles a review: the organisation's reviewers or, without
    /// its policy, the repository's.
    #[must_use]
    pub fn reviewers(&self) -> &[String] {
        self.loaded().next().map_or(&[], Policy::reviewers)
    }

    /// Judges one use by every file that loaded, each alone; findings of both
    /// are kept, the worse verdict is taken. `None` when there is no policy.
    #[must_use]
    pub fn judge(&self, usage: &ImageUse, evidence: &Evidence) -> Option<Judgement> {
        let given = self.given(evidence);
        self.loaded().map(|policy| judge::judge(policy, usage, &given)).reduce(worse)
    }

    /// Judges something that could not be read: the finding `unreadable`.
    /// `None` when there is no policy.
    #[must_use]
    pub fn judge_problem(&self, problem: &Problem) -> Option<Judgement> {
        let nothing = Evidence::none();
        let given = self.given(&nothing);
        self.loaded().map(|policy| judge::judge_problem(policy, problem, &given)).reduce(worse)
    }

    fn given<'a>(&'a self, evidence: &'a Evidence) -> Given<'a> {
        Given {
            day: self.day,
            evidence,
            exceptions: self.loaded().map(|policy| &policy.exceptions).collect(),
            supported_tags_met: false,
            circumstances: &self.circumstances,
        }
    }
}

fn repository_scope(organisation: &PolicyFile) -> Scope<'_> {
    match organisation {
        PolicyFile::Absent => Scope::Repository,
        PolicyFile::Read(loaded) => Scope::RepositoryUnderOrganisation(loaded.policy.as_ref()),
        PolicyFile::Unreadable { .. } => Scope::RepositoryUnderOrganisation(None),
    }
}

/// Both judgements as one.
fn worse(organisation: Judgement, repository: Judgement) -> Judgement {
    let verdict = organisation.verdict.max(repository.verdict);
    let mut findings = organisation.findings;
    for finding in repository.findings {
        add(&mut findings, finding);
    }
    let mut lifted = organisation.lifted;
    for other in repository.lifted {
        let same = |one: &Lifted| one.at == other.at && one.finding.rule == other.finding.rule;
        if !lifted.iter().any(same) {
            lifted.push(other);
        }
    }
    let mut wants = organisation.wants;
    wants.extend(repository.wants);
    let mut notices = organisation.notices;
    notices.extend(repository.notices);
    let explanation = if organisation.explanation == repository.explanation {
        organisation.explanation
    } else {
        Explanation {
            text: "the worse of what the organisation's and the repository's policy say".to_owned(),
            at: None,
            because: vec![organisation.explanation, repository.explanation],
        }
    };
    Judgement {
        verdict,
        source: organisation.source.or(repository.source),
        findings,
        lifted,
        wants,
        notices,
        explanation,
    }
}

/// Adds a finding unless the same is there already; of two that differ in
/// strictness only, the stricter one stays.
pub(super) fn add(findings: &mut Vec<Finding>, new: Finding) {
    let strictness =
        |finding: &Finding| -> (Verdict, Effect, Mode) { (finding.verdict, finding.effect, finding.mode) };
    let at_least = |one: (Verdict, Effect, Mode), two: (Verdict, Effect, Mode)| {
        one.0 >= two.0 && one.1 >= two.1 && one.2 >= two.2
    };
    let same = |old: &Finding| old.rule == new.rule && old.message == new.message;
    if findings.iter().any(|old| same(old) && at_least(strictness(old), strictness(&new))) {
        return;
    }
    findings.retain(|old| !(same(old) && at_least(strictness(&new), strictness(old))));
    findings.push(new);
}
