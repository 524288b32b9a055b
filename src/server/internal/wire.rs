//! Sends observers what goes over other connections: the event stream at `/-/wire/PATH`.

use super::reply::{SILENCE, STILL_HERE};
use crate::http::chunk::ChunkedWriter;
use crate::http::AfterResponse;
use crate::script::play::clock::Clock;
use crate::trace::observers::Subscription;
use std::io::{self, Write};
use std::sync::mpsc::RecvTimeoutError;

/// What the body begins with. After the server was restarted, an observer is back before the clients it observes, which
/// wait for seconds.
const START: &str = "retry: 100\n: what goes over the wire\n\n";

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
            Err(RecvTimeoutError::Timeout) => body.write_all(STILL_HERE.as_bytes())?,
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
