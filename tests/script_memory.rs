//! A script takes at most one and a half times the memory of its file, while it is loaded and later, also if its events are
//! small.

mod support;

use support::{program_path, Folder, Program};

/// Bytes of a file: enough that memory that does not depend on it hardly counts.
const FILE: usize = 4 * 1024 * 1024;

/// Bytes of memory that the program has after it has loaded a script, and the most that it had until then.
fn memory_with(script: &str) -> [usize; 2] {
    let folder = Folder::new("memory");
    let path = folder.file("script.sse", script);
    // With this, glibc gives memory back to the system at once, and the size of this file makes no difference.
    let wrapper = ["env", "MALLOC_MMAP_THRESHOLD_=65536"];
    let program = Program::start_under(&wrapper, &program_path(), &["--only", &path]);
    [program.memory(), program.peak_memory()].map(|kilobytes| kilobytes * 1024)
}

#[test]
fn a_script_takes_at_most_one_and_a_half_times_its_file() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let without = memory_with("data: 1\n\n");
    for size in [10, 40, 100, 200] {
        for direction in ["", "@sleep 1234ms\n", "@cut\n"] {
            let event = format!("data: {}\n\n{direction}", "x".repeat(size - 8));
            let script = format!("@literal on\n{}", event.repeat(FILE / event.len()));
            for (with, without) in memory_with(&script).into_iter().zip(without) {
                let memory = with.saturating_sub(without);
                let limit = script.len() * 3 / 2;
                assert!(memory <= limit, "{memory} bytes for events of {size} bytes and {direction:?}");
            }
        }
    }
}
