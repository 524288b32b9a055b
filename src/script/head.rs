//! Holds the status and the field lines of a script's response: by default `200 OK` with `transfer-encoding`,
//! `cache-control`, `content-type` and `date`, in this order; changed by `@status` and `@header`.

use super::context::RequestContext;
use super::template::Template;
use super::units::parse_number;
use super::words::{invalid, unknown};
use crate::http::field::{is_event_stream, is_field_value, is_token, trim_ows};
use crate::http::status::Status;
use std::borrow::Cow;

/// The status line and the field lines of a script's response.
#[derive(Clone, Debug)]
pub struct ScriptHead {
    status: Template,
    fields: Vec<HeadField>,
}

/// A field line of a response.
#[derive(Clone, Debug)]
pub enum HeadField {
    /// `transfer-encoding` or `content-length`, depending on how the end of the body is marked.
    Framing,
    /// `date`, with the time at which the response begins.
    Date,
    /// `access-control-allow-origin`, if the request has an `Origin`.
    Cors,
    /// `connection: close`, if the connection is closed after this response.
    Connection,
    /// Any other: name and value.
    Line(String, Template),
}

impl HeadField {
    fn name(&self) -> &str {
        match self {
            HeadField::Framing => "transfer-encoding",
            HeadField::Date => "date",
            HeadField::Cors => "access-control-allow-origin",
            HeadField::Connection => "connection",
            HeadField::Line(name, _) => name,
        }
    }

    fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }
}

impl Default for ScriptHead {
    fn default() -> ScriptHead {
        let line =
            |name: &str, value: &str| HeadField::Line(name.to_owned(), Template::literal(value.as_bytes()));
        let fields = vec![
            HeadField::Framing,
            line("cache-control", "no-cache"),
            line("content-type", "text/event-stream"),
            HeadField::Date,
            HeadField::Cors,
            HeadField::Connection,
        ];
        ScriptHead { status: Template::literal(b"200"), fields }
    }
}

/// What `@status` sets (RFC 9112, section 4).
#[derive(Debug, PartialEq, Eq)]
pub struct StatusLine {
    /// The status code.
    pub status: Status,
    /// The reason phrase; `None` for the usual one.
    pub reason: Option<Vec<u8>>,
}

impl ScriptHead {
    /// Applies the argument of `@header`: `Name: v` sets a field line, `+Name: v` adds another, `-Name` removes all of
    /// that name. With `literal`, braces in values are text.
    ///
    /// # Errors
    /// A message that says what is wrong.
    pub fn apply_header(&mut self, argument: &[u8], literal: bool) -> Result<(), String> {
        match argument {
            [b'-', name @ ..] => {
                let name = field_name(name)?;
                if !self.fields.iter().any(|field| field.is(name)) {
                    return Err(unknown("field", name.as_bytes(), self.fields.iter().map(HeadField::name)));
                }
                self.remove(name);
            }
            [b'+', line @ ..] => {
                let (name, value) = field_line(line)?;
                self.fields.push(HeadField::Line(name.to_owned(), template(value, literal)?));
            }
            line => {
                let (name, value) = field_line(line)?;
                self.set(name, template(value, literal)?);
            }
        }
        Ok(())
    }

    /// Puts a field line in the place of those of the same name, or at the end.
    fn set(&mut self, name: &str, value: Template) {
        let place = self.fields.iter().position(|field| field.is(name));
        self.remove(name);
        let place = place.unwrap_or(self.fields.len());
        self.fields.insert(place, HeadField::Line(name.to_owned(), value));
    }

    fn remove(&mut self, name: &str) {
        self.fields.retain(|field| !field.is(name));
    }

    /// Applies the argument of `@status`: a code, then a reason phrase unless the usual one is wanted. With `literal`,
    /// braces are text.
    ///
    /// # Errors
    /// A message that says what is wrong.
    pub fn apply_status(&mut self, argument: &[u8], literal: bool) -> Result<(), String> {
        let status = template(argument, literal)?;
        if let Some(text) = status.default_text() {
            parse_status(&text)?;
        }
        self.status = status;
        Ok(())
    }

    /// The field lines, in order.
    pub fn fields(&self) -> &[HeadField] {
        &self.fields
    }

    /// The status line for this request.
    ///
    /// # Errors
    /// A message, if a value from the request makes the status invalid.
    pub fn status_line(&self, context: RequestContext<'_>) -> Result<StatusLine, String> {
        parse_status(&self.status.in_head(context)).map_err(|message| self.status.explain(&message))
    }

    /// All templates in it.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let values = self.fields.iter().filter_map(|field| match field {
            HeadField::Line(_, value) => Some(value),
            _ => None,
        });
        values.chain(Some(&self.status))
    }

    /// The status, if it is the same for every request.
    pub fn status(&self) -> Option<Status> {
        let line = parse_status(self.status.as_plain()?).ok()?;
        Some(line.status)
    }

    /// Whether the response is certain to be an event stream: the status is 200 and the media type `text/event-stream`.
    pub fn is_event_stream(&self) -> bool {
        let is_type = |field: &HeadField| match field {
            HeadField::Line(name, value) if name.eq_ignore_ascii_case("content-type") => {
                is_event_stream(value.as_plain().unwrap_or_default())
            }
            _ => false,
        };
        self.status() == Some(Status::OK) && self.fields.iter().any(is_type)
    }
}

