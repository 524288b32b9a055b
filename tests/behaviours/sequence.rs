//! Responses that depend on the request, on earlier requests and on time.

use crate::support::{assert_pause, eventually, play, request, serve, Client, Exchange, PATIENCE};
use rust_sse_server::RunningServer;
use std::time::Duration;

fn send(server: &RunningServer, request: impl AsRef<[u8]>) -> Exchange {
    Exchange::new(server.address(), request, PATIENCE)
}

fn data(server: &RunningServer, target: &str, fields: &str) -> String {
    String::from_utf8(send(server, request("GET", target, fields)).data().0).unwrap()
}

#[test]
fn any_method_may_have_a_body_by_length_or_in_chunks() {
    let server = serve("max", &[("/x", b"@on POST,REPORT /a\ndata: {{method}} {{body}}\n\n")]);
    let mut client = Client::connect(server.address());
    client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").read_head();
    assert_eq!(client.read_chunk(), "data: POST hello\n\n");
    assert_eq!(client.read_chunk(), "");
    let chunked = "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
    client.send(format!("REPORT /a HTTP/1.1\r\nHost: a\r\n{chunked}"));
    assert_eq!(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n").read_head();
    assert_eq!(client.read_chunk(), "data: REPORT hello\n\n");
}

#[test]
fn placeholders_insert_parts_of_the_request_into_head_and_body() {
    let script = b"@header X-Origin: {{header:origin}}\n@send {{query:message}}\ndata: {{method}} {{path}} {{target}}\n\
        data: {{cookie:id}} {{header:none|nobody}} {{query:n+1}} {{query:none+1}}\n\n";
    let server = serve("max", &[("/a", script)]);
    let fields = "Origin: http://b\r\nCookie: id=7\r\n";
    let response = send(&server, request("GET", "/a?message=data%3A%20x%0A%0A&n=41", fields));
    assert!(response.head.contains("\r\nX-Origin: http://b\r\n"));
    assert_eq!(
        response.chunks(),
        ["data: x\n\n", "data: GET /a /a?message=data%3A%20x%0A%0A&n=41\ndata: 7 nobody 42 1\n\n", ""]
    );
}

#[test]
fn a_value_from_the_request_is_never_an_escape_a_direction_or_a_placeholder() {
    let server = serve("max", &[("/a", b"@send {{query:x}}\n\n{{query:x}}\n")]);
    let response = data(&server, "/a?x=%0A@drop%0A%5Cn%7B%7Bi%7D%7D", "");
    assert_eq!(response, "\n@drop\n\\n{{i}}\n\n@drop\n\\n{{i}}\n");
}

#[test]
fn a_part_is_chosen_by_method_query_header_cookie_and_body() {
    let script = b"@on GET,POST /a\n@part method POST and body ~\"hello\"\nbody\n@part method POST\npost\n\
        @part query type=2\nquery\n@part header accept~json\nheader\n@part cookie user=me\ncookie\n\
        @part no query any\nneither\n";
    let server = serve("max", &[("/x", script)]);
    assert_eq!(data(&server, "/a?type=2", ""), "query\n");
    assert_eq!(data(&server, "/a", "Accept: application/json\r\n"), "header\n");
    assert_eq!(data(&server, "/a", "Cookie: user=me\r\n"), "cookie\n");
    assert_eq!(data(&server, "/a", ""), "neither\n");
    let post = |body: &str| {
        let fields = format!("Content-Length: {}\r\n", body.len());
        send(&server, request("POST", "/a", &fields) + body).data().0
    };
    assert_eq!(post("say hello to all"), b"body\n");
    assert_eq!(post("say nothing"), b"post\n");
    let none = send(&server, request("GET", "/a?any=1", ""));
    assert!(none.head.starts_with("HTTP/1.1 404 Not Found\r\n"));
    assert_eq!(none.wire, b"404 Not Found: no @part of this script answers this request\n");
}

#[test]
fn placeholders_count_requests_and_open_connections() {
    let server = serve("max", &[("/a", b"{{connection}} {{open}}\n")]);
    assert_eq!(data(&server, "/a", ""), "1 1\n");
    let mut other = Client::connect(server.address());
    other.get("/a", "").read_head();
    // The first client's thread may be about to end.
    assert!(other.read_chunk().starts_with("2 "));
    let next = || data(&server, "/a", "");
    let response = crate::support::eventually(next, |response| response.ends_with(" 2\n"));
    assert!(!response.starts_with("2 "));
}

#[test]
fn a_failing_write_reveals_that_the_client_disconnected() {
    let server =
        serve("1", &[("/trickle", b"@repeat forever every 20ms\n:\n\n@again\n"), ("/open", b"{{open}}\n")]);
    let mut client = Client::connect(server.address());
    client.get("/trickle", "").read_head();
    assert_eq!(data(&server, "/open", ""), "2\n");
    drop(client);
    crate::support::eventually(|| data(&server, "/open", ""), |open| open == "1\n");
}

#[test]
fn a_part_is_chosen_by_the_number_of_the_connection() {
    let script =
        b"@part connection 1\nfirst\n@part connection 2-3\nmiddle\n@part connection 4+\n@status 204\n";
    let server = serve("max", &[("/a", script)]);
    let responses: Vec<String> = (0..4).map(|_| data(&server, "/a", "")).collect();
    assert_eq!(responses, ["first\n", "middle\n", "middle\n", ""]);
    assert!(send(&server, request("GET", "/a", "")).head.starts_with("HTTP/1.1 204 "));
}

#[test]
fn parts_can_take_turns_forever() {
    let script = b"@part connection 1 of 3\na\n@part connection 2 of 3\nb\n@part otherwise\nc\n";
    let server = serve("max", &[("/a", script)]);
    let responses: String = (0..7).map(|_| data(&server, "/a", "")).collect();
    assert_eq!(responses, "a\nb\nc\na\nb\nc\na\n");
}

#[test]
fn connections_are_counted_per_key() {
    for (by, one, two) in [
        ("query:token", ("/a?token=1", ""), ("/a?token=2", "")),
        ("header:x-id", ("/a", "X-Id: 1\r\n"), ("/a", "X-Id: 2\r\n")),
        ("cookie:id", ("/a", "Cookie: id=1\r\n"), ("/a", "Cookie: id=2\r\n")),
    ] {
        let script = format!("@count by {by}\n{{{{connection}}}}\n");
        let server = serve("max", &[("/a", script.as_bytes())]);
        let responses = [one, two, one, one, two].map(|(target, fields)| data(&server, target, fields));
        assert_eq!(responses.concat(), "1\n1\n2\n3\n2\n", "{by}");
    }
    let server = serve("max", &[("/a", b"@count by ip\n{{connection}}\n")]);
    assert_eq!(data(&server, "/a", "") + &data(&server, "/a", ""), "1\n2\n");
    let server = serve("max", &[("/a", b"@on GET /a/*\n@count by path\n{{connection}}\n")]);
    let responses = ["/a/x", "/a/y", "/a/x?q", "/a/x"].map(|target| data(&server, target, ""));
    assert_eq!(responses.concat(), "1\n1\n2\n3\n");
}

#[test]
fn a_part_is_chosen_by_the_last_event_id() {
    let script = b"@part last-event-id 1\none\n@part last-event-id\nother {{last-event-id}}\n@part no last-event-id\nnone\n";
    let server = serve("max", &[("/a", script)]);
    assert_eq!(data(&server, "/a", "Last-Event-ID: 1\r\n"), "one\n");
    assert_eq!(data(&server, "/a", "Last-Event-ID: x y\r\n"), "other x y\n");
    assert_eq!(data(&server, "/a", "Last-Event-ID:\r\n"), "none\n");
    assert_eq!(data(&server, "/a", ""), "none\n");
}

#[test]
fn ids_continue_after_the_last_event_id() {
    let server = serve("max", &[("/a", b"@repeat 3\nid: {{last-event-id+i}}\n\n@again\n")]);
    assert_eq!(data(&server, "/a", ""), "id: 1\n\nid: 2\n\nid: 3\n\n");
    assert_eq!(data(&server, "/a", "Last-Event-ID: 3\r\n"), "id: 4\n\nid: 5\n\nid: 6\n\n");
    assert_eq!(data(&server, "/a", "Last-Event-ID: x\r\n"), "id: 1\n\nid: 2\n\nid: 3\n\n");
}

#[test]
fn the_stream_resumes_after_a_last_event_id_in_a_header_or_the_query() {
    let server = serve("max", &[("/a", b"@resume\nid: 1\n\nid: 2\n\nid: 3\n\n")]);
    assert_eq!(data(&server, "/a", "Last-Event-ID: 2\r\n"), "id: 3\n\n");
    assert_eq!(data(&server, "/a?lastEventId=1", ""), "id: 2\n\nid: 3\n\n");
}

#[test]
fn pauses_can_be_random_within_a_range_and_events_can_come_at_a_steady_rate() {
    assert_pause(79..200, "data: 0", "first", || play("data: 0\n\n@sleep 80ms..120ms\ndata: first\n\n", "1"));
    assert_pause(90..180, "turn 1", "turn 3", || {
        play("@repeat 3 every 50ms\ndata: turn {{i}}\n\n@again\n", "1")
    });
}

#[test]
fn comments_can_be_sent_at_a_steady_rate() {
    let play_once = || {
        let response = play("@repeat 60 every 500ms\n:\n\n@again\n", "100");
        assert_eq!(response.data(), (b":\n\n".repeat(60), true));
        let time = response.arrivals.last().unwrap().0.as_millis();
        assert!(time >= 290, "{time}");
        (time, response.arrivals.len())
    };
    // A client on a busy machine reads several at once, but not each time.
    eventually(play_once, |(time, pieces)| *time < 600 && *pieces > 30);
}

#[test]
fn a_comment_is_sent_when_nothing_else_was() {
    let response = play("@keepalive 15s : still here\ndata: 1\n\n@sleep 50s\ndata: 2\n\n", "100");
    let comment = ": still here\n";
    assert_eq!(response.chunks(), ["data: 1\n\n", comment, comment, comment, "data: 2\n\n", ""]);
}

#[test]
fn a_connection_can_stay_open_and_silent() {
    let server = serve("1", &[("/a", b"data: 1\n\n@hang\n"), ("/b", b"@open\n@hang\n"), ("/c", b"@hang\n")]);
    for (path, sent) in [("/a", "9\r\ndata: 1\n\n\r\n"), ("/b", ""), ("/c", "")] {
        let response = Exchange::new(server.address(), request("GET", path, ""), Duration::from_millis(200));
        assert_eq!((response.wire.as_slice(), response.is_open), (sent.as_bytes(), true), "{path}");
        assert_eq!(response.head.contains("transfer-encoding: chunked"), path != "/c");
    }
}

#[test]
fn placeholders_insert_the_elapsed_time_and_the_current_time() {
    let number = |text: &str| text.trim().parse::<u128>().unwrap();
    let play_once = || {
        let response =
            play("{{elapsed}} {{time}}\n@sleep 100ms\n{{elapsed}}\n@clock\n@sleep 50ms\n{{elapsed}}\n", "1");
        let chunks = response.chunks();
        let (elapsed, time) = chunks[0].split_once(' ').unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        assert!(now - number(time) < 5_000);
        let times = [elapsed, &chunks[1], &chunks[2]].map(number);
        assert!(times[1] >= 100 && times[2] >= 50, "{times:?}");
        times
    };
    // A busy machine delays one, but not each time.
    eventually(play_once, |[first, second, after_clock]| *first < 50 && *second < 150 && *after_clock < 100);
}

#[test]
fn a_captured_stream_can_be_paced_and_played_faster() {
    let capture = "data: 1\n\ndata: 2\n\ndata: 3\n\n";
    assert_pause(190..350, "data: 1", "data: 3", || {
        let response = play(format!("@pace 1s\n{capture}"), "10");
        assert_eq!(response.data().0, capture.as_bytes());
        response
    });
}

/// The head and the data of the response to a request for this target.
fn response(script: &str, target: &str, fields: &str) -> (String, String) {
    let server = serve("max", &[("/a", script.as_bytes())]);
    let exchange = Exchange::new(server.address(), request("GET", target, fields), PATIENCE);
    let data = if exchange.head.contains("chunked") { exchange.data().0 } else { exchange.wire.clone() };
    (exchange.head, String::from_utf8(data).unwrap())
}

#[test]
fn the_request_sets_how_often_and_how_fast_lines_are_repeated() {
    let script = "@repeat {{query:n|2}} every {{query:t|1s}}\n{{i}}\n@again\n";
    assert_eq!(response(script, "/a", "").1, "1\n2\n");
    assert_eq!(response(script, "/a?n=3&t=1ms", "").1, "1\n2\n3\n");
    assert_eq!(response(script, "/a?n=100000&t=6ms", "").1.lines().count(), 100_000);
    for (target, message) in [
        ("/a?n=0", "query n: invalid number `0` (expected 1 to 100000)"),
        ("/a?n=100001", "query n: invalid number `100001` (expected 1 to 100000)"),
        ("/a?n=forever", "query n: invalid number `forever` (expected 1 to 100000)"),
        ("/a?n=", "query n: missing number (expected 1 to 100000)"),
        ("/a?t=5", "query t: invalid time `5` (expected a time such as 80ms, 1.5s, 2m or 1h)"),
        ("/a?n=100000&t=7ms", "the requested waits are too long (at most 10m together)"),
        ("/a?n=601", "the requested waits are too long (at most 10m together)"),
    ] {
        let (head, body) = response(script, target, "");
        assert!(head.starts_with("HTTP/1.1 400 "), "{target} {head}");
        assert_eq!(body, format!("400 Bad Request: {message}\n"), "{target}");
    }
    // The pieces of a value, and all pieces in a requested loop.
    let pieces = "@chunk 1 every 1s\n{{query:q}}\n";
    assert_eq!(response(pieces, &format!("/a?q={}", "x".repeat(600)), "").1.len(), 601);
    assert!(response(pieces, &format!("/a?q={}", "x".repeat(602)), "")
        .1
        .contains("the requested waits are too"));
    let own = format!("@chunk 1 every 1s\n{}{{{{query:q}}}}\n", "x".repeat(700));
    assert_eq!(response(&own, "/a?q=12345", "").1.len(), 706);
    let in_loop = "@chunk 1 every 1s\n@repeat {{query:n}}\n0123456789\n@again\n";
    assert_eq!(response(in_loop, "/a?n=60", "").1.len(), 660);
    assert!(response(in_loop, "/a?n=61", "").1.contains("the requested waits are too long"));
    let nested = "@repeat {{query:n}}\n@repeat {{query:n}}\nx\n@again\n@again\n";
    assert_eq!(response(nested, "/a?n=3", "").1.lines().count(), 9);
    assert!(response(nested, "/a?n=400", "").1.contains("the requested turns are too many"));
    let with_wait = "@repeat {{query:n}}\n@sleep 1s\nx\n@again\n";
    assert_eq!(response(with_wait, "/a?n=600", "").1.lines().count(), 600);
    assert!(response(with_wait, "/a?n=601", "").1.contains("the requested waits are too long"));
}

#[test]
fn requested_turns_are_resumed() {
    let script = "@resume\n@repeat {{query:n}}\nid: {{i+query:id}}\n\n@again\n";
    assert_eq!(response(script, "/a?n=3&id=7", "Last-Event-ID: 9\r\n").1, "id: 10\n\n");
    assert_eq!(response(script, "/a?n=4", "Last-Event-ID: 2\r\n").1, "id: 3\n\nid: 4\n\n");
    assert!(response(script, "/a?n=3&id=7", "Last-Event-ID: 10\r\n").0.starts_with("HTTP/1.1 204 "));
    assert_eq!(response(script, "/a?n=1&id=7", "Last-Event-ID: 7\r\n").1, "id: 8\n\n");
}

#[test]
fn requested_intervals_are_kept() {
    let script = "@repeat 3 every {{query:t}}\n{{i}}\n@again\n";
    let server = serve("1", &[("/a", script.as_bytes())]);
    assert_pause(290..500, "1\n", "3\n", || {
        Exchange::new(server.address(), request("GET", "/a?t=150ms", ""), PATIENCE)
    });
}
