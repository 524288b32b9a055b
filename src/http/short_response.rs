//! Builds whole responses that are not streams: short texts such as `404 Not Found`, and the page.

use super::chunk::Framing;
use super::response::{ResponseHead, ResponseOptions};
use super::status::{RequestError, Status};

/// The value of `retry-after` with every 503, in seconds: about the reconnection time of a browser.
const RETRY_AFTER: &str = "2";

/// A response that is not a stream: short and complete, with a `content-length`.
#[derive(Debug)]
pub struct Response {
    status: Status,
    fields: Vec<(&'static str, Vec<u8>)>,
    content_type: &'static str,
    body: String,
}

impl Response {
    /// A response in plain text.
    pub fn new(status: Status, body: impl Into<String>) -> Response {
        Response { status, fields: Vec::new(), content_type: "text/plain; charset=utf-8", body: body.into() }
    }

    /// The response to a request that cannot be accepted: the status and the reason in one line.
    pub fn error(error: &RequestError) -> Response {
        let code = error.status.0;
        let response =
            Response::new(error.status, format!("{code} {}: {}\n", error.status.reason(), error.reason));
        if error.status == Status::SERVICE_UNAVAILABLE {
            return response.field("retry-after", RETRY_AFTER);
        }
        response
    }

    /// Sets another content type.
    pub fn content_type(mut self, content_type: &'static str) -> Response {
        self.content_type = content_type;
        self
    }

    /// Adds a field line.
    pub fn field(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Response {
        self.fields.push((name, value.into()));
        self
    }

    /// The whole response.
    pub fn to_bytes(&self, options: ResponseOptions) -> Vec<u8> {
        let mut head = ResponseHead::new(self.status, self.status.reason().as_bytes());
        if !self.status.has_no_body() {
            head.framing(Framing::Length(self.body.len() as u64));
        }
        if !self.body.is_empty() {
            head.field("content-type", self.content_type.as_bytes());
        }
        for (name, value) in &self.fields {
            head.field(name, value);
        }
        head.date();
        head.cors(options);
        head.connection(options.close);
        let mut bytes = head.finish();
        if !options.head_only {
            bytes.extend_from_slice(self.body.as_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_date(bytes: Vec<u8>) -> String {
        let text = String::from_utf8(bytes).unwrap();
        text.split_inclusive("\r\n").filter(|line| !line.starts_with("date: ")).collect()
    }

    #[test]
    fn a_response_has_a_length_a_type_and_a_date() {
        let response = Response::error(&Status::BAD_REQUEST.error("no")).field("x", *b"y");
        let bytes = response.to_bytes(ResponseOptions::default());
        assert!(bytes.windows(8).any(|window| window == b"\r\ndate: "));
        assert_eq!(
            without_date(bytes),
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 20\r\n\
             content-type: text/plain; charset=utf-8\r\nx: y\r\n\r\n400 Bad Request: no\n"
        );
    }

    #[test]
    fn options_add_their_field_lines_and_remove_the_body() {
        let options = ResponseOptions { cors: true, close: true, head_only: true };
        assert_eq!(
            without_date(Response::new(Status::NOT_FOUND, "no").to_bytes(options)),
            "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\ncontent-type: text/plain; charset=utf-8\r\n\
             access-control-allow-origin: *\r\nconnection: close\r\n\r\n"
        );
    }

    #[test]
    fn no_content_has_no_length() {
        let bytes = Response::new(Status::NO_CONTENT, "").to_bytes(ResponseOptions::default());
        assert_eq!(without_date(bytes), "HTTP/1.1 204 No Content\r\n\r\n");
    }
}
