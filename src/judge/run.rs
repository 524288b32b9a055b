//! One client in one test case: the script that it is sent, what has happened so far, and the result once that is decided.

use super::cases::TestCase;
use super::client::Client;
use super::decision::{Decision, Situation, Unreported, QUIET_TIME};
use super::events::ERROR_EVENT;
use super::progress::Progress;
use super::reports::{ReportLine, ReportedEvent, ReportedState};
use super::result::{CaseResult, CaseVerdict};
use super::verdicts::Verdicts;
use crate::http::uri::percent_encode_all;
use crate::script::case::{Case, Level};
use crate::script::condition::reports::ClientState;
use crate::script::expectation::{Outcome, OutcomeKind};
use crate::script::Script;
use crate::text::lock::lock;
use crate::trace::recording::Recording;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How often an undecided run is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// One client in one test case.
#[derive(Debug)]
pub struct CaseRun {
    /// The script that the client is sent.
    pub script: Script,
    /// What goes over the wire.
    pub recording: Arc<Recording>,
    /// What came of the expectations of the script.
    pub verdicts: Verdicts,
    /// Counts all runs in the order in which they begin, from 1.
    pub(crate) number: u64,
    /// Whether a request for its URL began it, and not a call that begins a case.
    by_request: bool,
    case: Arc<TestCase>,
    client: Arc<Client>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    progress: Progress,
    decided: Option<Decided>,
}

/// The result of a case that is decided.
#[derive(Debug)]
struct Decided {
    result: CaseResult,
    /// What the client would have failed by, had it reported anything of the kind. It has as soon as it does in another case.
    unreported: Unreported,
}

impl Decided {
    /// The result for a client of which this is known.
    fn result(&self, client: &Client) -> CaseResult {
        let missing = match (&self.unreported.event, &self.unreported.states) {
            (Some(missing), _) if client.reports_events.load(Ordering::Relaxed) => missing,
            (_, Some(missing)) if client.reports_states.load(Ordering::Relaxed) => missing,
            _ => return self.result.clone(),
        };
        CaseResult {
            verdict: CaseVerdict::Fail,
            expected: missing.expected.clone(),
            got: missing.got.clone(),
            ..self.result.clone()
        }
    }
}

impl CaseRun {
    /// A run of this case that begins now. `None` if the script is invalid.
    pub(super) fn new(
        case: &Arc<TestCase>,
        client: &Arc<Client>,
        number: u64,
        by_request: bool,
    ) -> Option<CaseRun> {
        Some(CaseRun {
            script: case.script()?,
            recording: Arc::new(Recording::new()),
            verdicts: Verdicts::for_report(),
            number,
            by_request,
            case: Arc::clone(case),
            client: Arc::clone(client),
            state: Mutex::new(State { progress: Progress::new(), decided: None }),
        })
    }

    /// The path that the client has to request.
    pub fn path(&self) -> String {
        format!("/case/{}/{}", percent_encode_all(self.client.name.as_bytes()), self.case.id)
    }

    /// The ID of the case.
    pub fn id(&self) -> &str {
        &self.case.id
    }

    /// The name of the client.
    pub fn client(&self) -> &str {
        &self.client.name
    }

    /// Notes that the client has sent a request.
    pub fn request_began(&self) {
        self.change(|progress| {
            progress.requests += 1;
            progress.open += 1;
        });
    }

    /// Notes that the response to a request has ended.
    pub fn response_ended(&self) {
        self.change(|progress| {
            progress.open -= 1;
            progress.response_ended_at = Some(Instant::now());
        });
    }

    /// Takes a line of JSON that the client reports. Returns whether it is one of these; others are ignored:
    ///
    /// - an event that the client has dispatched, with `type`, `data` and `id`
    /// - a state that it has entered, such as `{"state":"open"}`: `open` when the server has accepted its request, `error`
    ///   (which can have a `message`) when the connection is lost or the request has failed, and `closed` when it has
    ///   closed the stream itself, which it has to do in response to an event of the type `close`
    pub fn report(&self, line: &str) -> bool {
        match ReportLine::parse(line) {
            Some(ReportLine::Event(event)) => self.event_reported(&event),
            Some(ReportLine::State(state)) => self.state_reported(&state),
            None => return false,
        }
        true
    }

