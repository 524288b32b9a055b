//! What the command line says.

use super::address::Address;
use crate::judge_command::JudgeOptions;
use rust_sse_server::Speed;
use std::path::PathBuf;

/// What the program does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Command {
    /// `--help`
    Help,
    /// `--version`
    Version,
    /// `--check`
    Check,
    /// `--list`
    List,
    /// `--judge`
    Judge,
    /// `--capture`
    Capture,
    /// Without any of these options.
    #[default]
    Serve,
}

/// What the command line says.
#[derive(Debug, Default, PartialEq)]
pub struct Options {
    pub command: Command,
    pub address: Address,
    /// Files to serve beside the built-in scripts: also folders, and `-` for standard input.
    pub scripts: Vec<PathBuf>,
    /// Whether the built-in scripts and the page are left out.
    pub only: bool,
    /// The folder whose files are served beside the scripts.
    pub static_files: Option<PathBuf>,
    /// Whether warnings about scripts are errors.
    pub strict: bool,
    /// `None` for the server's default.
    pub speed: Option<Speed>,
    /// The seed of random waits; `None` for a different one in every run.
    pub seed: Option<u64>,
    /// `None` for the server's default.
    pub max_clients: Option<usize>,
    /// In bytes; `None` for the server's default.
    pub max_body: Option<usize>,
    /// The file that requests are appended to; `-` for stdout.
    pub journal: Option<PathBuf>,
    pub control: bool,
    /// Names of this machine that may be used for paths under `/-/`, besides `host`.
    pub allowed_hosts: Vec<String>,
    /// Whether the program exits when standard input closes.
    pub exit_with_stdin: bool,
    pub trace: bool,
    /// When the trace is colored.
    pub color: Color,
    pub log: bool,
    pub judge: JudgeOptions,
}

impl Options {
    /// Whether every request gets 404, and no test can change that.
    pub fn serves_nothing(&self) -> bool {
        let has_cases = self.command == Command::Judge;
        self.only && self.scripts.is_empty() && self.static_files.is_none() && !self.control && !has_cases
    }
}

/// When the trace is colored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    Always,
    Never,
}
