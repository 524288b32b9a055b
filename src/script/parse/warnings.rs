//! Finds what is valid in an event stream but rarely intended: lines that clients ignore, an event that is never dispatched,
//! placeholders that do not exist.

use super::error::Located;
use crate::http::field::trim_ows;
use crate::http::uri::split_at_first;
use crate::script::placeholder::PLACEHOLDERS;
use crate::script::template::{braces, similar_placeholder, unknown_placeholder};
use crate::script::words::unknown;
use crate::text::suggest;
use std::collections::BTreeSet;

/// Warnings about one script that are shown. A file that is not an event stream would have one for every line.
const MAX_WARNINGS: usize = 20;

/// The fields of an event stream (WHATWG, section 9.2.6).
const FIELDS: [&str; 4] = ["data", "event", "id", "retry"];

/// The warnings about one part so far, and what later ones depend on.
#[derive(Clone, Default)]
pub(super) struct Warnings {
    /// Those about an event stream.
    pub found: Vec<Located<String>>,
    /// Those about text in braces that resembles a placeholder, which is unlikely to be intended in any response.
    pub misspelled: Vec<Located<String>>,
    /// The last line of an event with `data` or `id` that no empty line has ended yet.
    incomplete_event: Option<usize>,
    /// The first line with an id that is not known in advance.
    unknown_id: Option<usize>,
    /// The head of a captured response, whose first line was reported, has not ended yet.
    in_head: bool,
}

impl Warnings {
    /// Looks at a line of the event stream, without its end.
    pub fn add_line(&mut self, line: usize, text: &[u8]) {
        let name = split_at_first(text, b':').0;
        if name == b"data" || name == b"id" || self.incomplete_event.is_some() {
            self.incomplete_event = Some(line);
        }
        if !self.in_head {
            self.in_head = text.starts_with(b"HTTP/");
            if let Some(message) = about_line(text) {
                self.add(line, message);
            }
        }
    }

    /// Looks at a line of the file, in which known placeholders have been left out.
    pub fn add_text(&mut self, line: usize, text: &[u8]) {
        for (_, inside, _) in braces(text) {
            let is_misspelled = similar_placeholder(inside).is_some();
            let warnings = if is_misspelled { &mut self.misspelled } else { &mut self.found };
            warnings.extend(about_braces(inside).map(|value| Located { line, value }));
        }
    }

    /// Looks for a placeholder that is still open before a known one: `{{query:a|{{query:b}}`.
    pub fn add_text_before_value(&mut self, line: usize, text: &[u8]) {
        let open = text.windows(2).rposition(|braces| braces == b"{{");
        let inside = open.map_or(&b""[..], |open| &text[open + 2..]);
        let is_placeholder = |usage: &str| {
            let (kind, key) = usage.split_once(':').unwrap_or((usage, ""));
            let separator = if key.is_empty() { "|" } else { ":" };
            inside.starts_with(format!("{kind}{separator}").as_bytes())
        };
        let is_open = !inside.windows(2).any(|braces| braces == b"}}");
        if is_open && PLACEHOLDERS.iter().any(|placeholder| is_placeholder(placeholder.usage)) {
            let value = unknown_placeholder(&[inside, b"{{"].concat());
            self.misspelled.push(Located { line, value });
        }
    }

    /// Notes that the id on this line is not known in advance.
    pub fn add_unknown_id(&mut self, line: usize) {
        self.unknown_id.get_or_insert(line);
    }

    /// Notes that the bytes of `@wire` on this line are the beginning of an interim response.
    pub fn add_incomplete_head(&mut self, line: usize) {
        let message =
            r"not a whole interim response, so the head that follows continues it (end it with `\r\n\r\n`)";
        self.add(line, message);
    }

    /// Notes an empty line.
    pub fn end_event(&mut self) {
        self.incomplete_event = None;
        self.in_head = false;
    }

    fn add(&mut self, line: usize, message: impl Into<String>) {
        self.found.push(Located { line, value: message.into() });
    }

    /// Adds the warning that clients cannot resume after some ids.
    pub fn finish_resume(&mut self) {
        let message = "the id is not known in advance, so `@resume` starts from the beginning after it \
                       (write the id itself)";
        if let Some(line) = self.unknown_id {
            self.add(line, message);
        }
    }

    /// Adds the warning that the stream ends with an incomplete event.
    pub fn finish_event(&mut self) {
        let message = "no empty line after the last event, so no client dispatches it";
        if let Some(line) = self.incomplete_event {
            self.add(line, message);
        }
    }
}

/// What is wrong with a line of an event stream.
fn about_line(line: &[u8]) -> Option<String> {
    let (name, value) = split_at_first(line, b':');
    let text = String::from_utf8_lossy(name);
    if name.is_empty() || FIELDS.contains(&&*text) {
        return about_retry(name, value);
    }
    let has_colon = name.len() < line.len();
    let message = if name.starts_with(b"HTTP/") {
        "the head of an HTTP response, which clients ignore (capture without `-i`: `curl -N URL > FILE`, or with `--capture`)"
    } else if suggest::nearest(&text, FIELDS).is_some() || (has_colon && is_word(name)) {
        return Some(unknown("field", name, FIELDS.into_iter()));
    } else if is_direction(line) {
        "not a direction, because it does not begin with `@` (remove what is before it)"
    } else if !has_colon && name.len() <= 8 && name.iter().all(u8::is_ascii_hexdigit) {
        "a chunk-size, which clients ignore (capture without `--raw`: `curl -N URL > FILE`, or with `--capture`)"
    } else {
        "not a field, so clients ignore it (write `data: TEXT`)"
    };
    Some(message.to_owned())
}

/// What is wrong with a line whose field is known.
fn about_retry(name: &[u8], value: &[u8]) -> Option<String> {
    let digits = value.strip_prefix(b" ").unwrap_or(value);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let message = "not a number of milliseconds, so clients ignore this `retry` (write digits alone)";
    (name == b"retry" && !is_number).then(|| message.to_owned())
}

/// Whether a line has an `@` after blanks or a byte order mark.
fn is_direction(line: &[u8]) -> bool {
    let is_skipped = |byte: &&u8| b" \t\xEF\xBB\xBF".contains(byte);
    line.iter().find(|byte| !is_skipped(byte)) == Some(&b'@')
}

/// What is wrong with the text in braces that are not a known placeholder: it looks like the name of one.
fn about_braces(inside: &[u8]) -> Option<String> {
    let name = inside.split(|byte| b":+|".contains(byte)).next().unwrap_or_default();
    let is_name = is_word(trim_ows(name)) && !trim_ows(name)[0].is_ascii_digit();
    is_name.then(|| unknown_placeholder(inside))
}

/// Whether text is letters, digits, hyphens and underscores.
fn is_word(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
}

/// The warnings about a script, as lines `FILE:LINE: warning: message`.
pub(super) fn in_lines(file: &str, warnings: &BTreeSet<Located<String>>) -> Vec<String> {
    let line = |warning: &Located<String>| format!("{file}:{}: warning: {}", warning.line, warning.value);
    let mut lines: Vec<String> = warnings.iter().take(MAX_WARNINGS).map(line).collect();
    if let Some(next) = warnings.iter().nth(MAX_WARNINGS) {
        let more = warnings.len() - MAX_WARNINGS;
        lines.push(format!("{file}:{}: warning: {more} more from here on (not shown)", next.line));
    }
    lines
}

#[cfg(test)]
mod tests;
