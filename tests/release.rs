//! A release build takes as little memory for a client as the documents say. The test builds one, so it runs only where all
//! tools are required.

mod support;

use std::path::Path;
use std::process::Command;
use support::{skip, Client, Program};

const CLIENTS: usize = 500;
/// About 11 kB, as README.md says. With another page of stack, it would be 15.
const MAX_PER_CLIENT: f64 = 12.0;

#[test]
fn a_client_takes_about_11_kb() {
    if !cfg!(target_os = "linux") || std::env::var_os("REQUIRE_TOOLS").is_none() {
        return skip("REQUIRE_TOOLS is not set, and this needs a release build on Linux");
    }
    let built = Command::new(env!("CARGO")).args(["build", "--release", "--quiet"]).status().unwrap();
    assert!(built.success());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("release/rust_sse_server");
    let program = Program::start_under(&["env"], &path, &[]);
    let before = program.memory();
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| Client::connect(program.address)).collect();
    for client in &mut clients {
        client.get("/events", "");
    }
    for client in &mut clients {
        client.read_until("id: 2\n");
    }
    let per_client = (program.memory() - before) as f64 / CLIENTS as f64;
    assert!(per_client < MAX_PER_CLIENT, "{per_client} kB");
}
