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

/// Escapes the control characters and other invisible characters in a line that is ready to be printed. Backslashes stay:
/// a part of the line can be escaped already, or be a path on Windows.
pub fn for_terminal(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\\' => escaped.push(c),
            _ => push_visible(&mut escaped, c),
        }
    }
    escaped
}

/// Adds bytes that are known to be UTF-8.
fn push_text(escaped: &mut String, utf8: &[u8]) {
    for c in String::from_utf8_lossy(utf8).chars() {
        match c {
            ARROW => escaped.extend(c.escape_unicode()),
            _ => push_visible(escaped, c),
        }
    }
}

/// Adds a character, or its escape if it cannot be seen. Among those are the controls of bidirectional text, which would
/// change the order of what follows them.
fn push_visible(escaped: &mut String, c: char) {
    match c {
        '"' | '\'' => escaped.push(c),
        '\t' | '\n' | '\r' => escaped.extend(c.escape_debug()),
        _ if c.is_ascii_control() => *escaped += &format!("\\x{:02x}", u32::from(c)),
        _ => escaped.extend(c.escape_debug()),
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
    fn a_line_for_a_terminal_keeps_its_backslashes_and_loses_what_cannot_be_seen() {
        assert_eq!(for_terminal("a\\b \"←\" \x1b[2J\r\n"), "a\\b \"←\" \\x1b[2J\\r\\n");
        assert_eq!(for_terminal("\u{202e}\u{2066}\u{200b}\u{feff}"), "\\u{202e}\\u{2066}\\u{200b}\\u{feff}");
    }
}
