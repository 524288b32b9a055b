//! Two hundred clients that request all built-in scripts repeatedly leave nothing behind. The environment variable
//! `SOAK` sets the number of seconds.
#![cfg(target_os = "linux")]

mod support;

use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use support::{eventually, program_path, request, Program, OWN_THREADS};

const CLIENTS: usize = 200;
/// How long a client stays with a stream that does not end.
const TIME_FOR_A_STREAM: Duration = Duration::from_millis(300);
/// How much the memory may grow from the middle to the end, in kB: what the allocator keeps for 200 threads varies.
const MEMORY_MARGIN: usize = 6_000;

const OVERLOAD: &str =
    "rust_sse_server: closing some clients without a response: too many to send each of them a 503\n";

/// A request for each built-in script, from the routes that `--list` prints.
fn requests() -> Vec<String> {
    let output = Command::new(program_path()).arg("--list").output().unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    let of_line = |line: &str| {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap();
        if first.starts_with('/') {
            return request("GET", first, "");
        }
        let method = first.split(',').next().unwrap();
        let body = r#"{"stream": true}"#;
        request(method, words.next().unwrap(), &format!("Content-Length: {}\r\n", body.len())) + body
    };
    list.lines().map(of_line).collect()
}

/// Sends a request on a new connection and reads until the response ends, or for a while. Some scripts are meant to
/// cause errors.
fn visit(program: &Program, request: &str) -> std::io::Result<usize> {
    let deadline = Instant::now() + TIME_FOR_A_STREAM;
    let mut stream = TcpStream::connect(program.address)?;
    stream.set_read_timeout(Some(TIME_FOR_A_STREAM))?;
    stream.write_all(request.as_bytes())?;
    let mut buffer = [0; 16 * 1024];
    let mut total = 0;
    while Instant::now() < deadline {
        match stream.read(&mut buffer)? {
            0 => break,
            length => total += length,
        }
        if buffer.starts_with(b"0\r\n\r\n") || buffer.windows(7).any(|end| end == b"\r\n0\r\n\r\n") {
            break;
        }
    }
    Ok(total)
}

/// Lets all clients go through the requests until this time. Returns how many responses had bytes.
fn run_until(program: &Program, requests: &[String], end: Instant) -> usize {
    let responses = AtomicUsize::new(0);
    thread::scope(|scope| {
        for first in 0..CLIENTS {
            let responses = &responses;
            scope.spawn(move || {
                for request in requests.iter().cycle().skip(first) {
                    if Instant::now() > end {
                        break;
                    }
                    if matches!(visit(program, request), Ok(bytes) if bytes > 0) {
                        responses.fetch_add(1, Relaxed);
                    }
                }
            });
        }
    });
    responses.into_inner()
}

#[test]
fn two_hundred_clients_leave_no_thread_no_descriptor_and_no_memory_behind() {
    let seconds = env::var("SOAK").map_or(2.0, |seconds| seconds.parse().unwrap());
    let half = Duration::from_secs_f64(seconds / 2.0);
    let program = Program::start(&["--speed", "50", "--max-clients", "1000"]);
    let requests = requests();
    assert!(requests.len() >= 19, "{requests:?}");

    let mut responses = run_until(&program, &requests, Instant::now() + half);
    eventually(|| program.threads(), |threads| *threads == OWN_THREADS);
    program.wait_until_empty();
    let memory_in_the_middle = program.memory();

    responses += run_until(&program, &requests, Instant::now() + half);
    eventually(|| program.threads(), |threads| *threads == OWN_THREADS);
    program.wait_until_empty();
    let memory = program.memory();

    println!("{responses} responses, {memory_in_the_middle} kB in the middle, {memory} kB at the end");
    assert!(responses > requests.len(), "only {responses} responses");
    assert!(memory < memory_in_the_middle + MEMORY_MARGIN, "{memory_in_the_middle} kB, then {memory} kB");
    // On a busy machine, more connections wait for their end than the limit allows.
    let errors = program.end().replace(OVERLOAD, "");
    assert_eq!(errors, "", "unexpected output on stderr");
}
