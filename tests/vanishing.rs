//! Clients that go away: what they held is free again, and nobody else notices.
#![cfg(target_os = "linux")]

mod support;

use std::time::{Duration, Instant};
use support::{eventually, Client, Folder, Program};

/// A program that serves an hour of silence at `/hour`.
fn hour_of_silence(name: &str) -> (Program, Folder) {
    let folder = Folder::new(name);
    let script = folder.file("hour.sse", "data: 1\n\n@sleep 1h\ndata: 2\n\n");
    (Program::start(&["--script", &script]), folder)
}

#[test]
fn a_reset_is_noticed_within_a_second_in_the_middle_of_an_hour() {
    let (program, _folder) = hour_of_silence("reset");
    let threads = program.threads();
    let mut client = Client::connect(program.address);
    client.get("/hour", "");
    eventually(|| program.threads(), |now| *now == threads + 1);
    let start = Instant::now();
    client.reset();
    eventually(|| program.threads(), |now| *now == threads);
    assert!(start.elapsed() < Duration::from_millis(1_500), "{:?}", start.elapsed());
    assert_eq!(program.end(), "");
}

#[test]
fn a_reset_is_noticed_although_request_bytes_lie_unread() {
    let (program, _folder) = hour_of_silence("unread");
    let threads = program.threads();
    let mut client = Client::connect(program.address);
    client.get("/hour", "").get("/hour", "");
    client.reset();
    eventually(|| program.threads(), |now| *now == threads);
}

#[test]
fn a_client_that_closes_is_noticed_at_the_second_write() {
    let program = Program::start(&["--speed", "10"]);
    let threads = program.threads();
    let mut client = Client::connect(program.address);
    client.get("/events", "").read_head();
    client.read_chunk();
    drop(client);
    let start = Instant::now();
    eventually(|| program.threads(), |now| *now == threads);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn connecting_and_vanishing_leaves_nothing_behind() {
    let program = Program::start(&[]);
    let (threads, descriptors) = (program.threads(), program.descriptors());
    for _ in 0..200 {
        drop(Client::connect(program.address));
    }
    eventually(|| (program.threads(), program.descriptors()), |now| *now == (threads, descriptors));
    assert_eq!(program.end(), "");
}
