//! The error type of the library: a kind that a program can match on, and a message for people.

use std::error;
use std::fmt;
use std::io;

/// An error with a message that names the thing, the place, and the way out.
///
/// Its `Display` output can have several lines: an invalid script reports all of its mistakes at once, each in a line
/// `FILE:LINE: message`.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<io::Error>,
}

/// What kind of [`Error`] it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A script has mistakes.
    InvalidScript,
    /// Two scripts answer the same request.
    DuplicateRoute,
    /// Another program, or another server in this one, listens on the address.
    AddressInUse,
    /// This machine cannot serve as many clients as requested.
    TooManyClients,
    /// A speed, a URL or the name of a file is invalid.
    InvalidArgument,
    /// The system reported an error, which is the [source](error::Error::source).
    Io,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), source: None }
    }

    /// An error of the system, with what could not be done because of it.
    pub(crate) fn io(what: impl fmt::Display, source: io::Error) -> Error {
        let kind = match source.kind() {
            io::ErrorKind::AddrInUse => ErrorKind::AddressInUse,
            _ => ErrorKind::Io,
        };
        Error { kind, message: format!("{what}: {source}"), source: Some(source) }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
