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
//! | [`cli`] | reads the command line |
//! | [`server`] | listens, gives each client a seat |
//! | [`crew`] | the threads that serve them |
//! | [`turn_away`] | answers 503 to those there is no room for |
//! | [`connection`] | serves one client: request, script, next request |
//! | [`own_paths`] | the page at `/`, and what is under `/-/` |
//! | [`client_clock`] | the time that passes for one client |
//! | [`site`] | what all clients share |
//! | [`socket`] | the two directions of a TCP connection, and their limits in time |
//! | [`http`] | requests in, heads and chunks out |
//! | [`script`] | a text file compiled to chunks and waits, and played |
//! | [`journal`] | remembers requests |
//! | [`event_source`] | the other end: parses event streams, reconnects |
//! | [`queue`] | from many threads to one |
//! | [`json`] | strings of JSON |
//! | [`trace`] | shows what goes over the wire |
//! | [`threads`] | starts threads |
//! | [`suggest`] | what messages say about a mistyped word |
//! | [`trouble`] | tells of what goes wrong, not too often |

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cli;
pub mod client_clock;
pub mod connection;
pub mod crew;
pub mod event_source;
pub mod http;
pub mod journal;
pub mod json;
pub mod own_paths;
pub mod queue;
pub mod script;
pub mod server;
pub mod site;
pub mod socket;
pub mod suggest;
pub mod threads;
pub mod trace;
pub mod trouble;
pub mod turn_away;

pub use event_source::{Event, EventSource};
pub use journal::{Journal, Recorded};
pub use script::catalogue::Catalogue;
pub use script::Script;
pub use server::{RunningServer, Server};

/// The version of this package. Written out, so that `rustc` can build it without Cargo.
pub const VERSION: &str = "0.1.0";
