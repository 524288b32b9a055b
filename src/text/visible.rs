//! Sends nothing: shows bytes from the wire as text for a terminal. What they are can be told apart, and nothing in
//! them can move a cursor or begin a line.

/// Never in a text made visible, so that what follows it is known to be ours.
pub const ARROW: char = '←';

/// The bytes as text: line ends and other control characters as escapes, and so are what is no UTF-8, and a space at the
/// end.
pub fn visible(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 8);
    while !bytes.is_empty() {
        let (good, bad) = match std::str::from_utf8(bytes) {
            Ok(good) => (good, 0),
            Err(error) => {
                let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
                (good, error.error_len().unwrap_or(bytes.len() - good.len()))
            }
        };
        good.chars().for_each(|c| push(&mut text, c));
        let used = good.len() + bad;
        bytes[good.len()..used].iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
        bytes = &bytes[used..];
    }
    if text.ends_with(' ') {
        text.pop();
        text.push_str("\\s");
    }
    text
}

fn push(text: &mut String, c: char) {
    match c {
        '"' | '\'' => text.push(c),
        ARROW => text.extend(c.escape_unicode()),
        '\x00'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\x7f' => {
            text.push_str(&format!("\\x{:02x}", c as u32))
        }
        c => text.extend(c.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_what_moves_a_cursor_are_escaped() {
        assert_eq!(visible(b"data: \"it's\"\r\n\t\\"), "data: \"it's\"\\r\\n\\t\\\\");
        assert_eq!(visible(b"\x1b[2J\x00\x7f\x08"), "\\x1b[2J\\x00\\x7f\\x08");
        assert_eq!(
            visible("é€😀\u{85}\u{202e}\u{200b}←".as_bytes()),
            "é€😀\\u{85}\\u{202e}\\u{200b}\\u{2190}"
        );
    }

    #[test]
    fn what_is_no_utf_8_is_shown_byte_by_byte() {
        assert_eq!(visible(b"a\xffb\xe2\x82"), "a\\xffb\\xe2\\x82");
        assert_eq!(visible(b"\xe2\x82\xac"), "€");
        assert_eq!(visible(b"data: "), "data:\\s");
    }
}
