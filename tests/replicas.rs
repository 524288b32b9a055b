//! Behind a proxy, any replica goes on where another was killed: every client gets every id once, in order.

mod support;

use rust_sse_server::{Event, EventSource};
use std::fmt;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Receiver};
use std::thread;
use std::time::{Duration, Instant};
use support::{eventually, has_tool, Client, Folder, Program, PATIENCE};

const README: &str = include_str!("../README.md");

const CLIENTS: usize = 50;
/// So many that the replicas are killed long before the last one: 2.9 s.
const EVENTS: u32 = 120;
/// Of each replica's share, when the proxy spreads the clients at all.
const FEWEST_STREAMS: usize = CLIENTS / 5;

/// What the proxy in the README's configurations listens on, and where it expects the replicas.
const README_PROXY: &str = "127.0.0.1:8000";
const README_REPLICAS: [&str; 3] = ["127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8083"];

#[test]
fn behind_haproxy_every_client_gets_every_id_once() {
    if has_tool("haproxy") {
        every_client_gets_every_id_once(Proxy::haproxy);
    }
}

#[test]
fn behind_nginx_every_client_gets_every_id_once() {
    if has_tool("nginx") {
        every_client_gets_every_id_once(Proxy::nginx);
    }
}

/// Kills A, then B, so that C alone has all the clients; then starts A again and kills C.
fn every_client_gets_every_id_once(start_proxy: fn(&[Replica; 3]) -> Proxy) {
    let replicas = ["a", "b", "c"].map(|_| Replica::start(0));
    let proxy = start_proxy(&replicas);
    let [a, b, c] = replicas;
    let port_of_a = a.program.address.port();
    let mut crowd = Crowd::start(&proxy.url("/ids"));
    crowd.wait_until_all_stream();

    let on_a = a.kill();
    assert!(on_a >= FEWEST_STREAMS, "{on_a} streams on A");
    crowd.wait_until_lost(on_a);
    let on_b = b.kill();
    assert!(on_b >= FEWEST_STREAMS + on_a / 3, "{on_b} streams on B, with its share of A's {on_a}");
    crowd.wait_until_lost(on_a + on_b);
    let a = Replica::start(port_of_a);
    proxy.wait_until_it_asks(&a);
    assert_eq!(c.kill(), CLIENTS);
    crowd.wait_until_lost(on_a + on_b + CLIENTS);

    crowd.wait_until_all_have_ended();
    assert_eq!(a.requests("/ids"), 2 * CLIENTS, "each comes back after C's death and after the last event");
}

/// A server that plays the script and remembers the requests in its journal.
struct Replica {
    program: Program,
    folder: Folder,
}

impl Replica {
    fn start(port: u16) -> Replica {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let folder = Folder::new(&format!("replica-{}", STARTED.fetch_add(1, Ordering::Relaxed)));
        let script = folder.file("ids.sse", script());
        let journal = folder.file("journal", "");
        Replica { program: Program::start_at(port, &["--script", &script, "--record", &journal]), folder }
    }

    /// How many requests for this target it got.
    fn requests(&self, target: &str) -> usize {
        let journal = fs::read_to_string(self.folder.0.join("journal")).unwrap();
        journal.matches(&format!("\"target\":\"{target}\"")).count()
    }

    /// Kills it and gives how many streams that cut: all it ever began, for nobody leaves before the last event.
    fn kill(self) -> usize {
        let streams = self.requests("/ids");
        assert_eq!(self.program.end(), "");
        streams
    }
}

/// Each event leaves in two halves, so that a death finds about half of the clients with half an event.
fn script() -> String {
    let event = |n| format!("@send id: {n}\\ndata: half of\n@sleep 12ms\n {n}\n\n@sleep 12ms\n");
    format!("@resume\nretry: 50\n\n{}", (1..=EVENTS).map(event).collect::<String>())
}

/// A proxy with the README's configuration, as a child process that is ended when dropped.
struct Proxy {
    child: Child,
    address: SocketAddr,
    folder: Folder,
}

impl Proxy {
    fn haproxy(replicas: &[Replica; 3]) -> Proxy {
        let (folder, address) = (Folder::new("haproxy"), free_address());
        let file = folder.file("haproxy.cfg", configuration("haproxy", address, replicas));
        let mut command = Command::new("haproxy");
        command.args(["-db", "-f", &file]);
        Proxy::start(command, address, folder)
    }

