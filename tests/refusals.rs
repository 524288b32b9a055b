//! Invalid and unacceptable requests: each is rejected with a status and an explanation, and the connection is closed.

mod support;

use support::{demo, field, Client, Exchange, PATIENCE};

/// The response to these bytes, after which the connection must be closed.
fn response(bytes: &[u8]) -> (String, String) {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    client.send(bytes);
    let (head, body) = client.read_answer();
    assert_eq!(field(&head, "connection"), Some("close"), "{}", bytes.escape_ascii());
    client.assert_closed();
    (head, body)
}

fn assert_rejected(status: u16, bytes: &[u8]) {
    let (head, body) = response(bytes);
    let text = bytes[..bytes.len().min(80)].escape_ascii().to_string();
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{text}: {head}");
    assert!(
        body.starts_with(&format!("{status} ")) && body.ends_with('\n') && body.len() > 20,
        "{text}: {body}"
    );
}

#[test]
fn invalid_heads_are_400() {
    for head in [
        // The request line.
        "GET /events\r\n",
        "GET /events HTTP/1.1 \r\n",
        "GET  /events HTTP/1.1\r\n",
        "GET\t/events HTTP/1.1\r\n",
        " GET /events HTTP/1.1\r\n",
        "GET /events http/1.1\r\n",
        "GET /events HTTP/1.1.1\r\n",
        "GET events HTTP/1.1\r\n",
        "G(T /events HTTP/1.1\r\n",
        "GET /events# HTTP/1.1\r\n",
        "GET /\u{e9} HTTP/1.1\r\n",
        "GET * HTTP/1.1\r\n",
        // Line ends.
        "GET /events HTTP/1.1\n",
        "GET /events HTTP/1.1\r\nHost: a\nX: b\r\n",
        "GET /events HTTP/1.1\r\nHost: a\rX: b\r\n",
        // Field lines.
        "GET /events HTTP/1.1\r\nHost: a\r\nX\r\n",
        "GET /events HTTP/1.1\r\nHost: a\r\nX : b\r\n",
        "GET /events HTTP/1.1\r\nHost: a\r\n: b\r\n",
        "GET /events HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n",
        "GET /events HTTP/1.1\r\n Host: a\r\n",
        "GET /events HTTP/1.1\r\nHost: a\r\nX: \0\r\n",
        "GET /events HTTP/1.1\r\nHost: a\r\nX: \0\r\n",
        "GET /events HTTP/1.1\r\nHost: a\r\nX\u{e9}: b\r\n",
        // Host.
        "GET /events HTTP/1.1\r\n\r\n",
        "GET /events HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET /events HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /events HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET /events HTTP/1.1\r\nHost: a:port\r\n\r\n",
        "GET http://a/events HTTP/1.1\r\n\r\n",
        // TLS.
        "\u{16}\u{3}\u{1}\u{2}",
    ] {
        assert_rejected(400, head.as_bytes());
    }
}

#[test]
fn ambiguous_body_lengths_are_400() {
    for fields in [
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n",
        "Content-Length: 1, 1\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x1\r\n",
        "Content-Length: 1 1\r\n",
        "Content-Length:\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding:\r\n",
    ] {
        assert_rejected(400, format!("POST /events HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes());
    }
    assert_rejected(400, b"POST /events HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
}

#[test]
fn invalid_chunks_are_400() {
    for body in
        ["x\r\n", "\r\n", "1\nx", "1\r\nxy", "1\r\nx\n", "-1\r\n", "1;\0\r\n", "1 x\r\n", "0\r\nx\r\n"]
    {
        let head = "POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_rejected(400, format!("{head}{body}").as_bytes());
    }
}

#[test]
fn unknown_transfer_codings_and_connect_are_501() {
    for coding in ["gzip", "gzip, chunked", "chunked, gzip", "identity"] {
        let head = format!("POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {coding}\r\n\r\n");
        assert_rejected(501, head.as_bytes());
    }
    assert_rejected(501, b"CONNECT a:80 HTTP/1.1\r\n");
}

#[test]
fn expectations_other_than_100_continue_are_417() {
    assert_rejected(417, b"GET /events HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n");
}

#[test]
fn versions_other_than_1_x_are_505() {
    assert_rejected(505, b"GET /events HTTP/2.0\r\n");
    assert_rejected(505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_rejected(505, b"GET /events HTTP/0.9\r\n");
}

#[test]
fn a_later_1_x_version_is_treated_as_1_1() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    client.send("GET /events HTTP/1.9\r\nHost: test\r\n\r\n");
    assert_eq!(client.read_head(), support::DEMO_HEAD);
}

#[test]
fn heads_over_the_limits_are_431_and_targets_414() {
    let head = |fields: &str| format!("GET /events HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes();
    assert_rejected(431, &head(&format!("X: {}\r\n", "x".repeat(16 * 1024))));
    assert_rejected(431, &head(&"X: y\r\n".repeat(100)));
    assert_rejected(414, format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(8 * 1024)).as_bytes());
    assert_rejected(414, &[b'x'; 17 * 1024]);
}

#[test]
fn exactly_100_field_lines_are_accepted() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    client.get("/events", &"X: y\r\n".repeat(99));
    assert_eq!(client.read_head(), support::DEMO_HEAD);
}

#[test]
fn bodies_over_1_mib_are_413() {
    assert_rejected(413, b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n");
    assert_rejected(
        413,
        b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    );
    let head = "POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_rejected(413, format!("{head}100001\r\n").as_bytes());
    assert_rejected(413, format!("{head}ffffffffffffffff\r\n").as_bytes());
}

#[test]
fn a_rejection_follows_the_method_and_origin_of_the_request() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    client.send("HEAD /events HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\nContent-Length: 9999999\r\n\r\n");
    let head = client.read_head();
    assert!(
        head.starts_with("HTTP/1.1 413 ") && head.contains("\r\naccess-control-allow-origin: *\r\n"),
        "{head}"
    );
    client.assert_closed();
}

#[test]
fn a_rejection_arrives_complete_while_the_client_is_still_sending() {
    let mut bytes = b"GET /events HTTP/1.1\r\nbroken\r\n".to_vec();
    bytes.extend(std::iter::repeat(b'x').take(1 << 20));
    assert_rejected(400, &bytes);
}

#[test]
fn an_incomplete_head_is_400() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    client.send("GET /events HTTP/1.1\r\n").half_close();
    assert!(client.read_answer().0.starts_with("HTTP/1.1 400 "));
    client.assert_closed();
}

#[test]
fn no_part_of_a_request_is_repeated_in_the_response() {
    let server = demo("max");
    for bytes in
        ["GET /\u{1b}[2J HTTP/1.1\r\n", "EVIL\u{9}EVIL\r\n", "GET /EVIL HTTP/1.1\r\nHost: EVIL EVIL\r\n\r\n"]
    {
        let mut client = Client::connect(server.address());
        client.send(bytes).half_close();
        let response = client.read_to_end();
        assert!(!response.contains("EVIL") && !response.contains('\u{1b}'), "{response}");
    }
}

#[test]
fn a_rejected_head_request_gets_no_body() {
    let server = demo("max");
    for (request, status) in [
        ("HEAD / HTTP/9.9\r\nHost: x\r\n\r\n", 505),
        ("HEAD / HTTP/1.1\n", 400),
        ("HEAD /\x01", 400),
        ("HEAD / HTTP/1.1\r\nX: \0", 400),
    ] {
        let rejected = Exchange::new(server.address(), request, PATIENCE);
        assert!(rejected.head.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?} {}", rejected.head);
        assert_eq!(rejected.wire, b"", "{request:?}");
    }
}
