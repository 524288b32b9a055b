//! What the server itself replies, when no script does.

use crate::http::chunk::ChunkedWriter;
use crate::http::response::StreamHead;
use crate::http::short_response::Response;
use crate::http::AfterResponse;
use crate::server::clock::ClientClock;
use crate::server::socket::Outgoing;
use std::io;
use std::time::Duration;

/// After this time without an event, an event stream is sent a comment: only a write shows that a client has left.
pub const SILENCE: Duration = Duration::from_secs(1);
/// That comment.
pub const STILL_HERE: &str = ": still here\n\n";

/// A reply of the server itself.
pub(crate) enum Reply<'a> {
    /// A short response.
    Response(Response),
    /// A stream: its head, and what writes the head and the body.
    Stream(StreamHead, Box<WriteStream<'a>>),
    /// Another reply, after a wait.
    Wait(Box<Wait<'a>>),
    /// A short response, after which the server stops.
    Stop(Response),
}

type WriteStream<'a> =
    dyn FnOnce(Vec<u8>, ChunkedWriter<Outgoing<'_>>, ClientClock<'_>) -> io::Result<AfterResponse> + 'a;
type Wait<'a> = dyn FnOnce(ClientClock<'_>) -> io::Result<Reply<'a>> + 'a;
