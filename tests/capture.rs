//! Pieces of a response become the script that plays it again as it was: its bytes, its chunks, its timing, its head and its end.

mod support;

use rust_sse_server::internals::Capture;
use rust_sse_server::Script;
use std::time::Duration;
use support::{play, Random};

/// The script of pieces that arrive at these milliseconds, without the two lines that every script begins with. The
/// last piece is the end.
fn script(pieces: &[(u64, &str)]) -> String {
    let mut capture = Capture::default();
    let mut script = Vec::new();
    let (end, pieces) = pieces.split_last().unwrap();
    for (at, bytes) in pieces {
        script.extend(capture.add(Duration::from_millis(*at), bytes.as_bytes()));
    }
    script.extend(capture.end(Duration::from_millis(end.0)));
    let script = String::from_utf8(script).unwrap();
    script.strip_prefix("@literal on\n@chunk whole\n").unwrap().to_owned()
}

const END: &str = "";
const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncache-control: no-cache\r\ncontent-type: text/event-stream\r\ndate: x\r\n";

#[test]
fn the_waits_before_between_and_after_events_are_kept() {
    assert_eq!(
        script(&[(300, "data: 1\n\n"), (302, "data: 2\n\n"), (1300, "data: 3\n\n"), (1800, END)]),
        "@sleep 300ms\ndata: 1\n\ndata: 2\n\n@sleep 1000ms\ndata: 3\n\n@sleep 500ms\n"
    );
    assert_eq!(script(&[(0, END)]), "");
    assert_eq!(script(&[(700, END)]), "@sleep 700ms\n");
}

/// `curl -L`, a proxy and `curl --digest` print more than one head.
#[test]
fn of_several_responses_the_last_one_is_captured() {
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let wanted = script(&[(0, ok), (0, "data: x\n\n"), (0, END)]);
    for before in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.1 301 Moved\r\nLocation: /b\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 302 Found\r\n\r\n",
    ] {
        assert_eq!(script(&[(0, before), (0, ok), (0, "data: x\n\n"), (0, END)]), wanted, "{before}");
        assert_eq!(
            script(&[(0, before), (0, "HT"), (0, &ok[2..]), (0, "data: x\n\n"), (0, END)]),
            wanted,
            "{before}"
        );
        assert_eq!(script(&[(0, &[before, ok, "data: x\n\n"].concat()), (0, END)]), wanted, "{before}");
    }
    let body = "HTTP is a protocol\n";
    let like_a_head = script(&[(0, "HTTP/1.1 200 OK\r\n\r\n"), (0, "HT"), (0, &body[2..]), (0, END)]);
    assert!(like_a_head.ends_with(body), "{like_a_head}");
    assert!(script(&[(0, "HTTP/1.1 200 OK\r\n\r\n"), (0, "HTTP"), (0, END)]).contains("HTTP"));
}

#[test]
fn pauses_in_a_line_are_kept() {
    assert_eq!(
        script(&[(0, "data: a"), (2, " \\ "), (102, "@b\n\n"), (200, "@"), (201, "c\ndata"), (201, END)]),
        "@send data: a \\\\\\s\n@sleep 102ms\n@@b\n\n@sleep 98ms\n@@c\ndata"
    );
}

#[test]
fn every_line_end_is_kept_and_so_are_the_pauses_between_them() {
    assert_eq!(
        script(&[(0, "data: 1\r\r"), (50, "data: 2\r\n\r\n"), (60, "data: 3\r"), (90, "\n"), (90, END)]),
        "@send data: 1\\r\\r\n@sleep 50ms\ndata: 2\r\n\r\n@sleep 10ms\n@send data: 3\\r\n@sleep 30ms\n\n"
    );
}

#[test]
fn the_status_and_the_field_lines_that_differ_are_copied() {
    let head = "HTTP/1.1 503 Busy\r\nContent-Type: text/event-stream\r\nDate: x\r\nSet-Cookie: a\r\nset-cookie: b\r\n\
        X: {{path}}\r\nConnection: close\r\n\r\n";
    assert_eq!(
        script(&[(0, head), (0, "x"), (0, END)]),
        "@status 503 Busy\n@header -cache-control\n@header Set-Cookie: a\n@header +set-cookie: b\n\
         @header X: {{path}}\n@framing close\nx"
    );
    let interim = format!("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n{HEAD}\r\nx");
    let expected = "@wire HTTP/1.1 103 Early Hints\\r\\nlink: x\\r\\n\\r\\n\n@framing close\nx";
    assert_eq!(script(&[(0, &interim[..3]), (0, &interim[3..]), (0, END)]), expected);
    assert_eq!(script(&[(0, &HEAD.replace("HTTP/1.1 200 OK", "HTTP/2 200 ")), (0, "\r\nx"), (0, END)]), "x");
}

