//! One client's thread: reads a request, finds its script, plays it, and goes on with the next request of the same
//! connection until one side has had enough.

use crate::http::body::BodyReader;
use crate::http::chunk::{ChunkedWriter, Framing};
use crate::http::request::{HeadReader, Request, Version};
use crate::http::response::{Answer, Head, Manners, Refusal, Status};
use crate::script::catalogue::Catalogue;
use crate::script::head::{HeadField, ScriptHead};
use crate::script::play::Player;
use crate::script::time::Speed;
use crate::script::Script;
use crate::socket::{self, ClientClock, Incoming, Outgoing, ReceiveError, BODY_TIME, HEAD_TIME, IDLE_TIME};
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What all clients of a server share.
#[derive(Debug)]
pub struct Site {
    /// What is served.
    pub catalogue: Catalogue,
    /// How fast scripts play.
    pub speed: Speed,
    /// Set when the server stops: streams end at their next wait.
    pub stop: AtomicBool,
}

/// Serves one client until its connection ends.
///
/// # Errors
/// What the connection said when it broke. That is an ordinary end: clients come and go.
pub fn serve(stream: &TcpStream, site: &Site) -> io::Result<()> {
    socket::prepare(stream)?;
    let mut client = Client { stream, site, incoming: Incoming::new(stream) };
    let first = client.first_request();
    let mut next = client.answer(first)?;
    while let Next::Request = next {
        let request = client.next_request();
        next = client.answer(request)?;
    }
    client.incoming.close();
    Ok(())
}

/// Whether the connection can carry another request.
enum Next {
    Request,
    Close,
}

/// A request, or `None` when the client sends no more.
type Received = Result<Option<Request>, ReceiveError>;

struct Client<'a> {
    stream: &'a TcpStream,
    site: &'a Site,
    incoming: Incoming<'a>,
}

impl Client<'_> {
    fn out(&self) -> Outgoing<'_> {
        Outgoing(self.stream)
    }

    fn first_request(&mut self) -> Received {
        self.request(Instant::now() + HEAD_TIME)
    }

    /// The next request on a kept connection, which may take its time to begin.
    fn next_request(&mut self) -> Received {
        match self.incoming.wait(Instant::now() + IDLE_TIME) {
            Err(ReceiveError::TimedOut | ReceiveError::Closed) => Ok(None),
            Err(error) => Err(error),
            Ok(()) => self.request(Instant::now() + HEAD_TIME),
        }
    }

    /// A request with its body read to the end.
    fn request(&mut self, head_deadline: Instant) -> Received {
        let mut head = HeadReader::default();
        match self.incoming.receive(head_deadline, |bytes| head.push(bytes)) {
            Err(ReceiveError::Closed) if head.is_empty() => return Ok(None),
            outcome => outcome?,
        }
        let request = head.finish().map_err(ReceiveError::Refused)?;
        self.read_body(&request)?;
        Ok(Some(request))
    }

    fn read_body(&mut self, request: &Request) -> Result<(), ReceiveError> {
        let mut body = BodyReader::new(request.body);
        if body.is_empty() {
            return Ok(());
        }
        if request.expects_continue() {
            self.out().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        self.incoming.receive(Instant::now() + BODY_TIME, |bytes| body.push(bytes))
    }

    fn answer(&self, received: Received) -> io::Result<Next> {
        match received {
            Ok(Some(request)) => self.respond(&request),
            Ok(None) => Ok(Next::Close),
            Err(error) => self.refuse(error),
        }
    }

    /// Answers what is no request, after which the connection is of no more use.
    fn refuse(&self, error: ReceiveError) -> io::Result<Next> {
        let refusal = match error {
            ReceiveError::Refused(refusal) => refusal,
            ReceiveError::TimedOut => {
                Refusal::new(Status::REQUEST_TIMEOUT, "the request took longer than 10 s")
            }
            ReceiveError::Closed => Refusal::new(Status::BAD_REQUEST, "the request ended in the middle"),
            ReceiveError::Io(error) => return Err(error),
        };
        let manners = Manners { close: true, ..Manners::default() };
        self.out().write_all(&Answer::refusal(&refusal).to_bytes(manners))?;
        Ok(Next::Close)
    }

    fn respond(&self, request: &Request) -> io::Result<Next> {
        let manners = Manners {
            cors: request.field("origin").is_some(),
            close: request.wants_close(),
            head_only: request.method() == "HEAD",
        };
        let script = self.site.catalogue.find(request.path());
        let answer = match (script, request.method()) {
            (Some(script), "GET" | "HEAD") => self.stream(script, request, manners)?,
            (Some(_), "OPTIONS") if manners.cors => Some(Answer::preflight(request.field(ASKED_HEADERS))),
            (Some(_), "OPTIONS") => Some(Answer::options()),
            (None, "OPTIONS") if request.path() == b"*" => Some(Answer::options()),
            (Some(_), _) => Some(Answer::method_not_allowed()),
            (None, _) => Some(Answer::not_found(self.site.catalogue.paths())),
        };
        if let Some(answer) = answer {
            self.out().write_all(&answer.to_bytes(manners))?;
        }
        let ends = manners.close || self.site.stop.load(Ordering::Relaxed);
        Ok(if ends { Next::Close } else { Next::Request })
    }

    /// Plays a script to the end; a client that has all of it gets an answer instead.
    fn stream(&self, script: &Script, request: &Request, manners: Manners) -> io::Result<Option<Answer>> {
        let start = match script.start(request.field("last-event-id")) {
            Some(start) => start,
            None => return Ok(Some(Answer::no_content())),
        };
        let framing = framing(script, request.version());
        let head = script_head(&script.head, framing, manners);
        if manners.head_only {
            self.out().write_all(&head)?;
            return Ok(None);
        }
        let clock = ClientClock { stream: self.stream, stop: &self.site.stop };
        let body = ChunkedWriter::new(self.out(), framing);
        Player::new(head, body, clock, self.site.speed).play(script, start)?;
        Ok(None)
    }
}

/// The request's field line whose value a preflight answer repeats.
const ASKED_HEADERS: &str = "access-control-request-headers";

fn framing(script: &Script, version: Version) -> Framing {
    match version {
        _ if !script.has_body() => Framing::Empty,
        Version::Http10 => Framing::UntilClose,
        Version::Http11 => Framing::Chunked,
    }
}

fn script_head(script: &ScriptHead, framing: Framing, manners: Manners) -> Vec<u8> {
    let status = Status(script.status);
    let mut head = Head::new(status, script.reason.as_deref().unwrap_or_else(|| status.reason().as_bytes()));
    for field in &script.fields {
        match (field, framing) {
            (HeadField::Framing, Framing::Chunked) => head.field("transfer-encoding", b"chunked"),
            (HeadField::Framing, Framing::Empty) if !status.has_no_body() => {
                head.field("content-length", b"0")
            }
            (HeadField::Framing, _) => &mut head,
            (HeadField::Date, _) => head.date(),
            (HeadField::Line(name, value), _) => head.field(name, value),
        };
    }
    manners.add_to(&mut head);
    head.end()
}
