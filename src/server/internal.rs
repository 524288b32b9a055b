//! Answers the paths that belong to the server: the page at `/`, and under `/-/` the list of scripts, the bytes that go
//! over other connections, the control of the server, and the judge.

pub(super) mod guard;
mod journal;
mod judge;
mod page;
mod reply;
mod results;
mod wire;

use super::responses;
pub(super) use super::scripts::is_reserved;
use super::shared::Shared;
use crate::http::chunk::Framing;
use crate::http::request::{Request, Version};
use crate::http::response::{ResponseOptions, StreamHead};
use crate::http::short_response::Response;
use crate::http::status::{bad_request, RequestError, Status};
use crate::http::uri::percent_decode;
use crate::script::expectation::Outcome;
use crate::script::units::parse_time;
use crate::script::{Script, MAX_DOWNTIME};
use crate::text::error::Error;
use crate::text::json;
pub(super) use reply::Reply;
use std::net::TcpStream;

/// The route of the page.
const PAGE: &str = "GET /";
const EVENT_STREAM: &str = "text/event-stream";

const NO_SCRIPT: RequestError = Status::NOT_FOUND.error("no script has this name");
const NO_TIME: RequestError = bad_request("the time is missing or invalid (write `/-/down?for=2s`)");
const TOO_MANY_OBSERVERS: RequestError = Status::SERVICE_UNAVAILABLE.error("too many observers (limit 64)");
const TOO_MANY_WATCHERS: RequestError =
    Status::SERVICE_UNAVAILABLE.error("too many streams of results (limit 16)");

/// Everything that the server answers without a script. The last segment of a path is a placeholder if it is in capitals.
const TABLE: &[Row] = &[
    Row { route: PAGE, needs: Needs::Nothing, respond: |_, _| respond(page::wire()) },
    Row { route: "GET /-/scripts", needs: Needs::Nothing, respond: scripts },
    Row { route: "GET /-/scripts/NAME", needs: Needs::Nothing, respond: script_text },
    Row { route: "GET /-/wire/PATH", needs: Needs::Nothing, respond: observe },
    Row { route: "GET /-/journal", needs: Needs::Control, respond: journal },
    Row { route: "GET /-/verdict", needs: Needs::Control, respond: verdict },
    Row { route: "POST /-/go/NAME", needs: Needs::Control, respond: release },
    Row { route: "POST /-/send/PATH", needs: Needs::Control, respond: send },
    Row { route: "POST /-/drop", needs: Needs::Control, respond: drop_all },
    Row { route: "POST /-/drop/PATH", needs: Needs::Control, respond: drop_streams },
    Row { route: "PUT /-/scripts/NAME", needs: Needs::Control, respond: set_script },
    Row { route: "DELETE /-/scripts/NAME", needs: Needs::Control, respond: remove_script },
    Row { route: "POST /-/reset", needs: Needs::Control, respond: reset },
    Row { route: "POST /-/down", needs: Needs::Control, respond: pause_listening },
    Row { route: "POST /-/stop", needs: Needs::Control, respond: stop },
    Row { route: "GET /-/judge", needs: Needs::Judge, respond: judge_page },
    Row { route: "GET /-/judge/results", needs: Needs::Judge, respond: judge_results },
    Row { route: "POST /-/judge/next", needs: Needs::Judge, respond: judge_next },
    Row { route: "POST /-/judge/report", needs: Needs::Judge, respond: take_judge_report },
    Row { route: "GET /-/judge/report", needs: Needs::Judge, respond: give_judge_report },
    Row { route: "POST /-/judge/forget", needs: Needs::Judge, respond: judge_forget },
];

/// A method and a path, and what they do.
struct Row {
    route: &'static str,
    needs: Needs,
    /// Gets the part of the path in the place of the placeholder.
    respond: for<'a> fn(&Call<'a>, &'a [u8]) -> Answer<'a>,
}

/// The setting that a server needs to have a row.
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    /// Clients may control the server.
    Control,
    /// The server judges clients.
    Judge,
}

impl Needs {
    fn are_met(self, shared: &Shared) -> bool {
        match self {
            Needs::Nothing => true,
            Needs::Control => shared.control,
            Needs::Judge => shared.judge.is_present(),
        }
    }

    /// What the list of paths says about a row that this server does not have.
    fn hint(self) -> &'static str {
        match self {
            Needs::Nothing => "",
            Needs::Control => " (with --control)",
            Needs::Judge => " (with --judge)",
        }
    }
}

