//! A client that is judged: what is known about it beyond a single case.

use std::sync::atomic::{AtomicBool, Ordering};

/// A client that is judged. All of its runs share it.
#[derive(Debug)]
pub struct Client {
    /// Its name.
    pub name: String,
    reports: AtomicBool,
}

impl Client {
    /// A client that has not reported an event yet.
    pub fn new(name: &str) -> Client {
        Client { name: name.to_owned(), reports: AtomicBool::new(false) }
    }

    /// Notes that the client has reported an event.
    pub fn record_report(&self) {
        self.reports.store(true, Ordering::Relaxed);
    }

    /// Whether the client has reported an event in any case. If so, an event that it has not reported was not
    /// dispatched.
    pub fn reports_events(&self) -> bool {
        self.reports.load(Ordering::Relaxed)
    }
}
