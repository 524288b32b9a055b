//! Limits that clients reach together: places, memory for bodies and for recorded requests. And files and pipes that fail
//! or block, which delay no client.
#![cfg(target_os = "linux")]

mod support;

use rust_sse_server::Server;
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use support::{
    eventually_within, field, has_tool, program_path, request, serve, Client, Exchange, Folder, Program,
    PATIENCE,
};

/// The program with these options, and with a script at which a body of any kind can be posted.
fn program_with_post(options: &[&str]) -> Program {
    let folder = Folder::new(&format!("post-{}", options.concat().replace('/', "-")));
    let script = folder.file("post.sse", "@on POST /post\ndata: 1\n\n");
    Program::start(&[options, &["--speed", "max", "--script", &script]].concat())
}

fn post(path: &str, body: usize) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {body}\r\n\r\n");
    [head.as_bytes(), &vec![b'x'; body]].concat()
}

#[test]
fn all_bodies_together_take_64_mib_and_a_client_above_that_gets_503_until_another_leaves() {
    let folder = Folder::new("bodies");
    let script = "@on POST /bodies\ndata: {{body}}\n\n@sleep 1h\n";
    let program = Program::start(&["--script", &folder.file("bodies.sse", script)]);
    let before = program.memory();
    let send = || {
        let mut client = Client::connect(program.address);
        client.send(post("/bodies", 1 << 20));
        let head = client.read_head();
        (client, head)
    };
    let mut served: Vec<Client> = Vec::new();
    for _ in 0..64 {
        let (client, head) = send();
        assert!(head.starts_with("HTTP/1.1 200 "), "client {}: {head}", served.len());
        served.push(client);
    }
    for _ in 0..3 {
        let (mut client, head) = send();
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
        assert_eq!((field(&head, "retry-after"), field(&head, "connection")), (Some("2"), Some("close")));
        assert_eq!(
            client.read_to_end(),
            "503 Service Unavailable: too many large requests, come back later\n"
        );
    }
    let used = program.memory() - before;
    assert!(used < 2 * 66_000, "{used} kB: each body, and the event that a thread has made from it");
    served.pop().unwrap().reset();
    eventually_within(Duration::from_secs(3), || send().1, |head| head.starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_body_that_the_script_does_not_use_is_not_kept() {
    let folder = Folder::new("unused");
    let program = Program::start(&["--script", &folder.file("unused.sse", "@on POST /\n@open\n@sleep 1h\n")]);
    let before = program.memory();
    let clients: Vec<Client> = (0..100).map(|_| Client::connect(program.address)).collect();
    for mut client in clients {
        client.send(post("/", 1 << 20));
        assert!(client.read_head().starts_with("HTTP/1.1 200 "));
        std::mem::forget(client);
    }
    assert!(program.memory() - before < 5_000, "{} kB", program.memory() - before);
}

#[test]
fn max_body_changes_the_limit_of_a_body() {
    let program = program_with_post(&["--max-body", "3M"]);
    let status = |body: Vec<u8>| {
        let mut client = Client::connect(program.address);
        client.send(body);
        client.read_until("\r\n")
    };
    let in_chunks = |length: usize| {
        let head = "POST /post HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
        [format!("{head}{length:x}\r\n").as_bytes(), &vec![b'x'; length], b"\r\n0\r\n\r\n"].concat()
    };
    assert_eq!(status(post("/post", 3 << 20)), "HTTP/1.1 200 OK\r\n");
    assert_eq!(status(in_chunks(3 << 20)), "HTTP/1.1 200 OK\r\n");
    assert_eq!(status(post("/post", (3 << 20) + 1)), "HTTP/1.1 413 Content Too Large\r\n");
    assert_eq!(status(in_chunks((3 << 20) + 1)), "HTTP/1.1 413 Content Too Large\r\n");

    let server = Server::new().max_body(20 << 20).start("127.0.0.1:0").unwrap();
    let mut client = Client::connect(server.address());
    client.send(post("/none", 20 << 20)).read_head();
    let requests = server.requests();
    assert_eq!(requests[0].body.len(), 20 << 20, "the last request is kept, however large it is");
}

#[test]
fn clients_that_ask_for_all_recorded_requests_and_do_not_read_take_little_memory() {
    let program = program_with_post(&["--control"]);
    let mut client = Client::connect(program.address);
    for _ in 0..20 {
        client.send(post("/post", 1 << 20)).read_until("\r\n0\r\n\r\n");
    }
    let before = program.memory();
    let mut clients: Vec<Client> = (0..50).map(|_| Client::connect(program.address)).collect();
    for client in &mut clients {
        client.get("/-/journal", "");
    }
    for client in &mut clients {
        assert!(client.read_head().contains("\r\ntransfer-encoding: chunked\r\n"));
    }
    sleep(Duration::from_millis(300));
    let used = program.memory().saturating_sub(before);
    assert!(used < 5_000, "{used} kB");
    let data = Exchange::new(program.address, request("GET", "/-/journal", ""), PATIENCE).data();
    assert!(data.1, "the body is complete");
    let lines: Vec<&[u8]> = data.0.split_inclusive(|&byte| byte == b'\n').collect();
    assert!(lines.len() > 30, "{}", lines.len());
    assert!(lines.iter().all(|line| line.starts_with(b"{\"entry\":")));
}

#[test]
fn a_client_that_has_closed_its_side_makes_room_for_another_and_is_not_counted() {
    let folder = Folder::new("left");
    let script = folder.file("long.sse", "@open\n@sleep 60s\n");
    let open = folder.file("open.sse", "data: {{open}}\n\n");
    let program = Program::start(&["--max-clients", "5", "--script", &script, "--script", &open]);
    for number in 1..=7 {
        let connect = || {
            let mut client = Client::connect(program.address);
            client.get("/long", "").read_until("\r\n")
        };
        let start = Instant::now();
        eventually_within(Duration::from_secs(2), connect, |line| line == "HTTP/1.1 200 OK\r\n");
        assert!(number >= 6 || start.elapsed() < Duration::from_millis(500), "client {number}");
    }
    let count = || {
        let mut client = Client::connect(program.address);
        client.get("/open", "");
        client.read_until("\r\n").contains(" 200 ").then(|| client.read_until("\n\n"))
    };
    let count = || count().map(|text| text.rsplit("data: ").next().unwrap().to_owned());
    eventually_within(Duration::from_secs(3), count, |count| count.as_deref() == Some("1\n\n"));
}

#[test]
fn a_client_that_has_closed_its_sending_half_gets_its_stream_while_there_is_room() {
    let folder = Folder::new("half");
    let script = folder.file("half.sse", "data: 1\n\n@sleep 2500ms\ndata: 2\n\n");
    let program = Program::start(&["--max-clients", "1", "--script", &script]);
    let mut client = Client::connect(program.address);
    client.get("/half", "").half_close();
    assert!(client.read_to_end().ends_with("data: 2\n\n\r\n0\r\n\r\n"));
    // Now another client needs the place.
    let connect = || {
        let mut client = Client::connect(program.address);
        let status = client.get("/half", "").read_until("\r\n");
        (client, status)
    };
    let mut client =
        eventually_within(Duration::from_secs(2), connect, |(_, status)| status.contains("200")).0;
    client.half_close();
    client.read_until("data: 1\n\n\r\n");
    sleep(Duration::from_millis(100));
    assert_eq!(connect().1, "HTTP/1.1 503 Service Unavailable\r\n");
    assert_eq!(client.read_to_end(), "");
    eventually_within(Duration::from_secs(2), connect, |(_, status)| status.contains("200"));
}

#[test]
fn a_stderr_that_nobody_reads_stops_neither_clients_nor_the_server() {
    // A pipe holds 64 KiB.
    let filled = ["sh", "-c", "head -c 65536 /dev/zero >&2; exec \"$@\"", "sh"];
    let program = Program::start_under(&filled, &program_path(), &["--max-clients", "1", "--control"]);
    let mut first = Client::connect(program.address);
    first.get("/events", "").read_head();
    // More than get a 503 at a time, so that there is something to warn of.
    let rejected: Vec<Client> = (0..1000).map(|_| Client::connect(program.address)).collect();
    assert!(Client::connect(program.address).read_head().starts_with("HTTP/1.1 503 "));
    drop(rejected);
    first.read_until("Event 1\"");
    first.reset();
    let stop = || Exchange::new(program.address, request("POST", "/-/stop", ""), PATIENCE).head;
    eventually_within(Duration::from_secs(3), stop, |head| head.starts_with("HTTP/1.1 204 "));
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn requests_that_cannot_be_recorded_are_reported_once_and_answered() {
    let program = Program::start(&["--journal", "/dev/full", "--speed", "max"]);
    for _ in 0..20 {
        assert!(Exchange::new(program.address, request("GET", "/events", ""), PATIENCE).data().1);
    }
    assert_eq!(
        program.end(),
        "rust_sse_server: cannot record a request: No space left on device (os error 28)\n"
    );
}

#[test]
fn a_journal_that_blocks_delays_one_request_by_a_moment_and_takes_little_memory() {
    if !has_tool("mkfifo") {
        return;
    }
    let folder = Folder::new("fifo");
    let path = folder.0.join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    // Opening one for reading and writing does not wait for another program.
    let mut fifo = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let program = program_with_post(&["--journal", path.to_str().unwrap()]);
    let before = program.memory();
    let start = Instant::now();
    let mut client = Client::connect(program.address);
    for _ in 0..50 {
        client.send(post("/post", 1 << 20)).read_until("\r\n0\r\n\r\n");
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    let used = program.memory() - before;
    assert!(used < 35_000, "{used} kB");
    let mut line = vec![0; 16];
    fifo.read_exact(&mut line).unwrap();
    assert!(line.starts_with(b"{\"entry\":1,"));
    let log = program.end();
    let waiting = format!("waiting for a program that reads {}\n", path.display());
    assert_eq!(log, waiting + "rust_sse_server: cannot record a request: the file takes them too slowly\n");
}

#[test]
fn a_request_is_recorded_before_its_response_and_that_before_the_connection_is_closed() {
    let folder = Folder::new("order");
    let file = folder.0.join("requests.jsonl");
    let server = Server::new().journal(File::create(&file).unwrap()).start("127.0.0.1:0").unwrap();
    for number in 1..=100 {
        Exchange::new(server.address(), request("GET", "/none", ""), PATIENCE);
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2 * number);
    }
}

#[test]
fn observers_that_never_read_take_little_memory() {
    let folder = Folder::new("observers");
    // A control byte takes six bytes in JSON.
    let script = folder.file("control-bytes.sse", vec![b'\x01'; 8 << 20]);
    let program = Program::start(&["--script", &script]);
    let mut observers: Vec<Client> = (0..64).map(|_| Client::connect(program.address)).collect();
    for observer in &mut observers {
        observer.get("/-/wire/control-bytes", "").read_head();
    }
    let before = program.memory();
    let exchange = Exchange::new(program.address, request("GET", "/control-bytes", ""), PATIENCE);
    assert_eq!(exchange.data().0.len(), 8 << 20);
    let used = program.memory() - before;
    assert!(used < 40_000, "{used} kB");
}

#[test]
fn a_reset_script_still_resets_a_client_that_sent_a_body() {
    let server = serve("max", &[("/reset-post", b"@on POST /reset-post\ndata: {{body}}\n\n@reset\n")]);
    let mut client = Client::connect(server.address());
    let (bytes, is_clean) = client.send(post("/reset-post", 5)).read_to_any_end();
    assert!(String::from_utf8(bytes).unwrap().contains("data: xxxxx\n\n"));
    assert!(!is_clean);
}
