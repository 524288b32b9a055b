//! The bytes of the body: valid, invalid and unusual event streams arrive exactly as they are written.

use crate::support::{play, Exchange};
use rust_sse_server::Script;

/// Asserts that a script sends exactly this data and that the body is complete.
fn assert_sends(script: &[u8], data: &[u8]) {
    let response = play(script, "max");
    let (sent, complete) = response.data();
    assert_eq!(sent.escape_ascii().to_string(), data.escape_ascii().to_string(), "{}", script.escape_ascii());
    assert!(complete, "{}", script.escape_ascii());
}

/// Asserts that a script is sent byte for byte.
fn assert_verbatim(script: &[u8]) {
    assert_sends(script, script);
}

#[test]
fn any_event_stream_text_arrives_verbatim() {
    assert_verbatim(b": comment\n:\ndata: a\ndata:b\ndata:  c\nunknown: d\ndata\nevent: x\nid: 1\n\nid: 2\nevent: y\ndata: z\n\n");
}

#[test]
fn lines_may_end_with_lf_cr_lf_cr_or_a_mixture() {
    assert_verbatim(b"data: a\ndata: b\r\ndata: c\rdata: d\r\n\r\ndata: e\r\r");
    assert_sends(
        b"@eol crlf\ndata: a\n\n@eol cr\ndata: b\r\n\n@eol lf\ndata: c\r\n\r\n",
        b"data: a\r\n\r\ndata: b\r\rdata: c\n\n",
    );
}

#[test]
fn a_byte_order_mark_may_come_first_later_or_in_pieces() {
    assert_verbatim(b"\xEF\xBB\xBFdata: 1\n\n\xEF\xBB\xBFdata: 2\n\n");
    let response = play("@send \\xEF\n@send \\xBB\n@send \\xBF\ndata: 1\n\n", "max");
    assert_eq!(response.data().0, b"\xEF\xBB\xBFdata: 1\n\n");
    assert_eq!(response.chunks().len(), 5);
}

#[test]
fn nul_may_occur_in_an_id_in_data_and_in_a_comment() {
    assert_verbatim(b"id: a\0b\ndata: c\0d\n:\0\n\n");
    assert_sends(b"@send id: a\\0b\\n\ndata: c\n\n", b"id: a\0b\ndata: c\n\n");
}

#[test]
fn bytes_that_are_not_utf_8_are_sent_unchanged() {
    assert_sends(b"@send \\xFF\\xFE:bad\\n\\n\n", b"\xFF\xFE:bad\n\n");
    assert_verbatim(b"data: \xFF\xC0\x80\n\n");
}

#[test]
fn unicode_line_separators_are_sent_unchanged() {
    assert_verbatim("data: a\u{2028}b\u{2029}c\u{85}d\n\n".as_bytes());
}

#[test]
fn the_last_line_or_event_may_be_unterminated() {
    assert_verbatim(b"data: whole\n\ndata: no empty line\n");
    assert_sends(b"@send data: cut\n@end\n", b"data: cut");
    let response = play("@send data: cut\n@drop\n", "max");
    assert_eq!(response.wire, b"9\r\ndata: cut\r\n");
    assert!(response.clean);
}

#[test]
fn an_event_may_have_no_data_and_empty_lines_may_be_repeated() {
    assert_verbatim(b"id: 1\n\nretry: 10\n\nevent: empty\n\n\n\n\ndata: x\n\n");
}

#[test]
fn retry_may_be_valid_invalid_or_empty() {
    assert_verbatim(b"retry: 3000\nretry: 1000x\nretry:\nretry\ndata: x\n\n");
}

#[test]
fn lines_of_100_kb_events_of_5_mib_and_comments_of_2_kib_arrive_complete() {
    for (script, length) in [
        ("@send data:\\s\n@fill 100000\n\n\n", 6 + 100_000 + 2),
        ("@send data:\\s\n@fill 5M a\n\n\n", 6 + (5 << 20) + 2),
        (":\n@fill 2048 \\s\n\n", 2 + 2_048 + 1),
    ] {
        let (data, complete) = play(script, "max").data();
        assert_eq!((data.len(), complete), (length, true), "{script}");
    }
    let (data, _) = play("@send data:\\s\n@fill 5M a\n\n\n", "max").data();
    assert!(data.starts_with(b"data: aaa") && data.ends_with(b"aaa\n\n"));
}

