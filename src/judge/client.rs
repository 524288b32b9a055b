//! A client that is judged: what is known about it beyond a single case.

use std::sync::atomic::AtomicBool;

/// A client that is judged. All of its runs share it.
#[derive(Debug)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Whether it has reported an event in any of the cases. Then an event that it has not reported was not dispatched.
    pub reports_events: AtomicBool,
    /// The same for the states `open` and `error`.
    pub reports_states: AtomicBool,
}

impl Client {
    /// A client that has not reported anything yet.
    pub fn new(name: &str) -> Client {
        let (reports_events, reports_states) = (AtomicBool::new(false), AtomicBool::new(false));
        Client { name: name.to_owned(), reports_events, reports_states }
    }
}
