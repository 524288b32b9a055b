//! A client of event streams that is judged in tests: deliberately simple, blocking, and independent of the library's
//! client. It can have a fault, which makes it fail a test case.

mod browser;
mod connection;
mod fault;
mod gunzip;
mod parser;

use browser::ORIGIN;
use connection::{Connection, Framing, Head, Next};
pub use fault::Fault;
use gunzip::Gunzip;
use parser::Parser;
use rust_sse_server::{CaseRun, RunningServer};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than any case.
const FOREVER: Duration = Duration::from_secs(60);
/// How often the client checks whether its case is decided while it waits.
const LOOK: Duration = Duration::from_millis(50);
/// The most redirects that are followed for one connection (WHATWG Fetch, section 4.4).
const MAX_REDIRECTS: usize = 20;

/// Runs the client in a test case until the case is decided or the client must not reconnect.
pub fn run(server: &RunningServer, run: &Arc<CaseRun>, fault: Option<Fault>) {
    let mut client = Client {
        server: server.address(),
        address: address_in(&server.case_url(run)),
        run,
        fault,
        target: run.path(),
        connections: 0,
        is_open: false,
        unused: Vec::new(),
        cookie: String::new(),
        retry_after: None,
        parser: Parser::new(fault),
    };
    if client.has(Fault::SendsIdAtFirst) {
        client.parser.last_event_id = "0".to_owned();
    }
    while run.result().is_none() {
        client.connections += 1;
        let gives_up = client.connections == 20 && client.has(Fault::GivesUpAfterTwentyConnections);
        let next = client.connect();
        match next {
            Ok(Next::Close) => client.closed(),
            _ => client.error(),
        }
        match next {
            Ok(Next::Close) if client.has(Fault::ReconnectsAfterClose) => {}
            Ok(Next::Close | Next::Fail) => break,
            _ if gives_up => break,
            Ok(Next::Reconnect) => client.wait_to_reconnect(client.has(Fault::ReconnectsAtOnce)),
            Err(_) if client.has(Fault::ClosesWhenConnectionIsLost) => break,
            Err(error)
                if client.has(Fault::ClosesWhenRefused) && error.kind() == ErrorKind::ConnectionRefused =>
            {
                break
            }
            Err(_) => client.wait_to_reconnect(client.has(Fault::ReconnectsAtOnceAfterFailure)),
        }
    }
    // A connection that is kept open although the client was closed has to stay open.
    while client.has(Fault::KeepsConnectionAfterClose) && run.result().is_none() {
        sleep(LOOK);
    }
    run.client_ended();
}

struct Client<'a> {
    server: SocketAddr,
    /// Where it connects to, which another port can follow.
    address: SocketAddr,
    run: &'a CaseRun,
    fault: Option<Fault>,
    target: String,
    connections: usize,
    /// Whether the client has reported that the connection is open.
    is_open: bool,
    /// Connections that the client does not read from.
    unused: Vec<TcpStream>,
    cookie: String,
    retry_after: Option<Duration>,
    parser: Parser,
}

