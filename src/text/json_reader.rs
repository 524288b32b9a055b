//! Reads single values from JSON text (RFC 8259), without a tree of all values.

/// The most objects and arrays inside each other. Deeper text is taken for invalid, so that it cannot exhaust the stack.
const MAX_DEPTH: usize = 64;

/// The value of the member `name` of an object, if it is a string. Of several members with that name the last counts.
/// `None` if the text is not one valid object.
pub fn string_member(object: &str, name: &str) -> Option<String> {
    let mut reader = Reader { rest: object };
    let mut found = None;
    reader.members(0, &mut |reader, key| {
        let value = reader.value(1)?;
        if key == name {
            found = Reader { rest: value }.string();
        }
        Some(())
    })?;
    reader.skip_blanks();
    if reader.rest.is_empty() {
        found
    } else {
        None
    }
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

    /// `object = "{" [ string ":" value *( "," string ":" value ) ] "}"`. Calls `member` with each key; it takes the value.
    fn members(
        &mut self,
        depth: usize,
        member: &mut dyn FnMut(&mut Reader<'a>, String) -> Option<()>,
    ) -> Option<()> {
        self.take('{')?;
        if depth > MAX_DEPTH || self.take('}').is_some() {
            return (depth <= MAX_DEPTH).then_some(());
        }
        loop {
            self.skip_blanks();
            let key = self.string()?;
            self.take(':')?;
            member(self, key)?;
            if self.take(',').is_none() {
                return self.take('}');
            }
        }
    }

    /// `array = "[" [ value *( "," value ) ] "]"`
    fn elements(&mut self, depth: usize) -> Option<()> {
        self.take('[')?;
        if depth > MAX_DEPTH || self.take(']').is_some() {
            return (depth <= MAX_DEPTH).then_some(());
        }
        loop {
            self.value(depth + 1)?;
            if self.take(',').is_none() {
                return self.take(']');
            }
        }
    }

    /// Takes any value and returns its text.
    fn value(&mut self, depth: usize) -> Option<&'a str> {
        self.skip_blanks();
        let before = self.rest;
        match before.chars().next()? {
            '{' => self.members(depth, &mut |reader, _| reader.value(depth + 1).map(drop))?,
            '[' => self.elements(depth)?,
            '"' => drop(self.string()?),
            _ => self.word()?,
        }
        Some(&before[..before.len() - self.rest.len()])
    }

    /// `true`, `false`, `null`, or a number (RFC 8259, section 6).
    fn word(&mut self) -> Option<()> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let length = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        (matches!(word, "true" | "false" | "null") || is_number(word)).then_some(())
    }

    /// A string, with its escapes decoded (RFC 8259, section 7). A surrogate without its other half becomes U+FFFD.
    fn string(&mut self) -> Option<String> {
        self.rest = self.rest.strip_prefix('"')?;
        let mut text = String::new();
        loop {
            let end = self.rest.bytes().position(|byte| byte == b'"' || byte == b'\\')?;
            text += &self.rest[..end];
            let is_end = self.rest[end..].starts_with('"');
            self.rest = &self.rest[end + 1..];
            if is_end {
                return Some(text);
            }
            text.push(self.escape()?);
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
        for text in ["", "{", "[]", r#"{"a"}"#, r#"{"a":"b"} x"#, r#"{"a":"b",}"#, r#"{"a":"b","c":x}"#] {
            assert_eq!(string_member(text, "a"), None, "{text}");
        }
        let deep = format!(r#"{{"a":"b","c":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(string_member(&deep, "a"), None);
    }
}
