//! The forms in which a placeholder can write its value: `{{query:q as json}}`.

use crate::http::uri::percent_encode_all;
use crate::text::json;
use std::borrow::Cow;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Bytes,
    /// As JSON: a value of a JSON body as it is there, any other as a string, an absent one as `null`.
    Json,
    /// Escaped for use inside a JSON string.
    Escaped,
    /// Percent-encoded.
    Url,
    /// As the rest of a `data` field, with another `data` field for each further line.
    Data,
}

/// The forms that can follow a name and `as`.
pub const FORMS: [(&str, Form); 4] =
    [("json", Form::Json), ("escaped", Form::Escaped), ("url", Form::Url), ("data", Form::Data)];

impl Form {
    /// The form with this name.
    pub fn named(name: &str) -> Option<Form> {
        FORMS.iter().find(|(form, _)| *form == name).map(|(_, form)| *form)
    }

    /// A value in this form. As JSON, it is a string.
    pub fn apply(self, value: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
        let text = || String::from_utf8_lossy(&value);
        Cow::Owned(match self {
            Form::Bytes => return value,
            Form::Json => json::string(&text()).into_bytes(),
            Form::Escaped => json::escape(&text()).into_bytes(),
            Form::Url => percent_encode_all(&value).into_bytes(),
            Form::Data => data_fields(&value),
        })
    }
}

/// JSON without line ends: they can only be between values, and would end the line of an event stream that it is in.
pub fn on_one_line(json: &[u8]) -> Cow<'_, [u8]> {
    let is_line_end = |byte: u8| byte == b'\n' || byte == b'\r';
    if !json.iter().any(|&byte| is_line_end(byte)) {
        return Cow::Borrowed(json);
    }
    Cow::Owned(json.iter().map(|&byte| if is_line_end(byte) { b' ' } else { byte }).collect())
}

/// The rest of a `data` field and further ones, so that the lines of the text are the lines of an event's data.
fn data_fields(text: &[u8]) -> Vec<u8> {
    let mut fields = Vec::new();
    let mut after_cr = false;
    for &byte in text {
        match byte {
            b'\n' if after_cr => {}
            b'\r' | b'\n' => fields.extend_from_slice(b"\ndata: "),
            _ => fields.push(byte),
        }
        after_cr = byte == b'\r';
    }
    fields
}
