//! The paths that belong to the server, the page at `/` and those under `/-/`: other websites cannot use them, and they
//! answer other methods as scripts do.

mod support;

use rust_sse_server::{ErrorKind, RunningServer, Script, Server};
use support::{field, request, Client, Exchange, Folder, Program, PATIENCE};

const PATHS: [(&str, &str); 14] = [
    ("/", "GET"),
    ("/-/scripts", "GET"),
    ("/-/wire/events", "GET"),
    ("/-/journal", "GET"),
    ("/-/go/name", "POST"),
    ("/-/send/events", "POST"),
    ("/-/drop", "POST"),
    ("/-/drop/events", "POST"),
    ("/-/reset", "POST"),
    ("/-/down", "POST"),
    ("/-/stop", "POST"),
    ("/-/judge", "GET"),
    ("/-/judge/next", "POST"),
    ("/-/judge/forget", "POST"),
];

fn controlled() -> RunningServer {
    Server::new().control().judge().allow_host("sse.test").start("127.0.0.1:0").unwrap()
}

/// The head and the body of the response to a request.
fn response(server: &RunningServer, bytes: &str) -> (String, String) {
    let exchange = Exchange::new(server.address(), bytes, PATIENCE);
    (exchange.head, String::from_utf8(exchange.wire).unwrap())
}

/// A request with these fields, of which one is `Host`.
fn from(method: &str, path: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{fields}\r\n")
}

#[test]
fn another_website_gets_403_under_the_reserved_paths_and_never_cors_fields() {
    let server = controlled();
    for method in ["GET", "POST", "HEAD", "OPTIONS", "PUT"] {
        for path in PATHS.iter().map(|(path, _)| *path).skip(1).chain(["/-/", "/-/none"]) {
            let (head, body) = response(&server, &from(method, path, "Host: evil.test\r\n"));
            assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{method} {path}: {head}");
            assert!(
                method == "HEAD"
                    || body.starts_with("403 Forbidden: under /-/ the Host field must be localhost"),
                "{body}"
            );
            assert!(method == "HEAD" || body.contains("(--allow-host NAME allows"), "{body}");
            let fields =
                "Host: localhost\r\nOrigin: http://evil.test\r\nAccess-Control-Request-Method: GET\r\n";
            let (head, body) = response(&server, &from(method, path, fields));
            assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{method} {path}: {head}");
            assert!(!head.contains("access-control"), "{head}");
            assert!(method == "HEAD" || body.contains(" an Origin field must be http:// and"), "{body}");
        }
    }
    // The server still runs, and no page can read a rejection either.
    let invalid = "GET /-/journal HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.test\r\nX\r\n\r\n";
    let (head, _) = response(&server, invalid);
    assert!(head.starts_with("HTTP/1.1 400 ") && !head.contains("access-control"), "{head}");
}

#[test]
fn another_website_gets_403_before_its_body_has_arrived() {
    let server = controlled();
    let mut client = Client::connect(server.address());
    client.send("PUT /-/scripts/a HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 1000\r\n\r\n");
    let head = client.read_head();
    assert!(
        head.starts_with("HTTP/1.1 403 Forbidden\r\n") && field(&head, "connection") == Some("close"),
        "{head}"
    );
}

#[test]
fn a_page_of_the_server_an_address_and_allowed_names_are_answered() {
    let server = controlled();
    for fields in [
        "Host: localhost:1\r\n",
        "Host: 192.168.1.7\r\n",
        "Host: [::1]:8080\r\n",
        "Host: SSE.test\r\n",
        "Host: localhost:80\r\nOrigin: http://localhost:80\r\n",
    ] {
        let (head, body) = response(&server, &from("GET", "/-/scripts", fields));
        assert!(head.starts_with("HTTP/1.1 200 ") && body.starts_with("[{"), "{fields}: {head}");
        assert!(!head.contains("access-control"), "{head}");
    }
}

#[test]
fn the_program_allows_the_names_on_its_command_line() {
    let program = Program::start(&["--allow-host", "a.test", "--allow-host=b.test"]);
    for (host, status) in [("a.test", 200), ("b.test:80", 200), ("c.test", 403)] {
        let request = from("GET", "/-/scripts", &format!("Host: {host}\r\n"));
        let exchange = Exchange::new(program.address, request, PATIENCE);
        assert!(exchange.head.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {}", exchange.head);
    }
}

#[test]
fn other_methods_are_405_with_allow_and_options_and_head_are_answered() {
    let server = controlled();
    for (path, method) in PATHS {
        let allow = if method == "GET" { "GET, HEAD, OPTIONS" } else { "POST, OPTIONS" };
        for other in ["DELETE", "PATCH", "get", if method == "GET" { "POST" } else { "GET" }] {
            let (head, body) = response(&server, &request(other, path, ""));
            assert!(head.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{other} {path}: {head}");
            assert_eq!(field(&head, "allow"), Some(allow), "{other} {path}");
            assert_eq!(body, format!("405 Method Not Allowed: this path answers {allow}\n"));
        }
        let (head, body) = response(&server, &request("OPTIONS", path, ""));
        assert!(head.starts_with("HTTP/1.1 204 No Content\r\n") && body.is_empty(), "{path}: {head}");
        assert_eq!(field(&head, "allow"), Some(allow), "{path}");
        if method == "GET" {
            let (head, body) = response(&server, &request("HEAD", path, ""));
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && body.is_empty(), "{path}: {head}");
        }
    }
}

#[test]
fn a_health_check_in_http_1_0_without_host_is_answered() {
    let (head, _) = response(&support::demo("max"), "OPTIONS / HTTP/1.0\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 204 No Content\r\nallow: GET, HEAD, OPTIONS\r\n"), "{head}");
}

