//! A client of event streams that is judged in tests: deliberately simple, blocking, and independent of the library's
//! client. It can have a fault, which makes it fail a test case.

mod fault;
mod parser;

pub use fault::Fault;
use parser::Parser;
use rust_sse_server::{CaseRun, RunningServer};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than any case.
const FOREVER: Duration = Duration::from_secs(60);
/// How often the client checks whether its case is decided while it waits.
const LOOK: Duration = Duration::from_millis(50);
/// The most redirects that are followed for one connection (WHATWG Fetch, section 4.4).
const MAX_REDIRECTS: usize = 20;

/// Runs the client in a test case until the case is decided or the client must not reconnect.
pub fn run(server: &RunningServer, run: &CaseRun, fault: Option<Fault>) {
    let mut client = Client {
        address: server.address(),
        run,
        fault,
        target: run.path(),
        connections: 0,
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
        match client.connect() {
            Ok(Next::Close) => break,
            _ if gives_up => break,
            Ok(Next::Reconnect) => client.wait_to_reconnect(client.has(Fault::ReconnectsAtOnce)),
            Err(_) if client.has(Fault::ClosesWhenConnectionIsLost) => break,
            Err(_) => client.wait_to_reconnect(client.has(Fault::ReconnectsAtOnceAfterFailure)),
        }
    }
    run.client_ended();
}

struct Client<'a> {
    address: SocketAddr,
    run: &'a CaseRun,
    fault: Option<Fault>,
    target: String,
    connections: usize,
    /// Connections that the client does not read from.
    unused: Vec<TcpStream>,
    cookie: String,
    retry_after: Option<Duration>,
    parser: Parser,
}

/// What the client does after a connection.
enum Next {
    Reconnect,
    Close,
}

/// How the end of a body is marked.
enum Framing {
    Chunked,
    Length(usize),
    UntilClose,
}

/// The head of a response.
struct Head(String);

impl Head {
    fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.trim().parse().ok()).unwrap_or(0)
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    fn is_event_stream(&self, fault: Option<Fault>) -> bool {
        let content_type = self.field("content-type").unwrap_or("");
        let essence = content_type.split(';').next().unwrap_or("").trim();
        match fault {
            Some(Fault::ComparesContentTypeWithCase) => essence == "text/event-stream",
            Some(Fault::AllowsNoContentTypeParameters) => content_type == "text/event-stream",
            Some(Fault::ComparesStartOfContentType) => content_type.starts_with("text/event-stream"),
            Some(Fault::AcceptsEveryContentType) => true,
            _ => essence.eq_ignore_ascii_case("text/event-stream"),
        }
    }

    fn framing(&self) -> Framing {
        if self.field("transfer-encoding").is_some() {
            Framing::Chunked
        } else {
            match self.field("content-length").and_then(|length| length.parse().ok()) {
                Some(length) => Framing::Length(length),
                None => Framing::UntilClose,
            }
        }
    }
}

