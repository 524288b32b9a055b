//! The other end: sends a request, reads the head, takes the data out of the chunks, and prints the events in it. The
//! network part is the standard library alone; the events come from the library's parser. What `client` adds is
//! reconnecting.
//!
//! ```text
//! cargo run                                   (in one terminal)
//! cargo run --example events                  (in another)
//! cargo run --example events 127.0.0.1:8080 /slow
//! ```

use rust_sse_server::EventStream;
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

    // The head: lines up to an empty one.
    // Shortcut: it is only printed. EventSource checks the status and the content-type, and HTTP wants us to look whether
    // the body is chunked at all.
    let mut reader = BufReader::new(stream);
    for line in reader.by_ref().lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        print(&line);
    }

    // The body: chunks in, their data out; the data in, events out. An event may begin in one chunk and end in another,
    // so the parser keeps what is incomplete.
    let mut events = EventStream::default();
    while let Some(data) = read_chunk(&mut reader)? {
        print(&format!("({} bytes of chunk-data)", data.len()));
        events.push(&data, |stream, event| {
            let (kind, data) = (event.event.unwrap_or_default(), event.data.unwrap_or_default());
            print(&format!("{kind}: {data:?}, last event ID {:?}", stream.last_event_id()));
        });
    }
    Ok(())
}

/// Reads a chunk and returns its data; `None` for the last-chunk, which has none.
///
/// Shortcut: it waits for the whole chunk, although an event may be complete before.
fn read_chunk(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if !line.ends_with('\n') {
        return Err(cut_off());
    }
    // The chunk-size is hexadecimal; a chunk extension may follow it after a semicolon, and is ignored.
    let size = line.split(';').next().unwrap_or_default().trim();
    let size = u64::from_str_radix(size, 16)
        .map_err(|_| Error::new(ErrorKind::InvalidData, format!("invalid chunk-size {size:?}")))?;
    if size == 0 {
        // Shortcut: the trailer section, which may follow, is left unread, since the connection is not used again.
        return Ok(None);
    }
    // Memory grows with the bytes that arrive, so an enormous chunk-size alone does no harm.
    let mut data = Vec::new();
    reader.take(size).read_to_end(&mut data)?;
    // Shortcut: the two bytes after the data are not checked to be CR LF.
    reader.read_exact(&mut [0; 2]).map_err(|_| cut_off())?;
    Ok(Some(data))
}

/// The connection has ended before the last-chunk. An event that is incomplete is not dispatched.
fn cut_off() -> Error {
    Error::new(ErrorKind::UnexpectedEof, "the body was cut off before its last-chunk")
}

/// Prints a line. When the reader of a pipe has closed it, as `head` does, the program ends; `println!` would panic.
fn print(line: &str) {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        outcome => outcome.expect("cannot write to stdout"),
    }
}
