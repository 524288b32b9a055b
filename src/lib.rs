//! A scripted Server-Sent-Events server: a thread per client, HTTP/1.1 and its chunks written by hand, the standard
//! library alone.
//!
//! What the server sends to `curl -N http://127.0.0.1:8080/events`, and which module sends it:
//!
//! ```text
//! HTTP/1.1 200 OK\r\n                            status line ┐
//! transfer-encoding: chunked\r\n                 field line  │
//! cache-control: no-cache\r\n                    field line  ├ http::response, as script::head wants it
//! content-type: text/event-stream\r\n            field line  │
//! date: Wed, 28 May 2025 07:45:59 GMT\r\n        field line  │ http::date
//! \r\n                                                       ┘
//! 9f\r\n                                         chunk-size  ┐
//! data: YHOO\ndata: +2\ndata: 10\n\n …           chunk-data  ├ http::chunk, cut by script::body
//! \r\n                                                       ┘
//!                                                a second passes: script::play
//! 67\r\nid: 1\nevent: notification\n …\n\n\r\n   a chunk of one event
//! 0\r\n\r\n                                      last-chunk, and the next request can come
//! ```
//!
//! Read the modules in this order:
//!
//! | module | what it does |
//! |---|---|
//! | [`server`] | listens, and serves each client on a thread |
//! | [`script`] | a text file compiled to chunks and waits, and played |
//! | [`http`] | requests in, heads and chunks out |
//! | [`event_source`] | the other end: parses event streams, reconnects |
//! | [`trace`] | shows what goes over the wire |
//! | [`text`] | escaping, strings of JSON, suggestions |

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod event_source;
mod http;
mod script;
mod server;
mod text;
mod trace;

pub use event_source::stream::EventStream;
pub use event_source::{Event, EventSource, Events, ReadyState};
pub use script::units::Speed;
pub use script::Script;
pub use server::{RecordedRequest, RunningServer, Server};
pub use text::error::{Error, ErrorKind};

/// The version of this package. Written out, so that `rustc` can build it without Cargo.
pub const VERSION: &str = "0.1.0";

/// What the project's own tests and tools use beyond the public API. Anything here can change at any time.
#[doc(hidden)]
pub mod internals {
    pub use crate::event_source::url::HttpUrl;
    pub use crate::http::chunk::{ChunkedWriter, Framing};
    pub use crate::http::dechunk::ChunkDecoder;
    pub use crate::http::field::field_lines;
    pub use crate::http::request::{HeadReader, Request};
    pub use crate::http::uri::percent_decode;
    pub use crate::http::Progress;
    pub use crate::script::condition::CONDITIONS;
    pub use crate::script::context::RequestContext;
    pub use crate::script::parse::directions::usages;
    pub use crate::script::play::clock::{Clock, Timing};
    pub use crate::script::play::Player;
    pub use crate::script::template::PLACEHOLDERS;
    pub use crate::script::units::parse_number;
    pub use crate::server::DEFAULT_MAX_CLIENTS;
    pub use crate::text::escape::{escape, for_terminal};
    pub use crate::text::suggest;
}
