//! Answers the paths that belong to the server: the page at `/`, and under `/-/` the list of scripts, the bytes that go
//! over other connections, and the control of the server.

pub(super) mod guard;
pub(super) mod journal;
mod page;
pub(super) mod wire;

pub(super) use super::scripts::is_reserved;
use super::shared::Shared;
use crate::http::request::Request;
use crate::http::response::{ResponseOptions, StreamHead};
use crate::http::short_response::Response;
use crate::http::status::{bad_request, Status};
use crate::http::uri::percent_decode;
use crate::script::expectation::Outcome;
use crate::script::units::parse_time;
use crate::script::Script;
use crate::text::json;
use crate::trace::observers::Subscription;
use std::net::TcpStream;

/// The route of the page.
const PAGE: &str = "GET /";

/// Everything that the server answers without a script. The last segment of a path is a placeholder if it is in capitals.
const TABLE: &[Row] = &[
    Row { route: PAGE, is_control: false, respond: |_, _| Reply::Response(page::page()) },
    Row { route: "GET /-/scripts", is_control: false, respond: scripts },
    Row { route: "GET /-/scripts/NAME", is_control: false, respond: script_text },
    Row { route: "GET /-/wire/PATH", is_control: false, respond: observe },
    Row { route: "GET /-/journal", is_control: true, respond: journal },
    Row { route: "GET /-/verdict", is_control: true, respond: verdict },
    Row { route: "POST /-/go/NAME", is_control: true, respond: release },
    Row { route: "POST /-/send/PATH", is_control: true, respond: send },
    Row { route: "POST /-/drop", is_control: true, respond: drop_all },
    Row { route: "POST /-/drop/PATH", is_control: true, respond: drop_streams },
    Row { route: "PUT /-/scripts/NAME", is_control: true, respond: set_script },
    Row { route: "DELETE /-/scripts/NAME", is_control: true, respond: remove_script },
    Row { route: "POST /-/reset", is_control: true, respond: reset },
    Row { route: "POST /-/down", is_control: true, respond: pause_listening },
    Row { route: "POST /-/stop", is_control: true, respond: stop },
];

/// A method and a path, and what they do.
struct Row {
    route: &'static str,
    /// Whether it is there only if clients may control the server.
    is_control: bool,
    /// Gets the part of the path in the place of the placeholder.
    respond: for<'a> fn(&Call<'a>, &'a [u8]) -> Reply<'a>,
}

/// A request, and what is needed to answer it.
pub(super) struct Call<'a> {
    pub request: &'a Request,
    pub body: &'a [u8],
    pub shared: &'a Shared,
    pub stream: &'a TcpStream,
    pub options: ResponseOptions,
}

/// The response to a request for one of these paths.
pub(super) enum Reply<'a> {
    /// A short response.
    Response(Response),
    /// The head of a stream, and the events for its body: what goes over other connections.
    Observe(StreamHead, Subscription<'a>),
    /// The head of a stream of the entries of the journal, from the one with this number on.
    Journal(StreamHead, usize),
    /// A short response, after which the server stops.
    Stop(Response),
}

impl Row {
    fn method(&self) -> &'static str {
        self.route.split(' ').next().unwrap_or_default()
    }

    fn answers(&self, method: &str) -> bool {
        self.method() == method || (self.method() == "GET" && method == "HEAD")
    }

    /// What `path` has in the place of the placeholder, or nothing; `None` for a path of another row.
    fn rest<'a>(&self, path: &'a [u8]) -> Option<&'a [u8]> {
        let own = self.route.split(' ').nth(1).unwrap_or_default();
        let fixed = own.trim_end_matches(|c: char| c.is_ascii_uppercase());
        let rest = path.strip_prefix(fixed.as_bytes())?;
        (rest.is_empty() || fixed.len() < own.len()).then_some(rest)
    }
}

/// The rows that this server has.
fn rows(shared: &Shared) -> impl Iterator<Item = &'static Row> + '_ {
    let rows = TABLE.iter().filter(|row| shared.control || !row.is_control);
    rows.filter(|row| shared.has_page || row.route != PAGE)
}

/// The methods that the server answers at a path.
pub(super) fn methods(path: &[u8], shared: &Shared) -> Vec<&'static str> {
    rows(shared).filter(|row| row.rest(path).is_some()).map(Row::method).collect()
}

/// Does what a request asks for, if its method and its path are in the table.
pub(super) fn reply<'a>(call: &Call<'a>) -> Option<Reply<'a>> {
    let mut rows = rows(call.shared).filter(|row| row.answers(call.request.method()));
    rows.find_map(|row| Some((row.respond)(call, row.rest(call.request.path())?)))
}

/// `404 Not Found` for a path under `/-/`, with those that exist.
pub(super) fn not_found(shared: &Shared) -> Response {
    let mut text = "404 Not Found: the server answers nothing at this path; available:\n".to_owned();
    for row in TABLE.iter().filter(|row| row.route.contains("/-/")) {
        let hint = if row.is_control && !shared.control { " (with --control)" } else { "" };
        text += &format!("{}{hint}\n", row.route);
    }
    Response::new(Status::NOT_FOUND, text)
}

/// The scripts as JSON: of each its `name`, `method`, `target`, `about` (its first remark), `introduction` (all remarks that it begins
/// with), and the event types in its text.
fn scripts<'a>(call: &Call<'a>, _: &'a [u8]) -> Reply<'a> {
    let mut scripts = Vec::new();
    for script in call.shared.scripts.current().scripts() {
        let types: Vec<String> = script.event_types().iter().map(|name| json::string(name)).collect();
        scripts.push(format!(
            "{{\"name\":{},\"method\":{},\"target\":{},\"about\":{},\"introduction\":{},\"types\":[{}]}}",
            json::string(&script.name),
            json::string(&script.route.methods.join(",")),
            json::string(&script.route.target()),
            json::string(&script.about),
            json::string(&script.introduction()),
            types.join(","),
        ));
    }
    let text = format!("[{}]\n", scripts.join(",\n"));
    Reply::Response(Response::new(Status::OK, text).content_type("application/json"))
}

