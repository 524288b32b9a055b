//! Sends nothing: text and bytes as strings of JSON (RFC 8259, section 7).

/// A string of JSON. Control characters are escaped, so a line stays a line and a terminal its own master.
pub fn string(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            c if c.is_control() => json.push_str(&format!("\\u{:04x}", c as u32)),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

/// A string of JSON with a character U+0000 to U+00FF for each byte.
pub fn bytes(bytes: &[u8]) -> String {
    string(&bytes.iter().map(|&byte| char::from(byte)).collect::<String>())
}
