//! Turns the stream on its stdin into a script that plays with the same timing: wherever the stream paused, the script
//! has a `@sleep` line.
//!
//! ```text
//! curl -sN https://example.org/events | cargo run --example record > capture.sse
//! cargo run -- --script capture.sse
//! ```

use std::io::{self, ErrorKind, Read, Write};
use std::time::Instant;

/// Shorter pauses come from the network, not from the server.
const SHORTEST_PAUSE_MS: u128 = 5;

fn main() -> io::Result<()> {
    match record(io::stdin().lock(), io::stdout().lock()) {
        // The reader of the pipe has closed it, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

fn record(mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut buffer = [0; 64 * 1024];
    let mut last = None;
    let mut at_line_start = true;
    // `{{ }}` in the stream is text, not a placeholder.
    output.write_all(b"@literal on\n@chunk whole\n")?;
    loop {
        let length = input.read(&mut buffer)?;
        if length == 0 {
            return output.flush();
        }
        let now = Instant::now();
        let pause = last.map_or(0, |last| now.duration_since(last).as_millis());
        // Shortcut: a pause inside a line is added to the next one. To keep it, `@send` would have to split the line.
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
