//! A client of an event stream: an `EventSource` as in browsers, on a blocking socket (WHATWG "Server-sent events",
//! section 9.2). It sends `GET`, parses the event stream, and reconnects with `Last-Event-ID` when the connection is lost.
//!
//! | module | what it does |
//! |---|---|
//! | [`stream`] | parses an event stream |
//! | `authorization` | the field line `Authorization` |
//! | `backoff` | how long to wait before a reconnection |
//! | `end` | why a connection ended |
//! | `listeners` | which listeners an event is passed to |
//! | [`url`] | parses `http` URLs |
//! | `exchange` | sends a request and reads the response |

mod authorization;
mod backoff;
mod end;
mod exchange;
mod listeners;
pub mod stream;
pub mod url;

use crate::text::error::Error;
use crate::text::lock::lock;
use backoff::Backoff;
use end::End;
use exchange::Response;
use listeners::Listeners;
use std::fmt;
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{sync_channel, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::Builder;
use std::time::Duration;
pub use stream::Event;
use stream::EventStream;
use url::HttpUrl;

/// The most bytes of a line, and of all fields of an event together. Without a limit, a server that never ends a line or an
/// event could fill the memory. The largest events in use are images of a few MiB.
const MAX_EVENT: usize = 16 * 1024 * 1024;
/// The most redirects that are followed for one connection (WHATWG Fetch, section 4.4).
const MAX_REDIRECTS: usize = 20;

/// The state of an [`EventSource`]: `readyState` in the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadyState {
    /// Not connected, or waiting to reconnect.
    Connecting,
    /// Connected. Events are dispatched as they arrive.
    Open,
    /// Closed for good, because of the server's response or by [`EventSource::close`].
    Closed,
}

/// A client of one event stream, which reconnects until it is closed (WHATWG "Server-sent events", section 9.2).
///
/// Clones are handles to the same source. Besides the events of the stream, every source dispatches `open` when a
/// connection is open, and `error`, with the reason as its data, when a connection is lost or cannot be made.
///
/// The source reconnects after the reconnection time (3 s, until the stream sets another), to where redirects have led. After
/// responses that cannot be parsed, it waits twice as long each time, up to 30 s. A request that gets no connection within
/// 10 s, or no whole head within 120 s, has failed like a lost connection. An event of more than 16 MiB closes the source.
///
/// Events can be iterated over:
///
/// ```no_run
/// use rust_sse_server::EventSource;
///
/// let source = EventSource::new("http://127.0.0.1:8080/events")?;
/// for event in source.events()? {
///     println!("{event:?}");
/// }
/// # Ok::<(), rust_sse_server::Error>(())
/// ```
///
/// or passed to listeners, which are called on the thread that calls [`run`](EventSource::run):
///
/// ```no_run
/// use rust_sse_server::EventSource;
///
/// let source = EventSource::new("http://127.0.0.1:8080/events")?;
/// source.on_message(|event| println!("{}", event.data.as_deref().unwrap_or_default()));
/// source.run();
/// # Ok::<(), rust_sse_server::Error>(())
/// ```
#[derive(Clone)]
pub struct EventSource {
    shared: Arc<Shared>,
}

struct Shared {
    connection: Mutex<Connection>,
    /// Wakes a thread that waits to reconnect when the source is closed.
    closed: Condvar,
    listeners: Listeners,
}

struct Connection {
    state: ReadyState,
    has_run: bool,
    stream: Option<TcpStream>,
    /// Where the next request goes: where the last redirect led to, at first the URL of the source.
    url: HttpUrl,
    /// Whether a redirect has led to another origin. From then on, `Authorization` is not sent (WHATWG Fetch, section 4.4), not
    /// even to the first origin: the other one has chosen the path.
    has_left_origin: bool,
    /// The field line; empty if there is none.
    authorization: String,
    last_event_id: String,
    backoff: Backoff,
    idle_timeout: Option<Duration>,
}

impl EventSource {
    /// A source of the event stream at this URL. It does not connect before [`run`](EventSource::run) or
    /// [`events`](EventSource::events) is called, so no listener can miss an event.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument): the text is not an `http://` URL.
    pub fn new(url: &str) -> Result<EventSource, Error> {
        let url = HttpUrl::parse(url)?;
        let connection = Connection {
            state: ReadyState::Connecting,
            has_run: false,
            stream: None,
            url,
            has_left_origin: false,
            authorization: String::new(),
            last_event_id: String::new(),
            backoff: Backoff::new(),
            idle_timeout: None,
        };
        let shared = Shared {
            connection: Mutex::new(connection),
            closed: Condvar::new(),
            listeners: Listeners::default(),
        };
        Ok(EventSource { shared: Arc::new(shared) })
    }

