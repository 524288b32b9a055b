//! A script takes at most one and a half times the memory of its file, also if its events are small.

mod support;

use support::{program_path, Folder, Program};

/// Bytes of a file, so that memory that does not depend on it hardly counts.
const FILE: usize = 4 * 1024 * 1024;

/// Bytes of memory that the program has with this script, without those that it has with a small one.
fn memory_of(script: &[u8]) -> usize {
    let folder = Folder::new("memory");
    let path = folder.file("script.sse", script);
    // With this, what was needed only to load the script is given back to the system at once.
    let wrapper = ["env", "MALLOC_MMAP_THRESHOLD_=65536"];
    let start = |path: &str| Program::start_under(&wrapper, &program_path(), &["--only", path]);
    let memory = |path: &str| start(path).memory() * 1024;
    let small = folder.file("small.sse", "data: 1\n\n");
    memory(&path).saturating_sub(memory(&small))
}

#[test]
fn a_script_takes_at_most_one_and_a_half_times_its_file() {
    if !cfg!(target_os = "linux") {
        return;
    }
    for size in [10, 40, 100, 200] {
        for direction in ["", "@sleep 1234ms\n", "@cut\n"] {
            let event = format!("data: {}\n\n{direction}", "x".repeat(size - 8));
            let script = event.repeat(FILE / event.len());
            let memory = memory_of(format!("@literal on\n{script}").as_bytes());
            assert!(2 * memory <= 3 * script.len(), "{size} {direction:?}: {memory} of {}", script.len());
        }
    }
}
