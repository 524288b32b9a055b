//! Keeps the requests that were received and the ends of their responses, for tests that check what a client did.

pub mod entry;
pub mod recorded_request;
pub mod writer;

use crate::text::lock::lock;
use entry::{JournalEntry, RecordedEnd};
use recorded_request::RecordedRequest;
use std::collections::VecDeque;
use std::iter;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use writer::EntryWriter;

/// Entries kept in memory, 10,000 requests and their ends; beyond this number, the oldest are removed. Few tests send
/// as many.
const MAX_ENTRIES: usize = 20_000;
/// Bytes of all entries that are kept. The last request is kept even if it alone has more.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What was recorded.
#[derive(Debug)]
pub(crate) struct Journal {
    /// Whether entries are kept in memory.
    pub keeps: bool,
    entries: Mutex<Entries>,
    /// Notified of each entry, and when there will be no more.
    changed: Condvar,
    /// Writes each entry to a file, if there is one.
    pub writer: Option<EntryWriter>,
}

#[derive(Debug, Default)]
pub(crate) struct Entries {
    kept: VecDeque<Arc<JournalEntry>>,
    bytes: usize,
    /// How many entries there were.
    count: usize,
    /// How many of them were requests.
    requests: usize,
    /// How often the journal was emptied.
    generation: usize,
    /// The server stops.
    is_closed: bool,
}

/// A request in the journal, to which the end of its response belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded {
    number: usize,
    generation: usize,
}

impl Journal {
    /// A journal that keeps its entries in memory.
    pub fn new() -> Journal {
        Journal { keeps: true, entries: Mutex::default(), changed: Condvar::new(), writer: None }
    }

    /// Whether anything is recorded.
    pub fn is_on(&self) -> bool {
        self.keeps || self.writer.is_some()
    }

    /// Records a request.
    pub fn add_request(&self, mut request: RecordedRequest) -> Recorded {
        let mut entries = lock(&self.entries);
        entries.requests += 1;
        request.number = entries.requests;
        request.entry = entries.count + 1;
        let recorded = Recorded { number: request.number, generation: entries.generation };
        self.add(entries, JournalEntry::Request(request));
        recorded
    }

    /// Records the end of the response to a request, unless the journal was emptied since.
    pub fn add_end(&self, request: Recorded, mut end: RecordedEnd) {
        let entries = lock(&self.entries);
        if request.generation == entries.generation {
            end.number = request.number;
            end.entry = entries.count + 1;
            self.add(entries, JournalEntry::End(end));
        }
    }

    fn add(&self, mut entries: MutexGuard<'_, Entries>, entry: JournalEntry) {
        let entry = Arc::new(entry);
        entries.count += 1;
        if self.keeps {
            entries.keep(Arc::clone(&entry));
            self.changed.notify_all();
        }
        drop(entries);
        if let Some(writer) = &self.writer {
            writer.write(&entry);
        }
    }

    /// Forgets all entries, and counts from 1 again.
    pub fn clear(&self) {
        let mut entries = lock(&self.entries);
        let (generation, is_closed) = (entries.generation + 1, entries.is_closed);
        *entries = Entries { generation, is_closed, ..Entries::default() };
    }

    /// Ends all waits, from now on.
    pub fn close(&self) {
        lock(&self.entries).is_closed = true;
        self.changed.notify_all();
    }

