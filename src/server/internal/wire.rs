//! Sends observers what goes over other connections: the event stream at `/-/wire/PATH`.

use crate::http::chunk::{ChunkedWriter, Framing};
use crate::http::request::{Request, Version};
use crate::http::response::{ResponseHead, ResponseOptions, StreamHead};
use crate::http::status::Status;
use crate::http::AfterResponse;
use crate::script::play::clock::Clock;
use crate::trace::observers::Subscription;
use std::io::{self, Write};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// After this time without an event, an observer is sent a comment: only a write shows that a client has left.
const SILENCE: Duration = Duration::from_secs(1);

/// What the body begins with. After the server was restarted, an observer is back before the clients it observes, which
/// wait for seconds.
const START: &str = "retry: 100\n: what goes over the wire\n\n";

/// The head of a response that is a stream.
pub fn head(request: &Request, options: ResponseOptions, content_type: &[u8]) -> StreamHead {
    let framing = match request.version() {
        Version::Http11 => Framing::Chunked,
        Version::Http10 => Framing::UntilClose,
    };
    let mut head = ResponseHead::new(Status::OK, b"OK");
    head.framing(framing);
    head.field("cache-control", b"no-store");
    head.field("content-type", content_type);
    head.date();
    head.connection(options.close);
    StreamHead { bytes: head.finish(), framing, close: options.close }
}

/// Sends the events of a subscription until the observer leaves, or reads too slowly.
///
/// # Errors
/// The observer has left, or the server stops.
pub fn send(
    subscription: &Subscription<'_>,
    head: Vec<u8>,
    mut body: ChunkedWriter<impl Write>,
    mut clock: impl Clock,
) -> io::Result<AfterResponse> {
    body.write_head(head)?;
    body.write_all(START.as_bytes())?;
    loop {
        body.flush()?;
        clock.check()?;
        match subscription.events.recv_timeout(SILENCE) {
            Ok(event) => body.write_all(event.as_bytes())?,
            Err(RecvTimeoutError::Timeout) => body.write_all(b": still here\n\n")?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
        // Events that are there together leave together.
        while let Ok(event) = subscription.events.try_recv() {
            body.write_all(event.as_bytes())?;
        }
    }
    body.finish(b"")?;
    Ok(AfterResponse::KeepAlive)
}
