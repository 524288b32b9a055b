//! Text that is sent with values for its placeholders, `data: {{elapsed}} ms`, and the escapes of TEXT, `\n` and
//! `\xE2`.

use super::context::{RenderContext, RequestContext};
use crate::http::uri::hex_octet;
use crate::text::escape::escape;
use crate::text::suggest;
use std::borrow::Cow;

/// A part of a text that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Bytes as they stand in the script.
    Text(Vec<u8>),
    /// The same byte so many times: what `@fill` asks for, never held in memory.
    Fill(u8, u64),
    /// A value that is known when the text is sent.
    Value(Value),
}

impl Segment {
    /// The bytes, when they stand in the script.
    pub(super) fn as_text(&self) -> Option<&[u8]> {
        match self {
            Segment::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Octets, when they are known in advance.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Segment::Text(text) => Some(text.len() as u64),
            Segment::Fill(_, count) => Some(*count),
            Segment::Value(_) => None,
        }
    }

    /// Octets at most, where the request does not decide it; a filler is not meant to be held in memory.
    pub(super) fn at_most(&self) -> Option<usize> {
        match self {
            Segment::Text(text) => Some(text.len()),
            Segment::Value(value) if value.is_number() => Some(MAX_DIGITS),
            Segment::Fill(..) | Segment::Value(_) => None,
        }
    }

    /// Whether the request's body is asked for.
    pub(super) fn wants_body(&self) -> bool {
        matches!(self, Segment::Value(value) if value.wants_body())
    }
}

/// Text with placeholders in it, outside of the body: in a status, a field line, a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(pub Vec<Segment>);

/// What stands in `{{ }}`: a name, a number to add, and what stands for a value that is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    name: Name,
    plus: Option<Addend>,
    default: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Addend {
    Number(u64),
    Name(Name),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Elapsed,
    Time,
    Turn,
    Connection,
    LastEventId,
    Method,
    Target,
    Path,
    Open,
    Body,
    Query(Vec<u8>),
    Header(String),
    Cookie(String),
}

/// All placeholders, as the README writes them.
pub const PLACEHOLDERS: [&str; 13] = [
    "elapsed",
    "time",
    "i",
    "connection",
    "last-event-id",
    "method",
    "target",
    "path",
    "open",
    "query:K",
    "header:K",
    "cookie:K",
    "body",
];

impl Name {
    fn parse(name: &str) -> Option<Name> {
        Some(match name {
            "elapsed" => Name::Elapsed,
            "time" => Name::Time,
            "i" => Name::Turn,
            "connection" => Name::Connection,
            "last-event-id" => Name::LastEventId,
            "method" => Name::Method,
            "target" => Name::Target,
            "path" => Name::Path,
            "open" => Name::Open,
            "body" => Name::Body,
            _ => match name.split_once(':') {
                Some((_, "")) | None => return None,
                Some(("query", key)) => Name::Query(key.as_bytes().to_vec()),
                Some(("header", key)) => Name::Header(key.to_owned()),
                Some(("cookie", key)) => Name::Cookie(key.to_owned()),
                Some(_) => return None,
            },
        })
    }

    fn shown<'a>(&self, context: &RenderContext<'a>) -> Option<Shown<'a>> {
        let RequestContext { request, body, connection, .. } = context.request;
        let bytes = match self {
            Name::Elapsed => return Some(Shown::Number(context.elapsed)),
            Name::Time => return Some(Shown::Number(context.time)),
            Name::Turn => return Some(Shown::Number(context.turn)),
            Name::Open => return Some(Shown::Number(context.request.open())),
            Name::Connection => return Some(Shown::Number(connection)),
            Name::LastEventId => context.request.last_event_id()?,
            Name::Method => Cow::Borrowed(request.method().as_bytes()),
            Name::Target => Cow::Borrowed(request.target()),
            Name::Path => Cow::Borrowed(request.path()),
            Name::Body => Cow::Borrowed(body),
            Name::Query(key) => context.request.query_value(key)?,
            Name::Header(key) => Cow::Borrowed(request.field(key)?),
            Name::Cookie(key) => Cow::Borrowed(context.request.cookie(key)?),
        };
        Some(Shown::Bytes(bytes))
    }
}

