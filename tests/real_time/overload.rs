//! Overload: a client that cannot be served gets 503 at once, and connected clients are not affected.

use crate::support::{eventually, field, has_tool, program_path, skip, Client, Folder, Program, DEMO_HEAD};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

const REJECTION: &str = "503 Service Unavailable: too many clients, come back later\n";

fn assert_rejected(client: &mut Client) {
    let (head, body) = client.read_answer();
    assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{head}");
    assert_eq!((field(&head, "retry-after"), field(&head, "connection")), (Some("2"), Some("close")));
    assert_eq!(body, REJECTION);
    client.assert_closed();
}

pub fn a_client_over_max_clients_gets_503_until_another_leaves() {
    let program = Program::start(&["--max-clients", "2"]);
    let mut first = Client::connect(program.address);
    let mut second = Client::connect(program.address);
    for client in [&mut first, &mut second] {
        assert_eq!(client.get("/events", "").read_head(), DEMO_HEAD);
    }
    let mut third = Client::connect(program.address);
    assert_rejected(third.get("/events", ""));
    assert_rejected(&mut Client::connect(program.address));
    first.reset();
    let response = || Client::connect(program.address).get("/events", "").read_until("\r\n");
    eventually(response, |line| line == "HTTP/1.1 200 OK\r\n");
    second.read_until("data: test\n\n\r\n");
}

pub fn without_descriptors_connected_clients_are_served_and_new_ones_wait() {
    if !has_tool("prlimit") {
        return;
    }
    let program = Program::start_under(&["prlimit", "--nofile=12"], &program_path(), &[]);
    let mut clients: Vec<Client> = (0..20).map(|_| Client::connect(program.address)).collect();
    std::thread::sleep(Duration::from_millis(300));
    let ticks = program.ticks();
    assert_eq!(clients[0].get("/events", "").read_head(), DEMO_HEAD);
    clients[0].read_until("Event 1\"");
    assert!(program.ticks() - ticks < 20, "accepting uses processor time while no descriptor is free");
    let mut last = clients.pop().unwrap();
    drop(clients);
    assert_eq!(last.get("/events", "").read_head(), DEMO_HEAD);
    let log = program.end();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(
        log.starts_with("rust_sse_server: cannot accept a connection, trying again: Too many open files"),
        "{log}"
    );
}

pub fn without_threads_a_new_client_gets_503_and_the_others_are_served() {
    if !["prlimit", "setpriv", "install"].into_iter().all(has_tool) {
        return;
    }
    if fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).ok() != Some(0) {
        return skip("only root can run the program as a user without other threads");
    }
    // A user without other processes cannot read root's folders, so the program is copied to where that user can. Another
    // process copies it: a file that this process writes cannot be run ("Text file busy") while a child that another case
    // has just forked still has it open.
    let folder = Folder::new("threads");
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.0.join("rust_sse_server");
    let copied =
        Command::new("install").args(["-m", "755"]).args([&program_path(), &program]).status().unwrap();
    assert!(copied.success());
    let as_other_user = ["prlimit", "--nproc=8", "setpriv", "--reuid=61234", "--clear-groups"];
    let program = Program::start_under(&as_other_user, &program, &[]);
    let mut connected: Vec<Client> = (0..3).map(|_| Client::connect(program.address)).collect();
    for client in &mut connected {
        assert_eq!(client.get("/events", "").read_head(), DEMO_HEAD);
    }
    assert_rejected(Client::connect(program.address).get("/events", ""));
    // Several at once are rejected as a single one is.
    let mut burst: Vec<Client> = (0..5).map(|_| Client::connect(program.address)).collect();
    for client in &mut burst {
        assert_rejected(client.get("/events", ""));
    }
    connected[0].read_until("Event 1\"");
    connected.pop().unwrap().reset();
    let response = || Client::connect(program.address).get("/events", "").read_until("\r\n");
    eventually(response, |line| line == "HTTP/1.1 200 OK\r\n");
    let log = program.end();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.starts_with("rust_sse_server: cannot start a thread, responding with 503: "), "{log}");
}

pub fn a_max_clients_above_what_the_system_can_serve_is_an_error_that_names_the_limit() {
    let output = Command::new(program_path()).args(["--max-clients", "100000000"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        message.starts_with(
            "rust_sse_server: --max-clients: cannot serve 100000000 clients (vm.max_map_count allows "
        ),
        "{message}"
    );
    let figure = message.split("allows ").nth(1).unwrap().split(')').next().unwrap();
    let program = Program::start(&["--max-clients", figure]);
    assert_eq!(Client::connect(program.address).get("/events", "").read_head(), DEMO_HEAD);
}
