//! Turns the head of a captured response into directions.

use crate::http::field::{field_value, is_field_value, FieldLine};
use crate::http::status::Status;
use crate::http::uri::split_at_first;
use crate::script::units::parse_number;

/// Field lines that belong to the connection, or that the server writes: the framing and the date.
const NOT_COPIED: [&str; 5] = ["transfer-encoding", "content-length", "connection", "keep-alive", "date"];
/// The field lines that a script's response has without `@header`. The values are those that need no `@header`; `None`
/// stands for any value.
const DEFAULTS: [(&str, Option<&str>); 3] =
    [("cache-control", Some("no-cache")), ("content-type", Some("text/event-stream")), ("date", None)];
/// Field lines that the server sends before all others, in this order, wherever they are in the script.
const FIRST: [&str; 4] = ["cache-control", "content-type", "date", "access-control-allow-origin"];

/// The name of a direction, and its argument.
pub(super) type Direction = (&'static str, Vec<u8>);

/// What a head becomes.
pub(super) enum Head {
    /// An interim response, which `@wire` sends before the head.
    Interim(Vec<u8>),
    /// The head of the final response.
    Final(FinalHead),
    /// No directions can produce this head: a line is invalid, or `@framing` does not have its framing.
    Other,
}

/// The head of a final response, as directions.
pub(super) struct FinalHead {
    pub directions: Vec<Direction>,
    pub body: Body,
    /// Whether `@close` has to end the script: the head contains `connection: close`, but marks the end of the body in
    /// another way.
    pub closes: bool,
}

/// What follows a head.
pub(super) enum Body {
    None,
    Chunked,
    /// A body of this length, or one that ends with the connection.
    Plain(Option<u64>),
}

/// Reads a head, with the empty line at its end.
pub(super) fn read(head: &[u8]) -> Head {
    parse(head).unwrap_or(Head::Other)
}

fn parse(head: &[u8]) -> Option<Head> {
    let mut lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let (_, status_line) = split_at_first(lines.next()?, b' ');
    let (code, reason) = status_line.split_at(status_line.len().min(3));
    let status = Status(parse_number(code).filter(|code| (100..=999).contains(code))? as u16);
    if !is_field_value(reason) || !matches!(reason, [] | [b' ', ..]) {
        return None;
    }
    let lines: Vec<&[u8]> = lines.take_while(|line| !line.is_empty()).collect();
    if status.0 < 200 {
        return (status.0 != 101).then(|| Head::Interim(interim(code, reason, &lines)));
    }
    let fields =
        lines.iter().map(|line| FieldLine::parse(line).ok().filter(|line| is_field_value(line.value)));
    let fields = fields.collect::<Option<Vec<_>>>()?;
    let mut directions = Vec::new();
    if !matches!((code, reason), (b"200", b"" | b" " | b" OK")) {
        directions.push(("status", status_argument(status, status_line)));
    }
    add_fields(&fields, &mut directions);
    let body = body(status, head)?;
    let mut closes =
        field_value(head, "connection").map_or(false, |value| value.eq_ignore_ascii_case(b"close"));
    match body {
        Body::Plain(Some(length)) => directions.push(("framing", format!("length {length}").into_bytes())),
        // HTTP/2 has frames in place of chunks.
        Body::Plain(None) if head.starts_with(b"HTTP/1") => {
            directions.push(("framing", b"close".to_vec()));
            closes = false;
        }
        _ => {}
    }
    Some(Head::Final(FinalHead { directions, body, closes }))
}

/// The argument of `@status`, from a status line without its version.
fn status_argument(status: Status, status_line: &[u8]) -> Vec<u8> {
    let has_phrase = status_line[3..].iter().any(|&byte| byte != b' ');
    if has_phrase || status.reason().is_empty() {
        return status_line.to_vec();
    }
    // HTTP/2 has no reason phrases.
    format!("{} {}", status.0, status.reason()).into_bytes()
}

/// What follows a head with this status; `None` if `@framing` cannot mark its end in the same way.
fn body(status: Status, head: &[u8]) -> Option<Body> {
    match (field_value(head, "transfer-encoding"), field_value(head, "content-length")) {
        (None, None) if status.allows_no_content() => Some(Body::None),
        _ if status.allows_no_content() => None,
        (None, None) => Some(Body::Plain(None)),
        (None, Some(length)) => Some(Body::Plain(Some(parse_number(length)?))),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Some(Body::Chunked),
        (Some(_), _) => None,
    }
}

/// The `@header` for each field line that differs from those of a script without any, in the order in which the server
/// sends them, so that a capture of the replay has the same order.
fn add_fields(fields: &[FieldLine<'_>], directions: &mut Vec<Direction>) {
    for (name, _) in DEFAULTS {
        if !fields.iter().any(|line| line.is(name)) {
            directions.push(("header", format!("-{name}").into_bytes()));
        }
    }
    let mut ordered = Vec::new();
    for (at, line) in fields.iter().enumerate() {
        let is_later = fields[..at].iter().any(|earlier| earlier.is(line.name));
        let place = FIRST.iter().position(|name| line.is(name) && !is_later);
        ordered.push((place.unwrap_or(FIRST.len()), is_later, line));
    }
    ordered.sort_by_key(|(place, ..)| *place);
    for (_, is_later, line) in ordered {
        let is_default = DEFAULTS
            .iter()
            .any(|(name, value)| line.is(name) && value.map_or(true, |value| value.as_bytes() == line.value));
        if !is_default && !NOT_COPIED.iter().any(|name| line.is(name)) {
            // Without it, a name that begins with `-` would be removed.
            let plus = if is_later || line.name.starts_with(['-', '+'].as_slice()) { "+" } else { "" };
            let name = format!("{plus}{}: ", line.name);
            directions.push(("header", [name.as_bytes(), line.value].concat()));
        }
    }
}

/// An interim response as it is in HTTP/1.1, whatever version it came in.
fn interim(code: &[u8], reason: &[u8], lines: &[&[u8]]) -> Vec<u8> {
    let reason = if reason.is_empty() { b" " } else { reason };
    let mut head = [b"HTTP/1.1 ", code, reason, b"\r\n"].concat();
    for line in lines.iter().chain([&&b""[..]]) {
        head.extend_from_slice(line);
        head.extend_from_slice(b"\r\n");
    }
    head
}

/// Bytes of a head, with the empty line at its end; `None` if that is missing.
pub(super) fn head_length(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    bytes.split_inclusive(|&byte| byte == b'\n').find_map(|line| {
        length += line.len();
        matches!(line, b"\n" | b"\r\n").then(|| length)
    })
}

/// Whether this is the direction for the field that says how the body is coded.
pub(super) fn is_content_coding((name, argument): &Direction) -> bool {
    const FIELD: &[u8] = b"content-encoding:";
    *name == "header" && argument.len() > FIELD.len() && argument[..FIELD.len()].eq_ignore_ascii_case(FIELD)
}
