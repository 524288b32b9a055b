//! Names what goes over the wire: cuts the bytes of a request or a response into the pieces that RFC 9112 has words for,
//! however they were cut before. For those who watch; nobody is refused here.

use crate::http::field::{list_members, FieldLine};

/// Octets of a line that are looked at. Heads are smaller (see `http::request`), so a longer line is garbage.
const MAX_LINE: usize = 16 * 1024;

/// What a piece is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// The first line of a request (RFC 9112, section 3).
    RequestLine,
    /// The first line of a response (RFC 9112, section 4).
    StatusLine,
    /// A field line of a head (RFC 9112, section 5).
    FieldLine,
    /// What ends a head (RFC 9112, section 2.1).
    EmptyLine,
    /// The size of a chunk, up to its line end (RFC 9112, section 7.1).
    ChunkSize,
    /// Data of a chunk.
    ChunkData,
    /// The line end after the data of a chunk, or after the trailer section.
    Crlf,
    /// The chunk of size 0.
    LastChunk,
    /// A field line of the trailer section (RFC 9112, section 7.1.2).
    TrailerField,
    /// A body that is not in chunks (RFC 9112, section 6).
    Content,
    /// What has no place where it stands.
    Malformed,
}

impl Name {
    /// The standard's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Name::RequestLine => "request line",
            Name::StatusLine => "status line",
            Name::FieldLine => "field line",
            Name::EmptyLine => "empty line",
            Name::ChunkSize => "chunk-size",
            Name::ChunkData => "chunk-data",
            Name::Crlf => "CRLF",
            Name::LastChunk => "last-chunk",
            Name::TrailerField => "trailer field",
            Name::Content => "content",
            Name::Malformed => "malformed",
        }
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    StartLine,
    Fields,
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailer,
    Content(u64),
    Malformed,
    Complete,
}

/// A message being cut.
#[derive(Debug)]
pub struct WireParser {
    /// Whether it is an answer, and no request.
    pub is_response: bool,
    state: State,
    /// The line being read.
    line: Vec<u8>,
    /// What has come of a line of a request, which is told of when it is whole: its sender decides where it is cut.
    held: Vec<u8>,
    start_line: Vec<u8>,
    chunked: bool,
    length: Option<u64>,
    /// The response to a HEAD request has no body.
    pub head_only: bool,
    /// Whether the body is an event stream that a client would read.
    pub is_event_stream: bool,
    /// Octets of the size of the chunk that has begun, its data not counted.
    pub chunk_size: u64,
    /// Octets of the body so far, framing not counted.
    pub octets: u64,
}

impl WireParser {
    /// That of a request that is to come.
    pub fn of_request() -> WireParser {
        WireParser {
            is_response: false,
            state: State::StartLine,
            line: Vec::new(),
            held: Vec::new(),
            start_line: Vec::new(),
            chunked: false,
            length: None,
            head_only: false,
            is_event_stream: false,
            chunk_size: 0,
            octets: 0,
        }
    }

    /// That of a response that is to come.
    pub fn of_response() -> WireParser {
        WireParser { is_response: true, ..WireParser::of_request() }
    }

    /// The words of the first line, once it has come.
    pub fn start_line(&self) -> impl Iterator<Item = &[u8]> {
        self.start_line.split(|&byte| byte == b' ')
    }

    /// Whether the head has come.
    pub fn has_head(&self) -> bool {
        !matches!(self.state, State::StartLine | State::Fields)
    }

    /// Whether the end of the body has come; of a body that ends with the connection this is never known.
    pub fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// Whether the body ends with the connection and not before.
    pub fn ends_with_connection(&self) -> bool {
        matches!(self.state, State::Content(_)) && self.length.is_none()
    }

    /// Calls `piece` with each piece of what comes next, and with the message as it is then.
    pub fn push(&mut self, mut bytes: &[u8], piece: &mut dyn FnMut(&WireParser, Name, &[u8])) {
        while !bytes.is_empty() {
            let (name, used) = self.next_piece(bytes);
            let (next, rest) = bytes.split_at(used);
            bytes = rest;
            let is_cut = !self.line.is_empty() && self.state != State::Malformed;
            match self.is_response || self.held.is_empty() && !is_cut {
                true => piece(self, name, next),
                false => {
                    self.held.extend_from_slice(next);
                    if !is_cut {
                        let held = std::mem::take(&mut self.held);
                        piece(self, name, &held);
                    }
                }
            }
        }
    }

