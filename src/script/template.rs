//! Text with placeholders, `data: {{elapsed}} ms`, and the escapes of TEXT, `\n` and `\xE2`.

use super::context::{RenderContext, RequestContext};
use super::placeholder::form::FORMS;
use super::placeholder::{has_too_many_values, Name, Placeholder, Value, MAX_VALUES, PLACEHOLDERS};
use super::words::unknown;
use crate::http::uri::hex_byte;
use crate::text::escape::escape;
use crate::text::shared::SharedBytes;
use crate::text::suggest;
use std::borrow::Cow;

/// The least room, in bytes, that is reserved for rendered text. glibc keeps freed buffers of up to 1 KiB for the thread
/// that freed them; larger ones are free for all threads. Exceeding that limit saves 0.17 kB for each client of the
/// demo.
const MIN_ROOM: usize = 1536;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Segment {
    /// Bytes that are sent as they are.
    Text(SharedBytes),
    /// A placeholder, whose value is known when the text is sent.
    Value(Value),
}

impl Segment {
    /// The bytes that are known in advance.
    pub(super) fn as_text(&self) -> Option<&[u8]> {
        match self {
            Segment::Text(text) => Some(text),
            Segment::Value(_) => None,
        }
    }
}

/// Digits of the largest number, which is what most placeholders stand for.
const MAX_DIGITS: usize = 20;

/// Text with placeholders.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template(pub Vec<Segment>);

impl Template {
    /// Text without placeholders.
    pub fn literal(text: &[u8]) -> Template {
        Template(vec![Segment::Text(text.into())])
    }

    /// Reads text in which every placeholder has to be known.
    ///
    /// # Errors
    /// Names the placeholder that is unknown.
    pub fn parse(text: &[u8]) -> Result<Template, String> {
        Template::read(text, |text| Ok(text.to_vec()))
    }

    /// Reads TEXT, which has escapes as well.
    ///
    /// # Errors
    /// Names the placeholder or the escape that is unknown.
    pub fn parse_escaped(text: &[u8]) -> Result<Template, String> {
        Template::read(text, unescape)
    }

    fn read(mut text: &[u8], literal: fn(&[u8]) -> Result<Vec<u8>, String>) -> Result<Template, String> {
        let mut segments = Vec::new();
        while let Some((before, inside, after)) = braces(text).next() {
            segments.push(Segment::Text(literal(before)?.into()));
            segments.push(Segment::Value(Value::parse(inside).ok_or_else(|| unknown_placeholder(inside))?));
            text = after;
        }
        segments.push(Segment::Text(literal(text)?.into()));
        segments.retain(|segment| segment.as_text() != Some(b""));
        Ok(Template(segments))
    }

    /// The bytes, when there is no placeholder.
    pub fn as_plain(&self) -> Option<&[u8]> {
        match self.0.as_slice() {
            [] => Some(b""),
            [Segment::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Bytes of the values whose length the request sets.
    pub(super) fn requested_bytes(&self, context: &RenderContext<'_>) -> usize {
        let bytes = |segment: &Segment| match segment {
            Segment::Value(value) if value.names().any(Name::is_from_request) => value.render(context).len(),
            _ => 0,
        };
        self.0.iter().map(bytes).sum()
    }

    /// Bytes when they are known in advance.
    pub(super) fn length(&self) -> Option<u64> {
        self.0.iter().map(|segment| segment.as_text().map(|text| text.len() as u64)).sum()
    }

    /// The names of all placeholders.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        let values = self.0.iter().filter_map(|segment| match segment {
            Segment::Text(_) => None,
            Segment::Value(value) => Some(value),
        });
        values.flat_map(Value::names)
    }

    /// Puts the names of the placeholders before a message about their values: `query count: invalid number …`.
    pub(super) fn explain(&self, message: &str) -> String {
        let names: Vec<String> = self.names().map(Name::to_string).collect();
        format!("{}: {message}", names.join(", "))
    }

    /// The text for a request that has none of the values; `None` if a placeholder has no default.
    pub(super) fn default_text(&self) -> Option<Vec<u8>> {
        let texts = self.0.iter().map(|segment| match segment {
            Segment::Text(text) => Some(&**text),
            Segment::Value(value) => value.default_text(),
        });
        texts.collect::<Option<Vec<_>>>().map(|texts| texts.concat())
    }