/// A request, and what is needed to answer it.
pub(super) struct Call<'a> {
    pub request: &'a Request,
    pub body: &'a [u8],
    pub shared: &'a Shared,
    pub stream: &'a TcpStream,
    pub options: ResponseOptions,
}

impl Call<'_> {
    /// The head of a response that is a stream.
    fn stream_head(&self, content_type: &str) -> StreamHead {
        let framing = match self.request.version() {
            Version::Http11 => Framing::Chunked,
            Version::Http10 => Framing::UntilClose,
        };
        responses::stream_head(framing, "no-store", content_type, self.options)
    }
}

/// A reply, or the error that is sent instead.
type Answer<'a> = Result<Reply<'a>, RequestError>;

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
    let rows = TABLE.iter().filter(|row| row.needs.are_met(shared));
    rows.filter(|row| shared.has_page || row.route != PAGE)
}

/// The methods that the server answers at a path.
pub(super) fn methods(path: &[u8], shared: &Shared) -> Vec<&'static str> {
    rows(shared).filter(|row| row.rest(path).is_some()).map(Row::method).collect()
}

/// Does what a request asks for, if its method and its path are in the table.
pub(super) fn reply<'a>(call: &Call<'a>) -> Option<Reply<'a>> {
    let mut rows = rows(call.shared).filter(|row| row.answers(call.request.method()));
    let answer = rows.find_map(|row| Some((row.respond)(call, row.rest(call.request.path())?)))?;
    Some(answer.unwrap_or_else(|error| Reply::Response(Response::error(&error))))
}

/// `404 Not Found` for a path under `/-/`, with those that exist.
pub(super) fn not_found(shared: &Shared) -> Response {
    let mut text = "404 Not Found: the server answers nothing at this path; available:\n".to_owned();
    for row in TABLE.iter().filter(|row| row.route.contains("/-/")) {
        let hint = if row.needs.are_met(shared) { "" } else { row.needs.hint() };
        text += &format!("{}{hint}\n", row.route);
    }
    Response::new(Status::NOT_FOUND, text)
}

/// The scripts as JSON: of each its `name`, `method`, `target`, `about` (its first remark), `introduction` (all remarks
/// that it begins with), and the event types in its text.
fn scripts<'a>(call: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    let mut scripts = Vec::new();
    for script in call.shared.scripts.current().scripts() {
        let types: Vec<String> = script.event_types().iter().map(|name| json::string(name)).collect();
        let object = json::Object::new()
            .string("name", &script.name)
            .string("method", &script.route.methods.join(","))
            .string("target", &script.route.target())
            .string("about", &script.about)
            .string("introduction", &script.introduction())
            .member("types", format_args!("[{}]", types.join(",")));
        scripts.push(object.finish());
    }
    respond(responses::json(format!("[{}]\n", scripts.join(",\n"))))
}

/// The text of a script, in which U+FFFD stands for bytes that are not UTF-8.
fn script_text<'a>(call: &Call<'a>, rest: &'a [u8]) -> Answer<'a> {
    let name = path_of(rest);
    let scripts = call.shared.scripts.current();
    let script = scripts.scripts().find(|script| script.name.as_bytes() == name).ok_or(NO_SCRIPT)?;
    respond(Response::new(Status::OK, String::from_utf8_lossy(script.text())))
}

/// Subscribes to what goes over connections that request `/` and the rest of the path.
fn observe<'a>(call: &Call<'a>, rest: &'a [u8]) -> Answer<'a> {
    let path = path_of(rest);
    if is_reserved(&path) {
        // An observer of observers would be sent its own events, in ever larger ones.
        return Err(bad_request("paths under /-/ cannot be observed"));
    }
    let ip = call.stream.peer_addr().map(|address| address.ip());
    let subscription = ip.ok().and_then(|ip| call.shared.trace.observers.subscribe(path, ip));
    let subscription = subscription.ok_or(TOO_MANY_OBSERVERS)?;
    Ok(Reply::Stream(
        call.stream_head(EVENT_STREAM),
        Box::new(move |head, body, clock| wire::send(&subscription, head, body, clock)),
    ))
}

/// Sends entries of the journal, for which the client may have to wait.
fn journal<'a>(call: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    let query = match journal::parse_query(call.request.query().unwrap_or_default()) {
        Ok(query) => query,
        Err(message) => return respond(responses::invalid_value(&message)),
    };
    let head = call.stream_head(journal::CONTENT_TYPE);
    let journal = &call.shared.journal;
    Ok(Reply::Wait(Box::new(move |clock| journal::reply(journal, query, head, clock))))
}

