//! Secrets in requests: observers and the log do not show them, the trace and the recorded requests do, because only those
//! who run the server can read these (or whom they let control it).
#![cfg(unix)]

mod support;

use std::fs;
use std::path::Path;
use support::{eventually, program_path, request, Client, Exchange, Folder, Program, PATIENCE};

/// Requests for `/events`, each with secrets that contain `s3cret`, and how often.
fn requests() -> Vec<(String, usize)> {
    let post = |fields: &str, body: &str| request("POST", "/events", fields) + body;
    let head = "GET /events HTTP/1.1\r\nHost: localhost\r\n";
    vec![
        (request("GET", "/events?api_key=s3cret&a=b&token=s3cret", "Authorization: Bearer s3cret\r\n"), 3),
        (
            request(
                "GET",
                "/events",
                "X-API-Key: s3cret\r\ncookie: s3cret\r\nX-Amz-Security-Token: s3cret\r\n",
            ),
            3,
        ),
        (request("GET", "/events", "Referer: http://me:s3cret@localhost/?password=s3cret\r\n"), 2),
        (request("GET", "/events?user[password]=s3cret&token=s3cret?s3cret&next=%2F%3Fkey%3Ds3cret", ""), 4),
        (post("Content-Length: 6\r\n", "s3cret"), 1),
        (post("Transfer-Encoding: chunked\r\n", "6\r\ns3cret\r\n0\r\n\r\n"), 1),
        // These are rejected.
        (
            post(
                "Transfer-Encoding: chunked\r\n",
                "6;s3cret\r\ns3cret\r\n0\r\nX: s3cret\r\nbroken s3cret\r\n",
            ),
            4,
        ),
        (format!("{head}Authorization : s3cret\r\n\r\n"), 1),
        (format!("{head}Cookie: s3cret\r\n s3cret\r\n\r\n"), 2),
        (format!("{head}s3cret\r\n\r\n"), 1),
        (format!("{head}Cookie: s3cret\n\r\n"), 1),
        (format!("{head}Cookie: s3cret"), 1),
        ("password=s3cret HTTP/1.1\r\n".to_owned(), 1),
        ("Cookie: s3cret\r\n".to_owned(), 1),
        ("GET http://me:s3cret@localhost/events HTTP/1.1\r\n".to_owned(), 1),
    ]
}

#[test]
fn each_way_to_look_at_requests_shows_and_hides_what_the_readme_says() {
    let folder = Folder::new("secrets");
    let (trace, record) = (folder.file("trace", ""), folder.file("record", ""));
    let script = folder.file("events.sse", "@on GET,POST /events\ndata: x\n\n");
    let command = format!("exec \"$0\" \"$@\" 2>'{trace}'");
    let program = program_path();
    let options = ["--trace", "--log", "--control", "--journal", &record, "--script", &script];
    let options = [&[program.to_str().unwrap()], &options[..]].concat();
    let mut program = Program::start_under(&["sh", "-c", &command], Path::new(options[0]), &options[1..]);
    let mut observer = Client::connect(program.address);
    observer.get("/-/wire/events", "").read_until(": what goes over the wire\n\n");

    let requests = requests();
    for (request, _) in &requests {
        let mut client = Client::connect(program.address);
        client.send(request).half_close();
        client.read_to_any_end();
    }
    Exchange::new(program.address, request("GET", "/events?last", ""), PATIENCE);
    let journal = Exchange::new(program.address, request("GET", "/-/journal", ""), PATIENCE);

    let observed = observer.read_until("GET /events?last");
    assert!(!observed.contains("s3c") && !observed.contains("cret"), "{observed}");
    for shown in [
        "GET /events?api_key=(not shown)&a=b&token=(not shown) HTTP/1.1\\r\\n",
        "\"X-API-Key: (not shown)\\r\\n\"",
        "?password=(not shown)\\r\\n",
        "\"6;(not shown)\\r\\n\"",
        "\"Content-Length: 6\\r\\n\"",
    ] {
        assert!(observed.contains(shown), "{shown} is not in {observed}");
    }

    let mut log = String::new();
    while !log.contains("target=\"/-/journal\" status=200") {
        log += &program.line();
    }
    assert!(!log.contains("s3c") && log.contains("target=\"/events?api_key=(not shown)&a=b"), "{log}");

    let all: usize = requests.iter().map(|(_, count)| count).sum();
    let trace = eventually(
        || fs::read_to_string(&trace).unwrap(),
        |trace| trace.contains("internal      GET /-/journal: 200"),
    );
    assert_eq!(trace.matches("s3cret").count(), all, "{trace}");

    // What was rejected is recorded without its body, and without what is malformed or incomplete.
    let journal = String::from_utf8(journal.data().0).unwrap();
    assert_eq!(journal, fs::read_to_string(&record).unwrap());
    assert_eq!(journal.matches(",\"request\":").count(), requests.len() - 3 + 1);
    assert_eq!(journal.matches("s3cret").count(), 3 + 3 + 2 + 4 + 1 + 1 + 1, "{journal}");
}

