//! `--only` and `Server::empty`: nothing built-in is served, and every request is recorded.

mod support;

use assert_cmd::Command;
use rust_sse_server::{Script, Server};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use support::{field, program, program_path, request, Client, Exchange, Folder, Program, PATIENCE};

#[test]
fn an_empty_server_answers_only_what_was_added_and_records_the_rest() {
    let server = Server::empty().start("127.0.0.1:0").unwrap();
    for target in ["/", "/events", "/favicon.ico"] {
        let exchange = Exchange::new(server.address(), request("GET", target, ""), PATIENCE);
        assert!(exchange.head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{}", exchange.head);
        assert_eq!(exchange.wire, b"404 Not Found: no script at this path; there is none\n");
    }
    let targets: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/", "/events", "/favicon.ico"]);

    let script = Script::parse("/", "data: x\n\n").unwrap();
    let server = Server::empty().script(script).start("127.0.0.1:0").unwrap();
    let mut client = Client::connect(server.address());
    assert!(client.get("/", "").read_head().contains("text/event-stream"));
}

#[test]
fn the_program_lists_announces_and_serves_only_what_is_named() {
    let folder = Folder::new("only");
    let script = folder.file("chat.sse", "@# Mine.\n@on POST /chat\ndata: x\n\n");
    let list = ["--only", "--list", &script];
    Command::cargo_bin("rust_sse_server")
        .unwrap()
        .args(list)
        .assert()
        .success()
        .stdout("POST /chat  Mine.\n");

    let mut command = std::process::Command::new(program_path());
    let mut child = command.args(["--only", "0", &script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    lines.read_line(&mut text).unwrap();
    lines.read_line(&mut text).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    lines.read_to_string(&mut text).unwrap();
    assert!(text.contains("\n              and POST http://") && !text.contains("browser"), "{text}");

    let program = Program::start(&["--only", "--control", &script]);
    let mut client = Client::connect(program.address);
    let (head, body) = client.get("/", "").read_answer();
    assert!(head.starts_with("HTTP/1.1 404 ") && body.ends_with("; available:\nPOST /chat\n"), "{body}");
    assert_eq!(field(&client.get("/chat", "").read_answer().0, "allow"), Some("POST, OPTIONS"));
    client.get("/-/journal", "").read_head();
    let journal = client.read_chunk();
    assert_eq!(journal.matches("\"request\":").count(), 2);
    assert!(journal.contains("\"target\":\"/\""), "{journal}");
}

#[test]
fn only_without_anything_to_serve_is_a_warning() {
    let warning = "rust_sse_server: warning: --only without --script, --static or --control serves nothing\n";
    program(&["--only", "--list"]).assert().success().stdout("").stderr(warning);
    let folder = Folder::new("only-nothing");
    let script = folder.file("x.sse", "data: x\n\n");
    for options in [&["--control"][..], &["--static", folder.0.to_str().unwrap()], &["--script", &script]] {
        program(&[&["--only", "--list"], options].concat()).assert().success().stderr("");
    }
    let mut command = std::process::Command::new(program_path());
    let mut child =
        command.args(["--only", "0"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(line, warning);
}
