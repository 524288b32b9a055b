//! Prints on stderr: errors in scripts that are loaded again, and warnings about problems that can occur a hundred times a
//! second.

use crate::text::escape::for_terminal;
use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// The time between two warnings about the same problem.
const PAUSE: Duration = Duration::from_secs(60);
/// Warnings that wait to be printed. There are few kinds, so further ones are most likely the same again.
const MAX_QUEUED: usize = 16;

/// Passes warnings to the thread that prints them, if one was started. Writing to stderr can block; nothing else waits for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Warnings(Option<SyncSender<Message>>);

#[derive(Debug)]
enum Message {
    Warning { problem: &'static str, cause: String },
    Lines(Vec<String>),
}

impl Warnings {
    /// Starts the thread. It ends when the last of these is dropped.
    ///
    /// # Errors
    /// The system cannot start another thread.
    pub fn start() -> io::Result<Warnings> {
        let (sender, receiver) = sync_channel(MAX_QUEUED);
        Builder::new().name("warnings".to_owned()).spawn(move || print(&receiver))?;
        Ok(Warnings(Some(sender)))
    }

    /// Prints `problem: cause`, unless the same problem was printed in the last minute. Never blocks.
    pub fn warn(&self, problem: &'static str, cause: impl Display) {
        self.pass_on(Message::Warning { problem, cause: cause.to_string() });
    }

    /// Prints lines. Never blocks.
    pub fn print(&self, lines: Vec<String>) {
        self.pass_on(Message::Lines(lines));
    }

    fn pass_on(&self, message: Message) {
        if let Some(sender) = &self.0 {
            let _ = sender.try_send(message);
        }
    }
}

fn print(messages: &Receiver<Message>) {
    let mut printed: HashMap<&str, Instant> = HashMap::new();
    for message in messages {
        match message {
            Message::Lines(lines) => lines.iter().flat_map(|text| text.lines()).for_each(print_line),
            Message::Warning { problem, cause } => {
                if printed.get(problem).map_or(true, |time| time.elapsed() > PAUSE) {
                    printed.insert(problem, Instant::now());
                    print_line(&format!("rust_sse_server: {problem}: {cause}"));
                }
            }
        }
    }
}

fn print_line(line: &str) {
    // If stderr is closed, there is nowhere to report that.
    let _ = io::stderr().write_all(format!("{}\n", for_terminal(line)).as_bytes());
}
