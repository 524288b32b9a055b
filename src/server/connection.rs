//! Receives one client's requests and sends the answers, on a thread of its own: reads a request, finds its script,
//! plays it, and goes on with the next request of the same connection until one side has had enough.

use crate::http::body::BodyReader;
use crate::http::chunk::{ChunkedWriter, Framing};
use crate::http::field::{is_same, says_close};
use crate::http::request::{HeadReader, Request, Version};
use crate::http::response::{Answer, Head, RequestError, ResponseOptions, Status};
use crate::http::AfterResponse;
use crate::script::catalogue::Found;
use crate::script::context::RequestContext;
use crate::script::head::{render_value, HeadField, StatusLine};
use crate::script::play::Player;
use crate::script::{BodyFraming, Ending, Part, Script};
use crate::server::clock::ClientClock;
use crate::server::internal::{self, Own};
use crate::server::journal::RecordedRequest;
use crate::server::shared::Shared;
use crate::server::socket::{self, Due, Incoming, Outgoing, ReceiveError, BODY_TIME, HEAD_TIME, IDLE_TIME};
use crate::trace::observers::Subscription;
use crate::trace::Tap;
use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Instant, SystemTime};

/// Serves one client until its connection ends. Its first head is due [`HEAD_TIME`] after `accepted`.
///
/// # Errors
/// What the connection said when it broke. That is an ordinary end: clients come and go.
pub fn serve(stream: &TcpStream, accepted: Instant, site: &Shared) -> io::Result<()> {
    let tap = Tap::new(&site.watchers, stream, accepted);
    socket::prepare(stream)?;
    let incoming = Incoming::new(stream, &tap);
    let ip = stream.peer_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |address| address.ip());
    let mut client = Client { stream, ip, site, tap: &tap, incoming, options: ResponseOptions::default() };
    let mut due = Due::Whole(accepted + HEAD_TIME);
    let end = loop {
        let received = client.request(due);
        match client.answer(received)? {
            AfterResponse::KeepAlive => due = Due::Begin { first: IDLE_TIME, rest: HEAD_TIME },
            end => break end,
        }
        // Whoever reads the answer may be waiting for this processor, and whoever is served next. With 200 clients that ask
        // again at once, giving them a turn makes a sixth more answers a second.
        thread::yield_now();
    };
    // A socket closed with unread request bytes sends a reset; those of the last request are unread still.
    if end == AfterResponse::Close {
        client.incoming.close();
    }
    Ok(())
}

/// A request with its body, or `None` when the client sends no more.
type Received = Result<Option<(Request, Vec<u8>)>, ReceiveError>;

struct Client<'a> {
    stream: &'a TcpStream,
    /// The client's address; 0.0.0.0 when it has gone already.
    ip: IpAddr,
    site: &'a Shared,
    tap: &'a Tap<'a>,
    incoming: Incoming<'a>,
    /// Those of the request that is being read or answered.
    options: ResponseOptions,
}

