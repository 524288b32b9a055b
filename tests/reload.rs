//! A script whose file has changed is loaded again at the next request; one with errors stays as it was.

mod support;

use rust_sse_server::{ErrorKind, Server};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;
use support::{request, Client, Exchange, Folder, Program, PATIENCE};

/// The data of the response to `GET path`; its status line if that is not 200.
fn get(address: SocketAddr, path: &str) -> String {
    let exchange = Exchange::new(address, request("GET", path, ""), PATIENCE);
    if exchange.head.starts_with("HTTP/1.1 200 OK\r\n") {
        return String::from_utf8(exchange.data().0).unwrap();
    }
    exchange.head.lines().next().unwrap().to_owned()
}

/// What the program has written to stderr, which it does on a thread that no client waits for.
fn stderr_of(program: Program) -> String {
    sleep(Duration::from_millis(200));
    program.end()
}

#[test]
fn the_next_request_gets_the_changed_script_and_open_streams_continue() {
    let folder = Folder::new("changed");
    let script = folder.file("chat.sse", "data: 1\n\n@sleep 200ms\ndata: still 1\n\n");
    let program = Program::start(&[&script]);
    let mut client = Client::connect(program.address);
    client.get("/chat", "").read_until("data: 1\n\n");
    folder.file("chat.sse", "data: 2\n\n");
    assert_eq!(get(program.address, "/chat"), "data: 2\n\n");
    client.read_until("data: still 1\n\n\r\n0\r\n\r\n");
    assert!(client.get("/chat", "").read_until("0\r\n\r\n").contains("data: 2\n"));
    folder.file("chat.sse", "@on POST /other\ndata: 3\n\n");
    assert_eq!(get(program.address, "/chat"), "HTTP/1.1 404 Not Found");
    assert!(client.send(request("POST", "/other", "")).read_to_end().contains("data: 3\n"));
}

/// The script that was there when the head was received responds: it has decided whether the body is kept.
#[test]
fn a_change_while_a_body_is_received_counts_for_the_next_request() {
    let folder = Folder::new("body");
    let script = folder.file("echo.sse", "@on POST /echo\ndata: old\n\n");
    let program = Program::start(&[&script]);
    let mut client = Client::connect(program.address);
    let head = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    client.send(head).read_until("100 Continue\r\n\r\n");
    folder.file("echo.sse", "@on POST /echo\ndata: new {{body}}\n\n");
    assert!(client.send("text").read_until("0\r\n\r\n").contains("data: old\n"));
    client.send(head).read_until("100 Continue\r\n\r\n");
    assert!(client.send("text").read_until("0\r\n\r\n").contains("data: new text\n"));
}

/// Many of these changes have the same modification time, and the same length.
#[test]
fn no_change_is_missed_however_fast_changes_follow_each_other() {
    let folder = Folder::new("fast");
    let script = folder.file("n.sse", "data: 000\n\n");
    let server = Server::empty().watch(&script).start("127.0.0.1:0").unwrap();
    for round in 0..300 {
        let text = format!("data: {round:03}\n\n");
        folder.file("n.sse", &text);
        assert_eq!(get(server.address(), "/n"), text);
    }
}

#[test]
fn a_script_with_errors_does_not_replace_the_old_one_and_its_errors_are_printed_once() {
    let folder = Folder::new("errors");
    let script = folder.file("chat.sse", "data: 1\n\n");
    let program = Program::start(&["--script", &script]);
    folder.file("chat.sse", "data: 2\n\n@slep 1s\n@sleep x\n");
    for _ in 0..3 {
        assert_eq!(get(program.address, "/chat"), "data: 1\n\n");
    }
    folder.file("chat.sse", "data: 3\n\ndaat: {{count:caht}}\n\n");
    assert_eq!(get(program.address, "/chat"), "data: 3\n\ndaat: \n\n");
    // As an editor leaves it for a moment.
    fs::write(&script, "").unwrap();
    assert_eq!(get(program.address, "/chat"), "data: 3\n\ndaat: \n\n");
    fs::remove_file(&script).unwrap();
    assert_eq!(get(program.address, "/chat"), "data: 3\n\ndaat: \n\n");
    let expected = [
        format!("{script}:3: unknown direction `@slep` (did you mean `@sleep`?)\n"),
        format!("{script}:4: @sleep: invalid time `x` "),
        format!("rust_sse_server: {script} has errors and was not loaded again\n"),
        format!("{script}:3: warning: unknown field `daat` (did you mean `data`?)\n"),
        format!("{script}:3: warning: no script is called `caht` (did you mean `chat`?)\n"),
    ];
    let printed = stderr_of(program);
    let places = expected.map(|line| printed.find(&line).unwrap_or_else(|| panic!("{printed}")));
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]) && printed.lines().count() == 5, "{printed}");
}

