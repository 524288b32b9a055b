//! Encodes and decodes `%20`, and splits queries (RFC 3986).

use std::borrow::Cow;

/// The text before and after the first separator; without one, all of the text and nothing.
pub fn split_at_first(text: &[u8], separator: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|&byte| byte == separator) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, b""),
    }
}

/// The path of a target or a location, which can be a whole URL (RFC 9112, section 3.2).
pub fn path_of(target: &[u8]) -> &[u8] {
    let target = split_at_first(target, b'?').0;
    match target.windows(3).position(|window| window == b"://") {
        Some(scheme) if !target.starts_with(b"/") => {
            let authority = &target[scheme + 3..];
            authority.iter().position(|&byte| byte == b'/').map_or(b"/", |path| &authority[path..])
        }
        _ => target,
    }
}

/// Undoes percent-encoding (RFC 3986, section 2.1); a `%` that two hexadecimal digits do not follow is kept.
pub fn percent_decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let encoded = (byte == b'%').then(|| after.get(..2)).flatten().and_then(hex_byte);
        decoded.push(encoded.unwrap_or(byte));
        rest = if encoded.is_some() { &after[2..] } else { after };
    }
    Cow::Owned(decoded)
}

/// Undoes the encoding of forms (WHATWG URL, section 5.1): as [`percent_decode`], and a `+` is a space.
pub fn form_decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'+') {
        return percent_decode(text);
    }
    let spaced: Vec<u8> = text.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    Cow::Owned(percent_decode(&spaced).into_owned())
}

/// The byte that two hexadecimal digits stand for.
pub fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| (*digits.get(at)? as char).to_digit(16);
    Some((digit(0)? * 16 + digit(1)?) as u8)
}

/// Percent-encodes all bytes but the unreserved ones (RFC 3986, section 2.3), so that they can be in any place of a URL.
pub fn percent_encode_all(text: &[u8]) -> String {
    percent_encode_except(b"-._~", text)
}

/// Percent-encodes the bytes that a path cannot hold (RFC 3986, section 3.3).
pub fn percent_encode(path: &[u8]) -> String {
    percent_encode_except(b"/-._~!$&'()*+,;=:@", path)
}

/// Percent-encodes all bytes but letters, digits and those in `allowed`.
fn percent_encode_except(allowed: &[u8], text: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text {
        if byte.is_ascii_alphanumeric() || allowed.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The decoded value of the first parameter of this name in a query; names are compared decoded. A `+` is a space, as in
/// what forms and `URLSearchParams` send (WHATWG URL, section 5.1).
pub fn query_value<'a>(query: &'a [u8], name: &[u8]) -> Option<Cow<'a, [u8]>> {
    let mut pairs = query.split(|&byte| byte == b'&').map(|parameter| split_at_first(parameter, b'='));
    pairs.find(|(key, _)| form_decode(key).as_ref() == name).map(|(_, value)| form_decode(value))
}