/// So a capture of the replay has the same order.
#[test]
fn field_lines_are_in_the_order_in_which_the_server_sends_them() {
    let head =
        "HTTP/1.1 200 OK\r\nX: 1\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: text/plain\r\nY: 2\r\n\
        Cache-Control: a\r\ncache-control: b\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let ordered = "@header Cache-Control: a\n@header Content-Type: text/plain\n@header Access-Control-Allow-Origin: *\n\
        @header X: 1\n@header Y: 2\n@header +cache-control: b\n";
    assert_eq!(script(&[(0, head), (0, "1\r\n\n\r\n0\r\n\r\n"), (0, END)]), format!("{ordered}\n"));
}

#[test]
fn a_status_without_a_reason_phrase_has_the_usual_one() {
    for (line, status) in [
        ("HTTP/2 404 ", "404 Not Found"),
        ("HTTP/1.1 299 ", "299"),
        ("HTTP/2 503", "503 Service Unavailable"),
    ] {
        let script = script(&[
            (0, &HEAD.replace("HTTP/1.1 200 OK", line)),
            (0, "content-length: 1\r\n\r\nx"),
            (0, END),
        ]);
        assert_eq!(script, format!("@status {status}\n@framing length 1\nx"));
    }
}

/// `curl --compressed` decodes the body, but prints the head as it was sent.
#[test]
fn a_body_that_curl_has_decoded_is_compressed_again() {
    let head =
        |coding: &str| format!("{HEAD}content-encoding: {coding}\r\ncontent-length: 40\r\nx: 1\r\n\r\n");
    let captured = |coding: &str, body: &str| script(&[(100, &head(coding)), (200, body), (200, END)]);
    let waits = "@sleep 100ms\n@open\n@sleep 100ms\n";
    assert_eq!(captured("gzip", "data: 1\n\n"), format!("@header x: 1\n@gzip event\n{waits}data: 1\n\n"));
    assert_eq!(captured("br", "data: 1\n\n"), format!("@header x: 1\n{waits}data: 1\n\n"));
    let coded = format!("@header x: 1\n@header content-encoding: gzip\n@framing length 40\n{waits}");
    assert_eq!(captured("gzip", "\u{1f}x\n"), format!("{coded}\u{1f}x\n@drop\n"));
    assert_eq!(captured("deflate", "x^\n"), format!("{}x^\n@drop\n", coded.replace("gzip", "deflate")));
    let chunked = format!("{HEAD}content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n");
    let kept = script(&[(0, &chunked), (0, "2\r\nx\n\r\n0\r\n\r\n"), (0, END)]);
    assert_eq!(kept, "@header content-encoding: gzip\nx\n");
    let decoded = script(&[(0, &chunked), (0, "data: 1\n\n"), (0, END)]);
    assert_eq!(decoded, "@gzip event\ndata: 1\n\n");
}

#[test]
fn a_head_that_arrives_before_the_body_is_sent_before_it() {
    let head = format!("{HEAD}content-length: 2\r\n\r\n");
    assert_eq!(
        script(&[(100, &head), (300, "x\n"), (300, END)]),
        "@framing length 2\n@sleep 100ms\n@open\n@sleep 200ms\nx\n"
    );
    assert_eq!(
        script(&[(100, &head), (101, "x"), (101, END)]),
        "@framing length 2\n@sleep 101ms\n@send x\n@drop\n"
    );
}