impl Value {
    /// Reads what stands between the braces: `NAME`, `NAME+1`, `NAME+NAME`, each with `|default` after it or not.
    pub fn parse(text: &[u8]) -> Option<Value> {
        let text = std::str::from_utf8(text).ok()?;
        let (text, default) = match text.split_once('|') {
            Some((text, default)) => (text, Some(default.as_bytes().to_vec())),
            None => (text, None),
        };
        let (name, plus) = match text.split_once('+') {
            Some((name, addend)) => (name, Some(Addend::parse(addend)?)),
            None => (text, None),
        };
        Some(Value { name: Name::parse(name)?, plus, default })
    }

    /// What it stands for.
    pub fn shown<'a>(&'a self, context: &RenderContext<'a>) -> Shown<'a> {
        let value = self.name.shown(context);
        match (value, &self.plus, &self.default) {
            (None, _, Some(default)) => Shown::Bytes(Cow::Borrowed(default)),
            (value, Some(addend), _) => {
                let value = value.map_or(0, |value| value.to_number());
                Shown::Number(value.saturating_add(addend.to_number(context)))
            }
            (Some(value), None, _) => value,
            (None, None, None) => Shown::Bytes(Cow::Borrowed(b"")),
        }
    }

    /// Whether it stands for a number, whatever the request.
    fn is_number(&self) -> bool {
        let is_counted =
            matches!(self.name, Name::Elapsed | Name::Time | Name::Turn | Name::Open | Name::Connection);
        is_counted || (self.plus.is_some() && self.default.is_none())
    }

    /// Whether the request's body is asked for.
    pub fn wants_body(&self) -> bool {
        self.name == Name::Body || self.plus == Some(Addend::Name(Name::Body))
    }
}

impl Addend {
    fn parse(text: &str) -> Option<Addend> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match is_number {
            true => text.parse().ok().map(Addend::Number),
            false => Name::parse(text).map(Addend::Name),
        }
    }

    fn to_number(&self, context: &RenderContext<'_>) -> u64 {
        match self {
            Addend::Number(number) => *number,
            Addend::Name(name) => name.shown(context).map_or(0, |value| value.to_number()),
        }
    }
}

/// Digits of the largest number.
pub const MAX_DIGITS: usize = 20;

/// What a value is at a moment.
pub enum Shown<'a> {
    /// A number.
    Number(u64),
    /// Anything else.
    Bytes(Cow<'a, [u8]>),
}

