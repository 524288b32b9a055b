//! Decides what is secret in a request, and hides it from observers and from the log: what identifies a user, and bodies.

use super::wire_parser::PieceKind;
use crate::http::field::FieldLine;
use crate::http::uri::{percent_decode, split_at};
use std::borrow::Cow;

/// The value of a field or of a query parameter is secret if its name ends with one of these, in any case.
const SECRET_NAMES: [&str; 9] =
    ["authorization", "auth", "cookie", "credentials", "key", "passwd", "password", "secret", "token"];
/// What is shown in the place of a secret.
const NOT_SHOWN: &[u8] = b"(not shown)";

fn is_secret(name: &[u8]) -> bool {
    SECRET_NAMES.iter().any(|secret| {
        let end = &name[name.len().saturating_sub(secret.len())..];
        end.eq_ignore_ascii_case(secret.as_bytes())
    })
}

/// What may be shown of a piece of a request: no body, no trailer field, and nothing malformed, which could be a part of a
/// secret field.
pub fn without_secrets(kind: PieceKind, bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    match kind {
        PieceKind::Content | PieceKind::ChunkData => None,
        PieceKind::Malformed | PieceKind::TrailerField => Some([NOT_SHOWN, b"\r\n"].concat().into()),
        PieceKind::ChunkSize | PieceKind::LastChunk => Some(without_extension(bytes)),
        PieceKind::FieldLine => Some(without_secret_value(bytes)),
        PieceKind::RequestLine => Some(without_secret_parameters(bytes).into()),
        PieceKind::StatusLine | PieceKind::EmptyLine | PieceKind::Crlf => Some(bytes.into()),
    }
}

fn without_extension(line: &[u8]) -> Cow<'_, [u8]> {
    if line.contains(&b';') {
        [split_at(line, b';').0, b";", NOT_SHOWN, b"\r\n"].concat().into()
    } else {
        line.into()
    }
}

fn without_secret_value(line: &[u8]) -> Cow<'_, [u8]> {
    match FieldLine::parse(line.strip_suffix(b"\r\n").unwrap_or(line)) {
        Ok(field) if is_secret(field.name.as_bytes()) => {
            [field.name.as_bytes(), b": ", NOT_SHOWN, b"\r\n"].concat().into()
        }
        // `Referer` has a query as well.
        _ => without_secret_parameters(line).into(),
    }
}

/// A text without the values of the secret parameters in its query: `/a?key=(not shown)&user=b`.
pub fn without_secret_parameters(text: &[u8]) -> Vec<u8> {
    let is_separator = |byte: &u8| b"?& \r".contains(byte);
    let mut shown = Vec::with_capacity(text.len());
    for piece in text.split_inclusive(is_separator) {
        let (name, value) = split_at(piece, b'=');
        if value.first().map_or(true, is_separator) || !is_secret(&percent_decode(name)) {
            shown.extend_from_slice(piece);
            continue;
        }
        shown.extend_from_slice(&[name, b"=", NOT_SHOWN].concat());
        shown.extend(value.last().filter(|byte| is_separator(byte)));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::super::wire_parser::WireParser;
    use super::*;

    fn shown(request: &str) -> String {
        let mut shown = Vec::new();
        WireParser::for_requests().push(request.as_bytes(), &mut |_, kind, bytes| {
            shown.extend_from_slice(&without_secrets(kind, bytes).unwrap_or_default());
        });
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
    }
}