impl Client<'_> {
    fn out(&self) -> Outgoing<'_> {
        Outgoing::new(self.stream, self.tap)
    }

    fn clock(&self) -> ClientClock<'_> {
        ClientClock::new(self.stream, &self.site.state, self.tap)
    }

    /// A request with its body read to the end. Neither this nor `answer` is inlined, so that reading and answering take
    /// their parts of the stack one after the other.
    #[inline(never)]
    fn request(&mut self, due: Due) -> Received {
        let mut head = HeadReader::default();
        let received = self.incoming.receive(due, &mut |bytes| head.push(bytes));
        self.options = head.options();
        match (received, due) {
            // An empty line after a request is no beginning of another.
            (Err(ReceiveError::Closed), _) if head.is_empty() => return Ok(None),
            (Err(ReceiveError::TimedOut), Due::Begin { .. }) if head.is_empty() => return Ok(None),
            (outcome, _) => outcome?,
        }
        let request = head.finish().map_err(ReceiveError::Refused)?;
        let body = self.read_body(&request)?;
        Ok(Some((request, body)))
    }

    /// Reads the body, and keeps it if the script that answers asks for it.
    fn read_body(&mut self, request: &Request) -> Result<Vec<u8>, ReceiveError> {
        let mut body = BodyReader::new(request.body);
        let mut kept = Vec::new();
        if body.is_empty() {
            return Ok(kept);
        }
        if request.expects_continue() {
            self.out().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let is_asked_for = matches!(self.find(request), Found::Script(script) if script.uses_body());
        let keeps = is_asked_for || self.site.journal.is_some();
        self.incoming.receive(Due::Whole(Instant::now() + BODY_TIME), &mut |bytes| {
            body.push(bytes, &mut |data| {
                if keeps {
                    kept.extend_from_slice(data);
                }
            })
        })?;
        Ok(kept)
    }

    fn find(&self, request: &Request) -> Found<'_> {
        self.site.catalogue.find(request.method(), request.path(), request.query())
    }

    #[inline(never)]
    fn answer(&self, received: Received) -> io::Result<AfterResponse> {
        let end = match received {
            _ if self.site.state.stop.load(Ordering::Relaxed) => Ok(AfterResponse::Close),
            Ok(Some((request, body))) => self.respond(&request, &body),
            Ok(None) => Ok(AfterResponse::Close),
            Err(error) => self.refuse(error),
        };
        self.tap.ended(&end);
        end
    }

    /// Answers what is no request, after which the connection is of no more use.
    fn refuse(&self, error: ReceiveError) -> io::Result<AfterResponse> {
        let error = match error {
            ReceiveError::Refused(error) => error,
            ReceiveError::TimedOut => {
                RequestError::new(Status::REQUEST_TIMEOUT, "the request took longer than 10 s")
            }
            ReceiveError::Closed => RequestError::bad("the request ended in the middle"),
            ReceiveError::Io(error) => return Err(error),
        };
        let options = ResponseOptions { close: true, ..self.options };
        self.out().write_all(&Answer::error(&error).to_bytes(options))?;
        Ok(AfterResponse::Close)
    }

    fn respond(&self, request: &Request, body: &[u8]) -> io::Result<AfterResponse> {
        let found = self.find(request);
        if let Found::Nothing = found {
            match internal::answer(request, self.site, self.stream) {
                Some(Own::Answer(answer)) => return self.short(&answer),
                Some(Own::Wire(subscription)) => return self.show_wire(request, &subscription),
                None => {}
            }
        }
        if let Some(journal) = &self.site.journal {
            journal.add(recorded(request, body));
        }
        match found {
            Found::Script(script) => self.stream(script, request, body),
            Found::Methods(methods) => self.short(&self.not_this_way(request, &methods)),
            Found::Nothing => self.short(&self.not_here(request)),
        }
    }

    /// The answer to a request for a path that answers others only.
    fn not_this_way(&self, request: &Request, methods: &[&str]) -> Answer {
        match request.method() {
            "OPTIONS" if self.options.cors => preflight(request, methods),
            "OPTIONS" => Answer::options(methods),
            _ => Answer::method_not_allowed(methods),
        }
    }

    /// The answer to a request for a path that there is not.
    fn not_here(&self, request: &Request) -> Answer {
        match request.method() {
            // A page is to see the 404 that follows, not a failed preflight.
            "OPTIONS" if self.options.cors => preflight(request, &["GET"]),
            "OPTIONS" if request.path() == b"*" => Answer::options(&["GET"]),
            _ => Answer::not_found(&self.site.catalogue.routes()),
        }
    }

    /// Streams what is to be seen of other connections.
    fn show_wire(&self, request: &Request, subscription: &Subscription<'_>) -> io::Result<AfterResponse> {
        let framing = match request.version() {
            Version::Http11 => Framing::Chunked,
            Version::Http10 => Framing::UntilClose,
        };
        let head = internal::wire_head(framing, self.options.close);
        let end = if self.options.close { AfterResponse::Close } else { AfterResponse::KeepAlive };
        match self.options.head_only {
            true => self.out().write_all(&head).map(|()| end),
            false => {
                let body = ChunkedWriter::new(self.out(), framing);
                ended_by_us(internal::show_wire(subscription, head, body, self.clock()).map(|()| end))
            }
        }
    }

    /// Sends an answer that is no stream.
    fn short(&self, answer: &Answer) -> io::Result<AfterResponse> {
        self.out().write_all(&answer.to_bytes(self.options))?;
        Ok(if self.options.close { AfterResponse::Close } else { AfterResponse::KeepAlive })
    }

    /// Answers with a script.
    fn stream(&self, script: &Script, request: &Request, body: &[u8]) -> io::Result<AfterResponse> {
        let open_clients = &self.site.state.open;
        let mut context = RequestContext { request, body, ip: self.ip, connection: 1, open_clients };
        // A HEAD request does not start the script, so it does not count.
        if !self.options.head_only {
            context.connection = script.route.next_number(context);
        }
        let part = match script.part(context) {
            Some(part) => part,
            None => return self.short(&Answer::no_part()),
        };
        let start = match part.start(context) {
            Some(start) => start,
            None => return self.short(&Answer::no_content()),
        };
        let head = match self.head(part, context) {
            Ok(head) => head,
            Err(why) => return self.short(&Answer::bad_value(&why)),
        };
        let end = match self.options.head_only {
            true => self.out().write_all(&head.bytes).map(|()| AfterResponse::KeepAlive)?,
            false => {
                let body = ChunkedWriter::new(self.out(), head.framing);
                let player = Player::new(context, head.bytes, body, self.clock(), self.site.timing);
                ended_by_us(player.play(part, start))?
            }
        };
        Ok(if end == AfterResponse::KeepAlive && head.closes { AfterResponse::Close } else { end })
    }

    /// The head of a part's answer, or what the request made of it that cannot be sent.
    fn head(&self, part: &Part, context: RequestContext<'_>) -> Result<StreamHead, String> {
        part.check_waits(context)?;
        let StatusLine { status, reason } = part.head.status_line(context)?;
        let framing =
            if status.has_no_body() { Framing::Empty } else { framing(part, context.request.version()) };
        let mut closes = self.options.close || part.ending == Ending::Close || framing == Framing::UntilClose;
        let mut head = Head::new(status, reason.as_deref().unwrap_or_else(|| status.reason().as_bytes()));
        for field in part.head.fields() {
            match field {
                HeadField::Framing if status.has_no_body() => {}
                HeadField::Framing => head.framing(framing),
                HeadField::Date => head.date(),
                HeadField::Cors => self.options.add_cors(&mut head),
                HeadField::Connection if closes => head.field("connection", b"close"),
                HeadField::Connection => {}
                HeadField::Line(name, value) => {
                    let value = render_value(name, value, context)?;
                    closes |= is_same(name.as_bytes(), b"connection") && says_close(&value);
                    head.field(name, &value);
                }
            }
        }
        Ok(StreamHead { bytes: head.end(), framing, closes })
    }
}

