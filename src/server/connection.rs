//! Serves one client, on the client's own thread: reads a request, finds the script that answers it, plays the script, and
//! goes on with the next request on the same connection until one side closes it.

use super::clock::ClientClock;
use super::internal::{self, Reply};
use super::journal::RecordedRequest;
use super::responses;
use super::shared::Shared;
use super::socket::{self, Deadline, Incoming, Outgoing, ReceiveError, BODY_TIME, HEAD_TIME, IDLE_TIME};
use crate::http::body::BodyReader;
use crate::http::chunk::ChunkedWriter;
use crate::http::request::{HeadReader, Request};
use crate::http::response::{Response, ResponseOptions, StreamHead};
use crate::http::AfterResponse;
use crate::script::catalogue::Found;
use crate::script::context::RequestContext;
use crate::script::play::Player;
use crate::script::Script;
use crate::trace::Tap;
use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::Instant;

/// Which client this is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    /// The number of its connection, from 1.
    pub number: u64,
    /// When its connection was accepted.
    pub accepted_at: Instant,
}

/// Serves a client until its connection ends. The first head must arrive within [`HEAD_TIME`] after the connection was
/// accepted.
///
/// # Errors
/// The connection broke. That is an ordinary end: clients come and go.
pub(super) fn serve(stream: &TcpStream, client: Client, shared: &Shared) -> io::Result<()> {
    let tap = Tap::new(&shared.trace, stream, client.number, client.accepted_at);
    socket::prepare(stream)?;
    let incoming = Incoming::new(stream, &tap);
    let ip = stream.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
    let mut connection =
        Connection { stream, shared, tap: &tap, incoming, ip, options: ResponseOptions::default() };
    let mut deadline = Deadline::At(client.accepted_at + HEAD_TIME);
    loop {
        let received = connection.receive(deadline);
        match connection.respond(received)? {
            AfterResponse::KeepAlive => deadline = Deadline::Idle { first_byte: IDLE_TIME, rest: HEAD_TIME },
            AfterResponse::Close => break,
            // The last bytes of the request are still unread, so closing the socket sends a TCP reset.
            AfterResponse::Reset => return Ok(()),
        }
    }
    connection.incoming.close();
    Ok(())
}

/// A request with its body, or `None` when the client sends no more.
type Received = Result<Option<(Request, Vec<u8>)>, ReceiveError>;

struct Connection<'a> {
    stream: &'a TcpStream,
    shared: &'a Shared,
    tap: &'a Tap<'a>,
    incoming: Incoming<'a>,
    ip: IpAddr,
    /// The options of the request that is being received or answered.
    options: ResponseOptions,
}

