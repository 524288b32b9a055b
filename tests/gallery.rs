//! Each built-in script does what its comments say, as seen by the library's EventSource or, where the wire matters, by
//! curl.

mod support;

use rust_sse_server::{EventSource, RunningServer};
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};
use support::{demo, has_tool, request, Client, Exchange, PATIENCE};

/// The events that an EventSource dispatches, as `type: data`, until it is closed or has dispatched `most` of them.
fn dispatched(server: &RunningServer, path: &str, types: &[&str], most: usize) -> Vec<String> {
    let source = EventSource::new(&server.url(path)).unwrap();
    let (sender, receiver) = channel();
    for event in ["message", "error"].iter().chain(types) {
        let sender = sender.clone();
        source.add_event_listener(event, move |event| {
            let (name, data) = (event.event.as_deref().unwrap_or(""), event.data.as_deref().unwrap_or(""));
            let _ = sender.send(format!("{name}: {data}"));
        });
    }
    let running = source.clone();
    let runner = thread::spawn(move || running.run());
    let deadline = Instant::now() + PATIENCE;
    let mut all = Vec::new();
    while all.len() < most && Instant::now() < deadline {
        let has_finished = runner.is_finished();
        match receiver.recv_timeout(Duration::from_millis(50)) {
            Ok(event) => all.push(event),
            Err(_) if has_finished => break,
            Err(_) => {}
        }
    }
    source.close();
    all
}

/// Exit status and stdout of curl.
fn curl(server: &RunningServer, path: &str) -> (i32, Vec<u8>) {
    let output = Command::new("curl").args(["-sN", "--max-time", "20", &server.url(path)]).output().unwrap();
    (output.status.code().unwrap(), output.stdout)
}

#[test]
fn fields_are_processed_rejected_or_ignored() {
    assert_eq!(
        dispatched(&demo("max"), "/fields", &["greeting", "nobody"], 9),
        [
            "greeting: all four fields",
            "message: ",
            "message: several lines of data\nare joined with a line feed",
            "message: no space\none space\n two spaces",
            "message: only this is data",
            "message: id and retry stay as they were",
            "message: a message without a last event ID",
            "error: connection closed by server",
            "greeting: all four fields",
        ]
    );
}

#[test]
fn lf_cr_lf_and_cr_end_lines() {
    assert_eq!(
        dispatched(&demo("100"), "/line-ends", &[], 7),
        [
            "message: ended by LF\ntwice",
            "message: ended by CR LF\ntwice",
            "message: ended by CR\ntwice",
            "message: first\nsecond\nthird",
            "message: cut between CR and LF\nand still the same event",
            "message: dispatched before the pause",
            "message: dispatched after it",
        ]
    );
}

#[test]
fn unicode_survives_every_cut() {
    assert_eq!(
        dispatched(&demo("100"), "/unicode", &[], 6),
        [
            "message: after a byte order mark",
            "message: a second mark hides a line",
            "message: I \u{2665}\u{fe0f} cut characters",
            "message: one\nLS \u{2028} PS \u{2029} NEL \u{85} one line",
            "message: a lone \u{fffd}, an overlong \u{fffd}\u{fffd}, a cut \u{fffd}",
            "message: Gr\u{fc}\u{df}e, \u{4e16}\u{754c}, \u{1f980}",
        ]
    );
}

#[test]
fn an_id_with_a_nul_is_ignored() {
    assert_eq!(
        dispatched(&demo("max"), "/nul-in-id", &[], 99),
        [
            "message: the last event ID is 1",
            "message: the last event ID is still 1",
            "message: in data, \0 is a character like any other",
            "error: connection closed by server",
            "error: status 204: the server has no more events",
        ]
    );
}

#[test]
fn the_clock_continues_after_the_last_event_id() {
    let server = demo("100");
    let mut client = Client::connect(server.address());
    client.get("/clock", "Last-Event-ID: 41\r\n").read_head();
    assert_eq!(client.read_chunk(), "retry: 1000\n\n");
    for n in 42..52 {
        let tick = client.read_chunk();
        assert!(
            tick.starts_with(&format!("id: {n}\nevent: tick\ndata: {{\"tick\": {n}, \"unix_ms\": ")),
            "{tick}"
        );
        assert!(tick.ends_with(", \"clients\": 1}\n\n"), "{tick}");
    }
}

