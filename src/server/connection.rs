//! Serves one client, on the client's own thread: reads a request, finds the script that answers it, plays the script, and
//! goes on with the next request on the same connection until one side closes it.
//!
//! For `GET /events`:
//!
//! ```text
//! serve
//! ├─ receive                           HeadReader: GET /events HTTP/1.1 …
//! ├─ respond → respond_to              catalogue: the script for /events
//! │  └─ play → play_part               which part, from which step, with which head
//! │     └─ stream_part → send_stream
//! │        └─ Player::play             head, chunks, sleeps, 0\r\n\r\n
//! └─ wait_for_request                  KeepAlive: the same again
//! ```
//!
//! `connection/receive.rs` receives a request with its body. Requests that no script answers are handled in
//! `connection/without_script.rs`, and parameters that change a script in `connection/parameters.rs`. `connection/journaled.rs`
//! tells the journal what happens, `connection/judged.rs` the judge, and a [`Tap`] the trace.

mod journaled;
mod judged;
mod parameters;
mod receive;
mod without_script;

use super::body::Body;
use super::clock::ClientClock;
use super::responses;
use super::shared::{Client, Shared};
use super::socket::{self, Incoming, Outgoing, ReceiveError, HEAD_TIME};
use super::stream_control::StreamControl;
use crate::http::chunk::{ChunkedWriter, Framing};
use crate::http::request::Request;
use crate::http::response::{ResponseOptions, StreamHead};
use crate::http::short_response::Response;
use crate::http::uri::percent_decode;
use crate::http::AfterResponse;
use crate::judge::verdicts::Verdicts;
use crate::script::catalogue::{Catalogue, Found};
use crate::script::context::RequestContext;
use crate::script::play::Player;
use crate::script::random::Random;
use crate::script::resume::Position;
use crate::script::{Ending, Part, Script};
use crate::trace::tap::Tap;
use journaled::Journaled;
use std::cell::Cell;
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

/// Serves a client until its connection ends. A head must be complete within [`HEAD_TIME`] after the connection was accepted,
/// or after the first byte of a later request.
///
/// # Errors
/// The connection broke.
pub(super) fn serve(stream: &TcpStream, client: Client, shared: &Shared) -> io::Result<()> {
    let tap = Tap::new(&shared.trace, stream, client.number, client.accepted_at);
    socket::prepare(stream)?;
    let mut connection = Connection::new(stream, client, shared, &tap);
    let mut head_deadline = client.accepted_at + HEAD_TIME;
    loop {
        let received = connection.receive(head_deadline);
        match connection.respond(received)? {
            AfterResponse::KeepAlive => {}
            AfterResponse::Close => break,
            // Closing a socket with unread bytes sends a TCP reset. `stream_part` has left the last bytes of the request
            // unread for this.
            AfterResponse::Reset => return Ok(()),
        }
        // False when the client has closed the connection, has been idle for too long, or the server stops.
        if !connection.incoming.wait_for_request()? {
            break;
        }
        connection.is_reused = true;
        head_deadline = Instant::now() + HEAD_TIME;
    }
    connection.close();
    Ok(())
}

/// A request, or `None` if the client closed its side before another one began.
type Received<'a> = Result<Option<CompleteRequest<'a>>, Refused>;

struct CompleteRequest<'a> {
    request: Request,
    body: Body<'a>,
    /// The scripts when the head was received. One of them responds, even if files have changed meanwhile: it has decided
    /// whether the body is kept.
    scripts: Arc<Catalogue>,
}

/// A request that gets an error instead of a script: why, and what was received of it.
struct Refused {
    error: ReceiveError,
    /// `None` if no valid request line was received.
    request: Option<Request>,
}

struct Connection<'a> {
    stream: &'a TcpStream,
    client: Client,
    shared: &'a Shared,
    /// For the trace, the log, the journal and the judge: sees all bytes.
    tap: &'a Tap<'a>,
    journal: Journaled<'a>,
    incoming: Incoming<'a>,
    /// What the current request asks of its response. `receive` sets it, even for an invalid request.
    options: ResponseOptions,
    /// Whether an earlier request came on this connection.
    is_reused: bool,
    /// Whether a request is to stop the server. `close` does that, after the response.
    stops_server: Cell<bool>,
}

