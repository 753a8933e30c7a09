//! What was learnt, kept for a while: each kind of fact has its own lifetimes, who
//! asks for the same at the same time waits for one answer, errors are remembered
//! for a short time, and what cannot be refreshed is given out with its age.
//!
//! It is in memory and bounded; a shelf that lasts writes into the [`Archive`](super::Archive) as well,
//! and looks there before it asks. Errors last for no longer than the process. Knows no
//! registry.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::archive::Archived;
use super::archive::Archives;
use super::error::Error;
use crate::clock::Clock;
use crate::clock::TimestampMs;

/// How many answers of one kind are kept.
const MAX_KEPT: usize = 10_000;

/// An answer that is further in the future than this was written by a clock that was wrong.
const CLOCKS_APART_MS: i64 = 600_000;

/// The longest answer that is written down, in bytes; a longer one is asked for again.
const MAX_SAVED_BYTES: usize = 64 * 1024;

/// How long answers of one kind are good for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetimes {
    /// So long nobody asks again.
    pub(super) fresh: Duration,
    /// So long it is given out when asking again fails.
    pub(super) stale: Duration,
    /// So long an error stands.
    pub(super) error: Duration,
}

/// An answer and when it was had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept<V> {
    pub(super) value: V,
    pub(super) at_ms: TimestampMs,
    /// Why it is not newer: asking again failed.
    pub(super) stale_because: Option<Error>,
}

impl<V> Kept<V> {
    /// What follows from it, as old as it is.
    pub(super) fn map<T>(self, make: impl FnOnce(V) -> T) -> Kept<T> {
        Kept { value: make(self.value), at_ms: self.at_ms, stale_because: self.stale_because }
    }
}

/// Answers of one kind.
pub(super) struct Shelf<K, V> {
    lifetimes: Lifetimes,
    lasting: Option<Lasting<K, V>>,
    places: Mutex<HashMap<K, Arc<tokio::sync::Mutex<Place<V>>>>>,
}

/// How answers of one kind last.
struct Lasting<K, V> {
    kind: String,
    /// So long they may still be of use, if only to know what was so before.
    remembered: Duration,
    archives: Archives,
    key: fn(&K) -> Option<String>,
    write: fn(&V) -> Option<String>,
    read: fn(&str) -> Option<V>,
}

struct Place<V> {
    value: Option<(V, TimestampMs)>,
    error: Option<(Error, TimestampMs)>,
}

impl<K: Serialize, V: Serialize + DeserializeOwned> Shelf<K, V> {
    /// One that lasts, under the name of its kind, which changes with the form of its answers.
    pub(super) fn lasting(
        kind: impl Into<String>,
        lifetimes: Lifetimes,
        remembered: Duration,
        archives: &Archives,
    ) -> Shelf<K, V> {
        let write = |value: &V| serde_json::to_string(value).ok();
        let read = |text: &str| serde_json::from_str(text).ok();
        Shelf::with(lifetimes, Lasting::new(kind.into(), remembered, archives, write, read))
    }
}

impl<K: Serialize, V: Serialize + DeserializeOwned> Shelf<K, Arc<V>> {
    /// The same, of answers that are shared.
    pub(super) fn lasting_shared(
        kind: impl Into<String>,
        lifetimes: Lifetimes,
        remembered: Duration,
        archives: &Archives,
    ) -> Shelf<K, Arc<V>> {
        let write = |value: &Arc<V>| serde_json::to_string(&**value).ok();
        let read = |text: &str| serde_json::from_str(text).ok().map(Arc::new);
        Shelf::with(lifetimes, Lasting::new(kind.into(), remembered, archives, write, read))
    }
}

impl<K: Serialize, V> Lasting<K, V> {
    fn new(
        kind: String,
        remembered: Duration,
        archives: &Archives,
        write: fn(&V) -> Option<String>,
        read: fn(&str) -> Option<V>,
    ) -> Lasting<K, V> {
        let key = |key: &K| serde_json::to_string(key).ok();
        Lasting { kind, remembered, archives: archives.clone(), key, write, read }
    }
}

impl<K, V> Shelf<K, V> {
    fn with(lifetimes: Lifetimes, lasting: Lasting<K, V>) -> Shelf<K, V> {
        Shelf { lifetimes, lasting: Some(lasting), places: Mutex::default() }
    }
}

impl<K, V> Lasting<K, V> {
    async fn load(&self, key: &K) -> Option<(V, TimestampMs)> {
        let (archive, key) = (self.archives.get()?, (self.key)(key)?);
        let (text, at_ms) = archive.load(&self.kind, &key).await?;
        Some(((self.read)(&text)?, at_ms))
    }

