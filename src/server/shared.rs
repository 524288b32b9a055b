//! The state that all threads of a server share.

use super::body::BodyMemory;
use super::connections::{Connections, Reached};
use super::journal::Journal;
use super::port::Ports;
use super::scripts::Scripts;
use super::static_files::StaticFiles;
use super::warning::Warnings;
use crate::judge::verdicts::Verdicts;
use crate::judge::Judge;
use crate::script::catalogue::Catalogue;
use crate::script::random::random_seed;
use crate::script::units::Speed;
use crate::script::Script;
use crate::text::error::Error;
use crate::trace::Trace;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Instant;

/// The state that all threads of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The scripts.
    pub scripts: Scripts,
    /// The files that are served beside them.
    pub static_files: Option<StaticFiles>,
    /// Whether there is a page at `/`, unless a script or a file is there.
    pub has_page: bool,
    /// How fast scripts play.
    pub speed: Speed,
    /// The seed of random waits, numbers and decisions.
    pub seed: u64,
    /// The trace, the log, and the observers at `/-/wire`.
    pub trace: Trace,
    /// Records requests.
    pub journal: Journal,
    /// What came of the expectations of scripts.
    pub verdicts: Verdicts,
    /// The test cases, and the clients that are judged.
    pub judge: Judge,
    /// The number of streams of the results of test cases.
    pub judge_watchers: AtomicUsize,
    /// Whether paths under `/-/` control the server.
    pub control: bool,
    /// Names that `Host` may have in requests under `/-/`, besides `localhost`.
    pub allowed_hosts: Vec<String>,
    /// Clients served at the same time.
    pub max_clients: usize,
    /// When the server was created.
    pub started_at: Instant,
    /// The connections of the clients.
    pub connections: Connections,
    /// The memory for bodies of requests.
    pub body_memory: BodyMemory,
    /// The ports that it listens on.
    pub ports: Ports,
    /// Clients that were accepted so far.
    pub accepted: AtomicU64,
    /// Prints warnings, once the server has started.
    pub warnings: Warnings,
    /// Clients that have a slot, except those that have closed their side while a script waits.
    pub open_clients: AtomicUsize,
    /// Slots that are taken.
    slots: AtomicUsize,
    /// How many clients got a 503 because there was no slot or no thread for them.
    pub rejections: AtomicUsize,
    /// Set once, when the server stops.
    stopping: AtomicBool,
}

impl Shared {
    /// The state of a server before it is configured.
    pub fn new(max_clients: usize) -> Shared {
        Shared {
            scripts: Scripts::default(),
            static_files: None,
            has_page: true,
            speed: Speed::NORMAL,
            seed: random_seed(),
            trace: Trace::default(),
            journal: Journal::new(),
            verdicts: Verdicts::default(),
            judge: Judge::default(),
            judge_watchers: AtomicUsize::new(0),
            control: false,
            allowed_hosts: Vec::new(),
            max_clients,
            started_at: Instant::now(),
            connections: Connections::default(),
            body_memory: BodyMemory::default(),
            ports: Ports::default(),
            accepted: AtomicU64::new(0),
            warnings: Warnings::default(),
            open_clients: AtomicUsize::new(0),
            slots: AtomicUsize::new(0),
            rejections: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
        }
    }

    /// The scripts, after those whose files have changed were loaded again.
    pub fn latest_scripts(&self) -> Arc<Catalogue> {
        for script in self.scripts.load_changed(&self.warnings) {
            self.verdicts.forget(&script);
        }
        self.scripts.current()
    }

    /// Whether the server stops.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Ends all streams and closes all connections, except the one with this number. [`Ports::wake`] then ends the
    /// accepting threads.
    pub fn stop(&self, except: Option<u64>) {
        self.stopping.store(true, Ordering::Relaxed);
        self.connections.interrupt_all(except);
        self.journal.close();
        self.ports.reopen();
        self.trace.observers.remove_all();
    }

    /// Whether a client has a slot.
    pub fn has_clients(&self) -> bool {
        self.slots.load(Ordering::Relaxed) > 0
    }

    /// Replaces the script with the same name, or adds the script.
    ///
    /// # Errors
    /// The scripts could no longer be served together. Nothing is changed then.
    pub fn set_script(&self, script: Script) -> Result<(), Error> {
        let file = script.file.clone();
        self.scripts.set(script)?;
        self.verdicts.forget(&file);
        Ok(())
    }

    /// Restores the state after the start. Streams are dropped last, so that they leave nothing in the journal.
    pub fn reset(&self) {
        self.scripts.reset();
        self.verdicts.clear();
        self.journal.clear();
        self.ports.reopen();
        self.connections.drop_streams(None);
    }

    /// Lets each stream whose script has a pause of this name pass it once. Returns the number of streams.
    pub fn release(&self, name: &str) -> usize {
        self.warn_about_dropped(self.connections.release(name))
    }

    /// Sends a chunk to the streams for a path, which is percent-decoded. Returns the number of streams.
    pub fn send(&self, path: &[u8], bytes: &[u8]) -> usize {
        self.warn_about_dropped(self.connections.send(path, &bytes.into()))
    }

    /// Warns if a stream was dropped. Returns the number of streams that were reached.
    fn warn_about_dropped(&self, reached: Reached) -> usize {
        if reached.dropped > 0 {
            let cause = "too much waits to be sent, because its client does not read";
            self.warnings.warn("dropping a stream", cause);
        }
        reached.streams
    }

    /// Whether streams may continue. This takes no system call.
    ///
    /// # Errors
    /// `ConnectionAborted` when the server stops.
    pub fn check_is_running(&self) -> io::Result<()> {
        if self.is_stopping() {
            return Err(ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

/// Which client this is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    /// The number of its connection, from 1.
    pub number: u64,
    pub ip: IpAddr,
    /// When its connection was accepted.
    pub accepted_at: Instant,
}

/// A place among the clients that are served at the same time, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct ClientSlot(Arc<Shared>);

impl ClientSlot {
    /// Takes a slot, unless all are taken.
    pub fn take(shared: &Arc<Shared>) -> Option<ClientSlot> {
        // Counted before the comparison: a slot too many is given back by dropping it.
        let others = shared.slots.fetch_add(1, Ordering::Relaxed);
        shared.open_clients.fetch_add(1, Ordering::Relaxed);
        let slot = ClientSlot(Arc::clone(shared));
        (others < shared.max_clients).then_some(slot)
    }

    /// The server.
    pub fn shared(&self) -> &Shared {
        &self.0
    }
}

impl Drop for ClientSlot {
    fn drop(&mut self) {
        self.0.open_clients.fetch_sub(1, Ordering::Relaxed);
        self.0.slots.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_when_it_is_dropped() {
        let shared = Arc::new(Shared::new(2));
        let first = ClientSlot::take(&shared);
        let second = ClientSlot::take(&shared);
        assert!(first.is_some() && second.is_some());
        assert!(ClientSlot::take(&shared).is_none());
        drop(first);
        assert!(ClientSlot::take(&shared).is_some());
    }
}