/// The value of a field line for this request.
///
/// # Errors
/// A message, if a value from the request cannot be part of a field line.
pub fn render_value<'a>(
    name: &str,
    value: &'a Template,
    context: RequestContext<'_>,
) -> Result<Cow<'a, [u8]>, String> {
    let rendered = value.in_head(context);
    check_value(name, &rendered).map_err(|message| value.explain(&message))?;
    Ok(rendered)
}

fn check_value(name: &str, value: &[u8]) -> Result<(), String> {
    if !is_field_value(value) {
        return Err(format!("invalid value of `{name}` (control bytes are not allowed)"));
    }
    Ok(())
}

fn template(text: &[u8], literal: bool) -> Result<Template, String> {
    if literal {
        return Ok(Template::literal(text));
    }
    Template::parse(text)
}

fn parse_status(text: &[u8]) -> Result<StatusLine, String> {
    let code_length = text.iter().take_while(|&&byte| byte != b' ').count();
    let (code, rest) = text.split_at(code_length);
    let status = match parse_number(code) {
        Some(status @ 200..=999) if code.len() == 3 => Status(status as u16),
        _ => return Err(invalid("status", code, "a number from 200 to 999")),
    };
    let reason = trim_ows(rest);
    if !is_field_value(reason) {
        return Err("invalid reason phrase (control bytes are not allowed)".to_owned());
    }
    Ok(StatusLine { status, reason: (!rest.is_empty()).then(|| reason.to_vec()) })
}

/// Splits `Name: value`.
///
/// # Errors
/// A message that says what is wrong.
pub(super) fn field_line(line: &[u8]) -> Result<(&str, &[u8]), String> {
    let colon = line.iter().position(|&byte| byte == b':');
    let colon = colon.ok_or_else(|| invalid("field line", line, "`Name: value`"))?;
    let name = field_name(&line[..colon])?;
    let value = trim_ows(&line[colon + 1..]);
    check_value(name, value)?;
    Ok((name, value))
}

fn field_name(name: &[u8]) -> Result<&str, String> {
    let invalid_name = || invalid("field name", name, "letters, digits and hyphens");
    let text = std::str::from_utf8(name).ok().filter(|_| is_token(name)).ok_or_else(invalid_name)?;
    if ["transfer-encoding", "content-length"].iter().any(|framing| text.eq_ignore_ascii_case(framing)) {
        return Err(format!("`{text}` is set by the framing (use `@framing chunked | length [N] | close`)"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(head: &ScriptHead) -> Vec<&str> {
        let name = |field| match field {
            &HeadField::Framing => "FRAMING",
            &HeadField::Date => "DATE",
            &HeadField::Cors => "CORS",
            &HeadField::Connection => "CONNECTION",
            HeadField::Line(name, _) => name.as_str(),
        };
        head.fields.iter().map(name).collect()
    }

    fn head(arguments: &[&str]) -> ScriptHead {
        let mut head = ScriptHead::default();
        for argument in arguments {
            head.apply_header(argument.as_bytes(), false).unwrap();
        }
        head
    }

    #[test]
    fn a_field_is_set_in_its_place_and_added_at_the_end() {
        let set = head(&["Content-Type: text/plain", "Connection: x"]);
        assert_eq!(names(&set), ["FRAMING", "cache-control", "Content-Type", "DATE", "CORS", "Connection"]);
        let added = head(&["X-A: 1", "+X-A: 2"]);
        assert_eq!(names(&added)[4..], ["CORS", "CONNECTION", "X-A", "X-A"]);
        assert_eq!(names(&head(&["X-A: 1", "+X-A: 2", "x-a: 3"]))[5..], ["CONNECTION", "x-a"]);
    }

    #[test]
    fn a_field_is_removed_whatever_the_case_of_its_name() {
        let removed = head(&["-Date", "-access-control-allow-origin", "-Connection"]);
        assert_eq!(names(&removed), ["FRAMING", "cache-control", "content-type"]);
    }

    #[test]
    fn invalid_field_lines_are_errors() {
        for argument in [
            "",
            "X-A",
            "a b: c",
            ": c",
            "-",
            "-X-A",
            "X: \x07",
            "X: {{none}}",
            "-Transfer-Encoding",
            "content-length: 3",
        ] {
            assert!(ScriptHead::default().apply_header(argument.as_bytes(), false).is_err(), "{argument}");
        }
    }

    #[test]
    fn a_status_has_three_digits_and_an_optional_reason_phrase() {
        let line = |code, reason: Option<&str>| {
            Ok(StatusLine { status: Status(code), reason: reason.map(|reason| reason.as_bytes().to_vec()) })
        };
        assert_eq!(parse_status(b"410 So long"), line(410, Some("So long")));
        assert_eq!(parse_status(b"503 "), line(503, Some("")));
        assert_eq!(parse_status(b"503"), line(503, None));
        for argument in ["", "abc", "99", "100", "1000", "0200", "+200", "200 a\x07"] {
            assert!(parse_status(argument.as_bytes()).is_err(), "{argument}");
        }
    }
}
