//! Plays every built-in script, to compare the program on one machine with the program on another.

use crate::support::{program_path, Client, Program};
use std::collections::BTreeMap;
use std::process::Command;

/// The options with which all programs send the same. The random values are those of the seed.
pub const OPTIONS: [&str; 4] = ["--speed", "max", "--seed", "1"];
/// A body that every script for POST accepts.
const BODY: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","model":"m","stream":true,"messages":[]}"#;
/// The streams that never end: only their first lines are compared.
const ENDLESS: [&str; 2] = ["/clock", "/hang"];
const LINES_OF_ENDLESS: usize = 2;
/// Left out, because a reset discards what has not been read yet.
const RESET: &str = "/reset";

/// What the program sends for each of its scripts, every run of digits in it replaced by `#`: dates, times and ports differ.
pub fn play_all(program: &Program) -> BTreeMap<String, String> {
    let list = Command::new(program_path()).arg("--list").output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let scripts = list.lines().map(|line| line.split("  ").next().unwrap());
    let scripts: Vec<&str> = scripts.filter(|script| *script != RESET).collect();
    assert!(scripts.len() >= 23, "{list}");
    scripts.into_iter().map(|script| (script.to_owned(), play(program, script))).collect()
}

/// The response to a request for a script, whose route is `/PATH` or `METHOD,METHOD /PATH`. HTTP/1.0 has no chunks, whose sizes
/// depend on the digits.
fn play(program: &Program, route: &str) -> String {
    let (methods, path) = route.split_once(' ').unwrap_or(("GET", route));
    let (method, path) = (methods.split(',').next().unwrap(), path.replace('*', "x"));
    let body = if method == "POST" { BODY } else { "" };
    let fields = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let mut client = Client::connect(program.address);
    client.send(format!("{method} {path} HTTP/1.0\r\n{fields}\r\n{body}"));
    let mut received = client.read_head();
    if ENDLESS.contains(&&*path) {
        (0..LINES_OF_ENDLESS).for_each(|_| received += &client.read_until("\n"));
    } else {
        received += &String::from_utf8_lossy(&client.read_to_any_end().0);
    }
    without_digits(&received)
}

fn without_digits(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if !c.is_ascii_digit() {
            out.push(c);
        } else if !out.ends_with('#') {
            out.push('#');
        }
    }
    out
}
