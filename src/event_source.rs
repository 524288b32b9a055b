//! The other end of the wire: sends `GET`, receives an event stream, and comes back with `Last-Event-ID` when it is
//! lost. An `EventSource` as browsers have it (WHATWG "Server-sent events", section 9.2), on a blocking socket.
//!
//! | module | what it does |
//! |---|---|
//! | [`stream`] | bytes to events |
//! | [`url`] | where to connect |
//! | `exchange` | request out, head and body in |

mod exchange;
pub mod stream;
pub mod url;

use exchange::Response;
use std::fmt;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
pub use stream::Event;
use stream::EventStream;
use url::{HttpUrl, UrlError};

/// The reconnection time until a stream names another; browsers take 2 to 5 s.
const RECONNECTION_TIME: Duration = Duration::from_secs(3);
/// The shortest, whatever a stream names: a server that ends each stream at once would be asked thousands of times a second.
const MIN_RECONNECTION_TIME: Duration = Duration::from_millis(10);
/// Redirects followed for one connection (WHATWG Fetch, section 4.4).
const MAX_REDIRECTS: usize = 20;

/// `readyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadyState {
    /// Not connected, or waiting to connect again.
    Connecting,
    /// Connected; events are dispatched as they arrive.
    Open,
    /// Ended for good, by the server's answer or by [`EventSource::close`].
    Closed,
}

/// A client of one event stream, which reconnects until it is closed. Clones are handles to the same one.
///
/// Listeners are called on the thread that calls [`EventSource::run`], so none misses an event.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use rust_sse_server::EventSource;
///
/// let source = EventSource::new("http://127.0.0.1:8080/events")?;
/// source.on_message(|event| println!("{}", event.data.as_deref().unwrap_or_default()));
/// source.run();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EventSource {
    shared: Arc<Shared>,
}

struct Shared {
    url: HttpUrl,
    connection: Mutex<Connection>,
    /// Tells a thread that waits to reconnect that the source was closed.
    closed: Condvar,
    listeners: Mutex<Vec<Arc<Mutex<Listener>>>>,
}

struct Connection {
    state: ReadyState,
    stream: Option<TcpStream>,
    last_event_id: String,
    reconnection_time: Duration,
}

struct Listener {
    event: String,
    call: Box<dyn FnMut(&Event) + Send>,
}

/// Why a connection ended.
enum End {
    /// It broke, or the server ended it: connect again.
    Lost(String),
    /// The server's answer says not to come back.
    Failed(String),
}

impl EventSource {
    /// A source for this URL. It connects when it is [run](EventSource::run), so listeners can be added first.
    ///
    /// # Errors
    /// The text is no `http://` URL.
    pub fn new(url: &str) -> Result<EventSource, UrlError> {
        let connection = Connection {
            state: ReadyState::Connecting,
            stream: None,
            last_event_id: String::new(),
            reconnection_time: RECONNECTION_TIME,
        };
        let shared = Shared {
            url: HttpUrl::parse(url)?,
            connection: Mutex::new(connection),
            closed: Condvar::new(),
            listeners: Mutex::new(Vec::new()),
        };
        Ok(EventSource { shared: Arc::new(shared) })
    }

    /// Calls `listener` each time a connection is open: the server answered 200 with an event stream.
    pub fn on_open(&self, mut listener: impl FnMut() + Send + 'static) {
        self.add_event_listener("open", move |_| listener());
    }

    /// Calls `listener` with every event that has no type of its own.
    pub fn on_message(&self, listener: impl FnMut(&Event) + Send + 'static) {
        self.add_event_listener("message", listener);
    }

    /// Calls `listener` with every event of this type. `error` is also dispatched when a connection is lost or cannot be
    /// had; its data says why, and [`state`](EventSource::state) whether there will be another.
    pub fn add_event_listener(&self, event: &str, listener: impl FnMut(&Event) + Send + 'static) {
        let listener = Listener { event: event.to_owned(), call: Box::new(listener) };
        lock(&self.shared.listeners).push(Arc::new(Mutex::new(listener)));
    }

    /// The state of the connection.
    pub fn state(&self) -> ReadyState {
        self.connection().state
    }

    /// What the next request sends as `Last-Event-ID`; empty for nothing.
    pub fn last_event_id(&self) -> String {
        self.connection().last_event_id.clone()
    }

    /// Ends the connection for good and makes [`run`](EventSource::run) return, at once unless it is just connecting. No
    /// event is dispatched after it.
    pub fn close(&self) {
        let mut connection = self.connection();
        connection.state = ReadyState::Closed;
        if let Some(stream) = connection.stream.take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.shared.closed.notify_all();
    }

