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

/// A line as it is compared: without CR, with one date for all, and timestamps that are a little late as if they were not.
fn normal(line: &str) -> String {
    let line = line.trim_end();
    if line.starts_with("date: ") {
        return "date: *".to_owned();
    }
    let mark = ["timestamp", "data message at"].iter().find_map(|mark| line.find(mark));
    mark.map_or(line.to_owned(), |mark| punctual(line, mark))
}

/// The line with the number behind `mark` cut to whole seconds, which all timestamps in the README are.
fn punctual(line: &str, mark: usize) -> String {
    let is_digit = |c: char| c.is_ascii_digit();
    let start = line[mark..].find(is_digit).map_or(line.len(), |at| mark + at);
    let length = line[start..].find(|c| !is_digit(c)).unwrap_or(line.len() - start);
    let (number, rest) = line[start..].split_at(length);
    let seconds = number.parse::<u64>().map_or(String::new(), |number| (number - number % 1_000).to_string());
    format!("{}{seconds}{rest}", &line[..start])
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
