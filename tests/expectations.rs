//! `@expect`: what a request has to be, and what is kept, shown and returned of it.

mod support;

use rust_sse_server::{OutcomeKind, RunningServer, Script, Server};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;
use support::{Client, Program};

const SCRIPT: &str = "\
    @part connection 1\nretry: 100\nid: 7\ndata: x\n\n\
    @part connection 2\n@expect last-event-id 7 and after 100ms..5s\n@status 204\n\
    @part otherwise\n@expect never\n@status 204\n";

fn server(text: &str) -> RunningServer {
    Server::new().script(Script::parse("/x", text).unwrap()).start("127.0.0.1:0").unwrap()
}

/// Sends a request with this last event ID and reads the whole response.
fn request(server: &RunningServer, id: &str) {
    let mut client = Client::connect(server.address());
    client.send(format!("GET /x HTTP/1.0\r\nLast-Event-ID: {id}\r\n\r\n"));
    client.read_to_end();
}

fn outcomes(server: &RunningServer) -> Vec<String> {
    server.verdict().outcomes.iter().map(ToString::to_string).collect()
}

#[test]
fn an_expectation_is_missing_until_a_request_plays_its_part() {
    let server = server(SCRIPT);
    let missing = "/x:7: missing: expected last-event-id 7 and after 100ms..5s, no request came";
    assert_eq!(outcomes(&server), [missing]);
    request(&server, "");
    assert_eq!(outcomes(&server), [missing]);
    assert!(!server.verdict().passed());
    sleep(Duration::from_millis(100));
    request(&server, "7");
    assert!(server.verdict().passed(), "{}", server.verdict());
    assert_eq!(server.verdict().outcomes[0].kind, OutcomeKind::Passed);
}

#[test]
fn a_request_that_comes_too_early_fails_and_the_outcome_says_what_came() {
    let server = server(SCRIPT);
    request(&server, "");
    request(&server, "8");
    let outcomes = outcomes(&server);
    let text = "/x:7: failed: connection 2: expected last-event-id 7 and after 100ms..5s, got last-event-id `8`, after ";
    assert!(outcomes[0].starts_with(text), "{outcomes:?}");
    assert!(outcomes[0].ends_with(" ms"), "{outcomes:?}");
}

#[test]
fn a_request_that_must_not_come_fails() {
    let server = server(SCRIPT);
    (0..3).for_each(|_| request(&server, "7"));
    assert_eq!(outcomes(&server)[1], "/x:10: failed: connection 3: expected never, got a request");
}

#[test]
fn a_request_during_the_previous_response_comes_after_no_time() {
    let server = server(
        "@part connection 1\ndata: x\n\n@sleep 5s\n@part otherwise\n@expect after 0s..0s\n@status 204\n",
    );
    let mut first = Client::connect(server.address());
    first.get("/x", "");
    first.read_until("data: x\n\n");
    request(&server, "");
    assert!(server.verdict().passed(), "{}", server.verdict());
}

