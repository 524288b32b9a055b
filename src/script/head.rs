//! The head of a script's answer: by default `200 OK` with `transfer-encoding`, `cache-control`, `content-type` and
//! `date`, in this order; changed by `@status` and `@header`.

use super::context::RequestContext;
use super::template::{Segment, Template};
use super::units::parse_number;
use super::words::wrong;
use crate::http::field::{is_field_value, is_token, trim_ows};

/// Status and field lines as the script wants them.
#[derive(Debug)]
pub struct ScriptHead {
    status: Template,
    fields: Vec<HeadField>,
}

/// A field line of an answer.
#[derive(Clone, Debug)]
pub enum HeadField {
    /// `transfer-encoding` or `content-length`, whichever marks the end of the body.
    Framing,
    /// `date`, with the present moment.
    Date,
    /// `access-control-allow-origin`, when the request has an `Origin`.
    Cors,
    /// `connection: close`, when the connection ends after this answer.
    Connection,
    /// Any other: name and value.
    Line(String, Template),
}

impl HeadField {
    fn is(&self, name: &str) -> bool {
        let own = match self {
            HeadField::Framing => "transfer-encoding",
            HeadField::Date => "date",
            HeadField::Cors => "access-control-allow-origin",
            HeadField::Connection => "connection",
            HeadField::Line(name, _) => name,
        };
        own.eq_ignore_ascii_case(name)
    }
}

impl Default for ScriptHead {
    fn default() -> ScriptHead {
        let plain = |text: &[u8]| Template(vec![Segment::Text(text.to_vec())]);
        let line = |name: &str, value: &[u8]| HeadField::Line(name.to_owned(), plain(value));
        let fields = vec![
            HeadField::Framing,
            line("cache-control", b"no-cache"),
            line("content-type", b"text/event-stream"),
            HeadField::Date,
            HeadField::Cors,
            HeadField::Connection,
        ];
        ScriptHead { status: plain(b"200"), fields }
    }
}

/// The status of an answer: its code, and its reason phrase if it is not the usual one.
pub type Status = (u16, Option<Vec<u8>>);

impl ScriptHead {
    /// Does what `@header` says: `Name: v` sets, `+Name: v` adds another, `-Name` removes.
    ///
    /// # Errors
    /// A message that says what of it is no field line.
    pub fn apply_header(&mut self, argument: &[u8]) -> Result<(), String> {
        if let Some(name) = argument.strip_prefix(b"-") {
            self.remove(field_name(name)?);
            return Ok(());
        }
        let (adds, line) = match argument.strip_prefix(b"+") {
            Some(line) => (true, line),
            None => (false, argument),
        };
        let (name, value) = field_line(line)?;
        let field = HeadField::Line(name.to_owned(), Template::parse(value)?);
        match self.fields.iter().position(|field| field.is(name)) {
            Some(place) if !adds => {
                self.remove(name);
                self.fields.insert(place, field);
            }
            _ => self.fields.push(field),
        }
        Ok(())
    }

    fn remove(&mut self, name: &str) {
        self.fields.retain(|field| !field.is(name));
    }

    /// Does what `@status` says: a code, then a reason phrase if another than the usual one is wanted.
    ///
    /// # Errors
    /// A message that says what of it is no status.
    pub fn apply_status(&mut self, argument: &[u8]) -> Result<(), String> {
        let status = Template::parse(argument)?;
        if let Some(plain) = status.as_plain() {
            parse_status(plain)?;
        }
        self.status = status;
        Ok(())
    }

    /// The field lines, in order.
    pub fn fields(&self) -> &[HeadField] {
        &self.fields
    }

    /// The status for this request.
    ///
    /// # Errors
    /// The request made it something that is no status.
    pub fn status(&self, context: RequestContext<'_>) -> Result<Status, String> {
        parse_status(&self.status.in_head(context))
    }

