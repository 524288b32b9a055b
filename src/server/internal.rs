//! Answers the paths that belong to the server: the page at `/`, and under `/-/` the list of scripts, the bytes that go
//! over other connections, and the control of the server.

use super::journal::RecordedRequest;
use super::shared::Shared;
use crate::http::chunk::{ChunkedWriter, Framing};
use crate::http::request::{Request, Version};
use crate::http::response::{ResponseHead, ResponseOptions, StreamHead};
use crate::http::short_response::Response;
use crate::http::status::Status;
use crate::http::AfterResponse;
use crate::script::expectation::Outcome;
use crate::script::play::clock::Clock;
use crate::script::play::random::random_seed;
use crate::text::json;
use crate::trace::observers::Subscription;
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// The page. `{nonce}` is replaced by a value made for each response, which marks its own script and style.
const PAGE: &str = include_str!("page.html");
/// The page may use only what is part of it, and cannot insert text as HTML.
const POLICY: &str = "default-src 'none'; connect-src 'self'; img-src data:; script-src 'nonce-{nonce}'; \
    style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";
/// After this time without an event, an observer is sent a comment: only a write shows that a client has left.
const SILENCE: Duration = Duration::from_secs(1);
/// The requests that control the server.
const CONTROLS: &str = "GET /-/requests\nGET /-/verdict\nPOST /-/drop\nPOST /-/stop\n";

/// The response to a request for one of these paths.
pub(super) enum Reply<'a> {
    /// A short response.
    Response(Response),
    /// The head of a stream, and the events for its body: what goes over other connections.
    Observe(StreamHead, Subscription<'a>),
}

/// The response to a request that no script answers, if it is for one of these paths.
pub(super) fn reply<'a>(
    request: &Request,
    shared: &'a Shared,
    stream: &TcpStream,
    options: ResponseOptions,
) -> Option<Reply<'a>> {
    let is_read = matches!(request.method(), "GET" | "HEAD");
    let name = match request.path().strip_prefix(b"/-/") {
        Some(name) => name,
        None if request.path() == b"/" && is_read => return Some(Reply::Response(page())),
        None => return None,
    };
    if is_read && name == b"scripts" {
        return Some(Reply::Response(scripts(shared)));
    }
    if is_read && name.starts_with(b"wire/") {
        return wire(request, &name[4..], shared, stream, options);
    }
    control(request.method(), name, shared, stream).map(Reply::Response)
}

fn page() -> Response {
    let nonce = format!("{:016x}{:016x}", random_seed(), random_seed());
    Response::new(Status::OK, PAGE.replace("{nonce}", &nonce))
        .content_type("text/html; charset=utf-8")
        .field("cache-control", "no-store")
        .field("referrer-policy", "same-origin")
        .field("x-content-type-options", "nosniff")
        .field("content-security-policy", POLICY.replace("{nonce}", &nonce))
}

/// The scripts as JSON: of each its `method`, `target`, `about`, and the event types in its text.
fn scripts(shared: &Shared) -> Response {
    let mut scripts = Vec::new();
    for script in shared.catalogue.scripts() {
        let types: Vec<String> = script.event_types().iter().map(|name| json::string(name)).collect();
        scripts.push(format!(
            "{{\"method\":{},\"target\":{},\"about\":{},\"types\":[{}]}}",
            json::string(&script.route.methods.join(",")),
            json::string(&script.route.target()),
            json::string(&script.about),
            types.join(","),
        ));
    }
    let text = format!("[{}]\n", scripts.join(",\n"));
    Response::new(Status::OK, text).content_type("application/json")
}

fn wire<'a>(
    request: &Request,
    path: &[u8],
    shared: &'a Shared,
    stream: &TcpStream,
    options: ResponseOptions,
) -> Option<Reply<'a>> {
    let ip = stream.peer_addr().ok()?.ip();
    match shared.trace.observers.subscribe(path, ip) {
        Some(subscription) => Some(Reply::Observe(wire_head(request, options), subscription)),
        None => {
            let error = Status::SERVICE_UNAVAILABLE.error("too many observers (limit 64)");
            Some(Reply::Response(Response::error(&error).field("retry-after", "2")))
        }
    }
}

fn wire_head(request: &Request, options: ResponseOptions) -> StreamHead {
    let framing = match request.version() {
        Version::Http11 => Framing::Chunked,
        Version::Http10 => Framing::UntilClose,
    };
    let mut head = ResponseHead::new(Status::OK, b"OK");
    head.framing(framing);
    head.field("cache-control", b"no-store");
    head.field("content-type", b"text/event-stream");
    head.date();
    if options.close {
        head.field("connection", b"close");
    }
    StreamHead { bytes: head.finish(), framing, close: options.close }
}

/// Sends an observer the events of its subscription until it leaves, or reads too slowly.
///
/// # Errors
/// The observer has left, or the server stops.
pub(super) fn send_wire(
    subscription: &Subscription<'_>,
    head: Vec<u8>,
    mut body: ChunkedWriter<impl Write>,
    mut clock: impl Clock,
) -> io::Result<AfterResponse> {
    body.write_head(head)?;
    body.write_all(b": what goes over the wire\n\n")?;
    loop {
        body.flush()?;
        clock.check()?;
        match subscription.events.recv_timeout(SILENCE) {
            Ok(event) => body.write_all(event.as_bytes())?,
            Err(RecvTimeoutError::Timeout) => body.write_all(b": still here\n\n")?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
        // Events that are there together leave together.
        while let Ok(event) = subscription.events.try_recv() {
            body.write_all(event.as_bytes())?;
        }
    }
    body.finish(b"")?;
    Ok(AfterResponse::KeepAlive)
}

/// Does what a request asks for, if clients may control the server.
fn control(method: &str, name: &[u8], shared: &Shared, stream: &TcpStream) -> Option<Response> {
    if !shared.control {
        return None;
    }
    match (method, name) {
        ("GET", b"requests") => {
            let lines: String = shared.journal.requests().iter().map(RecordedRequest::to_json).collect();
            return Some(Response::new(Status::OK, lines).content_type("application/x-ndjson"));
        }
        ("GET", b"verdict") => {
            let outcomes = shared.verdicts.verdict(&shared.catalogue).outcomes;
            let lines: String = outcomes.iter().map(Outcome::to_json).collect();
            return Some(Response::new(Status::OK, lines).content_type("application/x-ndjson"));
        }
        ("POST", b"drop") => shared.drop_streams(),
        // The thread that accepts is woken by a connection. When that fails, it ends with the next client.
        ("POST", b"stop") => drop(stream.local_addr().and_then(|address| shared.stop(address))),
        _ => {
            let text = format!("404 Not Found: no control at this path; available:\n{CONTROLS}");
            return Some(Response::new(Status::NOT_FOUND, text));
        }
    }
    Some(Response::new(Status::NO_CONTENT, ""))
}