#[test]
fn clients_are_told_apart_as_count_says() {
    let text =
        "@count by header:k\n@part connection 1\ndata: x\n\n@part otherwise\n@expect never\n@status 204\n";
    let server = server(text);
    for key in ["a", "b"] {
        let mut client = Client::connect(server.address());
        client.send(format!("GET /x HTTP/1.0\r\nk: {key}\r\n\r\n"));
        client.read_to_end();
    }
    assert!(server.verdict().passed(), "{}", server.verdict());
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[test]
fn outcomes_are_in_the_trace_and_in_the_log() {
    let (trace, log) = (Shared::default(), Shared::default());
    let script = Script::parse("/x", "@expect no last-event-id\n@status 204\n").unwrap();
    let server =
        Server::new().script(script).trace(trace.clone()).log(log.clone()).start("127.0.0.1:0").unwrap();
    request(&server, "7");
    let text = "/x:1: failed: connection 1: expected no last-event-id, got last-event-id `7`";
    let traced = trace.text();
    assert!(traced.contains(&format!(" * expect        {text}\n")), "{traced}");
    let logged = log.text();
    let line = format!(" expect client=1 method=GET target=\"/x\" outcome=\"{text}\"\n");
    assert!(logged.contains(&line), "{logged}");
}

#[test]
fn the_verdict_can_be_read_over_http() {
    let folder = std::env::temp_dir().join(format!("expectations-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("x.sse");
    std::fs::write(&file, "@expect header k=1\n@status 204\n").unwrap();
    let program = Program::start(&["--control", "--script", file.to_str().unwrap()]);
    let mut client = Client::connect(program.address);
    client.get("/x", "k: 2\r\n");
    client.read_head();
    client.get("/-/verdict", "");
    let (head, body) = client.read_answer();
    assert!(head.contains("\r\ncontent-type: application/x-ndjson\r\n"), "{head}");
    assert!(
        body.ends_with(
            "/x.sse\",\"line\":1,\"connection\":1,\"expected\":\"header k=1\",\"got\":\"header k `2`\",\
         \"outcome\":\"failed\"}\n"
        ),
        "{body}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn an_expectation_that_cannot_decide_anything_is_an_error() {
    let error = |text: &str| Script::parse("/x", text).unwrap_err().to_string();
    assert_eq!(error("@expect otherwise\n"), "/x:1: @expect: the conditions always hold (remove the line)");
    assert_eq!(
        error("@part never\ndata: x\n"),
        "/x:1: @part: unreachable: `never` is for `@expect` (remove the part)"
    );
    assert_eq!(
        error("@part reported open\ndata: x\n"),
        "/x:1: @part: unreachable: `events`, `reported` and `disconnect` are for `@expect` (remove the part)"
    );
    assert_eq!(error("@expect no never\n"), "/x:1: @expect: `no never` always holds (remove it)");
    assert_eq!(
        error("@expect no events\n"),
        "/x:1: @expect: no request shows what a client reports (remove the `no`)"
    );
    assert_eq!(
        error("@expect reported open, closed\n"),
        "/x:1: @expect: invalid state `closed` (expected open or error)"
    );
    assert_eq!(
        error("@expect disconnect\n"),
        "/x:1: @expect: invalid condition `disconnect` (expected `disconnect within T`)"
    );
    assert_eq!(
        error("@case must 9.2.6 Text\ndata: x\n\n"),
        "/x:1: @case: nothing decides the case (add an `@expect`)"
    );
    assert_eq!(
        error("@case should 9.2.6 Text\n@expect never\n"),
        "/x:1: @case: invalid argument `should 9.2.6 Text` (expected `@case must | may | differs | info SECTION TEXT`)"
    );
    assert_eq!(
        error("@skip no cookie\n@expect never\n"),
        "/x:1: @skip: only a test case can be skipped (add `@case`)"
    );
    let case = "@case must 9.2.6 Text\n@expect connection 1\n";
    assert_eq!(error(&format!("{case}@skip\n")), "/x:3: @skip: missing argument (expected `@skip TEXT`)");
    assert_eq!(
        error(&format!("{case}@skip a\n@skip b\n")),
        "/x:4: @skip: duplicate direction (first on line 3)"
    );
    assert_eq!(
        error("@expect after soon\n"),
        "/x:1: @expect: invalid time `soon` (expected a time such as 80ms, 1.5s, 2m or 1h)"
    );
}

#[test]
fn what_a_client_reports_is_only_decided_in_a_test_case() {
    let message =
        "@expect: `events`, `reported` and `disconnect` can only be checked in a test case (add `@case`)";
    for condition in ["events", "events within 1s", "reported open", "disconnect within 1s"] {
        let part = format!("@part connection 1\n@expect {condition} and method GET\ndata: x\n\n");
        assert_eq!(Script::parse("/x", &part).unwrap_err().to_string(), format!("/x:2: {message}"));
        assert!(Script::parse("/x", format!("@case must 9.2.6 x\n{part}")).is_ok(), "{condition}");
    }
    assert!(Script::parse("/x", "@expect last-event-id 7\ndata: x\n\n").is_ok());
}
