//! What makes a script a test case for clients, and how they start.

use std::time::Duration;

/// What a script that is a test case tests (`@case`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// Whether clients must pass it.
    pub level: Level,
    /// The section of the standard: of the WHATWG's, such as `9.2.6`, or an RFC's number first.
    pub section: String,
    /// What is right.
    pub text: String,
}

/// How a client begins a test case (`@start`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// It requests the case from the server.
    #[default]
    Server,
    /// It requests the case from another port, which for a browser is another origin.
    OtherOrigin {
        /// Whether it sends credentials (`withCredentials` of an EventSource).
        with_credentials: bool,
    },
    /// Its connections are refused for this time.
    Down(Duration),
}

/// What it means when a client fails a test case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// The client violates the standard.
    #[default]
    Must,
    /// The standard leaves it open.
    May,
    /// The standard requires it, and known clients differ on purpose.
    Differs,
    /// Nothing: the result informs about the client.
    Info,
}

impl Level {
    /// All levels.
    pub const ALL: [Level; 4] = [Level::Must, Level::May, Level::Differs, Level::Info];

    /// Its name in `@case`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::May => "may",
            Level::Differs => "differs",
            Level::Info => "info",
        }
    }
}