    async fn save(&self, key: &K, value: &V, at_ms: TimestampMs) {
        let Some(archive) = self.archives.get() else { return };
        let (Some(key), Some(value)) = ((self.key)(key), (self.write)(value)) else { return };
        if value.len() > MAX_SAVED_BYTES {
            return;
        }
        let until_ms = at_ms.saturating_add(i64::try_from(self.remembered.as_millis()).unwrap_or(i64::MAX));
        archive.save(Archived { kind: self.kind.clone(), key, value, at_ms, until_ms }).await;
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Shelf<K, V> {
    pub(super) fn new(lifetimes: Lifetimes) -> Shelf<K, V> {
        Shelf { lifetimes, lasting: None, places: Mutex::default() }
    }

    /// The answer that is kept, or the one that `ask` gets; `ask` is given the old one.
    pub(super) async fn get<F>(
        &self,
        key: &K,
        clock: &Clock,
        ask: impl FnOnce(Option<V>) -> F,
    ) -> Result<Kept<V>, Error>
    where
        F: Future<Output = Result<V, Error>>,
    {
        let place = self.place(key);
        let mut place = place.lock().await;
        let now_ms = clock.now_ms();
        let within = |at_ms: TimestampMs, lifetime: Duration| {
            now_ms.saturating_sub(at_ms) < i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX)
        };
        let fresh = |place: &Place<V>| {
            let (value, at_ms) =
                place.value.as_ref().filter(|(_, at_ms)| within(*at_ms, self.lifetimes.fresh))?;
            Some(Kept { value: value.clone(), at_ms: *at_ms, stale_because: None })
        };
        if let Some(kept) = fresh(&place) {
            return Ok(kept);
        }
        if let Some(lasting) = &self.lasting
            && let Some((value, at_ms)) = lasting.load(key).await
            && at_ms <= now_ms.saturating_add(CLOCKS_APART_MS)
            && place.value.as_ref().is_none_or(|(_, known_ms)| *known_ms < at_ms)
        {
            place.value = Some((value, at_ms));
            if let Some(kept) = fresh(&place) {
                return Ok(kept);
            }
        }
        let error = match &place.error {
            Some((error, at_ms)) if within(*at_ms, self.lifetimes.error) => error.clone(),
            _ => match ask(place.value.as_ref().map(|(value, _)| value.clone())).await {
                Ok(value) => {
                    if let Some(lasting) = &self.lasting {
                        lasting.save(key, &value, now_ms).await;
                    }
                    *place = Place { value: Some((value.clone(), now_ms)), error: None };
                    return Ok(Kept { value, at_ms: now_ms, stale_because: None });
                }
                Err(error) => {
                    place.error = Some((error.clone(), now_ms));
                    error
                }
            },
        };
        match &place.value {
            Some((value, at_ms)) if within(*at_ms, self.lifetimes.stale) => {
                Ok(Kept { value: value.clone(), at_ms: *at_ms, stale_because: Some(error) })
            }
            _ => Err(error),
        }
    }

    fn place(&self, key: &K) -> Arc<tokio::sync::Mutex<Place<V>>> {
        let mut places = self.places.lock().expect("no holder panics");
        if places.len() >= MAX_KEPT && !places.contains_key(key) {
            // What somebody waits for stays; of the rest any half may go.
            let mut every_other = false;
            places.retain(|_, place| {
                every_other = !every_other;
                every_other || Arc::strong_count(place) > 1
            });
        }
        let new = || Arc::new(tokio::sync::Mutex::new(Place { value: None, error: None }));
        Arc::clone(places.entry(key.clone()).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering;

    use super::*;

    const LIFETIMES: Lifetimes = Lifetimes {
        fresh: Duration::from_secs(60),
        stale: Duration::from_secs(600),
        error: Duration::from_secs(10),
    };

    #[tokio::test]
    async fn an_answer_is_fresh_then_asked_again_then_stale_with_its_age() {
        let clock = Clock::manual(0);
        let shelf = Shelf::new(LIFETIMES);
        let asked = AtomicU32::new(0);
        let get = async |answer: Result<u32, Error>| {
            let ask = |_| async {
                asked.fetch_add(1, Ordering::SeqCst);
                answer
            };
            shelf.get(&"key", &clock, ask).await
        };
        assert_eq!(get(Ok(1)).await.unwrap().value, 1);
        clock.advance(Duration::from_secs(59));
        assert_eq!(get(Ok(2)).await.unwrap().value, 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(get(Ok(2)).await, Ok(Kept { value: 2, at_ms: 60_000, stale_because: None }));
        clock.advance(Duration::from_secs(61));
        let stale = Ok(Kept { value: 2, at_ms: 60_000, stale_because: Some(Error::TimedOut) });
        assert_eq!(get(Err(Error::TimedOut)).await, stale);
        assert_eq!(get(Ok(3)).await, stale, "the error still stands");
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        clock.advance(Duration::from_secs(600));
        assert_eq!(get(Err(Error::Denied)).await, Err(Error::Denied));
    }

    #[tokio::test]
    async fn who_asks_for_the_same_waits_for_one_answer() {
        let clock = Clock::manual(0);
        let shelf = Shelf::new(LIFETIMES);
        let asked = AtomicU32::new(0);
        let get = || {
            shelf.get(&"key", &clock, |_| async {
                asked.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(7)
            })
        };
        let all = futures_util::future::join_all((0..50).map(|_| get())).await;
        assert!(all.into_iter().all(|kept| kept.unwrap().value == 7));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn no_more_is_kept_than_the_bound() {
        let clock = Clock::manual(0);
        let shelf = Shelf::new(LIFETIMES);
        for key in 0..MAX_KEPT + 10 {
            shelf.get(&key, &clock, |_| async { Ok(()) }).await.unwrap();
        }
        assert!(shelf.places.lock().unwrap().len() <= MAX_KEPT);
    }
}
