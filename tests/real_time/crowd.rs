//! Thousands of clients that send slowly, send nothing, read nothing or disconnect have no lasting cost, and a
//! well-behaved client beside them gets every event in time.

use crate::support::{
    eventually, has_tool, program_path, timestamp_of, Client, Program, GREETING, OWN_THREADS,
};
use std::time::{Duration, Instant};

pub fn thousands_of_bad_clients_leave_nothing_behind() {
    if !has_tool("prlimit") {
        return;
    }
    let program = Program::start_under(&["prlimit", "--nofile=4096"], &program_path(), &["--speed", "5"]);
    let before = (OWN_THREADS, program.descriptors());
    let memory = program.memory();
    let address = program.address;

    let connect = |count: usize| (0..count).map(|_| Client::connect(address)).collect::<Vec<Client>>();
    let silent = connect(500);
    let mut slow = connect(200);
    let mut never_reading = connect(20);
    for client in &mut never_reading {
        for _ in 0..20 {
            client.get("/events", "");
        }
    }
    for byte in b"GET /eve" {
        for client in &mut slow {
            client.send([*byte]);
        }
    }
    eventually(|| program.threads(), |now| *now == before.0 + 720);
    let good = Client::connect(address);
    let good = std::thread::spawn(move || well_behaved(good));
    for _ in 0..5_000 {
        drop(Client::connect(address));
    }

    good.join().unwrap();
    drop((silent, slow, never_reading));
    eventually(|| (program.threads(), program.descriptors()), |now| *now == before);
    let grown = program.memory().saturating_sub(memory);
    // glibc keeps 40 MB of address space of ended threads' stacks for the next threads, and about 16 kB of each stack stay in
    // memory: 10 MB in all. If those of all these clients stayed, it would be 90 MB.
    assert!(grown < 20_000, "{grown} kB more than before");
    // On a busy machine, there can be more clients at a time than can be told that there are too many.
    let warning =
        "rust_sse_server: closing some clients without a response: too many to send each of them a 503\n";
    let errors = program.end();
    assert!(["", warning].contains(&&*errors), "{errors}");
}

/// Reads the demo at five times its speed and asserts that no event is late.
fn well_behaved(mut client: Client) {
    let start = Instant::now();
    client.get("/events", "").read_head();
    assert_eq!(client.read_chunk(), GREETING);
    for n in 1..=15 {
        timestamp_of(n, &client.read_chunk());
        let late = start.elapsed().saturating_sub(Duration::from_millis(u64::from(n) * 200));
        assert!(late < Duration::from_secs(2), "event {n} came {late:?} late");
    }
    assert_eq!(client.read_chunk(), "");
}