impl Connection<'_> {
    fn out(&self) -> Outgoing<'_> {
        Outgoing::new(self.stream, self.tap)
    }

    /// Receives a request with its whole body.
    ///
    /// Neither this method nor `respond` is inlined, so that they use the same part of the stack one after the other: a
    /// page less for each of thousands of clients.
    #[inline(never)]
    fn receive(&mut self, deadline: Deadline) -> Received {
        let mut head = HeadReader::default();
        let received = self.incoming.receive(deadline, &mut |bytes| head.push(bytes));
        self.options = head.response_options();
        match received {
            Err(ReceiveError::Closed) if head.is_empty() => return Ok(None),
            Err(ReceiveError::TimedOut) if head.is_empty() && deadline.is_idle() => return Ok(None),
            received => received?,
        }
        let request = head.finish().map_err(ReceiveError::Invalid)?;
        let body = self.receive_body(&request)?;
        Ok(Some((request, body)))
    }

    /// Receives the body, and keeps it if the script or the journal needs it.
    fn receive_body(&mut self, request: &Request) -> Result<Vec<u8>, ReceiveError> {
        let mut reader = BodyReader::new(request.body);
        let mut body = Vec::new();
        if reader.is_empty() {
            return Ok(body);
        }
        if request.expects_continue() {
            self.out().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let script_wants_it = matches!(self.find(request), Found::Script(script) if script.uses_body());
        let keeps = script_wants_it || self.shared.journal.is_on();
        self.incoming.receive(Deadline::At(Instant::now() + BODY_TIME), &mut |bytes| {
            reader.push(bytes, &mut |data| {
                if keeps {
                    body.extend_from_slice(data);
                }
            })
        })?;
        Ok(body)
    }

    #[inline(never)]
    fn respond(&self, received: Received) -> io::Result<AfterResponse> {
        let end = match received {
            _ if self.shared.is_stopping() => Ok(AfterResponse::Close),
            Ok(Some((request, body))) => self.respond_to(&request, &body),
            Ok(None) => Ok(AfterResponse::Close),
            Err(error) => self.respond_to_error(error),
        };
        self.tap.ended(&end);
        end
    }

    /// Responds to something that is not an acceptable request. Nothing after it on the connection can be understood.
    fn respond_to_error(&self, error: ReceiveError) -> io::Result<AfterResponse> {
        let options = ResponseOptions { close: true, ..self.options };
        self.out().write_all(&Response::error(&error.into_request_error()?).to_bytes(options))?;
        Ok(AfterResponse::Close)
    }

    fn respond_to(&self, request: &Request, body: &[u8]) -> io::Result<AfterResponse> {
        let found = self.find(request);
        if let Found::Nothing = found {
            match internal::reply(request, self.shared, self.stream, self.options) {
                Some(Reply::Response(response)) => return self.send(&response),
                Some(Reply::Wire(head, subscription)) => {
                    return self.stream(head, |head, body, clock| {
                        internal::send_wire(&subscription, head, body, clock)
                    });
                }
                None => {}
            }
        }
        self.shared.journal.add(|| RecordedRequest::new(request, body));
        match found {
            Found::Script(script) => self.play(script, request, body),
            Found::Methods(methods) => {
                self.send(&responses::method_not_allowed(request, self.options, &methods))
            }
            Found::Nothing => {
                self.send(&responses::not_found(request, self.options, &self.shared.catalogue.routes()))
            }
        }
    }

    fn find(&self, request: &Request) -> Found<'_> {
        self.shared.catalogue.find(request.method(), request.path(), request.query())
    }

    /// Plays the part of a script that answers the request.
    fn play(&self, script: &Script, request: &Request, body: &[u8]) -> io::Result<AfterResponse> {
        let open_clients = &self.shared.open_clients;
        let mut context = RequestContext { request, body, ip: self.ip, connection: 1, open_clients };
        // A HEAD request does not play the script, so it does not count.
        if !self.options.head_only {
            context.connection = script.route.next_number(&context);
        }
        let part = match script.part(context) {
            Some(part) => part,
            None => return self.send(&responses::no_part()),
        };
        let start = match part.start(context) {
            Some(start) => start,
            None => return self.send(&responses::no_content()),
        };
        let head = match part.response_head(context, self.options) {
            Ok(head) => head,
            Err(reason) => return self.send(&responses::invalid_value(&reason)),
        };
        self.stream(head, |head, body, clock| {
            Player::new(context, head, body, clock, self.shared.timing).play(part, start)
        })
    }

    /// Sends a response that is not a stream.
    fn send(&self, response: &Response) -> io::Result<AfterResponse> {
        self.out().write_all(&response.to_bytes(self.options))?;
        Ok(close_if(self.options.close, AfterResponse::KeepAlive))
    }

    /// Sends a stream: the head, and the body that `play` writes.
    fn stream(
        &self,
        head: StreamHead,
        play: impl FnOnce(Vec<u8>, ChunkedWriter<Outgoing<'_>>, ClientClock<'_>) -> io::Result<AfterResponse>,
    ) -> io::Result<AfterResponse> {
        if self.options.head_only {
            self.out().write_all(&head.bytes)?;
            return Ok(close_if(head.close, AfterResponse::KeepAlive));
        }
        let body = ChunkedWriter::new(self.out(), head.framing);
        let clock = ClientClock::new(self.stream, self.shared, self.tap);
        match play(head.bytes, body, clock) {
            Ok(end) => Ok(close_if(head.close, end)),
            // The server itself ended the stream: that looks like `@drop`.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => Ok(AfterResponse::Close),
            Err(error) => Err(error),
        }
    }
}

/// What becomes of the connection when the response may have asked to close it.
fn close_if(close: bool, end: AfterResponse) -> AfterResponse {
    if close && end == AfterResponse::KeepAlive {
        AfterResponse::Close
    } else {
        end
    }
}
