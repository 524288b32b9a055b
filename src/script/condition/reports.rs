//! Conditions on what a client reports, for `@expect` in test cases: no request shows whether they hold.

use crate::script::units::parse_time;
use crate::script::words::invalid;
use std::time::Duration;

/// What a client has to report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportCondition {
    /// The events of the stream, each in this time after it was sent if there is one.
    Events(Option<Duration>),
    /// These states, in this order, the last in this time after the last head was sent if there is one.
    States(Vec<ClientState>, Option<Duration>),
    /// That it has closed the stream. The connection has to be closed in this time after that.
    Disconnect(Duration),
}

/// A state that a client reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// The server has accepted its request, as the event `open` of an EventSource says.
    Open,
    /// The connection is lost, or the request has failed, as the event `error` of an EventSource says.
    Error,
    /// It has closed the stream itself.
    Closed,
}

impl ClientState {
    /// All states.
    pub const ALL: [ClientState; 3] = [ClientState::Open, ClientState::Error, ClientState::Closed];

    /// Its name in scripts and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            ClientState::Open => "open",
            ClientState::Error => "error",
            ClientState::Closed => "closed",
        }
    }

    /// The state of this name.
    pub fn named(name: &str) -> Option<ClientState> {
        ClientState::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A condition; `None` if the words are not what its usage says.
type Parsed = Result<Option<ReportCondition>, String>;

/// `[within T]`.
pub fn events(words: &[Vec<u8>]) -> Parsed {
    let (words, time) = split_time(words)?;
    Ok(words.is_empty().then_some(ReportCondition::Events(time)))
}

/// `STATE[, STATE] [within T]`.
pub fn states(words: &[Vec<u8>]) -> Parsed {
    let (words, time) = split_time(words)?;
    if words.is_empty() {
        return Ok(None);
    }
    let list = words.join(&b' ');
    let states: Result<Vec<_>, String> = list.split(|&byte| byte == b',').map(state).collect();
    Ok(Some(ReportCondition::States(states?, time)))
}

/// A client that has closed the stream reports that as its last state: `disconnect` is about it.
fn state(name: &[u8]) -> Result<ClientState, String> {
    let text = String::from_utf8_lossy(name);
    let state = ClientState::named(text.trim()).filter(|state| *state != ClientState::Closed);
    state.ok_or_else(|| invalid("state", text.trim().as_bytes(), "open or error"))
}

/// `within T`.
pub fn disconnect(words: &[Vec<u8>]) -> Parsed {
    match split_time(words)? {
        ([], Some(time)) => Ok(Some(ReportCondition::Disconnect(time))),
        _ => Ok(None),
    }
}

/// The words before `within T`, and the time.
fn split_time(words: &[Vec<u8>]) -> Result<(&[Vec<u8>], Option<Duration>), String> {
    match words {
        [before @ .., within, time] if within == b"within" => Ok((before, Some(parse_time(time)?))),
        _ => Ok((words, None)),
    }
}