impl Client<'_> {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Makes one connection, and further ones for redirects.
    fn connect(&mut self) -> io::Result<Next> {
        if self.has(Fault::ReturnsToFirstUrl) {
            self.target = self.run.path();
        }
        let follows_forever = self.has(Fault::FollowsRedirectsForever);
        for _ in 0..=if follows_forever { 2 * MAX_REDIRECTS } else { MAX_REDIRECTS } {
            let mut connection = Connection {
                stream: self.request()?,
                unread: Vec::new(),
                run: self.run,
                end: Instant::now()
                    + if self.has(Fault::ClosesConnectionAfterOneSecond) { LOOK * 20 } else { FOREVER },
            };
            if self.has(Fault::OpensTwoConnections) && self.connections > 1 {
                self.unused.push(self.request()?);
            }
            let head = connection.read_head(self.has(Fault::TakesInterimResponseForFinal))?;
            if self.has(Fault::ReadsHttp11Only) && !head.0.starts_with("HTTP/1.1") {
                return Ok(Next::Close);
            }
            if self.has(Fault::ReadsChunkedBodiesOnly) && !matches!(head.framing(), Framing::Chunked) {
                return Ok(Next::Close);
            }
            if let Some(cookie) = head.field("set-cookie") {
                self.cookie = cookie.split(';').next().unwrap_or("").to_owned();
            }
            match head.status() {
                301 | 302 | 303 | 307 | 308 => match head.field("location") {
                    _ if self.has(Fault::FollowsNoRedirects) => return Ok(Next::Close),
                    Some("") if follows_forever => {}
                    Some(location) if !location.is_empty() => self.redirect(location),
                    _ if self.has(Fault::ReconnectsAfterRedirectToNowhere) => return Ok(Next::Reconnect),
                    _ => return Ok(Next::Close),
                },
                429 if self.is_for_llm() && !self.has(Fault::IgnoresRetryAfter) => {
                    let seconds = head.field("retry-after").and_then(|seconds| seconds.parse().ok());
                    self.retry_after = seconds.map(Duration::from_secs);
                    return Ok(Next::Reconnect);
                }
                200 if head.is_event_stream(self.fault) => return self.read_stream(&mut connection, &head),
                _ if self.has(Fault::ReconnectsAfterEveryStatus) => return Ok(Next::Reconnect),
                429 if self.has(Fault::IgnoresRetryAfter) => return Ok(Next::Reconnect),
                _ => return Ok(Next::Close),
            }
        }
        Ok(Next::Close)
    }

    fn request(&self) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(LOOK))?;
        stream.set_nodelay(true)?;
        let is_post = self.run.path().ends_with("R12");
        let is_get = self.has(Fault::SendsGetToReconnect) && self.connections > 1;
        let method = if is_post && !is_get { "POST" } else { "GET" };
        let mut request = format!("{method} {} HTTP/1.1\r\nHost: {}\r\n", self.target, self.address);
        if !self.has(Fault::SendsNoAccept) {
            request += "Accept: text/event-stream\r\n";
        }
        if !self.has(Fault::SendsNoCacheControl) {
            request += "Cache-Control: no-cache\r\n";
        }
        if method == "POST" {
            request += "Content-Length: 0\r\n";
        }
        if !self.cookie.is_empty() && !self.has(Fault::SendsNoCookie) {
            request += &format!("Cookie: {}\r\n", self.cookie);
        }
        let mut request = request.into_bytes();
        if !self.parser.last_event_id.is_empty() || self.has(Fault::SendsEmptyId) {
            request.extend_from_slice(b"Last-Event-ID: ");
            request.extend_from_slice(&self.id_on_the_wire());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request)?;
        Ok(stream)
    }

    fn id_on_the_wire(&self) -> Vec<u8> {
        let id = &self.parser.last_event_id;
        if self.has(Fault::SendsAsciiOnly) {
            return id.bytes().filter(u8::is_ascii).collect();
        }
        id.clone().into_bytes()
    }

    /// Sets the target from an absolute URL of the same server, a path or a query.
    fn redirect(&mut self, location: &str) {
        let location = location.strip_prefix(&format!("http://{}", self.address)).unwrap_or(location);
        let path = self.target.split('?').next().unwrap_or("");
        self.target =
            if location.starts_with('?') { format!("{path}{location}") } else { location.to_owned() };
    }

    fn read_stream(&mut self, connection: &mut Connection<'_>, head: &Head) -> io::Result<Next> {
        self.parser.begin(head.field("content-type").unwrap_or(""));
        let allows_extensions = !self.has(Fault::AllowsNoChunkExtensions);
        let ended = connection.read_body(&head.framing(), allows_extensions, &mut |piece| {
            self.parser.piece(piece);
            self.report()
        });
        self.parser.end();
        let next = self.report()?;
        match ended? {
            Next::Reconnect => Ok(next),
            Next::Close => Ok(Next::Close),
        }
    }

    /// Reports the events that were dispatched.
    fn report(&mut self) -> io::Result<Next> {
        for event in std::mem::take(&mut self.parser.events) {
            self.run.report(&event.to_json());
            if event.data == "[DONE]" && self.is_for_llm() && !self.has(Fault::IgnoresDone) {
                return Ok(Next::Close);
            }
        }
        Ok(Next::Reconnect)
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

/// A connection, read in the pieces in which the bytes arrive.
struct Connection<'a> {
    stream: TcpStream,
    unread: Vec<u8>,
    run: &'a CaseRun,
    /// When the connection is closed.
    end: Instant,
}

