//! Judges a client that is a command: runs it once for each test case, with the URL of the case as its last argument, and
//! prints what came of each.

use rust_sse_server::{CaseResult, CaseRun, CaseVerdict, RunningServer, Server};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{channel, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Clients that run at the same time. More would make each other late on a small machine.
const PARALLEL: usize = 8;
/// The name of the client in the paths of cases.
const CLIENT: &str = "command";
/// How often a running client is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Which cases to run with which client.
#[derive(Debug, Default, PartialEq)]
pub struct JudgeOptions {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// The cases: names separated by commas, in which `*` stands for anything; empty for all.
    pub cases: String,
}

/// Runs all cases and prints their results. Returns whether the client violated no `must`.
///
/// # Errors
/// The server or the command could not be started.
pub fn judge(server: Server, options: &JudgeOptions) -> Result<bool, String> {
    let server = server.judge().start("127.0.0.1:0").map_err(|error| error.to_string())?;
    let cases: Vec<String> =
        server.cases().into_iter().filter(|id| matches_any(&options.cases, id)).collect();
    if cases.is_empty() {
        return Err(format!("no case matches `{}` (`--cases P*` are the cases on parsing)", options.cases));
    }
    let results = run_all(&server, options, &cases)?;
    let mut text = String::new();
    for result in &results {
        text += &format!("{result}\n");
    }
    text += &summary(&results);
    let written = io::stdout().write_all(text.as_bytes());
    written.map_err(|error| format!("cannot write to stdout: {error}"))?;
    Ok(!results.iter().any(CaseResult::is_violation))
}

/// Runs several cases at a time and returns the results in the order of the cases.
fn run_all(
    server: &RunningServer,
    options: &JudgeOptions,
    cases: &[String],
) -> Result<Vec<CaseResult>, String> {
    let waiting = Mutex::new(cases.iter().enumerate());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let (sender, receiver) = channel();
    thread::scope(|scope| {
        for _ in 0..PARALLEL {
            let sender: Sender<(usize, Result<CaseResult, String>)> = sender.clone();
            scope.spawn(move || {
                while let Some((index, id)) = next() {
                    if sender.send((index, run_case(server, &options.command, id))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut results = BTreeMap::new();
        for (index, result) in receiver {
            results.insert(index, result?);
        }
        Ok(results.into_values().collect())
    })
}

fn run_case(server: &RunningServer, command: &[OsString], id: &str) -> Result<CaseResult, String> {
    let run = server.judge(CLIENT, id).ok_or_else(|| format!("no case `{id}`"))?;
    let mut child = start(command, &server.url(&run.path()))?;
    let reader = report_events(&mut child, Arc::clone(&run));
    let mut has_ended = false;
    let result = loop {
        if let Some(result) = run.result() {
            break result;
        }
        if !has_ended && child.try_wait().map_or(true, |status| status.is_some()) {
            has_ended = true;
            run.client_ended();
        }
        thread::sleep(LOOK);
    };
    // An error means that it has ended already.
    let _ = child.kill();
    let _ = child.wait();
    drop(reader);
    Ok(result)
}

fn start(command: &[OsString], url: &str) -> Result<Child, String> {
    let (program, arguments) = command.split_first().ok_or("no command")?;
    let child = Command::new(program)
        .args(arguments)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    child.map_err(|error| format!("cannot start `{}`: {error}", program.to_string_lossy()))
}

/// Passes on the lines that the client prints, on a thread that ends with its output.
fn report_events(child: &mut Child, run: Arc<CaseRun>) -> Option<thread::JoinHandle<()>> {
    let output = child.stdout.take()?;
    let read = move || {
        for line in BufReader::new(output).lines() {
            match line {
                Ok(line) => run.report(&line),
                Err(_) => return,
            }
        }
    };
    thread::Builder::new().name("client output".to_owned()).spawn(read).ok()
}

/// How many cases there are of each verdict.
fn summary(results: &[CaseResult]) -> String {
    use CaseVerdict::{Fail, Info, NotReported, Pass, Slow};
    let mut counts = Vec::new();
    for verdict in [Pass, Fail, Slow, Info, NotReported] {
        let count = results.iter().filter(|result| result.verdict == verdict).count();
        if count > 0 {
            counts.push(format!("{count} {}", verdict.as_str()));
        }
    }
    format!("{} cases: {}\n", results.len(), counts.join(", "))
}

/// Whether a name matches one of the patterns that are separated by commas. An empty list matches every name.
fn matches_any(patterns: &str, name: &str) -> bool {
    patterns.is_empty() || patterns.split(',').any(|pattern| matches(pattern, name))
}

/// Whether a name matches a pattern in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => match name.strip_prefix(start) {
            Some(tail) => (0..=tail.len()).any(|at| tail.get(at..).map_or(false, |tail| matches(rest, tail))),
            None => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_names() {
        assert!(matches_any("", "P06"));
        assert!(matches_any("R*,P0*", "P06"));
        assert!(matches_any("P06", "P06"));
        assert!(!matches_any("P0,H*", "P06"));
        assert!(matches_any("*6*", "P06"));
    }
}
