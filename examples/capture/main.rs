//! Captures a stream as a script that plays it again: the same bytes at the same times, with its status, its field lines,
//! its chunks, and its end. It runs curl with these arguments:
//!
//! ```text
//! cargo run --example capture -- https://example.org/events > capture.sse
//! cargo run -- capture.sse
//! ```
//!
//! Without arguments, it reads the output of `curl -sN --raw -D - URL` on stdin. It can read a body without a head (`-sN`)
//! and with decoded chunks (`-siN`), too, but what is not there is not in the script either.

mod script;

use script::Capture;
use std::io::{self, ErrorKind, Read, Write};
use std::process::{exit, Command, Stdio};
use std::time::Instant;

fn main() -> io::Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.is_empty() {
        return until_closed(capture(io::stdin().lock(), io::stdout().lock()));
    }
    let mut curl = Command::new("curl");
    let mut curl = curl.args(["-sSN", "--raw", "-D", "-"]).args(arguments).stdout(Stdio::piped()).spawn()?;
    if let Some(response) = curl.stdout.take() {
        until_closed(capture(response, io::stdout().lock()))?;
    }
    // curl says what is wrong, and its status tells it: 18 for a stream that was cut off.
    exit(curl.wait()?.code().unwrap_or(1));
}

/// The reader of the pipe can close it, as `head` does. That is no error.
fn until_closed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes the script line by line: a stream without end is captured until Ctrl-C.
fn capture(mut response: impl Read, mut output: impl Write) -> io::Result<()> {
    let start = Instant::now();
    let mut capture = Capture::default();
    let mut buffer = [0; 64 * 1024];
    loop {
        let length = response.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        output.write_all(&capture.add(start.elapsed(), &buffer[..length]))?;
        output.flush()?;
    }
    output.write_all(&capture.end(start.elapsed()))?;
    output.flush()
}