/// The head of a script's answer, and what it says of what follows.
struct StreamHead {
    bytes: Vec<u8>,
    /// How the end of the body is marked.
    framing: Framing,
    /// The connection ends after the body.
    closes: bool,
}

fn preflight(request: &Request, methods: &[&str]) -> Answer {
    Answer::preflight(methods, request.field("access-control-request-headers"))
}

/// A stream that the server itself broke off ends as one with `@drop` does.
fn ended_by_us(end: io::Result<AfterResponse>) -> io::Result<AfterResponse> {
    match end {
        Err(error) if error.kind() == ErrorKind::ConnectionAborted => Ok(AfterResponse::Close),
        end => end,
    }
}

fn recorded(request: &Request, body: &[u8]) -> RecordedRequest {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let mut headers = Vec::new();
    for line in request.field_lines() {
        headers.push((line.name.to_owned(), text(line.value)));
    }
    RecordedRequest {
        time: SystemTime::now(),
        method: request.method().to_owned(),
        target: text(request.target()),
        headers,
        body: body.to_vec(),
    }
}

fn framing(part: &Part, version: Version) -> Framing {
    match (part.framing, version) {
        (BodyFraming::Length(length), _) => {
            Framing::Length(length.or_else(|| part.body_length()).unwrap_or(0))
        }
        (BodyFraming::Close, _) => Framing::UntilClose,
        (BodyFraming::Chunked, _) if !part.has_body() => Framing::Empty,
        (BodyFraming::Chunked, Version::Http11) => Framing::Chunked,
        (BodyFraming::Chunked, Version::Http10) => Framing::UntilClose,
    }
}