    /// All templates in it.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let values = self.fields.iter().filter_map(|field| match field {
            HeadField::Line(_, value) => Some(value),
            _ => None,
        });
        values.chain(Some(&self.status))
    }

    /// The status, when it is the same for every request and says itself that no body follows (RFC 9110, section 6.4.1).
    pub fn bodiless_status(&self) -> Option<u16> {
        let (status, _) = parse_status(self.status.as_plain()?).ok()?;
        matches!(status, 204 | 304).then_some(status)
    }
}

fn parse_status(text: &[u8]) -> Result<Status, String> {
    let (code, reason) = match text.iter().position(|&byte| byte == b' ') {
        Some(space) => (&text[..space], Some(trim_ows(&text[space..]))),
        None => (text, None),
    };
    let status = match std::str::from_utf8(code).ok().and_then(parse_number) {
        Some(status @ 200..=999) if code.len() == 3 => status as u16,
        _ => return Err(wrong(code, "is no status (write a number from 200 to 999)")),
    };
    match reason.map_or(true, is_field_value) {
        true => Ok((status, reason.map(<[u8]>::to_vec))),
        false => Err("the reason phrase holds a control byte, which no status line can".to_owned()),
    }
}

/// Takes `Name: value` apart.
///
/// # Errors
/// A message that says what of it is no field line.
pub(super) fn field_line(line: &[u8]) -> Result<(&str, &[u8]), String> {
    let colon = line
        .iter()
        .position(|&byte| byte == b':')
        .ok_or("a field line needs a colon (write `Name: value`)")?;
    let name = field_name(&line[..colon])?;
    let value = trim_ows(&line[colon + 1..]);
    match is_field_value(value) {
        true => Ok((name, value)),
        false => Err(format!("the value of `{name}` holds a control byte, which no field line can")),
    }
}

fn field_name(name: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(name).ok().filter(|_| is_token(name));
    let text = text.ok_or_else(|| wrong(name, "is no field name (letters, digits and hyphens)"))?;
    match ["transfer-encoding", "content-length"].iter().any(|framing| text.eq_ignore_ascii_case(framing)) {
        true => {
            Err(format!("`{text}` comes with the framing (write `@framing chunked | length [N] | close`)"))
        }
        false => Ok(text),
    }
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
            head.apply_header(argument.as_bytes()).unwrap();
        }
        head
    }

    #[test]
    fn a_header_is_set_where_it_stands_and_added_at_the_end() {
        let set = head(&["Content-Type: text/plain", "Connection: x"]);
        assert_eq!(names(&set), ["FRAMING", "cache-control", "Content-Type", "DATE", "CORS", "Connection"]);
        let added = head(&["X-A: 1", "+X-A: 2"]);
        assert_eq!(names(&added)[4..], ["CORS", "CONNECTION", "X-A", "X-A"]);
        assert_eq!(names(&head(&["X-A: 1", "+X-A: 2", "x-a: 3"]))[5..], ["CONNECTION", "x-a"]);
    }

    #[test]
    fn a_header_is_removed_in_any_case() {
        let removed = head(&["-Date", "-access-control-allow-origin", "-Connection"]);
        assert_eq!(names(&removed), ["FRAMING", "cache-control", "content-type"]);
    }

    #[test]
    fn headers_that_are_no_field_lines_are_mistakes() {
        for argument in [
            "",
            "X-A",
            "a b: c",
            ": c",
            "-",
            "X: \x07",
            "X: {{none}}",
            "-Transfer-Encoding",
            "content-length: 3",
        ] {
            assert!(ScriptHead::default().apply_header(argument.as_bytes()).is_err(), "{argument}");
        }
    }

    #[test]
    fn a_status_has_three_digits_and_maybe_a_reason() {
        assert_eq!(parse_status(b"410 So long"), Ok((410, Some(b"So long".to_vec()))));
        assert_eq!(parse_status(b"503"), Ok((503, None)));
        for argument in ["", "abc", "99", "100", "1000", "0200", "+200", "200 a\x07"] {
            assert!(parse_status(argument.as_bytes()).is_err(), "{argument}");
        }
    }
}