    fn nginx(replicas: &[Replica; 3]) -> Proxy {
        let (folder, address) = (Folder::new("nginx"), free_address());
        let path = folder.0.to_str().unwrap();
        let text = configuration("nginx", address, replicas);
        let file = folder.file("nginx.conf", text.replace("http {\n", &nginx_paths(path)));
        // As one process: a worker would outlive a master that is killed.
        let alone = format!("daemon off; master_process off; pid {path}/pid;");
        let mut command = Command::new("nginx");
        command.args(["-p", path, "-c", &file, "-e", "stderr", "-g", &alone]);
        Proxy::start(command, address, folder)
    }

    fn start(mut command: Command, address: SocketAddr, folder: Folder) -> Proxy {
        let log = File::create(folder.0.join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut proxy = Proxy { child: command.spawn().unwrap(), address, folder };
        eventually(|| proxy.is_listening(), |is_listening| *is_listening);
        proxy
    }

    fn is_listening(&mut self) -> bool {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "{}", fs::read_to_string(self.folder.0.join("log")).unwrap());
        TcpStream::connect(self.address).is_ok()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Asks for nothing in particular until this replica is the one that is asked.
    fn wait_until_it_asks(&self, replica: &Replica) {
        let asked = || {
            Client::connect(self.address).get("/nothing", "").read_answer();
            replica.requests("/nothing")
        };
        eventually(asked, |requests| *requests > 0);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The README's block in this language, with these addresses for its own.
fn configuration(language: &str, proxy: SocketAddr, replicas: &[Replica; 3]) -> String {
    let block = README.split(&format!("```{language}\n")).nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(block.matches(README_PROXY).count(), 1);
    let text = block.replace(README_PROXY, &proxy.to_string());
    README_REPLICAS.iter().zip(replicas).fold(text, |text, (address, replica)| {
        assert_eq!(text.matches(address).count(), 1);
        text.replace(address, &replica.program.address.to_string())
    })
}

/// The opening of `http`, with paths that need no rights in place of those that the package sets.
fn nginx_paths(folder: &str) -> String {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let paths = temporary.map(|name| format!("{name}_temp_path {folder}/{name};\n"));
    format!("http {{\naccess_log off;\n{}", paths.concat())
}

/// Clients that all read the same stream, each on a thread of its own.
struct Crowd {
    sources: Vec<EventSource>,
    dispatched: Receiver<(usize, Event)>,
    seen: Vec<Seen>,
}

/// What one client was dispatched.
#[derive(Clone, Debug, Default)]
struct Seen {
    ids: Vec<String>,
    errors: Vec<String>,
    /// An event came since the last error.
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

    /// Waits until every client gets events.
    fn wait_until_all_stream(&mut self) {
        self.wait_until_lost(0);
    }

    /// Waits until so many streams were lost, all in all, and every client gets events again.
    fn wait_until_lost(&mut self, count: usize) {
        self.wait(|crowd| {
            let errors: Vec<&String> = crowd.seen.iter().flat_map(|seen| &seen.errors).collect();
            assert!(errors.iter().all(|error| error.starts_with("connection lost: ")), "{crowd}");
            errors.len() == count && crowd.seen.iter().all(|seen| seen.streams)
        });
    }

    /// Waits until the clients are told that there is nothing more, and looks at all they were dispatched.
    fn wait_until_all_have_ended(&mut self) {
        const END: [&str; 2] = ["connection closed by server", "status 204: the server has no more events"];
        self.wait(|crowd| crowd.seen.iter().all(|seen| seen.errors.iter().any(|error| error == END[1])));
        let ids: Vec<String> = (1..=EVENTS).map(|id| id.to_string()).collect();
        for seen in &self.seen {
            assert_eq!(seen.ids, ids);
            assert!(seen.errors.ends_with(&END.map(str::to_owned)), "{:?}", seen.errors);
        }
    }

    /// Takes what is dispatched until this holds, for [`PATIENCE`] at most.
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
            Some(id) => {
                assert_eq!(event.data, Some(format!("half of {id}")));
                self.ids.push(id);
            }
            None => self.errors.push(event.data.unwrap_or_default()),
        }
    }
}

/// How far each client is, and the errors it had.
impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.seen.iter().try_for_each(|seen| writeln!(f, "at {:?} after {:?}", seen.ids.last(), seen.errors))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.sources.iter().for_each(EventSource::close);
    }
}
