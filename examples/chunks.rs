//! The step after `threads`, still with only the standard library: serves events to any number of clients, a thread
//! each. A client that reconnects with a last event ID continues after that event.
//!
//! ```text
//! cargo run --example chunks                                         (in one terminal)
//! curl -iN --raw http://127.0.0.1:8080/                              (in another, as often as you like)
//! curl -iN --raw -H 'Last-Event-ID: 2' http://127.0.0.1:8080/        (continues with event 3)
//! curl -iN0 http://127.0.0.1:8080/                                   (HTTP/1.0: no chunks)
//! ```

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{sleep, spawn};
use std::time::Duration;

/// Bytes of a request's head. Without a limit, a client could make the server store as much as it likes to send.
const MAX_HEAD: u64 = 16 * 1024;

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address)?;
    // A closed stdout is no reason to stop; `println!` would panic.
    let _ = writeln!(io::stdout(), "Waiting for clients at http://{}/", listener.local_addr()?);
    loop {
        // Shortcut: an error here ends the server, even if the next client could be accepted; and the number of threads
        // has no limit.
        let (stream, client) = listener.accept()?;
        spawn(move || serve(stream).unwrap_or_else(|error| eprintln!("{client}: {error}")));
    }
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    // Shortcut: this limits the time of each read, not of the whole head, so a client that sends a byte a minute keeps its
    // thread for a long time.
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let head = read_head(&stream)?;
    match Request::parse(&head) {
        Some(request) => send_events(stream, &request),
        None => stream.write_all(
            b"HTTP/1.1 400 Bad Request\r\n\
              content-length: 0\r\n\
              connection: close\r\n\
              \r\n",
        ),
    }
}

/// Reads the lines of the request's head, up to the empty line that ends it.
fn read_head(stream: &TcpStream) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    // Shortcut: the reader may take in more than the head, and what it took is lost. That would be the request's body or
    // the next request, and this server reads neither.
    // Shortcut: a head that is not UTF-8 is an error here and gets no response. HTTP permits other bytes in field values.
    for line in BufReader::new(stream.take(MAX_HEAD)).lines() {
        let line = line?;
        if line.is_empty() {
            return Ok(lines);
        }
        lines.push(line);
    }
    // Shortcut: a head that is too long ends here as well; it should get a 431.
    Err(io::Error::new(ErrorKind::UnexpectedEof, "the request's head is incomplete"))
}

/// What the response depends on.
struct Request {
    is_http_1_0: bool,
    /// The number of the last event the client has, 0 for none.
    last_event_id: u32,
}

impl Request {
    /// Parses a head; `None` if it is invalid.
    fn parse(head: &[String]) -> Option<Request> {
        let (request_line, field_lines) = head.split_first()?;
        // Shortcut: method and target are ignored, so POST gets the events too, and no path is a 404.
        let is_http_1_0 = match request_line.rsplit_once(' ')?.1 {
            "HTTP/1.0" => true,
            "HTTP/1.1" => false,
            _ => return None,
        };
        let mut last_event_id = 0;
        // Shortcut: a colon is all that a field line needs here. HTTP also forbids spaces before it, for example, and
        // wants a Host field.
        for line in field_lines {
            let (name, value) = line.split_once(':')?;
            if name.eq_ignore_ascii_case("last-event-id") {
                // An ID that is not a number cannot be from this server, so the client gets all events.
                last_event_id = value.trim().parse().unwrap_or(0);
            }
        }
        Some(Request { is_http_1_0, last_event_id })
    }
}

fn send_events(mut stream: TcpStream, request: &Request) -> io::Result<()> {
    // HTTP/1.0 has no chunks: there, the end of the connection ends the body.
    let framing = if request.is_http_1_0 { "" } else { "transfer-encoding: chunked\r\n" };
    let head = format!(
        "HTTP/1.1 200 OK\r\n\
         {framing}\
         content-type: text/event-stream\r\n\
         connection: close\r\n\
         \r\n"
    );
    stream.write_all(head.as_bytes())?;
    for n in (1..=3).filter(|n| *n > request.last_event_id) {
        let event = format!("id: {n}\ndata: event {n}\n\n");
        let bytes = if request.is_http_1_0 { event } else { chunk(&event) };
        stream.write_all(bytes.as_bytes())?;
        sleep(Duration::from_secs(1));
    }
    if !request.is_http_1_0 {
        stream.write_all(b"0\r\n\r\n")?;
    }
    Ok(())
}

/// The size in hexadecimal, CR LF, the data, CR LF. Never call it without data: a chunk of size 0 ends the body.
fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}
