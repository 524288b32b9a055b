//! Splits the lines of a script into words, and quotes them in error messages.

/// The first word, and what follows the blanks after it.
pub(crate) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let is_blank = |byte: &u8| b" \t".contains(byte);
    let length = text.iter().take_while(|byte| !is_blank(byte)).count();
    let blanks = text[length..].iter().take_while(|byte| is_blank(byte)).count();
    (&text[..length], &text[length + blanks..])
}

/// The text without the white space at its end.
pub(crate) fn trim_end(text: &[u8]) -> &[u8] {
    let blanks = text.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    &text[..text.len() - blanks]
}

/// A text from a script, escaped for a message.
pub(crate) fn shown(text: &[u8]) -> String {
    text.escape_ascii().to_string()
}

/// The message that a quoted text `is no framing`.
pub(crate) fn wrong(text: &[u8], what: &str) -> String {
    format!("`{}` {what}", shown(text))
}
