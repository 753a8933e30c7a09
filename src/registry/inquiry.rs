//! What judging wants to know, asked of who knows it: side by side, each thing
//! once, within a budget of time. What was not had is written down as not known,
//! with the reason, and judging goes on.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fromguard_core::image::Digest;
use fromguard_core::image::ImageRef;
use fromguard_core::policy::Policies;
use fromguard_core::report;
use fromguard_core::report::Report;
use fromguard_core::report::Subject;
use fromguard_core::trust::Evidence;
use fromguard_core::trust::Item;
use fromguard_core::trust::Learnt;
use fromguard_core::trust::Look;
use fromguard_core::trust::Wanted;
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio::task::JoinSet;

use super::archive;
use super::archive::Archive;
use super::facts;
use super::facts::Entry;
use super::facts::Facts;
use super::guard::Authority;
use super::guard::Guard;
use super::operator::Operator;
use super::own;
use super::own::Folder;
use super::own::Organisation;
use super::signature::Verifying;
use crate::clock::Clock;

/// How many things are asked at once, of all registries together.
const ASKED_AT_ONCE: usize = 32;
/// How many things are asked for one judgement.
const MAX_ASKED: usize = 500;
/// An answer can raise another question: so often judging is repeated.
const MAX_ROUNDS: usize = 4;

/// Who asks, and whom may be asked.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The hosts that the policy in force lists under `contact`.
    pub contact: Vec<String>,
    /// Whether what is learnt is shown to nobody who may not know it: credentials
    /// are used for private repositories only.
    pub private: bool,
}

/// Asks registries for evidence; cheap to clone, all clones share what they learn.
#[derive(Clone)]
pub struct Inquiry {
    facts: Arc<Facts>,
    slots: Arc<Semaphore>,
    budget: Duration,
    /// Whether registries may be asked.
    online: bool,
    /// The operator's scan results.
    folder: Option<Arc<Folder>>,
    /// Whose repository is judged, where that is known.
    organisation: Option<Arc<dyn Organisation>>,
}

/// What was not answered in time and is still being asked.
#[derive(Debug)]
pub struct Late {
    answers: Vec<JoinSet<Answer>>,
}

/// An answer, for the evidence of the judgement that asked.
type Answer = (Wanted, Entry);

impl Late {
    /// Returns when everything is answered, or failed: then judging again knows more.
    pub async fn arrived(self) {
        for mut answers in self.answers {
            while answers.join_next().await.is_some() {}
        }
    }
}

impl Inquiry {
    /// How long a judgement waits for evidence unless it is told otherwise.
    pub const BUDGET: Duration = Duration::from_secs(20);

    /// Asks whom the operator's file and the built-in table list.
    ///
    /// # Errors
    /// When a key, a trusted root, a certificate authority or a folder of the file cannot be used.
    pub fn new(operator: Operator, clock: Clock, budget: Duration) -> Result<Inquiry, String> {
        let folder = match &operator.scans {
            Some(path) if !path.is_dir() => return Err(format!("scans: {} is no folder", path.display())),
            scans => scans.clone().map(|path| Arc::new(Folder::new(path))),
        };
        let (verifying, verified_by) = (Verifying::new(&operator)?, archive::verified_by(&operator));
        let guard = Guard::new(operator.rows, clock)?;
        let facts = Arc::new(Facts::new(guard, verifying, &verified_by));
        let slots = Arc::new(Semaphore::new(ASKED_AT_ONCE));
        Ok(Inquiry { facts, slots, budget, online: true, folder, organisation: None })
    }

    /// The same, which asks no registry: only what the organisation and the operator keep
    /// themselves is looked at.
    #[must_use]
    pub fn offline(self) -> Inquiry {
        Inquiry { online: false, ..self }
    }

    /// From now on keeps answers there as well, so that a restart need not ask again.
    pub fn keep_in(&self, archive: Arc<dyn Archive>) {
        self.facts.archives().set(archive);
    }

    /// The same for a repository of this organisation.
    #[must_use]
    pub fn of(&self, organisation: Arc<dyn Organisation>) -> Inquiry {
        Inquiry { organisation: Some(organisation), ..self.clone() }
    }

    /// Asks for these things, as the operator may, within the budget.
    pub async fn ask(&self, wants: BTreeSet<Wanted>) -> Evidence {
        let asking = Asking { contact: Vec::new(), private: true };
        let budget_ms = i64::try_from(self.budget.as_millis()).unwrap_or(i64::MAX);
        let deadline_ms = self.facts.clock().now_ms().saturating_add(budget_ms);
        let (mut evidence, mut late) = (Evidence::none(), Vec::new());
        self.gather(&mut evidence, wants, &Policies::none(), &asking, deadline_ms, &mut late).await;
        evidence
    }

    /// Looks at an image that stands somewhere; `None` offline.
    pub async fn look(&self, image: &ImageRef) -> Option<Look> {
        if !self.online {
            return None;
        }
        let _slot = self.slots.acquire().await;
        Some(self.facts.look(image).await)
    }

    /// How often each host and port was connected to.
    #[must_use]
    pub fn contacts(&self) -> BTreeMap<Authority, u64> {
        self.facts.guard().contacts()
    }