#[test]
fn the_page_has_no_cors_fields_and_a_script_at_its_path_has() {
    let server = support::demo("max");
    let origin = "Origin: http://elsewhere\r\n";
    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        let (head, _) = response(&server, &request(method, "/", origin));
        assert!(!head.is_empty() && !head.contains("access-control"), "{method}: {head}");
    }
    let server = support::serve("max", &[("/x", b"@on GET /\ndata: x\n\n")]);
    let (head, body) = response(&server, &request("GET", "/", origin));
    assert!(head.contains("access-control-allow-origin: *") && body.contains("data: x"), "{head}");
}

#[test]
fn a_script_for_another_method_leaves_the_page_and_both_are_allowed() {
    let server = support::serve("max", &[("/x", b"@on POST /\ndata: x\n\n")]);
    assert!(response(&server, &request("GET", "/", "")).1.starts_with("<!"));
    assert!(response(&server, &request("POST", "/", "")).1.contains("data: x"));
    let (head, _) = response(&server, &request("DELETE", "/", ""));
    assert_eq!(field(&head, "allow"), Some("POST, GET, HEAD, OPTIONS"));
    let (head, _) = response(&server, &request("OPTIONS", "/", "Origin: http://elsewhere\r\n"));
    assert!(head.contains("access-control-allow-methods: POST, GET, HEAD, OPTIONS\r\n"), "{head}");
}

#[test]
fn an_unknown_reserved_path_is_404_with_those_that_exist() {
    let (head, body) = response(&support::demo("max"), &request("GET", "/-/none", ""));
    assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
    assert_eq!(
        body,
        "404 Not Found: the server answers nothing at this path; available:\nGET /-/scripts\n\
         GET /-/scripts/NAME\nGET /-/wire/PATH\nGET /-/journal (with --control)\nGET /-/verdict (with --control)\n\
         POST /-/go/NAME (with --control)\nPOST /-/send/PATH (with --control)\nPOST /-/drop (with --control)\n\
         POST /-/drop/PATH (with --control)\nPUT /-/scripts/NAME (with --control)\n\
         DELETE /-/scripts/NAME (with --control)\nPOST /-/reset (with --control)\nPOST /-/down (with --control)\n\
         POST /-/stop (with --control)\nGET /-/judge (with --judge)\nGET /-/judge/results (with --judge)\n\
         POST /-/judge/next (with --judge)\nPOST /-/judge/report (with --judge)\n\
         GET /-/judge/report (with --judge)\nPOST /-/judge/forget (with --judge)\n"
    );
    let (_, body) = response(&controlled(), &request("GET", "/-/none", ""));
    assert!(body.contains("\nPOST /-/stop\n") && body.ends_with("\nPOST /-/judge/forget\n"), "{body}");
}

#[test]
fn reserved_paths_cannot_be_observed() {
    let server = controlled();
    for path in ["/-/wire/-/wire/events", "/-/wire/%2D/journal", "/-/wire/-%2fjournal"] {
        let (head, body) = response(&server, &request("GET", path, ""));
        assert!(head.starts_with("HTTP/1.1 400 "), "{path}: {head}");
        assert_eq!(body, "400 Bad Request: paths under /-/ cannot be observed\n");
    }
    let mut client = Client::connect(server.address());
    assert!(client.get("/-/wire/", "").read_head().starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_script_cannot_have_a_reserved_path() {
    let script = Script::parse("/chat", "@on GET /%2D/stop\ndata: x\n\n").unwrap();
    let error = Server::new().script(script).start("127.0.0.1:0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DuplicateRoute);
    assert!(
        error.to_string().ends_with("paths such as `/-/stop` that begin with /-/ are reserved"),
        "{error}"
    );
}

#[test]
fn the_wire_says_which_lines_of_the_script_each_piece_and_each_wait_comes_from() {
    let folder = Folder::new("lines");
    // What is above `@script` is not counted: `retry` is in line 1.
    let script = "@# Two lines above the script.\n@script one\nretry: 100\ndata: a\n\n@sleep 30ms\n\
        @repeat 2 every 20ms\nid: {{i}}\ndata: x\n\n@again\n@send part\ndata: b\n\n@wire z\\n\n@hang 10ms\n";
    let program = Program::start(&["--script", &folder.file("lines.sse", script)]);
    let mut observer = Client::connect(program.address);
    observer.get("/-/wire/one", "").read_until(": what goes over the wire\n\n");
    Client::connect(program.address).get("/one", "").read_to_any_end();
    let events = observer.read_until("event: end");
    let between = |text: &str, start: &str, end: &str| {
        let rest = text.split(start).nth(1)?;
        rest.split(end).next().map(str::to_owned)
    };
    let mut places = Vec::new();
    for event in events.split("event: ") {
        let name = between(event, "\"name\":\"", "\"").unwrap_or_default();
        let lines = between(event, "\"script\":\"/one\",\"lines\":[", "]").unwrap_or_default();
        if event.starts_with("wait") || matches!(&*name, "chunk-data" | "request line" | "malformed") {
            places.push(format!("{name} {lines}"));
        }
    }
    let turn = "chunk-data 6,8";
    let expected = ["request line ", "chunk-data 1,3", " 4,4", turn, " 9,9", turn, "chunk-data 10,10"];
    assert_eq!(places[..7], expected, "{events}");
    assert_eq!(places[7..], ["chunk-data 11,12", "malformed 13,13", " 14,14"], "{events}");
}
