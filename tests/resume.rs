//! `@resume`: a client that reconnects with `Last-Event-ID` misses no event, and one that has every event gets 204.

mod support;

use support::{chunk, demo, serve, step, Client, DEMO_HEAD, GREETING};

const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\ncache-control: no-cache\r\ndate: *\r\n\r\n";

/// The body of the demo for a client with this last event ID.
fn demo_after(id: &str) -> String {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    client.get("/events", &format!("Last-Event-ID: {id}\r\n"));
    assert_eq!(client.read_head(), DEMO_HEAD);
    client.read_until("\r\n0\r\n\r\n")
}

fn steps(from: u32) -> String {
    (from..=15).map(|n| chunk(&step(n, "0"))).collect::<String>() + "0\r\n\r\n"
}

#[test]
fn after_event_7_the_stream_continues_with_event_8() {
    assert_eq!(demo_after("7"), steps(8));
}

#[test]
fn an_event_without_an_id_after_event_3_is_sent_again() {
    assert_eq!(demo_after("3"), chunk("data: Just a simple data message at 0\n\n") + &steps(4));
}

#[test]
fn an_id_that_occurs_twice_resumes_after_its_first_event() {
    let rest = GREETING.split("id: 1\n\n").nth(1).unwrap();
    assert_eq!(demo_after("1"), chunk(rest) + &steps(1));
}

#[test]
fn an_unknown_or_empty_id_starts_at_the_beginning() {
    let whole = chunk(GREETING) + &steps(1);
    assert_eq!(demo_after("16"), whole);
    assert_eq!(demo_after("07"), whole);
    assert_eq!(demo_after(""), whole);
}

#[test]
fn after_the_last_event_there_is_no_content_and_the_connection_is_kept() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    for _ in 0..2 {
        client.get("/events", "Last-Event-ID: 15\r\n");
        assert_eq!(client.read_head(), NO_CONTENT);
    }
    client.get("/events", "last-event-id: 14\r\n");
    assert_eq!(client.read_head(), DEMO_HEAD);
    assert_eq!(client.read_until("0\r\n\r\n"), steps(15));
}

#[test]
fn a_204_has_the_cors_field() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    client.get("/events", "Last-Event-ID: 15\r\nOrigin: http://elsewhere\r\n");
    assert!(client.read_head().contains("\r\naccess-control-allow-origin: *\r\n"));
}

#[test]
fn a_script_without_resume_plays_from_the_start() {
    let server = serve("max", &[("/plain", b"id: 1\n\nid: 2\n\n")]);
    let mut client = Client::connect(server.address());
    client.get("/plain", "Last-Event-ID: 2\r\n").read_head();
    assert_eq!(client.read_until("0\r\n\r\n"), chunk("id: 1\n\n") + &chunk("id: 2\n\n") + "0\r\n\r\n");
}

/// The body of a script for a client with this last event ID; nothing for a client that gets 204.
fn body_after(script: &[u8], id: &str) -> String {
    let server = serve("max", &[("/x", script)]);
    let mut client = Client::connect(server.address());
    let head = client.get("/x", &format!("Last-Event-ID: {id}\r\n")).read_head();
    if head == NO_CONTENT {
        return String::new();
    }
    client.read_until("0\r\n\r\n")
}

#[test]
fn after_an_id_that_is_the_turn_of_a_loop_the_next_turn_follows() {
    let script = b"@resume\n@repeat 3\nid: n{{i+9}}\ndata: {{i}}\n\n@again\n";
    let event = |turn: u32| chunk(&format!("id: n{}\ndata: {turn}\n\n", turn + 9));
    assert_eq!(body_after(script, "n10"), event(2) + &event(3) + "0\r\n\r\n");
    assert_eq!(body_after(script, "n11"), event(3) + "0\r\n\r\n");
    assert_eq!(body_after(script, "n12"), "");
    for unknown in ["n9", "n13", "n010", "10", "n", "n10x"] {
        assert_eq!(body_after(script, unknown), event(1) + &event(2) + &event(3) + "0\r\n\r\n", "{unknown}");
    }
}

#[test]
fn a_loop_in_a_loop_does_not_lose_the_turn_of_the_outer_one() {
    let script = b"@resume\n@repeat 2\nid: {{i}}\n@repeat 2\ndata: {{i}}\n@again\n\n@again\nid: end\n\n";
    let event = |turn: u32| format!("id: {turn}\ndata: 1\ndata: 2\n\n");
    let data = |body: String| body.split("\r\n").skip(1).step_by(2).collect::<String>();
    assert_eq!(data(body_after(script, "1")), event(2) + "id: end\n\n");
    assert_eq!(data(body_after(script, "2")), "id: end\n\n");
}

#[test]
fn an_event_that_the_next_turn_ends_is_sent_again_and_no_turn_is_lost() {
    let script = b"@resume\n@repeat 3\n\nid: 1\ndata: {{i}}\n@again\n\n";
    let body = body_after(script, "1");
    for turn in 1..=3 {
        assert!(body.contains(&format!("id: 1\ndata: {turn}\n")), "{body}");
    }
}

#[test]
fn an_id_with_a_placeholder_never_matches() {
    let server = serve("max", &[("/x", b"@resume\nid: {{elapsed}}\n\nid: 2\n\n")]);
    let mut client = Client::connect(server.address());
    client.get("/x", "Last-Event-ID: {{elapsed}}\r\n").read_head();
    assert_eq!(client.read_chunk(), "id: 0\n\n");
}

#[test]
fn a_client_that_resumes_gets_the_head_at_once_if_the_script_opens() {
    let server = serve("1", &[("/x", b"@resume\n@open\nid: 1\n\n@sleep 1h\nid: 2\n\n")]);
    let mut client = Client::connect(server.address());
    assert!(client.get("/x", "Last-Event-ID: 1\r\n").read_head().starts_with("HTTP/1.1 200 OK\r\n"));
    client.assert_silent_for(std::time::Duration::from_millis(50));
}
