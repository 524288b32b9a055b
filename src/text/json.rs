//! Writes text and bytes as JSON strings (RFC 8259, section 7).

/// A JSON string. Control characters are escaped, so it stays on one line and is safe to print.
pub fn string(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            _ if c.is_control() => json += &format!("\\u{:04x}", u32::from(c)),
            _ => json.push(c),
        }
    }
    json.push('"');
    json
}

/// A JSON string with one character, U+0000 to U+00FF, for each byte.
pub fn bytes(bytes: &[u8]) -> String {
    let text: String = bytes.iter().copied().map(char::from).collect();
    string(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_backslashes_and_control_characters_are_escaped() {
        assert_eq!(string("a\"\\\n\r\t\u{7f}é"), "\"a\\\"\\\\\\n\\r\\u0009\\u007fé\"");
    }

    #[test]
    fn each_byte_is_a_character() {
        assert_eq!(bytes(b"\xc3\xa9\0"), "\"\u{c3}\u{a9}\\u0000\"");
    }
}
