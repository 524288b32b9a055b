//! Judges a client that is a command: runs it once for each test case, with the URL of the case as its last argument,
//! and prints the result of each.

mod known;
mod output;
mod progress;

use known::Known;
use progress::Progress;
use rust_sse_server::internals::{Profile, Selection};
use rust_sse_server::{CaseResult, CaseRun, Report, RunningServer, Server};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
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

/// Which cases to run with which client, and where to report.
#[derive(Debug, Default, PartialEq)]
pub struct JudgeOptions {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// The cases.
    pub selection: Selection,
    /// The folder for `report.json`, `junit.xml` and `index.html`.
    pub report: Option<PathBuf>,
    /// The file that lists the cases which the client may fail.
    pub known: Option<PathBuf>,
}

impl JudgeOptions {
    /// The first given option that needs a command. Over HTTP, clients say which cases they want.
    pub fn needs_command(&self) -> Option<&'static str> {
        let given = [
            ("--profile", self.selection.profile != Profile::default()),
            ("--cases", self.selection.cases.is_some()),
            ("--report", self.report.is_some()),
            ("--known", self.known.is_some()),
        ];
        given.iter().find(|(_, is_given)| *is_given).map(|(option, _)| *option)
    }
}

/// Runs the cases on a server that has them, shows the progress on a terminal, and prints and writes the results.
/// Returns whether every `must` that the client failed is known to fail, and no case that is known to fail has passed.
///
/// # Errors
/// The server or the command cannot be started, no case is chosen, or a file cannot be read or written.
pub fn judge(
    server: Server,
    options: &JudgeOptions,
    terminal: Option<Box<dyn Write>>,
) -> Result<bool, String> {
    let known = options.known.as_deref().map_or(Ok(Vec::new()), known::read)?;
    let server = server.start("127.0.0.1:0").map_err(|error| error.to_string())?;
    let cases: Vec<String> = server.cases().into_iter().filter(|id| options.selection.includes(id)).collect();
    if cases.is_empty() {
        return Err("no case has such a name (`--cases 'P*'` selects the cases on parsing)".to_owned());
    }
    let client: Vec<_> = options.command.iter().map(|word| word.to_string_lossy()).collect();
    let progress = Progress::new(cases.len(), terminal);
    let report = Report::new(client.join(" "), run_all(&server, options, &cases, progress)?);
    if let Some(folder) = &options.report {
        write_files(&report, folder)?;
    }
    print(&report, &known)
}

/// Prints the results, and returns whether all is well.
fn print(report: &Report, known: &[Known]) -> Result<bool, String> {
    let mut text = String::new();
    let mut passed = true;
    for result in &report.results {
        let reason = known::reason(known, result).filter(|_| result.is_violation());
        passed &= !result.is_violation() || reason.is_some();
        let reason = reason.map_or_else(String::new, |reason| format!(" [known: {reason}]"));
        text += &format!("{result}{reason}\n");
    }
    text += &format!("{}\n", report.summary());
    for id in known::outdated(known, &report.results) {
        passed = false;
        text += &format!("{id} is listed as known to fail, but it passes: remove it from the list\n");
    }
    let written = io::stdout().write_all(text.as_bytes());
    written.map_err(|error| format!("cannot write to stdout: {error}"))?;
    Ok(passed)
}

fn write_files(report: &Report, folder: &Path) -> Result<(), String> {
    let cannot_write = |error| format!("cannot write to {}: {error}", folder.to_string_lossy());
    fs::create_dir_all(folder).map_err(cannot_write)?;
    for (name, text) in [
        ("report.json", report.to_json()),
        ("junit.xml", report.to_junit()),
        ("index.html", report.to_html()),
    ] {
        fs::write(folder.join(name), text).map_err(cannot_write)?;
    }
    Ok(())
}

/// Runs several cases at a time and returns the results in the order of the cases.
fn run_all(
    server: &RunningServer,
    options: &JudgeOptions,
    cases: &[String],
    mut progress: Progress,
) -> Result<Vec<CaseResult>, String> {
    // The last cases are on reconnecting. They take the longest, so they begin first.
    let waiting = Mutex::new(cases.iter().enumerate().rev());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let (sender, receiver) = channel();
    thread::scope(|scope| {
        for _ in 0..PARALLEL {
            let sender: Sender<(usize, Result<Arc<CaseRun>, String>)> = sender.clone();
            scope.spawn(move || {
                while let Some((index, id)) = next() {
                    if sender.send((index, run_case(server, &options.command, id))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut runs = BTreeMap::new();
        for (index, run) in receiver {
            runs.insert(index, run?);
            progress.show(runs.len());
        }
        // Only now is it known whether the client reports events at all, which decides some cases.
        Ok(runs.values().filter_map(|run| run.result()).collect())
    })
}

/// Runs the client until the case is decided.
fn run_case(server: &RunningServer, command: &[OsString], id: &str) -> Result<Arc<CaseRun>, String> {
    let run = server.judge(CLIENT, id).ok_or_else(|| format!("no case `{id}`"))?;
    let mut child = start(command, &server.case_url(&run))?;
    let reader = output::report_lines(&mut child, Arc::clone(&run));
    let mut has_ended = false;
    while run.result().is_none() {
        let all_is_read = reader.as_ref().map_or(true, |reader| reader.is_finished());
        if !has_ended && all_is_read && child.try_wait().map_or(true, |status| status.is_some()) {
            has_ended = true;
            run.client_ended();
        }
        thread::sleep(LOOK);
    }
    // An error means that it has ended already.
    let _ = child.kill();
    let _ = child.wait();
    Ok(run)
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
