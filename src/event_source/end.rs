//! Why a connection ended, which decides whether the client reconnects.

use std::io::{self, ErrorKind};

/// Why a connection ended.
pub enum End {
    /// The connection was lost or closed by the server: reconnect.
    Lost(String),
    /// The response could not be parsed: reconnect, after a longer wait each time.
    Malformed(String),
    /// The server's response does not allow reconnecting.
    Failed(String),
}

impl End {
    /// The end because of an error, of which `what` says what it means.
    pub fn of_error(what: &str, error: &io::Error) -> End {
        let reason = format!("{what}: {error}");
        match error.kind() {
            ErrorKind::InvalidData => End::Malformed(reason),
            _ => End::Lost(reason),
        }
    }
}
