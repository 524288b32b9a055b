//! Keeps the bodies of requests in memory, within a limit for each body and one for all of them together.

use crate::http::status::{RequestError, Status};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes in a body unless the server was told otherwise. Few clients of event streams send more.
const DEFAULT_MAX_BODY: usize = 1024 * 1024;
/// Bytes in a body that is a report of events to the judge: the largest event of a test case has 5 MiB, and escapes in
/// JSON can make it longer.
const MAX_REPORT: usize = 16 * 1024 * 1024;
/// Bytes of all bodies together, or the limit for one body if that is more. A thousand clients with a body of 1 MiB each
/// would take a gigabyte.
const MAX_ALL_BODIES: usize = 64 * 1024 * 1024;

const NO_MEMORY: RequestError = Status::SERVICE_UNAVAILABLE.error("too many large requests, come back later");

/// The memory for the bodies of all requests that a server is receiving or answering.
#[derive(Debug)]
pub(crate) struct BodyMemory {
    /// Bytes in one body at most.
    pub max_body: usize,
    used: AtomicUsize,
}

impl Default for BodyMemory {
    fn default() -> BodyMemory {
        BodyMemory { max_body: DEFAULT_MAX_BODY, used: AtomicUsize::new(0) }
    }
}

impl BodyMemory {
    fn limit(&self) -> usize {
        MAX_ALL_BODIES.max(self.max_body)
    }

    /// Allows bodies to be reports of events.
    pub fn allow_reports(&mut self) {
        self.max_body = self.max_body.max(MAX_REPORT);
    }

    /// A body without a byte so far.
    pub fn empty_body(&self) -> Body<'_> {
        Body { bytes: Vec::new(), memory: self }
    }
}

/// The body of a request. Dropping it makes its memory available to others.
#[derive(Debug)]
pub(crate) struct Body<'a> {
    bytes: Vec<u8>,
    memory: &'a BodyMemory,
}

impl Body<'_> {
    /// The bytes so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds bytes. The whole body has at most `max_body`, which the caller checks.
    ///
    /// # Errors
    /// 503 when all bodies together would take too much memory.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), RequestError> {
        let (needed, capacity) = (self.bytes.len() + bytes.len(), self.bytes.capacity());
        if needed > capacity {
            // Twice as much each time, so that few bytes are copied, but no more than can arrive.
            let more = needed.max((2 * capacity).min(self.memory.max_body)) - capacity;
            if self.memory.used.fetch_add(more, Ordering::Relaxed) + more > self.memory.limit() {
                self.memory.used.fetch_sub(more, Ordering::Relaxed);
                return Err(NO_MEMORY);
            }
            self.bytes.reserve_exact(capacity + more - self.bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

impl Drop for Body<'_> {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.bytes.capacity(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bodies_together_are_limited_until_one_is_dropped() {
        let memory = BodyMemory::default();
        let mebibyte = vec![b'x'; 1024 * 1024];
        let full_body = || {
            let mut body = memory.empty_body();
            mebibyte.chunks(1000).try_for_each(|piece| body.push(piece)).map(|()| body)
        };
        let mut bodies: Vec<Body> = (0..64).map(|_| full_body().unwrap()).collect();
        assert_eq!(memory.used.load(Ordering::Relaxed), MAX_ALL_BODIES);
        assert_eq!(full_body().unwrap_err(), NO_MEMORY);
        bodies.pop();
        bodies.push(full_body().unwrap());
        assert_eq!(bodies[63].bytes(), mebibyte);
        drop(bodies);
        assert_eq!(memory.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn one_body_can_have_as_many_bytes_as_its_limit_even_if_that_is_more() {
        let memory = BodyMemory { max_body: MAX_ALL_BODIES + 1, ..BodyMemory::default() };
        let mut body = memory.empty_body();
        body.push(&vec![b'x'; MAX_ALL_BODIES]).unwrap();
        body.push(b"y").unwrap();
        assert_eq!(memory.empty_body().push(b"z"), Err(NO_MEMORY));
    }
}
