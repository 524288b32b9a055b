//! The command line: what the program prints, and its exit codes.

mod support;

use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use support::{
    has_tool, program, program_path, request, without_date, Client, Exchange, Folder, Program, DEMO_HEAD,
    PATIENCE,
};

/// Asserts that the program exits with this code after one line on stderr and nothing on stdout.
fn assert_fails(code: i32, arguments: &[&str], message: &str) {
    let expected = format!("rust_sse_server: {message}\n");
    program(arguments).assert().code(code).stdout(is_empty()).stderr(expected);
}

/// The program with these arguments, and the first lines that it printed to stdout. It is killed when this is dropped.
struct Started {
    child: Child,
    lines: Vec<String>,
}

impl Started {
    fn new(arguments: &[&str], count: usize) -> Started {
        let mut command = std::process::Command::new(program_path());
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let lines = (0..count).map(|_| {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            line
        });
        Started { lines: lines.collect(), child }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_line(arguments: &[&str]) -> String {
    Started::new(arguments, 1).lines.remove(0)
}

#[test]
fn the_first_line_is_the_url_with_the_port_that_was_bound() {
    for (host, printed) in
        [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("[::1]", "[::1]"), ("::1", "[::1]")]
    {
        let line = first_line(&[host, "0"]);
        let start = format!("Starting SSE server at http://{printed}:");
        let port = line.strip_prefix(&start).and_then(|rest| rest.strip_suffix("/events\n"));
        assert!(port.and_then(|port| port.parse::<u16>().ok()).map_or(false, |port| port > 0), "{line}");
    }
}

#[test]
fn a_given_port_is_bound() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    assert_eq!(
        first_line(&["127.0.0.1", &port]),
        format!("Starting SSE server at http://127.0.0.1:{port}/events\n")
    );
}

#[test]
fn help_and_version_are_printed_to_stdout() {
    program(&["--help"])
        .assert()
        .success()
        .stdout(contains("Usage: rust_sse_server [OPTIONS] [HOST [PORT]]"));
    let version = format!("rust_sse_server {}\n", env!("CARGO_PKG_VERSION"));
    program(&["--version"]).assert().success().stdout(version).stderr(is_empty());
}

#[test]
fn the_readme_shows_the_help_as_it_is_printed() {
    let help = program(&["--help"]).output().unwrap().stdout;
    let shown = format!("$ cargo run -- --help\n{}```\n", String::from_utf8(help).unwrap());
    assert!(include_str!("../README.md").contains(&shown), "{shown}");
}

/// A name can have several addresses; 0.0.0.0 and [::] cannot be connected to.
#[test]
fn the_second_line_is_an_address_at_which_a_browser_finds_the_page() {
    for (host, address) in
        [("localhost", ""), ("127.0.0.1", "127.0.0.1:"), ("0.0.0.0", "127.0.0.1:"), ("[::]", "[::1]:")]
    {
        let started = Started::new(&[host, "0"], 2);
        let url = started.lines[1].strip_prefix("     and for a browser http://").unwrap();
        let bound = url.strip_suffix("/\n").unwrap();
        assert!(bound.starts_with(address), "{bound}");
        let mut client = Client::connect(bound.parse().unwrap());
        assert!(client.get("/", "").read_head().starts_with("HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
fn an_invalid_command_line_is_one_line_and_exit_2() {
    let hint = "; see --help";
    assert_fails(2, &["--sped", "2"], &format!("unknown option `--sped` (did you mean `--speed`?){hint}"));
    assert_fails(2, &["localhost", "http"], &format!("invalid port `http` (expected 0 to 65535){hint}"));
    assert_fails(2, &["--speed"], &format!("`--speed` needs a value{hint}"));
}

#[test]
fn a_name_that_is_also_a_file_is_resolved_first() {
    let stderr = contains("rust_sse_server: cannot resolve Cargo.toml: ")
        .and(contains(" (to serve the file, write `--script Cargo.toml`)\n"));
    program(&["Cargo.toml"]).assert().code(1).stdout(is_empty()).stderr(stderr);
}

#[test]
fn a_port_in_use_is_one_line_with_a_way_out_and_exit_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert_fails(
        1,
        &["127.0.0.1", &port],
        &format!(
            "cannot listen on 127.0.0.1 port {port}: the port is in use (stop the other program, or choose another port, \
             or 0 for a free one)"
        ),
    );
}

#[test]
fn an_address_that_this_machine_does_not_have_is_exit_1() {
    assert_fails(
        1,
        &["192.0.2.1", "0"],
        "cannot listen on 192.0.2.1 port 0: this machine does not have that address (try 127.0.0.1 or 0.0.0.0)",
    );
}

#[test]
fn a_host_name_that_cannot_be_resolved_is_exit_1() {
    let stderr = contains("rust_sse_server: cannot resolve no-such-host.invalid: ")
        .and(contains(" (try 127.0.0.1)\n"));
    program(&["no-such-host.invalid"]).assert().code(1).stdout(is_empty()).stderr(stderr);
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
fn a_file_name_that_cannot_be_served_or_printed_is_exit_1() {
    assert_fails(1, &["--script", ".sse"], "cannot derive a URL path from `.sse` (name the file NAME.sse)");
    assert_fails(1, &["--script", ""], "cannot derive a URL path from `` (name the file NAME.sse)");
    let escaped = "cannot read no\\x1b[31m\\u{202e}\\n.sse: No such file or directory (os error 2)";
    assert_fails(1, &["--script", "no\u{1b}[31m\u{202e}\n.sse"], escaped);
}

#[test]
fn all_errors_of_all_scripts_are_reported_before_a_port_is_opened() {
    let folder = Folder::new("errors");
    let first = folder.file("a.sse", "@slep 1s\ndata: 1\n@status 200\n");
    let second = folder.file("b.sse", "@sleep 1 s\n");
    program(&["--script", &first, "--script", &second, "--script", &first, "127.0.0.1", "0"])
        .assert()
        .code(1)
        .stdout(is_empty())
        .stderr(format!(
            "{first}:1: unknown direction `@slep` (did you mean `@sleep`?)\n\
             {first}:3: @status: must come before the body (move it above line 2)\n\
             {second}:1: @sleep: invalid time `1 s` (expected a time such as 80ms, 1.5s, 2m or 1h)\n\
             {first}:1: unknown direction `@slep` (did you mean `@sleep`?)\n\
             {first}:3: @status: must come before the body (move it above line 2)\n"
        ));
}

#[test]
fn check_reports_every_error_and_opens_no_port() {
    let folder = Folder::new("check");
    let bad = folder.file("bad.sse", "@slep 1s\n@chunk 0\n@send \\q\n@repeat 2\ndata: x\n@hang\n");
    program(&["--check", "--script", &bad]).assert().code(1).stdout(is_empty()).stderr(format!(
        "{bad}:1: unknown direction `@slep` (did you mean `@sleep`?)\n\
         {bad}:2: @chunk: invalid argument `0` (expected `@chunk event | line | whole | N [every T]`)\n\
         {bad}:3: @send: unknown escape `\\q` (known: \\n \\r \\t \\0 \\s \\\\ \\\" \\xHH)\n\
         {bad}:4: @repeat: the loop is not closed (add `@again` below its last line)\n\
         {bad}:6: @hang: would end the loop of line 4 in its first turn (move it below `@again`)\n"
    ));
    let good = folder.file("good.sse", "data: x\n\n");
    program(&["--check", "--script", &good])
        .assert()
        .success()
        .stdout("1 script, no errors\n")
        .stderr(is_empty());
}

#[test]
fn a_count_of_a_script_that_does_not_exist_is_a_warning() {
    let folder = Folder::new("counts");
    let two = folder
        .file("two.sse", "data: {{count:tow}}\n\n@script three\n@part count two=1\n@part count five=1\n");
    let warnings = format!(
        "{two}:1: warning: no script is called `tow` (did you mean `two`?)\n\
         {two}:5: warning: no script is called `five` (expected the name of a file without `.sse`, or of a `@script`)\n"
    );
    program(&["--check", "--script", &two])
        .assert()
        .success()
        .stdout("2 scripts, no errors, 2 warnings\n")
        .stderr(warnings.clone());
    program(&["--check", "--strict", "--script", &two])
        .assert()
        .code(1)
        .stderr(warnings + "rust_sse_server: 2 warnings not allowed by --strict\n");
    // The others may be in a file that has an error.
    let bad = folder.file("five.sse", "@slep\n");
    let errors = format!("{bad}:1: unknown direction `@slep` (did you mean `@sleep`?)\n");
    program(&["--check", "--script", &two, "--script", &bad]).assert().code(1).stderr(errors);
}

#[test]
fn list_prints_every_script_with_its_first_remark() {
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
fn a_seed_makes_random_waits_the_same_in_every_run() {
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
    // More than a busy machine is late by, and less than waits of different seeds differ by.
    assert!(differ(&one, &same) <= 50, "{one:?} {same:?}");
    assert!(differ(&one, &other) > 50, "{one:?} {other:?}");
}

#[test]
fn two_scripts_for_one_path_are_an_error_that_names_both() {
    let (one, other) = (Folder::new("one"), Folder::new("other"));
    let (first, second) = (one.file("chat.sse", ""), other.file("chat.sse", ""));
    let duplicate = format!("{second} and {first} both answer GET /chat (change `@on` or the file name)");
    assert_fails(1, &["--script", &first, "--script", &second], &duplicate);
    let invalid = other.file("invalid.sse", "@again\n");
    program(&["--check", "--script", &first, "--script", &second, "--script", &invalid])
        .assert()
        .code(1)
        .stderr(contains(format!("{invalid}:1: ")).and(contains(duplicate)));
}

#[test]
fn a_script_is_served_under_the_name_of_its_file() {
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
fn the_program_keeps_serving_when_stdout_is_closed() {
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

/// `script` runs a program on a terminal and copies what it prints.
#[test]
fn a_trace_is_colored_by_itself_only_on_a_terminal() {
    if !has_tool("script") {
        return;
    }
    let program = program_path();
    let program = format!("exec {} --trace --control --port 0", program.display());
    for (command, is_colored) in [
        (program.clone(), true),
        (format!("export NO_COLOR=; {program}"), true),
        (format!("export NO_COLOR=1; {program}"), false),
        (format!("export TERM=dumb; {program}"), false),
        (format!("{program} 2>&1 | cat"), false),
    ] {
        let mut terminal = std::process::Command::new("script");
        terminal.args(["-qec", &format!("unset NO_COLOR; TERM=xterm; {command}"), "/dev/null"]);
        let mut child = terminal.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let first = lines.next().unwrap();
        let address = first.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        Exchange::new(address, request("GET", "/stop", ""), PATIENCE);
        let request_line = lines.find(|line| line.contains("GET /stop HTTP/1.1")).unwrap();
        assert_eq!(request_line.contains("\x1b["), is_colored, "{command}: {request_line:?}");
        // Killing `script` would leave the server running.
        Exchange::new(address, request("POST", "/-/stop", ""), PATIENCE);
        lines.for_each(drop);
        child.wait().unwrap();
    }
}
