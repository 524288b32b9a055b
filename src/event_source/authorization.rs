//! Keeps the value of `Authorization`, and sends it to no other origin than the one that it is for.

use super::url::HttpUrl;
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
        Err(Error::new(ErrorKind::InvalidArgument, message.to_owned()))
    }

    /// The field line for a request to `url`, if that has the same origin as the URL that the value is for (WHATWG Fetch,
    /// section 4.4: a redirect to another origin removes the field).
    pub fn field_line(&self, origin: &HttpUrl, url: &HttpUrl) -> String {
        let is_same = origin.host.eq_ignore_ascii_case(&url.host) && origin.port == url.port;
        match self.0.as_ref().filter(|_| is_same) {
            Some(value) => format!("Authorization: {value}\r\n"),
            None => String::new(),
        }
    }
}