    /// The bytes when a response head is made.
    pub fn in_head(&self, context: RequestContext<'_>) -> Cow<'_, [u8]> {
        self.render(&RenderContext::of_head(context))
    }

    /// The bytes in this context. Without placeholders, this allocates nothing.
    pub fn render(&self, context: &RenderContext<'_>) -> Cow<'_, [u8]> {
        self.render_after(0, context)
    }

    /// The same without the first `skip` bytes of text and the values among them.
    pub(super) fn render_after(&self, mut skip: usize, context: &RenderContext<'_>) -> Cow<'_, [u8]> {
        if let Some(plain) = self.as_plain() {
            return Cow::Borrowed(&plain[skip..]);
        }
        let room = |segment: &Segment| segment.as_text().map_or(MAX_DIGITS, <[u8]>::len);
        let room: usize = self.0.iter().map(room).sum();
        let mut rendered = Vec::with_capacity(room.max(MIN_ROOM));
        for segment in &self.0 {
            match segment {
                Segment::Text(text) => {
                    let skipped = skip.min(text.len());
                    skip -= skipped;
                    rendered.extend_from_slice(&text[skipped..]);
                }
                Segment::Value(_) if skip > 0 => {}
                Segment::Value(value) => rendered.extend_from_slice(&value.render(context)),
            }
        }
        Cow::Owned(rendered)
    }
}

/// The message about text in braces that is not a placeholder.
pub(super) fn unknown_placeholder(inside: &[u8]) -> String {
    let text = escape(inside);
    if has_too_many_values(inside) {
        return format!("too many values in the placeholder `{text}` (at most {MAX_VALUES})");
    }
    if text.contains("{{") {
        return format!(
            "nested placeholder `{text}` (for another value as the default, write `{{{{query:a||query:b}}}}`)"
        );
    }
    if let Some(form) = unknown_form(inside) {
        let known = FORMS.map(|(name, _)| name).join(", ");
        return format!("unknown form `{}` in the placeholder `{text}` (known: {known})", escape(form));
    }
    match similar_placeholder(inside) {
        Some(similar) => format!("unknown placeholder `{text}` (did you mean `{similar}`?)"),
        None => unknown("placeholder", inside, PLACEHOLDERS.iter().map(|placeholder| placeholder.usage)),
    }
}

/// The usage of the placeholder whose name is nearest to the one in braces.
pub(super) fn similar_placeholder(inside: &[u8]) -> Option<&'static str> {
    let name = inside.split(|byte| b":+|".contains(byte)).next().unwrap_or_default();
    let name = String::from_utf8_lossy(name);
    let nearest = suggest::nearest(name.trim(), PLACEHOLDERS.iter().map(Placeholder::kind))?;
    let similar = PLACEHOLDERS.iter().find(|placeholder| placeholder.kind() == nearest)?;
    Some(similar.usage)
}

/// What follows the `as` of a known placeholder, if it is not a form.
fn unknown_form(inside: &[u8]) -> Option<&[u8]> {
    let sum = inside.split(|&byte| byte == b'|').next().unwrap_or_default();
    let at = sum.windows(4).position(|window| window == b" as ")?;
    Value::parse(&sum[..at]).map(|_| &sum[at + 4..])
}

/// Bytes between the braces of a placeholder, default included. Without a limit, a text of many `{{` would take time in the
/// square of its length.
const MAX_INSIDE: usize = 1024;

/// For each `{{` that a `}}` follows within [`MAX_INSIDE`] bytes: the text before the two, between them, and after them.
pub(super) fn braces(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8], &[u8])> {
    let opens = (0..text.len()).filter(move |&at| text[at..].starts_with(b"{{"));
    opens.filter_map(move |open| {
        let inside = &text[open + 2..];
        let end = inside.len().min(MAX_INSIDE);
        let close = inside[..end].windows(2).position(|mark| mark == b"}}")?;
        Some((&text[..open], &inside[..close], &inside[close + 2..]))
    })
}

/// The first placeholder with a known name in a body line: the text before it, its value, and the text after it.
pub(super) fn next_value(text: &[u8]) -> Option<(&[u8], Value, &[u8])> {
    braces(text).find_map(|(before, inside, after)| Some((before, Value::parse(inside)?, after)))
}

/// Undoes the escapes of TEXT: `\n \r \t \0 \s \\ \" \xHH`.
///
/// # Errors
/// Names the escape that is unknown.
pub(super) fn unescape(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let (plain_byte, length) = match (byte, after.first()) {
            (b'\\', Some(b'n')) => (b'\n', 1),
            (b'\\', Some(b'r')) => (b'\r', 1),
            (b'\\', Some(b't')) => (b'\t', 1),
            (b'\\', Some(b'0')) => (b'\0', 1),
            (b'\\', Some(b's')) => (b' ', 1),
            (b'\\', Some(b'\\')) => (b'\\', 1),
            (b'\\', Some(b'"')) => (b'"', 1),
            (b'\\', Some(b'x')) => (hex_byte(&after[1..]).ok_or_else(|| unknown_escape(rest))?, 3),
            (b'\\', _) => return Err(unknown_escape(rest)),
            _ => (byte, 0),
        };
        plain.push(plain_byte);
        rest = &after[length..];
    }
    Ok(plain)
}

fn unknown_escape(text: &[u8]) -> String {
    let length = if text.starts_with(b"\\x") { 4 } else { 2 };
    let after = &text[1..length.min(text.len())];
    format!("unknown escape `\\{}` (known: \\n \\r \\t \\0 \\s \\\\ \\\" \\xHH)", escape(after))
}

#[cfg(test)]
mod tests;
