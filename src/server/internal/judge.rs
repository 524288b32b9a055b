//! The judge over HTTP: gives clients their next test case, takes their reports of events and states, and returns the
//! results of the cases.

use crate::http::request::Request;
use crate::http::short_response::Response;
use crate::http::status::{bad_request, RequestError, Status};
use crate::http::uri::{percent_encode_all, query_value};
use crate::judge::profile::Selection;
use crate::judge::run::CaseRun;
use crate::judge::{is_name, Judge};
use crate::script::case::Start;
use crate::script::play::clock::Clock;
use crate::server::port::Ports;
use crate::server::responses;
use crate::text::json;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How often to check whether a case that a client waits for is decided.
const LOOK: Duration = Duration::from_millis(10);

const NO_NAME: RequestError =
    bad_request("expected `?client=NAME` with a name of 1 to 64 bytes, not `.` or `..`");
const NO_PROFILE: RequestError =
    bad_request("expected eventsource, browser, library or parser after `profile=`");
const NO_CASE: RequestError =
    bad_request("no case has such a name (`client=NAME&cases=P*` selects the cases on parsing)");
const NO_RUN: RequestError = Status::NOT_FOUND.error(
    "this client has not begun this case (`?client=NAME&case=ID`, as in the response to POST /-/judge/next)",
);
const NO_CLIENT: RequestError = Status::NOT_FOUND.error("this client has not begun a case");
const NO_REPORT: RequestError = bad_request(
    "each line of a report is a JSON object with the members type, data and id, which are strings, or with the member \
     state, which is open, error or closed",
);

/// The client that gets the next case, and the run that has to be decided first, if there is one.
///
/// # Errors
/// A parameter is missing or invalid.
pub fn next(request: &Request, judge: &Judge) -> Result<(NextCase, Option<Arc<CaseRun>>), RequestError> {
    let next = NextCase::new(request)?;
    if !judge.cases().iter().any(|case| next.selection.includes(&case.id)) {
        return Err(NO_CASE);
    }
    let after = match parameter(request, "after") {
        Some(id) => Some(judge.find(&next.client, &id).ok_or(NO_RUN)?),
        None => None,
    };
    Ok((next, after))
}

/// Takes what a client reports, a line of JSON for each event that it has dispatched and for each state.
///
/// # Errors
/// There is no such run, or a line is neither.
pub fn take_report(request: &Request, body: &[u8], judge: &Judge) -> Result<Response, RequestError> {
    let id = parameter(request, "case").unwrap_or_default();
    let run = judge.find(&client(request)?, &id).ok_or(NO_RUN)?;
    let text = String::from_utf8_lossy(body);
    // An invalid line does not prevent the others from being accepted, as with lines on stdout.
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let ignored = lines.filter(|line| !run.report(line)).count();
    if parameter(request, "ended").is_some() {
        run.client_ended();
    }
    if ignored == 0 {
        Ok(responses::done())
    } else {
        Err(NO_REPORT)
    }
}

/// Returns the results of the decided cases of a client, or of one of them, as `--report` writes them to `report.json`.
///
/// # Errors
/// There is no such client.
pub fn give_report(request: &Request, judge: &Judge) -> Result<Response, RequestError> {
    let mut report = judge.report(&client(request)?).ok_or(NO_CLIENT)?;
    if let Some(id) = parameter(request, "case") {
        report.results.retain(|result| result.id == id);
    }
    Ok(responses::json(report.to_json()))
}

/// Forgets a client, so that it can be judged again.
///
/// # Errors
/// The query has no valid name.
pub fn forget(request: &Request, judge: &Judge) -> Result<Response, RequestError> {
    judge.forget(&client(request)?);
    Ok(responses::done())
}

fn client(request: &Request) -> Result<String, RequestError> {
    parameter(request, "client").filter(|name| is_name(name)).ok_or(NO_NAME)
}

/// The value of a parameter in the query, if it is UTF-8.
fn parameter(request: &Request, name: &str) -> Option<String> {
    let value = query_value(request.query()?, name.as_bytes())?;
    String::from_utf8(value.into_owned()).ok()
}

/// The client that gets the next case.
pub struct NextCase {
    client: String,
    selection: Selection,
    /// The host in the request, which the guard has checked.
    host: String,
    /// The same with the port.
    authority: String,
    /// The parameters that the next request has to repeat.
    query: String,
}

impl NextCase {
    fn new(request: &Request) -> Result<NextCase, RequestError> {
        let client = client(request)?;
        let mut selection = Selection { cases: parameter(request, "cases"), ..Selection::default() };
        let mut query = format!("client={}", percent_encode_all(client.as_bytes()));
        if let Some(profile) = parameter(request, "profile") {
            selection.profile = profile.parse().map_err(|_| NO_PROFILE)?;
            query += &format!("&profile={profile}");
        }
        if let Some(cases) = &selection.cases {
            query += &format!("&cases={}", percent_encode_all(cases.as_bytes()));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let host = text(request.host_and_port().unwrap_or_default().0);
        let authority = text(request.authority().unwrap_or_default());
        Ok(NextCase { client, selection, host, authority, query })
    }

    /// Begins the case, and says where the client finds it, where it reports, and where it gets the case after it.
    pub(crate) fn response(&self, judge: &Judge, ports: &Ports) -> Response {
        let run = match judge.next(&self.client, |id| self.selection.includes(id)) {
            Some(run) => run,
            None => return responses::done(),
        };
        let NextCase { client, host, authority, query, .. } = self;
        let (id, client) = (run.id(), percent_encode_all(client.as_bytes()));
        let begins_at = match ports.assign(&run) {
            Some(port) => format!("{host}:{port}"),
            None => authority.clone(),
        };
        let with_credentials = matches!(run.script.start, Start::OtherOrigin { with_credentials: true });
        let case = json::Object::new()
            .string("id", id)
            .string("url", &format!("http://{begins_at}{}", run.path()))
            .string("report", &format!("http://{authority}/-/judge/report?client={client}&case={id}"))
            .string("next", &format!("http://{authority}/-/judge/next?{query}&after={id}"))
            .member("withCredentials", with_credentials);
        responses::json(case.finish() + "\n").field("cache-control", "no-store")
    }
}

/// Waits until a run is decided, which takes 30 s at most.
///
/// # Errors
/// The client has left, or the server stops.
pub fn wait_until_decided(run: &CaseRun, mut clock: impl Clock) -> io::Result<()> {
    while run.result().is_none() {
        clock.check()?;
        thread::sleep(LOOK);
    }
    Ok(())
}
