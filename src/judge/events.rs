//! Compares the events that a client reports with those that it has to dispatch.

use super::reports::ReportedEvent;
use crate::text::escape::escape;
use crate::trace::recording::{Dispatched, TimedEvent};
use std::time::Duration;

/// The most bytes of data in a description.
const MAX_DATA: usize = 60;

/// The type of an event that a client can report as its state `error` instead. Some clients do not tell one from the other.
pub const ERROR_EVENT: &str = "error";
/// The type of an event that a client need not report. Clients of large language models ignore such events.
const PING_EVENT: &str = "ping";

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
        let is_ignored =
            |sent: &&TimedEvent| sent.event.event_type == PING_EVENT && !is_same(got, &sent.event);
        self.matches += sent[self.matches..].iter().take_while(is_ignored).count();
        match sent.get(self.matches) {
            Some(sent) if is_same(got, &sent.event) => {
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

    /// Takes the state `error`, in place of an event of that type if it is the next.
    pub fn add_error(&mut self, sent: &[TimedEvent]) {
        let is_next = |sent: &TimedEvent| sent.event.event_type == ERROR_EVENT;
        self.matches += usize::from(sent.get(self.matches).map_or(false, is_next));
    }

    /// The first event that was sent and not reported.
    pub fn missing(&self, sent: &[TimedEvent]) -> Option<String> {
        let is_required = |sent: &&TimedEvent| sent.event.event_type != PING_EVENT;
        sent[self.matches..].iter().find(is_required).map(|sent| describe(&sent.event))
    }
}

fn is_same(got: &ReportedEvent, event: &Dispatched) -> bool {
    let has_id = got.last_event_id.as_ref().map_or(true, |id| *id == event.last_event_id);
    got.event_type == event.event_type && got.data == event.data && has_id
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