    /// What has come of a line that was never completed.
    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    fn next_piece(&mut self, bytes: &[u8]) -> (Name, usize) {
        match self.state {
            State::ChunkData(left) => {
                let used = self.data(left, bytes.len());
                let left = left - used as u64;
                self.state = if left == 0 { State::ChunkEnd } else { State::ChunkData(left) };
                (Name::ChunkData, used)
            }
            State::Content(left) => {
                let used = self.data(left, bytes.len());
                let left = left - used as u64;
                self.state = if left == 0 { State::Complete } else { State::Content(left) };
                (Name::Content, used)
            }
            State::Malformed => (Name::Malformed, bytes.len()),
            State::Complete => self.again(bytes),
            _ => self.line(bytes),
        }
    }

    fn data(&mut self, left: u64, available: usize) -> usize {
        let used = left.min(available as u64);
        self.octets += used;
        used as usize
    }

    /// After a message, another of its kind begins.
    fn again(&mut self, bytes: &[u8]) -> (Name, usize) {
        *self = WireParser {
            is_response: self.is_response,
            head_only: self.head_only,
            ..WireParser::of_request()
        };
        self.line(bytes)
    }

    /// A line, or as much of it as has come.
    fn line(&mut self, bytes: &[u8]) -> (Name, usize) {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let used = end.map_or(bytes.len(), |end| end + 1);
        if self.line.len() + used > MAX_LINE {
            self.state = State::Malformed;
            return (Name::Malformed, used);
        }
        self.line.extend_from_slice(&bytes[..used]);
        match end {
            None => (self.name_of_beginning(), used),
            Some(_) => {
                let line = std::mem::take(&mut self.line);
                let text = line.strip_suffix(b"\n").unwrap_or(&line);
                (self.end_line(text.strip_suffix(b"\r").unwrap_or(text)), used)
            }
        }
    }

    /// What a line that has not ended yet will be, as far as can be told.
    fn name_of_beginning(&self) -> Name {
        match self.state {
            State::StartLine if self.is_response => Name::StatusLine,
            State::StartLine => Name::RequestLine,
            State::ChunkSize => Name::ChunkSize,
            State::ChunkEnd => Name::Crlf,
            State::Trailer => Name::TrailerField,
            _ => Name::FieldLine,
        }
    }

    fn end_line(&mut self, line: &[u8]) -> Name {
        match (self.state, line.is_empty()) {
            (State::StartLine, true) => Name::EmptyLine,
            (State::StartLine, false) => self.end_start_line(line),
            (State::Fields, true) => {
                self.state = self.after_head();
                Name::EmptyLine
            }
            (State::Fields, false) => self.end_field_line(line),
            (State::ChunkSize, _) => self.end_chunk_size(line),
            (State::ChunkEnd, true) => {
                self.state = State::ChunkSize;
                Name::Crlf
            }
            (State::Trailer, true) => {
                self.state = State::Complete;
                Name::Crlf
            }
            (State::Trailer, false) => Name::TrailerField,
            _ => self.malformed(),
        }
    }

    fn end_start_line(&mut self, line: &[u8]) -> Name {
        self.start_line = line.to_vec();
        self.state = State::Fields;
        match self.is_response {
            false => Name::RequestLine,
            true if line.starts_with(b"HTTP/") => Name::StatusLine,
            true => self.malformed(),
        }
    }

    fn end_field_line(&mut self, line: &[u8]) -> Name {
        let field = match FieldLine::parse(line) {
            Ok(field) => field,
            Err(_) => return Name::Malformed,
        };
        if field.is("transfer-encoding") {
            self.chunked = list_members(field.value).any(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        } else if field.is("content-length") {
            self.length = std::str::from_utf8(field.value).ok().and_then(|value| value.parse().ok());
        } else if field.is("content-type") {
            let essence = field.value.split(|&byte| byte == b';').next().unwrap_or_default();
            self.is_event_stream = essence.eq_ignore_ascii_case(b"text/event-stream");
        }
        Name::FieldLine
    }

    /// How the body ends (RFC 9112, section 6.3).
    fn after_head(&mut self) -> State {
        let status = self.start_line().nth(1).unwrap_or_default();
        // An interim response: the real one follows.
        let is_interim = self.is_response && status.starts_with(b"1");
        let has_no_body = self.head_only || status == b"204" || status == b"304";
        self.is_event_stream &= status == b"200";
        match (self.chunked, self.length) {
            _ if is_interim || has_no_body => State::Complete,
            (true, _) => State::ChunkSize,
            (false, Some(0)) => State::Complete,
            (false, Some(length)) => State::Content(length),
            (false, None) if self.is_response => State::Content(u64::MAX),
            (false, None) => State::Complete,
        }
    }

    fn end_chunk_size(&mut self, line: &[u8]) -> Name {
        let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
        let is_hexadecimal = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
        let text = std::str::from_utf8(digits).ok().filter(|_| is_hexadecimal);
        match text.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
            None => self.malformed(),
            Some(0) => {
                self.state = State::Trailer;
                Name::LastChunk
            }
            Some(size) => {
                self.chunk_size = size;
                self.state = State::ChunkData(size);
                Name::ChunkSize
            }
        }
    }

