//! The journal of requests and ends of responses, and control of a running server: end all streams, stop.

mod support;

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{eventually, program_path, request, Client, Exchange, Folder, Program, PATIENCE};

#[test]
fn recorded_requests_have_their_order_header_fields_and_bodies() {
    let server = support::demo("1");
    for bytes in [
        request("GET", "/stop?x=1", "Last-Event-ID: 7\r\n"),
        request("POST", "/stop", "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n",
        request("HEAD", "/none", ""),
    ] {
        Exchange::new(server.address(), bytes, PATIENCE);
    }
    let requests = server.requests();
    let received: Vec<(&str, &str)> =
        requests.iter().map(|r| (r.method.as_str(), r.target.as_str())).collect();
    assert_eq!(received, [("GET", "/stop?x=1"), ("POST", "/stop"), ("HEAD", "/none")]);
    assert_eq!(requests[0].header("last-event-id"), Some("7"));
    assert_eq!(requests[1].body, b"abc");
    assert!(requests.windows(2).all(|pair| pair[0].time <= pair[1].time));
}

#[test]
fn rejected_requests_are_recorded_if_they_have_a_method_and_a_target() {
    let server = support::demo("max");
    let post = |fields: &str| request("POST", "/events", fields);
    for (target, bytes) in [
        ("/", request("GET", "/", "")),
        ("/none", request("GET", "/none", "")),
        ("/missing-host", "GET /missing-host HTTP/1.1\r\nX: y\r\n\r\n".to_owned()),
        ("/folded", "GET /folded HTTP/1.1\r\nX: y\r\n folded\r\n\r\n".to_owned()),
        ("/cut-off", "GET /cut-off HTTP/1.1\r\nX: y\r\nHost: loc".to_owned()),
        ("/events", post("X: y\r\n")),
        ("/events", post("X: y\r\nContent-Length: 9999999\r\n")),
        ("/events", post("X: y\r\nTransfer-Encoding: chunked\r\n") + "3\r\nabc\r\nz\r\n"),
        ("/events", post("X: y\r\nExpect: tea\r\n")),
    ] {
        let mut client = Client::connect(server.address());
        client.send(&bytes).half_close();
        client.read_to_any_end();
        let requests = server.requests();
        let last = requests.last().unwrap();
        assert_eq!((last.target.as_str(), last.body.as_slice()), (target, &b""[..]), "{bytes:?}");
        assert_eq!(last.header("x"), bytes.contains("X: y").then_some("y"), "{bytes:?}");
    }
    assert_eq!(server.requests().len(), 9);
    for bytes in ["GET /\r\n", "GET / HTTP/1.1\n", "\x16\x03", &request("GET", "/-/none", "")] {
        Exchange::new(server.address(), bytes, PATIENCE);
    }
    assert_eq!(server.requests().len(), 9, "without a method and a target, or under /-/");
}

#[test]
fn the_journal_has_a_line_for_each_request_and_each_end() {
    let folder = Folder::new("journal");
    let file = folder.file("log.jsonl", "");
    let program = Program::start(&["--speed", "max", "--journal", &file]);
    Exchange::new(program.address, request("GET", "/events?\"q\"", "X: \u{e9}\r\n"), PATIENCE);
    let log = std::fs::read_to_string(&file).unwrap();
    let (log, end) = log.split_once('\n').unwrap();
    assert!(log.starts_with(REQUEST_LINE_START) && log.ends_with("\"body\":\"\"}"), "{log}");
    assert!(end.starts_with("{\"entry\":2,\"end\":1,") && end.ends_with("}\n"), "{end}");
    assert!(
        log.contains(
            "\"method\":\"GET\",\"target\":\"/events?\\\"q\\\"\",\"headers\":{\"host\":[\"localhost\"],"
        ),
        "{log}"
    );
    assert!(log.contains("\"x\":[\"\u{e9}\"]}"), "{log}");
}

/// Stdout is a pipe, a file or a socket, which cannot be opened by its name.
#[test]
fn the_journal_can_be_printed_on_stdout() {
    let mut program = Program::start(&["--journal", "-"]);
    Exchange::new(program.address, request("GET", "/stop", ""), PATIENCE);
    assert!(program.line().starts_with(REQUEST_LINE_START));

    let folder = Folder::new("journal-on-stdout");
    let path = folder.0.join("stdout");
    let read = || fs::read_to_string(&path).unwrap();
    assert_journal_on_stdout(File::create(&path).unwrap().into(), read);

    let (near, mut far) = UnixStream::pair().unwrap();
    far.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let mut text = Vec::new();
    let read = || {
        // Ends with an error when nothing more is there.
        let _ = far.read_to_end(&mut text);
        String::from_utf8(text.clone()).unwrap()
    };
    assert_journal_on_stdout(OwnedFd::from(near).into(), read);
}

const REQUEST_LINE_START: &str = "{\"entry\":1,\"request\":1,\"time\":1";

/// `read` returns what the program has printed so far.
fn assert_journal_on_stdout(stdout: Stdio, mut read: impl FnMut() -> String) {
    let mut command = Command::new(program_path());
    let mut child = command.args(["--journal", "/dev/stdout", "--port", "0"]).stdout(stdout).spawn().unwrap();
    let text = eventually(&mut read, |text| text.lines().count() == 2);
    let port = text.split("/events\n").next().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    Exchange::new(([127, 0, 0, 1], port).into(), request("GET", "/stop", ""), PATIENCE);
    let after = eventually(&mut read, |text| text.lines().count() == 4);
    assert!(after.starts_with(&text) && after[text.len()..].starts_with(REQUEST_LINE_START), "{after}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn without_control_the_control_paths_are_404() {
    let program = Program::start(&["--speed", "max"]);
    for (method, path) in [("GET", "/-/journal"), ("POST", "/-/drop"), ("POST", "/-/stop")] {
        let response = Exchange::new(program.address, request(method, path, ""), PATIENCE);
        assert!(response.head.starts_with("HTTP/1.1 404 "), "{}", response.head);
    }
}

#[test]
fn control_ends_streams_lists_requests_and_stops_the_server() {
    let program = Program::start(&["--control"]);
    let mut playing: Vec<Client> = (0..3).map(|_| Client::connect(program.address)).collect();
    for client in &mut playing {
        client.get("/events", "").read_head();
    }
    let start = Instant::now();
    let drop = Exchange::new(program.address, request("POST", "/-/drop", ""), PATIENCE);
    assert_eq!(drop.wire, b"{\"streams\":3}\n");
    for client in &mut playing {
        let (bytes, clean) = client.read_to_any_end();
        assert!(clean && !bytes.ends_with(b"0\r\n\r\n"), "closed without a last-chunk");
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let requests = Exchange::new(program.address, request("GET", "/-/journal", ""), PATIENCE);
    assert_eq!(String::from_utf8(requests.wire).unwrap().matches("\"target\":\"/events\"").count(), 3);
    assert!(requests.head.contains("\r\ncontent-type: application/x-ndjson\r\n"));
    Exchange::new(program.address, request("POST", "/-/stop", ""), PATIENCE);
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn the_server_keeps_running_after_drop_all() {
    let server = support::demo("1");
    let mut client = Client::connect(server.address());
    client.get("/events", "").read_head();
    server.drop_all();
    assert!(!client.read_to_any_end().0.ends_with(b"0\r\n\r\n"));
    assert!(Client::connect(server.address()).get("/events", "").read_head().starts_with("HTTP/1.1 200 "));
}

#[test]
fn drop_all_also_ends_a_stream_that_never_waits() {
    for script in [
        "@repeat 1000000000\ndata: x\n\n@again\n",
        "@repeat 256\n@fill 4M x\n@again\n",
        "@chunk 1\n@fill 64M x\n",
    ] {
        let server = support::serve("max", &[("/busy", script.as_bytes())]);
        let reader = {
            let address = server.address();
            std::thread::spawn(move || Exchange::new(address, request("GET", "/busy", ""), PATIENCE).clean)
        };
        std::thread::sleep(Duration::from_millis(50));
        let start = Instant::now();
        server.drop_all();
        assert!(reader.join().unwrap());
        assert!(start.elapsed() < Duration::from_secs(2), "{script}: {:?}", start.elapsed());
    }
}

#[test]
fn the_own_script_example_shows_a_test_of_a_client() {
    let example = support::example("own_script");
    let output = Command::new(example).output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "one\n(connection lost: the response body is incomplete)\ntwo\n(connection closed by server)\n\
         (status 204: the server has no more events)\nGET /numbers Last-Event-ID: None\nGET /numbers Last-Event-ID: Some(\"1\")\n\
         GET /numbers Last-Event-ID: Some(\"2\")\n"
    );
}
