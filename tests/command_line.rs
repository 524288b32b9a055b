//! What the program says and how it exits.

mod support;

use assert_cmd::Command;
use predicates::str::{contains, is_empty};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;
use support::{program_path, without_date, Client, Folder, Program, DEMO_HEAD};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("rust_sse_server").unwrap();
    command.args(arguments).timeout(support::PATIENCE);
    command
}

/// Asserts that the program ends with this code and this one line on stderr, and nothing on stdout.
fn assert_fails(code: i32, arguments: &[&str], message: &str) {
    let expected = format!("rust_sse_server: {message}\n");
    program(arguments).assert().code(code).stdout(is_empty()).stderr(expected);
}

/// The first line on stdout of a program that serves here.
fn first_line(arguments: &[&str]) -> String {
    let mut child =
        std::process::Command::new(program_path()).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    line
}

#[test]
fn the_first_line_says_where_with_the_port_really_bound() {
    for (host, shown) in
        [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("[::1]", "[::1]"), ("::1", "[::1]")]
    {
        let line = first_line(&[host, "0"]);
        let start = format!("Starting SSE server at http://{shown}:");
        let port = line.strip_prefix(&start).and_then(|rest| rest.strip_suffix("/events\n"));
        assert!(port.and_then(|port| port.parse::<u16>().ok()).map_or(false, |port| port > 0), "{line}");
    }
}

#[test]
fn a_given_port_is_the_one_that_is_bound() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    assert_eq!(
        first_line(&["127.0.0.1", &port]),
        format!("Starting SSE server at http://127.0.0.1:{port}/events\n")
    );
}

#[test]
fn help_and_version_go_to_stdout() {
    program(&["--help"])
        .assert()
        .success()
        .stdout(contains("Usage: rust_sse_server [OPTIONS] [HOST [PORT]]"));
    let version = format!("rust_sse_server {}\n", env!("CARGO_PKG_VERSION"));
    program(&["--version"]).assert().success().stdout(version).stderr(is_empty());
}

#[test]
fn a_wrong_command_line_is_one_line_and_exit_2() {
    let hint = "(--help shows all options)";
    assert_fails(2, &["--sped", "2"], &format!("unknown option `--sped` (did you mean `--speed`?) {hint}"));
    assert_fails(
        2,
        &["localhost", "http"],
        &format!("`http` is no port (write a number from 0 to 65535) {hint}"),
    );
    assert_fails(2, &["--speed"], &format!("--speed needs a value {hint}"));
}

#[test]
fn a_port_in_use_is_one_line_that_says_what_to_do_and_exit_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert_fails(
        1,
        &["127.0.0.1", &port],
        &format!(
            "cannot listen on 127.0.0.1 port {port}: something listens there already: stop it, or choose another port, \
             or 0 for a free one"
        ),
    );
}

#[test]
fn an_address_of_another_machine_is_exit_1() {
    assert_fails(
        1,
        &["192.0.2.1", "0"],
        "cannot listen on 192.0.2.1 port 0: this machine has no such address: try 127.0.0.1 or 0.0.0.0",
    );
    program(&["no-such-host.invalid"])
        .assert()
        .code(1)
        .stderr(contains("cannot listen on no-such-host.invalid port 8080: "));
}

#[test]
fn a_script_that_cannot_be_read_is_exit_1() {
    assert_fails(
        1,
        &["--script", "no/such/file.sse"],
        "cannot read no/such/file.sse: No such file or directory (os error 2)",
    );
}

#[test]
fn a_file_whose_name_leaves_no_path_and_a_folder_are_exit_1() {
    assert_fails(1, &["--script", ".sse"], "`.sse` leaves no path (call the file NAME.sse)");
    assert_fails(1, &["--script", ""], "`` leaves no path (call the file NAME.sse)");
    assert_fails(1, &["--script", "src"], "cannot read src: Is a directory (os error 21)");
    let shown = "cannot read no\\u{1b}[31m.sse: No such file or directory (os error 2)";
    assert_fails(1, &["--script", "no\u{1b}[31m.sse"], shown);
}

#[test]
fn all_mistakes_of_all_scripts_are_reported_before_a_port_is_opened() {
    let folder = Folder::new("mistakes");
    let first = folder.file("a.sse", "@slep 1s\ndata: 1\n@status 200\n");
    let second = folder.file("b.sse", "@sleep 1 s\n");
    program(&["--script", &first, "--script", &second, "--script", &first, "127.0.0.1", "0"])
        .assert()
        .code(1)
        .stdout(is_empty())
        .stderr(format!(
            "rust_sse_server: {first}:1: unknown direction `@slep` (did you mean `@sleep`?)\n\
             rust_sse_server: {first}:3: @status: must come before the body (move it above line 2)\n\
             rust_sse_server: {second}:1: @sleep: invalid time `1 s` (expected a time such as 80ms, 1.5s, 2m or 1h)\n\
             rust_sse_server: {first}:1: unknown direction `@slep` (did you mean `@sleep`?)\n\
             rust_sse_server: {first}:3: @status: must come before the body (move it above line 2)\n"
        ));
}