    fn malformed(&mut self) -> Name {
        self.state = State::Malformed;
        Name::Malformed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces, each with its name; pieces of one line are put together.
    fn cut(mut anatomy: WireParser, bytes: &[u8], at_once: usize) -> Vec<(Name, String)> {
        let mut pieces: Vec<(Name, String)> = Vec::new();
        for part in bytes.chunks(at_once) {
            anatomy.push(part, &mut |_, name, bytes| {
                let text = bytes.escape_ascii().to_string();
                match pieces.last_mut() {
                    Some((last, all)) if at_once == 1 && !all.ends_with("\\n") => {
                        *last = name;
                        all.push_str(&text);
                    }
                    _ => pieces.push((name, text)),
                }
            });
        }
        pieces
    }

    fn names(anatomy: WireParser, bytes: &[u8]) -> Vec<Name> {
        cut(anatomy, bytes, bytes.len()).into_iter().map(|(name, _)| name).collect()
    }

    const RESPONSE: &[u8] =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n\
        8\r\ndata: a\n\r\n10;x=y\r\ndata: bcdefghij\n\r\n0\r\nx: y\r\n\r\n";

    #[test]
    fn a_response_in_chunks_has_every_name() {
        use Name::*;
        let mut all = names(WireParser::of_response(), RESPONSE);
        let end = all.split_off(4);
        assert_eq!(all, [StatusLine, FieldLine, FieldLine, EmptyLine]);
        assert_eq!(
            end,
            [ChunkSize, ChunkData, Crlf, ChunkSize, ChunkData, Crlf, LastChunk, TrailerField, Crlf]
        );
    }

    #[test]
    fn bytes_that_come_singly_are_the_same_pieces() {
        let whole = cut(WireParser::of_response(), RESPONSE, RESPONSE.len());
        let whole: Vec<String> = whole.into_iter().map(|(_, text)| text).collect();
        let single: Vec<String> =
            cut(WireParser::of_response(), RESPONSE, 1).into_iter().map(|(_, text)| text).collect();
        assert_eq!(single.concat(), whole.concat());
        let mut anatomy = WireParser::of_response();
        RESPONSE.chunks(1).for_each(|byte| anatomy.push(byte, &mut |_, _, _| {}));
        assert!(anatomy.is_complete() && anatomy.is_event_stream);
        assert_eq!(anatomy.octets, 24);
    }

    #[test]
    fn what_is_no_chunk_is_malformed_to_the_end() {
        let bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\ndata: x\n\n0\r\n\r\n";
        assert_eq!(names(WireParser::of_response(), bytes)[3..], [Name::Malformed, Name::Malformed]);
        assert_eq!(names(WireParser::of_response(), b"\x16\x03\n\n"), [Name::Malformed, Name::Malformed]);
    }

    #[test]
    fn a_body_ends_where_its_head_says() {
        use Name::*;
        let two = b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        let all = [StatusLine, EmptyLine, StatusLine, FieldLine, EmptyLine, Content];
        assert_eq!(names(WireParser::of_response(), two), all);
        let request = b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\nokGET / HTTP/1.1\r\n";
        let all = [RequestLine, FieldLine, EmptyLine, Content, RequestLine];
        assert_eq!(names(WireParser::of_request(), request), all);
        let until_close = b"HTTP/1.1 200 OK\r\n\r\ndata\n\n";
        assert_eq!(names(WireParser::of_response(), until_close), [StatusLine, EmptyLine, Content]);
    }
}
