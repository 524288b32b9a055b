//! `--exit-with-stdin`: the program ends when standard input closes, so that no test leaves a server running.

mod support;

use assert_cmd::Command;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::{eventually, program_path, Client};

/// The program with a pipe as standard input, and the address that it listens on.
fn start(options: &[&str]) -> (Child, std::net::SocketAddr) {
    let mut command = std::process::Command::new(program_path());
    command.args(options).arg("0").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().trim_end_matches("/events").rsplit('/').next().unwrap();
    (child, address.parse().unwrap())
}

#[test]
fn the_program_ends_when_standard_input_closes_and_not_before() {
    let (mut child, address) = start(&["--exit-with-stdin"]);
    let mut client = Client::connect(address);
    client.get("/hang", "").read_head();
    child.stdin.as_mut().unwrap().write_all(b"what is written is ignored\n").unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(child.try_wait().unwrap(), None);

    let begin = Instant::now();
    drop(child.stdin.take());
    client.read_to_any_end();
    let status = eventually(|| child.try_wait().unwrap(), Option::is_some).unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
}

#[test]
fn without_the_option_standard_input_does_not_matter() {
    let (mut child, address) = start(&[]);
    drop(child.stdin.take());
    std::thread::sleep(Duration::from_millis(50));
    assert!(Client::connect(address).get("/stop", "").read_head().starts_with("HTTP/1.1 200 OK\r\n"));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Simulates a test run that is killed, so that nothing in it can end the program.
#[cfg(unix)]
#[test]
fn the_program_ends_when_the_one_that_started_it_is_killed() {
    let program = program_path();
    // The shell keeps the writing end of the pipe open, as a test would.
    let script = format!(
        "set -m; coproc {} --exit-with-stdin 0; read line <&${{COPROC[0]}}; echo $line; wait",
        program.display()
    );
    let mut command = std::process::Command::new("bash");
    let mut shell = command.args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(shell.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().trim_end_matches("/events").rsplit('/').next().unwrap();
    let mut client = Client::connect(address.parse().unwrap());
    client.get("/hang", "").read_head();
    shell.kill().unwrap();
    shell.wait().unwrap();
    client.read_to_any_end();
}

#[test]
fn a_script_from_standard_input_is_an_error() {
    let mut command = Command::cargo_bin("rust_sse_server").unwrap();
    command.args(["--exit-with-stdin", "-"]).assert().code(2).stderr(
        "rust_sse_server: `--exit-with-stdin` cannot be combined with `-`, which reads standard input to its end; see \
         --help\n",
    );
}
