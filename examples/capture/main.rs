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
        let result = capture(io::stdin().lock(), io::stdout().lock());
        return if is_closed_pipe(&result) { Ok(()) } else { result };
    }
    let mut curl = Command::new("curl");
    curl.args(["-sSN", "--raw", "-D", "-"]).args(arguments).stdout(Stdio::piped());
    let mut curl =
        curl.spawn().map_err(|error| io::Error::new(error.kind(), format!("cannot start curl: {error}")))?;
    if let Some(response) = curl.stdout.take() {
        let result = capture(response, io::stdout().lock());
        if is_closed_pipe(&result) {
            curl.kill()?;
            curl.wait()?;
            return Ok(());
        }
        result?;
    }
    // curl says what is wrong, and its status tells it: 18 for a stream that was cut off.
    exit(curl.wait()?.code().unwrap_or(1));
}

/// Whether the reader of stdout has closed it, as `head` does. That is no error.
fn is_closed_pipe(result: &io::Result<()>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::BrokenPipe)
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
