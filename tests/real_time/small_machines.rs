//! What the README says of small machines: the distribution's compiler builds the program without Cargo, for 32-bit ARM as
//! well, and a hundred clients fit into the limits it names.

use crate::support::{
    chunk, eventually, example, has_tool, program_path, skip, timestamp_of, Client, Folder, Program,
    DEMO_HEAD, GREETING, OWN_THREADS,
};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const README: &str = include_str!("../../README.md");
/// Debian's; what `rustc` alone means may be rustup's.
const DEBIANS_RUSTC: &str = "/usr/bin/rustc";

/// The lines of the README's section that hold this.
fn lines(part: &str) -> Vec<&'static str> {
    let section = README.split("## Small machines\n").nth(1).unwrap().split("\n## ").next().unwrap();
    section.lines().filter(|line| line.contains(part)).collect()
}

/// A folder that looks to the compiler like a clone of the project.
fn clone_for(name: &str) -> Folder {
    let folder = Folder::new(name);
    symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), folder.0.join("src")).unwrap();
    fs::create_dir(folder.0.join("target")).unwrap();
    folder
}

/// Runs the README's two lines there and gives the program they make. What `-O` leaves to do would take most of the time
/// and shows nothing new. The compiler is `nice`, for the tests beside it mind the time.
fn build(folder: &Folder, lines: &[&str]) -> PathBuf {
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        let arguments = line.strip_prefix("rustc -O ").unwrap();
        let command = format!("nice {DEBIANS_RUSTC} {arguments}");
        let output = Command::new("sh").args(["-c", &command]).current_dir(&folder.0).output().unwrap();
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let program = lines[1].split(" -o ").nth(1).unwrap().split(' ').next().unwrap();
    folder.0.join(program)
}

/// Asserts that it plays the demo, every byte of it.
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
    let mut lines = lines("rustc -O ");
    lines.retain(|line| !line.contains("--target"));
    let path = build(&folder, &lines);
    let version = Command::new(&path).arg("--version").output().unwrap().stdout;
    assert_eq!(version, format!("rust_sse_server {}\n", env!("CARGO_PKG_VERSION")).as_bytes());
    assert_plays_the_demo(&Program::start_under(&["env"], &path, &["--speed", "max"]));
}

pub fn it_runs_on_32_bit_arm() {
    if ![DEBIANS_RUSTC, "arm-linux-gnueabihf-gcc", "qemu-arm"].into_iter().all(has_tool) {
        return;
    }
    let sysroot = match std::env::var_os("ARM_SYSROOT") {
        Some(sysroot) => sysroot,
        None => return skip("ARM_SYSROOT does not say where libstd-rust-dev:armhf is unpacked"),
    };
    let folder = clone_for("arm");
    symlink(sysroot, folder.0.join("target/sysroot")).unwrap();
    let path = build(&folder, &lines("rustc -O --target armv7-unknown-linux-gnueabihf "));
    let (emulator, program) = lines("qemu-arm -L")[0].rsplit_once(' ').unwrap();
    assert_eq!(folder.0.join(program), path);
    let emulator: Vec<&str> = emulator.split(' ').collect();
    assert_plays_the_demo(&Program::start_under(&emulator, &path, &["--speed", "max"]));
}

pub fn a_hundred_clients_fit_into_the_readmes_limits() {
    let line = lines("ulimit -v")[0];
    let (before, options) =
        line.trim_matches(|c| "()".contains(c)).split_once(" target/rust_sse_server ").unwrap();
    let (limits, setting) = before.rsplit_once("; ").unwrap();
    // `sh` applies the limits to itself and becomes the program, whose path and options come as its arguments.
    let under_limits = format!("{limits}; export {setting}; exec \"$@\"");
    let mut options: Vec<&str> = options.split(' ').collect();
    options.extend(["--speed", "4"]);
    let wrapper = ["sh", "-c", &under_limits, "sh"];
    let program = Program::start_under(&wrapper, &program_path(), &options);

    let mut storm = Command::new(example("storm"));
    storm.args(["--clients", "100", "--ramp", "200", &program.url("/events")]);
    let storm =
        storm.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    eventually(|| program.threads(), |now| *now == OWN_THREADS + 100);
    let memory = program.memory();
    assert!(memory < 8_000, "{memory} kB");
    let output = storm.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(program.end(), "");
}
