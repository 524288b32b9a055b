//! Shows how many cases are decided, in one line on a terminal, which is overwritten each time.

use std::io::Write;

/// The line. It is removed when this is dropped.
pub struct Progress {
    cases: usize,
    /// A terminal, if there is one.
    output: Option<Box<dyn Write>>,
    width: usize,
}

impl Progress {
    /// A line about this many cases. Without a terminal, nothing is shown.
    pub fn new(cases: usize, terminal: Option<Box<dyn Write>>) -> Progress {
        let mut progress = Progress { cases, output: terminal, width: 0 };
        progress.show(0);
        progress
    }

    /// Shows that this many are decided.
    pub fn show(&mut self, decided: usize) {
        let line = format!("{decided} of {} cases", self.cases);
        self.width = line.len();
        self.write(&line);
    }

    /// Errors are ignored: a terminal that cannot be written to is no reason to stop.
    fn write(&mut self, line: &str) {
        if let Some(output) = &mut self.output {
            let _ = write!(output, "{line}\r").and_then(|()| output.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.write(&" ".repeat(self.width));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, ErrorKind};
    use std::sync::mpsc::{channel, Sender};

    struct Terminal(Sender<u8>);

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let sent = bytes.iter().try_for_each(|&byte| self.0.send(byte));
            sent.map(|()| bytes.len()).map_err(|error| io::Error::new(ErrorKind::BrokenPipe, error))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_line_is_written_again_and_then_removed() {
        let (sender, receiver) = channel();
        let mut progress = Progress::new(12, Some(Box::new(Terminal(sender))));
        progress.show(9);
        drop(progress);
        let text: Vec<u8> = receiver.iter().collect();
        assert_eq!(text, b"0 of 12 cases\r9 of 12 cases\r             \r");
    }

    #[test]
    fn a_missing_or_closed_terminal_is_ignored() {
        let (sender, receiver) = channel();
        drop(receiver);
        Progress::new(12, Some(Box::new(Terminal(sender)))).show(1);
        Progress::new(12, None).show(1);
    }
}
