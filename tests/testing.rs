//! The suites in `examples/testing` pass in each language, and its README shows how they start the program.

mod support;

#[path = "../examples/testing/feed.rs"]
mod feed;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use support::{has_tool, program_path, skip};

/// The longest time that a suite may take on a busy machine, without compiling. On an idle machine, each takes about a
/// second, or two with a browser.
const LONGEST: Duration = Duration::from_secs(10);
/// How often a suite is run until it passes in time: a busy machine makes clients late.
const ATTEMPTS: usize = 3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/testing")
}

/// A command in the folder of the suites, which finds the program in `PATH`.
fn command(program: &str, arguments: &[&str]) -> Command {
    let folders = [program_path().parent().unwrap().to_owned()];
    let others = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(folders.into_iter().chain(env::split_paths(&others))).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder()).env("PATH", path);
    command
}

/// Whether a command succeeds.
fn succeeds(mut command: Command) -> bool {
    command.output().map_or(false, |output| output.status.success())
}

/// Runs a suite, while no other runs.
fn assert_passes(mut suite: Command) {
    static RUNS: Mutex<()> = Mutex::new(());
    let _runs = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut failures = String::new();
    for _ in 0..ATTEMPTS {
        let begin = Instant::now();
        let output = suite.output().unwrap();
        let time = begin.elapsed();
        if output.status.success() && time < LONGEST {
            return;
        }
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        failures += &format!("after {time:?}:\n{out}{err}\n");
    }
    panic!("{failures}");
}

#[test]
fn node() {
    if !has_tool("node") {
        return;
    }
    if !succeeds(command("node", &["-e", "require.resolve('eventsource'); require('node:test')"])) {
        return skip("Node does not find the package `eventsource`, or is older than version 18");
    }
    assert_passes(command("node", &["--test", "feed.test.cjs"]));
}

/// The command that runs a file of tests with pytest, if these modules are installed. It writes nothing to the folder.
fn pytest(file: &str, modules: &str) -> Option<Command> {
    let python = env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if !succeeds(command(&python, &["-c", &format!("import {modules}")])) {
        skip(&format!("Python does not have all of these modules: {modules}"));
        return None;
    }
    let mut suite = command(&python, &["-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", file]);
    suite.env_remove("PYTEST_ADDOPTS");
    Some(suite)
}

#[test]
fn python() {
    if let Some(suite) = pytest("test_feed.py", "httpx_sse, pytest") {
        assert_passes(suite);
    }
}

#[test]
fn a_page_in_a_browser() {
    if !has_tool("chromium") {
        return;
    }
    if let Some(suite) = pytest("test_page.py", "httpx, playwright, pytest") {
        assert_passes(suite);
    }
}

#[test]
fn go() {
    if !has_tool("go") {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let suite = folder.join("feed.test");
    let mut build = command("go", &["test", "-c", "-o", suite.to_str().unwrap()]);
    let output = build.env("GOCACHE", folder.join("go")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_passes(command(suite.to_str().unwrap(), &[]));
}

#[test]
fn the_readme_shows_how_each_language_starts_the_program_in_at_most_20_lines() {
    for (language, file, from) in [
        ("js", "server.cjs", ""),
        ("python", "server.py", ""),
        ("go", "server_test.go", "// The program ends"),
    ] {
        let glue = shown_in_readme(language, file, from);
        let lines = glue.lines().filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        assert!(lines <= 20, "{file}: {lines} lines");
    }
    shown_in_readme("python", "test_page.py", "def test_");
}

/// The end of a file, which the README shows.
fn shown_in_readme(language: &str, file: &str, from: &str) -> String {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let text = fs::read_to_string(folder().join(file)).unwrap();
    let shown = &text[text.find(from).unwrap()..];
    assert!(readme.contains(&format!("```{language}\n{shown}```\n")), "{file}");
    shown.to_owned()
}
