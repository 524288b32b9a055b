//! Records each request on a connection in the journal, and how its response ended.

use crate::http::request::Request;
use crate::server::internal::is_reserved;
use crate::server::journal::entry::RecordedEnd;
use crate::server::journal::recorded_request::RecordedRequest;
use crate::server::journal::{Journal, Recorded};
use crate::trace::exchange::End;
use std::cell::Cell;

/// Records the requests on one connection.
pub(super) struct Journaled<'a> {
    journal: &'a Journal,
    current: Cell<Current>,
}

/// How much of the current request is in the journal.
#[derive(Default)]
enum Current {
    /// Nothing, and nothing will be.
    #[default]
    Unrecorded,
    /// Nothing yet: the request is recorded when the response begins. In a box, because it would take more of the stack than
    /// the others.
    Received(Box<RecordedRequest>),
    /// The request, but not the end of its response.
    Recorded(Recorded),
}

impl<'a> Journaled<'a> {
    /// A connection without a request so far.
    pub fn new(journal: &'a Journal) -> Journaled<'a> {
        Journaled { journal, current: Cell::default() }
    }

    /// Notes that a request was received. Those for paths under `/-/` are not recorded.
    pub fn request_received(&self, request: &Request, body: &[u8]) {
        if self.journal.is_on() && !is_reserved(request.path()) {
            self.current.set(Current::Received(Box::new(RecordedRequest::new(request, body))));
        }
    }

    /// Records the request. Not earlier, because a test that sees it in the journal may act on the stream at once.
    pub fn response_begins(&self) {
        match self.current.take() {
            Current::Received(request) => {
                self.current.set(Current::Recorded(self.journal.add_request(*request)));
            }
            other => self.current.set(other),
        }
    }

    /// Records how the response ended.
    pub fn response_ended(&self, end: Option<End>) {
        if let (Current::Recorded(request), Some(end)) = (self.current.take(), end) {
            self.journal.add_end(request, RecordedEnd::new(end));
        }
    }
}
