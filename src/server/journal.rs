//! Keeps the requests that were received, for tests that ask what a client sent.

use super::recorded_request::RecordedRequest;
use super::recorder::Recorder;
use std::collections::VecDeque;
use std::iter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Requests kept in memory; beyond this number, the oldest are removed. Few tests send as many.
const MAX_REQUESTS: usize = 10_000;
/// Bytes of all requests that are kept. The last request is kept even if it alone has more.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The requests that were recorded.
#[derive(Debug)]
pub(crate) struct Journal {
    kept: Option<Mutex<Kept>>,
    recorder: Option<Recorder>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<Arc<RecordedRequest>>,
    bytes: usize,
    /// How many older requests were removed.
    removed: usize,
}

impl Journal {
    /// A journal that keeps requests in memory.
    pub fn new() -> Journal {
        Journal { kept: Some(Mutex::default()), recorder: None }
    }

    /// Keeps requests in memory, or no longer does.
    pub fn keep(&mut self, keep: bool) {
        self.kept = keep.then(Mutex::default);
    }

    /// Also writes each request to a file.
    pub fn record_with(&mut self, recorder: Recorder) {
        self.recorder = Some(recorder);
    }

    /// Whether requests are recorded at all.
    pub fn is_on(&self) -> bool {
        self.kept.is_some() || self.recorder.is_some()
    }

    /// Records a request.
    pub fn add(&self, request: Arc<RecordedRequest>) {
        if let Some(recorder) = &self.recorder {
            recorder.record(&request);
        }
        if let Some(kept) = &self.kept {
            lock(kept).add(request);
        }
    }

    /// The requests that are kept now, the oldest first, without those that are removed before their turn. So a client
    /// that reads them slowly keeps none of them in memory but the current one.
    pub fn requests(&self) -> impl Iterator<Item = Arc<RecordedRequest>> + '_ {
        let end = self.kept.as_ref().map_or(0, |kept| lock(kept).end());
        let mut next = 0;
        iter::from_fn(move || {
            let kept = lock(self.kept.as_ref()?);
            next = kept.removed.max(next) + 1;
            if next > end {
                return None;
            }
            kept.requests.get(next - 1 - kept.removed).cloned()
        })
    }
}

impl Kept {
    fn add(&mut self, request: Arc<RecordedRequest>) {
        self.bytes += request.size();
        self.requests.push_back(request);
        while self.requests.len() > 1 && (self.requests.len() > MAX_REQUESTS || self.bytes > MAX_BYTES) {
            self.bytes -= self.requests.pop_front().map_or(0, |oldest| oldest.size());
            self.removed += 1;
        }
    }

    /// How many requests were recorded.
    fn end(&self) -> usize {
        self.removed + self.requests.len()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn request(body: &[u8]) -> Arc<RecordedRequest> {
        let (method, target) = ("POST".to_owned(), "/".to_owned());
        let (time, headers) = (SystemTime::now(), Vec::new());
        Arc::new(RecordedRequest { time, method, target, headers, body: body.to_vec() })
    }

    #[test]
    fn the_oldest_requests_are_removed_first() {
        let journal = Journal::new();
        for _ in 0..20 {
            journal.add(request(&vec![b'x'; 1 << 20]));
        }
        assert_eq!(journal.requests().count(), 15);
        for n in 0..MAX_REQUESTS + 5 {
            journal.add(request(n.to_string().as_bytes()));
        }
        let requests: Vec<_> = journal.requests().collect();
        assert_eq!((requests.len(), requests[0].body.as_slice()), (MAX_REQUESTS, &b"5"[..]));
        journal.add(request(&vec![b'x'; 2 * MAX_BYTES]));
        assert_eq!(journal.requests().count(), 1);
    }

    #[test]
    fn requests_that_are_removed_while_they_are_read_are_left_out() {
        let journal = Journal::new();
        let add = |n: usize| journal.add(request(n.to_string().as_bytes()));
        (0..MAX_REQUESTS).for_each(add);
        let mut reading = journal.requests();
        assert_eq!(reading.next().unwrap().body, b"0");
        (MAX_REQUESTS..MAX_REQUESTS + 5).for_each(add);
        assert_eq!(reading.next().unwrap().body, b"5");
        assert_eq!(reading.last().unwrap().body, (MAX_REQUESTS - 1).to_string().as_bytes());
    }
}
