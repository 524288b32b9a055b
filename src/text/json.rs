//! Writes JSON: objects, and text and bytes as strings (RFC 8259).

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};
use std::str;

/// Bytes that are escaped at a time. What is escaped can take six times as many.
const PIECE: usize = 1024;

/// An object, built member by member.
#[derive(Debug)]
pub struct Object(String);

impl Object {
    /// An object without a member so far.
    pub fn new() -> Object {
        Object("{".to_owned())
    }

    /// Adds a member whose value is a string.
    pub fn string(self, name: &str, text: &str) -> Object {
        self.member(name, string(text))
    }

    /// Adds a member whose value is displayed as JSON, such as a number. The name is not escaped.
    pub fn member(mut self, name: &str, json: impl Display) -> Object {
        let comma = if self.0.len() > 1 { "," } else { "" };
        self.0 += &format!("{comma}\"{name}\":{json}");
        self
    }

    /// The whole object.
    pub fn finish(self) -> String {
        self.0 + "}"
    }
}

/// A JSON string. Control characters are escaped, so it stays on one line and is safe to print.
pub fn string(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

/// A JSON string with one character, U+0000 to U+00FF, for each byte.
pub fn bytes(bytes: &[u8]) -> String {
    let text: String = bytes.iter().copied().map(char::from).collect();
    string(&text)
}

/// An object that contains, for each name, in lower case, the list of its values, in the order of the first pair with each
/// name.
pub fn object_of_lists<'a>(pairs: impl Iterator<Item = (&'a str, Cow<'a, str>)>) -> String {
    let mut lists: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in pairs {
        let (name, value) = (name.to_ascii_lowercase(), string(&value));
        match lists.iter_mut().find(|(other, _)| *other == name) {
            Some((_, values)) => values.push(value),
            None => lists.push((name, vec![value])),
        }
    }
    let add = |object: Object, (name, values): &(String, Vec<String>)| {
        object.member(&escape(name), format_args!("[{}]", values.join(",")))
    };
    lists.iter().fold(Object::new(), add).finish()
}

/// Writes a JSON string of any length in small pieces. Bytes that are not UTF-8 become U+FFFD, as
/// `String::from_utf8_lossy` does it.
pub fn write_lossy(mut bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"\"")?;
    while !bytes.is_empty() {
        let piece = &bytes[..bytes.len().min(PIECE)];
        let (valid, invalid) = match str::from_utf8(piece) {
            Ok(_) => (piece.len(), 0),
            // The piece may end in the middle of a character: look at that again, in the next piece.
            Err(error) if error.valid_up_to() > 0 => (error.valid_up_to(), 0),
            Err(error) => (0, error.error_len().unwrap_or(piece.len())),
        };
        out.write_all(escape(str::from_utf8(&piece[..valid]).unwrap_or_default()).as_bytes())?;
        if invalid > 0 {
            out.write_all("\u{fffd}".as_bytes())?;
        }
        bytes = &bytes[valid + invalid..];
    }
    out.write_all(b"\"")
}

/// The text between the quotation marks of a JSON string.
pub fn escape(text: &str) -> String {
    let mut json = String::with_capacity(text.len());
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
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_backslashes_and_control_characters_are_escaped() {
        assert_eq!(string("a\"\\\n\r\t\u{7f}é"), "\"a\\\"\\\\\\n\\r\\u0009\\u007fé\"");
    }

    #[test]
    fn an_object_has_a_comma_between_its_members() {
        assert_eq!(Object::new().finish(), "{}");
        let members = Object::new().member("a", 1).string("b", "\"").member("c", Object::new().finish());
        assert_eq!(members.finish(), r#"{"a":1,"b":"\"","c":{}}"#);
    }

    #[test]
    fn each_byte_is_a_character() {
        assert_eq!(bytes(b"\xc3\xa9\0"), "\"\u{c3}\u{a9}\\u0000\"");
    }

    #[test]
    fn a_long_string_in_pieces_is_the_same_as_in_one() {
        let units: [&[u8]; 6] =
            [b"a", "é".as_bytes(), "€".as_bytes(), "😀".as_bytes(), b"\xF0\x9F\x98", b"\x80\xFF\n"];
        for (first, second) in units.iter().flat_map(|first| units.iter().map(move |second| (first, second)))
        {
            for offset in 0..4 {
                let text = [&b"xxxx"[..offset], &first.repeat(600), &second.repeat(600)].concat();
                let mut json = Vec::new();
                write_lossy(&text, &mut json).unwrap();
                assert_eq!(String::from_utf8(json).unwrap(), string(&String::from_utf8_lossy(&text)));
            }
        }
    }
}
