//! Every command in the README prints what the README shows.

use crate::support::{eventually, example, has_tool, program_path, Program};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

const README: &str = include_str!("../../README.md");

/// Stands in a transcript for any number of lines.
const ANY_LINES: &str = "…";
/// Begins a remark of ours behind a line of a transcript.
const REMARK: &str = " ← ";
/// A server whose own output is shown; the transcript after it is of the command that runs beside it.
const SERVERS: [&str; 2] = ["cargo run -- --trace", "cargo run -- --log"];
/// What else commands need: those of which it is missing are skipped.
const OTHER_TOOLS: [&str; 2] = ["cat", "sleep"];
/// What follows these on a line differs from run to run or from one curl to another.
const VARYING: [&str; 7] = [
    "date: ",
    "Host: ",
    "User-Agent: ",
    "connection from ",
    "* wait          ",
    "Starting SSE server at ",
    "curl: (",
];

/// A command, and the lines shown under it.
type Transcript = (String, Vec<String>);

#[test]
fn every_command_in_the_readme_prints_what_it_shows() {
    if !has_tool("curl") {
        return;
    }
    let program = Program::start(&[]);
    let transcripts = transcripts();
    assert!(transcripts.len() >= 20, "only {} commands are left in the README", transcripts.len());
    let mut running = Vec::new();
    let mut transcripts = transcripts.into_iter();
    while let Some((command, shown)) = transcripts.next() {
        if SERVERS.contains(&command.as_str()) {
            let beside = transcripts.next().unwrap();
            running.push(thread::spawn(move || assert_server(&command, &shown, &beside)));
        } else if needs(&command).all(has_tool) {
            let url = program.url("");
            running.push(thread::spawn(move || assert_printed(&(command, shown), &url)));
        }
    }
    // All of them, so that every mistake is told.
    let failed = running.into_iter().map(thread::JoinHandle::join).filter(Result::is_err).count();
    assert_eq!(failed, 0, "commands that print something else");
}

fn needs(command: &str) -> impl Iterator<Item = &'static str> + '_ {
    let is_word = |tool: &&str| command.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word == *tool);
    OTHER_TOOLS.into_iter().filter(is_word)
}

fn assert_printed((command, shown): &Transcript, url: &str) {
    let printed = run(command, url);
    if let Err(line) = compare(shown, &printed) {
        panic!(
            "{command}\nthe README's line {line:?} is not printed there; printed is\n{}",
            printed.join("\n")
        );
    }
}

/// Starts a server, runs the command beside it, and asserts that both print what is shown.
fn assert_server(command: &str, shown: &[String], beside: &Transcript) {
    let server = Watched::start(command.rsplit(' ').next().unwrap());
    let url = eventually(|| server.url(), Option::is_some).unwrap();
    assert_printed(beside, &url);
    let differs = || compare(shown, &server.lines()).err().map(|line| (line, server.lines()));
    eventually(differs, Option::is_none);
}

/// A server, ended when dropped, and all it prints, on stdout and on stderr.
struct Watched(Child, Arc<Mutex<Vec<String>>>);

impl Watched {
    fn start(option: &str) -> Watched {
        let mut command = Command::new(program_path());
        command.args([option, "127.0.0.1", "0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        let server = Watched(child, Arc::default());
        for output in outputs {
            let lines = Arc::clone(&server.1);
            thread::spawn(move || {
                BufReader::new(output).lines().for_each(|line| lines.lock().unwrap().push(line.unwrap()));
            });
        }
        server
    }

    fn url(&self) -> Option<String> {
        let lines = self.1.lock().unwrap();
        Some(lines.first()?.strip_prefix("Starting SSE server at ")?.trim_end_matches("/events").to_owned())
    }

    fn lines(&self) -> Vec<String> {
        self.1.lock().unwrap().iter().map(|line| normal(line)).collect()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The command and the lines of every block that begins with `$ `.
fn transcripts() -> Vec<Transcript> {
    let blocks = README.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let transcript = |block: &str| {
        let mut lines = block.lines();
        let command = lines.next().unwrap().strip_prefix("$ ").unwrap().to_owned();
        // The remarks in a trace are its own.
        let is_ours = !SERVERS.contains(&command.as_str());
        let shown = |line: &str| match line.split_once(REMARK) {
            Some((line, _)) if is_ours => normal(line),
            _ => normal(line),
        };
        let lines = lines.map(shown).collect();
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
    // Both outputs in one, as in a terminal.
    let output = Command::new("sh").args(["-c", &format!("exec 2>&1; {command}")]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(normal).collect()
}

/// A line as it is compared: without CR, without what varies, and timestamps that are a little late as if they were not.
fn normal(line: &str) -> String {
    let line = without_times(line.trim_end());
    if let Some((at, mark)) = VARYING.iter().find_map(|mark| Some((line.find(mark)? + mark.len(), mark))) {
        // Of curl's message, the exit status stays: the number in parentheses.
        let status = if mark.ends_with('(') { line[at..].split(')').next() } else { None };
        return format!("{}{}*", &line[..at], status.unwrap_or_default());
    }
    let mark = ["timestamp", "data message at"].iter().find_map(|mark| line.find(mark));
    mark.map_or(line.clone(), |mark| punctual(&line, mark))
}

/// The line without the times of a trace, `#1   0.123 `, and of a log, `…T…Z` and `seconds=0.123`.
fn without_times(line: &str) -> String {
    if let Some((number, rest)) = line.strip_prefix('#').and_then(|line| line.split_once(' ')) {
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || " .".contains(c));
        return format!("#{number} {rest}");
    }
    let log = ["Z request client=", "Z end client="].iter().find_map(|mark| line.find(mark));
    match log {
        Some(at) => {
            let line = &line[at..];
            let seconds = line.split("seconds=").nth(1).and_then(|rest| rest.split(' ').next());
            line.replace(&format!("seconds={}", seconds.unwrap_or_default()), "seconds=*")
        }
        None => line.to_owned(),
    }
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
