//! Makes the head of a part's response to a request: status line, field lines, and how the end of the body is marked.

use super::context::RequestContext;
use super::head::{render_value, HeadField, StatusLine};
use super::{BodyFraming, Ending, Part};
use crate::http::chunk::Framing;
use crate::http::field::says_close;
use crate::http::request::Version;
use crate::http::response::{ResponseHead, ResponseOptions, StreamHead};
use crate::http::status::Status;

impl Part {
    /// The head of the response to a request.
    ///
    /// # Errors
    /// A message about a value of the request that would make a response which cannot be sent.
    pub fn response_head(
        &self,
        context: RequestContext<'_>,
        options: ResponseOptions,
    ) -> Result<StreamHead, String> {
        self.check_waits(context)?;
        let StatusLine { status, reason } = self.head.status_line(context)?;
        let reason = reason.as_deref().unwrap_or_else(|| status.reason().as_bytes());
        let framing = self.response_framing(status, context.request.version());
        let mut close = options.close || self.ending == Ending::Close || framing == Framing::UntilClose;
        let mut head = ResponseHead::new(status, reason);
        for field in self.head.fields() {
            match field {
                HeadField::Framing if status.has_no_body() => {}
                HeadField::Framing => head.framing(framing),
                HeadField::Date => head.date(),
                HeadField::Cors => head.cors(options),
                HeadField::Connection => head.connection(close),
                HeadField::Line(name, value) => {
                    let value = render_value(name, value, context)?;
                    close |= name.eq_ignore_ascii_case("connection") && says_close(&value);
                    head.field(name, &value);
                }
            }
        }
        Ok(StreamHead { bytes: head.finish(), framing, close })
    }

    /// How the end of the body is marked for a client that uses this version.
    fn response_framing(&self, status: Status, version: Version) -> Framing {
        if status.allows_no_content() {
            return Framing::Empty;
        }
        match self.framing {
            BodyFraming::Length(length) => {
                Framing::Length(length.or_else(|| self.body_length()).unwrap_or(0))
            }
            BodyFraming::Close => Framing::UntilClose,
            BodyFraming::Default if !self.has_body() => Framing::Empty,
            // HTTP/1.0 has no chunks.
            BodyFraming::Default | BodyFraming::Chunked if version == Version::Http10 => Framing::UntilClose,
            BodyFraming::Default | BodyFraming::Chunked => Framing::Chunked,
        }
    }
}
