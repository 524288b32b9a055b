//! Reads single values from JSON text (RFC 8259), without a tree of all values.

use std::iter;

/// The most objects and arrays inside each other. RFC 8259, section 9, allows a limit, and no request needs more.
const MAX_DEPTH: usize = 512;

/// The text of the value at a path such as `messages.0.content`: the names of members and, in arrays, the numbers of
/// elements, from 0, or from the end of the array, where -1 is the last. Of several members with the same name the last
/// counts. `None` if there is no such value, or if the text is not valid.
pub fn value_at<'a>(text: &'a str, path: &str) -> Option<&'a str> {
    let mut reader = Reader { rest: text };
    let whole = reader.value()?;
    reader.skip_blanks();
    if !reader.rest.is_empty() {
        return None;
    }
    path.split('.').try_fold(whole, |value, name| match value.as_bytes()[0] {
        b'{' => member(value, name),
        b'[' => element(value, name),
        _ => None,
    })
}

/// The value of the member `name` of an object, if it is a string. Of several members with that name the last counts.
/// `None` if the text is not one valid object.
pub fn string_member(object: &str, name: &str) -> Option<String> {
    let is_path = name.contains('.');
    value_at(object, name).filter(|_| !is_path).and_then(as_string)
}

/// The text that a value stands for, if it is a string. A surrogate without its other half becomes U+FFFD.
pub fn as_string(value: &str) -> Option<String> {
    Reader { rest: value }.string()
}

/// The value of a member of a valid object.
fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let mut reader = Reader { rest: object };
    let mut found = None;
    reader.take('{')?;
    while reader.take('}').is_none() {
        let key = reader.key()?;
        let value = reader.value()?;
        if key == name {
            found = Some(value);
        }
        reader.take(',');
    }
    found
}

/// The value of an element of a valid array.
fn element<'a>(array: &'a str, number: &str) -> Option<&'a str> {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let mut index: usize = digits.parse().ok().filter(|_| is_number)?;
    if number.starts_with('-') {
        index = elements(array).count().checked_sub(index)?;
    }
    elements(array).nth(index)
}

/// The values in a valid array.
fn elements(array: &str) -> impl Iterator<Item = &str> {
    let mut reader = Reader { rest: array };
    reader.take('[');
    iter::from_fn(move || {
        let value = reader.value();
        reader.take(',');
        value
    })
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n'].as_slice());
    }

    /// Takes a character, after any blanks.
    fn take(&mut self, c: char) -> Option<()> {
        self.skip_blanks();
        self.rest = self.rest.strip_prefix(c)?;
        Some(())
    }

    /// Takes any value and returns its text. A loop, so that no text can exhaust the stack.
    ///
    /// ```text
    /// object = "{" [ string ":" value *( "," string ":" value ) ] "}"
    /// array  = "[" [ value *( "," value ) ] "]"
    /// ```
    fn value(&mut self) -> Option<&'a str> {
        self.skip_blanks();
        let before = self.rest;
        // The ends of the objects and arrays that are open.
        let mut ends = Vec::new();
        loop {
            let end = self.begin_value()?;
            ends.extend(end);
            if ends.len() > MAX_DEPTH {
                return None;
            }
            let mut is_first = end.is_some();
            // Ends what ends here, up to the next value.
            loop {
                let end = match ends.last() {
                    Some(end) => *end,
                    None => return Some(&before[..before.len() - self.rest.len()]),
                };
                if self.take(end).is_some() {
                    ends.pop();
                    is_first = false;
                    continue;
                }
                if !is_first {
                    self.take(',')?;
                }
                if end == '}' {
                    self.key()?;
                }
                break;
            }
        }
    }

    /// Takes a string, a number or a word, or the beginning of an object or array, whose end is returned.
    fn begin_value(&mut self) -> Option<Option<char>> {
        self.skip_blanks();
        match self.rest.chars().next()? {
            '{' => self.take('{').map(|()| Some('}')),
            '[' => self.take('[').map(|()| Some(']')),
            '"' => self.string().map(|_| None),
            _ => self.word().map(|()| None),
        }
    }

    /// The name of a member, and the colon after it.
    fn key(&mut self) -> Option<String> {
        self.skip_blanks();
        let key = self.string()?;
        self.take(':')?;
        Some(key)
    }

    /// `true`, `false`, `null`, or a number (RFC 8259, section 6).
    fn word(&mut self) -> Option<()> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let length = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        (matches!(word, "true" | "false" | "null") || is_number(word)).then_some(())
    }

    /// A string, with its escapes decoded (RFC 8259, section 7).
    fn string(&mut self) -> Option<String> {
        self.rest = self.rest.strip_prefix('"')?;
        let mut text = String::new();
        loop {
            let end = self.rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < b' ')?;
            text += &self.rest[..end];
            let last = self.rest.as_bytes()[end];
            self.rest = &self.rest[end + 1..];
            match last {
                b'"' => return Some(text),
                b'\\' => text.push(self.escape()?),
                _ => return None,
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = self.hex()?;
                let is_first_half = (0xD800..0xDC00).contains(&unit);
                let second = self.rest.strip_prefix("\\u").and_then(hex_of);
                match second {
                    Some(second) if is_first_half && (0xDC00..0xE000).contains(&second) => {
                        self.rest = &self.rest[6..];
                        char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00))?
                    }
                    _ => char::from_u32(unit).unwrap_or('\u{FFFD}'),
                }
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let unit = hex_of(self.rest)?;
        self.rest = &self.rest[4..];
        Some(unit)
    }
}

