//! A scripted Server-Sent-Events server, for tests of SSE clients. It uses the standard library alone: a thread for each
//! client, and HTTP/1.1 with its chunks written by hand.
//!
//! ```
//! # fn my_client(url: &str) {
//! #     use std::io::{Read, Write};
//! #     let address = url.trim_start_matches("http://").trim_end_matches("/chat");
//! #     let mut stream = std::net::TcpStream::connect(address).unwrap();
//! #     stream.write_all(b"GET /chat HTTP/1.0\r\n\r\n").unwrap();
//! #     stream.read_to_end(&mut Vec::new()).unwrap();
//! # }
//! use rust_sse_server::{Script, Server, Speed};
//!
//! let server = Server::new()
//!     .script(Script::parse("/chat", "id: 1\ndata: hello\n\n@sleep 2s\n@drop\n")?)
//!     .speed(Speed::MAX)
//!     .start("127.0.0.1:0")?;
//!
//! my_client(&server.url("/chat"));
//! assert_eq!(server.requests()[0].header("last-event-id"), None);
//! # Ok::<(), rust_sse_server::Error>(())
//! ```
//!
//! # Scripts
//!
//! A captured event stream is a script: every line is sent as it is. A line that begins with `@` is a direction, which tells
//! the server what to do, such as `@sleep 300ms`, `@status 503`, `@drop` or `@part connection 2`, and known names in `{{ }}`
//! are placeholders. The module [`script_language`] is the reference.
//!
//! # Types
//!
//! - [`Server`] is configured and started; [`RunningServer`] is the handle to a running server, which stops when the
//!   handle is dropped. [`Script`] is what it plays, [`Speed`] how fast, and [`RecordedRequest`] what a client sent.
//! - [`EventSource`] is the other end: a client that reconnects as browsers do. It dispatches [`Event`]s.
//!   [`EventStream`] is its parser alone.
//! - [`Error`] is the error type of all of them; [`ErrorKind`] says what went wrong.
//!
//! # On the wire
//!
//! What the server sends to `curl -N http://127.0.0.1:8080/events`, and the file that sends it:
//!
//! ```text
//! HTTP/1.1 200 OK\r\n                            status line ┐
//! transfer-encoding: chunked\r\n                 field line  │
//! cache-control: no-cache\r\n                    field line  ├ http/response.rs
//! content-type: text/event-stream\r\n            field line  │
//! date: Wed, 28 May 2025 07:45:59 GMT\r\n        field line  │
//! \r\n                                           empty line  ┘
//! 9f\r\n                                         chunk-size  ┐
//! data: YHOO\ndata: +2\ndata: 10\n\n …           chunk-data  ├ http/chunk.rs (nine events, joined by the script)
//! \r\n                                                       ┘
//!                                                a second passes: script/play.rs
//! 67\r\nid: 1\nevent: notification\n …\n\n\r\n   a chunk with one event, as is usual; more follow
//! 0\r\n\r\n                                      last-chunk; the next request can follow
//! ```
//!
//! # Reading the source
//!
//! These six files, in this order, show how a request is served. Time limits are in `server/socket.rs`, due times in
//! `script/play/stream.rs`, and real waits in `server/clock.rs`.
//!
//! 1. `server/accept.rs` accepts connections and spawns a thread for each client.
//! 2. `server/connection.rs` serves one client: request, script, next request.
//! 3. `http/request.rs` reads the head of a request.
//! 4. `http/response.rs` builds the head of a response, line by line; `script/respond.rs` says which lines.
//! 5. `http/chunk.rs` writes chunks.
//! 6. `script/play.rs` plays a script: chunks and waits.
//!
//! Each module imports only from those below it (`event_source` and `script` do not import each other):
//!
//! | module | what it does |
//! |---|---|
//! | `server` | the server: a builder, and the handle to a running server |
//! | `judge` | judges clients: cases, expectations, results |
//! | `trace` | shows what goes over the wire |
//! | `event_source` | the client: parses event streams, reconnects |
//! | `script` | a text file, compiled to chunks and waits, and played |
//! | `http` | requests in, heads and chunks out |
//! | `text` | escaping, JSON, suggestions, errors, and other things that all modules use |

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod event_source;
mod http;
mod judge;
mod script;
mod server;
mod text;
mod trace;

pub use event_source::stream::EventStream;
pub use event_source::{Event, EventSource, Events, ReadyState};
pub use judge::report::Report;
pub use judge::result::{CaseResult, CaseVerdict};
pub use judge::run::CaseRun;
pub use judge::verdicts::Verdict;
pub use script::expectation::{Outcome, OutcomeKind};
pub use script::units::Speed;
pub use script::Script;
pub use server::{ClosedBy, JournalEntry, RecordedEnd, RecordedRequest, RunningServer, Server};
pub use text::error::{Error, ErrorKind};

#[doc = include_str!("script/reference.md")]
pub mod script_language {}

/// The version of this package. Not from `CARGO_PKG_VERSION`, so that `rustc` can build it without Cargo.
pub const VERSION: &str = "0.1.0";

/// What the project's own tests and tools use beyond the public API. Anything here can change at any time.
#[doc(hidden)]
pub mod internals {
    pub use crate::event_source::url::HttpUrl;
    pub use crate::http::body::BodyReader;
    pub use crate::http::chunk::{ChunkedWriter, Framing};
    pub use crate::http::dechunk::ChunkDecoder;
    pub use crate::http::field::{field_lines, is_event_stream, FieldLine};
    pub use crate::http::request::{HeadReader, Request};
    pub use crate::http::uri::percent_decode;
    pub use crate::http::Progress;
    pub use crate::judge::profile::{Profile, Selection};
    pub use crate::script::capture::Capture;
    pub use crate::script::condition;
    pub use crate::script::context::RequestContext;
    pub use crate::script::load::{files_in_folder, read_script};
    pub use crate::script::parse::directions;
    pub use crate::script::placeholder::PLACEHOLDERS;
    pub use crate::script::play::clock::{Clock, WaitFor, Woken};
    pub use crate::script::play::Player;
    pub use crate::script::random::Random;
    pub use crate::script::units::{parse_number, parse_size, parse_time};
    pub use crate::server::{reachable, DEFAULT_MAX_CLIENTS};
    pub use crate::text::escape::{escape, for_terminal};
    pub use crate::text::suggest;
}