    /// Sets how long a connection may stay silent: one on which no byte arrives for this long is closed, and the source
    /// reconnects as after any lost connection. Servers usually send a comment every 15 s or so to keep connections
    /// open. `None` and zero mean no timeout, as in the standard, and are the default.
    ///
    /// A change applies to the next connection. The timeout does not limit how long the system takes to connect.
    pub fn set_idle_timeout(&self, timeout: Option<Duration>) {
        self.connection().idle_timeout = timeout.filter(|timeout| !timeout.is_zero());
    }

    /// Sets the value of `Authorization` in the following requests, such as `Bearer TOKEN`. After a redirect to another
    /// origin, it is not sent.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument): the value contains a line end or another control character.
    pub fn set_authorization(&self, value: &str) -> Result<(), Error> {
        self.connection().authorization = authorization::field_line(value)?;
        Ok(())
    }

    /// Calls `listener` each time a connection is open: the server responded with 200 and an event stream.
    pub fn on_open(&self, mut listener: impl FnMut() + Send + 'static) {
        self.add_event_listener("open", move |_| listener());
    }

    /// Calls `listener` with every event of type `message`, the type of events whose stream does not name another.
    pub fn on_message(&self, listener: impl FnMut(&Event) + Send + 'static) {
        self.add_event_listener("message", listener);
    }

    /// Calls `listener` with every event of this type.
    ///
    /// The type `error` is also dispatched when a connection is lost or cannot be made. Its data is the reason, and
    /// [`state`](EventSource::state) tells whether the source will reconnect.
    pub fn add_event_listener(&self, event_type: &str, listener: impl FnMut(&Event) + Send + 'static) {
        self.shared.listeners.add(Some(event_type.to_owned()), listener);
    }

    /// The state of the source.
    pub fn state(&self) -> ReadyState {
        self.connection().state
    }

    /// The value that the next request sends as `Last-Event-ID`. When it is empty, the field is not sent.
    pub fn last_event_id(&self) -> String {
        self.connection().last_event_id.clone()
    }

    /// Closes the source for good. The connection ends and [`run`](EventSource::run) returns, at once unless the system
    /// is just connecting. No further event is dispatched.
    pub fn close(&self) {
        self.connection().state = ReadyState::Closed;
        self.shut_down();
        self.shared.closed.notify_all();
    }

    /// Connects, dispatches events and reconnects, until the source is closed or the server's response does not allow to
    /// reconnect: another status than 200 (such as 204), or another content type than `text/event-stream`.
    ///
    /// A source runs once. A second call returns at once.
    pub fn run(&self) {
        if std::mem::replace(&mut self.connection().has_run, true) {
            return;
        }
        while self.state() != ReadyState::Closed {
            let end = self.run_connection();
            self.shut_down();
            self.connection().backoff.connection_ended(matches!(end, End::Malformed(_)));
            let (state, reason) = match end {
                End::Lost(reason) | End::Malformed(reason) => (ReadyState::Connecting, reason),
                End::Failed(reason) => (ReadyState::Closed, reason),
            };
            if self.set_state(state) {
                self.dispatch_own("error", Some(reason));
                self.wait_to_reconnect();
            }
        }
    }

    /// Runs the source on a new thread and returns an iterator over all events that it dispatches, of every type, also
    /// `open` and `error`. The iterator ends when the source is closed, and dropping it closes the source.
    ///
    /// The thread waits until an event was taken before it reads on. So a slow consumer slows the server down, and no
    /// events pile up in memory. A source runs once: a second iterator is empty.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io): the system cannot start a thread.
    pub fn events(&self) -> Result<Events, Error> {
        let (sender, receiver) = sync_channel(0);
        // The thread owns the sender and the listener borrows it, so that the iterator ends when the thread does.
        let sender = Arc::new(sender);
        let borrowed = Arc::downgrade(&sender);
        self.shared.listeners.add(None, move |event| {
            if let Some(sender) = borrowed.upgrade() {
                // The send fails when the iterator was dropped. Then the source is closed already.
                let _ = sender.send(event.clone());
            }
        });
        let source = self.clone();
        let run = move || {
            source.run();
            drop(sender);
        };
        let thread = Builder::new().name("event source".to_owned()).spawn(run);
        thread.map_err(|error| Error::io("cannot start a thread", error))?;
        Ok(Events { source: self.clone(), receiver })
    }

