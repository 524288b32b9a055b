//! The response head: when it is sent, its status and its header fields.

use crate::support::{field, play, request, serve, Client, Exchange, PATIENCE};
use rust_sse_server::Script;
use std::time::Duration;

fn head(script: &str) -> String {
    play(script, "max").head
}

#[test]
fn the_head_can_be_sent_at_once_and_the_first_event_later() {
    let response = play("@open\n@sleep 2s\ndata: 1\n\n", "2");
    assert!(response.when("HTTP/1.1") < Duration::from_millis(700));
    assert!(response.when("data: 1") >= Duration::from_millis(990));
}

#[test]
fn the_head_can_be_delayed() {
    let response = play("@sleep 200ms\ndata: 1\n\n", "1");
    assert!(response.when("HTTP/1.1") >= Duration::from_millis(195));
}

#[test]
fn any_status_and_reason_phrase_can_be_sent() {
    for (code, reason) in [
        (202, "Accepted"),
        (205, "Reset Content"),
        (210, ""),
        (299, ""),
        (301, "Moved Permanently"),
        (302, "Found"),
        (303, "See Other"),
        (307, "Temporary Redirect"),
        (308, "Permanent Redirect"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (410, "Gone"),
        (429, "Too Many Requests"),
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
    ] {
        let head = head(&format!("@status {code}\n"));
        assert!(head.starts_with(&format!("HTTP/1.1 {code} {reason}\r\ncontent-length: 0\r\n")), "{head}");
    }
    assert!(head("@status 204\n").starts_with("HTTP/1.1 204 No Content\r\ncache-control: no-cache\r\n"));
    assert!(head("@status 410 So long\n").starts_with("HTTP/1.1 410 So long\r\n"));
}

#[test]
fn an_error_can_have_a_json_body() {
    let response =
        play("@status 401\n@header Content-Type: application/json\n{\"error\": \"who?\"}\n", "max");
    assert!(response.head.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
    assert_eq!(field(&response.head, "Content-Type"), Some("application/json"));
    assert_eq!(response.data(), (b"{\"error\": \"who?\"}\n".to_vec(), true));
}

#[test]
fn an_error_response_can_be_left_open() {
    let server = serve("1", &[("/a", b"@status 403\nno\n@hang\n")]);
    let response = Exchange::new(server.address(), request("GET", "/a", ""), Duration::from_millis(300));
    assert!(response.head.starts_with("HTTP/1.1 403 Forbidden\r\n"));
    assert_eq!(response.data(), (b"no\n".to_vec(), false));
    assert!(response.is_open);
}

#[test]
fn the_content_type_can_be_anything_or_missing() {
    for value in [
        "text/event-stream; charset=utf-8",
        "text/event-stream;charset=windows-1252",
        "text/html",
        "bogus",
        "",
    ] {
        let head = head(&format!("@header Content-Type: {value}\ndata: 1\n\n"));
        assert!(
            head.contains(&format!("\r\nContent-Type: {value}\r\n")) && !head.contains("content-type"),
            "{head}"
        );
    }
    assert!(!head("@header -Content-Type\ndata: 1\n\n").to_lowercase().contains("content-type"));
}

#[test]
fn a_redirect_can_name_any_location_or_none() {
    for value in ["/x", "x", "http://127.0.0.1:1/x", "//elsewhere/x", ""] {
        let head = head(&format!("@status 307\n@header Location: {value}\n"));
        assert_eq!(field(&head, "Location"), Some(value), "{head}");
    }
    assert!(!head("@status 302\n").to_lowercase().contains("location"));
}

#[test]
fn header_fields_can_be_repeated_and_removed() {
    let head = head("@header Set-Cookie: a=b\n@header +Set-Cookie: c=d\n@header -Cache-Control\n@header -Date\ndata: 1\n\n");
    assert!(head.ends_with("\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n"), "{head}");
    assert!(!head.contains("cache-control") && !head.contains("date"), "{head}");
}

#[test]
fn a_header_field_for_proxies_can_be_added() {
    assert_eq!(field(&head("@header X-Accel-Buffering: no\ndata: 1\n\n"), "X-Accel-Buffering"), Some("no"));
}

#[test]
fn origins_can_be_reflected_or_refused_and_preflights_are_counted() {
    let script = b"@on GET,OPTIONS /a\n@part method OPTIONS and connection 1\n@status 403\n\
        @header -Access-Control-Allow-Origin\n@part method OPTIONS\n@status 204\n\
        @header Access-Control-Allow-Origin: {{header:origin}}\n@header Access-Control-Allow-Headers: Last-Event-ID\n\
        @header Access-Control-Allow-Credentials: true\n@part otherwise\n\
        @header Access-Control-Allow-Origin: {{header:origin}}\ndata: {{connection}}\n\n";
    let server = serve("max", &[("/x", script)]);
    let send =
        |method| Exchange::new(server.address(), request(method, "/a", "Origin: http://b\r\n"), PATIENCE);
    let rejected = send("OPTIONS");
    assert!(
        rejected.head.starts_with("HTTP/1.1 403 ") && !rejected.head.to_lowercase().contains("allow-origin")
    );
    let allowed = send("OPTIONS");
    assert!(allowed.head.starts_with("HTTP/1.1 204 "));
    assert_eq!(field(&allowed.head, "Access-Control-Allow-Origin"), Some("http://b"));
    let response = send("GET");
    assert_eq!(response.head.to_lowercase().matches("access-control-allow-origin").count(), 1);
    assert_eq!(response.data().0, b"data: 3\n\n");
}

#[test]
fn a_head_request_neither_plays_the_script_nor_counts() {
    let server =
        serve("max", &[("/a", b"@part connection 1\ndata: first\n\n@part otherwise\ndata: later\n\n")]);
    let head = Exchange::new(server.address(), request("HEAD", "/a", ""), PATIENCE);
    assert!(head.head.starts_with("HTTP/1.1 200 OK\r\n") && head.wire.is_empty());
    let get = Exchange::new(server.address(), request("GET", "/a", ""), PATIENCE);
    assert_eq!(get.data().0, b"data: first\n\n");
}

#[test]
fn other_paths_are_404_and_other_methods_405_with_allow() {
    let server = serve("max", &[("/x", b"@on POST,PUT /a\n")]);
    let send = |method, target| Exchange::new(server.address(), request(method, target, ""), PATIENCE).head;
    assert!(send("POST", "/x").starts_with("HTTP/1.1 404 "));
    let not_allowed = send("GET", "/a");
    assert!(not_allowed.starts_with("HTTP/1.1 405 "));
    assert_eq!(field(&not_allowed, "allow"), Some("POST, PUT, OPTIONS"));
    assert!(send("PUT", "/a").starts_with("HTTP/1.1 200 "));
}

#[test]
fn bytes_that_are_not_http_or_none_at_all_can_be_sent() {
    let garbage = play("@wire \\x00\\xFFgarbage\n@drop\n", "max");
    assert_eq!(
        (garbage.head.as_str(), garbage.wire.as_slice(), garbage.clean),
        ("", &b"\0\xFFgarbage"[..], true)
    );
    let nothing = play("@drop\n", "max");
    assert_eq!((nothing.wire.as_slice(), nothing.clean), (&b""[..], true));
}

#[test]
fn a_status_without_a_body_suppresses_the_body_of_the_script() {
    let server = serve("max", &[("/a", b"@status {{query:s}}\n@repeat forever\ndata: x\n\n@again\n")]);
    let mut client = Client::connect(server.address());
    for _ in 0..2 {
        assert!(client
            .get("/a?s=204", "")
            .read_head()
            .starts_with("HTTP/1.1 204 No Content\r\ncache-control"));
    }
    let reset = client.get("/a?s=205", "").read_head();
    assert!(reset.starts_with("HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n"), "{reset}");
    assert!(client.get("/a?s=200", "").read_head().contains("chunked"));
}

#[test]
fn a_connection_field_of_the_script_is_obeyed() {
    let server =
        serve("max", &[("/a", b"@header Connection: x\n@header +Connection: {{query:c}}\ndata: 1\n\n")]);
    let get = |c: &str| format!("GET /a?c={c} HTTP/1.1\r\nHost: a\r\n\r\n");
    let response = Exchange::new(server.address(), get("close") + &get("close"), PATIENCE);
    assert_eq!(response.chunks(), ["data: 1\n\n", ""]);
}

#[test]
fn time_in_the_head_is_the_current_time() {
    let time = field(&head("@header X: {{time}}\ndata: 1\n\n"), "X").unwrap().parse::<u128>().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    assert!(now - time < 5_000);
}

#[test]
fn a_default_that_is_invalid_is_an_error_in_the_script() {
    let error = |text: &str| Script::parse("/a", text).unwrap_err().to_string();
    let time = "(expected a time such as 80ms, 1.5s, 2m or 1h)";
    for (text, message) in [
        (
            "@status {{query:s|99}}",
            "@status: invalid status `99` (expected a number from 200 to 999)".to_owned(),
        ),
        ("@sleep {{query:t||cookie:t|soon}}", format!("@sleep: invalid time `soon` {time}")),
        ("@sleep {{query:t|x}}ms..2s", format!("@sleep: invalid time `xms` {time}")),
        ("@repeat {{query:n|0}}", "@repeat: invalid number `0` (expected 1 to 100000)".to_owned()),
        ("@repeat 2 every {{query:t|5}}", format!("@repeat: invalid time `5` {time}")),
    ] {
        let script = format!("{text}\ndata: x\n\n");
        assert!(error(&script).starts_with(&format!("/a:1: {message}")), "{}", error(&script));
    }
    assert!(Script::parse("/a", "@status {{query:s}}\n@sleep {{query:t}}\ndata: x\n\n").is_ok());
}

#[test]
fn an_invalid_value_from_the_request_is_a_400_and_the_connection_is_kept() {
    let script =
        b"@status {{query:status|200}}\n@header X: {{query:x}}\n@sleep {{query:ms|0}}ms\ndata: 1\n\n";
    let server = serve("max", &[("/a", script)]);
    let mut client = Client::connect(server.address());
    for (query, why) in [
        ("x=a%0D%0AEvil:%20b", "query x: invalid value of `X` (control bytes are not allowed)"),
        (
            "status=999%0D%0AEvil:%20b",
            "query status: invalid status `999\\r\\nEvil:` (expected a number from 200 to 999)",
        ),
        ("status=99", "query status: invalid status `99` (expected a number from 200 to 999)"),
        ("ms=999999999", "the requested waits are too long (at most 10m together)"),
        ("ms=soon", "query ms: invalid time `soonms` (expected a time such as 80ms, 1.5s, 2m or 1h)"),
    ] {
        let (head, body) = client.get(&format!("/a?{query}"), "").read_answer();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n") && !head.contains("Evil"), "{head}");
        assert_eq!(body, format!("400 Bad Request: {why}\n"));
    }
    let head = client.get("/a?status=418&x=%C3%A9", "").read_head();
    assert!(
        head.starts_with("HTTP/1.1 418 I'm a teapot\r\n") && head.contains("\r\nX: \u{e9}\r\n"),
        "{head}"
    );
}
