//! Makes the events of `/-/wire/PATH`, with JSON as their data: observers see what goes over the connections that request
//! that path from their own address.

use super::exchange::Exchange;
use super::wire_parser::PieceKind;
use crate::http::uri::{path_of, percent_decode};
use crate::text::json::{self, Object};
use crate::text::lock::lock;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The most events that wait for an observer. One that reads too slowly is removed, so that it cannot fill the memory.
const MAX_QUEUED_EVENTS: usize = 4096;
/// The most bytes that wait for all observers together. Beyond that, those for whom there is an event are removed.
const MAX_QUEUED_BYTES: usize = 16 * 1024 * 1024;
/// The most bytes of a piece in one event.
const MAX_PIECE: usize = 2048;
/// The most paths that an observer watches: its own, and those that redirects lead to.
const MAX_PATHS: usize = 8;
/// The most observers at a time. Every piece on the wire is compared with what each of them watches.
const MAX_OBSERVERS: usize = 64;

/// All observers of a server.
#[derive(Debug, Default)]
pub struct Observers {
    /// The length of the list, which can be read without the lock.
    count: AtomicUsize,
    list: Mutex<List>,
    /// Bytes of the events that exist: those that wait for an observer, and one that each of them is sent.
    bytes: Arc<AtomicUsize>,
}

/// What happened on the wire, as a block of an event stream.
#[derive(Debug)]
pub struct WireEvent {
    text: String,
    bytes: Arc<AtomicUsize>,
}

impl Deref for WireEvent {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl Drop for WireEvent {
    fn drop(&mut self) {
        self.bytes.fetch_sub(self.text.len(), Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct List {
    observers: Vec<Observer>,
    last_id: u64,
}

#[derive(Debug)]
struct Observer {
    id: u64,
    /// The paths that are watched, percent-decoded.
    paths: Vec<Vec<u8>>,
    ip: IpAddr,
    since: Instant,
    events: SyncSender<Arc<WireEvent>>,
}

impl Observer {
    /// Whether it watches this exchange, whose request is for this path, percent-decoded.
    fn watches(&self, Exchange { connection, .. }: &Exchange, path: &[u8]) -> bool {
        // An observer that subscribed in the middle of a request could not tell what the bytes are.
        self.since <= connection.request_began
            && self.ip == connection.address.ip()
            && self.paths.iter().any(|watched| watched == path)
    }
}

/// An observer's end. Dropping it makes room for another observer.
#[derive(Debug)]
pub struct Subscription<'a> {
    observers: &'a Observers,
    id: u64,
    /// What happens on the wire. When it is not read fast enough, it ends after the events that are queued.
    pub events: Receiver<Arc<WireEvent>>,
}

impl Drop for Subscription<'_> {
    fn drop(&mut self) {
        self.observers.remove(|observer| observer.id == self.id);
    }
}

impl Observers {
    /// Whether there are any.
    pub fn are_present(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Adds an observer of the requests that clients at `ip` begin for `path` from now on; `None` when there are
    /// `MAX_OBSERVERS` already. The path is percent-decoded.
    pub fn subscribe(&self, path: Vec<u8>, ip: IpAddr) -> Option<Subscription<'_>> {
        let mut list = lock(&self.list);
        if list.observers.len() >= MAX_OBSERVERS {
            return None;
        }
        list.last_id += 1;
        let id = list.last_id;
        let (sender, events) = sync_channel(MAX_QUEUED_EVENTS);
        list.observers.push(Observer { id, paths: vec![path], ip, since: Instant::now(), events: sender });
        self.count.store(list.observers.len(), Ordering::Relaxed);
        Some(Subscription { observers: self, id, events })
    }

    pub(super) fn piece(&self, exchange: &Exchange, from: &str, kind: PieceKind, bytes: &[u8]) {
        for part in bytes.chunks(MAX_PIECE) {
            self.send(exchange, "piece", |data| {
                let data = data.string("from", from).string("name", kind.as_str());
                exchange.playing.add_seen(data).member("bytes", json::bytes(part))
            });
        }
    }

