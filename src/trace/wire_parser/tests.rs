//! Tests of the pieces that messages are cut into.

use super::*;

fn pieces(parser: &mut WireParser, mut bytes: &[u8]) -> Vec<(PieceKind, Vec<u8>)> {
    std::iter::from_fn(|| parser.next_piece(&mut bytes))
        .map(|(kind, piece)| (kind, piece.into_owned()))
        .collect()
}

fn kinds(mut parser: WireParser, bytes: &[u8]) -> Vec<PieceKind> {
    pieces(&mut parser, bytes).into_iter().map(|(kind, _)| kind).collect()
}

const RESPONSE: &[u8] =
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n\
    8\r\ndata: a\n\r\n10;x=y\r\ndata: bcdefghij\n\r\n0\r\nx: y\r\n\r\n";

#[test]
fn every_piece_of_a_chunked_response_is_named() {
    use PieceKind::*;
    let mut all = kinds(WireParser::for_responses(), RESPONSE);
    let body = all.split_off(4);
    assert_eq!(all, [StatusLine, FieldLine, FieldLine, EmptyLine]);
    assert_eq!(body, [ChunkSize, ChunkData, Crlf, ChunkSize, ChunkData, Crlf, LastChunk, TrailerField, Crlf]);
}

#[test]
fn a_response_may_come_byte_by_byte() {
    let (mut parser, mut all) = (WireParser::for_responses(), Vec::new());
    for byte in RESPONSE.chunks(1) {
        pieces(&mut parser, byte).into_iter().for_each(|(_, piece)| all.extend(piece));
    }
    assert!(parser.is_complete() && parser.is_event_stream);
    assert_eq!((all.as_slice(), parser.body_bytes), (RESPONSE, 24));
}

#[test]
fn the_lines_of_a_request_are_reported_whole_however_it_is_cut() {
    let request = b"POST / HTTP/1.1\r\nCookie: x\r\ncontent-length: 2\r\n\r\nok";
    let whole = pieces(&mut WireParser::for_requests(), request);
    let (mut parser, mut lines) = (WireParser::for_requests(), Vec::new());
    for byte in request.chunks(1) {
        lines.extend(pieces(&mut parser, byte));
    }
    assert_eq!(lines[..4], whole[..4]);
    assert!(parser.is_complete() && parser.take_incomplete_line().is_empty());
    assert_eq!(pieces(&mut parser, b"GET /"), []);
    assert_eq!(parser.take_incomplete_line(), b"GET /");
}

#[test]
fn all_that_follows_a_malformed_line_is_malformed() {
    use PieceKind::Malformed;
    let bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\ndata: x\n\n0\r\n\r\n";
    assert_eq!(kinds(WireParser::for_responses(), bytes)[3..], [Malformed, Malformed]);
    assert_eq!(kinds(WireParser::for_responses(), b"\x16\x03\n\n"), [Malformed, Malformed]);
}

#[test]
fn a_line_that_is_too_long_is_malformed_and_reported_whole() {
    let mut parser = WireParser::for_requests();
    let half = [b'x'; MAX_LINE / 2 + 1];
    let mut reported = Vec::new();
    for _ in 0..2 {
        reported.extend(pieces(&mut parser, &half).into_iter().map(|(kind, piece)| (kind, piece.len())));
    }
    assert_eq!(reported, [(PieceKind::Malformed, MAX_LINE + 2)]);
}

#[test]
fn a_body_ends_where_its_head_says() {
    use PieceKind::*;
    let two = b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let all = [StatusLine, EmptyLine, StatusLine, FieldLine, EmptyLine, Content];
    assert_eq!(kinds(WireParser::for_responses(), two), all);
    let request = b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\nokGET / HTTP/1.1\r\n";
    let all = [RequestLine, FieldLine, EmptyLine, Content, RequestLine];
    assert_eq!(kinds(WireParser::for_requests(), request), all);
    let until_close = b"HTTP/1.1 200 OK\r\n\r\ndata\n\n";
    assert_eq!(kinds(WireParser::for_responses(), until_close), [StatusLine, EmptyLine, Content]);
}
