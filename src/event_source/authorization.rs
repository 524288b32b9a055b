//! The value of `Authorization`, which is a secret.

use crate::http::field::is_field_value;
use crate::text::error::{Error, ErrorKind};

/// The value of `Authorization`, if there is one.
#[derive(Default)]
pub struct Authorization(Option<String>);

impl Authorization {
    /// A value such as `Bearer TOKEN`.
    ///
    /// # Errors
    /// The value cannot be sent in a field line. The message does not contain it, because it is a secret.
    pub fn new(value: &str) -> Result<Authorization, Error> {
        if is_field_value(value.as_bytes()) {
            return Ok(Authorization(Some(value.to_owned())));
        }
        let message = "invalid value of Authorization (expected no line ends and no control characters)";
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }

    /// The field line, or nothing.
    pub fn field_line(&self) -> String {
        self.0.as_ref().map_or(String::new(), |value| format!("Authorization: {value}\r\n"))
    }
}
