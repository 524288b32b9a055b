//! Splits the lines of a script into words, and quotes them in error messages.

use crate::text::escape::escape;
use crate::text::suggest;

/// The first word, and what follows the blanks after it.
pub(crate) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let length = text.iter().take_while(|byte| !b" \t".contains(byte)).count();
    (&text[..length], trim_start(&text[length..]))
}

/// The same for a word with placeholders, in which there can be blanks.
pub(crate) fn word_with_placeholders(text: &[u8]) -> (&[u8], &[u8]) {
    let is_inside = |at: usize| {
        let count = |mark: &[u8]| text[..at].windows(2).filter(|pair| *pair == mark).count();
        count(b"{{") > count(b"}}")
    };
    let is_end = |&at: &usize| b" \t".contains(&text[at]) && !is_inside(at);
    let length = (0..text.len()).find(is_end).unwrap_or(text.len());
    (&text[..length], trim_start(&text[length..]))
}

/// The text without the blanks at its beginning.
pub(crate) fn trim_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| b" \t".contains(byte)).count();
    &text[blanks..]
}

/// The text without the white space at its end.
pub(crate) fn trim_end(text: &[u8]) -> &[u8] {
    let blanks = text.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    &text[..text.len() - blanks]
}

/// The message about a value that has the wrong form, or is not there at all:
/// ``invalid size `5K` (expected 512, 64k or 5M, at most 64M)``.
pub(crate) fn invalid(what: &str, text: &[u8], expected: &str) -> String {
    if text.is_empty() {
        return format!("missing {what} (expected {expected})");
    }
    format!("invalid {what} `{}` (expected {expected})", escape(text))
}

/// The message about an argument that is not written as its direction says, or is missing. How it is written is added by
/// the table of directions.
pub(crate) fn invalid_argument(argument: &[u8]) -> String {
    if argument.is_empty() {
        return "missing argument".to_owned();
    }
    format!("invalid argument `{}`", escape(argument))
}

/// The message about a name that is none of the known ones: it suggests the nearest, or lists them all.
pub(crate) fn unknown<'a>(what: &str, name: &[u8], known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let hint = match suggest::nearest(&String::from_utf8_lossy(name), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", known.join(", ")),
    };
    format!("unknown {what} `{}` ({hint})", escape(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_word_and_the_rest_after_any_blanks() {
        assert_eq!(word(b"sleep \t 1s 2s"), (&b"sleep"[..], &b"1s 2s"[..]));
        assert_eq!(word(b"open"), (&b"open"[..], &b""[..]));
        assert_eq!(trim_end(b"open \t\r\n"), b"open");
        assert_eq!(word_with_placeholders(b"{{a|b c}}d \t1s"), (&b"{{a|b c}}d"[..], &b"1s"[..]));
        assert_eq!(word_with_placeholders(b"forever"), (&b"forever"[..], &b""[..]));
    }

    #[test]
    fn messages_quote_what_is_invalid_and_name_what_is_missing() {
        assert_eq!(invalid("size", b"5K\x1b", "64k"), "invalid size `5K\\x1b` (expected 64k)");
        assert_eq!(invalid("size", b"", "64k"), "missing size (expected 64k)");
    }
}
