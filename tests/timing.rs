//! Events arrive when they are due: not earlier, one by one, and not delayed by earlier events or by other clients.

mod support;

use std::thread;
use std::time::{Duration, Instant};
use support::{assert_takes, demo, serve, timestamp_of, Client, GREETING};

#[test]
fn the_greeting_arrives_at_once_and_the_first_event_after_a_second() {
    let server = demo("1");
    let mut client = Client::connect(server.address());
    let start = Instant::now();
    client.get("/events", "").read_head();
    assert_eq!(client.read_chunk(), GREETING);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    client.assert_silent_for(Duration::from_millis(900).saturating_sub(start.elapsed()));
    assert!(timestamp_of(1, &client.read_chunk()) < 100);
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn timestamps_show_the_elapsed_time_without_drift() {
    let server = demo("10");
    let mut client = Client::connect(server.address());
    let start = Instant::now();
    client.get("/events", "").read_head();
    client.read_chunk();
    // Single events can be late on a busy machine, but the delay must not keep growing.
    let mut least_late = i64::MAX;
    for n in 1..=15 {
        let timestamp = timestamp_of(n, &client.read_chunk());
        let late = timestamp as i64 - (i64::from(n) - 1) * 100;
        assert!((0..500).contains(&late), "step {n} was sent {late} ms late");
        least_late = if n > 8 { least_late.min(late) } else { least_late };
        assert!(start.elapsed() >= Duration::from_millis(u64::from(n) * 100), "step {n} came early");
    }
    assert_eq!(client.read_chunk(), "");
    assert!(least_late < 50, "all steps after the 8th were sent at least {least_late} ms late");
}

#[test]
fn the_last_chunk_arrives_with_the_last_event() {
    let server = serve("1", &[("/two", b"data: 1\n\n@sleep 50ms\ndata: 2\n\n")]);
    let mut client = Client::connect(server.address());
    client.get("/two", "").read_head();
    client.read_chunk();
    assert_eq!(client.read_chunk(), "data: 2\n\n");
    let event = Instant::now();
    assert_eq!(client.read_chunk(), "");
    assert!(event.elapsed() < Duration::from_millis(500), "{:?}", event.elapsed());
}

#[test]
fn a_sleep_before_the_first_line_delays_the_head() {
    let server = serve("1", &[("/slow", b"@sleep 300ms\ndata: 1\n\n")]);
    let mut client = Client::connect(server.address());
    client.get("/slow", "").assert_silent_for(Duration::from_millis(200));
    client.read_head();
    assert_eq!(client.read_chunk(), "data: 1\n\n");
}

#[test]
fn a_client_that_reads_nothing_does_not_delay_another() {
    let server = serve("10", &[("/endless", b"@fill 24M x\n")]);
    let mut stuck = Client::connect(server.address());
    stuck.get("/endless", "").read_head();
    assert_takes(1_500..1_700, || {
        let mut client = Client::connect(server.address());
        let start = Instant::now();
        client.get("/events", "").read_until("\r\n0\r\n\r\n");
        start.elapsed()
    });
}

#[test]
fn fifty_clients_are_timed_independently() {
    let server = demo("20");
    let clients = (0..50).map(|n| {
        let address = server.address();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(n * 7));
            let start = Instant::now();
            Client::connect(address).get("/events", "").read_until("\r\n0\r\n\r\n");
            start.elapsed()
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut totals: Vec<_> = clients.into_iter().map(|client| client.join().unwrap().as_millis()).collect();
    totals.sort_unstable();
    // A busy machine delays a few of them.
    assert!(totals[0] >= 750 && totals[totals.len() / 2] < 1_000, "{totals:?}");
    assert!(totals[totals.len() * 9 / 10] < 2_000, "{totals:?}");
}
