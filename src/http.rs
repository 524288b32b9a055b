//! HTTP/1.1 as bytes: requests in, responses out, chunked framing both ways. Nothing here knows of sockets, time or
//! scripts.
//!
//! | module | on the wire |
//! |---|---|
//! | [`field`] | `name: value`, in both directions |
//! | [`request`] | a request's head in |
//! | `request_line` | its first line |
//! | [`body`] | a request body in, to be read past |
//! | [`dechunk`] | chunked framing undone |
//! | [`response`] | status line and field lines out, the answers that are no stream |
//! | [`chunk`] | chunked framing done |
//! | [`date`] | the value of `date` |
//! | [`uri`] | percent-encoding |

pub mod body;
pub mod chunk;
pub mod date;
pub mod dechunk;
pub mod field;
pub mod request;
mod request_line;
pub mod response;
pub mod uri;

/// What becomes of the connection after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterResponse {
    /// It is kept: the response is complete, and another request can follow.
    KeepAlive,
    /// It is closed.
    Close,
    /// It is reset (TCP RST).
    Reset,
}

/// How far a reader that is fed bytes as they arrive has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All bytes belonged to what is being read, and it is not complete.
    More,
    /// It is complete; this many of the bytes fed last belonged to it. The rest is the next request's.
    Done(usize),
}