    /// Judges a subject with what can be learnt of its images within the budget,
    /// and says what is still under way after it.
    ///
    /// # Errors
    /// When judging panics.
    pub async fn judge(&self, subject: Subject, private: bool) -> Result<(Report, Option<Late>), JoinError> {
        let contact = subject.policies.loaded().flat_map(|policy| policy.contact().to_vec()).collect();
        let asking = Asking { contact, private };
        let budget_ms = i64::try_from(self.budget.as_millis()).unwrap_or(i64::MAX);
        let deadline_ms = self.facts.clock().now_ms().saturating_add(budget_ms);
        let mut late = Vec::new();
        let mut evidence = (*subject.evidence).clone();
        let mut asked = BTreeSet::new();
        // Judging takes these out of its subject or mends them.
        let (notices, policies) = (subject.notices.clone(), subject.policies.clone());
        let mut report = judged(subject).await?;
        for _ in 0..MAX_ROUNDS {
            let wants: BTreeSet<Wanted> = report.wants().difference(&asked).cloned().collect();
            if wants.is_empty() {
                break;
            }
            asked.extend(wants.iter().cloned());
            self.gather(&mut evidence, wants, &policies, &asking, deadline_ms, &mut late).await;
            let evidence = Arc::new(evidence.clone());
            let (notices, policies) = (notices.clone(), policies.clone());
            report = judged(Subject { evidence, notices, policies, ..report.subject }).await?;
        }
        if late.is_empty() {
            return Ok((report, None));
        }
        let count: usize = late.iter().map(JoinSet::len).sum();
        let questions = if count == 1 { "one question".to_owned() } else { format!("{count} questions") };
        let seconds = self.budget.as_secs();
        let notice =
            format!("Registries did not answer {questions} within {seconds} seconds: judged without.");
        report.notices.push(notice);
        Ok((report, Some(Late { answers: late })))
    }

    async fn gather(
        &self,
        evidence: &mut Evidence,
        wants: BTreeSet<Wanted>,
        policies: &Policies,
        asking: &Asking,
        deadline_ms: i64,
        late: &mut Vec<JoinSet<Answer>>,
    ) {
        let wants = self.look_first(evidence, wants, policies, deadline_ms).await;
        if !self.online {
            return;
        }
        let mut answers = JoinSet::new();
        let mut open = BTreeSet::new();
        for wanted in wants {
            if open.len() >= MAX_ASKED {
                let why = format!("more than {MAX_ASKED} questions are not asked for one change");
                facts::not_known(&wanted, why).write(evidence);
                continue;
            }
            open.insert(wanted.clone());
            let (facts, slots, asking) = (Arc::clone(&self.facts), Arc::clone(&self.slots), asking.clone());
            answers.spawn(async move {
                let _slot = slots.acquire_owned().await;
                let entry = facts.answer(&wanted, &asking).await;
                (wanted, entry)
            });
        }
        let in_time = self.facts.clock().sleep_until(deadline_ms);
        let mut in_time = std::pin::pin!(in_time);
        loop {
            tokio::select! {
                biased;
                answer = answers.join_next() => match answer {
                    Some(Ok((wanted, entry))) => {
                        open.remove(&wanted);
                        entry.write(evidence);
                    }
                    Some(Err(error)) => tracing::error!(%error, "asking for evidence panicked"),
                    None => break,
                },
                () = &mut in_time => break,
            }
        }
        for wanted in &open {
            let why = match answers.is_empty() {
                true => "asking for it failed inside fromguard".to_owned(),
                false => self.too_late(),
            };
            facts::not_known(wanted, why).write(evidence);
        }
        if !answers.is_empty() {
            late.push(answers);
        }
    }

    /// Looks for what the organisation and the operator keep themselves; says what is left
    /// to be asked of registries.
    async fn look_first(
        &self,
        evidence: &mut Evidence,
        wants: BTreeSet<Wanted>,
        policies: &Policies,
        deadline_ms: i64,
    ) -> BTreeSet<Wanted> {
        if self.folder.is_none() && self.organisation.is_none() {
            return wants;
        }
        let of_scan = |wanted: &Wanted| match wanted {
            Wanted::Image(image, Item::Scan) => image.digest.clone(),
            _ => None,
        };
        let of_use = |wanted: &Wanted| match wanted {
            Wanted::Image(image, Item::UsedBefore) => Some(image.clone()),
            _ => None,
        };
        let digests: BTreeSet<Digest> = wants.iter().filter_map(of_scan).collect();
        let digests: Vec<Digest> = digests.into_iter().collect();
        let uses: Vec<ImageRef> = wants.iter().filter_map(of_use).collect();
        let clock = self.facts.clock();
        let supplied = own::supplied(self.folder.as_deref(), self.organisation.as_deref(), &digests, clock);
        let used = async {
            match self.organisation.as_deref().filter(|_| !uses.is_empty()) {
                Some(organisation) => own::used_before(organisation, &uses, policies, clock).await,
                None => Vec::new(),
            }
        };
        let (supplied, used) = tokio::select! {
            both = async { tokio::join!(supplied, used) } => both,
            () = clock.sleep_until(deadline_ms) => {
                let late = |digest: &Digest| (digest.clone(), Learnt::Unavailable(self.too_late()));
                (digests.iter().map(late).collect(), vec![Learnt::Unavailable(self.too_late()); uses.len()])
            }
        };
        let used: BTreeMap<ImageRef, Learnt<bool>> = uses.into_iter().zip(used).collect();
        let mut left = BTreeSet::new();
        for wanted in wants {
            let scan = of_scan(&wanted).and_then(|digest| supplied.get(&digest));
            let use_before = of_use(&wanted).and_then(|image| used.get(&image));
            match (&wanted, scan, use_before) {
                (Wanted::Image(image, _), Some(scan), _) => evidence.of_mut(image).scan = scan.clone(),
                (Wanted::Image(image, _), _, Some(used)) => evidence.of_mut(image).used_before = used.clone(),
                _ => {
                    left.insert(wanted);
                }
            }
        }
        left
    }

    fn too_late(&self) -> String {
        format!("it was not answered within {} seconds", self.budget.as_secs())
    }
}

/// Judging is work for a thread of its own.
async fn judged(subject: Subject) -> Result<Report, JoinError> {
    tokio::task::spawn_blocking(move || report::judge(subject)).await
}
