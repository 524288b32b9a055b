//! Cuts the bytes of a request or a response into the pieces that RFC 9112 has names for, in whatever parts they come.
//! This parser only describes: it refuses nothing.

use crate::http::dechunk::parse_chunk_size;
use crate::http::field::{is_event_stream, list_members, FieldLine};
use crate::http::request::is_request_line;
use crate::http::uri::path_of;
use std::borrow::Cow;

/// The most bytes of a line that are looked at. Heads are smaller (see `http::request`), so a longer line is malformed.
const MAX_LINE: usize = 16 * 1024;

/// What a piece of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// The first line of a request (RFC 9112, section 3).
    RequestLine,
    /// The first line of a response (RFC 9112, section 4).
    StatusLine,
    /// A field line of a head (RFC 9112, section 5).
    FieldLine,
    /// The end of a head (RFC 9112, section 2.1).
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
    /// A body that is not chunked (RFC 9112, section 6).
    Content,
    /// Bytes that the grammar does not allow here.
    Malformed,
}

impl PieceKind {
    /// The standard's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            PieceKind::RequestLine => "request line",
            PieceKind::StatusLine => "status line",
            PieceKind::FieldLine => "field line",
            PieceKind::EmptyLine => "empty line",
            PieceKind::ChunkSize => "chunk-size",
            PieceKind::ChunkData => "chunk-data",
            PieceKind::Crlf => "CRLF",
            PieceKind::LastChunk => "last-chunk",
            PieceKind::TrailerField => "trailer field",
            PieceKind::Content => "content",
            PieceKind::Malformed => "malformed",
        }
    }

    /// Whether it is part of a body, without the framing around it.
    pub fn is_data(self) -> bool {
        matches!(self, PieceKind::ChunkData | PieceKind::Content)
    }
}

/// What the parser expects next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    StartLine,
    Fields,
    ChunkSize,
    ChunkData,
    ChunkEnd,
    Trailer,
    Content,
    Malformed,
    Complete,
}

/// A parser of the messages in one direction of a connection.
#[derive(Debug, Default)]
pub struct WireParser {
    /// Whether the messages are responses, not requests.
    pub is_response: bool,
    state: State,
    /// The start of a line whose end has not come yet.
    line: Vec<u8>,
    /// A piece of a request that has not been reported yet. The server decides where responses are cut, which is worth
    /// showing; where a request is cut means nothing, so its lines are reported whole.
    unreported: Vec<u8>,
    start_line: Vec<u8>,
    is_chunked: bool,
    content_length: Option<u64>,
    /// Bytes that are still to come of the chunk-data, or of the content.
    remaining: u64,
    /// Whether the response answers a HEAD request, so that it has no body.
    pub head_only: bool,
    /// Whether the body is an event stream that a client would read.
    pub is_event_stream: bool,
    /// Whether the body is in gzip format.
    pub is_gzip: bool,
    /// The size of the chunk that began last.
    pub chunk_size: u64,
    /// Bytes of the body so far, without the framing.
    pub body_bytes: u64,
}

impl WireParser {
    /// A parser of requests.
    pub fn for_requests() -> WireParser {
        WireParser::default()
    }

    /// A parser of responses.
    pub fn for_responses() -> WireParser {
        WireParser { is_response: true, ..WireParser::default() }
    }

    /// The path of a request, as the client sent it; empty before its request line is complete. The target can be a whole
    /// URL (RFC 9112, section 3.2).
    pub fn path(&self) -> &[u8] {
        path_of(self.start_line().nth(1).unwrap_or_default())
    }

    /// The words of the start line; none before it is complete, or if it is malformed.
    pub fn start_line(&self) -> impl Iterator<Item = &[u8]> {
        self.start_line.split(|&byte| byte == b' ')
    }

    /// Whether the head is complete.
    pub fn has_head(&self) -> bool {
        !matches!(self.state, State::StartLine | State::Fields | State::Malformed)
    }

    /// Whether the message is complete. The end of a body that ends with the connection is never known.
    pub fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// Whether the body ends when the connection is closed.
    pub fn ends_with_connection(&self) -> bool {
        self.state == State::Content && self.content_length.is_none()
    }

    /// Takes the next piece from the front of `bytes`. `None` when they are used up; the start of a request's line waits for
    /// its end.
    pub fn next_piece<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<(PieceKind, Cow<'a, [u8]>)> {
        while !bytes.is_empty() {
            let (kind, length) = self.take_piece(bytes);
            let (piece, rest) = bytes.split_at(length);
            *bytes = rest;
            if self.is_response {
                return Some((kind, piece.into()));
            }
            self.unreported.extend_from_slice(piece);
            if self.line.is_empty() {
                return Some((kind, std::mem::take(&mut self.unreported).into()));
            }
        }
        None
    }