/// The text of a script, in which U+FFFD stands for bytes that are not UTF-8.
fn script_text<'a>(call: &Call<'a>, rest: &'a [u8]) -> Reply<'a> {
    let name = path_of(rest);
    let scripts = call.shared.scripts.current();
    let script = scripts.scripts().find(|script| script.name.as_bytes() == name);
    Reply::Response(
        script.map_or_else(no_script, |script| {
            Response::new(Status::OK, String::from_utf8_lossy(script.text()))
        }),
    )
}

fn no_script() -> Response {
    Response::new(Status::NOT_FOUND, "404 Not Found: no script has this name\n")
}

/// Subscribes to what goes over connections that request `/` and the rest of the path.
fn observe<'a>(call: &Call<'a>, rest: &'a [u8]) -> Reply<'a> {
    let path = path_of(rest);
    if is_reserved(&path) {
        // An observer of observers would be sent its own events, in ever larger ones.
        return Reply::Response(Response::error(&bad_request("paths under /-/ cannot be observed")));
    }
    let ip = call.stream.peer_addr().map(|address| address.ip());
    match ip.ok().and_then(|ip| call.shared.trace.observers.subscribe(path, ip)) {
        Some(subscription) => {
            Reply::Observe(wire::head(call.request, call.options, b"text/event-stream"), subscription)
        }
        None => {
            let error = Status::SERVICE_UNAVAILABLE.error("too many observers (limit 64)");
            Reply::Response(Response::error(&error))
        }
    }
}

fn journal<'a>(call: &Call<'a>, _: &'a [u8]) -> Reply<'a> {
    match journal::answer(&call.shared.journal, call.request.query().unwrap_or_default()) {
        journal::Answer::Response(response) => Reply::Response(response),
        journal::Answer::From(number) => {
            Reply::Journal(wire::head(call.request, call.options, journal::CONTENT_TYPE.as_bytes()), number)
        }
    }
}

fn verdict<'a>(call: &Call<'a>, _: &'a [u8]) -> Reply<'a> {
    let outcomes = call.shared.verdicts.verdict(&call.shared.scripts.current()).outcomes;
    let lines: String = outcomes.iter().map(Outcome::to_json).collect();
    Reply::Response(Response::new(Status::OK, lines).content_type(journal::CONTENT_TYPE))
}

/// The path that is the rest of another path.
fn path_of(rest: &[u8]) -> Vec<u8> {
    [b"/", &*percent_decode(rest)].concat()
}

fn release<'a>(call: &Call<'a>, rest: &'a [u8]) -> Reply<'a> {
    streams(call.shared.release(&String::from_utf8_lossy(&percent_decode(rest))))
}

fn send<'a>(call: &Call<'a>, rest: &'a [u8]) -> Reply<'a> {
    streams(call.shared.send(&path_of(rest), call.body))
}

fn drop_all<'a>(call: &Call<'a>, _: &'a [u8]) -> Reply<'a> {
    streams(call.shared.connections.drop_streams(None))
}

fn drop_streams<'a>(call: &Call<'a>, rest: &'a [u8]) -> Reply<'a> {
    streams(call.shared.connections.drop_streams(Some(&path_of(rest))))
}

/// Sets a script from the body: 204, or 200 with warnings about it, or 422 with the mistakes in it.
fn set_script<'a>(call: &Call<'a>, rest: &'a [u8]) -> Reply<'a> {
    let script = Script::parse(&String::from_utf8_lossy(&path_of(rest)), call.body);
    let warnings = script.as_ref().map_or(String::new(), |script| script.warnings().join("\n"));
    match script.and_then(|script| call.shared.set_script(script)) {
        Ok(()) if warnings.is_empty() => done(),
        Ok(()) => Reply::Response(Response::new(Status::OK, warnings + "\n")),
        Err(error) => Reply::Response(Response::new(Status::UNPROCESSABLE_CONTENT, format!("{error}\n"))),
    }
}

fn remove_script<'a>(call: &Call<'a>, rest: &'a [u8]) -> Reply<'a> {
    if call.shared.scripts.remove(&String::from_utf8_lossy(&path_of(rest))) {
        done()
    } else {
        Reply::Response(no_script())
    }
}

fn reset<'a>(call: &Call<'a>, _: &'a [u8]) -> Reply<'a> {
    call.shared.reset();
    done()
}

/// Refuses connections for the time in the query, `for=T`.
fn pause_listening<'a>(call: &Call<'a>, _: &'a [u8]) -> Reply<'a> {
    let query = call.request.query().unwrap_or_default();
    match query.strip_prefix(b"for=").map(parse_time) {
        Some(Ok(time)) => {
            call.shared.pause_listening(time);
            done()
        }
        _ => Reply::Response(Response::error(&bad_request(
            "the time is missing or invalid (write `/-/down?for=2s`)",
        ))),
    }
}

fn done<'a>() -> Reply<'a> {
    Reply::Response(Response::new(Status::NO_CONTENT, ""))
}

/// How many streams something was done to.
fn streams<'a>(count: usize) -> Reply<'a> {
    let json = format!("{{\"streams\":{count}}}\n");
    Reply::Response(Response::new(Status::OK, json).content_type("application/json"))
}

fn stop<'a>(_: &Call<'a>, _: &'a [u8]) -> Reply<'a> {
    Reply::Stop(Response::new(Status::NO_CONTENT, ""))
}
