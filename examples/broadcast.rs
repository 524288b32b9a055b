//! One source of events for many clients, with the standard library alone: each line typed becomes an event for every
//! client. A browser shows the events on a page of twenty lines, `broadcast.html`.
//!
//! ```text
//! cargo run --example broadcast               (in one terminal: type lines)
//! curl -N http://127.0.0.1:8080/events        (in several others)
//! ```

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender};
use std::sync::Mutex;
use std::thread::spawn;
use std::time::Duration;

/// Proxies close connections that are silent for longer, often after 30 or 60 seconds (WHATWG, section 9.2.7).
const COMMENT_EVERY: Duration = Duration::from_secs(15);
/// Events that wait for one client. A client that falls further behind loses its connection.
const QUEUE: usize = 64;

/// The queues of the connected clients.
static CLIENTS: Mutex<Vec<SyncSender<String>>> = Mutex::new(Vec::new());

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let seconds = arguments.next().and_then(|seconds| seconds.parse().ok());
    let comment_every = seconds.map_or(COMMENT_EVERY, Duration::from_secs_f64);

    let listener = TcpListener::bind(address)?;
    // A closed stdout is no reason to stop; `println!` would panic.
    let _ = writeln!(io::stdout(), "Type news for the clients at http://{}/", listener.local_addr()?);
    spawn(|| io::stdin().lines().map_while(Result::ok).for_each(|line| publish(&line)));
    loop {
        let (stream, _) = listener.accept()?;
        // An error means that the client has left.
        spawn(move || serve(stream, comment_every));
    }
}

/// Queues an event for every client. Removes the queues of clients that have left or do not read.
fn publish(news: &str) {
    let event = format!("data: {news}\n\n");
    CLIENTS.lock().unwrap().retain(|client| client.try_send(event.clone()).is_ok());
}

/// Reads a request, and responds with the events or with the page.
fn serve(mut stream: TcpStream, comment_every: Duration) -> io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let request_line = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    // Shortcut: the field lines are ignored, including the one in which an EventSource sends the last event ID.
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    if request_line.starts_with("GET /events ") {
        let (sender, receiver) = sync_channel(QUEUE);
        CLIENTS.lock().unwrap().push(sender);
        send_events(stream, &receiver, comment_every)
    } else {
        let page = include_str!("broadcast.html");
        let length = page.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {length}\r\nconnection: close"
        );
        stream.write_all(format!("{head}\r\n\r\n{page}").as_bytes())
    }
}

/// Sends each event as it arrives, and a comment when none has arrived for a while. The comment also detects a client
/// that has left: writing to a closed connection is an error, though not always the first time.
fn send_events(mut stream: TcpStream, events: &Receiver<String>, comment_every: Duration) -> io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\ncache-control: no-cache";
    stream.write_all(format!("{head}\r\n\r\n").as_bytes())?;
    loop {
        let data = match events.recv_timeout(comment_every) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => ":\n".to_owned(),
            // This client's queue was full and is gone. It reconnects.
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        stream.write_all(format!("{:x}\r\n{data}\r\n", data.len()).as_bytes())?;
    }
}