#[test]
fn test_sends_events_as_the_query_requests() {
    let server = demo("100");
    let path = "/test?count=3&interval=100ms&event=tick&data=a+b&id=7";
    assert_eq!(
        dispatched(&server, path, &["tick"], 5),
        [
            "tick: a b",
            "tick: a b",
            "tick: a b",
            "error: connection closed by server",
            "error: status 204: the server has no more events",
        ]
    );
    let ids: Vec<_> =
        server.requests().iter().map(|request| request.header("last-event-id").map(str::to_owned)).collect();
    assert_eq!(ids, [None, Some("10".to_owned())], "204 ends it");
    let lines = dispatched(&server, "/test?count=1&data=a%0Aid:%20b%0A%0Ac", &[], 1);
    assert_eq!(lines, ["message: a\nid: b\n\nc"]);
    let all = dispatched(&server, "/test", &[], 10);
    assert!(all[9].starts_with("message: {\"event\": 10, \"time\": "), "{all:?}");
}

#[test]
fn reconnect_delivers_every_event_exactly_once() {
    let lost = "error: connection lost: the response body is incomplete";
    assert_eq!(
        dispatched(&demo("max"), "/reconnect", &["done"], 99),
        [
            "message: one",
            "message: two",
            lost,
            "message: three",
            "message: four",
            lost,
            "message: five",
            "done: nothing was lost",
            "error: connection closed by server",
            "error: status 204: the server has no more events",
        ]
    );
}

#[test]
fn stop_stops_an_event_source() {
    let server = demo("max");
    // Every client, not only the first.
    for _ in 0..2 {
        assert_eq!(
            dispatched(&server, "/stop", &[], 99),
            [
                "message: first",
                "message: second",
                "error: connection closed by server",
                "error: status 204: the server has no more events"
            ]
        );
    }
}

#[test]
fn busy_responds_with_503_twice_and_then_streams() {
    let server = demo("max");
    for _ in 0..2 {
        for _ in 0..2 {
            let response = Exchange::new(server.address(), request("GET", "/busy", ""), PATIENCE);
            assert!(
                response.head.starts_with("HTTP/1.1 503 ")
                    && response.head.contains("\r\nRetry-After: 1\r\n")
            );
            assert_eq!(response.data().0, b"busy, try again in a second\n");
        }
        let response = Exchange::new(server.address(), request("GET", "/busy", ""), PATIENCE);
        assert_eq!(response.data(), (b"data: third time lucky\n\n".to_vec(), true));
    }
}

#[test]
fn redirect_points_to_fields() {
    let response = Exchange::new(demo("max").address(), request("GET", "/redirect", ""), PATIENCE);
    assert!(
        response.head.starts_with("HTTP/1.1 307 Temporary Redirect\r\ncontent-length: 0\r\n"),
        "{}",
        response.head
    );
    assert!(response.head.contains("\r\nLocation: /fields\r\n"));
    assert_eq!(dispatched(&demo("max"), "/redirect", &["greeting"], 1), ["greeting: all four fields"]);
}

#[test]
fn an_event_source_rejects_the_wrong_type() {
    assert_eq!(
        dispatched(&demo("max"), "/wrong-type", &[], 99),
        ["error: unexpected content type `text/plain` (expected text/event-stream)"]
    );
}

#[test]
fn slow_sends_one_byte_at_a_time() {
    let response = Exchange::new(demo("100").address(), request("GET", "/slow", ""), PATIENCE);
    let chunks = response.chunks();
    assert!(chunks.iter().rev().skip(1).all(|chunk| chunk.len() == 1), "{chunks:?}");
    assert_eq!(chunks.concat(), "id: 1\ndata: slowly\n\ndata: but it gets there\n\n");
    assert_eq!(dispatched(&demo("100"), "/slow", &[], 2), ["message: slowly", "message: but it gets there"]);
}

#[test]
fn curl_sees_how_hang_drop_reset_and_broken_chunk_end() {
    if !has_tool("curl") {
        return;
    }
    let server = demo("10");
    let half = b"id: 1\ndata: complete\n\ndata: cut off in the mid".to_vec();
    assert_eq!(curl(&server, "/drop"), (18, half.clone()));
    if cfg!(target_os = "linux") {
        assert_eq!(curl(&server, "/reset"), (56, half));
    }
    assert_eq!(curl(&server, "/broken-chunk"), (56, b"data: this chunk is fine\n\n".to_vec()));
    let hang = Exchange::new(server.address(), request("GET", "/hang", ""), Duration::from_millis(300));
    assert_eq!(hang.data(), (b"data: the last thing you will hear\n\n".to_vec(), false));
    assert!(hang.is_open);
}

#[test]
fn big_is_an_event_of_a_mebibyte_and_a_thousand_small_ones() {
    let events = dispatched(&demo("max"), "/big", &["big"], 1_001);
    assert_eq!(events[0].len(), "big: ".len() + (1 << 20));
    assert_eq!(
        (events[1].as_str(), events[1_000].as_str()),
        ("message: small event 1", "message: small event 1000")
    );
}

