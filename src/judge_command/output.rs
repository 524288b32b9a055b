//! Reads what a judged client prints: a line of JSON for each event and for each state.

use rust_sse_server::CaseRun;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::process::Child;
use std::sync::{Arc, Once};
use std::thread::{Builder, JoinHandle};

/// The longest line of a client's output that is kept, including its line end. Like the body of a report over HTTP, it has
/// room for the events of all cases, the largest of which has 5 MiB.
const MAX_LINE: usize = 16 << 20;

/// Passes on the lines that the client prints, on a thread that ends with its output.
pub fn report_lines(child: &mut Child, run: Arc<CaseRun>) -> Option<JoinHandle<()>> {
    let mut output = BufReader::new(child.stdout.take()?);
    let read = move || {
        let mut line = Vec::new();
        while let Ok(Some(length)) = read_line(&mut output, &mut line) {
            if length > MAX_LINE {
                warn_about_long_line();
            } else {
                run.report(&String::from_utf8_lossy(&line));
            }
        }
    };
    Builder::new().name("client output".to_owned()).spawn(read).ok()
}

/// Reads a line and returns its length, or `None` at the end of the output. Of a line that is too long, the rest is read as
/// well, because a client blocks when nobody reads its output, but it is not kept.
fn read_line(output: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<usize>> {
    line.clear();
    output.take(MAX_LINE as u64 + 1).read_until(b'\n', line)?;
    let mut length = line.len();
    let mut is_complete = line.last() == Some(&b'\n');
    while length > MAX_LINE && !is_complete {
        let bytes = match output.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        let line_end = bytes.iter().position(|&byte| byte == b'\n');
        is_complete = line_end.is_some() || bytes.is_empty();
        let read = line_end.map_or(bytes.len(), |at| at + 1);
        output.consume(read);
        length += read;
    }
    Ok(Some(length).filter(|length| *length > 0))
}

/// Warns once: a client that prints such a line usually does so in every case.
fn warn_about_long_line() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        // An error here means that stderr is closed, and there is no other place to report it.
        let _ = writeln!(
            io::stderr(),
            "rust_sse_server: warning: the client printed a line of more than {} MiB, which is ignored (each event has to be \
             a line of JSON)",
            MAX_LINE >> 20
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_line_that_is_too_long_is_not_kept() {
        let mut output = b"short\n".to_vec();
        output.resize(6 + 2 * MAX_LINE, b'x');
        output.extend_from_slice(b"\n\nlast");
        let (mut output, mut line) = (output.as_slice(), Vec::new());
        for (length, kept) in [(6, 6), (2 * MAX_LINE + 1, MAX_LINE + 1), (1, 1), (4, 4)] {
            assert_eq!(read_line(&mut output, &mut line).unwrap(), Some(length));
            assert_eq!(line.len(), kept);
        }
        assert_eq!(read_line(&mut output, &mut line).unwrap(), None);
    }

    #[test]
    fn a_line_of_the_largest_size_is_kept() {
        let text = [vec![b'x'; MAX_LINE - 1], b"\n".to_vec()].concat();
        let (mut output, mut line) = (text.as_slice(), Vec::new());
        assert_eq!(read_line(&mut output, &mut line).unwrap(), Some(MAX_LINE));
        assert_eq!(line, text);
    }
}
