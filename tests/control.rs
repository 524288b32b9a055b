//! The program is controlled over HTTP: streams end and the server stops at once, and the response always arrives.
#![cfg(target_os = "linux")]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};
use support::{eventually, has_tool, request, Client, Exchange, Folder, Program, OWN_THREADS, PATIENCE};

/// The longest that it may take until a client sees the end. It takes a millisecond, but the machine may be busy. A thread
/// that nothing wakes would take up to a second.
const AT_ONCE: Duration = Duration::from_millis(500);

#[test]
fn control_drops_streams_and_stops_the_server_at_once() {
    let folder = Folder::new("stopping");
    let script = folder.file("long.sse", "data: 1\n\n@sleep 1h\ndata: 2\n\n");
    let program = Program::start(&["--control", "--script", &script]);
    let mut client = Client::connect(program.address);
    client.get("/long", "").read_until("data: 1\n\n\r\n");
    let begin = Instant::now();
    assert!(Exchange::new(program.address, request("POST", "/-/drop", ""), PATIENCE).head.contains(" 200 "));
    assert!(!client.read_to_end().ends_with("0\r\n\r\n"));
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    eventually(|| program.threads(), |threads| *threads == OWN_THREADS);

    let mut clients: Vec<Client> = (0..3).map(|_| Client::connect(program.address)).collect();
    clients[0].get("/long", "").read_until("data: 1\n\n\r\n");
    clients[1].send("HEAD /long HTTP/1.1\r\nHost: test\r\n\r\n").read_head();
    let begin = Instant::now();
    assert!(Exchange::new(program.address, request("POST", "/-/stop", ""), PATIENCE).head.contains(" 204 "));
    clients.iter_mut().for_each(|client| drop(client.read_to_end()));
    assert_eq!(program.wait().code(), Some(0));
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}

#[test]
fn the_response_to_stop_always_arrives() {
    for round in 0..40 {
        let program = Program::start(&["--control"]);
        let mut client = TcpStream::connect(program.address).unwrap();
        // With a body; keeping the connection; closing the sending half; with another request sent ahead.
        let requests = [
            "POST /-/stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
            "POST /-/stop HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "POST /-/stop HTTP/1.0\r\nHost: localhost\r\n\r\n",
            "POST /-/stop HTTP/1.1\r\nHost: localhost\r\n\r\nGET /events HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ];
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.write_all(requests[round % 4].as_bytes()).unwrap();
        if round % 4 == 2 {
            client.shutdown(Shutdown::Write).unwrap();
        }
        let mut response = String::new();
        client.read_to_string(&mut response).unwrap();
        assert!(response.starts_with("HTTP/1.1 204 ") && response.ends_with("\r\n\r\n"), "{response:?}");
        drop(client);
        assert_eq!(program.wait().code(), Some(0));
    }
}

#[test]
fn curl_gets_the_response_to_stop() {
    if !has_tool("curl") {
        return;
    }
    for data in ["", "some data"].iter().cycle().take(20) {
        let program = Program::start(&["--control"]);
        let arguments = ["-sSi", "-X", "POST", "-d", data, &program.url("/-/stop")];
        let output = Command::new("curl").args(arguments).output().unwrap();
        assert!(output.status.success() && output.stdout.starts_with(b"HTTP/1.1 204 "), "{output:?}");
        assert_eq!(program.wait().code(), Some(0));
    }
}
