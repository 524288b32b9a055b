//! Makes the events of `/-/wire/PATH`, with JSON for data: they tell clients that look on what goes over the
//! connections that ask for that path, from their own address.

use super::{Connection, Side};
use crate::http::uri::percent_decode;
use crate::text::json;
use crate::trace::wire_parser::{Name, WireParser};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Events that wait for an observer; one that does not read loses its place.
const QUEUE: usize = 4096;
/// Octets told of in one event.
const PIECE: usize = 2048;
/// Observers at one time. Each costs every watched connection a look.
const MAX_OBSERVERS: usize = 64;

/// All who look on.
#[derive(Debug, Default)]
pub struct Observers {
    count: AtomicUsize,
    next: AtomicUsize,
    observers: Mutex<Vec<Observer>>,
}

#[derive(Debug)]
struct Observer {
    /// Percent-decoded.
    path: Vec<u8>,
    ip: IpAddr,
    id: u64,
    events: SyncSender<Arc<str>>,
}

/// A place among those who look on, free again when dropped.
#[derive(Debug)]
pub struct Subscription<'a> {
    observers: &'a Observers,
    /// What is to be seen, as blocks of an event stream. It ends when they are not taken fast enough.
    pub events: Receiver<Arc<str>>,
    id: u64,
}

impl Drop for Subscription<'_> {
    fn drop(&mut self) {
        self.observers.keep(&|observer| observer.id != self.id);
    }
}

impl Observers {
    /// Whether there is any.
    pub fn are_there(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Begins to look on, at `path` and from `ip`; `None` when there are too many who do.
    pub fn subscribe(&self, path: &[u8], ip: IpAddr) -> Option<Subscription<'_>> {
        let mut observers = self.lock();
        if observers.len() >= MAX_OBSERVERS {
            return None;
        }
        let (sender, events) = sync_channel(QUEUE);
        let id = self.next.fetch_add(1, Ordering::Relaxed) as u64;
        let path = percent_decode(path).into_owned();
        observers.push(Observer { path, ip, id, events: sender });
        self.count.store(observers.len(), Ordering::Relaxed);
        Some(Subscription { observers: self, id, events })
    }

    pub(super) fn piece(
        &self,
        connection: &Connection,
        request: &WireParser,
        side: Side,
        name: Name,
        bytes: &[u8],
    ) {
        let from = match side {
            Side::Client => "client",
            Side::Server => "server",
        };
        for part in bytes.chunks(PIECE) {
            self.event(connection, request, "piece", &|| {
                format!("\"from\":\"{from}\",\"name\":\"{}\",\"bytes\":{}", name.as_str(), json::bytes(part))
            });
        }
    }

    pub(super) fn wait(&self, connection: &Connection, request: &WireParser, time: Option<Duration>) {
        self.event(connection, request, "wait", &|| {
            let time = time.map_or("null".to_owned(), milliseconds);
            format!("\"for\":{time}")
        });
    }

    pub(super) fn end(&self, connection: &Connection, request: &WireParser, how: &str) {
        self.event(connection, request, "end", &|| format!("\"how\":{}", json::bytes(how.as_bytes())));
    }

    fn event(&self, connection: &Connection, request: &WireParser, kind: &str, rest: &dyn Fn() -> String) {
        if !self.are_there() {
            return;
        }
        let path = percent_decode(path_of(request.start_line().nth(1).unwrap_or_default()));
        let ip = connection.address.ip();
        let sees = |observer: &Observer| observer.ip == ip && observer.path == *path;
        if !self.lock().iter().any(sees) {
            return;
        }
        // Made once for all, and not while others wait for the lock.
        let (client, ms) = (connection.client, milliseconds(connection.age()));
        let event = format!("event: {kind}\ndata: {{\"client\":{client},\"ms\":{ms},{}}}\n\n", rest());
        let event: Arc<str> = event.into();
        self.keep(&|observer| !sees(observer) || observer.events.try_send(Arc::clone(&event)).is_ok());
    }

