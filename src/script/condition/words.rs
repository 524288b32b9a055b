//! Splits conditions into words.

use crate::script::words::{trim_start, word};

/// Splits at blanks, except in a value between double quotes, which are removed. Quotes count where a value can begin (at
/// the start of a word, or after its first `=` or `~`) if the closing one ends the word; all others are part of the value.
pub fn split_words(text: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut rest = trim_start(text);
    while !rest.is_empty() {
        let name = rest.iter().take_while(|byte| !b" \t=~\"".contains(byte)).count();
        let value_at = if matches!(rest.get(name), Some(b'=' | b'~')) { name + 1 } else { 0 };
        let length = match quoted_length(&rest[value_at..]) {
            Some(inside) => {
                words.push([&rest[..value_at], &rest[value_at + 1..value_at + 1 + inside]].concat());
                value_at + inside + 2
            }
            None => {
                let (unquoted, _) = word(rest);
                words.push(unquoted.to_vec());
                unquoted.len()
            }
        };
        rest = trim_start(&rest[length..]);
    }
    words
}

/// Bytes between the quotes that the text begins with, if the closing one ends a word. A quote after a backslash does not
/// close the value.
fn quoted_length(text: &[u8]) -> Option<usize> {
    let inside = text.strip_prefix(b"\"")?;
    let mut end = 0;
    while *inside.get(end)? != b'"' {
        end += if inside[end] == b'\\' { 2 } else { 1 };
    }
    let ends_word = inside.get(end + 1).map_or(true, |byte| b" \t".contains(byte));
    ends_word.then_some(end)
}
