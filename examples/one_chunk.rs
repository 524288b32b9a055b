//! The whole idea on one screen, with the standard library alone: answers one client with literal bytes, two events in
//! two chunks a second apart.
//!
//! ```text
//! cargo run --example one_chunk               (in one terminal)
//! curl -iN --raw http://127.0.0.1:8080/       (in another)
//! ```

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::sleep;
use std::time::Duration;

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address)?;
    // A closed stdout is no reason to stop; `println!` would panic.
    let _ = writeln!(std::io::stdout(), "Waiting for one client at http://{}/", listener.local_addr()?);
    let (mut stream, _) = listener.accept()?;

    // The request: lines up to an empty one. If they were left unread, the close at the end would become a reset.
    // Shortcut: what the lines say is ignored, so the response is the same for every request.
    for line in BufReader::new(&stream).lines() {
        if line?.is_empty() {
            break;
        }
    }

    // The head: a status line and field lines, each ended by CR LF, then an empty line.
    stream.write_all(
        b"HTTP/1.1 200 OK\r\n\
          transfer-encoding: chunked\r\n\
          content-type: text/event-stream\r\n\
          connection: close\r\n\
          \r\n",
    )?;

    // A chunk: its size in hexadecimal, CR LF, that many bytes, CR LF. The data is one event, ended by an empty line.
    stream.write_all(b"d\r\ndata: hello\n\n\r\n")?;
    sleep(Duration::from_secs(1));
    stream.write_all(b"13\r\nid: 1\ndata: world\n\n\r\n")?;

    // The last-chunk has size 0 and no data. It tells curl that the body is complete.
    stream.write_all(b"0\r\n\r\n")
}
