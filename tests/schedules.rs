//! Any order of what people do, what GitHub delivers, what fails and what crashes: at the
//! end, every open pull request's head has one latest concluded run with the right
//! conclusion, no comment stands twice, and nothing was posted to the wrong commit.
//!
//! A schedule is made from its seed, by hand-turned clocks, so that thousands take seconds;
//! `FROMGUARD_SCHEDULES=2000` runs that many, and `FROMGUARD_SCHEDULE=17` the one of seed 17.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;
mod harness;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fromguard::ids::Sha;
use fromguard::standin::Delivery;
use fromguard::standin::Endpoint;
use fromguard::standin::Exchange;
use fromguard::standin::Fault;
use fromguard::standin::PullPlace;
use fromguard::standin::repository::Builder;
use fromguard::standin::repository::Change;
use fromguard::worker;
use serde_json::Value;
use tokio::sync::watch;

use self::harness::House;
use self::harness::POLICY;

/// How many schedules the test run takes; the full number is `FROMGUARD_SCHEDULES=2000`.
const SCHEDULES: u64 = 60;

const REPOSITORY: &str = "acme/shop";

/// The branches that pull requests are opened from. What is bad passes on `release` alone.
const HEADS: [&str; 4] = ["good0", "good1", "bad0", "bad1"];
const BASES: [&str; 2] = ["main", "release"];

/// How many pull requests there are at most.
const PULLS_MAX: usize = 4;

/// Random numbers that are the same for the same seed: SplitMix64.
struct Dice(u64);

impl Dice {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % limit as u64).unwrap()
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// The repository that every schedule reads; the stand-in never writes to it.
fn build(folder: &Path) -> Heads {
    let mut builder = Builder::init(folder).unwrap();
    let commit = |builder: &mut Builder, branch: &str, path: &str, text: &str| {
        builder.commit(branch, "a change", &[(path, Change::File(text.as_bytes()))]).unwrap()
    };
    commit(&mut builder, "main", "Dockerfile", "FROM alpine:3.20\n");
    let main = commit(&mut builder, "main", ".github/fromguard.yml", POLICY);
    builder.branch("release", &main).unwrap();
    let lax = POLICY.replace("registry.example.com/base/**", "evil.example/**");
    commit(&mut builder, "release", ".github/fromguard.yml", &lax);
    HEADS.map(|head| {
        builder.branch(head, &main).unwrap();
        let image = if head.starts_with("bad") { "evil.example/miner:1" } else { "node:24" };
        (head, commit(&mut builder, head, "Dockerfile", &format!("FROM {image}\n# {head}\n")))
    })
}

/// Takes the deliveries in any order.
fn shuffled(waiting: &mut Vec<Delivery>, dice: &mut Dice) -> Vec<Delivery> {
    let mut taken = std::mem::take(waiting);
    for at in (1..taken.len()).rev() {
        taken.swap(at, dice.below(at + 1));
    }
    taken
}

