//! The program as a child process.

use super::{eventually, PATIENCE};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// The program with these arguments, to be run to its end.
pub fn program(arguments: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::cargo_bin("rust_sse_server").unwrap();
    command.args(arguments).timeout(PATIENCE);
    command
}

/// The program as a child process, killed when dropped.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
    descriptors_at_start: usize,
    out: BufReader<ChildStdout>,
}

impl Program {
    /// Starts the program on a free port, with these options before HOST and PORT.
    pub fn start(options: &[&str]) -> Program {
        Program::start_at(0, options)
    }

    /// Starts the program on this port.
    pub fn start_at(port: u16, options: &[&str]) -> Program {
        Program::start_as(Command::new(program_path()), port, options)
    }

    /// Starts `program` through another program, the wrapper, which gets the path and the options as its last arguments.
    pub fn start_under(wrapper: &[&str], program: &Path, options: &[&str]) -> Program {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(program);
        Program::start_as(command, 0, options)
    }

    fn start_as(mut command: Command, port: u16, options: &[&str]) -> Program {
        command
            .args(options)
            .args(["127.0.0.1", &port.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let port = line.trim_end().trim_end_matches("/events").rsplit(':').next().unwrap();
        let port = port.parse().unwrap_or_else(|_| {
            // If it is still running, reading its stderr to the end would never return.
            let _ = child.kill();
            let mut errors = String::new();
            child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
            panic!("the first line is {line:?}, on stderr: {errors}");
        });
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut program = Program { child, address, descriptors_at_start: 0, out };
        program.descriptors_at_start = program.descriptors();
        program
    }

    /// Reads the next line from stdout, without its line end. Lines that say where the server listens are skipped; they
    /// are indented.
    pub fn line(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.out.read_line(&mut line).unwrap();
            if !line.starts_with(' ') {
                return line.trim_end_matches('\n').to_owned();
            }
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The processor time used so far, in ticks of 10 ms.
    pub fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    /// Waits until no client has a connection, for [`PATIENCE`] at most.
    pub fn wait_until_empty(&self) {
        eventually(|| self.descriptors(), |now| *now == self.descriptors_at_start);
    }

    pub fn threads(&self) -> usize {
        self.thread_ids().len()
    }

    /// The ids of the threads that exist now. Linux gives every new thread another id until all numbers have been used.
    pub fn thread_ids(&self) -> BTreeSet<u32> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        threads.map(|thread| thread.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect()
    }

    /// The name of a thread, as `top -H` and debuggers show it; `None` when the thread has ended.
    pub fn thread_name(&self, id: u32) -> Option<String> {
        let name = fs::read_to_string(format!("/proc/{}/task/{id}/comm", self.child.id())).ok()?;
        Some(name.trim_end().to_owned())
    }

    /// The number of open files; 0 where the system has no `/proc`.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    /// Resident memory in kB.
    pub fn memory(&self) -> usize {
        self.status("VmRSS:")
    }

    /// The most of it that there was at any time.
    pub fn peak_memory(&self) -> usize {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Waits until the program exits.
    pub fn wait(mut self) -> ExitStatus {
        eventually(|| self.child.try_wait().unwrap(), Option::is_some).unwrap()
    }

    /// Kills the program and returns what it wrote to stderr.
    pub fn end(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn program_path() -> PathBuf {
    assert_cmd::cargo::cargo_bin("rust_sse_server")
}
