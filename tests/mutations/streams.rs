//! Event streams in random pieces, parsed by `EventStream` and by a reference that follows the WHATWG standard
//! "Server-sent events", section 9.2.6, sentence by sentence.

use super::{choose, cut, damage, try_cases};
use crate::support::Random;
use rust_sse_server::EventStream;
use std::time::Duration;

/// What a client learns from a stream.
#[derive(Debug, Default, PartialEq)]
struct Parsed {
    events: Vec<Dispatched>,
    last_event_id: String,
    reconnection_time: Option<Duration>,
}

#[derive(Debug, PartialEq)]
struct Dispatched {
    event_type: String,
    data: String,
    last_event_id: String,
    /// The `id` and `retry` fields since the blank line before.
    id: Option<String>,
    retry: Option<String>,
}

/// Decodes the whole stream, splits it into lines, and interprets them.
fn reference(bytes: &[u8], last_event_id: &str) -> Parsed {
    // "Streams must be decoded using the UTF-8 decode algorithm", which removes one byte order mark.
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    // "Lines must be separated by either a CRLF character pair, a single LF character, or a single CR character."
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    // "Once the end of the file is reached, any pending data must be discarded."
    lines.pop();

    let mut parsed = Parsed { last_event_id: last_event_id.to_owned(), ..Parsed::default() };
    let mut id_buffer = last_event_id.to_owned();
    let (mut data, mut event_type) = (String::new(), String::new());
    let (mut id, mut retry) = (None, None);
    for line in lines {
        if line.is_empty() {
            parsed.last_event_id = id_buffer.clone();
            if data.is_empty() {
                event_type.clear();
                (id, retry) = (None, None);
                continue;
            }
            if data.ends_with('\n') {
                data.pop();
            }
            let event_type = std::mem::take(&mut event_type);
            parsed.events.push(Dispatched {
                event_type: if event_type.is_empty() { "message".to_owned() } else { event_type },
                data: std::mem::take(&mut data),
                last_event_id: id_buffer.clone(),
                id: id.take(),
                retry: retry.take(),
            });
            continue;
        }
        if line.starts_with(':') {
            continue;
        }
        let (field, value) = match line.find(':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, ""),
        };
        let value = value.strip_prefix(' ').unwrap_or(value);
        if field == "event" {
            event_type = value.to_owned();
        } else if field == "data" {
            data.push_str(value);
            data.push('\n');
        } else if field == "id" && !value.contains('\0') {
            id_buffer = value.to_owned();
            id = Some(value.to_owned());
        } else if field == "retry" && !value.is_empty() && value.chars().all(|c| c.is_ascii_digit()) {
            let digits = value.chars().map(|c| u64::from(c) - u64::from('0'));
            let number = digits.fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(digit));
            parsed.reconnection_time = Some(Duration::from_millis(number));
            retry = Some(value.to_owned());
        }
    }
    parsed
}

fn parse(pieces: &[&[u8]], last_event_id: &str) -> Parsed {
    let mut stream = EventStream::with_last_event_id(last_event_id);
    let mut events = Vec::new();
    for piece in pieces {
        stream.push(piece, |stream, event| {
            events.push(Dispatched {
                event_type: event.event.unwrap(),
                data: event.data.unwrap(),
                last_event_id: stream.last_event_id().to_owned(),
                id: event.id,
                retry: event.retry,
            });
        });
    }
    Parsed {
        events,
        last_event_id: stream.last_event_id().to_owned(),
        reconnection_time: stream.reconnection_time(),
    }
}

/// What streams are made of, and what nearly is.
const TOKENS: &[&[u8]] = &[
    b"data",
    b"data:",
    b"data: ",
    b"data: x\n\n",
    b"event:",
    b"event: a\n",
    b"id",
    b"id:",
    b"id: 1\n",
    b"retry:",
    b"retry: 10\n",
    b"retry: 99999999999999999999\r",
    b":",
    b" ",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"\r\r",
    b"\n\r",
    b"\t",
    b"\0",
    b"\x0B\x0C",
    b"0",
    b"7",
    b"+1",
    b"Data: x\n",
    b"dat",
    b"a",
    b"\xEF\xBB\xBF",
    b"\xEF\xBB",
    b"\xE2\x82\xAC",
    b"\xE2\x82",
    b"\xF0\x9F\x98\x80",
    b"\xF0\x9F",
    b"\xC0\x80",
    b"\xED\xA0\x80",
    b"\xFF",
    b"\xC2\x85",
    b"\xE2\x80\xA8",
    b"\xD9\xA3",
];

fn random_stream(random: &mut Random) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..random.below(60) {
        stream.extend_from_slice(choose(random, TOKENS));
        if random.below(3) == 0 {
            stream.push(b'\n');
        }
    }
    if random.below(4) == 0 {
        damage(random, &mut stream, 4, TOKENS);
    }
    stream
}

#[test]
fn event_streams_in_random_pieces_are_parsed_as_the_reference_does() {
    let (mut events, mut streams) = (0, 0);
    try_cases(5, |random| {
        let stream = random_stream(random);
        let last_event_id = choose(random, &["", "before"]);
        let expected = reference(&stream, last_event_id);
        for _ in 0..3 {
            let pieces = cut(random, &stream);
            assert_eq!(parse(&pieces, last_event_id), expected, "{}", stream.escape_ascii());
        }
        events += expected.events.len();
        streams += 1;
    });
    assert!(events > streams / 2, "only {events} events in {streams} streams");
    println!("{streams} event streams with {events} events");
}
