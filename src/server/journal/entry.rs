//! The entries of the journal: requests, and the ends of their responses, in the form in which tests see them.

use super::recorded_request::RecordedRequest;
use crate::script::context::unix_milliseconds;
use crate::text::json;
use crate::trace::exchange::{ClosedBy, End};
use std::io::{self, Write};
use std::mem::size_of;
use std::time::{SystemTime, UNIX_EPOCH};

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalEntry {
    /// A request was received.
    Request(RecordedRequest),
    /// The response to a request has ended.
    End(RecordedEnd),
}

/// The end of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedEnd {
    /// The number of this entry in the journal, from 1.
    pub entry: usize,
    /// The [number](RecordedRequest::number) of the request.
    pub number: usize,
    /// When the response ended.
    pub time: SystemTime,
    /// The status code; 0 if none was sent.
    pub status: u16,
    /// Whether the whole response was sent. The client need not have received it.
    pub is_complete: bool,
    /// Who closed the connection; `None` if it is kept open.
    pub closed_by: Option<ClosedBy>,
    /// How the response ended, as text for people.
    pub how: String,
    /// Bytes of the body that were sent, without the framing.
    pub bytes: u64,
    /// Events that were sent completely.
    pub events: u64,
}

impl Default for RecordedEnd {
    fn default() -> RecordedEnd {
        RecordedEnd {
            entry: 0,
            number: 0,
            time: UNIX_EPOCH,
            status: 0,
            is_complete: false,
            closed_by: None,
            how: String::new(),
            bytes: 0,
            events: 0,
        }
    }
}

impl JournalEntry {
    /// The entry as a line of JSON, with its LF.
    ///
    /// A request has `entry`, `request` (its number), `time` in milliseconds since 1970, `method`, `target`, `headers`
    /// as an object with a list of values for each name in lower case, and `body` as text. An end has `entry`, `end`
    /// (the number of the request), `time`, `status`, `complete`, `closed_by` (`"client"`, `"server"`, `"test"` or
    /// null), `how`, `bytes` and `events`.
    pub fn to_json(&self) -> String {
        let mut json = Vec::new();
        // Writing to a vector cannot fail.
        let _ = self.write_json(&mut json);
        String::from_utf8_lossy(&json).into_owned()
    }

    /// Writes the same in pieces, because a body can be large.
    pub(crate) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            JournalEntry::Request(request) => request.write_json(out),
            JournalEntry::End(end) => end.write_json(out),
        }
    }

    /// The request, if it is one.
    pub(crate) fn into_request(self) -> Option<RecordedRequest> {
        match self {
            JournalEntry::Request(request) => Some(request),
            JournalEntry::End(_) => None,
        }
    }

    /// The end, if it is one.
    pub(crate) fn into_end(self) -> Option<RecordedEnd> {
        match self {
            JournalEntry::Request(_) => None,
            JournalEntry::End(end) => Some(end),
        }
    }

    /// Bytes of memory that the entry takes.
    pub(super) fn size(&self) -> usize {
        match self {
            JournalEntry::Request(request) => request.size(),
            JournalEntry::End(end) => size_of::<RecordedEnd>() + end.how.len(),
        }
    }
}

impl RecordedEnd {
    /// The end that the trace has seen.
    pub(crate) fn new(end: End) -> RecordedEnd {
        let End { status, is_complete, closed_by, how, bytes, events } = end;
        let time = SystemTime::now();
        RecordedEnd { time, status, is_complete, closed_by, how, bytes, events, ..RecordedEnd::default() }
    }

    fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let closed_by = match self.closed_by {
            None => "null",
            Some(ClosedBy::Client) => "\"client\"",
            Some(ClosedBy::Server) => "\"server\"",
            Some(ClosedBy::Test) => "\"test\"",
        };
        let object = json::Object::new()
            .member("entry", self.entry)
            .member("end", self.number)
            .member("time", unix_milliseconds(self.time))
            .member("status", self.status)
            .member("complete", self.is_complete)
            .member("closed_by", closed_by)
            .string("how", &self.how)
            .member("bytes", self.bytes)
            .member("events", self.events);
        writeln!(out, "{}", object.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_line_of_json() {
        let how = "client disconnected".to_owned();
        let closed_by = Some(ClosedBy::Client);
        let end = RecordedEnd {
            entry: 2,
            number: 1,
            status: 200,
            closed_by,
            how,
            bytes: 9,
            events: 1,
            ..Default::default()
        };
        assert_eq!(
            JournalEntry::End(end).to_json(),
            "{\"entry\":2,\"end\":1,\"time\":0,\"status\":200,\"complete\":false,\"closed_by\":\"client\",\
             \"how\":\"client disconnected\",\"bytes\":9,\"events\":1}\n"
        );
    }
}
