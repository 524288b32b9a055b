//! Connects an EventSource to the demo and prints the events it dispatches. When the stream ends, the EventSource
//! reconnects with the last event ID, and stops when the server has no more events.
//!
//! ```text
//! cargo run                         (in one terminal)
//! cargo run --example client        (in another; takes another URL as its argument)
//! ```

use rust_sse_server::EventSource;
use std::io::{self, ErrorKind, Write};
use std::process::exit;

fn main() {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8080/events".to_owned());
    let source = EventSource::new(&url).unwrap_or_else(|error| {
        eprintln!("client: {error}");
        exit(2);
    });

    source.on_message(|event| print(&format!("Message event {event:?}")));
    source.add_event_listener("update", |event| print(&format!("update event {event:?}")));
    source.add_event_listener("notification", |event| print(&format!("notification event {event:?}")));
    // The end of a stream is an error like any other lost connection.
    source.add_event_listener("error", |event| print(&format!("Error {event:?}")));

    source.run();
}

/// Prints a line. When the reader of a pipe has closed it, as `head` does, the program ends; `println!` would panic.
fn print(line: &str) {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        outcome => outcome.expect("cannot write to stdout"),
    }
}