fn verdict<'a>(call: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    let outcomes = call.shared.verdicts.verdict(&call.shared.scripts.current()).outcomes;
    let lines: String = outcomes.iter().map(Outcome::to_json).collect();
    respond(Response::new(Status::OK, lines).content_type(journal::CONTENT_TYPE))
}

/// The path that is the rest of another path.
fn path_of(rest: &[u8]) -> Vec<u8> {
    [b"/", &*percent_decode(rest)].concat()
}

fn release<'a>(call: &Call<'a>, rest: &'a [u8]) -> Answer<'a> {
    streams(call.shared.release(&String::from_utf8_lossy(&percent_decode(rest))))
}

fn send<'a>(call: &Call<'a>, rest: &'a [u8]) -> Answer<'a> {
    streams(call.shared.send(&path_of(rest), call.body))
}

fn drop_all<'a>(call: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    streams(call.shared.connections.drop_streams(None))
}

fn drop_streams<'a>(call: &Call<'a>, rest: &'a [u8]) -> Answer<'a> {
    streams(call.shared.connections.drop_streams(Some(&path_of(rest))))
}

/// Sets a script from the body: 204, or 200 with warnings about it, or 422 with the errors in it.
fn set_script<'a>(call: &Call<'a>, rest: &'a [u8]) -> Answer<'a> {
    match replace_script(call, &String::from_utf8_lossy(&path_of(rest))) {
        Ok(warnings) if warnings.is_empty() => done(),
        Ok(warnings) => respond(Response::new(Status::OK, warnings.join("\n") + "\n")),
        Err(error) => respond(Response::new(Status::UNPROCESSABLE_CONTENT, format!("{error}\n"))),
    }
}

/// Sets the script of this path from the body, and returns the warnings about it.
fn replace_script(call: &Call<'_>, path: &str) -> Result<Vec<String>, Error> {
    let script = Script::parse(path, call.body)?;
    let (name, warnings) = (script.name().to_owned(), script.warnings().to_vec());
    call.shared.set_script(script)?;
    Ok([warnings, call.shared.scripts.warnings_about(&name)].concat())
}

fn remove_script<'a>(call: &Call<'a>, rest: &'a [u8]) -> Answer<'a> {
    if call.shared.scripts.remove(&String::from_utf8_lossy(&path_of(rest))) {
        done()
    } else {
        Err(NO_SCRIPT)
    }
}

fn reset<'a>(call: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    call.shared.reset();
    done()
}

/// Refuses connections for the time in the query, `for=T`.
fn pause_listening<'a>(call: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    let time = call.request.query().unwrap_or_default().strip_prefix(b"for=").map(parse_time);
    let time = time.and_then(Result::ok).ok_or(NO_TIME)?;
    if time > MAX_DOWNTIME {
        return Err(bad_request("the time is too long (at most 10m)"));
    }
    if let Some(port) = call.shared.ports.own() {
        port.pause_listening(time);
    }
    done()
}

fn stop<'a>(_: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    Ok(Reply::Stop(responses::done()))
}

fn judge_page<'a>(call: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    respond(page::judge(call.request, &call.shared.ports))
}

fn judge_results<'a>(call: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    let watcher = results::Watcher::new(call.shared).ok_or(TOO_MANY_WATCHERS)?;
    Ok(Reply::Stream(
        call.stream_head(EVENT_STREAM),
        Box::new(move |head, body, clock| results::send(&watcher, head, body, clock)),
    ))
}

/// Gives a client its next case, as soon as the one before is decided.
fn judge_next<'a>(call: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    let Shared { judge, ports, .. } = call.shared;
    let (next, before) = judge::next(call.request, judge)?;
    Ok(Reply::Wait(Box::new(move |clock| {
        if let Some(run) = before {
            judge::wait_until_decided(&run, clock)?;
        }
        Ok(Reply::Response(next.response(judge, ports)))
    })))
}

fn take_judge_report<'a>(call: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    respond(judge::take_report(call.request, call.body, &call.shared.judge)?)
}

fn give_judge_report<'a>(call: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    respond(judge::give_report(call.request, &call.shared.judge)?)
}

fn judge_forget<'a>(call: &Call<'a>, _: &'a [u8]) -> Answer<'a> {
    respond(judge::forget(call.request, &call.shared.judge)?)
}

fn respond<'a>(response: Response) -> Answer<'a> {
    Ok(Reply::Response(response))
}

fn done<'a>() -> Answer<'a> {
    respond(responses::done())
}

/// Responds with the number of streams that were affected.
fn streams<'a>(count: usize) -> Answer<'a> {
    respond(responses::json(json::Object::new().member("streams", count).finish() + "\n"))
}
