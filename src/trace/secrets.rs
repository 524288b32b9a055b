//! Decides what is secret in a request, and hides it from observers and from the log: what identifies a user, and bodies.

use super::wire_parser::PieceKind;
use crate::http::field::FieldLine;
use crate::http::uri::{percent_decode, split_at_first};
use std::borrow::Cow;

/// The value of a field or of a query parameter is secret if its name ends with one of these, in any case. A number, an
/// `s` or brackets may follow: `password2`, `tokens`, `user[password]`, `key[]`.
const SECRET_NAMES: [&str; 14] = [
    "auth",
    "authorization",
    "cookie",
    "credential",
    "jwt",
    "key",
    "pass",
    "passwd",
    "password",
    "pwd",
    "secret",
    "sig",
    "signature",
    "token",
];
/// What is shown in the place of a secret.
const NOT_SHOWN: &[u8] = b"(not shown)";
const NOT_SHOWN_LINE: &[u8] = b"(not shown)\r\n";

/// Whether the value of a field or of a parameter with this name is secret.
pub fn is_secret(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let mut words = name.split(|byte| b"[]".contains(byte));
    words.any(|word| {
        let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let word = &word[..word.len() - digits];
        let singular = word.strip_suffix(b"s").unwrap_or(word);
        let is_end_of =
            |secret: &&str| word.ends_with(secret.as_bytes()) || singular.ends_with(secret.as_bytes());
        SECRET_NAMES.iter().any(is_end_of)
    })
}

/// What may be shown of a piece of a request: no body, no trailer field, and nothing malformed, which could be a part of a
/// secret field.
pub fn without_secrets(kind: PieceKind, bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    match kind {
        PieceKind::Content | PieceKind::ChunkData => None,
        PieceKind::Malformed | PieceKind::TrailerField => Some(NOT_SHOWN_LINE.into()),
        PieceKind::ChunkSize | PieceKind::LastChunk => Some(without_extension(bytes)),
        PieceKind::FieldLine => Some(without_secret_value(bytes)),
        PieceKind::RequestLine => Some(without_secret_parameters(bytes).into()),
        PieceKind::StatusLine | PieceKind::EmptyLine | PieceKind::Crlf => Some(bytes.into()),
    }
}

fn without_extension(line: &[u8]) -> Cow<'_, [u8]> {
    if line.contains(&b';') {
        [split_at_first(line, b';').0, b";", NOT_SHOWN_LINE].concat().into()
    } else {
        line.into()
    }
}

fn without_secret_value(line: &[u8]) -> Cow<'_, [u8]> {
    // A line may end with LF alone; the server rejects it, but not before it is shown.
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    match FieldLine::parse(text.strip_suffix(b"\r").unwrap_or(text)) {
        Ok(field) if is_secret(field.name.as_bytes()) => {
            [field.name.as_bytes(), b": ", NOT_SHOWN_LINE].concat().into()
        }
        // `Referer` has a query as well.
        Ok(_) => without_secret_parameters(line).into(),
        Err(_) => NOT_SHOWN_LINE.into(),
    }
}

/// A text without the values of the secret parameters in its query, and without a user and a password before a host:
/// `/a?key=(not shown)&user=b`, `http://(not shown)@host/`.
pub fn without_secret_parameters(text: &[u8]) -> Vec<u8> {
    let is_separator = |byte: &u8| b"& \r\n".contains(byte);
    let mut shown = Vec::with_capacity(text.len());
    for piece in text.split_inclusive(is_separator) {
        let (parameter, separator) = match piece.split_last() {
            Some((last, parameter)) if is_separator(last) => (parameter, std::slice::from_ref(last)),
            _ => (piece, &b""[..]),
        };
        push_parameter(&without_user_info(parameter), &mut shown);
        shown.extend_from_slice(separator);
    }
    shown
}

/// Appends a parameter, `name=value`. A path and `?` can precede the name. The value can itself be a URL with a query,
/// percent-encoded or not.
fn push_parameter(parameter: &[u8], shown: &mut Vec<u8>) {
    let mut from = 0;
    for piece in parameter.split_inclusive(|&byte| byte == b'?') {
        let (name, value) = split_at_first(piece, b'=');
        let rest = &parameter[from + piece.len()..];
        let is_secret = is_secret(&percent_decode(name)) && !(value.is_empty() && rest.is_empty());
        if is_secret && piece.contains(&b'=') || has_secret_parameter(&percent_decode(value)) {
            return shown.extend_from_slice(&[name, b"=", NOT_SHOWN].concat());
        }
        shown.extend_from_slice(piece);
        from += piece.len();
    }
}

/// Whether the query of a decoded URL has a secret parameter.
fn has_secret_parameter(url: &[u8]) -> bool {
    url.split(|byte| b"?&".contains(byte)).skip(1).any(|parameter| {
        let (name, value) = split_at_first(parameter, b'=');
        is_secret(name) && !value.is_empty()
    })
}