    /// Lets those who watch this request watch requests for the path of this location as well.
    pub(super) fn follow(&self, exchange: &Exchange, location: &[u8]) {
        if !self.are_present() {
            return;
        }
        let path = percent_decode(exchange.request.path());
        let next = percent_decode(path_of(location));
        let mut list = lock(&self.list);
        for observer in list.observers.iter_mut().filter(|observer| observer.watches(exchange, &path)) {
            if observer.paths.len() < MAX_PATHS && !observer.paths.iter().any(|watched| *watched == *next) {
                observer.paths.push(next.to_vec());
            }
        }
    }

    pub(super) fn wait(&self, exchange: &Exchange, time: Option<Duration>) {
        self.send(exchange, "wait", |data| {
            let time = time.map_or("null".to_owned(), milliseconds);
            exchange.playing.add_now(data.member("for", time))
        });
    }

    pub(super) fn end(&self, exchange: &Exchange, how: &str) {
        self.send(exchange, "end", |data| data.member("how", json::bytes(how.as_bytes())));
    }

    /// Sends an event to all who watch this request. `complete` adds members to its data, and is called only if somebody
    /// does.
    fn send(&self, exchange: &Exchange, event_type: &str, complete: impl Fn(Object) -> Object) {
        if !self.are_present() {
            return;
        }
        let path = percent_decode(exchange.request.path());
        let watches = |observer: &Observer| observer.watches(exchange, &path);
        if !lock(&self.list).observers.iter().any(watches) {
            return;
        }
        // Formatted once for all observers, and while no other thread has to wait for the lock.
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let data = json::Object::new()
            .member("client", exchange.connection.number)
            .member("ms", milliseconds(exchange.connection.age()))
            .member("time", milliseconds(time));
        let text = format!("event: {event_type}\ndata: {}\n\n", complete(data).finish());
        let is_full = self.bytes.fetch_add(text.len(), Ordering::Relaxed) > MAX_QUEUED_BYTES;
        let event = Arc::new(WireEvent { text, bytes: Arc::clone(&self.bytes) });
        self.remove(|observer| {
            watches(observer) && (is_full || observer.events.try_send(Arc::clone(&event)).is_err())
        });
    }

    /// Ends all subscriptions after the events that are queued.
    pub fn remove_all(&self) {
        self.remove(|_| true);
    }

    fn remove(&self, is_removed: impl Fn(&Observer) -> bool) {
        let mut list = lock(&self.list);
        list.observers.retain(|observer| !is_removed(observer));
        self.count.store(list.observers.len(), Ordering::Relaxed);
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{}.{:03}", time.as_millis(), time.subsec_micros() % 1_000)
}

#[cfg(test)]
mod tests {
    use super::super::exchange::Connection;
    use super::*;
    use std::net::Ipv4Addr;
    use std::sync::mpsc::TryRecvError;

    const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn exchange(address: &str, mut request_line: &[u8]) -> Exchange {
        let (now, address) = (Instant::now(), address.parse().unwrap());
        let connection = Connection { number: 7, address, accepted_at: now, request_began: now };
        let mut exchange = Exchange::new(connection);
        exchange.request.next_piece(&mut request_line);
        exchange
    }

    fn send_request_line(observers: &Observers, address: &str, line: &[u8]) {
        observers.piece(&exchange(address, line), "client", PieceKind::RequestLine, line);
    }

    fn request_a(observers: &Observers) {
        send_request_line(observers, "127.0.0.1:9", b"GET /a HTTP/1.1\r\n");
    }

    #[test]
    fn an_observer_sees_only_requests_for_its_path_from_its_address() {
        let observers = Observers::default();
        let subscription = observers.subscribe(b"/a".to_vec(), LOCALHOST).unwrap();
        send_request_line(&observers, "127.0.0.1:9", b"GET /a?q=\"~ HTTP/1.1\r\n");
        send_request_line(&observers, "127.0.0.1:9", b"GET /ab HTTP/1.1\r\n");
        send_request_line(&observers, "127.0.0.1:9", b"GET http://x HTTP/1.1\r\n");
        send_request_line(&observers, "127.0.0.2:9", b"GET /a HTTP/1.1\r\n");
        send_request_line(&observers, "[::1]:9", b"GET /a HTTP/1.1\r\n");
        let events: Vec<_> = subscription.events.try_iter().collect();
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(events[0].starts_with("event: piece\ndata: {\"client\":7,\"ms\":0."), "{events:?}");
        let end = "\"name\":\"request line\",\"bytes\":\"GET /a?q=\\\"~ HTTP/1.1\\r\\n\"}\n\n";
        assert!(events[0].ends_with(end), "{events:?}");
    }

