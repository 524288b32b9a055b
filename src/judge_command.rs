//! Judges a client that is a command: runs it once for each test case, with the URL of the case as its last argument,
//! and prints the result of each.

mod known;
mod progress;

use known::Known;
use progress::Progress;
use rust_sse_server::internals::{Profile, Selection};
use rust_sse_server::{CaseResult, CaseRun, Report, RunningServer, Server};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{channel, Sender};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread;
use std::time::Duration;

/// Clients that run at the same time. More would make each other late on a small machine.
const PARALLEL: usize = 8;
/// The name of the client in the paths of cases.
const CLIENT: &str = "command";
/// How often a running client is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// The longest line of a client's output that is kept, including its line end. Like the body of a report over HTTP, it has
/// room for the events of all cases, the largest of which has 5 MiB.
const MAX_LINE: usize = 16 << 20;

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
    let reader = report_events(&mut child, Arc::clone(&run));
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

/// Passes on the lines that the client prints, on a thread that ends with its output.
fn report_events(child: &mut Child, run: Arc<CaseRun>) -> Option<thread::JoinHandle<()>> {
    let mut output = BufReader::new(child.stdout.take()?);
    let read = move || {
        let mut line = Vec::new();
        while let Ok(Some(length)) = read_line(&mut output, &mut line) {
            if length > MAX_LINE {
                warn_about_long_line();
            } else {
                run.report(&String::from_utf8_lossy(&line));
            }
        }
    };
    thread::Builder::new().name("client output".to_owned()).spawn(read).ok()
}

/// Reads a line and returns its length, or `None` at the end of the output. Of a line that is too long, the rest is read as
/// well, because a client blocks when nobody reads its output, but it is not kept.
fn read_line(output: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<usize>> {
    line.clear();
    output.take(MAX_LINE as u64 + 1).read_until(b'\n', line)?;
    let mut length = line.len();
    let mut is_complete = line.last() == Some(&b'\n');
    while length > MAX_LINE && !is_complete {
        let bytes = match output.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        let line_end = bytes.iter().position(|&byte| byte == b'\n');
        is_complete = line_end.is_some() || bytes.is_empty();
        let read = line_end.map_or(bytes.len(), |at| at + 1);
        output.consume(read);
        length += read;
    }
    Ok(Some(length).filter(|length| *length > 0))
}

/// Warns once: a client that prints such a line usually does so in every case.
fn warn_about_long_line() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        // An error here means that stderr is closed, and there is no other place to report it.
        let _ = writeln!(
            io::stderr(),
            "rust_sse_server: warning: the client printed a line of more than {} MiB, which is ignored (each event has to be \
             a line of JSON)",
            MAX_LINE >> 20
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_line_that_is_too_long_is_not_kept() {
        let mut output = b"short\n".to_vec();
        output.resize(6 + 2 * MAX_LINE, b'x');
        output.extend_from_slice(b"\n\nlast");
        let (mut output, mut line) = (output.as_slice(), Vec::new());
        for (length, kept) in [(6, 6), (2 * MAX_LINE + 1, MAX_LINE + 1), (1, 1), (4, 4)] {
            assert_eq!(read_line(&mut output, &mut line).unwrap(), Some(length));
            assert_eq!(line.len(), kept);
        }
        assert_eq!(read_line(&mut output, &mut line).unwrap(), None);
    }

    #[test]
    fn a_line_of_the_largest_size_is_kept() {
        let text = [vec![b'x'; MAX_LINE - 1], b"\n".to_vec()].concat();
        let (mut output, mut line) = (text.as_slice(), Vec::new());
        assert_eq!(read_line(&mut output, &mut line).unwrap(), Some(MAX_LINE));
        assert_eq!(line, text);
    }
}