    /// The entries that are kept now, from the one with this number on, except those that are removed before they are
    /// reached. So a client that reads them slowly keeps only the current one in memory.
    pub fn entries(&self, from: usize) -> impl Iterator<Item = Arc<JournalEntry>> + '_ {
        let (end, generation) = {
            let entries = lock(&self.entries);
            (entries.count, entries.generation)
        };
        let mut next = from.max(1);
        iter::from_fn(move || {
            let entries = lock(&self.entries);
            next = next.max(entries.removed() + 1);
            if next > end || entries.generation != generation {
                return None;
            }
            next += 1;
            entries.get(next - 1)
        })
    }

    /// Waits until `find` finds something, for `time` at most.
    pub fn wait_for<T>(&self, time: Duration, find: impl Fn(&Entries) -> Option<T>) -> Option<T> {
        let is_waiting = |entries: &mut Entries| !entries.is_closed && find(entries).is_none();
        let waited = self.changed.wait_timeout_while(lock(&self.entries), time, is_waiting);
        find(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}

impl Entries {
    fn keep(&mut self, entry: Arc<JournalEntry>) {
        self.bytes += entry.size();
        self.kept.push_back(entry);
        while self.kept.len() > MAX_ENTRIES || (self.bytes > MAX_BYTES && !self.begins_with_last_request()) {
            self.bytes -= self.kept.pop_front().map_or(0, |oldest| oldest.size());
        }
    }

    /// Whether the oldest entry that is kept is the last request. Only ends of responses, which are small, can follow it.
    fn begins_with_last_request(&self) -> bool {
        matches!(self.kept.front().map(Arc::as_ref), Some(JournalEntry::Request(request)) if request.number == self.requests)
    }

    /// How many entries are no longer kept.
    fn removed(&self) -> usize {
        self.count - self.kept.len()
    }

    /// The entry with this number, from 1.
    pub fn get(&self, number: usize) -> Option<Arc<JournalEntry>> {
        self.kept.get(number.checked_sub(self.removed() + 1)?).cloned()
    }

    /// The request with this number, from 1.
    pub fn request(&self, number: usize) -> Option<Arc<JournalEntry>> {
        self.find(|entry| matches!(entry, JournalEntry::Request(request) if request.number == number))
    }

    /// The end of the response to the request with this number.
    pub fn end(&self, number: usize) -> Option<Arc<JournalEntry>> {
        self.find(|entry| matches!(entry, JournalEntry::End(end) if end.number == number))
    }

    fn find(&self, is_it: impl Fn(&JournalEntry) -> bool) -> Option<Arc<JournalEntry>> {
        self.kept.iter().find(|entry| is_it(entry)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(journal: &Journal, body: &[u8]) -> Recorded {
        journal.add_request(RecordedRequest { body: body.to_vec(), ..RecordedRequest::default() })
    }

    fn bodies(journal: &Journal, from: usize) -> Vec<String> {
        let body = |entry: Arc<JournalEntry>| match &*entry {
            JournalEntry::Request(request) => String::from_utf8(request.body.clone()).unwrap(),
            JournalEntry::End(end) => format!("end {}", end.number),
        };
        journal.entries(from).map(body).collect()
    }

    #[test]
    fn the_oldest_entries_are_removed_first() {
        let journal = Journal::new();
        for _ in 0..20 {
            add(&journal, &vec![b'x'; 1 << 20]);
        }
        assert_eq!(journal.entries(1).count(), 15);
        for n in 0..MAX_ENTRIES + 5 {
            add(&journal, n.to_string().as_bytes());
        }
        let kept = bodies(&journal, 1);
        assert_eq!((kept.len(), &*kept[0]), (MAX_ENTRIES, "5"));
        assert_eq!(bodies(&journal, 20 + MAX_ENTRIES + 4), ["20003", "20004"]);
    }

    #[test]
    fn the_last_request_is_kept_however_large_until_the_next() {
        let journal = Journal::new();
        let earlier = add(&journal, b"earlier");
        let large = add(&journal, &vec![b'x'; 2 * MAX_BYTES]);
        assert_eq!(journal.entries(1).count(), 1);
        journal.add_end(earlier, RecordedEnd::default());
        journal.add_end(large, RecordedEnd::default());
        assert_eq!(bodies(&journal, 1)[1..], ["end 1", "end 2"]);
        add(&journal, b"later");
        assert_eq!(bodies(&journal, 1), ["end 1", "end 2", "later"]);
    }

    #[test]
    fn entries_that_are_removed_while_they_are_read_are_left_out() {
        let journal = Journal::new();
        for n in 0..MAX_ENTRIES {
            add(&journal, n.to_string().as_bytes());
        }
        let mut reading = journal.entries(1);
        reading.next();
        for _ in 0..5 {
            add(&journal, b"later");
        }
        assert_eq!(reading.count(), MAX_ENTRIES - 5);
    }

    #[test]
    fn an_end_has_the_number_of_its_request_and_is_left_out_when_the_journal_was_emptied() {
        let journal = Journal::new();
        let (first, second) = (add(&journal, b"a"), add(&journal, b"b"));
        journal.add_end(second, RecordedEnd::default());
        assert_eq!(bodies(&journal, 1), ["a", "b", "end 2"]);
        assert_eq!(bodies(&journal, 3), ["end 2"]);
        journal.clear();
        journal.add_end(first, RecordedEnd::default());
        add(&journal, b"c");
        assert_eq!(bodies(&journal, 1), ["c"]);
    }

    #[test]
    fn a_wait_ends_when_the_entry_is_there_the_time_is_over_or_the_server_stops() {
        let journal = Journal::new();
        assert!(journal.wait_for(Duration::from_millis(20), |entries| entries.request(1)).is_none());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| journal.wait_for(Duration::from_secs(20), |entries| entries.end(1)));
            journal.add_end(add(&journal, b"a"), RecordedEnd::default());
            assert!(waiting.join().unwrap().is_some());
            let waiting = scope.spawn(|| journal.wait_for(Duration::from_secs(20), |entries| entries.get(3)));
            journal.close();
            assert!(waiting.join().unwrap().is_none());
        });
    }
}