#[test]
fn chunks_end_where_they_ended() {
    let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    let body = "4\r\nx: 1\r\n2\r\n\n\n\r\n5\r\nx: 2\n\r\n1\r\n\n\r\n0\r\n\r\n";
    let expected = "@send x: 1\n\n\n@cut\nx: 2\n@cut\n\n";
    for cut in 0..body.len() {
        let pieces = [(0, head.as_str()), (0, &body[..cut]), (0, &body[cut..]), (0, END)];
        let script = script(&pieces);
        // A chunk that arrives in two pieces is one all the same.
        assert_eq!(script, expected, "{cut}");
    }
    let bytes = |pieces: &[&str]| {
        let pieces: Vec<_> = pieces.iter().map(|piece| (0, *piece)).chain([(0, END)]).collect();
        script(&pieces)
    };
    // Without its last-chunk, and with a malformed one.
    assert_eq!(bytes(&[&head, "2\r\nx\n\r\n"]), "x\n@drop\n");
    assert_eq!(bytes(&[&head, "2\r\nx\n\r\nz\r\n", "y\n"]), "x\n@wire z\\r\\n\n@wire y\\n\n@drop\n");
    assert_eq!(bytes(&[&head, "2\r\nx\n\r\n1"]), "x\n@wire 1\n@drop\n");
    assert_eq!(bytes(&[&head]), "@open\n@drop\n");
    // With a chunk that is cut off: in its data, below its chunk-size, and in the CR LF after its data.
    assert_eq!(bytes(&[&head, "2\r\nx\n\r\n1f\r\ndata: a\nda"]), "x\n@wire 1f\\r\\ndata: a\\nda\n@drop\n");
    assert_eq!(bytes(&[&head, "4\r\nx"]), "@open\n@wire 4\\r\\nx\n@drop\n");
    assert_eq!(bytes(&[&head, "4\r\n"]), "@open\n@wire 4\\r\\n\n@drop\n");
    assert_eq!(bytes(&[&head, "2\r\nx\n\r"]), "@open\n@wire 2\\r\\nx\\n\n@wire \\r\n@drop\n");
    // With more chunk-data than the chunk-size says.
    assert_eq!(bytes(&[&head, "2\r\nx\nyy\r\n"]), "@open\n@wire 2\\r\\nx\\n\n@wire yy\\r\\n\n@drop\n");
    // Without any chunk.
    assert_eq!(bytes(&[&head, "0\r\n\r\n"]), "@framing chunked\n");
    assert_eq!(bytes(&[&head, "0\r\nA: b\r\n\r\n"]), "@framing chunked\n@trailer A: b\n");
    // With a chunk that ends in the middle of its second line, and with a trailer section.
    let body = "9\r\nx: 1\nx: 2\r\n1\r\n\n\r\n0\r\nA: b\r\n\r\n";
    assert_eq!(bytes(&[&head, body]), "@send x: 1\\nx: 2\n\n@trailer A: b\n");
    // With the chunks decoded.
    assert_eq!(bytes(&[&head, "d", "ata\n"]), "data\n");
    let mid_line = script(&[(0, &head), (0, "data: 1\r\r"), (90, "data"), (190, ": 2\r\r"), (190, END)]);
    assert_eq!(mid_line, "@send data: 1\\r\\r\n@sleep 90ms\n@send data\n@sleep 100ms\n: 2\r\r");
    // Without the head, but with the chunks.
    assert_eq!(bytes(&["5\r\nx: 1\n\r\n0\r\n\r\n"]), "x: 1\n");
    assert_eq!(bytes(&["5\r\nx: 1\n\r\n3\r\ny"]), "x: 1\n@wire 3\\r\\ny\n@drop\n");
    assert_eq!(bytes(&["5 apples\r\n"]), "5 apples\r\n");
    assert_eq!(bytes(&["5"]), "5");
}

#[test]
fn chunk_extensions_are_left_out() {
    let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    for extension in [";a", " ; a=b", ";a=\"b;c\";d", ""] {
        let body = format!("5{extension}\r\nx: 1\n\r\n1{extension}\r\n\n\r\n0{extension}\r\nA: b\r\n\r\n");
        for cut in 0..body.len() {
            let pieces = [(0, head.as_str()), (0, &body[..cut]), (0, &body[cut..]), (0, END)];
            assert_eq!(script(&pieces), "x: 1\n@cut\n\n@trailer A: b\n", "{extension}, {cut}");
        }
    }
    // There can be any number of them.
    let signed = format!("5;chunk-signature={}\r\nx: 1\n\r\n", "0".repeat(64)).repeat(1000);
    assert_eq!(
        script(&[(0, &head), (0, &signed), (0, "0\r\n\r\n"), (0, END)]).matches("x: 1\n").count(),
        1000
    );
}

