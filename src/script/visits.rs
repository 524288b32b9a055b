//! Counts the requests to a script, for each client (`@count`), and remembers when the responses ended.

use crate::text::lock::lock;
use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Keys that one script counts. A client can make up any number of them, so beyond this one the oldest are forgotten.
pub(super) const MAX_KEYS: usize = 10_000;

/// The requests so far with each key.
#[derive(Debug, Default)]
pub struct Counter(Mutex<Keys>);

#[derive(Debug, Default)]
struct Keys {
    /// By the hash of the key, because a key can be as long as the head of a request.
    visits: HashMap<u64, Visits>,
    /// The hashes, the oldest first.
    hashes: VecDeque<u64>,
    /// All requests, with any key.
    total: u64,
    /// How often everything was forgotten.
    generation: u64,
}

/// What is known of the requests with one key.
#[derive(Debug, Default)]
struct Visits {
    /// How many there were so far.
    count: u64,
    /// How many responses to them have not ended.
    open: usize,
    /// When the last response to one of them ended.
    ended_at: Option<Instant>,
}

/// A request that was counted. Its response ends when this is dropped, or before that with [`end`](Visit::end).
#[derive(Debug)]
pub struct Visit<'a> {
    /// Its number, from 1, among the requests with the same key.
    pub number: u64,
    /// The time since the response to the previous one ended: zero if it has not, `None` for the first request.
    pub after: Option<Duration>,
    /// The hash of the key.
    key: u64,
    generation: u64,
    counter: &'a Counter,
    has_ended: Cell<bool>,
}

impl Counter {
    /// Counts a request with this key. One that is not `counted` gets the number of the last one, or 0.
    pub fn count(&self, key: &[u8], counted: bool) -> Visit<'_> {
        let mut keys = lock(&self.0);
        let key = keys.hash(key);
        let after = keys.visits.get(&key).and_then(Visits::after);
        if counted {
            keys.add(key);
        }
        Visit {
            number: keys.visits.get(&key).map_or(0, |visits| visits.count),
            after,
            key,
            generation: keys.generation,
            counter: self,
            has_ended: Cell::new(!counted),
        }
    }

    /// The number of requests so far, with any key.
    pub fn total(&self) -> u64 {
        lock(&self.0).total
    }

    /// Forgets all requests: the next one is the first again.
    pub fn clear(&self) {
        let mut keys = lock(&self.0);
        *keys = Keys { generation: keys.generation + 1, ..Keys::default() };
    }

    #[cfg(test)]
    pub fn keys(&self) -> usize {
        lock(&self.0).visits.len()
    }
}

impl Keys {
    fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = self.visits.hasher().build_hasher();
        hasher.write(key);
        hasher.finish()
    }

    /// Counts a request whose key has this hash.
    fn add(&mut self, key: u64) {
        self.total += 1;
        let visits = self.visits.entry(key).or_default();
        visits.count += 1;
        visits.open += 1;
        if visits.count == 1 {
            self.hashes.push_back(key);
        }
        if self.hashes.len() > MAX_KEYS {
            if let Some(oldest) = self.hashes.pop_front() {
                self.visits.remove(&oldest);
            }
        }
    }
}

impl Visits {
    /// The time since the last response ended: zero if one has not.
    fn after(&self) -> Option<Duration> {
        if self.open > 0 {
            return Some(Duration::ZERO);
        }
        self.ended_at.map(|ended_at| ended_at.elapsed())
    }
}

impl Visit<'_> {
    /// Notes that the response ends: before the last write, because the client can have read that, and have sent its next
    /// request, before this thread runs again.
    pub fn end(&self) {
        if self.has_ended.replace(true) {
            return;
        }
        let mut keys = lock(&self.counter.0);
        if self.generation != keys.generation {
            return;
        }
        if let Some(visits) = keys.visits.get_mut(&self.key) {
            // The key can have been forgotten and counted anew while the response was sent.
            visits.open = visits.open.saturating_sub(1);
            visits.ended_at = Some(Instant::now());
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_can_end_after_its_key_was_forgotten_and_counted_anew() {
        let counter = Counter::default();
        let first = counter.count(b"key", true);
        (0..MAX_KEYS).for_each(|number| drop(counter.count(number.to_string().as_bytes(), true)));
        let second = counter.count(b"key", true);
        assert_eq!((second.number, second.after), (1, None));
        drop(first);
        drop(second);
        let third = counter.count(b"key", true);
        assert_eq!(third.number, 2);
        assert!(third.after.is_some());
    }

    #[test]
    fn after_all_requests_were_forgotten_the_end_of_an_older_response_does_not_count() {
        let counter = Counter::default();
        let before = counter.count(b"key", true);
        counter.clear();
        let first = counter.count(b"key", true);
        assert_eq!((first.number, first.after), (1, None));
        drop(before);
        assert_eq!(counter.count(b"key", true).after, Some(Duration::ZERO), "the first response goes on");
    }
}