    /// Makes one connection and returns why it ended.
    fn run_connection(&self) -> End {
        let last_event_id = self.last_event_id();
        let mut response = match self.request(&last_event_id) {
            Ok(response) => response,
            Err(end) => return end,
        };
        if let Err(reason) = response.check_event_stream(&last_event_id) {
            return End::Failed(reason);
        }
        if !self.set_state(ReadyState::Open) {
            return End::Lost("closed".to_owned());
        }
        self.dispatch_own("open", None);
        let mut stream = EventStream::with_last_event_id(last_event_id);
        loop {
            let read = response.read_body(|bytes| {
                stream.push(bytes, |stream, event| {
                    self.remember(stream);
                    self.dispatch(&event);
                });
            });
            self.remember(&stream);
            match read {
                Ok(_) if stream.pending_bytes() > MAX_EVENT => {
                    return End::Failed("an event is larger than 16 MiB".to_owned());
                }
                Ok(true) => {}
                Ok(false) => return End::Lost("connection closed by server".to_owned()),
                Err(error) => return End::of_error("connection lost", &error),
            }
        }
    }

    /// Requests the stream and follows redirects.
    fn request(&self, last_event_id: &str) -> Result<Response, End> {
        let (mut url, mut has_left_origin, authorization, idle_timeout) = {
            let connection = self.connection();
            let Connection { url, has_left_origin, authorization, idle_timeout, .. } = &*connection;
            (url.clone(), *has_left_origin, authorization.clone(), *idle_timeout)
        };
        for _ in 0..=MAX_REDIRECTS {
            let authorization = if has_left_origin { "" } else { &authorization };
            let hold = |stream: &TcpStream| self.hold(stream);
            let response = Response::request(&url, last_event_id, authorization, idle_timeout, hold)
                .map_err(|error| End::of_error("no response", &error))?;
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                // A reconnection asks for the URL that the redirects led to (WHATWG "Server-sent events", section 9.2.3: the
                // request keeps its list of URLs).
                let mut connection = self.connection();
                connection.url = url;
                connection.has_left_origin = has_left_origin;
                return Ok(response);
            }
            let location = String::from_utf8_lossy(response.field("location").unwrap_or_default());
            if location.is_empty() {
                return Err(End::Failed(format!("status {} without a location", response.status)));
            }
            let next = url
                .join(&location)
                .map_err(|error| End::Failed(format!("cannot follow the redirect: {error}")))?;
            has_left_origin |= !next.has_same_origin(&url);
            url = next;
        }
        Err(End::Failed(format!("more than {MAX_REDIRECTS} redirects")))
    }

    /// Keeps a handle of the connection, so that `close` can shut it down.
    fn hold(&self, stream: &TcpStream) {
        let mut connection = self.connection();
        connection.stream = stream.try_clone().ok();
        if connection.state == ReadyState::Closed {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Shuts down the connection, if there is one. An error means that it has ended already.
    fn shut_down(&self) {
        if let Some(stream) = self.connection().stream.take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn remember(&self, stream: &EventStream) {
        let mut connection = self.connection();
        connection.last_event_id = stream.last_event_id().to_owned();
        if let Some(time) = stream.reconnection_time() {
            connection.backoff.set_reconnection_time(time);
        }
    }

    /// Sets the state and returns true, unless the source is closed, which is for good.
    fn set_state(&self, state: ReadyState) -> bool {
        let mut connection = self.connection();
        if connection.state == ReadyState::Closed {
            return false;
        }
        connection.state = state;
        true
    }

    /// Waits until it is time to reconnect or the source is closed.
    fn wait_to_reconnect(&self) {
        let connection = self.connection();
        let time = connection.backoff.wait();
        let is_open = |connection: &mut Connection| connection.state != ReadyState::Closed;
        drop(self.shared.closed.wait_timeout_while(connection, time, is_open));
    }

    /// Dispatches an event that does not come from the stream.
    fn dispatch_own(&self, event_type: &str, data: Option<String>) {
        self.shared.listeners.call(&Event { event: Some(event_type.to_owned()), data, ..Event::default() });
    }

    fn dispatch(&self, event: &Event) {
        if self.state() != ReadyState::Closed {
            self.shared.listeners.call(event);
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        lock(&self.shared.connection)
    }
}

impl fmt::Debug for EventSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Connection { url, state, .. } = &*self.connection();
        f.debug_struct("EventSource").field("url", url).field("state", state).finish()
    }
}

/// An iterator over the events of an [`EventSource`], made by [`EventSource::events`]. Dropping it closes the source.
#[derive(Debug)]
pub struct Events {
    source: EventSource,
    receiver: Receiver<Event>,
}

impl Iterator for Events {
    type Item = Event;

    /// Waits for the next event; `None` when the source is closed.
    fn next(&mut self) -> Option<Event> {
        self.receiver.recv().ok()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.source.close();
    }
}