#[test]
fn a_folder_gains_new_files_and_loses_removed_ones() {
    let folder = Folder::new("gains");
    folder.file("a.sse", "data: a\n\n");
    let stop = folder.file("stop.sse", "data: mine\n\n");
    let program = Program::start(&["--script", folder.0.to_str().unwrap()]);
    assert_eq!(get(program.address, "/stop"), "data: mine\n\n");
    assert_eq!(get(program.address, "/b"), "HTTP/1.1 404 Not Found");
    folder.file("b.sse", "data: b\n\n");
    assert_eq!(get(program.address, "/b"), "data: b\n\n");
    fs::remove_file(stop).unwrap();
    let built_in = support::demo("1");
    assert_eq!(get(program.address, "/stop"), get(built_in.address(), "/stop"));
    fs::rename(folder.0.join("a.sse"), folder.0.join("c.sse")).unwrap();
    assert_eq!(get(program.address, "/a"), "HTTP/1.1 404 Not Found");
    assert_eq!(get(program.address, "/c"), "data: a\n\n");
}

#[test]
fn a_change_that_makes_two_scripts_answer_one_request_waits_until_they_differ_again() {
    let folder = Folder::new("duplicate");
    folder.file("a.sse", "data: a\n\n");
    folder.file("b.sse", "data: b\n\n");
    let program = Program::start(&["--script", folder.0.to_str().unwrap()]);
    folder.file("b.sse", "@on GET /a\ndata: moved\n\n");
    assert_eq!(
        (get(program.address, "/a"), get(program.address, "/b")),
        ("data: a\n\n".into(), "data: b\n\n".into())
    );
    folder.file("a.sse", "@on GET /b\ndata: swapped\n\n");
    assert_eq!(get(program.address, "/a"), "data: moved\n\n");
    assert_eq!(get(program.address, "/b"), "data: swapped\n\n");
    folder.file("c.sse", "@on GET /-/stop\n");
    assert_eq!(get(program.address, "/c"), "HTTP/1.1 404 Not Found");
    let printed = stderr_of(program);
    assert!(printed.contains(" both answer GET /a (change `@on` or the file name)\n"), "{printed}");
    assert!(printed.contains("c.sse: paths such as `/-/stop` that begin with /-/ are"), "{printed}");
    assert_eq!(printed.lines().count(), 2, "{printed}");
}

#[test]
fn counting_begins_again_only_with_another_text_and_outcomes_of_the_old_one_are_forgotten() {
    let folder = Folder::new("counting");
    let text = "@part connection 1\n@expect header x\ndata: first\n\n@part otherwise\ndata: later\n\n";
    let script = folder.file("n.sse", text);
    let server = Server::empty().watch(&script).start("127.0.0.1:0").unwrap();
    assert_eq!(get(server.address(), "/n"), "data: first\n\n");
    folder.file("n.sse", text);
    assert_eq!(get(server.address(), "/n"), "data: later\n\n");
    assert_eq!(server.verdict().outcomes.len(), 1);
    folder.file("n.sse", text.replace("later", "last"));
    assert_eq!(get(server.address(), "/n"), "data: first\n\n");
    assert_eq!(server.verdict().outcomes.len(), 1, "{}", server.verdict());
}

#[test]
fn a_file_that_cannot_be_served_at_the_start_is_an_error() {
    let folder = Folder::new("start");
    let invalid = folder.file("x.sse", "@slep\n");
    let error = Server::new().watch(&folder.0).start("127.0.0.1:0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidScript);
    assert!(error.to_string().starts_with(&format!("{invalid}:1: unknown direction")), "{error}");
    folder.file("x.sse", "@on GET /-/x\n");
    let error = Server::new().watch(Path::new(&invalid)).start("127.0.0.1:0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DuplicateRoute);
    let error = Server::new().watch(format!("{invalid}2")).start("127.0.0.1:0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().starts_with(&format!("cannot read {invalid}2: ")), "{error}");
}
