//! Compares the events that a client reports with those that it has to dispatch.

use crate::text::escape::escape;
use crate::text::json_reader::string_member;
use crate::trace::recording::{Dispatched, TimedEvent};
use std::time::{Duration, Instant};

/// The most bytes of data in a description.
const MAX_DATA: usize = 60;

/// An event that a client has dispatched.
#[derive(Clone, Debug)]
pub struct ReportedEvent {
    event_type: String,
    data: String,
    /// The last event ID, if the client tells it.
    last_event_id: Option<String>,
    at: Instant,
}

impl ReportedEvent {
    /// Reads a line of JSON with `type`, `data` and `id`; without `type` it is `message`. `None` for a line without `data`.
    pub fn parse(line: &str) -> Option<ReportedEvent> {
        Some(ReportedEvent {
            event_type: string_member(line, "type").unwrap_or_else(|| "message".to_owned()),
            data: string_member(line, "data")?,
            last_event_id: string_member(line, "id"),
            at: Instant::now(),
        })
    }

    fn is(&self, event: &Dispatched) -> bool {
        let has_id = self.last_event_id.as_ref().map_or(true, |id| *id == event.last_event_id);
        self.event_type == event.event_type && self.data == event.data && has_id
    }
}

/// Compares, in their order, the events that were sent and those that are reported.
#[derive(Debug, Default)]
pub struct EventCheck {
    /// How many reported events match those that were sent.
    matches: usize,
    /// The first event that was reported and is not the one that was sent.
    pub mismatch: Option<Mismatch>,
    /// The longest time from an event to its report.
    pub longest_delay: Duration,
}

/// Two descriptions of an event.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// What was sent.
    pub expected: String,
    /// What was reported.
    pub got: String,
    /// The number of the response that it is about.
    pub response: u64,
}

impl EventCheck {
    /// Compares the next event that is reported. What was sent is known by then: it is recorded before it is sent.
    pub fn add(&mut self, sent: &[TimedEvent], got: &ReportedEvent) {
        if self.mismatch.is_some() {
            return;
        }
        match sent.get(self.matches) {
            Some(sent) if got.is(&sent.event) => {
                let delay = sent.sent_at.map(|sent_at| got.at.saturating_duration_since(sent_at));
                self.longest_delay = self.longest_delay.max(delay.unwrap_or_default());
                self.matches += 1;
            }
            other => {
                let expected = other.map(|sent| describe(&sent.event));
                let expected = expected.unwrap_or_else(|| "no further event".to_owned());
                let response = other.or_else(|| sent.last()).map_or(0, |sent| sent.response);
                self.mismatch = Some(Mismatch { expected, got: describe_report(got), response });
            }
        }
    }

    /// The first event that was sent and not reported.
    pub fn missing(&self, sent: &[TimedEvent]) -> Option<String> {
        sent.get(self.matches).map(|sent| describe(&sent.event))
    }
}

fn describe(event: &Dispatched) -> String {
    let id = &event.last_event_id;
    let id = if id.is_empty() { String::new() } else { format!(", id `{}`", escape(id)) };
    format!("event `{}` with data {}{id}", escape(&event.event_type), quote(&event.data))
}

fn describe_report(event: &ReportedEvent) -> String {
    describe(&Dispatched {
        event_type: event.event_type.clone(),
        data: event.data.clone(),
        last_event_id: event.last_event_id.clone().unwrap_or_default(),
    })
}

/// The data between backticks, or how much of it there is.
fn quote(data: &str) -> String {
    if data.len() > MAX_DATA {
        format!("of {} bytes", data.len())
    } else {
        format!("`{}`", escape(data))
    }
}
