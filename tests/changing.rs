//! A test changes the server while it runs: it sets and removes scripts, resets everything to the state after the
//! start, and makes the server refuse connections for some time.

mod support;

use rust_sse_server::{ErrorKind, Script, Server, Speed};
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use support::{eventually, request, serve, Client, Exchange, Folder, Program, PATIENCE};

/// The status and the body of the response to a request with this body.
fn send(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let length = format!("Content-Length: {}\r\n", body.len());
    let response = Exchange::new(address, request(method, path, &length) + body, PATIENCE);
    let status = response.head.split(' ').nth(1).unwrap().parse().unwrap();
    let is_chunked = response.head.contains("\r\ntransfer-encoding: chunked\r\n");
    let body = if is_chunked { response.data().0 } else { response.wire };
    (status, String::from_utf8(body).unwrap())
}

fn get(address: SocketAddr, path: &str) -> (u16, String) {
    send(address, "GET", path, "")
}

fn wait_until_open(address: SocketAddr) {
    eventually(|| TcpStream::connect(address).is_ok(), |is_open| *is_open);
}

fn script(path: &str, text: &str) -> Script {
    Script::parse(path, text).unwrap()
}

#[test]
fn scripts_can_be_set_and_removed_while_streams_play() {
    let server = serve("1", &[("/a", b"data: old\n\n@pause go\ndata: still old\n\n")]);
    let address = server.address();
    let mut client = Client::connect(address);
    client.get("/a", "").read_until("data: old\n\n\r\n");
    server.set_script(script("/a", "data: new {{connection}}\n\n")).unwrap();
    assert_eq!([(); 2].map(|()| get(address, "/a").1), ["data: new 1\n\n", "data: new 2\n\n"]);
    server.set_script(script("/a", "@on POST /b\ndata: newer\n\n")).unwrap();
    assert_eq!((get(address, "/a").0, send(address, "POST", "/b", "").1.as_str()), (404, "data: newer\n\n"));
    assert_eq!([(); 2].map(|()| server.remove_script("/a")), [true, false]);
    assert_eq!([get(address, "/a").0, send(address, "POST", "/b", "").0], [404; 2]);
    assert_eq!(server.release("go"), 1);
    client.read_until("data: still old\n\n\r\n0\r\n\r\n");
}

#[test]
fn a_script_replaces_built_in_ones_and_cannot_replace_others_by_their_route() {
    let server = serve("max", &[("/a", b"data: a\n\n")]);
    server.set_script(script("/x", "@on GET /stop\ndata: mine\n\n")).unwrap();
    assert_eq!(get(server.address(), "/stop"), (200, "data: mine\n\n".to_owned()));
    let error = server.set_script(script("/x", "@on GET /a\n")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DuplicateRoute);
    assert!(error.to_string().starts_with("/x and /a both answer GET /a"), "{error}");
    assert_eq!(get(server.address(), "/stop").1, "data: mine\n\n", "the old one stays");
    assert!(server.set_script(script("/-/stop", "data: x\n\n")).is_err());
    assert!(server.remove_script("/fields"));
    assert_eq!(get(server.address(), "/fields").0, 404);
}

#[test]
fn scripts_are_set_over_http_and_errors_are_reported() {
    let program = Program::start(&["--control", "--only", "tests/scripts/pause.sse"]);
    let address = program.address;
    let put = |body: &str| send(address, "PUT", "/-/scripts/new", body);
    assert_eq!(put("data: {{path}}\n\n"), (204, String::new()));
    assert_eq!(get(address, "/new"), (200, "data: /new\n\n".to_owned()));
    let mistakes = "/new:1: unknown direction `@slep` (did you mean `@sleep`?)\n\
        /new:3: @pause: invalid name `a b` (expected letters, digits, `-`, `_` and `.`)\n";
    assert_eq!(put("@slep 1s\ndata: x\n@pause a b\n"), (422, mistakes.to_owned()));
    let (status, message) = put("@on GET /pause\n");
    assert_eq!(status, 422);
    assert!(message.contains(" both answer GET /pause"), "{message}");
    assert_eq!(get(address, "/new").1, "data: /new\n\n", "the old one stays");
    let (status, warning) = put("daat: x\n\n");
    assert_eq!(status, 200);
    assert!(warning.starts_with("/new:1: warning: unknown field `daat`"), "{warning}");
    let (status, warning) = put("data: {{count:new}} {{count:pasue}}\n\n");
    assert_eq!(status, 200);
    let unknown = "/new:1: warning: no script is called `pasue` (did you mean `pause`?)\n";
    assert_eq!(warning, unknown);
    // A file can be replaced as well, until it is removed.
    assert_eq!(send(address, "PUT", "/-/scripts/pause", "data: short\n\n").0, 204);
    assert_eq!(get(address, "/pause").1, "data: short\n\n");
    let delete = |path: &str| send(address, "DELETE", path, "").0;
    assert_eq!([(); 2].map(|()| delete("/-/scripts/pause")), [204, 404]);
    assert_eq!(get(address, "/pause").0, 404);
    assert_eq!(send(address, "POST", "/-/reset", "").0, 204);
    assert_eq!(get(address, "/new").0, 404);
    let mut client = Client::connect(address);
    client.get("/pause", "").read_until("data: 1\n\n");
}

