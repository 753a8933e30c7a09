//! What was asked of the stand-in: how many requests, and how many of them had
//! to wait for one another.

use std::time::Duration;
use std::time::Instant;

/// One request and its answer, for who observes ([`super::Standin::observe`]).
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The path as GitHub's description writes it; as it came, when nothing answers it.
    pub template: String,
    /// The path as it came, without the query.
    pub path: String,
    /// The decoded query.
    pub query: Vec<(String, String)>,
    /// The request's body.
    pub request_body: Vec<u8>,
    /// The status, or `None` when no answer went out.
    pub status: Option<u16>,
    /// The answer's content type.
    pub content_type: Option<String>,
    /// The answer's body.
    pub response_body: Vec<u8>,
    /// Whether the answer was an ordered fault and not GitHub's.
    pub faulty: bool,
}

/// One request, as [`Traffic`] counts it.
#[derive(Debug, Clone)]
pub struct Record {
    /// The method.
    pub method: String,
    /// The path as GitHub's description writes it.
    pub template: String,
    /// The status, or `None` when no answer went out.
    pub status: Option<u16>,
    /// When the request had been read.
    pub start: Instant,
    /// When the answer was handed over, or the connection ended.
    pub end: Instant,
}

/// The requests since the start or the last [`super::Standin::reset_traffic`], in the order in which they ended.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// Each request.
    pub requests: Vec<Record>,
}

impl Traffic {
    /// How many requests there were.
    #[must_use]
    pub fn total(&self) -> usize {
        self.requests.len()
    }

    /// How many requests there were of a method and a path template.
    #[must_use]
    pub fn count(&self, method: &str, template: &str) -> usize {
        let same = |record: &&Record| record.method == method && record.template == template;
        self.requests.iter().filter(same).count()
    }

    /// The longest chain of requests each of which began after the one before
    /// it had ended: the sequential round trips.
    ///
    /// A chain of disjoint intervals is longest when each step takes the one that ends first.
    #[must_use]
    pub fn longest_chain(&self) -> usize {
        let mut by_end: Vec<&Record> = self.requests.iter().collect();
        by_end.sort_by_key(|record| record.end);
        let mut chain = 0;
        let mut ended = None;
        for record in by_end {
            if ended.is_none_or(|ended| record.start >= ended) {
                chain += 1;
                ended = Some(record.end);
            }
        }
        chain
    }

    /// From the first request's start to the last one's end.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let start = self.requests.iter().map(|record| record.start).min();
        let end = self.requests.iter().map(|record| record.end).max();
        start.zip(end).map_or(Duration::ZERO, |(start, end)| end - start)
    }

    /// One line per request, in the order of their starts: for a failed assertion's message.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut by_start: Vec<&Record> = self.requests.iter().collect();
        by_start.sort_by_key(|record| record.start);
        let line = |record: &Record| {
            let status = record.status.map_or("-".to_owned(), |status| status.to_string());
            format!("{status} {} {}\n", record.method, record.template)
        };
        by_start.into_iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;
    use std::time::Instant;

    use super::Record;
    use super::Traffic;

    fn traffic(intervals_ms: &[(u64, u64)]) -> Traffic {
        let zero = Instant::now();
        let record = |&(start, end): &(u64, u64)| Record {
            method: "GET".to_owned(),
            template: "/".to_owned(),
            status: Some(200),
            start: zero + Duration::from_millis(start),
            end: zero + Duration::from_millis(end),
        };
        Traffic { requests: intervals_ms.iter().map(record).collect() }
    }

    #[test]
    fn parallel_requests_are_one_step() {
        assert_eq!(traffic(&[]).longest_chain(), 0);
        assert_eq!(traffic(&[(0, 10), (1, 9), (2, 30)]).longest_chain(), 1);
    }

    #[test]
    fn a_long_request_does_not_hide_two_short_ones_in_turn() {
        assert_eq!(traffic(&[(0, 100), (0, 10), (10, 20), (30, 40)]).longest_chain(), 3);
        assert_eq!(traffic(&[(0, 10), (10, 20), (15, 18), (20, 30)]).longest_chain(), 3);
    }
}
