//! The value of `Authorization`, which is a secret.

use crate::http::field::is_field_value;
use crate::text::error::{Error, ErrorKind};

/// The field line with this value, such as `Bearer TOKEN`.
///
/// # Errors
/// The value cannot be sent in a field line. The message does not contain it, because it is a secret.
pub fn field_line(value: &str) -> Result<String, Error> {
    if is_field_value(value.as_bytes()) {
        return Ok(format!("Authorization: {value}\r\n"));
    }
    let message = "invalid value of Authorization (expected no line ends and no control characters)";
    Err(Error::new(ErrorKind::InvalidArgument, message))
}
