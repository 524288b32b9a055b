//! Parses an event stream: bytes to events (WHATWG "Server-sent events", sections 9.2.5 and 9.2.6).

use std::time::Duration;

/// An event that was dispatched, with the fields that it had in the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The event type. Every dispatched event has one: `message` if the stream did not name another.
    pub event: Option<String>,
    /// The data, its lines joined with LF. Every event that a stream dispatches has data.
    pub data: Option<String>,
    /// The `id` field of this event; empty when it resets the last event ID. The last event ID that applies to the event
    /// is [`EventStream::last_event_id`], which can come from an earlier event.
    pub id: Option<String>,
    /// The `retry` field of this event: digits that mean milliseconds.
    pub retry: Option<String>,
}

/// A parser of one event stream (WHATWG "Server-sent events", section 9.2.6). It takes bytes in pieces of any size.
///
/// ```
/// use rust_sse_server::EventStream;
///
/// let mut stream = EventStream::default();
/// let mut events = Vec::new();
/// for bytes in ["id: 7\ndata: hel", "lo\n\ndata: not comp", "lete"] {
///     stream.push(bytes.as_bytes(), |_, event| events.push(event));
/// }
/// assert_eq!(events.len(), 1);
/// assert_eq!(events[0].event.as_deref(), Some("message"));
/// assert_eq!(events[0].data.as_deref(), Some("hello"));
/// assert_eq!(stream.last_event_id(), "7");
/// ```
#[derive(Debug, Default)]
pub struct EventStream {
    /// The line so far.
    line: Vec<u8>,
    /// Whether the line before ended with CR, so that LF would belong to the same line end.
    after_cr: bool,
    /// Whether the first line has ended. Only that one can begin with a byte order mark.
    after_first_line: bool,
    /// The fields so far of the next event. The data ends with LF.
    event: Event,
    last_event_id: String,
    reconnection_time: Option<Duration>,
    /// The most bytes of a line, and of data, that are kept; `None` for no limit.
    limit: Option<usize>,
}

impl EventStream {
    /// A parser of a stream that continues one with this last event ID: after a reconnect, it applies until the stream
    /// sets another.
    pub fn with_last_event_id(last_event_id: impl Into<String>) -> EventStream {
        EventStream { last_event_id: last_event_id.into(), ..EventStream::default() }
    }

    /// A parser that finds the events but truncates what is in them: it keeps at most `limit` bytes of a line, and about
    /// as many of the data.
    pub(crate) fn with_limit(limit: usize) -> EventStream {
        EventStream { limit: Some(limit), ..EventStream::default() }
    }

    /// Whether the next byte is the first of a line.
    pub(crate) fn is_at_line_start(&self) -> bool {
        self.line.is_empty()
    }

    /// The number of bytes kept of the current line and event. There is no limit: check it if a server may send a line or
    /// an event that never ends.
    pub fn pending_bytes(&self) -> usize {
        let Event { event, data, id, retry } = &self.event;
        self.line.len() + [event, data, id, retry].into_iter().flatten().map(String::len).sum::<usize>()
    }

    /// The last event ID: what a client sends as `Last-Event-ID` when it reconnects. Empty if there is none.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The value of the last valid `retry` field.
    pub fn reconnection_time(&self) -> Option<Duration> {
        self.reconnection_time
    }

    /// Takes the next bytes and calls `dispatch` with every event that they complete, and with the parser in the state
    /// after the event.
    ///
    /// An event whose empty line never comes is not dispatched, as the standard requires.
    pub fn push(&mut self, bytes: &[u8], mut dispatch: impl FnMut(&EventStream, Event)) {
        for &byte in bytes {
            let completes_cr_lf = byte == b'\n' && self.after_cr;
            self.after_cr = byte == b'\r';
            match byte {
                b'\n' if completes_cr_lf => {}
                b'\r' | b'\n' => self.end_line(&mut dispatch),
                _ if self.has_room(self.line.len()) => self.line.push(byte),
                _ => {}
            }
        }
    }

    fn end_line(&mut self, dispatch: &mut impl FnMut(&EventStream, Event)) {
        let bytes = std::mem::take(&mut self.line);
        let mut line = bytes.as_slice();
        if !self.after_first_line {
            self.after_first_line = true;
            line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        }
        if line.is_empty() {
            self.end_event(dispatch);
        } else {
            self.add_field(&String::from_utf8_lossy(line));
        }
    }

    /// Whether more than `length` bytes may be kept.
    fn has_room(&self, length: usize) -> bool {
        self.limit.map_or(true, |limit| length < limit)
    }

