//! Embeds the server with a script of its own and reads it with the library's EventSource: what a test of an SSE client
//! looks like.
//!
//! ```text
//! cargo run --example own_script
//! ```

use rust_sse_server::{Catalogue, EventSource, Journal, Script, Server};
use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::exit;

/// The first connection drops in mid-event; the second goes on after the last event that was complete.
const SCRIPT: &str = "\
@part no last-event-id
retry: 50

id: 1
data: one

id: 2
data: tw
@drop
@part otherwise
@resume
id: 1
data: one

id: 2
data: two

";

fn main() -> Result<(), Box<dyn Error>> {
    let mut catalogue = Catalogue::built_in()?;
    catalogue.add(Script::compile("own_script", "/numbers", SCRIPT.as_bytes())?);
    let server = Server::bind("127.0.0.1:0", catalogue)?.journal(Journal::default()).start()?;

    let source = EventSource::new(&server.url("/numbers"))?;
    source.on_message(|event| print(event.data.as_deref().unwrap_or_default()));
    source.add_event_listener("error", |event| {
        print(&format!("({})", event.data.as_deref().unwrap_or_default()))
    });
    source.run();

    for request in server.requests() {
        let id = request.header("last-event-id");
        print(&format!("{} {} Last-Event-ID: {id:?}", request.method, request.target));
    }
    Ok(())
}

/// Prints a line. Whoever closed the pipe has read enough, and `println!` would panic.
fn print(line: &str) {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        outcome => outcome.expect("stdout takes what is printed"),
    }
}
