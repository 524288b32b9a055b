//! Valid requests: sent in pieces, pipelined, with a body, as HTTP/1.0, and with every method.

mod support;

use std::time::{Duration, Instant};
use support::{demo, field, serve, Client, DEMO_HEAD, GREETING};

const LAST_CHUNK: &str = "\r\n0\r\n\r\n";

#[test]
fn a_request_may_arrive_byte_by_byte() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    for byte in b"GET /events HTTP/1.1\r\nHost: test\r\n\r\n" {
        client.send([*byte]);
    }
    assert_eq!(client.read_head(), DEMO_HEAD);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = serve("max", &[("/a", b"data: a\n\n"), ("/b", b"data: b\n\n")]);
    let mut client = Client::connect(server.address());
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n");
    client.send(get("/a") + &get("/b") + &get("/none") + &get("/a"));
    for path in ["a", "b"] {
        assert_eq!(client.read_head(), DEMO_HEAD);
        assert_eq!(client.read_chunk(), format!("data: {path}\n\n"));
        assert_eq!(client.read_chunk(), "");
    }
    assert!(client.read_answer().0.starts_with("HTTP/1.1 404 Not Found\r\n"));
    client.read_head();
    assert_eq!(client.read_chunk(), "data: a\n\n");
}

#[test]
fn requests_after_connection_close_are_ignored() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    client.get("/events", "Connection: close\r\n").get("/events", "");
    let head = client.read_head();
    assert_eq!(head, DEMO_HEAD.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
    assert!(client.read_until(LAST_CHUNK).ends_with(LAST_CHUNK));
    client.assert_closed();
}

#[test]
fn a_client_that_half_closes_gets_its_whole_stream() {
    let server = demo("20");
    let mut client = Client::connect(server.address());
    client.get("/events", "").half_close();
    assert_eq!(client.read_head(), DEMO_HEAD);
    let body = client.read_to_end();
    assert!(body.contains("Event 15") && body.ends_with(LAST_CHUNK), "{body}");
}

#[test]
fn an_http_1_0_client_gets_no_chunks_and_the_body_ends_with_the_connection() {
    let server = serve("max", &[("/a", b"data: {{elapsed}}\n\ndata: b\n\n")]);
    let mut client = Client::connect(server.address());
    client.send("GET /a HTTP/1.0\r\n\r\n");
    let head = client.read_head();
    assert_eq!(
        head,
        DEMO_HEAD
            .replace("transfer-encoding: chunked\r\n", "")
            .replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")
    );
    assert_eq!(client.read_to_end(), "data: 0\n\ndata: b\n\n");
}

#[test]
fn a_head_request_gets_the_same_head_and_does_not_play_the_script() {
    let server = demo("1");
    let mut client = Client::connect(server.address());
    let start = Instant::now();
    client.send("HEAD /events HTTP/1.1\r\nHost: test\r\n\r\n").get("/events", "");
    assert_eq!(client.read_head(), DEMO_HEAD);
    assert_eq!(client.read_head(), DEMO_HEAD);
    assert_eq!(client.read_chunk(), GREETING);
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn an_unknown_path_is_404_with_a_list_of_the_available_paths() {
    let server = serve("max", &[("/my stream", b"")]);
    let mut client = Client::connect(server.address());
    client.get("/nothing?<script>", "");
    let (head, body) = client.read_answer();
    assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
    assert_eq!(field(&head, "content-type"), Some("text/plain; charset=utf-8"));
    assert!(body.starts_with("404 Not Found: no script at this path; available:\n/events\n"), "{body}");
    assert!(body.ends_with("\n/my%20stream\n") && !body.contains("<script>"), "{body}");
}

#[test]
fn another_method_is_405_with_allow() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    for method in ["POST", "DELETE", "get", "BREW"] {
        client.send(format!("{method} /events HTTP/1.1\r\nHost: test\r\n\r\n"));
        let (head, body) = client.read_answer();
        assert!(head.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{head}");
        assert_eq!(field(&head, "allow"), Some("GET, HEAD, OPTIONS"));
        assert_eq!(body, "405 Method Not Allowed: this path answers GET, HEAD, OPTIONS\n");
    }
}

#[test]
fn options_lists_the_allowed_methods() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    for target in ["/events", "*", "http://test/events"] {
        client.send(format!("OPTIONS {target} HTTP/1.1\r\nHost: test\r\n\r\n"));
        let head = client.read_head();
        assert!(head.starts_with("HTTP/1.1 204 No Content\r\n"), "{head}");
        assert_eq!(field(&head, "allow"), Some("GET, HEAD, OPTIONS"));
        assert_eq!(field(&head, "access-control-allow-origin"), None);
        assert_eq!(field(&head, "access-control-allow-methods"), None);
        assert_eq!(field(&head, "content-length"), None);
    }
}

