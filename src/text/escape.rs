//! Escapes text from outside, so that it cannot move a terminal's cursor, begin a line or hide what follows it.

/// Separates the bytes of the wire from a remark in the trace. [`escape`] never lets it through, so what follows the
/// first one is known to be a remark.
pub const ARROW: char = '←';

/// Escapes a value from outside for one line of a message, a log or a trace. The bytes can be recovered from the result.
///
/// Control characters, characters that cannot be seen, backslashes, bytes that are not UTF-8 and a space at the end are
/// escaped. Quotation marks are not.
pub fn escape(bytes: impl AsRef<[u8]>) -> String {
    let mut rest = bytes.as_ref();
    let mut escaped = String::with_capacity(rest.len() + 8);
    while let Err(error) = std::str::from_utf8(rest) {
        let (valid, after) = rest.split_at(error.valid_up_to());
        let (invalid, next) = after.split_at(error.error_len().unwrap_or(after.len()));
        push_text(&mut escaped, valid);
        for byte in invalid {
            escaped += &format!("\\x{byte:02x}");
        }
        rest = next;
    }
    push_text(&mut escaped, rest);
    if escaped.ends_with(' ') {
        escaped.pop();
        escaped += "\\s";
    }
    escaped
}

/// Escapes the control characters in a text that is ready to be printed, all but the line feeds between its lines.
pub fn for_terminal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            escaped.extend(c.escape_debug());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Adds bytes that are known to be UTF-8.
fn push_text(escaped: &mut String, utf8: &[u8]) {
    for c in String::from_utf8_lossy(utf8).chars() {
        match c {
            '"' | '\'' => escaped.push(c),
            ARROW => escaped.extend(c.escape_unicode()),
            '\t' | '\n' | '\r' => escaped.extend(c.escape_debug()),
            _ if c.is_ascii_control() => *escaped += &format!("\\x{:02x}", u32::from(c)),
            _ => escaped.extend(c.escape_debug()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_control_characters_are_escaped() {
        assert_eq!(escape("data: \"it's\"\r\n\t\\"), "data: \"it's\"\\r\\n\\t\\\\");
        assert_eq!(escape("\x1b[2J\x00\x7f\x08"), "\\x1b[2J\\x00\\x7f\\x08");
        assert_eq!(escape("é€😀\u{85}\u{202e}\u{200b}←"), "é€😀\\u{85}\\u{202e}\\u{200b}\\u{2190}");
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_escaped_one_by_one() {
        assert_eq!(escape(b"a\xffb\xe2\x82"), "a\\xffb\\xe2\\x82");
        assert_eq!(escape(b"\xff\xe2\x82\xac"), "\\xff€");
    }

    #[test]
    fn a_space_at_the_end_is_escaped() {
        assert_eq!(escape("data: "), "data:\\s");
        assert_eq!(escape(" a b"), " a b");
    }

    #[test]
    fn a_text_for_a_terminal_keeps_its_lines_and_loses_its_control_characters() {
        assert_eq!(for_terminal("a\\b\n\x1b[2J\r\n"), "a\\b\n\\u{1b}[2J\\r\n");
    }
}
