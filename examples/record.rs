//! Turns a stream that is piped into it into a script that plays with the same timing: a `@sleep` line stands wherever the
//! stream paused.
//!
//! ```text
//! curl -sN https://example.org/events | cargo run --example record > capture.sse
//! cargo run -- --script capture.sse
//! ```

use std::io::{self, ErrorKind, Read, Write};
use std::time::Instant;

/// Shorter pauses are the network's, not the server's.
const SHORTEST_PAUSE_MS: u128 = 5;

fn main() -> io::Result<()> {
    match record(io::stdin().lock(), io::stdout().lock()) {
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

fn record(mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut buffer = [0; 64 * 1024];
    let mut last = None;
    let mut at_line_start = true;
    // What looks like a placeholder is text here.
    output.write_all(b"@literal on\n@chunk whole\n")?;
    loop {
        let length = input.read(&mut buffer)?;
        if length == 0 {
            return output.flush();
        }
        let now = Instant::now();
        let pause = last.map_or(0, |last| now.duration_since(last).as_millis());
        // A pause inside a line would need `@send`; the line waits for its end instead.
        if pause >= SHORTEST_PAUSE_MS && at_line_start {
            writeln!(output, "@sleep {pause}ms")?;
            last = Some(now);
        }
        last.get_or_insert(now);
        for line in buffer[..length].split_inclusive(|&byte| byte == b'\n') {
            if at_line_start && line.starts_with(b"@") {
                output.write_all(b"@")?;
            }
            output.write_all(line)?;
            at_line_start = line.ends_with(b"\n");
        }
        output.flush()?;
    }
}