    fn keep(&self, stays: &dyn Fn(&Observer) -> bool) {
        let mut observers = self.lock();
        observers.retain(stays);
        self.count.store(observers.len(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Observer>> {
        self.observers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The path of a request target, which can be a whole URL (RFC 9112, section 3.2).
fn path_of(target: &[u8]) -> &[u8] {
    let target = target.split(|&byte| byte == b'?').next().unwrap_or_default();
    match target.windows(3).position(|window| window == b"://") {
        Some(scheme) if !target.starts_with(b"/") => {
            let authority = &target[scheme + 3..];
            authority.iter().position(|&byte| byte == b'/').map_or(b"/", |path| &authority[path..])
        }
        _ => target,
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{}.{:03}", time.as_millis() as u64, time.subsec_micros() % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    const OWN: &str = "127.0.0.1:9";

    fn happens(observers: &Observers, address: &str, request_line: &[u8]) {
        let mut request = WireParser::of_request();
        request.push(request_line, &mut |_, _, _| {});
        let connection = Connection::new(7, address.parse().unwrap());
        observers.piece(&connection, &request, Side::Client, Name::RequestLine, request_line);
    }

    fn seen(subscription: &Subscription<'_>) -> Vec<Arc<str>> {
        std::iter::from_fn(|| subscription.events.try_recv().ok()).collect()
    }

    #[test]
    fn one_sees_what_is_asked_at_the_path_from_the_own_address_and_nothing_else() {
        let observers = Observers::default();
        let subscription = observers.subscribe(b"/a", OWN.parse::<SocketAddr>().unwrap().ip()).unwrap();
        happens(&observers, OWN, b"GET /a?q=\"\xff HTTP/1.1\r\n");
        happens(&observers, OWN, b"GET /ab HTTP/1.1\r\n");
        happens(&observers, OWN, b"GET http://x HTTP/1.1\r\n");
        happens(&observers, "127.0.0.2:9", b"GET /a HTTP/1.1\r\n");
        happens(&observers, "[::1]:9", b"GET /a HTTP/1.1\r\n");
        let all = seen(&subscription);
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].starts_with("event: piece\ndata: {\"client\":7,\"ms\":0."), "{all:?}");
        let end = "\"name\":\"request line\",\"bytes\":\"GET /a?q=\\\"\u{ff} HTTP/1.1\\r\\n\"}\n\n";
        assert!(all[0].ends_with(end), "{all:?}");
    }

    #[test]
    fn who_takes_nothing_loses_the_place_and_is_told_so() {
        let observers = Observers::default();
        let subscription = observers.subscribe(b"/a", OWN.parse::<SocketAddr>().unwrap().ip()).unwrap();
        for _ in 0..QUEUE {
            happens(&observers, OWN, b"GET /a HTTP/1.1\r\n");
        }
        assert!(observers.are_there());
        happens(&observers, OWN, b"GET /a HTTP/1.1\r\n");
        assert!(!observers.are_there());
        assert_eq!(seen(&subscription).len(), QUEUE);
        assert_eq!(subscription.events.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected));
    }

    #[test]
    fn a_path_is_the_same_however_it_is_written() {
        let observers = Observers::default();
        let subscription = observers.subscribe(b"/%61", OWN.parse::<SocketAddr>().unwrap().ip()).unwrap();
        for target in ["/a", "/%61?x", "http://h:1/a", "http://h/a?b://c"] {
            happens(&observers, OWN, format!("GET {target} HTTP/1.1\r\n").as_bytes());
        }
        assert_eq!(seen(&subscription).len(), 4);
    }

    #[test]
    fn who_lost_a_place_takes_nobody_elses_when_leaving() {
        let observers = Observers::default();
        let ip = OWN.parse::<SocketAddr>().unwrap().ip();
        let slow = observers.subscribe(b"/a", ip).unwrap();
        (0..=QUEUE).for_each(|_| happens(&observers, OWN, b"GET /a HTTP/1.1\r\n"));
        let other = observers.subscribe(b"/a", ip).unwrap();
        drop(slow);
        happens(&observers, OWN, b"GET /a HTTP/1.1\r\n");
        assert_eq!(seen(&other).len(), 1);
    }
}