impl Connection<'_> {
    /// Reads what has arrived, or the next bytes to arrive. Empty at the end of the connection.
    fn piece(&mut self) -> io::Result<Vec<u8>> {
        if !self.unread.is_empty() {
            return Ok(std::mem::take(&mut self.unread));
        }
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(length) => return Ok(buffer[..length].to_vec()),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if self.run.result().is_some() || Instant::now() > self.end {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads the head of the response, after any interim responses.
    fn read_head(&mut self, takes_interim: bool) -> io::Result<Head> {
        loop {
            let line_end = b"\r\n\r\n";
            let mut bytes = Vec::new();
            let end = loop {
                if let Some(at) = bytes.windows(4).position(|window| window == line_end) {
                    break at;
                }
                bytes.extend(self.some_piece()?);
            };
            self.unread = bytes.split_off(end + line_end.len());
            let head = Head(String::from_utf8_lossy(&bytes[..end]).into_owned());
            if !head.0.starts_with("HTTP/1.") {
                return Err(ErrorKind::InvalidData.into());
            }
            if takes_interim || !(100..200).contains(&head.status()) {
                return Ok(head);
            }
        }
    }

    /// Reads the body, and passes on its data until that says to close.
    fn read_body(
        &mut self,
        framing: &Framing,
        allows_extensions: bool,
        data: &mut dyn FnMut(&[u8]) -> io::Result<Next>,
    ) -> io::Result<Next> {
        match framing {
            Framing::Chunked => self.read_chunks(allows_extensions, data),
            Framing::Length(length) => self.read_data(*length, data),
            Framing::UntilClose => loop {
                let piece = self.piece()?;
                if piece.is_empty() {
                    return Ok(Next::Reconnect);
                }
                if let Next::Close = data(&piece)? {
                    return Ok(Next::Close);
                }
            },
        }
    }

    fn read_chunks(
        &mut self,
        allows_extensions: bool,
        data: &mut dyn FnMut(&[u8]) -> io::Result<Next>,
    ) -> io::Result<Next> {
        loop {
            let line = self.line()?;
            let size = if allows_extensions { line.split(';').next().unwrap_or("").trim() } else { &line };
            let size =
                usize::from_str_radix(size, 16).map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
            if size == 0 {
                return Ok(Next::Reconnect);
            }
            if let Next::Close = self.read_data(size, data)? {
                return Ok(Next::Close);
            }
            if !self.line()?.is_empty() {
                return Err(ErrorKind::InvalidData.into());
            }
        }
    }

    /// Reads this many bytes and passes them on, in the pieces in which they arrive.
    fn read_data(
        &mut self,
        mut length: usize,
        data: &mut dyn FnMut(&[u8]) -> io::Result<Next>,
    ) -> io::Result<Next> {
        while length > 0 {
            let mut piece = self.some_piece()?;
            self.unread = piece.split_off(length.min(piece.len()));
            length -= piece.len();
            if let Next::Close = data(&piece)? {
                return Ok(Next::Close);
            }
        }
        Ok(Next::Reconnect)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        loop {
            let piece = self.some_piece()?;
            match piece.iter().position(|&byte| byte == b'\n') {
                Some(end) => {
                    line.extend(&piece[..end]);
                    self.unread = piece[end + 1..].to_vec();
                    return Ok(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned());
                }
                None => line.extend(piece),
            }
        }
    }

    fn some_piece(&mut self) -> io::Result<Vec<u8>> {
        let piece = self.piece()?;
        if piece.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(piece)
    }
}
