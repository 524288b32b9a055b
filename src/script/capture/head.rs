//! Turns the head of a captured response into directions.

use crate::http::field::{is_field_value, FieldLine};
use crate::http::status::Status;
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
    /// Directions: names and arguments.
    Directions {
        directions: Vec<Direction>,
        body: Body,
        /// Whether `@close` has to end the script: the head contains `connection: close`, but marks the end of the body
        /// in another way.
        closes: bool,
    },
    /// No directions can produce this head: a line is invalid, or `@framing` does not have its framing.
    Other,
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
    directions(head).unwrap_or(Head::Other)
}

fn directions(head: &[u8]) -> Option<Head> {
    let mut lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let status_line = lines.next()?;
    let code_at = status_line.iter().position(|&byte| byte == b' ')? + 1;
    let status_line = &status_line[code_at..];
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
    let mut directions = vec![];
    if !matches!((code, reason), (b"200", b"" | b" " | b" OK")) {
        // HTTP/2 has no reason phrases.
        let usual = if is_blank(reason) { status.reason() } else { "" };
        let status_line = if usual.is_empty() {
            status_line.to_vec()
        } else {
            format!("{} {usual}", status.0).into_bytes()
        };
        directions.push(("status", status_line));
    }
    add_fields(&fields, &mut directions);
    let value = |name: &str| fields.iter().find(|line| line.is(name)).map(|line| line.value);
    let (coding, length) = (value("transfer-encoding"), value("content-length"));
    let is_framed = coding.is_some() || length.is_some();
    let is_chunked = coding.map_or(false, |coding| coding.eq_ignore_ascii_case(b"chunked"));
    if (coding.is_some() && (!is_chunked || length.is_some())) || (status.allows_no_content() && is_framed) {
        return None;
    }
    let length = length.map_or(Some(None), |length| Some(Some(parse_number(length)?)))?;
    let body_follows = !status.allows_no_content();
    let mut closes = value("connection").map_or(false, |value| value.eq_ignore_ascii_case(b"close"));
    match length {
        Some(length) => directions.push(("framing", format!("length {length}").into_bytes())),
        // HTTP/2 has frames in place of chunks.
        None if body_follows && !is_chunked && head.starts_with(b"HTTP/1") => {
            directions.push(("framing", b"close".to_vec()));
            closes = false;
        }
        None => {}
    }
    let body = match length {
        _ if !body_follows => Body::None,
        _ if is_chunked => Body::Chunked,
        length => Body::Plain(length),
    };
    Some(Head::Directions { directions, body, closes })
}

/// Whether there is nothing but spaces.
fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|&byte| byte == b' ')
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
