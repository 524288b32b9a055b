//! Server and client in one process: plays a script to the library's EventSource, then looks at the requests that came.
//! A test of an SSE client looks like this.
//!
//! ```text
//! cargo run --example own_script
//! ```

use rust_sse_server::{EventSource, Script, Server};
use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::exit;

/// The first response is cut off in the middle of an event; the second continues after the last complete event.
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
    let server = Server::new().script(Script::parse("/numbers", SCRIPT)?).start("127.0.0.1:0")?;

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

/// Prints a line. When the reader of a pipe has closed it, as `head` does, the program ends; `println!` would panic.
fn print(line: &str) {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        outcome => outcome.expect("cannot write to stdout"),
    }
}
