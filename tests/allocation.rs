//! Playing a script without placeholders allocates nothing, however long it is.

use rust_sse_server::internals::{
    ChunkedWriter, Clock, Framing, HeadReader, Player, RequestContext, WaitFor, Woken,
};
use rust_sse_server::{Script, Speed};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::AtomicUsize;
use std::time::{Instant, SystemTime};

struct Counting;

thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// The only unsafe code of this package: there is no other way to count allocations.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.with(|bytes| bytes.set(bytes.get() + layout.size()));
        COUNT.with(|count| count.set(count.get() + 1));
        System.alloc(layout)
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        System.dealloc(pointer, layout)
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Time that passes at once.
struct Leap(Instant);

impl Clock for Leap {
    fn now(&self) -> Instant {
        self.0
    }
    fn system_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
    fn wait(&mut self, wait: WaitFor<'_>) -> io::Result<Woken> {
        self.0 = wait.due().unwrap_or(self.0);
        Ok(Woken::Due)
    }
    fn check(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Allocations while a script plays, and their bytes.
fn allocated_by(text: &[u8]) -> (usize, usize) {
    let script = Script::parse("/test", text).unwrap();
    let mut reader = HeadReader::default();
    reader.push(b"GET /test HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    let context = RequestContext {
        request: &reader.finish().unwrap(),
        body: b"",
        ip: Ipv4Addr::LOCALHOST.into(),
        request_number: 1,
        after: None,
        visit: None,
        scripts: None,
        open_clients: &AtomicUsize::new(1),
        other_port: None,
        reuses_connection: false,
        random: &rust_sse_server::internals::Random::new(1, 1),
    };
    let part = script.part(context).unwrap();
    let body = ChunkedWriter::new(io::sink(), Framing::Chunked);
    let player = Player::new(context, b"HEAD".to_vec(), body, Leap(Instant::now()), Speed::NORMAL);
    let before = (COUNT.with(Cell::get), BYTES.with(Cell::get));
    player.play(part, part.start(context).unwrap()).unwrap();
    (COUNT.with(Cell::get) - before.0, BYTES.with(Cell::get) - before.1)
}

#[test]
fn the_longer_of_two_scripts_allocates_no_more_than_the_shorter() {
    let event = b"id: 1\ndata: some event\n\n@sleep 1s\n@send \\n\n@keepalive 300ms\n";
    let short = allocated_by(&event.repeat(400));
    let long = allocated_by(&event.repeat(40_000));
    assert_eq!(short, long);
    assert!(short.0 < 12 && short.1 < 10_000, "{short:?}");
}

#[test]
fn loops_allocate_nothing_for_their_turns() {
    let turns =
        |count: usize| allocated_by(format!("@repeat {count} every 1s\ndata: 1\n\n@again\n").as_bytes());
    assert_eq!(turns(1_000), turns(100_000));
}
