//! Records the requests that were received, for tests that ask what a client sent: in memory, and as a line of JSON each
//! to a file.

use crate::http::request::Request;
use crate::text::json;
use std::collections::VecDeque;
use std::fmt;
use std::io::Write;
use std::mem::size_of;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Requests kept in memory; beyond this number, the oldest are removed. Few tests send as many.
const MAX_REQUESTS: usize = 10_000;
/// Bytes of all requests that are kept. The body of one request can have 1 MiB.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A request as the server received it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// When the whole request, including its body, had been read.
    pub time: SystemTime,
    /// The method.
    pub method: String,
    /// The request target: path and query as the client sent them.
    pub target: String,
    /// The field lines in their order, each a name and a value. Bytes that are not UTF-8 are replaced by U+FFFD.
    pub headers: Vec<(String, String)>,
    /// The body, with its chunks decoded. At most 1 MiB.
    pub body: Vec<u8>,
}

impl RecordedRequest {
    pub(crate) fn new(request: &Request, body: &[u8]) -> RecordedRequest {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        RecordedRequest {
            time: SystemTime::now(),
            method: request.method().to_owned(),
            target: text(request.target()),
            headers: request.field_lines().map(|line| (line.name.to_owned(), text(line.value))).collect(),
            body: body.to_vec(),
        }
    }

    /// The value of the first field line with this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The request as a line of JSON: `time` in milliseconds since 1970, `method`, `target`, `headers` as pairs of name
    /// and value, and `body` as text. The line includes its LF.
    pub fn to_json(&self) -> String {
        let time = self.time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let pair =
            |(name, value): &(String, String)| format!("[{},{}]", json::string(name), json::string(value));
        let headers: Vec<String> = self.headers.iter().map(pair).collect();
        format!(
            "{{\"time\":{time},\"method\":{},\"target\":{},\"headers\":[{}],\"body\":{}}}\n",
            json::string(&self.method),
            json::string(&self.target),
            headers.join(","),
            json::string(&String::from_utf8_lossy(&self.body)),
        )
    }

    /// Bytes of memory that the request takes.
    fn size(&self) -> usize {
        let line = |(name, value): &(String, String)| name.len() + value.len() + 2 * size_of::<String>();
        let lines: usize = self.headers.iter().map(line).sum();
        size_of::<RecordedRequest>() + self.method.len() + self.target.len() + self.body.len() + lines
    }
}

/// The requests that were recorded.
#[derive(Default)]
pub(crate) struct Journal {
    kept: Option<Mutex<Kept>>,
    writer: Option<Mutex<Box<dyn Write + Send>>>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<RecordedRequest>,
    bytes: usize,
}

impl Journal {
    /// Keeps requests in memory, or no longer does.
    pub fn keep(&mut self, keep: bool) {
        self.kept = keep.then(Mutex::default);
    }

    /// Also writes each request to a file.
    pub fn write_to(&mut self, writer: impl Write + Send + 'static) {
        self.writer = Some(Mutex::new(Box::new(writer)));
    }

    /// Whether requests are recorded at all.
    pub fn is_on(&self) -> bool {
        self.kept.is_some() || self.writer.is_some()
    }

    /// Records a request, which is only made when requests are recorded.
    pub fn add(&self, request: impl FnOnce() -> RecordedRequest) {
        if !self.is_on() {
            return;
        }
        let request = request();
        if let Some(writer) = &self.writer {
            // A full disk is no reason to reject a client.
            let _ = lock(writer).write_all(request.to_json().as_bytes());
        }
        if let Some(kept) = &self.kept {
            lock(kept).add(request);
        }
    }

    /// The requests that are kept, the oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.kept.as_ref().map_or_else(Vec::new, |kept| lock(kept).requests.iter().cloned().collect())
    }
}

impl Kept {
    fn add(&mut self, request: RecordedRequest) {
        self.bytes += request.size();
        self.requests.push_back(request);
        while self.requests.len() > MAX_REQUESTS || self.bytes > MAX_BYTES {
            self.bytes -= self.requests.pop_front().map_or(0, |oldest| oldest.size());
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("kept", &self.kept).finish_non_exhaustive()
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
    fn the_oldest_requests_are_removed_first() {
        let mut journal = Journal::default();
        journal.keep(true);
        for _ in 0..20 {
            journal.add(|| request(&vec![b'x'; 1 << 20]));
        }
        assert_eq!(journal.requests().len(), 15);
        for n in 0..MAX_REQUESTS + 5 {
            journal.add(|| request(n.to_string().as_bytes()));
        }
        let requests = journal.requests();
        assert_eq!((requests.len(), requests[0].body.as_slice()), (MAX_REQUESTS, &b"5"[..]));
    }
}