    fn event_reported(&self, event: &ReportedEvent) {
        self.client.reports_events.store(true, Ordering::Relaxed);
        self.change(|progress| {
            self.recording.with_events(|sent| progress.events.add(sent, event));
            if event.event_type == ERROR_EVENT {
                progress.states.add(ClientState::Error, self.recording.head_sent_at());
            }
        });
    }

    fn state_reported(&self, reported: &ReportedState) {
        if reported.state != ClientState::Closed {
            self.client.reports_states.store(true, Ordering::Relaxed);
        }
        let message = reported.message.as_deref().map_or_else(String::new, |text| format!(": {text}"));
        self.recording.add_remark(&format!("client reports {}{message}", reported.state.as_str()));
        self.change(|progress| {
            progress.states.add(reported.state, self.recording.head_sent_at());
            if reported.state == ClientState::Error {
                self.recording.with_events(|sent| progress.events.add_error(sent));
            }
        });
    }

    /// Notes that the case cannot judge the client, and why.
    pub fn skip(&self, reason: &str) {
        self.verdicts.add(Outcome {
            script: self.script.file.clone(),
            line: 0,
            connection: 0,
            expected: String::new(),
            got: reason.to_owned(),
            kind: OutcomeKind::Skipped,
        });
    }

    /// Notes that the client has ended, so that it sends nothing more.
    pub fn client_ended(&self) {
        self.change(|progress| progress.client_ended_at = Some(Instant::now()));
    }

    /// Whether a further request begins the case again, for a person who restarts a client that has been judged. A
    /// request soon after the last one belongs to the same run, because a client that fails may reconnect although it
    /// must not.
    pub(super) fn can_begin_again(&self) -> bool {
        let mut state = lock(&self.state);
        let is_decided = self.result_in(&mut state).is_some();
        self.by_request && is_decided && state.progress.idle(Instant::now()) >= QUIET_TIME
    }

    /// Waits until the case is decided, for 30 s at most.
    pub fn wait(&self) -> CaseResult {
        loop {
            if let Some(result) = self.result() {
                return result;
            }
            thread::sleep(LOOK);
        }
    }

    /// The result, if the case is decided.
    pub fn result(&self) -> Option<CaseResult> {
        self.result_in(&mut lock(&self.state))
    }

    fn result_in(&self, state: &mut State) -> Option<CaseResult> {
        if state.decided.is_none() {
            state.decided = Some(self.decide(&state.progress)?);
            self.recording.discard_large_data();
        }
        Some(state.decided.as_ref()?.result(&self.client))
    }

    fn decide(&self, progress: &Progress) -> Option<Decided> {
        let situation = Situation {
            script: &self.script,
            variant: self.case.variant,
            client: &self.client,
            recording: &self.recording,
            progress,
            outcomes: &self.verdicts.outcomes(),
            now: Instant::now(),
        };
        let Decision { verdict, expected, got, is_final } = situation.decide()?;
        let Case { level, section, text } = &self.case.about;
        let is_info = *level == Level::Info && verdict != CaseVerdict::NotReported;
        let result = CaseResult {
            id: self.case.id.clone(),
            level: level.as_str(),
            section: section.clone(),
            text: text.clone(),
            verdict: if is_info { CaseVerdict::Info } else { verdict },
            expected,
            got,
            wire: self.recording.text(),
        };
        let unreported = if is_final || is_info { Unreported::default() } else { situation.unreported() };
        Some(Decided { result, unreported })
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        let mut state = lock(&self.state);
        change(&mut state.progress);
        state.progress.active_at = Instant::now();
    }
}
