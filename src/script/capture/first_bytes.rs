//! Tells from the first bytes of a body what it is.

/// Whether a body that begins with these bytes is text. A guess: brotli has no magic number.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xef\xbb")
        // The zlib format, which is the coding `deflate`, can begin with `x^`.
        || !bytes.starts_with(b"x^")
            && bytes.iter().take(2).all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r'))
}

/// Whether a line with a chunk-size can begin with these bytes.
pub(super) fn begins_chunk_size(bytes: &[u8]) -> bool {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    digits > 0 && matches!(bytes.get(digits), None | Some(b'\r' | b';' | b' ' | b'\t'))
}
