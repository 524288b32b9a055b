//! Remembers the requests that were received, for tests that ask what a client really sent: in memory, and as a line of
//! JSON each in a file.

use crate::text::json;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::mem::size_of;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Requests kept in memory; the oldest go first. More than any test sends, and a bound all the same.
const MAX_REQUESTS: usize = 10_000;
/// Octets of them. A request can have a body of 1 MiB.
const MAX_OCTETS: usize = 16 * 1024 * 1024;

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    /// When its body had been read.
    pub time: SystemTime,
    /// The method.
    pub method: String,
    /// The request target.
    pub target: String,
    /// The field lines, in order; bytes that are no UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The body, with its chunks undone.
    pub body: Vec<u8>,
}

impl RecordedRequest {
    /// The value of the first field line of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// One line of JSON: `time` in milliseconds since 1970, `method`, `target`, `headers` as pairs, `body` as text.
    pub fn to_json(&self) -> String {
        let time = self.time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let mut headers = String::new();
        for (name, value) in &self.headers {
            let comma = if headers.is_empty() { "" } else { "," };
            headers += &format!("{comma}[{},{}]", json::string(name), json::string(value));
        }
        format!(
            "{{\"time\":{time},\"method\":{},\"target\":{},\"headers\":[{}],\"body\":{}}}\n",
            json::string(&self.method),
            json::string(&self.target),
            headers,
            json::string(&String::from_utf8_lossy(&self.body)),
        )
    }

    fn octets(&self) -> usize {
        let lines =
            self.headers.iter().map(|(name, value)| name.len() + value.len() + 2 * size_of::<String>());
        size_of::<RecordedRequest>()
            + self.method.len()
            + self.target.len()
            + self.body.len()
            + lines.sum::<usize>()
    }
}

/// All requests that were remembered.
#[derive(Debug, Default)]
pub struct Journal {
    kept: Mutex<Kept>,
    file: Option<Mutex<File>>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<RecordedRequest>,
    octets: usize,
}

impl Journal {
    /// A journal that also writes each request to a file.
    pub fn to_file(file: File) -> Journal {
        Journal { file: Some(Mutex::new(file)), ..Journal::default() }
    }

    /// Remembers a request.
    pub fn add(&self, request: RecordedRequest) {
        if let Some(file) = &self.file {
            // A full disk is no reason to refuse a client.
            let _ = lock(file).write_all(request.to_json().as_bytes());
        }
        let mut kept = lock(&self.kept);
        kept.octets += request.octets();
        kept.requests.push_back(request);
        while kept.requests.len() > MAX_REQUESTS || kept.octets > MAX_OCTETS {
            let oldest = kept.requests.pop_front().map_or(0, |oldest| oldest.octets());
            kept.octets -= oldest;
        }
    }

    /// The requests so far, the oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.kept).requests.iter().cloned().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn request(body: &[u8]) -> RecordedRequest {
        RecordedRequest {
            time: UNIX_EPOCH + Duration::from_millis(1_500),
            method: "POST".into(),
            target: "/a?\"b\\".into(),
            headers: vec![("Host".into(), "x".into()), ("X".into(), "\u{1b}[2J".into())],
            body: body.to_vec(),
        }
    }

    #[test]
    fn a_request_is_a_line_of_json() {
        assert_eq!(
            request(b"h\xFF\n\xC3\xA9").to_json(),
            "{\"time\":1500,\"method\":\"POST\",\"target\":\"/a?\\\"b\\\\\",\
             \"headers\":[[\"Host\",\"x\"],[\"X\",\"\\u001b[2J\"]],\"body\":\"h\u{FFFD}\\n\u{e9}\"}\n"
        );
        assert_eq!(request(b"").header("host"), Some("x"));
    }

    #[test]
    fn the_oldest_requests_give_way() {
        let journal = Journal::default();
        for _ in 0..20 {
            journal.add(request(&vec![b'x'; 1 << 20]));
        }
        assert_eq!(journal.requests().len(), 15);
        for n in 0..MAX_REQUESTS + 5 {
            journal.add(request(n.to_string().as_bytes()));
        }
        let requests = journal.requests();
        assert_eq!((requests.len(), requests[0].body.as_slice()), (MAX_REQUESTS, &b"5"[..]));
    }
}
