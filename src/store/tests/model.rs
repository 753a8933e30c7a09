//! Any schedule of events, claims, ends, lost leases and crashes, against a model
//! that thinks in moments instead of generations: a head is judged when a
//! judgement that began after the last news of it has ended.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Event { guid: u8, pull: u64, head: usize, open: bool, announce: bool },
    Observe { pull: u64, head: usize, open: bool },
    Wait { ms: i64 },
    Claim,
    Renew { job: usize },
    Posted { job: usize },
    Finish { job: usize },
    GiveUp { job: usize },
    Retry { job: usize, after_ms: i64 },
    Release { job: usize },
    Crash,
}

const HEADS: [char; 3] = ['a', 'b', 'c'];
const MODEL_LEASE_MS: i64 = 100;

fn step() -> impl Strategy<Value = Step> {
    let job = 0_usize..4;
    prop_oneof![
        6 => (0_u8..8, 1_u64..4, 0..HEADS.len(), prop::bool::weighted(0.8), any::<bool>()).prop_map(
            |(guid, pull, head, open, announce)| Step::Event { guid, pull, head, open, announce }
        ),
        2 => (1_u64..4, 0..HEADS.len(), any::<bool>())
            .prop_map(|(pull, head, open)| Step::Observe { pull, head, open }),
        3 => (1_i64..80).prop_map(|ms| Step::Wait { ms }),
        6 => Just(Step::Claim),
        1 => job.clone().prop_map(|job| Step::Renew { job }),
        2 => job.clone().prop_map(|job| Step::Posted { job }),
        4 => job.clone().prop_map(|job| Step::Finish { job }),
        1 => job.clone().prop_map(|job| Step::GiveUp { job }),
        2 => (job.clone(), 0_i64..200).prop_map(|(job, after_ms)| Step::Retry { job, after_ms }),
        1 => job.prop_map(|job| Step::Release { job }),
        1 => Just(Step::Crash),
    ]
}

#[derive(Debug, Default)]
struct Head {
    /// The moment of the last news.
    news: usize,
    /// A judgement is wanted, or under way.
    pending: bool,
    /// Who holds it, since which moment, and until when.
    lease: Option<(String, usize, i64)>,
    not_before_ms: i64,
    attempts: u32,
    announce: Option<usize>,
    /// The moment at which the judgement began that was given up, while nothing came after it.
    given_up: Option<usize>,
}

#[derive(Default)]
struct Model {
    now_ms: i64,
    moment: usize,
    heads: BTreeMap<Sha, Head>,
    /// Head and open.
    pulls: BTreeMap<u64, (Sha, bool)>,
    /// Those that are open and of which the last event said that they are not.
    closing: BTreeSet<u64>,
    /// The moment at which a GUID was taken, and of which head.
    guids: BTreeMap<u8, (usize, Sha)>,
    jobs: Vec<Job>,
}

impl Model {
    fn news(&mut self, head: &Sha) {
        let (moment, now_ms) = (self.moment, self.now_ms);
        let head = self.heads.entry(head.clone()).or_default();
        head.news = moment;
        head.given_up = None;
        if !head.pending {
            head.pending = true;
            head.not_before_ms = now_ms;
        }
    }

    fn said(&mut self, change: &PullChange, event: bool) {
        let before = self.pulls.get(&change.pull.0).cloned();
        let was_open = before.as_ref().is_some_and(|(_, open)| *open);
        let closing = event && was_open && !change.open;
        let now_open = change.open || closing;
        let concerns = match &before {
            Some((head, open)) => (*open || now_open) && (*head != change.head || *open != now_open),
            None => now_open,
        };
        if event || concerns {
            self.news(&change.head);
            if change.announce {
                self.heads.get_mut(&change.head).unwrap().announce = Some(self.moment);
            }
        }
        if let Some((head, true)) = before
            && head != change.head
        {
            self.news(&head);
        }
        match closing {
            true => self.closing.insert(change.pull.0),
            false => self.closing.remove(&change.pull.0),
        };
        if event || concerns {
            self.pulls.insert(change.pull.0, (change.head.clone(), now_open));
        }
    }

    fn open_pulls(&self, head: &Sha) -> Vec<u64> {
        let pulls = self.pulls.iter().filter(|(_, (at, open))| at == head && *open);
        pulls.map(|(number, _)| *number).collect()
    }

    fn may_be_claimed(&self, head: &Head) -> bool {
        head.pending
            && match &head.lease {
                Some((_, _, until_ms)) => *until_ms <= self.now_ms,
                None => head.not_before_ms <= self.now_ms,
            }
    }

    /// The moment at which the judgement began, when its lease is still held.
    fn held_since(&self, job: &Job) -> Option<usize> {
        let (token, since, _) = self.heads[&job.head].lease.as_ref()?;
        (*token == job.lease).then_some(*since)
    }

    /// A judgement ends, well or given up.
    fn end(&mut self, job: &Job, given_up: bool) -> bool {
        let Some(since) = self.held_since(job) else {
            self.news(&job.head);
            return false;
        };
        let now_ms = self.now_ms;
        let head = self.heads.get_mut(&job.head).unwrap();
        head.lease = None;
        head.attempts = 0;
        head.pending = head.news > since;
        head.not_before_ms = now_ms;
        head.announce = head.announce.filter(|asked| *asked > since);
        head.given_up = (given_up && !head.pending).then_some(since);
        true
    }

    fn is_duplicate(&self, guid: u8) -> bool {
        self.guids.get(&guid).is_some_and(|(taken, head)| {
            let given_up = self.heads[head].given_up.is_some_and(|since| since > *taken);
            !given_up
        })
    }
}

