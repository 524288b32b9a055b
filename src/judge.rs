//! Judges SSE clients. A test case is a script (`@case`); the next request of the client that it is sent to is the client's
//! report: whether it comes, when, and with which `Last-Event-ID`.
//!
//! | module | what it does |
//! |---|---|
//! | [`cases`] | the built-in cases |
//! | [`events`] | compares the events that a client reports with those that were sent |
//! | [`profile`] | chooses the cases for a kind of client |
//! | [`report`] | what came of all cases, as text, JSON, JUnit XML and HTML |
//! | [`run`] | one client in one case: what happened so far, and the result |
//! | [`result`] | what came of a case |
//! | [`verdicts`] | keeps what came of the expectations of scripts |

pub mod cases;
pub mod events;
pub mod profile;
pub mod report;
pub mod result;
pub mod run;
pub mod verdicts;

use crate::http::uri::percent_decode;
use cases::TestCase;
use run::CaseRun;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// The paths of cases begin with this: `/case/NAME/ID`.
const PREFIX: &[u8] = b"/case/";
/// Runs that are kept; beyond this number, the oldest are forgotten. A client has about a hundred.
const MAX_RUNS: usize = 10_000;
/// Bytes in the name of a client.
const MAX_NAME: usize = 64;

/// The cases, and the clients that are judged.
#[derive(Debug, Default)]
pub struct Judge {
    cases: Vec<TestCase>,
    runs: Mutex<Runs>,
}

#[derive(Debug, Default)]
struct Runs {
    by_key: HashMap<Key, Arc<CaseRun>>,
    oldest_first: VecDeque<Key>,
}

/// A client's name and the ID of a case.
type Key = (String, String);

impl Judge {
    /// A judge with these cases.
    pub fn new(cases: Vec<TestCase>) -> Judge {
        Judge { cases, runs: Mutex::default() }
    }

    /// The cases in their order.
    pub fn cases(&self) -> &[TestCase] {
        &self.cases
    }

    /// The run that a request for this path belongs to, which begins with its first request. `None` for any other path.
    pub fn run_at(&self, path: &[u8]) -> Option<Arc<CaseRun>> {
        if self.cases.is_empty() {
            return None;
        }
        let path = percent_decode(path.strip_prefix(PREFIX)?);
        let (client, id) = std::str::from_utf8(&path).ok()?.split_once('/')?;
        self.run(client, id)
    }

    /// The run of this client and this case, which begins now if there is none. `None` if there is no such case.
    pub fn run(&self, client: &str, id: &str) -> Option<Arc<CaseRun>> {
        if client.is_empty() || client.len() > MAX_NAME {
            return None;
        }
        let case = self.cases.iter().find(|case| case.id == id)?;
        let key = (client.to_owned(), id.to_owned());
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = runs.by_key.get(&key) {
            return Some(Arc::clone(run));
        }
        let run = Arc::new(CaseRun::new(case, client)?);
        runs.by_key.insert(key.clone(), Arc::clone(&run));
        runs.oldest_first.push_back(key);
        if runs.oldest_first.len() > MAX_RUNS {
            if let Some(oldest) = runs.oldest_first.pop_front() {
                runs.by_key.remove(&oldest);
            }
        }
        Some(run)
    }
}
