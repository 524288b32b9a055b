//! How many threads a process can have.

use std::fs;

/// Memory mappings of a thread on Linux: its stack and the guard page below it, and the same for its signal stack.
const MAPPINGS_PER_THREAD: usize = 4;
/// Memory mappings left for everything else: the program, its libraries, and the arenas of the allocator. These are some
/// hundreds in all.
const OTHER_MAPPINGS: usize = 1_000;

/// How many client threads this machine supports, as far as that is known.
pub(super) fn thread_limit() -> usize {
    let text = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    match text.trim_end().parse::<usize>() {
        Ok(mappings) => mappings.saturating_sub(OTHER_MAPPINGS) / MAPPINGS_PER_THREAD,
        Err(_) => usize::MAX,
    }
}