impl<'a> Client<'a> {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Makes one connection, and further ones for redirects, after a preflight if that is needed.
    fn connect(&mut self) -> io::Result<Next> {
        if self.has(Fault::ReturnsToFirstUrl) {
            self.target = self.run.path();
        }
        if self.needs_preflight() && !self.preflight()? {
            return Ok(Next::Fail);
        }
        let follows_forever = self.has(Fault::FollowsRedirectsForever);
        for _ in 0..=if follows_forever { 2 * MAX_REDIRECTS } else { MAX_REDIRECTS } {
            let mut connection = self.connection(self.request()?);
            if self.has(Fault::OpensTwoConnections) && self.connections > 1 {
                self.unused.push(self.request()?);
            }
            let head = connection.read_head(self.has(Fault::TakesInterimResponseForFinal))?;
            if self.has(Fault::ReadsHttp11Only) && !head.0.starts_with("HTTP/1.1") {
                return Ok(Next::Fail);
            }
            if self.has(Fault::ReadsChunkedBodiesOnly) && !matches!(head.framing(), Framing::Chunked) {
                return Ok(Next::Fail);
            }
            if self.is_browser() && !self.allows_cors(&head) {
                return Ok(Next::Fail);
            }
            if let Some(cookie) = head.field("set-cookie") {
                self.cookie = cookie.split(';').next().unwrap_or("").to_owned();
            }
            match head.status() {
                301 | 302 | 303 | 307 | 308 => match head.field("location") {
                    _ if self.has(Fault::FollowsNoRedirects) => return Ok(Next::Fail),
                    Some("") if follows_forever => {}
                    Some(location) if !location.is_empty() => self.redirect(location),
                    _ if self.has(Fault::ReconnectsAfterRedirectToNowhere) => return Ok(Next::Reconnect),
                    _ => return Ok(Next::Fail),
                },
                429 if self.is_for_llm() && !self.has(Fault::IgnoresRetryAfter) => {
                    let seconds = head.field("retry-after").and_then(|seconds| seconds.parse().ok());
                    self.retry_after = seconds.map(Duration::from_secs);
                    return Ok(Next::Reconnect);
                }
                200 if head.is_event_stream(self.fault) => {
                    let next = self.read_stream(&mut connection, &head);
                    if self.has(Fault::KeepsConnectionAfterClose) {
                        self.unused.push(connection.stream);
                    }
                    return next;
                }
                _ if self.has(Fault::ReconnectsAfterEveryStatus) => return Ok(Next::Reconnect),
                429 if self.has(Fault::IgnoresRetryAfter) => return Ok(Next::Reconnect),
                _ => return Ok(Next::Fail),
            }
        }
        Ok(Next::Fail)
    }