#[test]
fn a_preflight_allows_the_requested_headers() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    let preflight = |headers: &str| {
        format!(
            "OPTIONS /events HTTP/1.1\r\nHost: test\r\nOrigin: http://elsewhere\r\n\
             Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: {headers}\r\n\r\n"
        )
    };
    client.send(preflight("last-event-id, x-token"));
    let head = client.read_head();
    assert!(head.starts_with("HTTP/1.1 204 No Content\r\n"), "{head}");
    assert_eq!(field(&head, "access-control-allow-origin"), Some("*"));
    assert_eq!(field(&head, "access-control-allow-methods"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(field(&head, "access-control-allow-headers"), Some("last-event-id, x-token"));
    client.send(preflight("no token"));
    assert_eq!(field(&client.read_head(), "access-control-allow-headers"), None);
}

#[test]
fn an_origin_adds_one_field_line_at_the_end_of_the_head() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    client.get("/events", "Origin: http://elsewhere\r\n");
    assert_eq!(
        client.read_head(),
        DEMO_HEAD.replace("\r\n\r\n", "\r\naccess-control-allow-origin: *\r\n\r\n")
    );
    client.read_until(LAST_CHUNK);
    client.get("/nothing", "Origin: http://elsewhere\r\n");
    assert_eq!(field(&client.read_answer().0, "access-control-allow-origin"), Some("*"));
}

#[test]
fn a_request_body_is_read_to_its_end() {
    let server = serve("max", &[("/a", b"data: a\n\n")]);
    let mut client = Client::connect(server.address());
    let body = "x".repeat(200_000);
    client.send(format!("GET /a HTTP/1.1\r\nHost: test\r\nContent-Length: 200000\r\n\r\n{body}"));
    client.read_until(LAST_CHUNK);
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n00\r\nTrailer: x\r\n\r\n";
    client.send(format!("POST /a HTTP/1.1\r\nHost: test\r\n{chunked}"));
    assert!(client.read_answer().0.starts_with("HTTP/1.1 405 "));
    client.get("/a", "").read_head();
    assert_eq!(client.read_chunk(), "data: a\n\n");
}

#[test]
fn a_client_that_expects_100_continue_gets_it_before_its_body_is_read() {
    let server = serve("max", &[("/a", b"data: a\n\n")]);
    let mut client = Client::connect(server.address());
    client.get("/a", "Content-Length: 3\r\nExpect: 100-continue\r\n");
    assert_eq!(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    assert_eq!(client.read_head(), DEMO_HEAD);
    client.read_until(LAST_CHUNK);
    client.get("/a", "Expect: 100-continue\r\n");
    assert_eq!(client.read_head(), DEMO_HEAD, "without a body there is nothing to wait for");
}

#[test]
fn a_script_without_a_body_has_content_length_0() {
    let server = serve(
        "max",
        &[("/empty", b""), ("/busy", b"@status 503\n@header Retry-After: 1\n"), ("/304", b"@status 304\n")],
    );
    let mut client = Client::connect(server.address());
    assert_eq!(
        client.get("/empty", "").read_head(),
        DEMO_HEAD.replace("transfer-encoding: chunked", "content-length: 0")
    );
    assert_eq!(
        client.get("/busy", "").read_head(),
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\ncache-control: no-cache\r\n\
         content-type: text/event-stream\r\ndate: *\r\nRetry-After: 1\r\n\r\n"
    );
    assert_eq!(
        client.get("/304", "").read_head(),
        "HTTP/1.1 304 Not Modified\r\ncache-control: no-cache\r\ncontent-type: text/event-stream\r\ndate: *\r\n\r\n"
    );
}

#[test]
fn a_target_may_be_percent_encoded_and_8000_bytes_long() {
    let server = serve("max", &[("/a b", b"data: a\n\n")]);
    let mut client = Client::connect(server.address());
    client.get(&format!("/a%20b?{}", "q".repeat(8_000 - 7)), "");
    assert_eq!(client.read_head(), DEMO_HEAD);
}

#[test]
fn a_body_of_exactly_1_mib_is_accepted() {
    let server = serve("max", &[("/a", b"data: a\n\n")]);
    let mut client = Client::connect(server.address());
    client.get("/a", "Content-Length: 1048576\r\n").send(vec![b'x'; 1 << 20]);
    assert_eq!(client.read_head(), DEMO_HEAD);
}