#[test]
fn an_observer_that_comes_in_the_middle_of_a_request_sees_the_next_one() {
    let program = Program::start(&["--speed", "max"]);
    let mut client = Client::connect(program.address);
    client.send("POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 36\r\n\r\n");
    std::thread::sleep(std::time::Duration::from_millis(100));
    let mut observer = Client::connect(program.address);
    observer.get("/-/wire/events", "").read_until(": what goes over the wire\n\n");
    client.send("user /events password=s3cret\r\n\r\nabcd").read_answer();
    client.get("/events?next", "").read_head();
    let observed = observer.read_until("GET /events?next");
    assert!(!observed.contains("s3cret") && !observed.contains("HTTP/1.1 405"), "{observed}");
    assert_eq!(observed.matches("event: piece").count(), 1, "{observed}");
}

/// The same while the request is shown to others already.
#[test]
fn an_observer_that_comes_in_the_middle_of_a_traced_response_sees_the_next_one() {
    let program = Program::start(&["--log"]);
    let mut client = Client::connect(program.address);
    client.get("/events", "Last-Event-ID: 14\r\n").read_head();
    let mut observer = Client::connect(program.address);
    observer.get("/-/wire/events", "").read_until(": what goes over the wire\n\n");
    client.read_until("0\r\n\r\n");
    client.get("/events?next", "").read_head();
    let observed = observer.read_until("GET /events?next");
    assert_eq!(observed.matches("event: ").count(), 1, "{observed}");
}

/// What an expectation says about a request, and why a value is invalid, can contain any part of the request.
#[test]
fn the_log_has_no_value_that_a_script_expects_or_uses() {
    let text = "@on POST /x\n@part query status\n@status {{header:x-status}}\n@part otherwise\n\
        @expect header authorization=a and cookie sid=b and query token=c and json password=d and body ~e and query {{cookie:sid}}\n\
        @expect last-event-id 7\n";
    let folder = Folder::new("log-secrets");
    let script = folder.file("x.sse", text);
    let mut program = Program::start(&["--log", "--control", "--script", &script]);
    let fields = "Authorization: s3cret\r\nCookie: sid=s3cret\r\nX-Status: s3cret\r\nLast-Event-ID: 8\r\n";
    let post = |target: &str| {
        let fields = format!("{fields}Content-Length: 21\r\nConnection: close\r\n");
        let bytes = request("POST", target, &fields) + "{\"password\":\"s3cret\"}";
        Exchange::new(program.address, bytes, PATIENCE)
    };
    post("/x?token=s3cret");
    let refused = String::from_utf8(post("/x?status=1").wire).unwrap();
    assert!(refused.ends_with("invalid status `s3cret` (expected a number from 200 to 999)\n"), "{refused}");
    let verdict =
        Exchange::new(program.address, request("GET", "/-/verdict", "Connection: close\r\n"), PATIENCE);
    let verdict = String::from_utf8(verdict.wire).unwrap();
    assert!(verdict.contains("cookie sid `s3cret`"), "{verdict}");
    let mut log = String::new();
    while !log.contains("target=\"/-/verdict\" status=200") {
        log += &program.line();
    }
    assert!(!log.contains("s3cret"), "{log}");
    assert!(
        log.contains("got header authorization (not shown), cookie sid (not shown), query token (not shown)")
            && log.contains(", query (name not shown)")
    );
    assert!(
        log.contains("got last-event-id `8`\"") && log.contains("a value that the request sets is invalid")
    );
}