/// `number = [ "-" ] int [ "." 1*DIGIT ] [ ( "e" / "E" ) [ "-" / "+" ] 1*DIGIT ]`
fn is_number(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (number, exponent) = text.split_once(['e', 'E'].as_slice()).unwrap_or((text, "0"));
    let exponent = exponent.strip_prefix(['+', '-'].as_slice()).unwrap_or(exponent);
    let (integer, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let integer = integer.strip_prefix('-').unwrap_or(integer);
    let has_leading_zero = integer.len() > 1 && integer.starts_with('0');
    is_digits(integer) && !has_leading_zero && is_digits(fraction) && is_digits(exponent)
}

/// Four hexadecimal digits.
fn hex_of(text: &str) -> Option<u32> {
    let digits = text.get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_member_is_found_among_other_values() {
        let object = r#" {"a": [1, {"type": "no"}, []], "n": -1.5e3, "type" : "x\"\\\u00e9\ud83d\ude00\ud83d", "z": {}} "#;
        assert_eq!(string_member(object, "type").as_deref(), Some("x\"\\\u{e9}\u{1F600}\u{FFFD}"));
        assert_eq!(string_member(object, "n"), None);
        assert_eq!(string_member(r#"{"a":"1","a":"2"}"#, "a").as_deref(), Some("2"));
        assert_eq!(string_member(r#"{"a":"1","a":null}"#, "a"), None);
    }

    #[test]
    fn a_value_is_found_by_its_path() {
        let text = r#" {"id" : 7.50e1, "a": [[1, "x\n"], {"b": {}, "0": null}, []], "": true, "a b": "\u0041", "id2": -0}"#;
        for (path, value) in [
            ("id", Some("7.50e1")),
            ("a.0.1", Some(r#""x\n""#)),
            ("a.0", Some(r#"[1, "x\n"]"#)),
            ("a.1.b", Some("{}")),
            ("a.1.0", Some("null")),
            ("a.2", Some("[]")),
            ("", Some("true")),
            ("a b", Some(r#""\u0041""#)),
            ("a.2.0", None),
            ("a.3", None),
            ("a.-1", Some("[]")),
            ("a.-3.-2", Some("1")),
            ("a.-2.b", Some("{}")),
            ("a.-0", None),
            ("a.-4", None),
            ("a.-1.-1", None),
            ("a.--1", None),
            ("a.+1", None),
            ("a.", None),
            ("id.0", None),
            ("b", None),
        ] {
            assert_eq!(value_at(text, path), value, "{path}");
        }
        assert_eq!(value_at(r#"[{"a":{"b":1},"a":{"c":2}}]"#, "0.a.b"), None);
        assert_eq!(value_at(r#"[{"a":{"b":1},"a":{"c":2}}]"#, "0.a.c"), Some("2"));
    }

    #[test]
    fn numbers_are_written_as_json_writes_them() {
        for number in ["0", "-1", "10.50", "1e5", "1.5E-3", "2e+2"] {
            assert!(is_number(number), "{number}");
        }
        for text in ["", "-", "01", "1.", ".5", "1e", "+1", "0x1", "inf", "1e5.5", "--1"] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn invalid_text_has_no_members() {
        for text in [
            "",
            "{",
            "[]",
            r#"{"a"}"#,
            r#"{"a":"b"} x"#,
            r#"{"a":"b",}"#,
            r#"{,"a":"b"}"#,
            r#"{"a":"b","c":x}"#,
            r#"{"a":"b","c":[1,]}"#,
            r#"{"a":"b","c":[,1]}"#,
            r#"{"a":"b","c":[1 2]}"#,
            r#"{"a":"b","c":[1}}"#,
            r#"{"a":"b","c":[[]"#,
            r#"{"a":"b" "c":1}"#,
            "{\"a\":\"b\",\"c\":\"\n\"}",
            "{\"a\":\"b\",\"c\":\"\\q\"}",
        ] {
            assert_eq!(string_member(text, "a"), None, "{text}");
        }
        let deep = format!(r#"{{"a":"b","c":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(string_member(&deep, "a"), None);
    }
}
