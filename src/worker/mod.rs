//! Takes a judgement from the store: fetch, scan, judge, publish.
