//! Every command in the README prints what the README shows.

use crate::support::{example, has_tool, program_path, Program};
use std::process::Command;
use std::thread;

const README: &str = include_str!("../../README.md");

/// Stands in a transcript for any number of lines.
const ANY_LINES: &str = "…";
/// Begins a remark of ours behind a line of a transcript.
const REMARK: &str = " ← ";

#[test]
fn every_command_in_the_readme_prints_what_it_shows() {
    if !has_tool("curl") {
        return;
    }
    let program = Program::start(&[]);
    let transcripts = transcripts();
    assert!(transcripts.len() >= 6, "only {} commands are left in the README", transcripts.len());
    let running: Vec<_> = transcripts
        .into_iter()
        .map(|(command, shown)| {
            let url = program.url("");
            thread::spawn(move || {
                let printed = run(&command, &url);
                (command, shown, printed)
            })
        })
        .collect();
    for transcript in running {
        let (command, shown, printed) = transcript.join().unwrap();
        if let Err(line) = compare(&shown, &printed) {
            panic!(
                "{command}\nthe README's line {line:?} is not printed there; printed is\n{}",
                printed.join("\n")
            );
        }
    }
}

/// The command and the lines of every block that begins with `$ `.
fn transcripts() -> Vec<(String, Vec<String>)> {
    let blocks = README.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let transcript = |block: &str| {
        let margin = block.len() - block.trim_start().len();
        let mut lines = block.lines().map(|line| line.get(margin..).unwrap_or_default());
        let command = lines.next().unwrap().strip_prefix("$ ").unwrap().to_owned();
        let mut lines: Vec<String> = lines.map(|line| normal(line.split(REMARK).next().unwrap())).collect();
        if margin > 0 {
            // The closing fence is indented like the rest.
            lines.pop();
        }
        (command, lines)
    };
    blocks.map(transcript).collect()
}

fn run(command: &str, url: &str) -> Vec<String> {
    let program = program_path();
    let client = example("client");
    let command = command
        .replace("cargo run --example client", &format!("{} {url}/events", client.display()))
        .replace("cargo run --", &program.display().to_string())
        .replace("curl ", "curl --no-progress-meter --max-time 20 ")
        .replace("http://127.0.0.1:8080", url);
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(normal).collect()
}

/// A line as it is compared: without CR, with one date for all, with timestamps in whole seconds.
fn normal(line: &str) -> String {
    let line = line.trim_end();
    if line.starts_with("date: ") {
        return "date: *".to_owned();
    }
    line.split_inclusive(|c: char| !c.is_ascii_digit()).map(whole_seconds).collect()
}

/// `1002"` is `1000"`, for an event may be a little late.
fn whole_seconds(piece: &str) -> String {
    let digits = piece.trim_end_matches(|c: char| !c.is_ascii_digit());
    match digits.parse::<u64>() {
        Ok(number) if number >= 1_000 => format!("{}{}", number - number % 100, &piece[digits.len()..]),
        _ => piece.to_owned(),
    }
}

/// The first line shown that is not printed in its place.
fn compare(shown: &[String], printed: &[String]) -> Result<(), String> {
    let mut printed = printed.iter();
    let mut skipping = false;
    for line in shown {
        if line == ANY_LINES {
            skipping = true;
            continue;
        }
        let found = if skipping { printed.any(|other| other == line) } else { printed.next() == Some(line) };
        if !found {
            return Err(line.clone());
        }
        skipping = false;
    }
    match printed.next() {
        Some(more) if !skipping => Err(format!("(end) but {more}")),
        _ => Ok(()),
    }
}
