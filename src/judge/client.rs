//! A client that is judged: what is known about it beyond a single case.

use std::sync::atomic::{AtomicBool, Ordering};

/// A client that is judged. All of its runs share it.
#[derive(Debug)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// If it has reported any event in one of the cases, an event that it has not reported was not dispatched.
    pub reports_events: Flag,
    /// The same for the states `open` and `error`.
    pub reports_states: Flag,
}

impl Client {
    /// A client that has not reported anything yet.
    pub fn new(name: &str) -> Client {
        Client { name: name.to_owned(), reports_events: Flag::default(), reports_states: Flag::default() }
    }
}

/// A flag that is never cleared once it is set.
#[derive(Debug, Default)]
pub struct Flag(AtomicBool);

impl Flag {
    /// Notes that it is known.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is known.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
