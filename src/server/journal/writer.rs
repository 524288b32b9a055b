//! Writes each entry of the journal to a file, on one thread, so that a file that blocks or cannot be written stops no
//! client.

use super::entry::JournalEntry;
use crate::server::warning::Warnings;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender};
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

/// Entries that wait to be written, and their bytes; at least one may wait, however large it is. Further ones are not
/// written. The queue fills up only if the file blocks, as a pipe does that nobody reads.
const MAX_QUEUED: usize = 256;
const MAX_QUEUED_BYTES: usize = 16 * 1024 * 1024;
/// How long to wait until a request is written before it is answered, and until the end of a response is written before
/// the next request. A test that has the response then finds the request in the file. While a file blocks, only the
/// first entry is waited for.
const WRITE_TIME: Duration = Duration::from_millis(100);

/// Passes entries to the thread that writes them.
#[derive(Debug)]
pub(crate) struct EntryWriter {
    queue: SyncSender<Queued>,
    state: Arc<State>,
    warnings: Warnings,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes of the entries in the queue.
    queued_bytes: AtomicUsize,
    /// An entry has waited longer than `WRITE_TIME`, and nothing was written since.
    is_blocked: AtomicBool,
}

#[derive(Debug)]
struct Queued {
    entry: Arc<JournalEntry>,
    /// Dropped when the entry has been written, which ends the wait of its client's thread.
    _writing: SyncSender<()>,
}

impl EntryWriter {
    /// Starts the thread. It ends when this is dropped.
    ///
    /// # Errors
    /// The system cannot start another thread.
    pub fn start(writer: Box<dyn Write + Send>, warnings: Warnings) -> io::Result<EntryWriter> {
        let (queue, receiver) = sync_channel(MAX_QUEUED);
        let entry_writer = EntryWriter { queue, state: Arc::default(), warnings: warnings.clone() };
        let state = Arc::clone(&entry_writer.state);
        let run = move || write_entries(&receiver, Lines::new(writer), &state, &warnings);
        Builder::new().name("recorder".to_owned()).spawn(run)?;
        Ok(entry_writer)
    }

    /// Writes an entry. Waits until that is done, for [`WRITE_TIME`] at most.
    pub fn write(&self, entry: &Arc<JournalEntry>) {
        let State { queued_bytes, is_blocked } = &*self.state;
        let size = entry.size();
        let (writing, written) = sync_channel(0);
        let queued = Queued { entry: Arc::clone(entry), _writing: writing };
        let others = queued_bytes.fetch_add(size, Ordering::Relaxed);
        if others > MAX_QUEUED_BYTES || self.queue.try_send(queued).is_err() {
            queued_bytes.fetch_sub(size, Ordering::Relaxed);
            self.warnings.warn("cannot record a request", "the file takes them too slowly");
        } else if !is_blocked.load(Ordering::Relaxed)
            && written.recv_timeout(WRITE_TIME) == Err(RecvTimeoutError::Timeout)
        {
            is_blocked.store(true, Ordering::Relaxed);
        }
    }
}

fn write_entries(queue: &Receiver<Queued>, mut lines: Lines<impl Write>, state: &State, warnings: &Warnings) {
    for Queued { entry, _writing } in queue {
        // A full disk is no reason to reject a client.
        if let Err(error) = lines.write(entry.to_json().into_bytes()) {
            warnings.warn("cannot record a request", error);
        }
        state.queued_bytes.fetch_sub(entry.size(), Ordering::Relaxed);
        state.is_blocked.store(false, Ordering::Relaxed);
    }
}

/// Writes whole lines: when a write fails in the middle of a line, its rest is written before the next line.
struct Lines<W> {
    writer: W,
    rest: Vec<u8>,
}

impl<W: Write> Lines<W> {
    fn new(writer: W) -> Lines<W> {
        Lines { writer, rest: Vec::new() }
    }

    /// Writes a line, which includes its LF. After an error, either the line is lost, or its beginning was written and the
    /// rest follows later.
    fn write(&mut self, line: Vec<u8>) -> io::Result<()> {
        self.write_rest()?;
        let length = line.len();
        self.rest = line;
        let result = self.write_rest();
        if self.rest.len() == length {
            self.rest.clear();
        }
        result
    }

    fn write_rest(&mut self) -> io::Result<()> {
        while !self.rest.is_empty() {
            match self.writer.write(&self.rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.rest.drain(..written)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for this many bytes.
    struct Disk {
        room: usize,
        written: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let length = bytes.len().min(self.room);
            if length == 0 {
                return Err(ErrorKind::Other.into());
            }
            self.room -= length;
            self.written.extend_from_slice(&bytes[..length]);
            Ok(length)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_a_full_disk_has_cut_is_completed_before_the_next() {
        let mut lines = Lines::new(Disk { room: 10, written: Vec::new() });
        lines.write(b"line 1\n".to_vec()).unwrap();
        lines.write(b"line 2\n".to_vec()).unwrap_err();
        lines.write(b"line 3\n".to_vec()).unwrap_err();
        lines.writer.room = 4;
        lines.write(b"line 4\n".to_vec()).unwrap_err();
        assert_eq!(lines.writer.written, b"line 1\nline 2\n");
        lines.writer.room = 100;
        lines.write(b"line 5\n".to_vec()).unwrap();
        assert_eq!(lines.writer.written, b"line 1\nline 2\nline 5\n");
    }
}