    /// Removes and returns the start of a request's line that was not completed, and so not reported.
    pub fn take_incomplete_line(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.unreported)
    }

    /// The kind and the length of the piece that `bytes` begin with.
    fn take_piece(&mut self, bytes: &[u8]) -> (PieceKind, usize) {
        match self.state {
            State::ChunkData => (PieceKind::ChunkData, self.take_data(bytes, State::ChunkEnd)),
            State::Content => (PieceKind::Content, self.take_data(bytes, State::Complete)),
            State::Malformed => (PieceKind::Malformed, bytes.len()),
            State::Complete => {
                let WireParser { is_response, head_only, .. } = *self;
                *self = WireParser { is_response, head_only, ..WireParser::default() };
                self.take_line(bytes)
            }
            _ => self.take_line(bytes),
        }
    }

    fn take_data(&mut self, bytes: &[u8], next: State) -> usize {
        let length = self.remaining.min(bytes.len() as u64);
        self.body_bytes += length;
        self.remaining -= length;
        if self.remaining == 0 {
            self.state = next;
        }
        length as usize
    }

    /// Takes a line, or as much of it as there is.
    fn take_line(&mut self, bytes: &[u8]) -> (PieceKind, usize) {
        let line_feed = bytes.iter().position(|&byte| byte == b'\n');
        let length = line_feed.map_or(bytes.len(), |at| at + 1);
        if self.line.len() + length > MAX_LINE {
            self.line.clear();
            return (self.malformed(), length);
        }
        self.line.extend_from_slice(&bytes[..length]);
        if line_feed.is_none() {
            return (self.kind_of_incomplete_line(), length);
        }
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let kind = if text.is_empty() { self.end_empty_line() } else { self.end_line(text) };
        (kind, length)
    }

    /// The most likely kind of a line that has not ended.
    fn kind_of_incomplete_line(&self) -> PieceKind {
        match self.state {
            State::StartLine => self.kind_of_start_line(),
            State::ChunkSize => PieceKind::ChunkSize,
            State::ChunkEnd => PieceKind::Crlf,
            State::Trailer => PieceKind::TrailerField,
            _ => PieceKind::FieldLine,
        }
    }

    fn kind_of_start_line(&self) -> PieceKind {
        if self.is_response {
            PieceKind::StatusLine
        } else {
            PieceKind::RequestLine
        }
    }

    fn end_empty_line(&mut self) -> PieceKind {
        match self.state {
            State::StartLine => PieceKind::EmptyLine,
            State::Fields => {
                self.state = self.state_after_head();
                PieceKind::EmptyLine
            }
            State::ChunkEnd => {
                self.state = State::ChunkSize;
                PieceKind::Crlf
            }
            State::Trailer => {
                self.state = State::Complete;
                PieceKind::Crlf
            }
            _ => self.malformed(),
        }
    }

    fn end_line(&mut self, line: &[u8]) -> PieceKind {
        match self.state {
            State::StartLine => self.end_start_line(line),
            State::Fields => self.end_field_line(line),
            State::ChunkSize => self.end_chunk_size(line),
            State::Trailer => PieceKind::TrailerField,
            _ => self.malformed(),
        }
    }

    fn end_start_line(&mut self, line: &[u8]) -> PieceKind {
        let is_valid = if self.is_response { line.starts_with(b"HTTP/") } else { is_request_line(line) };
        if !is_valid {
            return self.malformed();
        }
        self.start_line = line.to_vec();
        self.state = State::Fields;
        self.kind_of_start_line()
    }

    fn end_field_line(&mut self, line: &[u8]) -> PieceKind {
        let field = match FieldLine::parse(line) {
            Ok(field) => field,
            Err(_) => return PieceKind::Malformed,
        };
        if field.is("transfer-encoding") {
            self.is_chunked = list_members(field.value).any(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        } else if field.is("content-length") {
            self.content_length = std::str::from_utf8(field.value).ok().and_then(|value| value.parse().ok());
        } else if field.is("content-encoding") {
            self.is_gzip = field.value.eq_ignore_ascii_case(b"gzip");
        } else if field.is("content-type") {
            self.is_event_stream = is_event_stream(field.value);
        }
        PieceKind::FieldLine
    }

    /// How the body is framed (RFC 9112, section 6.3).
    fn state_after_head(&mut self) -> State {
        let status = self.start_line().nth(1).unwrap_or_default().to_vec();
        self.is_event_stream &= status == b"200";
        // After an interim response (1xx), the final one follows.
        let is_interim = self.is_response && status.starts_with(b"1");
        if is_interim || self.head_only || status == b"204" || status == b"304" {
            return State::Complete;
        }
        if self.is_chunked {
            return State::ChunkSize;
        }
        let length_without_field = if self.is_response { u64::MAX } else { 0 };
        self.remaining = self.content_length.unwrap_or(length_without_field);
        if self.remaining == 0 {
            State::Complete
        } else {
            State::Content
        }
    }

    fn end_chunk_size(&mut self, line: &[u8]) -> PieceKind {
        let size = match parse_chunk_size(line) {
            Ok(size) => size,
            Err(_) => return self.malformed(),
        };
        if size == 0 {
            self.state = State::Trailer;
            return PieceKind::LastChunk;
        }
        self.chunk_size = size;
        self.remaining = size;
        self.state = State::ChunkData;
        PieceKind::ChunkSize
    }

    fn malformed(&mut self) -> PieceKind {
        self.state = State::Malformed;
        PieceKind::Malformed
    }
}

#[cfg(test)]
mod tests;
