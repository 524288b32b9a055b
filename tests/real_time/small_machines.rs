//! What `examples/small-machines.md` says: the compiler of the distribution builds the program without Cargo, for ARM and
//! Windows as well, and a hundred clients fit into the limits.

use crate::built_in_scripts::{play_all, OPTIONS};
use crate::support::{
    chunk, eventually, example, has_tool, program_path, skip, timestamp_of, Client, Folder, Program,
    DEMO_HEAD, GREETING, OWN_THREADS,
};
use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const DOCUMENT: &str = include_str!("../../examples/small-machines.md");
/// Debian's compiler. `rustc` can be that of rustup.
const DEBIANS_RUSTC: &str = "/usr/bin/rustc";
/// Where Debian's package `libstd-rust-dev-windows` is installed.
const WINDOWS_LIBRARY: &str = "/usr/lib/rustlib/x86_64-pc-windows-gnu";

/// The lines of the section with this heading that contain `part`.
fn lines(heading: &str, part: &str) -> Vec<&'static str> {
    let section = DOCUMENT.split(&format!("\n## {heading}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    section.lines().filter(|line| line.contains(part)).collect()
}

/// A folder that looks to the compiler like a clone of the project.
fn clone_for(name: &str) -> Folder {
    let folder = Folder::new(name);
    symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), folder.0.join("src")).unwrap();
    fs::create_dir(folder.0.join("target")).unwrap();
    folder
}

/// Runs the two lines that build the program, after one that sets their variables, and returns the program's path.
/// Without `-O`, which takes most of the time and shows nothing new. With `nice`, because other tests measure time.
fn build(folder: &Folder, variables: &str, lines: &[&str]) -> PathBuf {
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        let arguments = line.strip_prefix("rustc -O ").unwrap();
        let command = format!("{variables}; nice {DEBIANS_RUSTC} {arguments}");
        let output = Command::new("sh").args(["-c", &command]).current_dir(&folder.0).output().unwrap();
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let program = lines[1].split(" -o ").nth(1).unwrap().split(' ').next().unwrap();
    let echo = Command::new("sh").args(["-c", &format!("{variables}; echo {program}")]).output().unwrap();
    folder.0.join(String::from_utf8(echo.stdout).unwrap().trim_end())
}

/// Asserts that the program plays every byte of the demo.
fn assert_plays_the_demo(program: &Program) {
    let mut client = Client::connect(program.address);
    assert_eq!(client.get("/events", "").read_head(), DEMO_HEAD);
    let greeting = chunk(GREETING);
    assert_eq!(client.read_exactly(greeting.len()), greeting);
    let mut events = 9;
    for n in 1..=15 {
        let data = client.read_chunk();
        timestamp_of(n, &data);
        events += data.matches("\n\n").count();
    }
    assert_eq!(events, 29);
    assert_eq!(client.read_exactly(5), "0\r\n\r\n");
}

pub fn the_distributions_compiler_builds_it_without_cargo() {
    if !has_tool(DEBIANS_RUSTC) {
        return;
    }
    let folder = clone_for("without-cargo");
    let path = build(&folder, "true", &lines("Without Cargo, rustup or a network", "rustc -O "));
    let version = Command::new(&path).arg("--version").output().unwrap().stdout;
    assert_eq!(version, format!("rust_sse_server {}\n", env!("CARGO_PKG_VERSION")).as_bytes());
    assert_plays_the_demo(&Program::start_under(&["env"], &path, &["--speed", "max"]));
}

pub fn it_runs_on_32_bit_arm() {
    if ["arm-linux-gnueabihf-gcc", "qemu-arm"].into_iter().all(has_tool) {
        runs_on_arm("arch=armhf ");
    }
}

pub fn it_runs_on_64_bit_arm() {
    if ["aarch64-linux-gnu-gcc", "qemu-aarch64"].into_iter().all(has_tool) {
        runs_on_arm("arch=arm64 ");
    }
}

fn runs_on_arm(architecture: &str) {
    let sysroot = match env::var_os("ARM_SYSROOT") {
        Some(sysroot) if has_tool(DEBIANS_RUSTC) => sysroot,
        _ => {
            return skip(
                "ARM_SYSROOT is not the folder into which the packages libstd-rust-dev are extracted",
            )
        }
    };
    let folder = clone_for(architecture.trim_end());
    symlink(sysroot, folder.0.join("target/sysroot")).unwrap();
    let variables = lines("For ARM", architecture)[0];
    let path = build(&folder, variables, &lines("For ARM", "rustc -O "));
    let (emulator, _) = lines("For ARM", "$qemu -L")[0].rsplit_once(' ').unwrap();
    let wrapper = ["sh", "-c", &format!("{variables}; exec {emulator} \"$@\""), "sh"];
    let program = Program::start_under(&wrapper, &path, &OPTIONS);
    assert_plays_the_demo(&program);
    drop(program);
    assert_plays_every_script(&Program::start_under(&wrapper, &path, &OPTIONS));
}

