//! Judges SSE clients. A test case is a script (`@case`); the next request of the client that it is sent to is the client's
//! report: whether it comes, when, and with which `Last-Event-ID`.
//!
//! | module | what it does |
//! |---|---|
//! | [`cases`] | the built-in cases |
//! | [`client`] | a client that is judged |
//! | [`decision`] | decides a run |
//! | [`events`] | compares the events that a client reports with those that were sent |
//! | [`profile`] | chooses the cases for a kind of client |
//! | [`progress`] | what has happened so far in a run |
//! | [`report`] | the results of all cases, as text, JSON, JUnit XML and HTML |
//! | [`reports`] | what a client reports: events and states |
//! | [`run`] | one client in one case: what happened so far, and the result |
//! | [`runs`] | all runs, client by client |
//! | [`result`] | the result of a case |
//! | [`verdicts`] | keeps the outcomes of the expectations of scripts |

pub mod cases;
pub mod client;
pub mod decision;
pub mod events;
pub mod profile;
pub mod progress;
pub mod report;
pub mod reports;
pub mod result;
pub mod run;
pub mod runs;
pub mod verdicts;

use crate::http::uri::percent_decode;
use crate::script::Script;
use crate::text::lock::lock;
use cases::TestCase;
use report::Report;
use run::CaseRun;
use runs::Runs;
use std::sync::{Arc, Mutex};

/// The paths of cases begin with this: `/case/NAME/ID`.
const PREFIX: &[u8] = b"/case/";
/// Bytes in the name of a client.
const MAX_NAME: usize = 64;

/// The cases, and the clients that are judged.
#[derive(Debug, Default)]
pub struct Judge {
    cases: Vec<Arc<TestCase>>,
    runs: Mutex<Runs>,
}

impl Judge {
    /// A judge with these cases.
    pub fn new(cases: Vec<TestCase>) -> Judge {
        Judge { cases: cases.into_iter().map(Arc::new).collect(), runs: Mutex::default() }
    }

    /// Replaces the built-in cases with the user's own scripts, if there are any.
    pub fn use_scripts<'a>(&mut self, scripts: impl Iterator<Item = &'a Arc<Script>>) {
        if !self.is_present() {
            return;
        }
        let own: Vec<_> =
            scripts.filter_map(|script| TestCase::of_script(script).ok()).map(Arc::new).collect();
        if !own.is_empty() {
            self.cases = own;
        }
    }

    /// Whether there are cases to judge clients by.
    pub fn is_present(&self) -> bool {
        !self.cases.is_empty()
    }

    /// The cases in their order.
    pub fn cases(&self) -> &[Arc<TestCase>] {
        &self.cases
    }

    /// The run that a request for this path belongs to, which begins with its first request. `None` for any other path.
    pub fn run_at(&self, path: &[u8]) -> Option<Arc<CaseRun>> {
        if !self.is_present() {
            return None;
        }
        let path = percent_decode(path.strip_prefix(PREFIX)?);
        let (client, id) = std::str::from_utf8(&path).ok()?.rsplit_once('/')?;
        let mut runs = lock(&self.runs);
        match runs.find(client, id).filter(|run| !run.can_begin_again()) {
            Some(run) => Some(run),
            None => self.begin(&mut runs, client, id, true),
        }
    }

    /// The run of this client and this case, which begins now if there is none. `None` if there is no such case.
    pub fn run(&self, client: &str, id: &str) -> Option<Arc<CaseRun>> {
        let mut runs = lock(&self.runs);
        runs.find(client, id).or_else(|| self.begin(&mut runs, client, id, false))
    }

    /// Begins the first case among those with these IDs that the client has not begun. `None` if there is no further one.
    pub fn next(&self, client: &str, includes: impl Fn(&str) -> bool) -> Option<Arc<CaseRun>> {
        let mut runs = lock(&self.runs);
        let is_next = |case: &&Arc<TestCase>| includes(&case.id) && runs.find(client, &case.id).is_none();
        let id = &self.cases.iter().find(is_next)?.id;
        self.begin(&mut runs, client, id, false)
    }

    /// The run of this client and this case, if it has begun.
    pub fn find(&self, client: &str, id: &str) -> Option<Arc<CaseRun>> {
        lock(&self.runs).find(client, id)
    }

    /// All runs, in the order in which they began.
    pub fn all_runs(&self) -> Vec<Arc<CaseRun>> {
        lock(&self.runs).all()
    }

    /// The results of the cases that are decided for this client, in the order of the cases. `None` if it has begun
    /// none.
    pub fn report(&self, client: &str) -> Option<Report> {
        let runs: Vec<_> = self.cases.iter().filter_map(|case| self.find(client, &case.id)).collect();
        let results = runs.iter().filter_map(|run| run.result()).collect();
        (!runs.is_empty()).then(|| Report::new(client, results))
    }

    /// Forgets this client, so that it can be judged again.
    pub fn forget(&self, client: &str) {
        lock(&self.runs).forget(client);
    }

    fn begin(&self, runs: &mut Runs, client: &str, id: &str, by_request: bool) -> Option<Arc<CaseRun>> {
        if !is_name(client) {
            return None;
        }
        let case = self.cases.iter().find(|case| case.id == id)?;
        runs.begin(client, case, by_request)
    }
}

/// Whether a client can have this name. It is a segment of the path of each case, from which clients remove `.` and `..`.
pub fn is_name(client: &str) -> bool {
    !client.is_empty() && client.len() <= MAX_NAME && client != "." && client != ".."
}