    fn connection(&self, stream: TcpStream) -> Connection<'a> {
        let time = if self.has(Fault::ClosesConnectionAfterOneSecond) { LOOK * 20 } else { FOREVER };
        Connection { stream, unread: Vec::new(), run: self.run, end: Instant::now() + time }
    }

    fn request(&self) -> io::Result<TcpStream> {
        let is_post = self.run.path().ends_with("R12");
        let is_get = self.has(Fault::SendsGetToReconnect) && self.connections > 1;
        let method = if is_post && !is_get { "POST" } else { "GET" };
        let mut fields = "Accept-Encoding: gzip\r\n".to_owned();
        if !self.has(Fault::SendsNoAccept) {
            fields += "Accept: text/event-stream\r\n";
        }
        if !self.has(Fault::SendsNoCacheControl) {
            fields += "Cache-Control: no-cache\r\n";
        }
        if method == "POST" {
            fields += "Content-Length: 0\r\n";
        }
        if !self.cookie.is_empty() && !self.has(Fault::SendsNoCookie) {
            fields += &format!("Cookie: {}\r\n", self.cookie);
        }
        // No browser lets its pages send this field.
        let is_first_server = self.address == self.server || self.has(Fault::KeepsAuthorization);
        if !self.is_browser() && is_first_server {
            fields += "Authorization: Bearer judge\r\n";
        }
        let mut fields = fields.into_bytes();
        if !self.parser.last_event_id.is_empty() || self.has(Fault::SendsEmptyId) {
            fields.extend_from_slice(b"Last-Event-ID: ");
            fields.extend_from_slice(&self.id_on_the_wire());
            fields.extend_from_slice(b"\r\n");
        }
        self.send(method, &fields)
    }

    /// Sends a request without a body on a new connection.
    fn send(&self, method: &str, fields: &[u8]) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(LOOK))?;
        stream.set_nodelay(true)?;
        let mut request = format!("{method} {} HTTP/1.1\r\nHost: {}\r\n", self.target, self.address);
        if self.is_browser() {
            request += &format!("Origin: {ORIGIN}\r\n");
        }
        stream.write_all(&[request.as_bytes(), fields, b"\r\n"].concat())?;
        Ok(stream)
    }

    fn id_on_the_wire(&self) -> Vec<u8> {
        let id = &self.parser.last_event_id;
        if self.has(Fault::SendsAsciiOnly) {
            return id.bytes().filter(u8::is_ascii).collect();
        }
        id.clone().into_bytes()
    }

    /// Sets the address and the target from an absolute URL, or the target from a path or a query.
    fn redirect(&mut self, location: &str) {
        let mut location = location;
        if location.starts_with("http://") {
            self.address = address_in(location);
            location = &location[location.find(&self.run.path()).unwrap_or(location.len())..];
        }
        let path = self.target.split('?').next().unwrap_or("");
        self.target =
            if location.starts_with('?') { format!("{path}{location}") } else { location.to_owned() };
    }

    fn read_stream(&mut self, connection: &mut Connection<'_>, head: &Head) -> io::Result<Next> {
        self.parser.begin(head.field("content-type").unwrap_or(""));
        self.is_open = false;
        if !self.has(Fault::ReportsOpenWithFirstEvent) {
            self.open();
        }
        let allows_extensions = !self.has(Fault::AllowsNoChunkExtensions);
        let is_gzip = head.field("content-encoding") == Some("gzip");
        let (mut gunzip, mut held) = (Gunzip::default(), Vec::new());
        let ended = connection.read_body(&head.framing(), allows_extensions, &mut |piece| {
            if !is_gzip {
                self.parser.piece(piece);
            } else if self.has(Fault::DecompressesWholeBody) {
                held.extend(piece);
            } else {
                self.parser.piece(&gunzip.piece(piece));
            }
            self.report()
        });
        if !held.is_empty() {
            self.parser.piece(&gunzip.piece(&held));
        }
        self.parser.end();
        let next = self.report()?;
        match ended? {
            Next::Reconnect if self.is_for_llm() && self.has(Fault::TakesEveryEndForDone) => Ok(Next::Close),
            Next::Reconnect => Ok(next),
            ended => Ok(ended),
        }
    }

    /// Reports the events that were dispatched.
    fn report(&mut self) -> io::Result<Next> {
        for event in std::mem::take(&mut self.parser.events) {
            self.open();
            if event.event_type == "error" && self.has(Fault::IgnoresErrorEvents) {
                continue;
            }
            self.run.report(&event.to_json());
            let is_done = event.data == "[DONE]" && self.is_for_llm() && !self.has(Fault::IgnoresDone);
            if is_done || event.event_type == "close" {
                return Ok(Next::Close);
            }
            if event.event_type == "ping" && self.has(Fault::FailsAtPings) {
                return Ok(Next::Fail);
            }
        }
        Ok(Next::Reconnect)
    }

    /// Reports that the connection is open, unless it has already been reported.
    fn open(&mut self) {
        let is_silent = self.has(Fault::ReportsOpenOnce) && self.connections > 1;
        if !std::mem::replace(&mut self.is_open, true) && !is_silent {
            self.run.report(r#"{"state":"open"}"#);
        }
    }

    fn error(&self) {
        if !self.has(Fault::ReportsNoErrors) {
            self.run.report(r#"{"state":"error","message":"connection lost or refused"}"#);
        }
    }

    fn closed(&self) {
        self.run.report(r#"{"state":"closed"}"#);
    }

    /// Whether the client follows the conventions of APIs of large language models.
    fn is_for_llm(&self) -> bool {
        self.run.path().contains("/L")
    }

    fn wait_to_reconnect(&mut self, at_once: bool) {
        let time = self.retry_after.take().unwrap_or(self.parser.reconnection_time);
        let end = Instant::now() + if at_once { Duration::ZERO } else { time };
        while self.run.result().is_none() && Instant::now() < end {
            sleep(end.saturating_duration_since(Instant::now()).min(LOOK));
        }
    }
}

/// The address in a URL.
fn address_in(url: &str) -> SocketAddr {
    url.split('/').nth(2).and_then(|authority| authority.parse().ok()).unwrap_or_else(|| panic!("{url}"))
}
