//! Captures a stream: reads a response on stdin, as curl prints it, and prints the script that sends the same bytes at the
//! same times.
//!
//! ```text
//! curl -isSN --raw URL | rust_sse_server --capture > x.sse
//! ```

use rust_sse_server::internals::Capture;
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// Bytes that are read at a time.
const BUFFER: usize = 64 * 1024;

/// How much longer curl takes to send its request than this program takes to start; 3 to 11 ms were measured. This is
/// subtracted from the time to the first byte. Otherwise, each capture of a replayed capture would be later than the
/// one before.
const START_OF_CURL: Duration = Duration::from_millis(5);

/// Reads stdin to its end, and writes the script to stdout.
///
/// # Errors
/// Stdin is empty or cannot be read, or stdout cannot be written. It is not an error if the reader of stdout has closed it,
/// as `head` does.
pub fn capture() -> Result<(), String> {
    match copy(io::stdin().lock(), io::stdout().lock()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| format!("cannot capture the stream: {error}")),
    }
}

/// Writes the script as the response arrives: an endless stream is captured until Ctrl-C.
fn copy(mut response: impl Read, mut output: impl Write) -> io::Result<()> {
    let start = Instant::now() + START_OF_CURL;
    let mut capture = Capture::default();
    let mut is_empty = true;
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = match response.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        };
        let at = Instant::now().saturating_duration_since(start);
        if length == 0 && is_empty {
            let message = "standard input is empty, so there was no response (add -S to curl to see why)";
            return Err(io::Error::new(ErrorKind::UnexpectedEof, message));
        }
        is_empty = false;
        if length == 0 {
            output.write_all(&capture.end(at))?;
            return output.flush();
        }
        output.write_all(&capture.add(at, &buffer[..length]))?;
        output.flush()?;
    }
}