impl Shown<'_> {
    /// The bytes to send. A number's stand in `place`, so that showing one allocates nothing.
    pub fn as_bytes<'b>(&'b self, place: &'b mut [u8; MAX_DIGITS]) -> &'b [u8] {
        match self {
            Shown::Number(number) => decimal(*number, place),
            Shown::Bytes(bytes) => bytes,
        }
    }

    /// The number it is; what is no number counts as 0.
    fn to_number(&self) -> u64 {
        let bytes = match self {
            Shown::Number(number) => return *number,
            Shown::Bytes(bytes) => bytes,
        };
        let is_number = bytes.iter().all(u8::is_ascii_digit);
        let text = std::str::from_utf8(bytes).ok().filter(|_| is_number);
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

/// The digits of a number, at the end of `place`.
fn decimal(mut number: u64, place: &mut [u8; MAX_DIGITS]) -> &[u8] {
    let mut start = MAX_DIGITS;
    loop {
        start -= 1;
        place[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &place[start..];
        }
    }
}

impl Template {
    /// Reads text in which every placeholder has to be known.
    ///
    /// # Errors
    /// Names the placeholder that is unknown.
    pub fn parse(text: &[u8]) -> Result<Template, String> {
        Template::read(text, |text| Ok(text.to_vec()))
    }

    /// Reads TEXT: escapes are undone as well.
    ///
    /// # Errors
    /// Names the placeholder or the escape that is unknown.
    pub fn parse_escaped(text: &[u8]) -> Result<Template, String> {
        Template::read(text, unescape)
    }

    fn read(mut text: &[u8], literal: fn(&[u8]) -> Result<Vec<u8>, String>) -> Result<Template, String> {
        let mut segments = Vec::new();
        loop {
            let next = next_braces(text, 0);
            let before = next.map_or(text, |(open, _)| &text[..open]);
            if !before.is_empty() {
                segments.push(Segment::Text(literal(before)?));
            }
            let (open, close) = match next {
                Some(place) => place,
                None => return Ok(Template(segments)),
            };
            let inside = &text[open + 2..close];
            segments.push(Segment::Value(Value::parse(inside).ok_or_else(|| unknown(inside))?));
            text = &text[close + 2..];
        }
    }

    /// The bytes, when there is no placeholder.
    pub fn as_plain(&self) -> Option<&[u8]> {
        match self.0.as_slice() {
            [] => Some(b""),
            [Segment::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The bytes when a head is made; where they are always the same, not a copy of them.
    pub fn in_head(&self, context: RequestContext<'_>) -> Cow<'_, [u8]> {
        match self.as_plain() {
            Some(plain) => Cow::Borrowed(plain),
            None => Cow::Owned(self.render(&RenderContext::of_head(context))),
        }
    }

    /// The bytes in this context.
    pub fn render(&self, context: &RenderContext<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        render(&self.0, context, &mut out);
        out
    }
}

/// Appends what `segments` stand for in this context.
pub(super) fn render(segments: &[Segment], context: &RenderContext<'_>, out: &mut Vec<u8>) {
    for segment in segments {
        match segment {
            Segment::Text(text) => out.extend_from_slice(text),
            Segment::Fill(byte, count) => out.extend((0..*count).map(|_| *byte)),
            Segment::Value(value) => {
                out.extend_from_slice(value.shown(context).as_bytes(&mut [0; MAX_DIGITS]))
            }
        }
    }
}

fn unknown(name: &[u8]) -> String {
    let name = name.escape_ascii().to_string();
    let hint = suggest::nearest(&name, PLACEHOLDERS)
        .map_or(String::new(), |near| format!("did you mean `{{{{{near}}}}}`? "));
    format!("unknown placeholder `{{{{{name}}}}}` ({hint}known are {})", PLACEHOLDERS.join(", "))
}

/// Octets between the braces of a placeholder, default included. Looking further for each of many `{{` would take the
/// square of a text's length.
const MAX_INSIDE: usize = 1024;

/// Where the next `{{` with a `}}` after it stands, and that.
fn next_braces(text: &[u8], mut from: usize) -> Option<(usize, usize)> {
    let find = |from: usize, to: usize, mark: &[u8]| {
        let found = text.get(from..to)?.windows(2).position(|window| window == mark);
        found.map(|at| from + at)
    };
    loop {
        let open = find(from, text.len(), b"{{")?;
        let end = text.len().min(open + 2 + MAX_INSIDE);
        if let Some(close) = find(open + 2, end, b"}}") {
            return Some((open, close));
        }
        from = open + 1;
    }
}

/// The first placeholder with a known name in a body line: what stands before it, it, and what stands after it.
pub(super) fn next_value(text: &[u8]) -> Option<(&[u8], Value, &[u8])> {
    let mut from = 0;
    while let Some((open, close)) = next_braces(text, from) {
        if let Some(value) = Value::parse(&text[open + 2..close]) {
            return Some((&text[..open], value, &text[close + 2..]));
        }
        from = open + 1;
    }
    None
}

/// Undoes the escapes of TEXT: `\n \r \t \0 \s \\ \xHH`.
///
/// # Errors
/// Names the escape that is unknown.
pub(super) fn unescape(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let (octet, length) = match (byte, after.first()) {
            (b'\\', Some(b'n')) => (b'\n', 1),
            (b'\\', Some(b'r')) => (b'\r', 1),
            (b'\\', Some(b't')) => (b'\t', 1),
            (b'\\', Some(b'0')) => (b'\0', 1),
            (b'\\', Some(b's')) => (b' ', 1),
            (b'\\', Some(b'\\')) => (b'\\', 1),
            (b'\\', Some(b'x')) => (hex_octet(&after[1..]).ok_or_else(|| unknown_escape(rest))?, 3),
            (b'\\', _) => return Err(unknown_escape(rest)),
            _ => (byte, 0),
        };
        plain.push(octet);
        rest = &after[length..];
    }
    Ok(plain)
}

fn unknown_escape(text: &[u8]) -> String {
    let length = if text.starts_with(b"\\x") { 4 } else { 2 };
    let after = &text[1..length.min(text.len())];
    format!("unknown escape `\\{}` (known are \\n \\r \\t \\0 \\s \\\\ \\xHH)", escape(after))
}

#[cfg(test)]
mod tests;
