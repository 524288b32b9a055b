//! Tests of request heads: complete, cut and invalid ones, their parts, and the limits.

use super::*;

const GOOD: &[u8] = b"GET /events?a=1 HTTP/1.1\r\nHost: localhost:8080\r\nLast-Event-ID: 7\r\nX:\r\n\r\n";

fn read(bytes: &[u8]) -> Result<Request, RequestError> {
    let mut reader = HeadReader::default();
    match reader.push(bytes)? {
        Progress::Done(used) if used == bytes.len() => reader.finish(),
        other => panic!("{other:?} for {}", bytes.escape_ascii()),
    }
}

#[test]
fn the_parts_of_a_valid_request_are_found() {
    let request = read(GOOD).unwrap();
    assert_eq!(request.method(), "GET");
    assert_eq!(request.path(), b"/events");
    assert_eq!(request.version(), Version::Http11);
    assert_eq!(request.field("last-event-id"), Some(&b"7"[..]));
    assert_eq!(request.field("x"), Some(&b""[..]));
    assert_eq!((request.target(), request.query()), (&b"/events?a=1"[..], Some(&b"a=1"[..])));
    assert_eq!(request.field_lines().count(), 3);
}

#[test]
fn every_prefix_of_a_valid_request_is_incomplete() {
    for length in 0..GOOD.len() {
        assert_eq!(HeadReader::default().push(&GOOD[..length]), Ok(Progress::More), "{length}");
    }
}

#[test]
fn a_request_in_any_two_pieces_is_the_same_request() {
    for cut in 0..GOOD.len() {
        let mut reader = HeadReader::default();
        assert_eq!(reader.push(&GOOD[..cut]), Ok(Progress::More));
        assert_eq!(reader.push(&GOOD[cut..]), Ok(Progress::Done(GOOD.len() - cut)));
        assert_eq!(reader.finish(), read(GOOD));
    }
}

#[test]
fn a_head_gives_the_same_result_however_it_is_cut() {
    let heads: [&[u8]; 9] = [
        b"HEAD /events HTTP/1.1\n",
        b"HEAD /a\x01 HTTP/1.1\r\n",
        b"HEAD / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nOrigin: http://a\n",
        b"GET / HTTP/1.1\r\nOrigin: http://a\x01",
        b"GET / HTTP/1.1\r\nConnection: close\r\nX\x01",
        b"GET / HTTP/1.0\r\nORIGIN: a\r\nno colon\r\n\r\n",
        b"\r\nGET / HTTP/1.1\r\nHost: a\r\norigin: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nOrigin: unfinished",
    ];
    let result_of = |pieces: &[&[u8]]| {
        let mut reader = HeadReader::default();
        let outcome =
            pieces.iter().map(|piece| reader.push(piece)).find(|outcome| outcome != &Ok(Progress::More));
        (outcome.map(|outcome| outcome.is_ok()), reader.response_options())
    };
    for head in heads {
        let whole = result_of(&[head]);
        assert_eq!(result_of(&head.chunks(1).collect::<Vec<_>>()), whole, "{}", head.escape_ascii());
        for cut in 0..head.len() {
            assert_eq!(result_of(&[&head[..cut], &head[cut..]]), whole, "{} {cut}", head.escape_ascii());
        }
    }
    assert!(
        result_of(&[heads[0]]).1.head_only && result_of(&[heads[3]]).1.cors && result_of(&[heads[8]]).1.cors
    );
}

#[test]
fn a_head_has_at_most_16_kib_including_its_empty_line() {
    let head = |size: usize| {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        format!("{start}{}\r\n\r\n", "x".repeat(size - start.len() - 4))
    };
    let push = |text: &str| HeadReader::default().push(text.as_bytes());
    assert_eq!(push(&head(MAX_HEAD)), Ok(Progress::Done(MAX_HEAD)));
    assert_eq!(push(&head(MAX_HEAD + 1)).unwrap_err().status, Status::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(push(&head(MAX_HEAD + 1)[..MAX_HEAD - 1]), Ok(Progress::More));
    assert_eq!(
        push(&head(MAX_HEAD + 9)[..MAX_HEAD]).unwrap_err().status,
        Status::REQUEST_HEADER_FIELDS_TOO_LARGE
    );
    let invalid_byte_after_it = head(MAX_HEAD + 9)[..MAX_HEAD + 1].to_owned() + "\0";
    assert_eq!(push(&invalid_byte_after_it).unwrap_err().status, Status::REQUEST_HEADER_FIELDS_TOO_LARGE);
}

#[test]
fn fields_are_found_by_their_whole_name_in_any_case() {
    let request = read(b"GET / HTTP/1.1\r\nHosts: 1\r\nHost: a\r\nHOS: 2\r\nx: 3\r\nX: 4\r\n\r\n").unwrap();
    assert_eq!(
        ["host", "HOSTS", "hos", "x"].map(|name| request.field(name).unwrap()),
        [&b"a"[..], b"1", b"2", b"3"]
    );
    assert_eq!(field_values(&request.head, "x").count(), 2);
    assert_eq!(request.field("hosv"), None);
}

#[test]
fn bytes_after_the_empty_line_belong_to_the_next_request() {
    let mut reader = HeadReader::default();
    let two = [GOOD, GOOD].concat();
    assert_eq!(reader.push(&two), Ok(Progress::Done(GOOD.len())));
}

#[test]
fn an_empty_line_before_the_request_line_is_ignored() {
    let request = read(&[b"\r\n\r\n", GOOD].concat()).unwrap();
    assert_eq!(request.path(), b"/events");
}

#[test]
fn an_absolute_target_without_a_path_means_the_root() {
    assert_eq!(read(b"GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n").unwrap().path(), b"/");
}

#[test]
fn the_client_can_ask_to_close_the_connection() {
    let closes = |head: &str| {
        let mut reader = HeadReader::default();
        reader.push(head.as_bytes()).unwrap();
        reader.response_options().close
    };
    assert!(closes("GET / HTTP/1.0\r\n\r\n"));
    assert!(closes("GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n"));
    assert!(!closes("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"));
}
