//! Parses an event stream, line by line and field by field, in the words of the standard (WHATWG "Server-sent events",
//! sections 9.2.5 and 9.2.6), except for one fault.

use super::Fault;
use std::time::Duration;

/// The reconnection time until the stream sets one. Short, so that tests are.
const RECONNECTION_TIME: Duration = Duration::from_millis(100);

pub struct Parser {
    fault: Option<Fault>,
    pub last_event_id: String,
    pub reconnection_time: Duration,
    /// The events that were dispatched and not taken yet.
    pub events: Vec<Event>,
    stream: Stream,
}

/// What begins anew with each stream.
#[derive(Default)]
struct Stream {
    content_type: String,
    line: Vec<u8>,
    after_cr: bool,
    pieces: usize,
    lines: usize,
    begins_with_mark: bool,
    line_end: Option<u8>,
    events_in_piece: usize,
    is_broken: bool,
    unprocessed: Vec<u8>,
    data: Option<String>,
    event_type: String,
    id: Option<String>,
    retry: Option<Duration>,
}

pub struct Event {
    pub event_type: String,
    pub data: String,
    pub last_event_id: String,
}

impl Event {
    pub fn to_json(&self) -> String {
        let [event_type, data, id] = [&self.event_type, &self.data, &self.last_event_id].map(|text| {
            let mut string = String::with_capacity(text.len() + 2);
            for c in text.chars() {
                match c {
                    '"' | '\\' => string.extend(['\\', c]),
                    '\0'..='\x1f' => string += &format!("\\u{:04x}", u32::from(c)),
                    _ => string.push(c),
                }
            }
            string
        });
        format!("{{\"type\":\"{event_type}\",\"data\":\"{data}\",\"id\":\"{id}\"}}")
    }
}