/// Hides what is before `@` in the authority of a URL (RFC 3986, section 3.2.1).
fn without_user_info(text: &[u8]) -> Cow<'_, [u8]> {
    let scheme_end = match text.windows(3).position(|window| window == b"://") {
        Some(at) => at + 3,
        None => return text.into(),
    };
    let (before, rest) = text.split_at(scheme_end);
    let authority = rest.split(|byte| b"/?#".contains(byte)).next().unwrap_or_default();
    match authority.iter().rposition(|&byte| byte == b'@') {
        Some(at) => [before, NOT_SHOWN, &rest[at..]].concat().into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire_parser::WireParser;
    use super::*;

    fn shown(request: &str) -> String {
        let (mut parser, mut bytes, mut shown) = (WireParser::for_requests(), request.as_bytes(), Vec::new());
        while let Some((kind, piece)) = parser.next_piece(&mut bytes) {
            shown.extend_from_slice(&without_secrets(kind, &piece).unwrap_or_default());
        }
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn secret_fields_malformed_lines_and_bodies_are_hidden() {
        assert_eq!(
            shown(
                "POST / HTTP/1.1\r\nHost: a\r\nCOOKIE: s3cret\r\nCookie : s3cret\r\n s3cret\r\n\
                 authorization:s3cret\r\ntransfer-encoding: chunked\r\n\r\n\
                 6;sig=s3cret\r\ns3cret\r\n0\r\nx: s3cret\r\n\r\n"
            ),
            "POST / HTTP/1.1\r\nHost: a\r\nCOOKIE: (not shown)\r\n(not shown)\r\n(not shown)\r\n\
             authorization: (not shown)\r\ntransfer-encoding: chunked\r\n\r\n\
             6;(not shown)\r\n\r\n0\r\n(not shown)\r\n\r\n"
        );
        assert_eq!(shown("POST / HTTP/1.1\r\ncontent-length: 6\r\n\r\ns3cret").lines().count(), 3);
        assert_eq!(shown("cookie: s3cret\r\n"), "(not shown)\r\n");
        assert_eq!(shown("GET / HTTP/1.1\nCookie: s3cret\n"), "GET / HTTP/1.1\nCookie: (not shown)\r\n");
    }

    #[test]
    fn the_name_tells_which_values_are_secret() {
        for name in [
            "Authorization",
            "Proxy-Authorization",
            "Cookie",
            "Set-Cookie",
            "X-API-Key",
            "api_key",
            "apikey",
            "key",
            "X-Auth-Token",
            "access_token",
            "Client-Secret",
            "X-Password",
            "password2",
            "X-CSRF-Tokens",
            "Cookie2",
            "user[password]",
            "key[]",
            "tokens[0][value]",
            "X-Amz-Signature",
        ] {
            assert!(is_secret(name.as_bytes()), "{name}");
        }
        for name in ["Host", "Last-Event-ID", "Origin", "keyboard", "X-Token-Type", "Content-Type", ""] {
            assert!(!is_secret(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn secret_parameters_are_hidden() {
        let hidden = |text: &str| String::from_utf8(without_secret_parameters(text.as_bytes())).unwrap();
        assert_eq!(
            hidden("GET /a?key=s3cret&user=b&access_token=s3=cret HTTP/1.1\r\n"),
            "GET /a?key=(not shown)&user=b&access_token=(not shown) HTTP/1.1\r\n"
        );
        assert_eq!(
            hidden("Referer: http://a/?b=http://c/?%6bey=s3cret\r\n"),
            "Referer: http://a/?b=http://c/?%6bey=(not shown)\r\n"
        );
        assert_eq!(hidden("/a?key&key=&b"), "/a?key&key=&b");
        // All of the value is hidden, a second `?` and `=` in it as well.
        assert_eq!(hidden("/a?token=s3cret?s3cret&b=c?d"), "/a?token=(not shown)&b=c?d");
        assert_eq!(hidden("/a?token=?s3cret"), "/a?token=(not shown)");
        assert_eq!(hidden("/a?token==s3cret"), "/a?token=(not shown)");
        assert_eq!(
            hidden("/?user[password]=s3cret&key%5B%5D=s3cret"),
            "/?user[password]=(not shown)&key%5B%5D=(not shown)"
        );
        assert_eq!(hidden("/?next=%2Fa%3Fkey%3Ds3cret&b"), "/?next=(not shown)&b");
        assert_eq!(hidden("/?a=b\n"), "/?a=b\n");
    }

    #[test]
    fn a_user_and_a_password_before_a_host_are_hidden() {
        let hidden = |text: &str| String::from_utf8(without_secret_parameters(text.as_bytes())).unwrap();
        assert_eq!(hidden("Referer: http://me:s3cret@a/@b\r\n"), "Referer: http://(not shown)@a/@b\r\n");
        assert_eq!(hidden("Referer: http://s3cret@s3cret@a?c=@d"), "Referer: http://(not shown)@a?c=@d");
        assert_eq!(hidden("Referer: http://a/b@c"), "Referer: http://a/b@c");
    }
}