#[test]
fn a_hundred_events_can_be_sent_at_once() {
    let response = play("@chunk whole\n@repeat 100\nid: {{i}}\ndata: {{i}}\n\n@again\n", "1");
    let data: String = (1..=100).map(|n| format!("id: {n}\ndata: {n}\n\n")).collect();
    assert_eq!(response.data(), (data.into_bytes(), true));
    assert!(response.arrivals.last().unwrap().0.as_millis() < 500);
}

#[test]
fn valid_http_can_carry_an_invalid_event_stream() {
    assert_verbatim(b"data: 1\ndata: 2 (no empty line between)\n<html><body>not a stream</body></html>\n{\"json\": true}\n");
}

#[test]
fn data_framed_in_advance_also_reaches_an_http_1_0_client() {
    let server = crate::support::serve("max", &[("/a", b"data: 1\n\n@send {{path}}\n@fill 2000 z\n")]);
    let response = Exchange::new(server.address(), "GET /a HTTP/1.0\r\n\r\n", crate::support::PATIENCE);
    assert_eq!(response.wire, [b"data: 1\n\n/a".to_vec(), vec![b'z'; 2_000]].concat());
}

/// The data of the stored blocks at the start of a gzip file, and whether the last of them is among them.
fn stored_blocks(gzip: &[u8]) -> (String, bool) {
    let mut data = Vec::new();
    let mut rest = gzip.strip_prefix(b"\x1f\x8b\x08\0\0\0\0\0\0\xff").unwrap();
    while let [is_last @ (0 | 1), low, high, not_low, not_high, after @ ..] = rest {
        assert_eq!((!low, !high), (*not_low, *not_high));
        let (block, after) = after.split_at(usize::from(*low) + 256 * usize::from(*high));
        data.extend_from_slice(block);
        if *is_last == 1 {
            assert_eq!(after[4..], (data.len() as u32).to_le_bytes());
            return (String::from_utf8(data).unwrap(), true);
        }
        rest = after;
    }
    (String::from_utf8(data).unwrap(), false)
}

#[test]
fn gzip_is_flushed_with_each_event_or_at_the_end() {
    let events = "data: 1\n\n@sleep 1s\ndata: {{path}}\n\n";
    for (direction, first) in [("@gzip event\n", "data: 1\n\n"), ("@gzip end\n", "")] {
        let response = play(format!("{direction}{events}"), "10");
        assert!(response.head.contains("\r\ncontent-encoding: gzip\r\n"), "{}", response.head);
        let (gzip, is_complete) = response.data();
        assert_eq!(stored_blocks(&gzip), ("data: 1\n\ndata: /script\n\n".to_owned(), true));
        assert!(is_complete);
        let first_chunk = response.chunks().len();
        assert_eq!(first_chunk, if first.is_empty() { 2 } else { 4 }, "{direction}");
        let dropped = play(format!("{direction}data: 1\n\n@drop\n"), "10").data().0;
        assert!(if first.is_empty() {
            dropped.is_empty()
        } else {
            stored_blocks(&dropped) == (first.to_owned(), false)
        });
    }
    let response = play("@gzip end\n@fill 70000\n\n\n@hang 1ms\n", "10");
    assert_eq!(stored_blocks(&response.data().0).0.len(), 65_535);
    let resumed = play("@gzip event\n@resume\nid: 1\n\n", "1");
    assert_eq!(stored_blocks(&resumed.data().0).0, "id: 1\n\n");
    for script in [
        "@gzip\n",
        "@gzip always\n",
        "x\n@gzip end\n",
        "@gzip end\n@gzip event\n",
        "@gzip end\n@framing length\n@sleep 1s\n",
    ] {
        assert!(Script::parse("/x", script).is_err(), "{script}");
    }
}