#[test]
fn check_reports_every_mistake_and_opens_no_port() {
    let folder = Folder::new("check");
    let bad = folder.file("bad.sse", "@slep 1s\n@chunk 0\n@send \\q\n@repeat 2\ndata: x\n@hang\n");
    program(&["--check", "--script", &bad]).assert().code(1).stdout(is_empty()).stderr(format!(
        "rust_sse_server: {bad}:1: unknown direction `@slep` (did you mean `@sleep`?)\n\
         rust_sse_server: {bad}:2: @chunk: invalid argument `0` (expected `@chunk event | line | whole | N [every T]`)\n\
         rust_sse_server: {bad}:3: @send: unknown escape `\\q` (known: \\n \\r \\t \\0 \\s \\\\ \\xHH)\n\
         rust_sse_server: {bad}:4: @repeat: the loop is not closed (add `@again` below its last line)\n\
         rust_sse_server: {bad}:6: @hang: would end the loop of line 4 in its first turn (move it below `@again`)\n"
    ));
    let good = folder.file("good.sse", "data: x\n\n");
    program(&["--check", "--script", &good])
        .assert()
        .success()
        .stdout("1 script, no mistake\n")
        .stderr(is_empty());
}

#[test]
fn list_shows_every_script_and_what_it_is_about() {
    let folder = Folder::new("list");
    let script = folder.file("mine.sse", "@# About mine.\n@on GET,PUT /my/own\n");
    let list = program(&["--list", "--script", &script]).assert().success();
    let list = String::from_utf8(list.get_output().stdout.clone()).unwrap();
    assert!(list.starts_with("/events  "), "{list}");
    assert!(list.contains("\nPOST /v1/messages  "), "{list}");
    assert!(list.lines().last().unwrap().starts_with("GET,PUT /my/own "), "{list}");
    assert!(list.ends_with("  About mine.\n"), "{list}");
}

#[test]
fn a_seed_makes_random_waits_the_same_every_time() {
    let folder = Folder::new("seed");
    let script = folder.file("random.sse", "@repeat 3\n@sleep 1s..11s\n{{elapsed}}\n@again\n");
    let played = |seed: &str| {
        let program = Program::start(&["--speed", "50", "--seed", seed, "--script", &script]);
        let mut client = Client::connect(program.address);
        client.get("/random", "").read_head();
        (0..3).map(|_| client.read_chunk().trim().parse::<i64>().unwrap()).collect::<Vec<_>>()
    };
    let (one, same, other) = (played("1"), played("1"), played("2"));
    let differ = |a: &[i64], b: &[i64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).max().unwrap();
    // Less than a busy machine may be late, and less than the two rows differ by.
    assert!(differ(&one, &same) <= 50, "{one:?} {same:?}");
    assert!(differ(&one, &other) > 50, "{one:?} {other:?}");
}

#[test]
fn two_scripts_for_one_path_are_refused_by_name() {
    let (one, other) = (Folder::new("one"), Folder::new("other"));
    let (first, second) = (one.file("chat.sse", ""), other.file("chat.sse", ""));
    assert_fails(
        1,
        &["--script", &first, "--script", &second],
        &format!("{second} and {first} both answer GET /chat (change `@on` or the file name)"),
    );
}

#[test]
fn a_file_of_your_own_is_served_under_its_name() {
    let folder = Folder::new("own");
    let script = folder.file("my chat.sse", "data: {{elapsed}} {{x}}\r\n\r\n@@data\n@# unsent\n");
    let program = Program::start(&["--speed", "max", "--script", &script]);
    let mut client = Client::connect(program.address);
    assert_eq!(client.get("/my%20chat", "").read_head(), DEMO_HEAD);
    assert_eq!(client.read_chunk(), "data: 0 {{x}}\r\n\r\n");
    assert_eq!(client.read_chunk(), "@data\n");
    assert_eq!(client.read_chunk(), "");
    client.get("/events", "Connection: close\r\n");
    assert!(without_date(&client.read_to_end()).ends_with("0\r\n\r\n"));
}

#[test]
fn a_closed_stdout_is_no_reason_to_fail() {
    let mut child = std::process::Command::new(program_path())
        .args(["127.0.0.1", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(child.try_wait().unwrap(), None);
    child.kill().unwrap();
    assert_eq!(child.wait_with_output().unwrap().stderr, b"");
}
