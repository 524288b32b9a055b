//! Disconnecting clients: the server notices in time and releases their threads and descriptors.

use crate::support::{eventually, Client, Folder, Program, OWN_THREADS};
use std::time::{Duration, Instant};

/// How long it takes to notice that a client that requested this script `requests` times has reset its connection.
fn noticed_after(name: &str, script: &str, requests: usize) -> Duration {
    let folder = Folder::new(name);
    let script = folder.file("script.sse", script);
    let program = Program::start(&["--script", &script]);
    let mut client = Client::connect(program.address);
    for _ in 0..requests {
        client.get("/script", "");
    }
    eventually(|| program.threads(), |now| *now == OWN_THREADS + 1);
    let start = Instant::now();
    client.reset();
    program.wait_until_empty();
    let taken = start.elapsed();
    assert_eq!(program.end(), "");
    taken
}

/// More than a second, because the machine may be busy.
const NOTICE: Duration = Duration::from_millis(1_500);

pub fn a_reset_is_noticed_within_a_second_during_a_sleep_of_an_hour() {
    let taken = noticed_after("hour", "data: 1\n\n@sleep 1h\ndata: 2\n\n", 1);
    assert!(taken < NOTICE, "{taken:?}");
}

pub fn a_reset_is_noticed_when_request_bytes_are_unread() {
    let taken = noticed_after("unread", "data: 1\n\n@sleep 1h\ndata: 2\n\n", 2);
    assert!(taken < NOTICE, "{taken:?}");
}

pub fn a_reset_is_noticed_in_a_series_of_short_sleeps() {
    let taken = noticed_after("short", "data: 1\n\n@repeat forever\n@sleep 900ms\n@again\n", 1);
    assert!(taken < NOTICE, "{taken:?}");
    let taken = noticed_after("series", &format!("data: 1\n\n{}", "@sleep 900ms\n".repeat(20)), 1);
    assert!(taken < NOTICE, "{taken:?}");
}

pub fn a_close_is_noticed_at_the_second_write() {
    let program = Program::start(&["--speed", "10"]);
    let mut client = Client::connect(program.address);
    client.get("/events", "").read_head();
    client.read_chunk();
    drop(client);
    let start = Instant::now();
    program.wait_until_empty();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

pub fn clients_that_disconnect_at_once_leave_nothing_behind() {
    let program = Program::start(&[]);
    let descriptors = program.descriptors();
    for _ in 0..200 {
        drop(Client::connect(program.address));
    }
    let now = || (program.threads(), program.descriptors());
    eventually(now, |now| *now == (OWN_THREADS, descriptors));
    assert_eq!(program.end(), "");
}
