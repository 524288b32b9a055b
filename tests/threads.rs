//! A thread per client: it starts when the client connects, serves only that client and ends when the client has left.
#![cfg(target_os = "linux")]

mod support;

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;
use support::{eventually, eventually_within, Client, Program, DEMO_HEAD, OWN_THREADS};

/// The longest that a thread may take to end after its client has left.
const TIME_TO_END: Duration = Duration::from_secs(2);

/// The program without a client, and the ids of the threads that it has then.
fn program_without_clients(options: &[&str]) -> (Program, BTreeSet<u32>) {
    let program = Program::start(options);
    let ids = eventually(|| program.thread_ids(), |ids| ids.len() == OWN_THREADS);
    (program, ids)
}

/// A client that has connected and has a response head, so that its thread has started.
fn served_client(program: &Program) -> Client {
    let mut client = Client::connect(program.address);
    assert_eq!(client.get("/events", "").read_head(), DEMO_HEAD);
    client
}

/// The ids of the threads that serve clients.
fn client_threads(program: &Program, others: &BTreeSet<u32>) -> Vec<u32> {
    program.thread_ids().difference(others).copied().collect()
}

fn assert_threads_end(program: &Program, others: &BTreeSet<u32>) {
    eventually_within(TIME_TO_END, || client_threads(program, others), Vec::is_empty);
    assert_eq!(program.thread_ids(), *others);
}

#[test]
fn each_of_six_clients_in_a_row_has_a_new_thread_that_ends_when_the_client_has_left() {
    let (program, others) = program_without_clients(&["--speed", "10"]);
    let mut used = BTreeSet::new();
    for number in 1..=6 {
        let client = served_client(&program);
        let ids = client_threads(&program, &others);
        assert_eq!(ids.len(), 1, "client {number} has the threads {ids:?}");
        assert_eq!(program.thread_name(ids[0]), Some(format!("client {number}")));
        assert!(used.insert(ids[0]), "client {number} has the thread {} of an earlier client", ids[0]);
        client.reset();
        assert_threads_end(&program, &others);
    }
}

#[test]
fn a_thread_ends_when_its_client_closes_an_idle_connection() {
    let (program, others) = program_without_clients(&["--speed", "max"]);
    let mut client = served_client(&program);
    client.read_until("\r\n0\r\n\r\n");
    assert_eq!(client_threads(&program, &others).len(), 1);
    drop(client);
    assert_threads_end(&program, &others);
}

#[test]
fn one_thread_serves_all_requests_of_a_connection() {
    let (program, others) = program_without_clients(&["--speed", "max"]);
    let mut client = served_client(&program);
    client.read_until("\r\n0\r\n\r\n");
    let ids = client_threads(&program, &others);
    client.get("/events", "").read_until("\r\n0\r\n\r\n");
    assert_eq!(client_threads(&program, &others), ids);
}

#[test]
fn six_clients_at_once_have_six_threads() {
    let (program, others) = program_without_clients(&["--speed", "10"]);
    let clients: Vec<Client> = (0..6).map(|_| served_client(&program)).collect();
    let ids = client_threads(&program, &others);
    assert_eq!(ids.len(), 6);
    let names: BTreeSet<String> = ids.iter().filter_map(|id| program.thread_name(*id)).collect();
    assert_eq!(names, (1..=6).map(|number| format!("client {number}")).collect());
    clients.into_iter().for_each(Client::reset);
    assert_threads_end(&program, &others);
}

#[test]
fn five_hundred_clients_that_connect_at_once_are_all_served() {
    const CLIENTS_EACH: usize = 50;
    let (program, others) = program_without_clients(&["--speed", "10", "--max-clients", "1000"]);
    let start = Barrier::new(10);
    let connect = || {
        start.wait();
        let mut clients: Vec<Client> = (0..CLIENTS_EACH).map(|_| Client::connect(program.address)).collect();
        for client in &mut clients {
            assert_eq!(client.get("/events", "").read_head(), DEMO_HEAD);
        }
        clients
    };
    let clients: Vec<Client> = thread::scope(|scope| {
        let connecting: Vec<_> = (0..10).map(|_| scope.spawn(connect)).collect();
        connecting.into_iter().flat_map(|clients| clients.join().unwrap()).collect()
    });
    assert_eq!(client_threads(&program, &others).len(), clients.len());
    drop(clients);
    eventually(|| program.threads(), |threads| *threads == OWN_THREADS);
    assert_eq!(program.end(), "", "unexpected output on stderr");
}