type Heads = [(&'static str, Sha); 4];

/// A pull request as it is, whatever was delivered of it.
struct Pull {
    place: PullPlace,
    head: &'static str,
    base: &'static str,
    open: bool,
}

struct Schedule {
    house: House,
    dice: Dice,
    pulls: Vec<Pull>,
    /// Deliveries that GitHub lost, by GUID.
    lost: Vec<String>,
    exchanges: watch::Receiver<u64>,
    posted: Arc<Mutex<Vec<Exchange>>>,
    heads: Heads,
    /// Every head on every base that a pull request ever had.
    stood: BTreeSet<(&'static str, &'static str)>,
}

impl Schedule {
    async fn new(seed: u64, folder: &Path, heads: Heads) -> Schedule {
        // Judging is never given up here: that has conversations of its own.
        let settings = worker::Settings { judging_attempts: 1_000, ..harness::settings() };
        let house = House::unwatched(settings).await;
        house.standin.add_repository(REPOSITORY, folder).unwrap();
        let (count, exchanges) = watch::channel(0);
        let posted: Arc<Mutex<Vec<Exchange>>> = Arc::default();
        let seen = Arc::clone(&posted);
        house.standin.observe(move |exchange| {
            if exchange.template.contains("/check-runs") && exchange.method != "GET" && !exchange.faulty {
                seen.lock().unwrap().push(exchange.clone());
            }
            count.send_modify(|count| *count += 1);
        });
        Schedule {
            house,
            dice: Dice(seed),
            pulls: Vec::new(),
            lost: Vec::new(),
            exchanges,
            posted,
            heads,
            stood: BTreeSet::new(),
        }
    }

    async fn run(&mut self) {
        for _ in 0..4 + self.dice.below(8) {
            if self.dice.once_in(3) {
                self.order_a_fault();
            }
            self.somebody_acts();
            self.stood.extend(self.pulls.iter().map(|pull| (pull.head, pull.base)));
            if !self.dice.once_in(3) {
                self.deliver_badly().await;
            }
            match self.dice.below(4) {
                0 => self.crash().await,
                1 => self.house.settle().await,
                _ => tokio::task::yield_now().await,
            }
        }
        self.let_it_end().await;
    }

    /// One thing that people do.
    fn somebody_acts(&mut self) {
        let standin = &self.house.standin;
        if self.pulls.is_empty() || (self.pulls.len() < PULLS_MAX && self.dice.once_in(3)) {
            let (head, base) = (*self.dice.one_of(&HEADS), *self.dice.one_of(&BASES));
            let place = if self.dice.once_in(4) {
                standin.open_fork_pull_request(REPOSITORY, base, head)
            } else {
                standin.open_pull_request(REPOSITORY, base, head)
            };
            self.pulls.push(Pull { place: place.unwrap(), head, base, open: true });
            return;
        }
        let at = self.dice.below(self.pulls.len());
        let pull = &mut self.pulls[at];
        match self.dice.below(6) {
            0 if pull.open => {
                pull.open = false;
                standin.close(&pull.place).unwrap();
            }
            1 if !pull.open => {
                pull.open = true;
                standin.reopen(&pull.place).unwrap();
            }
            2 if pull.open => {
                pull.base = *self.dice.one_of(&BASES);
                standin.retarget(&pull.place, pull.base).unwrap();
            }
            3 if pull.open => standin.rerequest_all(&pull.place).unwrap(),
            _ if pull.open => {
                pull.head = *self.dice.one_of(&HEADS);
                standin.push(&pull.place, pull.head).unwrap();
            }
            _ => {}
        }
    }

    /// Deliveries are lost, repeated, held back and in any order.
    async fn deliver_badly(&mut self) {
        let (dice, lost) = (&mut self.dice, &mut self.lost);
        let mut held = Vec::new();
        self.house.standin.rearrange_deliveries(|waiting| {
            for delivery in shuffled(waiting, dice) {
                match dice.below(8) {
                    0 => lost.push(delivery.guid),
                    1 => held.push(delivery),
                    2 => waiting.extend([delivery.clone(), delivery]),
                    _ => waiting.push(delivery),
                }
            }
        });
        if self.dice.once_in(2) {
            self.house.standin.deliver_all().await.unwrap();
        } else {
            self.house.standin.deliver_all_at_once().await.unwrap();
        }
        self.house.standin.rearrange_deliveries(|waiting| waiting.append(&mut held));
    }

    /// Some call to GitHub will go wrong, now or later, once or a few times.
    fn order_a_fault(&mut self) {
        let status = |status: u16| Fault::Status { status, headers: Vec::new(), body: "{}".to_owned() };
        let retry_after = Fault::Status {
            status: 429,
            headers: vec![("retry-after".to_owned(), "7".to_owned())],
            body: r#"{"message":"slow down"}"#.to_owned(),
        };
        let faults = [
            status(500),
            status(503),
            retry_after,
            Fault::Status {
                status: 401,
                headers: Vec::new(),
                body: r#"{"message":"Bad credentials"}"#.into(),
            },
            Fault::SecondaryLimitNoHeaders,
            Fault::GraphqlErrorIn200 { kind: "RATE_LIMITED".to_owned() },
            Fault::GraphqlErrorIn200 { kind: String::new() },
            Fault::Timeout,
            Fault::Drop,
            Fault::DropAfterProcessing,
        ];
        let comments = "/repos/{owner}/{repo}/issues/{issue_number}/comments";
        let endpoints = [
            Endpoint::any(),
            Endpoint::graphql(),
            Endpoint::token(),
            Endpoint::post_check_run(),
            Endpoint::patch_check_run(),
            Endpoint::rest("POST", comments),
            Endpoint::rest("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}"),
        ];
        let mut fault = self.dice.one_of(&faults).clone();
        let endpoint = self.dice.below(endpoints.len());
        if matches!(fault, Fault::GraphqlErrorIn200 { .. }) && endpoint != 1 {
            fault = Fault::Timeout;
        }
        let (skip, times) = (self.dice.below(6), 1 + self.dice.below(3));
        let [skip, times] = [skip, times].map(|number| u32::try_from(number).unwrap());
        self.house.standin.fail_after(skip, endpoints[endpoint].clone(), fault, times);
    }

    /// The worker dies a few calls from now, if it makes so many, and another one starts.
    async fn crash(&mut self) {
        let (calls, steps) = (self.dice.number() % 9, self.dice.below(20));
        let until = *self.exchanges.borrow_and_update() + calls;
        tokio::select! {
            biased;
            _ = self.exchanges.wait_for(|count| *count >= until) => {}
            () = self.house.settle() => {}
        }
        for _ in 0..steps {
            tokio::task::yield_now().await;
        }
        self.house.kill_worker().await;
        self.house.start_worker();
        self.house.clock.advance(Duration::from_millis(self.house.settings.lease_ms.unsigned_abs() + 1));
    }

    /// Nothing fails any more, and what was lost is delivered at last.
    async fn let_it_end(&mut self) {
        self.house.standin.clear_faults();
        for guid in std::mem::take(&mut self.lost) {
            self.house.standin.redeliver(&guid).unwrap();
        }
        self.house.standin.rearrange_deliveries(|waiting| *waiting = shuffled(waiting, &mut self.dice));
        for delivered in self.house.standin.deliver_all().await.unwrap() {
            assert_eq!(delivered.status, Some(202), "{}", delivered.what);
        }
        self.house.settle_from_leases().await;
    }

    fn check(&self) {
        let standin = &self.house.standin;
        let fails = |pull: &Pull| pull.head.starts_with("bad") && pull.base == "main";
        for pull in self.pulls.iter().filter(|pull| pull.open) {
            let same_head = self.pulls.iter().filter(|other| other.open && other.head == pull.head);
            let expected = if same_head.into_iter().any(fails) { "failure" } else { "success" };
            assert_eq!(self.house.conclusion(&pull.place), expected, "{:?} from {}", pull.place, pull.head);
            let comments = standin.comments(&pull.place).unwrap();
            let ours: Vec<_> = comments.iter().filter(|comment| comment.by_app).collect();
            assert!(ours.len() <= 1, "{:?}: {ours:?}", pull.place);
            assert!(!fails(pull) || ours.len() == 1, "{:?}: it fails and no comment says so", pull.place);
        }
        for (branch, head) in &self.heads {
            let runs = standin.check_runs(REPOSITORY, &head.0).unwrap();
            for run in &runs {
                assert_eq!(run.status, "completed", "{branch}: {run:?}");
                // Nothing good ever fails, and what is bad passes on `release` only.
                let word = run.conclusion.as_deref().unwrap_or_default();
                let bad = branch.starts_with("bad");
                let right = match word {
                    "cancelled" => true,
                    "success" => !bad || self.stood.contains(&(*branch, "release")),
                    "failure" => bad && self.stood.contains(&(*branch, "main")),
                    _ => false,
                };
                assert!(right, "{branch} got {word}: {}", run.title);
            }
        }
        let known: BTreeSet<&str> = self.heads.iter().map(|(_, head)| head.0.as_str()).collect();
        for exchange in self.posted.lock().unwrap().iter().filter(|exchange| exchange.method == "POST") {
            let body: Value = serde_json::from_slice(&exchange.request_body).unwrap();
            let head = body["head_sha"].as_str().unwrap();
            assert!(known.contains(head), "a run was posted on {head}, which is no pull request's");
        }
    }
}

fn run(seed: u64, folder: &Path, heads: &Heads) {
    struct Told(u64);
    impl Drop for Told {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("the schedule of seed {0} fails; FROMGUARD_SCHEDULE={0} repeats it", self.0);
            }
        }
    }
    let _told = Told(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut schedule = Schedule::new(seed, folder, heads.clone()).await;
        schedule.run().await;
        schedule.check();
    });
}

#[test]
fn every_schedule_ends_with_the_right_result() {
    let folder = tempfile::tempdir().unwrap();
    let heads = build(folder.path());
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    if let Some(seed) = number("FROMGUARD_SCHEDULE") {
        return run(seed, folder.path(), &heads);
    }
    let schedules = number("FROMGUARD_SCHEDULES").unwrap_or(SCHEDULES);
    let next = AtomicU64::new(0);
    let hands = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..hands {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= schedules {
                        break;
                    }
                    run(seed, folder.path(), &heads);
                }
            });
        }
    });
}
