//! The other end, out of its pieces: sends a request, reads the head, puts the chunks together again, and prints the
//! events in what comes out. What is left to `client` is coming back when the connection is lost.
//!
//! ```text
//! cargo run                                   (in one terminal)
//! cargo run --example events                  (in another)
//! cargo run --example events 127.0.0.1:8080 /slow
//! ```

use rust_sse_server::event_source::stream::EventStream;
use rust_sse_server::http::dechunk::ChunkDecoder;
use rust_sse_server::http::Progress;
use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::exit;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let target = arguments.next().unwrap_or_else(|| "/events".to_owned());

    // The request: a request line, a field line or two, an empty line.
    let mut stream = TcpStream::connect(&address)?;
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(request.as_bytes())?;

    // The head: lines up to an empty one. EventSource would look at the status and the content-type here.
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        print(line.trim_end());
        line.clear();
    }

    // The body: chunks in, their data out; that in, events out. Neither minds where a read ends.
    let mut chunks = ChunkDecoder::default();
    let mut events = EventStream::default();
    let mut buffer = [0; 4096];
    loop {
        let length = reader.read(&mut buffer)?;
        if length == 0 {
            // No last-chunk has come. What there is of an event is not dispatched.
            return Err(Error::new(ErrorKind::UnexpectedEof, "the body was cut off"));
        }
        let data = |data: &[u8]| {
            print(&format!("({} bytes of chunk-data)", data.len()));
            events.push(data, |stream, event| {
                let (kind, data) = (event.event.unwrap_or_default(), event.data.unwrap_or_default());
                print(&format!("{kind}: {data:?}, last event ID {:?}", stream.last_event_id()));
            });
        };
        match chunks.push(&buffer[..length], data) {
            Ok(Progress::More) => {}
            Ok(Progress::Done(_)) => return Ok(()),
            Err(error) => return Err(Error::new(ErrorKind::InvalidData, error.0)),
        }
    }
}

/// Prints a line. Whoever closed the pipe has read enough, and `println!` would panic.
fn print(line: &str) {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        outcome => outcome.expect("stdout takes what is printed"),
    }
}
