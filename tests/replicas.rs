//! Behind a proxy with a configuration of `examples/proxies`, any server continues a stream that another one began: every
//! client gets every event once and in order while the servers are killed one after another.

mod support;

use rust_sse_server::{Event, EventSource, EventStream};
use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Receiver};
use std::thread;
use std::time::{Duration, Instant};
use support::{eventually, has_tool, play, Folder, Program, Proxy, PATIENCE};

const SCRIPT: &str = include_str!("../examples/proxies/chat.sse");
const HAPROXY: &str = include_str!("../examples/proxies/haproxy.cfg");
const NGINX: &str = include_str!("../examples/proxies/nginx.conf");

/// How fast the script is played. It lasts 20 s, and the servers are killed within the first two of these four seconds.
const SPEED: &str = "5";
const CLIENTS: usize = 50;
/// The fewest streams of one server if the proxy distributes the clients at all.
const FEWEST_STREAMS: usize = CLIENTS / 5;

#[test]
fn behind_haproxy_every_client_gets_every_event_once() {
    if has_tool("haproxy") {
        every_client_gets_every_event_once(|servers| Proxy::haproxy(HAPROXY, servers));
    }
}

#[test]
fn behind_nginx_every_client_gets_every_event_once() {
    if has_tool("nginx") {
        every_client_gets_every_event_once(|servers| Proxy::nginx(NGINX, servers));
    }
}

/// Kills A, then B, so that C alone has all the clients; then starts A again and kills C.
fn every_client_gets_every_event_once(start_proxy: fn(&[SocketAddr]) -> Proxy) {
    let replicas = ["a", "b", "c"].map(|_| Replica::start(0));
    let addresses: Vec<_> = replicas.iter().map(|replica| replica.program.address).collect();
    let proxy = start_proxy(&addresses);
    assert!(proxy.get("/-/scripts").starts_with("HTTP/1.1 403 "), "the proxy passes internal paths on");
    let [a, b, c] = replicas;
    let port_of_a = a.program.address.port();
    let mut crowd = Crowd::start(&proxy.url("/chat"));
    crowd.wait_until_all_stream();

    let on_a = a.kill();
    assert!(on_a >= FEWEST_STREAMS, "{on_a} streams on A");
    crowd.wait_until_lost(on_a);
    let on_b = b.kill();
    assert!(on_b >= FEWEST_STREAMS + on_a / 3, "{on_b} streams on B, with its share of A's {on_a}");
    crowd.wait_until_lost(on_a + on_b);
    let a = Replica::start(port_of_a);
    wait_until_it_uses(&proxy, &a);
    assert_eq!(c.kill(), CLIENTS);
    crowd.wait_until_lost(on_a + on_b + CLIENTS);

    crowd.wait_until_all_have_ended();
    assert_eq!(
        a.requests("/chat"),
        2 * CLIENTS,
        "each client reconnects after C's end and after the last event"
    );
}

/// A server that plays the script and records the requests in its journal.
struct Replica {
    program: Program,
    folder: Folder,
}

impl Replica {
    fn start(port: u16) -> Replica {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let folder = Folder::new(&format!("replica-{}", STARTED.fetch_add(1, Ordering::Relaxed)));
        let script = folder.file("chat.sse", SCRIPT);
        let journal = folder.file("journal", "");
        let options = ["--speed", SPEED, "--script", &script, "--journal", &journal];
        Replica { program: Program::start_at(port, &options), folder }
    }

    /// The number of requests for this target so far.
    fn requests(&self, target: &str) -> usize {
        let journal = fs::read_to_string(self.folder.0.join("journal")).unwrap();
        journal.matches(&format!("\"target\":\"{target}\"")).count()
    }

    /// Kills it and returns the number of streams that this cut off: all that it ever began, because no client leaves
    /// before the last event.
    fn kill(self) -> usize {
        let streams = self.requests("/chat");
        assert_eq!(self.program.end(), "");
        streams
    }
}

/// The IDs and the data of the script's events, as a client without a proxy gets them.
fn events_of_the_script() -> Vec<(String, String)> {
    let mut events = Vec::new();
    EventStream::default().push(&play(SCRIPT, "max").data().0, |_, event| {
        events.push((event.id.unwrap(), event.data.unwrap()));
    });
    events
}

/// Sends requests until one of them reaches this replica.
fn wait_until_it_uses(proxy: &Proxy, replica: &Replica) {
    let reached = || {
        proxy.get("/nothing");
        replica.requests("/nothing")
    };
    eventually(reached, |requests| *requests > 0);
}

/// Clients that read the same stream, each on its thread.
struct Crowd {
    sources: Vec<EventSource>,
    dispatched: Receiver<(usize, Event)>,
    seen: Vec<Seen>,
}

/// What was dispatched to one client.
#[derive(Clone, Debug, Default)]
struct Seen {
    events: Vec<(String, String)>,
    errors: Vec<String>,
    /// Whether an event came after the last error.
    streams: bool,
}

impl Crowd {
    fn start(url: &str) -> Crowd {
        let (sender, dispatched) = channel();
        let sources: Vec<_> = (0..CLIENTS).map(|_| EventSource::new(url).unwrap()).collect();
        for (client, source) in sources.iter().enumerate() {
            for event in ["message", "error"] {
                let sender = sender.clone();
                source.add_event_listener(event, move |event| drop(sender.send((client, event.clone()))));
            }
            let source = source.clone();
            thread::spawn(move || source.run());
        }
        Crowd { sources, dispatched, seen: vec![Seen::default(); CLIENTS] }
    }

    /// Waits until every client has got an event.
    fn wait_until_all_stream(&mut self) {
        self.wait_until_lost(0);
    }

    /// Waits until `count` streams were lost in total and every client gets events again.
    fn wait_until_lost(&mut self, count: usize) {
        self.wait(|crowd| {
            let errors: Vec<&String> = crowd.seen.iter().flat_map(|seen| &seen.errors).collect();
            assert!(errors.iter().all(|error| error.starts_with("connection lost: ")), "{crowd}");
            errors.len() == count && crowd.seen.iter().all(|seen| seen.streams)
        });
    }

    /// Waits until every client got 204, and asserts what was dispatched to it.
    fn wait_until_all_have_ended(&mut self) {
        const END: [&str; 2] = ["connection closed by server", "status 204: the server has no more events"];
        self.wait(|crowd| crowd.seen.iter().all(|seen| seen.errors.iter().any(|error| error == END[1])));
        let events = events_of_the_script();
        assert_eq!(events.len(), 20);
        for seen in &self.seen {
            assert_eq!(seen.events, events);
            assert!(seen.errors.ends_with(&END.map(str::to_owned)), "{:?}", seen.errors);
        }
    }

    /// Receives events until this holds, for [`PATIENCE`] at most.
    fn wait(&mut self, holds: impl Fn(&Crowd) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            match self.dispatched.recv_timeout(left) {
                Ok((client, event)) => self.seen[client].take(event),
                Err(_) => panic!("{self}"),
            }
            assert!(Instant::now() < deadline, "{self}");
        }
    }
}

impl Seen {
    fn take(&mut self, event: Event) {
        self.streams = event.id.is_some();
        match event.id {
            Some(id) => self.events.push((id, event.data.unwrap_or_default())),
            None => self.errors.push(event.data.unwrap_or_default()),
        }
    }
}

/// The last event of each client, and its errors.
impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.seen
            .iter()
            .try_for_each(|seen| writeln!(f, "at {:?} after {:?}", seen.events.last(), seen.errors))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.sources.iter().for_each(EventSource::close);
    }
}