impl<'a> Connection<'a> {
    fn new(stream: &'a TcpStream, client: Client, shared: &'a Shared, tap: &'a Tap<'a>) -> Connection<'a> {
        Connection {
            stream,
            client,
            shared,
            tap,
            journal: Journaled::new(&shared.journal),
            incoming: Incoming::new(stream, tap),
            options: ResponseOptions::default(),
            is_reused: false,
            stops_server: Cell::new(false),
        }
    }

    fn out(&self) -> Outgoing<'_> {
        Outgoing::new(self.stream, self.tap)
    }

    #[inline(never)]
    fn respond(&self, received: Received) -> io::Result<AfterResponse> {
        self.tap.responds(self.options.head_only);
        let after = match received {
            // Even a valid request gets no response once the server stops.
            _ if self.shared.is_stopping() => Ok(AfterResponse::Close),
            Ok(Some(CompleteRequest { request, body, scripts })) => self.respond_to(&request, body, &scripts),
            Ok(None) => Ok(AfterResponse::Close),
            Err(refused) => self.refuse(refused),
        };
        self.journal.response_ended(self.tap.ended(&after));
        after
    }

    /// Plays the test case or the script that answers the request; otherwise, responds with one of the server's own pages,
    /// or with an error.
    fn respond_to(&self, request: &Request, body: Body, scripts: &Catalogue) -> io::Result<AfterResponse> {
        if let Some(run) = self.shared.judge.run_at(request.path()) {
            return self.play_case(&run, request, body.bytes());
        }
        self.journal.request_received(request, body.bytes());
        let verdicts = &self.shared.verdicts;
        match self.find(scripts, request) {
            Found::Script(script) => {
                // A stream can last for hours. A body that the script does not use must not take up memory until then.
                let body = Some(body).filter(|_| script.uses_body());
                let bytes = body.as_ref().map_or(&b""[..], Body::bytes);
                self.play(script, scripts, request, bytes, verdicts)
            }
            Found::Methods(methods) => self.respond_without_script(request, body.bytes(), methods),
            Found::Nothing => self.respond_without_script(request, body.bytes(), Vec::new()),
        }
    }

    /// Changes the script as the query says, counts the request, and plays the script. A HEAD request is not counted.
    /// `verdicts` collects the outcomes of `@expect`.
    fn play(
        &self,
        script: &Script,
        scripts: &Catalogue,
        request: &Request,
        body: &[u8],
        verdicts: &Verdicts,
    ) -> io::Result<AfterResponse> {
        let random = Random::new(self.shared.seed, 1);
        let context = self.uncounted_context(request, body, scripts, &random);
        let changed = match self.changed_script(script, request) {
            Ok(changed) => changed,
            Err(reason) => return self.send_invalid_value(&reason),
        };
        let played = changed.as_deref().unwrap_or(script);
        // A HEAD request gets the head of the first response, and is not counted.
        if self.options.head_only {
            return self.play_part(played, context, verdicts);
        }
        self.tap.begins(&played.name, played.lines_before());
        // `@part connection 2` means the second request to the script, not the second TCP connection.
        let visit = script.route.count(context);
        let random = Random::new(self.shared.seed, visit.number);
        self.play_part(played, context.counted(&visit, &random), verdicts)
    }

    /// What a script can know of a request that has not been counted yet. Its number is 1.
    fn uncounted_context<'b>(
        &'b self,
        request: &'b Request,
        body: &'b [u8],
        scripts: &'b Catalogue,
        random: &'b Random,
    ) -> RequestContext<'b> {
        RequestContext {
            request,
            body,
            ip: self.client.ip,
            request_number: 1,
            after: None,
            visit: None,
            open_clients: &self.shared.open_clients,
            other_port: self.shared.ports.other_origin(),
            reuses_connection: self.is_reused,
            scripts: Some(scripts),
            random,
        }
    }

    /// Plays the part of a script that answers the request, from its beginning or from where the client resumes.
    fn play_part(
        &self,
        script: &Script,
        context: RequestContext<'_>,
        verdicts: &Verdicts,
    ) -> io::Result<AfterResponse> {
        // The conditions of `@part` can exclude every part.
        let part = match script.part(context) {
            Some(part) => part,
            None => return self.send(&responses::no_part(), self.options),
        };
        if !part.expectations.is_empty() || part.skip.is_some() {
            self.check_expectations(script, part, context, verdicts);
        }
        // With `@framing length`, the head needs the length of the body, so the body is rendered first.
        let rendered = match part.rendered(context) {
            Ok(rendered) => rendered,
            Err(reason) => return self.send_invalid_value(&reason),
        };
        let part = rendered.as_deref().unwrap_or(part);
        // With `@resume`, a client that has every event gets 204, which tells it not to reconnect.
        let start = match part.start(context) {
            Some(start) => start,
            None => return self.send(&responses::no_content(), self.options),
        };
        let head = match part.response_head(context, self.options) {
            Ok(head) => head,
            Err(reason) => return self.send_invalid_value(&reason),
        };
        self.stream_part(part, start, head, context)
    }

    /// Sends `head` and plays `part` from `start`, as a stream that tests can control.
    fn stream_part(
        &self,
        part: &Part,
        start: Position,
        head: StreamHead,
        context: RequestContext<'_>,
    ) -> io::Result<AfterResponse> {
        if part.ending != Ending::Reset {
            // The clock sees that the client has closed its side only when no received bytes are unread. `@reset` needs
            // unread bytes: closing the socket then sends a TCP reset.
            self.incoming.discard_unread()?;
        }
        let path = percent_decode(context.request.path()).into_owned();
        let has_body = head.framing != Framing::Empty;
        let control = StreamControl::new(path, part.pauses().collect(), has_body);
        let stream = self.shared.connections.open_stream(self.client.number, control);
        self.send_stream(head, &stream.control, |head, body, clock| {
            Player::new(context, head, body, clock, self.shared.speed).play(part, start)
        })
    }

    /// Responds with an error, because a value in the request would make the response invalid. `reason` contains the value,
    /// which can be a secret, so only the response may show it.
    fn send_invalid_value(&self, reason: &str) -> io::Result<AfterResponse> {
        self.tap.rejected("a value that the request sets is invalid; the response says which");
        self.send(&responses::invalid_value(reason), self.options)
    }

    /// Sends a response that is not a stream.
    fn send(&self, response: &Response, options: ResponseOptions) -> io::Result<AfterResponse> {
        self.journal.response_begins();
        self.out().write_all(&response.to_bytes(options))?;
        Ok(close_if(options.close, AfterResponse::KeepAlive))
    }

    /// Sends a stream: `write` writes the head and the body. For a HEAD request, sends the head alone.
    fn send_stream(
        &self,
        head: StreamHead,
        control: &StreamControl,
        write: impl FnOnce(Vec<u8>, ChunkedWriter<Outgoing<'_>>, ClientClock<'_>) -> io::Result<AfterResponse>,
    ) -> io::Result<AfterResponse> {
        self.journal.response_begins();
        if self.options.head_only {
            self.out().write_all(&head.bytes)?;
            return Ok(close_if(head.close, AfterResponse::KeepAlive));
        }
        let body = ChunkedWriter::new(self.out(), head.framing);
        let clock = ClientClock::new(self.stream, control, self.shared, self.tap);
        let end = write(head.bytes, body, clock);
        // However `write` has ended: if the server stops or a test drops the stream, close as `@drop` does.
        if control.is_dropped() {
            self.tap.dropped();
        }
        if self.shared.is_stopping() || control.is_dropped() {
            return Ok(AfterResponse::Close);
        }
        end.map(|after| close_if(head.close, after))
    }

    /// Closes the connection. If a request requires it, stops the server first, and wakes the accepting threads last:
    /// once they have ended, the program can exit.
    fn close(self) {
        if self.incoming.has_ended() && !self.shared.is_stopping() {
            self.tap.client_closed();
        }
        let stops_server = self.stops_server.get();
        if stops_server {
            self.shared.stop(Some(self.client.number));
        }
        // Reads until the client closes too: a reset could destroy the end of the response.
        self.incoming.close();
        if stops_server {
            self.shared.ports.wake();
        }
    }
}

/// `after`, but `Close` instead of `KeepAlive` if `close` is true.
fn close_if(close: bool, after: AfterResponse) -> AfterResponse {
    if close && after == AfterResponse::KeepAlive {
        AfterResponse::Close
    } else {
        after
    }
}