    /// `name: value`, where one space after the colon does not count. Without a colon, the value is empty. A comment is a
    /// field without a name.
    fn add_field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => self.event.event = Some(value.to_owned()),
            "data" => {
                let mut data = self.event.data.take().unwrap_or_default();
                if self.has_room(data.len()) {
                    data += value;
                    data.push('\n');
                }
                self.event.data = Some(data);
            }
            "id" if !value.contains('\0') => self.event.id = Some(value.to_owned()),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.event.retry = Some(value.to_owned());
                // The standard has no largest number: a number too large for this type is as good as forever.
                self.reconnection_time = Some(Duration::from_millis(value.parse().unwrap_or(u64::MAX)));
            }
            _ => {}
        }
    }

    fn end_event(&mut self, dispatch: &mut impl FnMut(&EventStream, Event)) {
        let mut event = std::mem::take(&mut self.event);
        if let Some(id) = &event.id {
            self.last_event_id = id.clone();
        }
        if let Some(data) = &mut event.data {
            data.pop();
            event.event = event.event.filter(|name| !name.is_empty()).or_else(|| Some("message".to_owned()));
            dispatch(self, event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        EventStream::default().push(bytes, |_, event| events.push(event));
        events
    }

    fn data(bytes: &[u8]) -> Vec<String> {
        events(bytes).into_iter().filter_map(|event| event.data).collect()
    }

    #[test]
    fn the_examples_of_the_standard_are_parsed_as_it_says() {
        assert_eq!(data(b"data: YHOO\ndata: +2\ndata: 10\n\n"), ["YHOO\n+2\n10"]);
        let all = events(
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        );
        assert_eq!(all.len(), 3);
        assert_eq!(all[0].id.as_deref(), Some("1"));
        assert_eq!(all[1].id.as_deref(), Some(""));
        assert_eq!((all[2].data.as_deref(), &all[2].id), (Some(" third event"), &None));
        assert_eq!(data(b"data\n\ndata\ndata\n\ndata:"), ["", "\n"]);
        assert_eq!(data(b"data:test\n\ndata: test\n\n"), ["test", "test"]);
    }

    #[test]
    fn lines_end_with_lf_cr_lf_or_cr_in_any_pieces() {
        for text in [&b"data: a\r\ndata: b\r\n\r\n"[..], b"data: a\rdata: b\r\r", b"data: a\rdata: b\r\n\n"] {
            for cut in 0..text.len() {
                let (mut stream, mut all) = (EventStream::default(), Vec::new());
                stream.push(&text[..cut], |_, event| all.extend(event.data));
                stream.push(&text[cut..], |_, event| all.extend(event.data));
                assert_eq!(all, ["a\nb"], "{} at {cut}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn one_byte_order_mark_at_the_start_is_ignored() {
        assert_eq!(data(b"\xEF\xBB\xBFdata: 1\n\n\xEF\xBB\xBFdata: 2\n\ndata: 3\n\n"), ["1", "3"]);
        assert!(data(b"\xEF\xBB\xBF\xEF\xBB\xBFdata: 1\n\n").is_empty());
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced() {
        assert_eq!(data(b"data: a\xFFb\n\n"), ["a\u{FFFD}b"]);
    }

    #[test]
    fn an_event_without_data_only_sets_the_last_event_id() {
        let mut stream = EventStream::default();
        stream.push(b"id: 1\nevent: x\n\ndata: y\n\n", |_, event| {
            assert_eq!(event.event.as_deref(), Some("message"))
        });
        assert_eq!(stream.last_event_id(), "1");
        stream.push(b"id: 2\ndata: unfinished", |_, event| panic!("{event:?}"));
        assert_eq!(stream.last_event_id(), "1");
        stream.push(b"\nid: a\0b\n\n", |_, _| {});
        assert_eq!(stream.last_event_id(), "2");
        stream.push(b"id\n\n", |_, _| {});
        assert_eq!(stream.last_event_id(), "");
    }

    #[test]
    fn a_retry_field_that_is_not_a_number_is_ignored() {
        let mut stream = EventStream::default();
        stream.push(b"retry: 10\nretry: 1000x\nretry\nretry: -1\n\n", |_, _| {});
        assert_eq!(stream.reconnection_time(), Some(Duration::from_millis(10)));
        stream.push(b"retry: 99999999999999999999\n", |_, _| {});
        assert_eq!(stream.reconnection_time(), Some(Duration::from_millis(u64::MAX)));
    }

    #[test]
    fn a_limit_truncates_lines_and_data_and_keeps_the_number_of_events() {
        let mut stream = EventStream::with_limit(8);
        let mut data = Vec::new();
        stream.push(b"data: 123456\ndata: 7\n\n: a long comment\ndata: 8\n\n", |_, event| {
            data.extend(event.data)
        });
        assert_eq!(data, ["12\n7", "8"]);
    }
}
