//! Checks how the text of a script is encoded: editors and shells on Windows write byte order marks and UTF-16.

/// Bytes that are looked at to recognize UTF-16 without a byte order mark.
const SAMPLE: usize = 64;

/// The text of a script. A byte order mark before a direction is removed, so that the direction is recognized; before any
/// other text it is sent, as every byte is.
///
/// # Errors
/// The text is UTF-16.
pub(super) fn check(text: &[u8]) -> Result<&[u8], String> {
    if is_utf16(text) {
        let way_out = "save it as UTF-8; in PowerShell, capture with `curl.exe -N URL -o FILE`, not with `>`";
        return Err(format!("this file is UTF-16 ({way_out})"));
    }
    Ok(text.strip_prefix(b"\xEF\xBB\xBF").filter(|rest| rest.starts_with(b"@")).unwrap_or(text))
}

/// Whether text begins with a byte order mark of UTF-16, or every second byte of its beginning is NUL, and no other.
fn is_utf16(text: &[u8]) -> bool {
    let sample = &text[..text.len().min(SAMPLE) / 2 * 2];
    let pairs = |is: fn(&[u8]) -> bool| !sample.is_empty() && sample.chunks(2).all(is);
    text.starts_with(b"\xFF\xFE")
        || text.starts_with(b"\xFE\xFF")
        || pairs(|pair| pair[0] != 0 && pair[1] == 0)
        || pairs(|pair| pair[0] == 0 && pair[1] != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_removed_only_before_a_direction() {
        assert_eq!(check(b"\xEF\xBB\xBF@sleep 1s\n"), Ok(&b"@sleep 1s\n"[..]));
        for text in [&b"\xEF\xBB\xBFdata: x\n"[..], b"data: x\n", b"\xEF\xBB\xBF", b"", b"\n", b"\0", b"\0\0"]
        {
            assert_eq!(check(text), Ok(text), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn utf_16_is_an_error_with_and_without_a_byte_order_mark() {
        let utf16 = |text: &str, encode: fn(u16) -> [u8; 2]| {
            text.encode_utf16().flat_map(encode).collect::<Vec<u8>>()
        };
        for text in ["\u{FEFF}@sleep 1s\n", "\u{FEFF}data: ü\r\n\r\n", "data: x\r\n\r\n", "\n"] {
            for encoded in [utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes)] {
                let message = check(&encoded).unwrap_err();
                assert!(message.starts_with("this file is UTF-16 (save it as UTF-8; "), "{message}");
            }
        }
    }
}