#[test]
fn a_reset_restores_the_state_after_the_start() {
    let text =
        "@part connection 1\ndata: first\n\n@hang\n@part otherwise\n@expect method PUT\ndata: later\n\n";
    let server = Server::new().script(script("/a", text)).start("127.0.0.1:0").unwrap();
    for round in 0..3 {
        let mut client = Client::connect(server.address());
        client.get("/a", "").read_until("data: first\n\n\r\n");
        assert_eq!(get(server.address(), "/a").1, "data: later\n\n");
        assert_eq!(server.wait_for_request(1, PATIENCE).unwrap().entry, 1, "{round}");
        assert!(server.wait_for_end(2, PATIENCE).is_some());
        assert_eq!(server.verdict().outcomes.len(), 1);
        server.set_script(script("/b", "data: b\n\n")).unwrap();
        server.reset();
        assert_eq!((server.journal(1).len(), server.requests().len()), (0, 0));
        assert_eq!(server.verdict().to_string().matches("missing").count(), 1, "{}", server.verdict());
        assert!(!client.read_to_end().ends_with("0\r\n\r\n"), "the stream was dropped");
        // Its end comes later, and is not in the journal.
        assert!(server.wait_for_end(1, Duration::from_millis(20)).is_none());
        assert!(!server.remove_script("/b"));
    }
}

#[test]
fn a_reset_loads_the_scripts_of_files_as_they_are_now() {
    let folder = Folder::new("reset");
    let file = folder.file("chat.sse", "data: {{connection}}\n\n");
    let program = Program::start(&["--control", &file]);
    assert_eq!([(); 2].map(|()| get(program.address, "/chat").1), ["data: 1\n\n", "data: 2\n\n"]);
    send(program.address, "POST", "/-/reset", "");
    assert_eq!(get(program.address, "/chat").1, "data: 1\n\n");
    send(program.address, "PUT", "/-/scripts/chat", "data: from the test\n\n");
    fs::write(&file, "data: changed\n\n").unwrap();
    assert_eq!(get(program.address, "/chat").1, "data: from the test\n\n");
    send(program.address, "POST", "/-/reset", "");
    assert_eq!(get(program.address, "/chat").1, "data: changed\n\n");
}

#[test]
fn connections_are_refused_for_some_time_and_open_streams_continue() {
    let server = serve("1", &[("/a", b"data: 1\n\n@pause go\ndata: 2\n\n")]);
    let mut client = Client::connect(server.address());
    client.get("/a", "").read_until("data: 1\n\n\r\n");
    for _ in 0..3 {
        let start = Instant::now();
        server.pause_listening(Duration::from_millis(400));
        assert!(start.elapsed() < Duration::from_millis(300), "{:?}", start.elapsed());
        while start.elapsed() < Duration::from_millis(350) {
            let is_open = TcpStream::connect(server.address()).is_ok();
            // On a busy machine, the time may be over by now.
            assert!(!is_open || start.elapsed() > Duration::from_millis(395));
        }
        wait_until_open(server.address());
        assert!(start.elapsed() > Duration::from_millis(395), "{:?}", start.elapsed());
        assert_eq!(get(server.address(), "/stop").0, 200);
    }
    assert_eq!(server.release("go"), 1);
    client.read_until("data: 2\n\n\r\n0\r\n\r\n");
}

#[test]
fn a_server_that_refuses_connections_can_be_reset_stopped_and_paused_again() {
    let server = Server::new().speed(Speed::MAX).start("127.0.0.1:0").unwrap();
    server.pause_listening(Duration::from_secs(60));
    server.pause_listening(Duration::from_secs(50));
    assert!(TcpStream::connect(server.address()).is_err());
    server.reset();
    wait_until_open(server.address());
    // From several threads, with times that begin when others end.
    thread::scope(|scope| {
        for thread in 0..4 {
            let server = &server;
            scope.spawn(move || {
                for _ in 0..20 {
                    server.pause_listening(Duration::from_millis(thread));
                    thread::sleep(Duration::from_millis(thread));
                }
            });
        }
    });
    wait_until_open(server.address());
    server.pause_listening(Duration::from_secs(60));
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn a_script_refuses_connections_and_its_own_stream_continues() {
    let server = serve("10", &[("/a", b"data: 1\n\n@down 2s\n@sleep 500ms\ndata: 2\n\n")]);
    let mut client = Client::connect(server.address());
    let start = Instant::now();
    client.get("/a", "").read_until("data: 2\n\n");
    // At this speed, the port is closed for 200 ms.
    let is_open = TcpStream::connect(server.address()).is_ok();
    assert!(!is_open || start.elapsed() > Duration::from_millis(195));
    wait_until_open(server.address());
    assert!(start.elapsed() > Duration::from_millis(195), "{:?}", start.elapsed());
}

#[test]
fn connections_are_refused_over_http() {
    let program = Program::start(&["--control"]);
    assert_eq!(send(program.address, "POST", "/-/down?for=200ms", "").0, 204);
    assert!(TcpStream::connect(program.address).is_err());
    wait_until_open(program.address);
    for query in ["", "?for=", "?for=2", "?until=2s"] {
        let message = "400 Bad Request: the time is missing or invalid (write `/-/down?for=2s`)\n";
        assert_eq!(send(program.address, "POST", &format!("/-/down{query}"), ""), (400, message.to_owned()));
    }
    let message = "400 Bad Request: the time is too long (at most 10m)\n";
    assert_eq!(send(program.address, "POST", "/-/down?for=11m", ""), (400, message.to_owned()));
}
