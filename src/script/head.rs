//! The head of a script's answer: by default `200 OK` with `transfer-encoding`, `cache-control`, `content-type` and
//! `date`, in this order; changed by `@status` and `@header`.

use crate::http::field::{is_field_value, is_token, trim_ows};

/// Status and field lines as the script wants them.
#[derive(Debug, PartialEq, Eq)]
pub struct ScriptHead {
    /// `status-code`, 200 to 999.
    pub status: u16,
    /// The reason phrase; `None` for the usual one.
    pub reason: Option<Vec<u8>>,
    /// The field lines, in order.
    pub fields: Vec<HeadField>,
}

/// A field line of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadField {
    /// `transfer-encoding` or `content-length`, whichever marks the end of the body.
    Framing,
    /// `date`, with the present moment.
    Date,
    /// Any other: name and value.
    Line(String, Vec<u8>),
}

impl HeadField {
    fn is(&self, name: &str) -> bool {
        let own = match self {
            HeadField::Framing => "transfer-encoding",
            HeadField::Date => "date",
            HeadField::Line(name, _) => name,
        };
        own.eq_ignore_ascii_case(name)
    }
}

impl Default for ScriptHead {
    fn default() -> ScriptHead {
        let line = |name: &str, value: &[u8]| HeadField::Line(name.to_owned(), value.to_owned());
        let fields = vec![
            HeadField::Framing,
            line("cache-control", b"no-cache"),
            line("content-type", b"text/event-stream"),
            HeadField::Date,
        ];
        ScriptHead { status: 200, reason: None, fields }
    }
}

impl ScriptHead {
    /// Does what `@header` says: `Name: v` sets, `+Name: v` adds another, `-Name` removes.
    ///
    /// # Errors
    /// A message that says what of it is no field line.
    pub fn apply_header(&mut self, argument: &[u8]) -> Result<(), String> {
        if let Some(name) = argument.strip_prefix(b"-") {
            let name = field_name(name)?;
            self.fields.retain(|field| !field.is(name));
            return Ok(());
        }
        let (adds, line) = match argument.strip_prefix(b"+") {
            Some(line) => (true, line),
            None => (false, argument),
        };
        let colon = line
            .iter()
            .position(|&byte| byte == b':')
            .ok_or("a header needs a colon (write `Name: value`)")?;
        let name = field_name(&line[..colon])?;
        let value = trim_ows(&line[colon + 1..]);
        if !is_field_value(value) {
            return Err(format!("the value of `{name}` holds a control byte, which no field line can"));
        }
        let field = HeadField::Line(name.to_owned(), value.to_owned());
        match self.fields.iter().position(|field| field.is(name)) {
            Some(place) if !adds => {
                self.fields[place] = field;
                let mut index = 0;
                self.fields.retain(|field| {
                    index += 1;
                    index <= place + 1 || !field.is(name)
                });
            }
            _ => self.fields.push(field),
        }
        Ok(())
    }

    /// Does what `@status` says: a code, then a reason phrase if another than the usual one is wanted.
    ///
    /// # Errors
    /// A message that says what of it is no status.
    pub fn apply_status(&mut self, argument: &[u8]) -> Result<(), String> {
        let (code, reason) = match argument.iter().position(|&byte| byte == b' ') {
            Some(space) => (&argument[..space], Some(trim_ows(&argument[space..]))),
            None => (argument, None),
        };
        let number = std::str::from_utf8(code).ok().and_then(|code| code.parse().ok());
        match number {
            Some(status @ 200..=999) if code.len() == 3 => self.status = status,
            _ => {
                return Err(format!(
                    "`{}` is no status (write a number from 200 to 999)",
                    code.escape_ascii()
                ))
            }
        }
        if !reason.map_or(true, is_field_value) {
            return Err("the reason phrase holds a control byte".to_owned());
        }
        self.reason = reason.map(<[u8]>::to_vec);
        Ok(())
    }

    /// Whether the status itself says that no body follows (RFC 9110, section 6.4.1).
    pub fn has_no_body(&self) -> bool {
        matches!(self.status, 204 | 304)
    }
}

fn field_name(name: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(name).ok().filter(|_| is_token(name));
    text.ok_or_else(|| format!("`{}` is no field name (letters, digits and hyphens)", name.escape_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(head: &ScriptHead) -> Vec<&str> {
        let name = |field| match field {
            &HeadField::Framing => "FRAMING",
            &HeadField::Date => "DATE",
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
        let set = head(&["Content-Type: text/plain"]);
        assert_eq!(names(&set), ["FRAMING", "cache-control", "Content-Type", "DATE"]);
        let added = head(&["X-A: 1", "+X-A: 2"]);
        assert_eq!(names(&added), ["FRAMING", "cache-control", "content-type", "DATE", "X-A", "X-A"]);
        let set_again = head(&["X-A: 1", "+X-A: 2", "x-a: 3"]);
        assert_eq!(set_again.fields.last(), Some(&HeadField::Line("x-a".into(), b"3".to_vec())));
        assert_eq!(set_again.fields.len(), 5);
    }

    #[test]
    fn a_header_is_removed_in_any_case() {
        assert_eq!(names(&head(&["-Date", "-Transfer-Encoding"])), ["cache-control", "content-type"]);
    }

    #[test]
    fn headers_that_are_no_field_lines_are_mistakes() {
        for argument in ["", "X-A", "a b: c", ": c", "-", "X: \x07"] {
            assert!(ScriptHead::default().apply_header(argument.as_bytes()).is_err(), "{argument}");
        }
    }

    #[test]
    fn a_status_has_three_digits_and_maybe_a_reason() {
        let mut head = ScriptHead::default();
        head.apply_status(b"410 So long").unwrap();
        assert_eq!((head.status, head.reason.as_deref()), (410, Some(&b"So long"[..])));
        head.apply_status(b"503").unwrap();
        assert_eq!((head.status, head.reason.as_deref()), (503, None));
        for argument in ["", "abc", "99", "100", "1000", "0200", "+200", "200 a\x07"] {
            assert!(head.apply_status(argument.as_bytes()).is_err(), "{argument}");
        }
    }
}