/// Asserts that the program, which has just started, sends for each script what the program on this machine sends.
fn assert_plays_every_script(program: &Program) {
    let (here, there) = (play_all(&Program::start(&OPTIONS)), play_all(program));
    for (script, sent) in here {
        assert_eq!(there[&script], sent, "{script}");
    }
}

pub fn one_core_and_32_mb_are_enough_for_every_script() {
    if !has_tool("taskset") {
        return;
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    let core = cores.trim().split(|c: char| !c.is_ascii_digit()).next().unwrap();
    let limits = format!("ulimit -v 32000; MALLOC_ARENA_MAX=1 exec taskset -c {core} \"$@\"");
    let program = Program::start_under(&["sh", "-c", &limits, "sh"], &program_path(), &OPTIONS);
    assert_plays_every_script(&program);
    let memory = program.memory();
    assert!(memory < 32_000, "{memory} kB");
    assert_eq!(program.end(), "");
}

/// A capture of tokens of 20 MB takes less than 1.5 times its size in memory, and is compiled once.
pub fn a_large_capture_takes_little_more_memory_than_its_text_and_is_loaded_soon() {
    const SIZE: usize = 20_000_000;
    let mut capture = String::with_capacity(SIZE + 1000);
    capture += "@literal on\n@chunk whole\n";
    for n in 0.. {
        if capture.len() >= SIZE {
            break;
        }
        let head = "\"id\":\"chatcmpl-CQ1bTfVb3mZkL0eYw8sNrXoPqUaHd\",\"object\":\"chat.completion.chunk\",\"created\":1748418359,\
            \"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_560af6e559\"";
        let choice =
            format!("{{\"index\":0,\"delta\":{{\"content\":\" word {n}\"}},\"logprobs\":null,\"finish_reason\":null}}");
        let event = format!("data: {{{head},\"choices\":[{choice}],\"usage\":null}}");
        capture += &format!("{event}\n\n@sleep {}ms\n", 10 + n % 50);
    }
    let folder = Folder::new("large-capture");
    let file = folder.file("capture.sse", &capture);
    let without = Program::start(&[]).memory() as f64 * 1024.0;
    let mut least_ticks = u64::MAX;
    for _ in 0..3 {
        let program = Program::start(&["--script", &file]);
        least_ticks = least_ticks.min(program.ticks());
        let ratio = (program.memory() as f64 * 1024.0 - without) / capture.len() as f64;
        assert!(ratio < 1.5, "{ratio} times its size");
    }
    // In seconds of processor time, because other tests use the processors as well. It takes 0.8 s in a debug build, 0.15 s in
    // a release build, and twice as long if the text is compiled twice.
    let limit = if cfg!(debug_assertions) { 240 } else { 40 };
    assert!(least_ticks < limit, "{least_ticks} ticks");
}

pub fn it_runs_under_wine() {
    if ![DEBIANS_RUSTC, "x86_64-w64-mingw32-gcc", "wine"].into_iter().all(has_tool) {
        return;
    }
    if !Path::new(WINDOWS_LIBRARY).exists() {
        return skip("libstd-rust-dev-windows is not installed");
    }
    let folder = clone_for("windows");
    let path = build(&folder, "true", &lines("For Windows", "rustc -O "));
    let prefix = format!("WINEPREFIX={}", folder.0.join("wine").display());
    let program =
        Program::start_under(&["env", &prefix, "WINEDEBUG=-all", "wine"], &path, &["--speed", "max"]);
    assert_plays_the_demo(&program);
    drop(program);
    // Wine leaves processes behind that still use the folder.
    let stopped = Command::new("env").args([&prefix, "wineserver", "--kill"]).status().unwrap();
    assert!(stopped.success());
}

pub fn a_hundred_clients_fit_into_the_limits() {
    let line = lines("A hundred clients", "(ulimit -v")[0];
    let (before, options) =
        line.trim_matches(|c| "()".contains(c)).split_once(" target/rust_sse_server ").unwrap();
    let (limits, setting) = before.rsplit_once("; ").unwrap();
    // `sh` sets the limits for itself and becomes the program, whose path and options are its arguments.
    // The code of a debug build is 4 MB larger than that of the release build, which the document is about.
    let limits = limits.replace("ulimit -v 26000", "ulimit -v 30000");
    let wrapper = ["sh", "-c", &format!("{limits}; export {setting}; exec \"$@\""), "sh"];
    let options: Vec<&str> = options.split(' ').chain(["--speed", "4"]).collect();
    let program = Program::start_under(&wrapper, &program_path(), &options);

    let mut storm = Command::new(example("storm"));
    storm.args(["--clients", "100", "--ramp", "200", "--demo", &program.url("/events")]);
    let storm = storm.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    eventually(|| program.threads(), |now| *now == OWN_THREADS + 100);
    let memory = program.memory();
    // A debug build; the figures in the document are those of a release build.
    assert!(memory < 11_000, "{memory} kB");
    let output = storm.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(program.end(), "");
}