    /// Connects, dispatches events and reconnects, until the source is closed or the server says not to come back: with
    /// 204, any other status than 200, or another content type than `text/event-stream`.
    pub fn run(&self) {
        while self.state() != ReadyState::Closed {
            let end = self.connect();
            self.let_go();
            match end {
                End::Failed(why) => {
                    if self.set_state(ReadyState::Closed) {
                        self.dispatch_own("error", Some(why));
                    }
                }
                End::Lost(why) => {
                    if self.set_state(ReadyState::Connecting) {
                        self.dispatch_own("error", Some(why));
                        self.wait_to_reconnect();
                    }
                }
            }
        }
    }

    /// One connection, from the request to its end.
    fn connect(&self) -> End {
        let response = match self.request() {
            Ok(Ok(response)) => response,
            Ok(Err(why)) => return End::Failed(why),
            Err(error) => return End::Lost(format!("no answer: {error}")),
        };
        if let Err(why) = check(&response) {
            return End::Failed(why);
        }
        if !self.set_state(ReadyState::Open) {
            return End::Lost("closed".to_owned());
        }
        self.dispatch_own("open", None);
        let mut stream = EventStream::after(self.last_event_id());
        let ended = response.read_body(|bytes| {
            stream.push(bytes, |stream, event| {
                self.remember(stream);
                self.dispatch(&event);
            });
            self.remember(&stream);
        });
        match ended {
            Ok(()) => End::Lost("connection closed by server".to_owned()),
            Err(error) => End::Lost(format!("connection lost: {error}")),
        }
    }

    /// Asks for the stream, following redirects; the inner error is one that asking again would not mend.
    fn request(&self) -> io::Result<Result<Response, String>> {
        let mut url = self.shared.url.clone();
        let last_event_id = self.last_event_id();
        for _ in 0..=MAX_REDIRECTS {
            let response = Response::request(&url, &last_event_id, |stream| self.hold(stream))?;
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(Ok(response));
            }
            let location = response.field("location").map(String::from_utf8_lossy);
            url = match location.as_deref().map(|location| url.join(location)) {
                Some(Ok(url)) => url,
                Some(Err(error)) => return Ok(Err(format!("cannot follow the redirect to {error}"))),
                None => return Ok(Err(format!("{} without a location", response.status))),
            };
        }
        Ok(Err(format!("more than {MAX_REDIRECTS} redirects")))
    }

    /// Keeps a handle of the connection, for `close` to shut down.
    fn hold(&self, stream: &TcpStream) {
        let mut connection = self.connection();
        connection.stream = stream.try_clone().ok();
        if connection.state == ReadyState::Closed {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Gives up the connection that has ended, so that the server can have its descriptor back.
    fn let_go(&self) {
        if let Some(stream) = self.connection().stream.take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn remember(&self, stream: &EventStream) {
        let mut connection = self.connection();
        connection.last_event_id = stream.last_event_id().to_owned();
        if let Some(time) = stream.reconnection_time() {
            connection.reconnection_time = time.max(MIN_RECONNECTION_TIME);
        }
    }

    /// Sets the state unless the source is closed, which is for good; `false` when it is.
    fn set_state(&self, state: ReadyState) -> bool {
        let mut connection = self.connection();
        let was_closed = connection.state == ReadyState::Closed;
        if !was_closed {
            connection.state = state;
        }
        !was_closed
    }

    fn wait_to_reconnect(&self) {
        let connection = self.connection();
        let time = connection.reconnection_time;
        let open = |connection: &mut Connection| connection.state != ReadyState::Closed;
        drop(self.shared.closed.wait_timeout_while(connection, time, open));
    }

    /// Dispatches an event that the stream did not send.
    fn dispatch_own(&self, event: &str, data: Option<String>) {
        self.call_listeners(&Event { event: Some(event.to_owned()), data, ..Event::default() });
    }

    fn dispatch(&self, event: &Event) {
        if self.state() != ReadyState::Closed {
            self.call_listeners(event);
        }
    }

    /// Calls listeners without holding the list, so that one of them may add another.
    fn call_listeners(&self, event: &Event) {
        let listeners = lock(&self.shared.listeners).clone();
        for listener in listeners {
            let mut listener = lock(&listener);
            if event.event.as_ref() == Some(&listener.event) {
                (listener.call)(event);
            }
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        lock(&self.shared.connection)
    }
}

impl fmt::Debug for EventSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSource").field("url", &self.shared.url).field("state", &self.state()).finish()
    }
}

/// Whether a response is an event stream (WHATWG, section 9.2.3).
fn check(response: &Response) -> Result<(), String> {
    if response.status != 200 {
        return Err(format!("the server answered {}", response.status));
    }
    let content_type = response.field("content-type").unwrap_or_default();
    let essence = content_type.split(|&byte| byte == b';').next().unwrap_or_default();
    let essence = String::from_utf8_lossy(essence);
    match essence.trim().eq_ignore_ascii_case("text/event-stream") {
        true => Ok(()),
        false => Err(format!("the content type is {essence:?}, not text/event-stream")),
    }
}

/// What a listener that panicked leaves behind is its own affair: its poison is no reason to stop.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