    #[test]
    fn an_observer_that_does_not_read_is_removed_and_its_events_end() {
        let observers = Observers::default();
        let subscription = observers.subscribe(b"/a".to_vec(), LOCALHOST).unwrap();
        (0..MAX_QUEUED_EVENTS).for_each(|_| request_a(&observers));
        assert!(observers.are_present());
        request_a(&observers);
        assert!(!observers.are_present());
        assert_eq!(subscription.events.try_iter().count(), MAX_QUEUED_EVENTS);
        assert_eq!(subscription.events.try_recv().unwrap_err(), TryRecvError::Disconnected);
    }

    #[test]
    fn observers_that_do_not_read_are_removed_before_all_their_events_take_too_much_memory() {
        let observers = Observers::default();
        let path = |n: usize| format!("/{n}").into_bytes();
        let subscriptions: Vec<_> =
            (0..MAX_OBSERVERS).map(|n| observers.subscribe(path(n), LOCALHOST).unwrap()).collect();
        let mut line = |n: usize| {
            let padding = "x".repeat(MAX_PIECE - 20);
            send_request_line(
                &observers,
                "127.0.0.1:9",
                format!("GET /{n}?{padding} HTTP/1.1\r\n").as_bytes(),
            );
        };
        for _ in 0..MAX_QUEUED_BYTES / MAX_OBSERVERS / MAX_PIECE + 10 {
            (0..MAX_OBSERVERS).for_each(&mut line);
        }
        assert!(!observers.are_present());
        let queued = observers.bytes.load(Ordering::Relaxed);
        assert!((MAX_QUEUED_BYTES..MAX_QUEUED_BYTES + 2 * MAX_PIECE).contains(&queued), "{queued} bytes");
        drop(subscriptions);
        assert_eq!(observers.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn an_observer_watches_the_paths_that_redirects_lead_to() {
        let observers = Observers::default();
        let subscription = observers.subscribe(b"/a".to_vec(), LOCALHOST).unwrap();
        let unrelated = observers.subscribe(b"/c".to_vec(), LOCALHOST).unwrap();
        let exchange = exchange("127.0.0.1:9", b"GET /a HTTP/1.1\r\n");
        for location in ["/b", "http://h/%62?x", "/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8"] {
            observers.follow(&exchange, location.as_bytes());
        }
        for path in ["/b", "/6", "/7", "/c"] {
            send_request_line(&observers, "127.0.0.1:9", format!("GET {path} HTTP/1.1\r\n").as_bytes());
        }
        assert_eq!(subscription.events.try_iter().count(), 2);
        assert_eq!(unrelated.events.try_iter().count(), 1);
    }

    #[test]
    fn a_path_is_the_same_however_it_is_written() {
        let observers = Observers::default();
        let subscription = observers.subscribe(b"/a".to_vec(), LOCALHOST).unwrap();
        for target in ["/a", "/%61?x", "http://h:1/a", "http://h/a?b://c"] {
            send_request_line(&observers, "127.0.0.1:9", format!("GET {target} HTTP/1.1\r\n").as_bytes());
        }
        assert_eq!(subscription.events.try_iter().count(), 4);
    }

    #[test]
    fn a_dropped_subscription_makes_room_for_another() {
        let observers = Observers::default();
        let subscribe = || observers.subscribe(b"/a".to_vec(), LOCALHOST);
        let mut subscriptions: Vec<_> = (0..MAX_OBSERVERS).map(|_| subscribe().unwrap()).collect();
        assert!(subscribe().is_none());
        subscriptions.pop();
        assert!(subscribe().is_some());
    }

    #[test]
    fn dropping_the_subscription_of_a_removed_observer_removes_no_other() {
        let observers = Observers::default();
        let slow = observers.subscribe(b"/a".to_vec(), LOCALHOST).unwrap();
        (0..=MAX_QUEUED_EVENTS).for_each(|_| request_a(&observers));
        let other = observers.subscribe(b"/a".to_vec(), LOCALHOST).unwrap();
        drop(slow);
        request_a(&observers);
        assert_eq!(other.events.try_iter().count(), 1);
    }
}
