//! The trace and the log say how each request and each response ended, in lines that fit on a terminal.

mod support;

use rust_sse_server::{RunningServer, Script, Server, Speed};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use support::{eventually, request, Client, Exchange, PATIENCE};

/// A writer whose bytes a test can read.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    /// The text, once it contains `part` this many times.
    fn with(&self, part: &str, count: usize) -> String {
        let text = || String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        eventually(text, |text| text.matches(part).count() == count)
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A server with this script at `/script`, its trace and its log.
fn watched(script: &str) -> (RunningServer, Buffer, Buffer) {
    let (trace, log) = (Buffer::default(), Buffer::default());
    let server = Server::new().script(Script::parse("/script", script).unwrap()).speed(Speed::MAX);
    let server = server.control().trace(trace.clone()).log(log.clone()).start("127.0.0.1:0").unwrap();
    (server, trace, log)
}

/// What the log says about how the responses to these requests ended.
fn ends(requests: &[&str]) -> Vec<String> {
    let (server, _, log) = watched("");
    for request in requests {
        let mut client = Client::connect(server.address());
        client.send(request).half_close();
        client.read_to_any_end();
    }
    let log = log.with(" how=", requests.len());
    let how = |line: &str| Some(line.split_once(" how=")?.1.trim_matches('"').to_owned());
    log.lines().filter_map(how).collect()
}

#[test]
fn the_log_says_why_a_request_was_rejected() {
    let post = "POST /script HTTP/1.1\r\nHost: localhost\r\n";
    assert_eq!(
        ends(&[
            "GET / HTTP/1.1\r\n\r\n",
            "HEAD / HTTP/1.1\n",
            "HEAD /\x01",
            "GET / HTTP/1.1\r\nHost: lo",
            &format!("{post}Content-Length: 9999999\r\n\r\n"),
            &format!("{post}Transfer-Encoding: chunked\r\n\r\n2 x\r\n"),
        ]),
        [
            "rejected: the Host field line is missing",
            "rejected: a line ends with LF alone; HTTP ends lines with CR LF",
            "rejected: a control byte in the request line; is this TLS?",
            "rejected: the request ended in the middle",
            "rejected: the body is larger than --max-body allows",
            "rejected: a chunk-size is not hexadecimal",
        ]
    );
    let forbidden = ends(&["GET /-/journal HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n"]);
    assert!(forbidden[0].starts_with("rejected: under /-/ the Host field must be"), "{forbidden:?}");
}

#[test]
fn the_log_says_that_a_client_left_a_stream_that_never_ends() {
    let (server, trace, log) = watched("data: x\n\n@hang\n");
    let mut client = Client::connect(server.address());
    client.get("/script", "").read_until("data: x\n\n");
    drop(client);
    assert!(log.with(" how=", 1).ends_with(" how=\"client disconnected\"\n"));
    assert!(trace.with("* end ", 1).contains(" 1 event, client disconnected\n"));
}

#[test]
fn a_rejected_request_is_traced_before_its_response() {
    let (server, trace, _) = watched("");
    Exchange::new(server.address(), "GET /\x01", PATIENCE);
    let trace = trace.with("* closed ", 1);
    let lines: Vec<&str> = trace.lines().map(|line| &line[12..]).collect();
    assert_eq!(lines[1], "> malformed     GET /\\x01 ← invalid syntax", "{trace}");
    assert_eq!(lines[2], "< status line   HTTP/1.1 400 Bad Request\\r\\n", "{trace}");
}

#[test]
fn white_space_before_a_chunk_extension_is_no_mistake() {
    let (server, trace, _) = watched("@on POST /script\ndata: x\n\n");
    let chunked = request("POST", "/script", "Transfer-Encoding: chunked\r\n");
    let response = Exchange::new(server.address(), chunked + "2 ;a\r\nok\r\n0\r\n\r\n", PATIENCE);
    assert!(response.head.starts_with("HTTP/1.1 200 "));
    let trace = trace.with("* closed ", 1);
    assert!(trace.contains(" > chunk-size    2 ;a\\r\\n ← 0x2 = 2 bytes"), "{trace}");
    assert!(!trace.contains("malformed"), "{trace}");
}

#[test]
fn the_servers_own_pages_have_one_line_each_in_the_trace() {
    let (server, trace, log) = watched("");
    let send = |method, path| Exchange::new(server.address(), request(method, path, ""), PATIENCE);
    let [_, _, not_found, _] =
        [("GET", "/"), ("HEAD", "/-/scripts"), ("GET", "/-/none"), ("POST", "/-/drop")]
            .map(|(method, path)| send(method, path));
    let text = trace.with("* closed ", 4);
    let notes: Vec<&str> = text.lines().map(|line| &line[12..]).collect();
    let notes: Vec<&str> = notes
        .into_iter()
        .filter(|line| !line.starts_with("* open ") && !line.starts_with("* closed "))
        .collect();
    assert!(notes[0].starts_with("* internal      GET /: 200, ") && notes[0].ends_with("closed"), "{text}");
    assert_eq!(
        notes[1..],
        [
            "* internal      HEAD /-/scripts: 200, 0 bytes, complete, connection closed",
            &format!(
                "* internal      GET /-/none: 404, {} bytes, complete, connection closed",
                not_found.wire.len()
            ),
            "* internal      POST /-/drop: 200, 14 bytes, complete, connection closed",
        ]
    );
    assert_eq!(log.with(" end client=", 4).lines().count(), 8);
}

/// A script at `/` is no page.
#[test]
fn a_script_in_the_place_of_the_page_is_traced() {
    let (server, trace, _) = watched("@on GET /\ndata: x\n\n");
    Exchange::new(server.address(), request("GET", "/", ""), PATIENCE);
    assert!(trace.with("* closed ", 1).contains(" < chunk-data    data: x\\n\n"));
}

#[test]
fn the_lines_of_a_trace_are_aligned_and_remarks_on_events_fit_into_80_columns() {
    let (server, trace, _) = watched(
        "event: content_block_delta\r\nid: 123456789012345678901234567890\r\ndata: x\r\n\r\nid: 7\ndata: y\n\n",
    );
    for _ in 0..10 {
        Exchange::new(server.address(), request("GET", "/script", ""), PATIENCE);
        Exchange::new(server.address(), request("GET", "/events", ""), PATIENCE);
    }
    let trace = trace.with("* closed ", 20);
    for line in trace.lines() {
        assert!([" > ", " < ", " * "].contains(&&line[11..14]), "{line}");
        assert!(!line.contains(" ← dispatches ") || line.chars().count() <= 80, "{line}");
    }
    let remark = "\\r\\n ← dispatches `content_block_delta`, last ID `1…\n";
    assert_eq!(trace.matches(remark).count(), 10, "{trace}");
    assert_eq!(trace.matches("\\n ← dispatches `message`, last ID `7`\n").count(), 10, "{trace}");
    assert_eq!(trace.matches("\\n ← dispatches `notification`, last ID `15`\n").count(), 10, "{trace}");
}
