//! What a client reports, a line of JSON each: the events that it dispatches, and its states.

use crate::script::condition::reports::ClientState;
use crate::text::json_reader::string_member;
use std::time::{Duration, Instant};

/// The most states that are kept of a run. A client that reconnects at once reports two for each connection.
const MAX_STATES: usize = 1_000;

/// A line.
#[derive(Clone, Debug)]
pub enum ReportLine {
    /// `{"type":"message","data":"x","id":"7"}`
    Event(ReportedEvent),
    /// `{"state":"error","message":"connection lost"}`
    State(ReportedState),
}

/// An event that a client has dispatched.
#[derive(Clone, Debug)]
pub struct ReportedEvent {
    pub event_type: String,
    pub data: String,
    /// The last event ID, if the client tells it.
    pub last_event_id: Option<String>,
    pub at: Instant,
}

/// A state that a client has entered.
#[derive(Clone, Debug)]
pub struct ReportedState {
    pub state: ClientState,
    /// More about it, for people.
    pub message: Option<String>,
}

impl ReportLine {
    /// Reads a line of JSON: an event has `data`, and can have `type` (without it, that is `message`) and `id`; a state has
    /// `state`, and can have `message`. `None` for any other line.
    pub fn parse(line: &str) -> Option<ReportLine> {
        if let Some(data) = string_member(line, "data") {
            return Some(ReportLine::Event(ReportedEvent {
                event_type: string_member(line, "type").unwrap_or_else(|| "message".to_owned()),
                data,
                last_event_id: string_member(line, "id"),
                at: Instant::now(),
            }));
        }
        let state = ClientState::named(&string_member(line, "state")?)?;
        Some(ReportLine::State(ReportedState { state, message: string_member(line, "message") }))
    }
}

/// The states that a client has reported so far, in their order.
#[derive(Debug, Default)]
pub struct States {
    states: Vec<ClientState>,
    /// For each, how long before it the last head was sent.
    delays: Vec<Duration>,
    /// When the client has reported that it has closed the stream.
    pub closed_at: Option<Instant>,
}

impl States {
    /// Adds a state. The last head was sent at this time, if it was.
    pub fn add(&mut self, state: ClientState, head_sent_at: Option<Instant>) {
        let now = Instant::now();
        if state == ClientState::Closed {
            self.closed_at.get_or_insert(now);
        }
        if self.states.len() < MAX_STATES {
            let delay = head_sent_at.map(|sent_at| now.saturating_duration_since(sent_at));
            self.states.push(state);
            self.delays.push(delay.unwrap_or_default());
        }
    }

    /// How long before the last of these states the last head was sent, if all were reported in this order. Others can be
    /// between them: a busy server can refuse a connection.
    pub fn find(&self, expected: &[ClientState]) -> Option<Duration> {
        let mut reported = self.states.iter().zip(&self.delays);
        let delays = expected.iter().map(|state| reported.find(|(other, _)| *other == state));
        delays.last()?.map(|(_, delay)| *delay)
    }

    /// The states, in words.
    pub fn describe(&self) -> String {
        if self.states.is_empty() {
            return "no state".to_owned();
        }
        let names: Vec<&str> = self.states.iter().map(|state| state.as_str()).collect();
        format!("reported {}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ClientState::{Closed, Error, Open};

    #[test]
    fn a_line_with_data_is_an_event_and_one_with_a_state_is_not() {
        let event = r#"{"type":"x","data":"a","id":"7"}"#;
        assert!(
            matches!(ReportLine::parse(event), Some(ReportLine::Event(event)) if event.event_type == "x")
        );
        let state = r#"{"state":"error","message":"lost"}"#;
        match ReportLine::parse(state) {
            Some(ReportLine::State(reported)) => {
                assert_eq!((reported.state, reported.message.as_deref()), (Error, Some("lost")));
            }
            other => panic!("{other:?}"),
        }
        for line in [r#"{"state":"opened"}"#, r#"{"state":1}"#, "{}", "open"] {
            assert!(ReportLine::parse(line).is_none(), "{line}");
        }
    }

    #[test]
    fn states_are_found_in_their_order_with_others_between_them() {
        let mut states = States::default();
        assert_eq!(states.find(&[Open]), None);
        [Open, Error, Error, Open].iter().for_each(|state| states.add(*state, None));
        assert_eq!(states.find(&[Open, Error, Open]), Some(Duration::ZERO));
        assert_eq!(states.find(&[Open, Open, Error]), None);
        assert_eq!(states.find(&[Error, Open, Open]), None);
        assert_eq!((states.find(&[Closed]), states.closed_at), (None, None));
        assert_eq!(states.describe(), "reported open, error, error, open");
    }
}
