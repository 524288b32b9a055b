//! A request as it was received, in the form in which tests see it.

use crate::http::request::Request;
use crate::text::json;
use std::io::{self, Write};
use std::mem::size_of;
use std::time::{SystemTime, UNIX_EPOCH};

/// A request as the server received it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
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

impl RecordedRequest {
    pub(crate) fn new(request: &Request, body: &[u8]) -> RecordedRequest {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        RecordedRequest {
            time: SystemTime::now(),
            method: request.method().to_owned(),
            target: text(request.target()),
            headers: request.field_lines().map(|line| (line.name.to_owned(), text(line.value))).collect(),
            body: body.to_vec(),
        }
    }

    /// The value of the first field line with this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The request as a line of JSON: `time` in milliseconds since 1970, `method`, `target`, `headers` as pairs of name
    /// and value, and `body` as text. The line includes its LF.
    pub fn to_json(&self) -> String {
        let mut json = Vec::new();
        // Writing to a vector cannot fail.
        let _ = self.write_json(&mut json);
        String::from_utf8_lossy(&json).into_owned()
    }

    /// Writes the same in pieces, because a body can be large.
    pub(crate) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let time = self.time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let pair =
            |(name, value): &(String, String)| format!("[{},{}]", json::string(name), json::string(value));
        let headers: Vec<String> = self.headers.iter().map(pair).collect();
        let (method, target) = (json::string(&self.method), json::string(&self.target));
        write!(out, "{{\"time\":{time},\"method\":{method},\"target\":{target},")?;
        write!(out, "\"headers\":[{}],\"body\":", headers.join(","))?;
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
    use std::time::Duration;

    fn request(body: &[u8]) -> RecordedRequest {
        RecordedRequest {
            time: UNIX_EPOCH + Duration::from_millis(1_500),
            method: "POST".into(),
            target: "/a?\"b\\".into(),
            headers: vec![("Host".into(), "x".into()), ("X".into(), "\u{1b}[2J".into())],
            body: body.to_vec(),
        }
    }

    #[test]
    fn a_request_is_a_line_of_json() {
        assert_eq!(
            request(b"h\xFF\n\xC3\xA9").to_json(),
            "{\"time\":1500,\"method\":\"POST\",\"target\":\"/a?\\\"b\\\\\",\
             \"headers\":[[\"Host\",\"x\"],[\"X\",\"\\u001b[2J\"]],\"body\":\"h\u{FFFD}\\n\u{e9}\"}\n"
        );
        assert_eq!(request(b"").header("host"), Some("x"));
    }
}
