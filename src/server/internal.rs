//! Answers the server's own paths: the page at `/`, and under `/-/` the wire as others see it, the list of scripts, and
//! what steers the server if that is allowed.

use crate::http::chunk::{ChunkedWriter, Framing};
use crate::http::request::Request;
use crate::http::response::{Answer, Head, RequestError, Status};
use crate::script::play::clock::Clock;
use crate::script::play::random::random_seed;
use crate::server::journal::{Journal, RecordedRequest};
use crate::server::shared::Shared;
use crate::text::json;
use crate::trace::observers::Subscription;
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// The page, with `{nonce}` where a value made for each answer shows which script and which style are its own.
const PAGE: &str = include_str!("page.html");
/// Nothing but what stands in the page itself, and nothing inserted as HTML.
const POLICY: &str = "default-src 'none'; connect-src 'self'; img-src data:; script-src 'nonce-{nonce}'; \
    style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";
/// After so long without an event an observer gets a comment: only a write shows that one has left.
const SILENCE: Duration = Duration::from_secs(1);

/// What answers a request to one of these paths.
pub enum Own<'a> {
    /// A short answer.
    Answer(Answer),
    /// A stream of what others do.
    Wire(Subscription<'a>),
}

/// What answers a request that no script does, if it is for one of these paths.
pub fn answer<'a>(request: &Request, site: &'a Shared, stream: &TcpStream) -> Option<Own<'a>> {
    let command = request.path().strip_prefix(b"/-/");
    let reads = matches!(request.method(), "GET" | "HEAD");
    match command {
        None if request.path() == b"/" && reads => Some(Own::Answer(page())),
        None => None,
        Some(b"scripts") if reads => Some(Own::Answer(scripts(site))),
        Some(command) if reads && command.starts_with(b"wire/") => wire(&command[4..], site, stream),
        Some(command) => control(request.method(), command, site, stream).map(Own::Answer),
    }
}

fn page() -> Answer {
    let nonce = format!("{:016x}{:016x}", random_seed(), random_seed());
    let answer =
        Answer::new(Status::OK, &PAGE.replace("{nonce}", &nonce)).of_type("text/html; charset=utf-8");
    let answer = answer.with("cache-control", b"no-store").with("referrer-policy", b"same-origin");
    let answer = answer.with("x-content-type-options", b"nosniff");
    answer.with("content-security-policy", POLICY.replace("{nonce}", &nonce).as_bytes())
}

/// The scripts as JSON: `method`, `target`, `about`, and the event types that stand in it.
fn scripts(site: &Shared) -> Answer {
    let mut json = String::from("[");
    for script in site.catalogue.scripts() {
        let mut types = String::new();
        for name in script.event_types() {
            types += if types.is_empty() { "" } else { "," };
            types += &json::string(&name);
        }
        json += if json.len() > 1 { ",\n" } else { "" };
        json += &format!(
            "{{\"method\":{},\"target\":{},\"about\":{},\"types\":[{}]}}",
            json::string(&script.route.methods.join(",")),
            json::string(&script.route.target()),
            json::string(&script.about),
            types,
        );
    }
    json += "]\n";
    Answer::new(Status::OK, &json).of_type("application/json")
}

fn wire<'a>(path: &[u8], site: &'a Shared, stream: &TcpStream) -> Option<Own<'a>> {
    let ip = stream.peer_addr().ok()?.ip();
    Some(match site.trace.observers.subscribe(path, ip) {
        Some(subscription) => Own::Wire(subscription),
        None => {
            // The limit is `MAX_OBSERVERS`.
            let error = RequestError::new(Status::SERVICE_UNAVAILABLE, "too many observers (limit 64)");
            Own::Answer(Answer::error(&error).with("retry-after", b"2"))
        }
    })
}

/// The head in front of what [`show_wire`] sends; `closes` when the connection ends after it.
pub fn wire_head(framing: Framing, closes: bool) -> Vec<u8> {
    let mut head = Head::new(Status::OK, b"OK");
    head.framing(framing);
    head.field("cache-control", b"no-store");
    head.field("content-type", b"text/event-stream");
    head.date();
    if closes {
        head.field("connection", b"close");
    }
    head.end()
}

/// Sends what is to be seen until the observer leaves or is too slow.
///
/// # Errors
/// The observer has gone, or the server stops.
pub fn show_wire(
    subscription: &Subscription<'_>,
    head: Vec<u8>,
    mut body: ChunkedWriter<impl Write>,
    mut clock: impl Clock,
) -> io::Result<()> {
    body.head(head)?;
    body.write_all(b": what goes over the wire\n\n")?;
    body.flush()?;
    loop {
        if !send_events(subscription, &mut body)? {
            return body.finish(b"");
        }
        body.flush()?;
        clock.check()?;
    }
}

/// Sends the events that are queued or come within [`SILENCE`], those that are there together in one write; `false` when
/// there will be no more.
fn send_events(subscription: &Subscription<'_>, body: &mut ChunkedWriter<impl Write>) -> io::Result<bool> {
    match subscription.events.recv_timeout(SILENCE) {
        Ok(event) => body.write_all(event.as_bytes())?,
        Err(RecvTimeoutError::Timeout) => body.write_all(b": still here\n\n")?,
        Err(RecvTimeoutError::Disconnected) => return Ok(false),
    }
    for event in subscription.events.try_iter() {
        body.write_all(event.as_bytes())?;
    }
    Ok(true)
}

/// What steers the server.
const CONTROLS: &str = "GET /-/requests\nPOST /-/drop\nPOST /-/stop\n";

/// Does what a request asks for, if the server may be steered that way.
fn control(method: &str, command: &[u8], site: &Shared, stream: &TcpStream) -> Option<Answer> {
    if !site.control {
        return None;
    }
    match (method, command) {
        ("GET", b"requests") => {
            let requests = site.journal.as_ref().map(Journal::requests).unwrap_or_default();
            let lines: String = requests.iter().map(RecordedRequest::to_json).collect();
            return Some(Answer::new(Status::OK, &lines).of_type("application/x-ndjson"));
        }
        ("POST", b"drop") => drop(site.state.breaks.fetch_add(1, Ordering::Relaxed)),
        ("POST", b"stop") => drop(stream.local_addr().and_then(|address| site.stop(address))),
        _ => return Some(Answer::not_found(CONTROLS)),
    }
    Some(Answer::new(Status::NO_CONTENT, ""))
}
