//! Sends nothing: starts threads. `Builder::spawn` is compiled anew for each thing that a thread can do, and is large; by
//! way of this function it is compiled once.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

/// What a thread does, or several of them.
pub type Run = Arc<dyn Fn() + Send + Sync>;

/// Starts a thread of this kind that calls `run` once.
///
/// # Errors
/// The system has no thread to give; `std::thread::spawn` would panic.
pub fn start(kind: Builder, run: Run) -> io::Result<JoinHandle<()>> {
    kind.spawn(move || run())
}

/// A thread that tools show under this name.
pub fn named(name: &str) -> Builder {
    Builder::new().name(name.to_owned())
}
