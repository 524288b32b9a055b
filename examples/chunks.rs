//! The step after `one_chunk`: events for any number of clients, a thread each. The library reads the request's head,
//! and writes head and chunks; a client that comes back with a last event ID goes on after that event.
//!
//! ```text
//! cargo run --example chunks                                         (in one terminal)
//! curl -iN --raw http://127.0.0.1:8080/                              (in another, as often as you like)
//! curl -iN --raw -H 'Last-Event-ID: 2' http://127.0.0.1:8080/        (goes on with event 3)
//! curl -iN0 http://127.0.0.1:8080/                                   (HTTP/1.0: no chunks)
//! ```

use rust_sse_server::http::chunk::{ChunkedWriter, Framing};
use rust_sse_server::http::request::{HeadReader, Request, Version};
use rust_sse_server::http::response::{Answer, Head, RequestError, ResponseOptions, Status};
use rust_sse_server::http::Progress;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{sleep, spawn};
use std::time::Duration;

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address)?;
    // Nobody has to read that: it serves all the same.
    let _ = writeln!(io::stdout(), "Waiting for clients at http://{}/", listener.local_addr()?);
    loop {
        let (stream, client) = listener.accept()?;
        spawn(move || serve(stream).unwrap_or_else(|error| eprintln!("{client}: {error}")));
    }
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    match read_head(&mut stream)? {
        Ok(request) => play(&request, stream),
        Err(error) => {
            let options = ResponseOptions { close: true, ..ResponseOptions::default() };
            stream.write_all(&Answer::error(&error).to_bytes(options))
        }
    }
}

/// The request's head comes in pieces of any size; the reader says which of them was the last.
fn read_head(stream: &mut TcpStream) -> io::Result<Result<Request, RequestError>> {
    let mut head = HeadReader::default();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        match head.push(&buffer[..length]) {
            Ok(Progress::More) => {}
            Ok(Progress::Done(_)) => return Ok(head.finish()),
            Err(error) => return Ok(Err(error)),
        }
    }
}

fn play(request: &Request, stream: TcpStream) -> io::Result<()> {
    let framing = match request.version() {
        Version::Http10 => Framing::UntilClose,
        Version::Http11 => Framing::Chunked,
    };
    let mut head = Head::new(Status::OK, b"OK");
    head.framing(framing);
    head.field("content-type", b"text/event-stream");
    head.field("connection", b"close");

    let mut body = ChunkedWriter::new(stream, framing);
    body.head(head.end())?;
    let id = request.field("last-event-id").and_then(|id| std::str::from_utf8(id).ok()?.parse().ok());
    for n in (1..=3_u32).filter(|n| *n > id.unwrap_or(0)) {
        // One write, one chunk: `write!` would make one of every piece of its text.
        body.write_all(format!("id: {n}\ndata: event {n}\n\n").as_bytes())?;
        // Until the flush, chunks are gathered. The head leaves with the first of them.
        body.flush()?;
        sleep(Duration::from_secs(1));
    }
    // The last-chunk, or nothing to a client of HTTP/1.0: for that one, the end of the connection ends the body.
    body.finish(b"")
}
