//! Every command in the documents prints what they show.

use crate::support::{eventually, example, has_tool, program_path, Folder};
use crate::transcript::{scripts, transcripts, with_address, Transcript};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// Tools without which a command cannot be run.
const TOOLS: [&str; 4] = ["curl", "cat", "sleep", "od"];
/// Options with which the program prints something and ends.
const PRINTING: [&str; 6] = ["--help", "--version", "--list", "--check", "--judge", "--capture"];
/// The examples that listen.
const LISTENING: [&str; 4] = ["one_chunk", "threads", "chunks", "broadcast"];

/// A transcript of a server is followed by one of a command to run beside it. All other commands use one server.
#[test]
fn every_command_in_the_documents_prints_what_they_show() {
    let folder = Arc::new(like_a_clone());
    let server = Arc::new(Server::start("cargo run", &folder.0));
    let transcripts = transcripts();
    assert!(transcripts.len() >= 30, "only {} transcripts are left in the documents", transcripts.len());
    let mut transcripts = transcripts.into_iter();
    let mut running = Vec::new();
    while let Some(transcript) = transcripts.next() {
        let folder = Arc::clone(&folder);
        if is_server(&transcript.command) {
            let beside = transcripts.next().unwrap();
            running.push(thread::spawn(move || assert_server(&transcript, &beside, &folder.0)));
        } else {
            let server = Arc::clone(&server);
            running.push(thread::spawn(move || assert_printed(&transcript, &server.address(), &folder.0)));
        }
    }
    // All of them are joined, so that every failure is reported.
    let failed = running.into_iter().map(thread::JoinHandle::join).filter(Result::is_err).count();
    assert_eq!(failed, 0, "commands that print something else");
}

/// A folder in which the commands find what they would find in a clone, and the scripts of the documents.
fn like_a_clone() -> Folder {
    let folder = Folder::new("documents");
    symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"), folder.0.join("examples")).unwrap();
    for (name, text) in scripts() {
        folder.file(name, format!("@# {name}\n{text}"));
    }
    folder
}

fn is_server(command: &str) -> bool {
    match command.strip_prefix("cargo run --example ") {
        Some(name) => LISTENING.contains(&name),
        None => command.starts_with("cargo run") && !PRINTING.iter().any(|option| command.contains(option)),
    }
}

/// Starts a server, runs a command beside it, and asserts that both print what is shown.
fn assert_server(transcript: &Transcript, beside: &Transcript, folder: &Path) {
    let server = Server::start(&transcript.command, folder);
    assert_printed(beside, &server.address(), folder);
    eventually(
        || transcript.compare(&server.lines()).err().map(|line| (line, server.lines())),
        Option::is_none,
    );
}

fn assert_printed(transcript: &Transcript, address: &str, folder: &Path) {
    let words: Vec<&str> = transcript.command.split(|c: char| !c.is_ascii_alphabetic()).collect();
    if !TOOLS.iter().filter(|tool| words.contains(tool)).all(|tool| has_tool(tool)) {
        return;
    }
    // On a busy machine, an event can be so late that its time has another digit, and its chunk another size.
    let mut printed = Vec::new();
    let mut missing = String::new();
    for _ in 0..3 {
        printed = run(&transcript.command, address, folder);
        match transcript.compare(&printed) {
            Ok(()) => return,
            Err(line) => missing = line.to_string(),
        }
    }
    let Transcript { document, command, .. } = transcript;
    panic!("{document}: $ {command}\nshould print {missing:?} there, but prints\n{}", printed.join("\n"));
}

/// The lines that a command prints, of both outputs, as in a terminal.
fn run(command: &str, address: &str, folder: &Path) -> Vec<String> {
    let client = format!("cargo run --example client http://{address}/events");
    let command = command.replace("cargo run --example client", &client);
    let completion = format!("cargo run --example completion {address}");
    let command = command.replace("cargo run --example completion", &completion);
    let command = with_programs(&with_address(&command, address));
    let command = command.replace("curl ", "curl --no-progress-meter --max-time 20 ");
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1; {command}")]).current_dir(folder);
    let output = shell.output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// The command with programs that are built already in place of those that Cargo builds and runs.
fn with_programs(command: &str) -> String {
    let quoted = |path: PathBuf| format!("'{}'", path.display());
    let mut command = command.to_owned();
    while let Some((before, rest)) = command.split_once("cargo run --example ") {
        let (name, arguments) = rest.split_once(' ').unwrap_or((rest, ""));
        command = format!("{before}{} {}", quoted(example(name)), arguments.trim_start_matches("-- "));
    }
    while let Some((before, rest)) = command.split_once(" target/debug/examples/") {
        let (name, arguments) = rest.split_once(' ').unwrap_or((rest, ""));
        command = format!("{before} {} {arguments}", quoted(example(name)));
    }
    let program = quoted(program_path());
    command.replace("cargo run --", &program).replace("cargo run", &program)
}

/// A server on a free port, killed when dropped, and the lines that it prints on stdout and stderr.
struct Server {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts the server of a command, which ends with the address to listen on or leaves it out.
    fn start(command: &str, folder: &Path) -> Server {
        let address = if command.contains("--example") { "127.0.0.1:0" } else { "127.0.0.1 0" };
        let command = command.split(" 127.0.0.1 ").next().unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec {} {address}", with_programs(command))]).current_dir(folder);
        let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        let server = Server { child, lines: Arc::default() };
        for output in outputs {
            let lines = Arc::clone(&server.lines);
            thread::spawn(move || {
                BufReader::new(output).lines().for_each(|line| lines.lock().unwrap().push(line.unwrap()));
            });
        }
        server
    }

    /// The address in the first line that it prints.
    fn address(&self) -> String {
        let first = eventually(|| self.lines().first().cloned(), Option::is_some).unwrap();
        let url = first.split("http://").nth(1).unwrap_or_else(|| panic!("the first line is {first:?}"));
        url.split('/').next().unwrap().to_owned()
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