#[test]
fn a_body_of_16_mib_without_a_line_end_is_written_in_pieces() {
    let line = "x".repeat(16 * 1024 * 1024 + 1);
    let script = script(&[(0, &line), (0, "y\n"), (0, END)]);
    assert!(script == format!("@send {line}\ny\n"), "{} bytes", script.len());
}

#[test]
fn the_bytes_of_text_that_cannot_be_seen_or_read_are_escaped() {
    assert_eq!(script(&[(0, "\0\u{1b}\té \x7f\r"), (9, END)]), "@send \\x00\\x1b\\té \\x7f\\r\n@sleep 9ms\n");
    let mut capture = Capture::default();
    capture.add(Duration::ZERO, b" \xff\r");
    assert_eq!(capture.end(Duration::from_secs(1)), b"@send \\s\\xff\\r\n@sleep 1000ms\n");
}

#[test]
fn a_head_that_is_cut_off_is_sent_as_it_is() {
    assert_eq!(
        script(&[(100, "HTTP/1.1 200 OK\r\nx: "), (300, END)]),
        "@sleep 100ms\n@wire HTTP/1.1 200 OK\\r\\nx:\\s\n@sleep 200ms\n"
    );
    let copy = play("@wire HTTP/1.1 200 OK\\r\\nx:\\s\n", "1");
    assert_eq!((copy.wire.as_slice(), copy.clean), (&b"HTTP/1.1 200 OK\r\nx: "[..], true));
}

/// Directions cannot send such a head, so the server sends its bytes, and those of the body with their framing.
#[test]
fn a_head_that_directions_cannot_send_is_sent_as_it_is() {
    let status = "HTTP/1.1 200 OK\r\n";
    for line in ["x: \u{1}", "x : y", " folded", "no colon", "transfer-encoding: gzip, chunked"] {
        let response = format!("{status}{line}\r\n\r\n2\r\nx\n\r\n0\r\n\r\n");
        let copy = play(script(&[(0, &response), (0, END)]), "1");
        let all: Vec<u8> = copy.arrivals.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        assert_eq!(String::from_utf8(all).unwrap(), response);
    }
    assert_eq!(script(&[(0, "HTTP/1.1 101 X\r\n\r\ny"), (0, END)]), "@wire HTTP/1.1 101 X\\r\\n\\r\\n\ny");
}

#[test]
fn a_connection_that_is_closed_after_a_complete_body_is_closed_again() {
    let head = format!("{HEAD}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    let pieces = [(0, head.as_str()), (0, "2\r\nx\n\r\n0\r\n\r\n"), (0, END)];
    assert_eq!(script(&pieces), "x\n@close\n");
    assert_eq!(script(&[pieces[0], pieces[2]]), "@open\n@drop\n");
    let head = format!("{HEAD}content-length: 1\r\nConnection: close\r\n\r\n");
    assert_eq!(script(&[(0, &head), (0, "x"), (0, END)]), "@framing length 1\n@send x\n@close\n");
}

#[test]
fn every_response_becomes_a_script_without_errors() {
    const SHORT: [&str; 27] = [
        "200", "204", "103", "101", "7", " OK", "\r\n", "\n", "x", ": ", "\u{1}", " ", "{{", "@", "\t",
        "2\r\n", "0\r\n", "\\", "data", "\0", "é", "-", "+", "@#", ":", "304", "205",
    ];
    const LONG: [&str; 11] = [
        "HTTP/1.1 ",
        "HTTP/2 ",
        "{{path}}",
        "Transfer-Encoding: chunked\r\n",
        "content-length: ",
        "connection: close\r\n",
        "date: x\r\n",
        "\r\n\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 503 No\r\n",
        "Content-Length: 2\r\n",
    ];
    let parts = [&SHORT[..], &LONG].concat();
    let mut random = Random(1);
    for _ in 0..20_000 {
        let mut capture = Capture::default();
        let mut script = Vec::new();
        for at in 0..random.below(20) {
            let piece = parts[random.below(parts.len())];
            script.extend(capture.add(Duration::from_millis(at as u64 * 4), piece.as_bytes()));
        }
        script.extend(capture.end(Duration::from_millis(100)));
        let parsed = Script::parse("/x", &script);
        assert!(parsed.is_ok(), "{} {:?}", script.escape_ascii(), parsed.err());
    }
}