#[test]
fn token_streams_accept_post_only() {
    let server = demo("max");
    let post = |target: &str, body: &str| {
        let fields = format!("Content-Length: {}\r\n", body.len());
        let response = Exchange::new(server.address(), request("POST", target, &fields) + body, PATIENCE);
        let data = String::from_utf8(response.data().0).unwrap();
        (response.head, data)
    };
    let (_, words) = post("/v1/chat/completions", "{\"stream\":true}");
    assert!(
        words.contains("\"delta\":{\"role\":\"assistant\"") && words.ends_with("data: [DONE]\n\n"),
        "{words}"
    );
    let (_, tools) =
        post("/v1/chat/completions", "{\"tools\" : [{\"type\": \"function\"}], \"stream\"\n: \ttrue}");
    assert!(tools.contains("\"finish_reason\":\"tool_calls\""), "{tools}");
    for none in ["null", "  null", "[]", "[ ]"] {
        let (_, words) = post("/v1/chat/completions", &format!("{{\"tools\":{none},\"stream\" : true}}"));
        assert!(words.contains("\"delta\":{\"content\":\"Hello\"}"), "{words}");
    }
    for not_streamed in ["{}", "{\"stream\":false}", "{\"stream\": false}", "{\"stream_options\": null}"] {
        let (head, error) = post("/v1/chat/completions", not_streamed);
        assert!(
            head.starts_with("HTTP/1.1 400 ") && head.contains("\r\nContent-Type: application/json\r\n"),
            "{head}"
        );
        assert!(error.contains("invalid_request_error"), "{error}");
    }
    let (_, overloaded) = post("/v1/messages", "{\"model\":\"overloaded\",\"stream\":true}");
    assert!(
        overloaded.contains("event: error\ndata: {\"type\":\"error\"")
            && !overloaded.contains("message_stop")
    );
    let get = Exchange::new(server.address(), request("GET", "/v1/messages", ""), PATIENCE);
    assert!(get.head.starts_with("HTTP/1.1 405 "));
}

#[test]
fn mcp_answers_with_the_id_of_the_call_and_resumes_it() {
    let server = demo("max");
    let call = |method: &str, fields: &str, body: &str| {
        let fields = format!("Content-Length: {}\r\n{fields}", body.len());
        let response = Exchange::new(server.address(), request(method, "/mcp", &fields) + body, PATIENCE);
        (response.head.clone(), String::from_utf8(response.data().0).unwrap())
    };
    let (head, _) = call("POST", "", r#"{"id":1,"method":"initialize","params":{"protocolVersion":"x"}}"#);
    let id = head.split("Mcp-Session-Id: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let session = format!("Mcp-Session-Id: {id}\r\n");
    assert!(call("POST", "", r#"{"id":1,"method":"ping"}"#).0.starts_with("HTTP/1.1 400 "));
    assert!(call("POST", &session, r#"{"method":"notifications/initialized"}"#)
        .0
        .starts_with("HTTP/1.1 202 "));
    assert!(call("POST", &session, r#"{"id":1,"result":{}}"#).0.starts_with("HTTP/1.1 202 "));
    for body in ["", "x", "{}", r#"{"id":1}"#] {
        let (head, error) = call("POST", &session, body);
        assert!(head.starts_with("HTTP/1.1 400 ") && error.contains("-32600"), "{body}: {head}{error}");
    }
    assert!(call("GET", &session, "").0.starts_with("HTTP/1.1 405 "));
    let (_, answer) = call("POST", &session, r#"{"id":"a","method":"none"}"#);
    assert_eq!(
        answer,
        "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}\n"
    );
    let (_, cut) = call("POST", &session, r#"{"id":"a","method":"tools/call","params":{"name":"flaky"}}"#);
    assert!(cut.starts_with("retry: 100\nid: \"a\"\ndata:\n\n"), "{cut}");
    let (_, rest) = call("GET", &format!("{session}Last-Event-ID: \"a\"\r\n"), "");
    assert!(rest.starts_with("data: {\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":"), "{rest}");
}

#[test]
fn scripts_start_with_a_comment_and_have_10_to_40_lines() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scripts");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        assert!(text.starts_with("@# "), "{path:?}");
        // curl refuses to print a NUL on a terminal, so a script with one says how to look at it.
        let sends_nul = ["\\0", "\\x00", "\0"].iter().any(|nul| text.contains(nul));
        assert_eq!(sends_nul, text.contains("| od -c"), "{path:?}");
        // Only the demo and the token streams are longer: they write out every event.
        let is_long = ["events", "chat-completions", "responses", "messages", "gemini", "ollama", "mcp"]
            .iter()
            .any(|name| path.ends_with(format!("{name}.sse")));
        assert!((10..=40).contains(&lines) || is_long, "{path:?} has {lines} lines");
    }
}
