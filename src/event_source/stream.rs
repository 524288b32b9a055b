//! Reads an event stream: bytes to events, by the rules of the WHATWG standard "Server-sent events", sections 9.2.5 and
//! 9.2.6.

use std::time::Duration;

/// An event as it was dispatched, with the fields that this event itself carried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The event type; `message` unless the stream named another.
    pub event: Option<String>,
    /// The data, its lines joined with LF.
    pub data: Option<String>,
    /// The `id` field of this event, empty for an `id` that takes the last event ID away. Not what earlier events left
    /// behind: that is [`EventStream::last_event_id`].
    pub id: Option<String>,
    /// The `retry` field of this event: milliseconds, in digits.
    pub retry: Option<String>,
}

/// A parser of one event stream, fed in pieces of any size.
#[derive(Debug, Default)]
pub struct EventStream {
    line: Vec<u8>,
    /// The line before ended with CR, so an LF now is the rest of its end.
    after_cr: bool,
    /// The first line has ended: only that one can begin with a byte order mark.
    begun: bool,
    /// The fields so far of the event being read; every data line adds an LF.
    event: Event,
    last_event_id: String,
    reconnection_time: Option<Duration>,
    /// Octets to keep of a line and of data; `None` for all.
    keeps: Option<usize>,
}

impl EventStream {
    /// A parser of a stream that follows one which ended with this last event ID.
    pub fn after(last_event_id: String) -> EventStream {
        EventStream { last_event_id, ..EventStream::default() }
    }

    pub(crate) fn with_limit(limit: usize) -> EventStream {
        EventStream { keeps: Some(limit), ..EventStream::default() }
    }

    pub(crate) fn is_at_line_start(&self) -> bool {
        self.line.is_empty()
    }

    /// What to send as `Last-Event-ID` when connecting again.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// What the last valid `retry` field asked for.
    pub fn reconnection_time(&self) -> Option<Duration> {
        self.reconnection_time
    }

    /// Takes the next bytes and calls `dispatch` with every event they complete, and with the stream as it is then.
    ///
    /// An event that the stream's end cuts off is never dispatched, as the standard wants it.
    pub fn push(&mut self, bytes: &[u8], mut dispatch: impl FnMut(&EventStream, Event)) {
        for &byte in bytes {
            let completes_cr_lf = byte == b'\n' && self.after_cr;
            self.after_cr = byte == b'\r';
            match byte {
                b'\n' if completes_cr_lf => {}
                b'\r' | b'\n' => self.end_line(&mut dispatch),
                _ if self.keeps.map_or(true, |octets| self.line.len() < octets) => self.line.push(byte),
                _ => {}
            }
        }
    }

    fn end_line(&mut self, dispatch: &mut impl FnMut(&EventStream, Event)) {
        let bytes = std::mem::take(&mut self.line);
        let mut line = bytes.as_slice();
        if !self.begun {
            self.begun = true;
            line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        }
        match String::from_utf8_lossy(line) {
            line if line.is_empty() => self.end_event(dispatch),
            line => self.field(&line),
        }
    }

    /// `name: value`, one space after the colon not counted; without a colon the value is empty. A comment is a field
    /// without a name.
    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => self.event.event = Some(value.to_owned()),
            "data" => {
                let data = self.event.data.get_or_insert_with(String::new);
                if self.keeps.map_or(true, |octets| data.len() < octets) {
                    data.push_str(value);
                    data.push('\n');
                }
            }
            "id" if !value.contains('\0') => self.event.id = Some(value.to_owned()),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.event.retry = Some(value.to_owned());
                self.reconnection_time =
                    value.parse().ok().map(Duration::from_millis).or(self.reconnection_time);
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
    fn the_examples_of_the_standard() {
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
    fn cr_lf_and_cr_end_lines_like_lf_in_any_pieces() {
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
    fn one_byte_order_mark_is_passed_over() {
        assert_eq!(data(b"\xEF\xBB\xBFdata: 1\n\n\xEF\xBB\xBFdata: 2\n\ndata: 3\n\n"), ["1", "3"]);
        assert!(data(b"\xEF\xBB\xBF\xEF\xBB\xBFdata: 1\n\n").is_empty());
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_replaced() {
        assert_eq!(data(b"data: a\xFFb\n\n"), ["a\u{FFFD}b"]);
    }

    #[test]
    fn an_event_without_data_sets_the_last_event_id_and_nothing_else() {
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
    fn retry_is_digits_alone() {
        let mut stream = EventStream::default();
        stream.push(b"retry: 10\nretry: 1000x\nretry\nretry: -1\n\n", |_, _| {});
        assert_eq!(stream.reconnection_time(), Some(Duration::from_millis(10)));
    }
}