async fn run(steps: Vec<Step>) {
    let store = Store::for_tests().await;
    let mut model = Model::default();
    for step in steps {
        model.moment += 1;
        take(&store, &mut model, step).await;
    }

    // Whatever happened: once everybody does their work, every head is judged by a
    // judgement that began after the last news of it, with the pull requests it has.
    model.now_ms += 10_000;
    for _ in 0..4 * HEADS.len() {
        model.moment += 1;
        let job = model.jobs.len();
        take(&store, &mut model, Step::Claim).await;
        model.moment += 1;
        if model.jobs.len() > job {
            take(&store, &mut model, Step::Finish { job }).await;
        }
    }
    assert!(model.heads.values().all(|head| !head.pending), "{:?}", model.heads);
    assert_eq!(store.next_due_ms().await.unwrap(), None);
}

async fn take(store: &Store, model: &mut Model, step: Step) {
    let change_of = |pull: u64, head: usize, open: bool, announce: bool| PullChange {
        open,
        announce,
        files: 0,
        ..change(pull, HEADS[head])
    };
    let job_of = |model: &Model, job: usize| model.jobs.get(job).cloned();
    match step {
        Step::Event { guid, pull, head, open, announce } => {
            let change = change_of(pull, head, open, announce);
            let delivery = Delivery { guid: guid.to_string(), ask: Ask::Pull(change.clone()) };
            let recorded = store.record(delivery, model.now_ms).await.unwrap();
            if model.is_duplicate(guid) {
                assert_eq!(recorded, Recorded::Duplicate);
            } else {
                assert_eq!(recorded, Recorded::New);
                model.said(&change, true);
                model.guids.insert(guid, (model.moment, change.head));
            }
        }
        Step::Observe { pull, head, open } => {
            let change = change_of(pull, head, open, false);
            store.observe(&Ask::Pull(change.clone()), model.now_ms).await.unwrap();
            model.said(&change, false);
        }
        Step::Wait { ms } => model.now_ms += ms,
        Step::Claim => {
            let claimed = store.claim(model.now_ms, MODEL_LEASE_MS).await.unwrap();
            let Some(job) = claimed else {
                let due = model.heads.values().find(|head| model.may_be_claimed(head));
                assert!(due.is_none(), "a judgement is due and was not given: {due:?}");
                return;
            };
            let head = &model.heads[&job.head];
            assert!(model.may_be_claimed(head), "claimed what is not due: {head:?}");
            assert_eq!(pulls(&job), model.open_pulls(&job.head));
            let doubted = pulls(&job).into_iter().filter(|pull| model.closing.contains(pull));
            let closing = job.closing.iter().map(|(pull, _)| pull.0);
            assert_eq!(closing.collect::<Vec<_>>(), doubted.collect::<Vec<_>>());
            let expired = u32::from(head.lease.is_some());
            assert_eq!(job.attempts, head.attempts + expired);
            assert_eq!(job.announce, head.announce.is_some());
            let (now_ms, moment) = (model.now_ms, model.moment);
            let head = model.heads.get_mut(&job.head).unwrap();
            head.attempts = job.attempts;
            head.lease = Some((job.lease.clone(), moment, now_ms + MODEL_LEASE_MS));
            model.jobs.push(job);
        }
        Step::Renew { job } => {
            let Some(job) = job_of(model, job) else { return };
            let until_ms = model.now_ms + MODEL_LEASE_MS;
            let renewed = store.renew(&job, until_ms).await.unwrap();
            assert_eq!(renewed, model.held_since(&job).is_some());
            if renewed {
                model.heads.get_mut(&job.head).unwrap().lease.as_mut().unwrap().2 = until_ms;
            }
        }
        Step::Posted { job } => {
            let Some(job) = job_of(model, job) else { return };
            let run = PostedRun { id: CheckRunId(model.moment as u64), conclusion: None };
            store.posted(&job, &run).await.unwrap();
            match model.held_since(&job) {
                Some(since) => {
                    let head = model.heads.get_mut(&job.head).unwrap();
                    head.announce = head.announce.filter(|asked| *asked > since);
                }
                None => model.news(&job.head),
            }
        }
        Step::Finish { job } => {
            let Some(job) = job_of(model, job) else { return };
            assert_eq!(store.finish(&job).await.unwrap(), model.end(&job, false));
        }
        Step::GiveUp { job } => {
            let Some(job) = job_of(model, job) else { return };
            assert_eq!(store.give_up(&job, "for good").await.unwrap(), model.end(&job, true));
        }
        Step::Retry { job, after_ms } => {
            let Some(job) = job_of(model, job) else { return };
            let at_ms = model.now_ms + after_ms;
            store.retry(&job, at_ms, "not now").await.unwrap();
            if model.held_since(&job).is_some() {
                let head = model.heads.get_mut(&job.head).unwrap();
                head.lease = None;
                head.attempts += 1;
                head.not_before_ms = at_ms;
            }
        }
        Step::Release { job } => {
            let Some(job) = job_of(model, job) else { return };
            store.release(&job).await.unwrap();
            if model.held_since(&job).is_some() {
                let head = model.heads.get_mut(&job.head).unwrap();
                head.lease = None;
                head.not_before_ms = 0;
            }
        }
        // In PostgreSQL another replica may live: leases hold until they end.
        Step::Crash if store.inner.database.is_shared() => {}
        Step::Crash => {
            queue::void_leases(&mut store.inner.database.connect().await.unwrap()).await.unwrap();
            for head in model.heads.values_mut().filter(|head| head.lease.is_some()) {
                head.lease = None;
                head.attempts += 1;
                head.not_before_ms = 0;
            }
        }
    }
}

/// Each has a database of its own, which PostgreSQL takes longer to make.
fn cases() -> u32 {
    if std::env::var_os(STORE_VARIABLE).is_some() { 20 } else { 200 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_schedule_converges(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}
