//! What has happened so far in a run of a test case.

use super::events::EventCheck;
use super::reports::States;
use std::time::{Duration, Instant};

/// How long to wait for what has happened but is not known yet: requests that a client sent before it ended, and reports of
/// events, which can arrive after its next request. Whether a client reports events at all is not known before its first.
pub const SETTLE_TIME: Duration = Duration::from_millis(100);
/// The longest time for a case, even while the connection is open.
const RUN_TIME: Duration = Duration::from_secs(30);

/// What has happened so far.
#[derive(Debug)]
pub struct Progress {
    pub began_at: Instant,
    pub requests: usize,
    /// Responses that are being sent.
    pub open: usize,
    /// When something last happened.
    pub active_at: Instant,
    pub client_ended_at: Option<Instant>,
    /// When the last response ended.
    pub response_ended_at: Option<Instant>,
    pub events: EventCheck,
    pub states: States,
}

impl Progress {
    /// Nothing has happened yet.
    pub fn new() -> Progress {
        let now = Instant::now();
        Progress {
            began_at: now,
            requests: 0,
            open: 0,
            active_at: now,
            client_ended_at: None,
            response_ended_at: None,
            events: EventCheck::default(),
            states: States::default(),
        }
    }

    /// Whether nothing more can happen, or the time is up.
    pub fn is_over(&self, now: Instant) -> bool {
        let client_is_gone = self.client_ended_at.map_or(false, |ended_at| now > ended_at + SETTLE_TIME);
        client_is_gone || now > self.began_at + RUN_TIME
    }

    /// How long nothing has happened.
    pub fn idle(&self, now: Instant) -> Duration {
        if self.open > 0 {
            Duration::ZERO
        } else {
            now.saturating_duration_since(self.active_at)
        }
    }
}
