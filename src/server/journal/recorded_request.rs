//! A request as it was received, in the form in which tests see it.

use crate::http::request::Request;
use crate::script::context::unix_milliseconds;
use crate::text::json;
use std::io::{self, Write};
use std::mem::size_of;
use std::time::SystemTime;

/// A request as the server received it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The number of this entry in the journal, from 1.
    pub entry: usize,
    /// The number of the request, from 1.
    pub number: usize,
    /// When the whole request, including its body, had been read.
    pub time: SystemTime,
    /// The method.
    pub method: String,
    /// The request target: path and query as the client sent them.
    pub target: String,
    /// The field lines in their order, each a name and a value. Bytes that are not UTF-8 are replaced by U+FFFD.
    pub headers: Vec<(String, String)>,
    /// The body, with its chunks decoded.
    pub body: Vec<u8>,
}

#[cfg(test)]
impl Default for RecordedRequest {
    fn default() -> RecordedRequest {
        RecordedRequest {
            entry: 0,
            number: 0,
            time: SystemTime::UNIX_EPOCH,
            method: String::new(),
            target: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
}

impl RecordedRequest {
    pub(crate) fn new(request: &Request, body: &[u8]) -> RecordedRequest {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        RecordedRequest {
            entry: 0,
            number: 0,
            time: SystemTime::now(),
            method: request.method().to_owned(),
            target: text(request.target()),
            headers: request.field_lines().map(|line| (line.name.to_owned(), text(line.value))).collect(),
            body: body.to_vec(),
        }
    }

    /// The value of the first field line with this name, which is case-insensitive.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Writes the request as a line of JSON.
    pub(super) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let (time, method, target) =
            (unix_milliseconds(self.time), json::string(&self.method), json::string(&self.target));
        write!(out, "{{\"entry\":{},\"request\":{},\"time\":{time},", self.entry, self.number)?;
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str().into()));
        let headers = json::object_of_lists(headers);
        write!(out, "\"method\":{method},\"target\":{target},\"headers\":{headers},\"body\":")?;
        json::write_lossy(&self.body, out)?;
        out.write_all(b"}\n")
    }

    /// Bytes of memory that the request takes.
    pub(super) fn size(&self) -> usize {
        let line = |(name, value): &(String, String)| name.len() + value.len() + 2 * size_of::<String>();
        let lines: usize = self.headers.iter().map(line).sum();
        size_of::<RecordedRequest>() + self.method.len() + self.target.len() + self.body.len() + lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn request(body: &[u8]) -> RecordedRequest {
        RecordedRequest {
            entry: 3,
            number: 2,
            time: UNIX_EPOCH + Duration::from_millis(1_500),
            method: "POST".into(),
            target: "/a?\"b\\".into(),
            headers: vec![
                ("Host".into(), "x".into()),
                ("X".into(), "\u{1b}[2J".into()),
                ("hOST".into(), "y".into()),
            ],
            body: body.to_vec(),
        }
    }

    #[test]
    fn a_request_is_a_line_of_json() {
        let mut json = Vec::new();
        request(b"h\xFF\n\xC3\xA9").write_json(&mut json).unwrap();
        assert_eq!(
            String::from_utf8(json).unwrap(),
            "{\"entry\":3,\"request\":2,\"time\":1500,\"method\":\"POST\",\"target\":\"/a?\\\"b\\\\\",\
             \"headers\":{\"host\":[\"x\",\"y\"],\"x\":[\"\\u001b[2J\"]},\"body\":\"h\u{FFFD}\\n\u{e9}\"}\n"
        );
        assert_eq!(request(b"").header("host"), Some("x"));
    }
}
