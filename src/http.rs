//! HTTP/1.1 as bytes: requests in, responses out, chunked framing both ways. Nothing here knows about sockets, clocks or
//! scripts.
//!
//! | module | what it does |
//! |---|---|
//! | [`request`] | reads the head of a request |
//! | `request_line` | parses its first line |
//! | [`body`] | reads the body of a request |
//! | [`response`] | builds the head of a response |
//! | [`short_response`] | builds whole responses that are not streams |
//! | [`status`] | status codes, and errors that carry one |
//! | [`chunk`] | encodes chunked bodies |
//! | [`dechunk`] | decodes chunked bodies |
//! | [`field`] | parses field lines |
//! | [`media_type`] | the content types of files |
//! | [`gunzip`] | reads gzip that is not compressed |
//! | [`gzip`] | writes gzip without compressing |
//! | [`date`] | formats the value of `date` |
//! | [`uri`] | percent-encoding |

pub mod body;
pub mod chunk;
pub mod date;
pub mod dechunk;
pub mod field;
pub mod gunzip;
pub mod gzip;
pub mod media_type;
pub mod request;
mod request_line;
pub mod response;
pub mod short_response;
pub mod status;
pub mod uri;

/// What a reader reports when it was given the next bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has used all of them and needs more.
    More,
    /// It is complete. This many of the bytes belong to it; the rest belongs to the next request.
    Done(usize),
}

/// What becomes of the connection after a response (RFC 9112, section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterResponse {
    /// The response is complete, and the next request can follow.
    KeepAlive,
    /// The connection is closed.
    Close,
    /// The connection is ended by a TCP reset.
    Reset,
}
