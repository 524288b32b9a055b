//! Where the body is cut into chunks, writes and delayed pieces, and how its end is marked.

use crate::support::{assert_pause, play, serve, Exchange, PATIENCE};
use std::time::Duration;

fn chunks(script: &str) -> Vec<String> {
    play(script, "max").chunks()
}

#[test]
fn each_event_is_one_chunk() {
    assert_eq!(
        chunks("data: 1\n\ndata: 2\r\n\r\ndata: 3\r\r"),
        ["data: 1\n\n", "data: 2\r\n\r\n", "data: 3\r\r", ""]
    );
    assert_eq!(chunks("@chunk line\ndata: 1\n\n"), ["data: 1\n", "\n", ""]);
}

#[test]
fn several_events_can_share_a_chunk() {
    assert_eq!(
        chunks("@chunk whole\ndata: 1\n\ndata: 2\n\n@sleep 1s\ndata: 3\n\n"),
        ["data: 1\n\ndata: 2\n\n", "data: 3\n\n", ""]
    );
}

#[test]
fn one_event_can_be_split_at_chosen_places() {
    assert_eq!(chunks("@send da\n@send ta: 1\n\n\n"), ["da", "ta: 1", "\n\n", ""]);
    assert_eq!(chunks("data: 1\n@cut\ndata: 2\n\n"), ["data: 1\n", "data: 2\n\n", ""]);
}

#[test]
fn pieces_of_two_bytes_can_be_sent_20_ms_apart() {
    assert_pause(60..200, "da", "1\r\n\n\r\n", || {
        let response = play("@chunk 2 every 20ms\ndata: 1\n\n", "1");
        assert_eq!(response.chunks(), ["da", "ta", ": ", "1\n", "\n", ""]);
        response
    });
}

#[test]
fn a_pace_separates_the_chunks_that_chunk_cuts() {
    let cases: [(&str, &[&str]); 3] = [
        ("@chunk line\n@pace 20ms\n{\"a\":\n1}\n{}\n", &["{\"a\":\n", "1}\n", "{}\n", ""]),
        ("@chunk 4\n@pace 20ms\n[1, \n2]\n@chunk event\n\n", &["[1, ", "\n2]\n", "\n", ""]),
        ("@chunk 8 every 20ms\n@pace 1ms\ndata: 12\n3\n\n\n", &["data: 12", "\n3\n\n\n", ""]),
    ];
    for (script, chunks) in cases {
        assert_pause(15..200, chunks[0], chunks[1], || {
            let response = play(script, "1");
            assert_eq!(response.chunks(), chunks, "{script}");
            response
        });
    }
}

#[test]
fn a_character_can_be_split_by_a_pause() {
    assert_pause(190..400, "8\r\n", "3\r\n", || {
        let response = play("@send data: \\xE2\\x99\n@sleep 1s\n@send \\xA5\\n\\n\n", "5");
        assert_eq!(response.data().0, "data: \u{2665}\n\n".as_bytes());
        let pieces: Vec<&Vec<u8>> = response.arrivals.iter().map(|(_, piece)| piece).collect();
        assert!(pieces[0].ends_with(b"8\r\ndata: \xE2\x99\r\n"));
        assert!(pieces[1].starts_with(b"3\r\n\xA5\n\n\r\n"));
        response
    });
}

#[test]
fn a_chunk_can_end_between_cr_and_lf() {
    assert_eq!(chunks("@send data: a\\r\n@send \\n\n"), ["data: a\r", "\n", ""]);
}

#[test]
fn a_chunk_can_be_split_over_several_writes() {
    let response =
        play("data: 1\n\n@wire 9\\r\\nda\n@sleep 50ms\n@wire ta: 2\\n\\n\\r\n@sleep 50ms\n@wire \\n\n", "1");
    assert_eq!(response.chunks(), ["data: 1\n\n", "data: 2\n\n", ""]);
    assert!(response.when("ta: 2") - response.when("9\r\nda") >= Duration::from_millis(45));
}

#[test]
fn a_trailer_section_follows_the_last_chunk() {
    let response = play(
        "@header Trailer: Server-Timing\n@trailer Server-Timing: total;dur=3\n@trailer X: y\ndata: 1\n\n",
        "max",
    );
    assert_eq!(response.wire, b"9\r\ndata: 1\n\n\r\n0\r\nServer-Timing: total;dur=3\r\nX: y\r\n\r\n");
}

#[test]
fn a_malformed_chunk_can_be_sent() {
    let response = play("data: 1\n\n@wire ZZ\\r\\n\n@drop\n", "max");
    assert_eq!(response.wire, b"9\r\ndata: 1\n\n\r\nZZ\r\n");
}

#[test]
fn a_body_can_be_framed_by_its_length_by_close_or_by_a_wrong_length() {
    let framing = |framing: &str| play(format!("@framing {framing}\ndata: 1\n\ndata: 2\n\n"), "max");
    let length = framing("length");
    assert!(
        length.head.starts_with("HTTP/1.1 200 OK\r\ncontent-length: 18\r\ncache-control"),
        "{}",
        length.head
    );
    assert_eq!(length.wire, b"data: 1\n\ndata: 2\n\n");
    let close = framing("close");
    assert!(!close.head.contains("content-length") && !close.head.contains("transfer-encoding"));
    assert_eq!(close.wire, b"data: 1\n\ndata: 2\n\n");
    for lie in ["999", "5"] {
        let wrong = framing(&format!("length {lie}"));
        assert!(wrong.head.contains(&format!("\r\ncontent-length: {lie}\r\n")));
        assert_eq!(wrong.wire, b"data: 1\n\ndata: 2\n\n");
    }
}

#[test]
fn a_connection_is_kept_after_a_correct_length_and_closed_after_a_wrong_one() {
    let server = serve("max", &[("/true", b"@framing length\nab\n"), ("/wrong", b"@framing length 9\nab\n")]);
    let keep = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n");
    let requests = keep("/true") + &keep("/wrong") + &keep("/true");
    let response = Exchange::new(server.address(), requests, PATIENCE);
    let responses = String::from_utf8(response.wire).unwrap().matches("HTTP/1.1 200 OK").count();
    assert_eq!(responses, 1, "the second response is there, the third is not");
    assert!(response.clean);
}

#[test]
fn an_http_1_0_client_gets_no_chunks() {
    let server = serve("max", &[("/a", b"data: 1\n\n"), ("/b", b"@framing length\ndata: 1\n\n")]);
    let chunked = Exchange::new(server.address(), "GET /a HTTP/1.0\r\n\r\n", PATIENCE);
    assert!(!chunked.head.contains("transfer-encoding"));
    assert_eq!(chunked.wire, b"data: 1\n\n");
    let length = Exchange::new(server.address(), "GET /b HTTP/1.0\r\n\r\n", PATIENCE);
    assert!(length.head.contains("content-length: 9\r\n"));
}
