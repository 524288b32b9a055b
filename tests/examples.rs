//! The examples send and print what they promise.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use support::{demo, eventually, example, serve, Client};

/// An example that accepts connections. It is ended when this is dropped.
struct Listening {
    child: Child,
    address: SocketAddr,
}

impl Listening {
    fn start(name: &str) -> Listening {
        Listening::start_with(name, &[])
    }

    fn start_with(name: &str, arguments: &[&str]) -> Listening {
        let mut command = Command::new(example(name));
        command.arg("127.0.0.1:0").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().trim_end_matches('/').rsplit('/').next().unwrap();
        let address = address.parse().unwrap_or_else(|_| panic!("unexpected first line {line:?}"));
        Listening { child, address }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n\
    connection: close\r\n\r\n";

#[test]
fn one_chunk_serves_one_client_and_exits() {
    let mut server = Listening::start("one_chunk");
    let mut client = Client::connect(server.address);
    client.get("/", "");
    assert_eq!(
        client.read_to_end(),
        format!("{HEAD}d\r\ndata: hello\n\n\r\n13\r\nid: 1\ndata: world\n\n\r\n0\r\n\r\n")
    );
    assert!(eventually(|| server.child.try_wait().unwrap(), Option::is_some).unwrap().success());
}

#[test]
fn threads_serves_many_clients_at_once() {
    let server = Listening::start("threads");
    let mut clients: Vec<_> = (0..3).map(|_| Client::connect(server.address)).collect();
    for client in &mut clients {
        client.get("/", "");
    }
    let chunks: String = (1..4).map(|n| support::chunk(&format!("data: event {n}\n\n"))).collect();
    for mut client in clients {
        assert_eq!(client.read_to_end(), format!("{HEAD}{chunks}0\r\n\r\n"));
    }
}

#[test]
fn broadcast_sends_each_line_to_all_clients_and_comments_in_between() {
    let mut server = Listening::start_with("broadcast", &["0.2"]);
    let mut clients: Vec<_> = (0..3).map(|_| Client::connect(server.address)).collect();
    for client in &mut clients {
        assert!(client.get("/events", "").read_head().ends_with("cache-control: no-cache\r\n\r\n"));
    }
    for client in &mut clients {
        assert_eq!(client.read_chunk(), ":\n");
    }
    drop(clients.pop());
    for news in ["one", "two"] {
        server.child.stdin.as_mut().unwrap().write_all(format!("{news}\n").as_bytes()).unwrap();
        for client in &mut clients {
            let mut chunk = client.read_chunk();
            while chunk == ":\n" {
                chunk = client.read_chunk();
            }
            assert_eq!(chunk, format!("data: {news}\n\n"));
        }
    }
    let page = Client::connect(server.address).get("/", "").read_to_end();
    assert!(page.ends_with(include_str!("../examples/broadcast.html")), "{page}");
}

#[test]
fn completion_prints_the_words_and_needs_the_end_marker() {
    let run = |script: &str| {
        let server = serve("max", &[("/x", format!("@on POST /v1/chat/completions\n{script}").as_bytes())]);
        let output = Command::new(example("completion")).arg(server.address().to_string()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), errors)
    };
    let words = "data: {\"content\":\"Hello\"}\n\ndata: {\"content\":\" you\"}\n\ndata: {}\n\n";
    assert_eq!(run(&format!("{words}data: [DONE]\n\n")), (true, "Hello you\n".to_owned(), String::new()));
    let (success, printed, errors) = run(words);
    assert!(!success && printed == "Hello you" && errors.contains("no [DONE]"), "{errors}");
    assert!(run("@status 503\n").2.contains("HTTP/1.1 503 Service Unavailable"));
}

#[test]
fn chunks_serves_many_clients_each_after_its_last_event_id() {
    let server = Listening::start("chunks");
    let mut clients: Vec<_> = (0..3).map(|_| Client::connect(server.address)).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.get("/", &format!("Last-Event-ID: {n}\r\n"));
    }
    let mut http_1_0 = Client::connect(server.address);
    http_1_0.send("GET / HTTP/1.0\r\nLast-Event-ID: 2\r\n\r\n");
    let chunks: Vec<_> = (1..4).map(|n| support::chunk(&format!("id: {n}\ndata: event {n}\n\n"))).collect();
    for (n, mut client) in clients.into_iter().enumerate() {
        assert_eq!(client.read_to_end(), format!("{HEAD}{}0\r\n\r\n", chunks[n..].concat()));
    }
    assert_eq!(
        http_1_0.read_to_end(),
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\nid: 3\ndata: event 3\n\n"
    );
    let mut invalid = Client::connect(server.address);
    assert!(invalid.get("/", "No colon\r\n").read_answer().0.starts_with("HTTP/1.1 400 Bad Request\r\n"));
}

#[test]
fn events_prints_the_events_inside_the_chunks() {
    let script = b"@chunk 4 every 1ms\nid: 1\ndata: a\n\nevent: b\ndata: c\n\n";
    let server = serve("1", &[("/good", script), ("/cut", b"data: a\n\ndata: b\n@drop\n")]);
    let run = |target: &str| {
        let output =
            Command::new(example("events")).args([&server.address().to_string(), target]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let printed: Vec<_> = text.lines().filter(|line| line.contains('"')).map(str::to_owned).collect();
        (output.status.success(), printed)
    };
    let (a, c) = (r#"message: "a", last event ID "1""#.to_owned(), r#"b: "c", last event ID "1""#.to_owned());
    assert_eq!(run("/good"), (true, vec![a, c]));
    assert_eq!(run("/cut"), (false, vec![r#"message: "a", last event ID """#.to_owned()]));
}

/// As in `cargo run --example events | head -3`, but with a reader that closes the pipe at once.
#[test]
fn a_closed_pipe_ends_an_example_without_an_error() {
    let server = demo("100");
    let (address, url) = (server.address().to_string(), server.url("/events"));
    let examples: [(&str, &[&str]); 4] = [
        ("events", &[&address]),
        ("client", &[&url]),
        ("own_script", &[]),
        ("storm", &["--clients", "1", "--speed", "100"]),
    ];
    for (name, arguments) in examples {
        let mut command = Command::new(example(name));
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.is_empty(), "{name}: {:?} {stderr}", output.status);
    }
}