impl Parser {
    pub fn new(fault: Option<Fault>) -> Parser {
        Parser {
            fault,
            last_event_id: String::new(),
            reconnection_time: RECONNECTION_TIME,
            events: Vec::new(),
            stream: Stream::default(),
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Begins a stream.
    pub fn begin(&mut self, content_type: &str) {
        if self.has(Fault::ForgetsReconnectionTime) {
            self.reconnection_time = RECONNECTION_TIME;
        }
        self.stream = Stream { content_type: content_type.to_owned(), ..Stream::default() };
    }

    /// Takes bytes that arrived together.
    pub fn piece(&mut self, piece: &[u8]) {
        if self.has(Fault::ProcessesStreamAtItsEnd) {
            self.stream.unprocessed.extend(piece);
        } else if self.has(Fault::DecodesEachPiece) {
            self.process(String::from_utf8_lossy(piece).as_bytes());
        } else {
            self.process(piece);
        }
    }

    /// Ends the stream. An event without its empty line is discarded.
    pub fn end(&mut self) {
        let unprocessed = std::mem::take(&mut self.stream.unprocessed);
        self.process(&unprocessed);
        if self.has(Fault::DispatchesUnfinishedEvent) {
            self.end_line();
            self.dispatch();
        }
    }

    fn process(&mut self, piece: &[u8]) {
        if self.stream.pieces == 0 {
            self.stream.begins_with_mark = piece.starts_with(b"\xEF\xBB\xBF");
        }
        self.stream.pieces += 1;
        self.stream.events_in_piece = 0;
        for &byte in piece {
            self.byte(byte);
        }
        if self.has(Fault::EndsLinesWithPieces) && !self.stream.line.is_empty() {
            self.end_line();
        }
        if self.has(Fault::ForgetsCrAfterPiece) {
            self.stream.after_cr = false;
        }
    }

    fn byte(&mut self, byte: u8) {
        let after_cr = std::mem::replace(&mut self.stream.after_cr, byte == b'\r');
        if self.has(Fault::WaitsForByteAfterCr) {
            if after_cr {
                self.end_line();
            }
            if byte == b'\r' || (byte == b'\n' && after_cr) {
                return;
            }
        }
        let completes_cr_lf = byte == b'\n' && after_cr;
        if completes_cr_lf && !self.has(Fault::TakesCrLfForTwoLineEnds) && !self.has(Fault::DoesNotKnowCr) {
            return;
        }
        if self.is_line_end(byte) {
            self.end_line();
        } else if self.stream.line.len() < (1 << 20) || !self.has(Fault::TruncatesLinesAt1MiB) {
            self.stream.line.push(byte);
        }
    }

    fn is_line_end(&mut self, byte: u8) -> bool {
        if self.has(Fault::TakesFirstLineEndForAll) && matches!(byte, b'\r' | b'\n') {
            return *self.stream.line_end.get_or_insert(byte) == byte;
        }
        match byte {
            b'\n' => !self.has(Fault::DoesNotKnowLf),
            b'\r' => !self.has(Fault::DoesNotKnowCr),
            _ => false,
        }
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.stream.line);
        let is_first = self.stream.lines == 0;
        self.stream.lines += 1;
        let mut marks = usize::from(is_first);
        match self.fault {
            Some(Fault::KeepsByteOrderMark) => marks = 0,
            Some(Fault::RemovesAllByteOrderMarks) => marks *= 9,
            Some(Fault::RemovesByteOrderMarksInEveryLine) => marks = 1,
            Some(Fault::FindsByteOrderMarkInFirstPieceOnly) => {
                marks *= usize::from(self.stream.begins_with_mark)
            }
            _ => {}
        }
        while marks > 0 && line.starts_with(b"\xEF\xBB\xBF") {
            line.drain(..3);
            marks -= 1;
        }
        if self.has(Fault::StopsAtInvalidUtf8) && std::str::from_utf8(&line).is_err() {
            self.stream.is_broken = true;
        }
        let ignores = self.has(Fault::ProcessesFirstEventOfPieceOnly) && self.stream.events_in_piece > 0;
        if self.stream.is_broken || ignores {
            return;
        }
        let mut text = String::from_utf8_lossy(&line).into_owned();
        if self.has(Fault::DecodesAsContentTypeSays) && self.stream.content_type.contains("windows-1252") {
            text = line.iter().map(|&byte| char::from(byte)).collect();
        }
        if self.has(Fault::EndsLinesAtUnicodeLineEnds) {
            let ends = ['\u{2028}', '\u{2029}', '\u{85}', '\u{b}', '\u{c}'];
            text.split(ends).for_each(|line| self.line(line));
        } else {
            self.line(&text);
        }
    }

    /// Takes a line without its end.
    fn line(&mut self, mut line: &str) {
        if line.is_empty() {
            return self.dispatch();
        }
        if self.has(Fault::RemovesSpacesBeforeNames) {
            line = line.trim_start();
        }
        if self.has(Fault::TakesCommentsForFields) {
            line = line.strip_prefix(':').unwrap_or(line);
        }
        if line.starts_with(':') {
            return;
        }
        let split = match self.fault {
            Some(Fault::SplitsAtLastColon) => line.rsplit_once(':'),
            Some(Fault::RequiresSpaceAfterColon) => line.split_once(": "),
            _ => line.split_once(':'),
        };
        let (name, value) = split.unwrap_or((line, ""));
        let value = match self.fault {
            Some(Fault::RemovesAllSpacesAfterColon) => value.trim_start_matches(' '),
            Some(Fault::RemovesTabAfterColon) => value.trim_start_matches('\t'),
            _ => value,
        };
        let value = value.strip_prefix(' ').unwrap_or(value);
        if self.has(Fault::IgnoresCaseOfNames) {
            self.field(&name.to_ascii_lowercase(), value);
        } else {
            self.field(name, value);
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        match name {
            "event" => self.stream.event_type = value.to_owned(),
            "data" => self.data(value),
            "id" => self.id(value),
            "retry" => self.retry(value),
            _ if self.has(Fault::FailsAtUnknownFields) => self.stream.is_broken = true,
            _ => {}
        }
    }

    fn data(&mut self, value: &str) {
        let mut value = value;
        if self.has(Fault::TruncatesDataAtNul) {
            value = value.split('\0').next().unwrap_or("");
        }
        let data = self.stream.data.get_or_insert_with(String::new);
        if self.fault == Some(Fault::KeepsLastLineOfDataOnly) {
            data.clear();
        }
        if !(self.fault == Some(Fault::JoinsNoEmptyData) && value.is_empty() && !data.is_empty()) {
            data.push_str(value);
            data.push('\n');
        }
    }

    fn id(&mut self, value: &str) {
        if self.has(Fault::KeepsFirstId) && !self.last_event_id.is_empty() {
            return;
        }
        if self.has(Fault::RemovesNulFromId) {
            self.stream.id = Some(value.replace('\0', ""));
        } else if value.is_empty() && self.has(Fault::IgnoresEmptyId) {
            return;
        } else if !value.contains('\0') {
            self.stream.id = Some(value.to_owned());
        }
        if self.has(Fault::TakesIdBeforeEmptyLine) {
            self.last_event_id = self.stream.id.clone().unwrap_or_default();
        }
    }

    fn retry(&mut self, value: &str) {
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
        let time = match self.fault {
            Some(Fault::TakesDigitsAtStartOfRetry) => digits.parse().ok(),
            Some(Fault::TakesEmptyRetryForZero) if value.is_empty() => Some(0),
            Some(Fault::TakesRetryForOctal) if value.starts_with('0') => u64::from_str_radix(value, 8).ok(),
            _ => value.parse().ok().filter(|_| is_number),
        };
        self.stream.retry = time.map(Duration::from_millis).or(self.stream.retry);
        if !self.has(Fault::TakesRetryWithDataOnly) {
            self.take_retry();
        }
    }

    fn take_retry(&mut self) {
        self.reconnection_time = self.stream.retry.take().unwrap_or(self.reconnection_time);
    }

    /// Takes an empty line.
    fn dispatch(&mut self) {
        let data = self.stream.data.take();
        let keeps_type = self.has(Fault::KeepsEventType);
        let event_type = self.stream.event_type.clone();
        if !keeps_type {
            self.stream.event_type.clear();
        }
        let id = self.stream.id.take();
        if data.is_some() || !self.has(Fault::TakesIdWithDataOnly) {
            self.last_event_id = id.clone().unwrap_or_else(|| self.last_event_id.clone());
        }
        let data = match data {
            Some(data) => data,
            None if self.has(Fault::DispatchesWithoutData) && !event_type.is_empty() => String::new(),
            None => return,
        };
        self.take_retry();
        if id.is_none() && self.has(Fault::ForgetsIdAfterEvent) {
            self.last_event_id.clear();
        }
        if self.has(Fault::IgnoresEmptyData) && data == "\n" {
            return;
        }
        self.stream.events_in_piece += 1;
        self.events.push(Event {
            event_type: if event_type.is_empty() { "message".to_owned() } else { event_type },
            data: data.strip_suffix('\n').unwrap_or(&data).to_owned(),
            last_event_id: self.last_event_id.clone(),
        });
    }
}
