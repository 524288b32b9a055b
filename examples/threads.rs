//! The step after `one_chunk`, still with the standard library alone: serves any number of clients, with one thread for
//! each, and computes the size of each chunk. `chunks` also reads the request.
//!
//! ```text
//! cargo run --example threads                 (in one terminal)
//! curl -iN --raw http://127.0.0.1:8080/       (in several others)
//! ```

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{sleep, spawn};
use std::time::Duration;

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address)?;
    // A closed stdout is no reason to stop; `println!` would panic.
    let _ = writeln!(io::stdout(), "Waiting for clients at http://{}/", listener.local_addr()?);
    loop {
        // The thread sleeps between two events, and no other client notices.
        let (stream, client) = listener.accept()?;
        spawn(move || serve(stream).unwrap_or_else(|error| eprintln!("{client}: {error}")));
    }
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    // Shortcut: a client that sends no empty line keeps its thread forever.
    for line in BufReader::new(&stream).lines() {
        if line?.is_empty() {
            break;
        }
    }
    stream.write_all(
        b"HTTP/1.1 200 OK\r\n\
          transfer-encoding: chunked\r\n\
          content-type: text/event-stream\r\n\
          connection: close\r\n\
          \r\n",
    )?;
    for n in 1..=3 {
        write_chunk(&mut stream, &format!("data: event {n}\n\n"))?;
        sleep(Duration::from_secs(1));
    }
    // The last-chunk.
    stream.write_all(b"0\r\n\r\n")
}

/// Writes the size in hexadecimal, CR LF, the data, CR LF. Never call it without data: a chunk of size 0 ends the body.
fn write_chunk(stream: &mut TcpStream, data: &str) -> io::Result<()> {
    // One write, so that the chunk leaves in one packet.
    stream.write_all(format!("{:x}\r\n{data}\r\n", data.len()).as_bytes())
}
