//! One client in one test case: the script that it is sent, what has happened so far, and the result once that is decided.

use super::cases::{TestCase, Variant};
use super::client::Client;
use super::events::{EventCheck, ReportedEvent};
use super::result::{CaseResult, CaseVerdict};
use super::verdicts::Verdicts;
use crate::http::uri::percent_encode_all;
use crate::script::case::{Case, Level};
use crate::script::expectation::{Expectation, Outcome, OutcomeKind};
use crate::script::Script;
use crate::trace::recording::Recording;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long to wait for the first request. On a busy machine, an interpreter takes seconds to start.
const START_TIME: Duration = Duration::from_secs(20);
/// How long to wait for a further request that has to come. When no time is set, browsers reconnect after 3 to 5 s, and
/// some clients double 5 s.
const REQUEST_TIME: Duration = Duration::from_secs(12);
/// How long to wait whether a request comes that must not, when the stream has set no reconnection time.
const QUIET_TIME: Duration = Duration::from_secs(6);
/// How long a client can take to report an event that was sent to it, if the case allows no other time.
const REPORT_TIME: Duration = Duration::from_secs(2);
/// How long to wait for what has happened but is not known yet: requests that a client sent before it ended, and reports of
/// events, which can arrive after its next request. Whether a client reports events at all is not known before its first.
const SETTLE_TIME: Duration = Duration::from_millis(100);
/// The longest time for a case, even while the connection is open.
const RUN_TIME: Duration = Duration::from_secs(30);
/// The longest time for a stream that is cut at every position. Clients that do not reconnect at once reach some of them.
const CUTS_TIME: Duration = Duration::from_secs(15);
/// How often an undecided run is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// The result of an event that was sent, but not dispatched.
const NO_SUCH_EVENT: &str = "no such event";

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
    id: String,
    case: Case,
    variant: Variant,
    client: Arc<Client>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    began_at: Instant,
    requests: usize,
    /// Responses that are being sent.
    open: usize,
    /// When something last happened.
    active_at: Instant,
    client_ended_at: Option<Instant>,
    events: EventCheck,
    decided: Option<Decided>,
}

/// What came of a case, and where it failed what was expected and what came.
struct Decision {
    verdict: CaseVerdict,
    expected: String,
    got: String,
}

/// The result of a case that is decided.
#[derive(Debug)]
struct Decided {
    result: CaseResult,
    /// The first event that was sent, if none was reported. It matters as soon as the client reports one in another case.
    unreported: Option<String>,
}

impl Decided {
    /// The result if the client reports its events, or if it does not.
    fn result(&self, reports: bool) -> CaseResult {
        match &self.unreported {
            Some(event) if reports => CaseResult {
                verdict: CaseVerdict::Fail,
                expected: event.clone(),
                got: NO_SUCH_EVENT.to_owned(),
                ..self.result.clone()
            },
            _ => self.result.clone(),
        }
    }
}

impl Decision {
    fn new(verdict: CaseVerdict, expected: &str, got: &str) -> Option<Decision> {
        Some(Decision { verdict, expected: expected.to_owned(), got: got.to_owned() })
    }
}

impl CaseRun {
    /// A run of this case that begins now. `None` if the script is invalid.
    pub(super) fn new(
        case: &TestCase,
        client: &Arc<Client>,
        number: u64,
        by_request: bool,
    ) -> Option<CaseRun> {
        let now = Instant::now();
        Some(CaseRun {
            script: case.script()?,
            recording: Arc::new(Recording::new()),
            verdicts: Verdicts::default(),
            number,
            by_request,
            id: case.id.clone(),
            case: case.case.clone(),
            variant: case.variant,
            client: Arc::clone(client),
            state: Mutex::new(State {
                began_at: now,
                requests: 0,
                open: 0,
                active_at: now,
                client_ended_at: None,
                events: EventCheck::default(),
                decided: None,
            }),
            changed: Condvar::new(),
        })
    }

    /// The path that the client has to request.
    pub fn path(&self) -> String {
        format!("/case/{}/{}", percent_encode_all(self.client.name.as_bytes()), self.id)
    }

    /// The ID of the case.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name of the client.
    pub fn client(&self) -> &str {
        &self.client.name
    }

    /// Notes that the client has sent a request.
    pub fn request_began(&self) {
        self.change(|state| {
            state.requests += 1;
            state.open += 1;
        });
    }

    /// Notes that the response to a request has ended.
    pub fn response_ended(&self) {
        self.change(|state| state.open -= 1);
    }

    /// Takes an event that the client has dispatched: a line of JSON with `type`, `data` and `id`. Other lines are ignored.
    /// Returns whether it is one.
    pub fn report(&self, line: &str) -> bool {
        let event = match ReportedEvent::parse(line) {
            Some(event) => event,
            None => return false,
        };
        self.client.record_report();
        self.change(|state| self.recording.with_events(|sent| state.events.add(sent, &event)));
        true
    }

    /// Notes that the client has ended, so that it sends nothing more.
    pub fn client_ended(&self) {
        self.change(|state| state.client_ended_at = Some(Instant::now()));
    }

    /// Whether a further request begins the case again, for a person who restarts a client that has been judged. A
    /// request soon after the last one belongs to the same run, because a client that fails may reconnect although it
    /// must not.
    pub(super) fn can_begin_again(&self) -> bool {
        let mut state = self.state();
        let is_decided = self.result_in(&mut state).is_some();
        self.by_request && is_decided && state.idle(Instant::now()) >= QUIET_TIME
    }

    /// Waits until the case is decided, for 30 s at most.
    pub fn wait(&self) -> CaseResult {
        let mut state = self.state();
        loop {
            if let Some(result) = self.result_in(&mut state) {
                return result;
            }
            let waited = self.changed.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The result, if the case is decided.
    pub fn result(&self) -> Option<CaseResult> {
        self.result_in(&mut self.state())
    }

    fn result_in(&self, state: &mut State) -> Option<CaseResult> {
        if state.decided.is_none() {
            let decision = self.decide(state, Instant::now())?;
            state.decided = Some(self.decided(state, decision));
            self.recording.discard_large_data();
        }
        Some(state.decided.as_ref()?.result(self.client.reports_events()))
    }

    fn decided(&self, state: &State, decision: Decision) -> Decided {
        let Decision { verdict, expected, got } = decision;
        let is_info = self.case.level == Level::Info && verdict != CaseVerdict::NotReported;
        let missing = self.recording.with_events(|sent| state.events.missing(sent));
        let result = CaseResult {
            id: self.id.clone(),
            level: self.case.level.as_str(),
            section: self.case.section.clone(),
            text: self.case.text.clone(),
            verdict: if is_info { CaseVerdict::Info } else { verdict },
            expected,
            got,
            wire: self.recording.text(),
        };
        // A failure stays a failure. Otherwise, an event is missing only where none was reported.
        let can_fail = !matches!(result.verdict, CaseVerdict::Fail | CaseVerdict::Info);
        Decided { result, unreported: missing.filter(|_| can_fail) }
    }

    fn decide(&self, state: &State, now: Instant) -> Option<Decision> {
        let outcomes = self.verdicts.outcomes();
        if let Some(failed) = outcomes.iter().find(|outcome| outcome.kind == OutcomeKind::Failed) {
            let got = failed.got.clone() + &self.place(failed.connection);
            return Decision::new(CaseVerdict::Fail, &failed.expected, &got);
        }
        if let Some(mismatch) = &state.events.mismatch {
            let got = mismatch.got.clone() + &self.place(mismatch.response);
            return Decision::new(CaseVerdict::Fail, &mismatch.expected, &got);
        }
        if let (Variant::Cuts(places), true) = (self.variant, now > state.began_at + CUTS_TIME) {
            let got = format!("cut at {} of {places} positions", state.requests.saturating_sub(1) / 2);
            return Decision::new(CaseVerdict::Info, "", &got);
        }
        let is_over = state.is_over(now);
        let idle = state.idle(now);
        let missing = self.missing(&outcomes).map(Expectation::text);
        if let Some(missing) = missing.or_else(|| (state.requests == 0).then_some("a request")) {
            let request_time = if state.requests == 0 { START_TIME } else { REQUEST_TIME };
            return if is_over || idle > request_time {
                Decision::new(CaseVerdict::Fail, missing, "no request")
            } else {
                None
            };
        }
        if idle < self.quiet_time().max(SETTLE_TIME) && !is_over {
            return None;
        }
        let reports = self.client.reports_events();
        let needs_events = self.script.expectations().any(Expectation::is_about_events);
        let missing = self.recording.with_events(|sent| state.events.missing(sent));
        if let Some(missing) = missing.filter(|_| needs_events || reports) {
            return if !is_over && idle < self.report_time() {
                None
            } else if reports {
                Decision::new(CaseVerdict::Fail, &missing, NO_SUCH_EVENT)
            } else {
                Decision::new(CaseVerdict::NotReported, &missing, "no report")
            };
        }
        if let Some(late) = self.late_event(state.events.longest_delay) {
            let got = format!("{} ms after it was sent", state.events.longest_delay.as_millis());
            return Decision::new(CaseVerdict::Fail, late, &got);
        }
        match outcomes.iter().find(|outcome| outcome.kind == OutcomeKind::Slow) {
            Some(slow) => Decision::new(CaseVerdict::Slow, &slow.expected, &slow.got),
            None => {
                let got = outcomes.last().map_or("", |outcome| &outcome.got);
                Decision::new(CaseVerdict::Pass, "", got)
            }
        }
    }

    /// Where the stream was cut last before this request, in words.
    fn place(&self, request: u64) -> String {
        match self.variant {
            Variant::Cuts(_) => format!(" after the stream was cut at byte {}", request / 2),
            _ => String::new(),
        }
    }

    /// The first expectation that no request has met yet, and one has to.
    fn missing(&self, outcomes: &[Outcome]) -> Option<&Expectation> {
        let is_checked =
            |expectation: &Expectation| outcomes.iter().any(|outcome| outcome.line == expectation.line());
        self.script.expectations().find(|expectation| {
            !expectation.is_never() && !expectation.is_about_events() && !is_checked(expectation)
        })
    }

    /// The expectation that an event has not met which was reported this long after it was sent: more than twice as late as
    /// it allows. A little too late is not wrong: the machine may be busy.
    fn late_event(&self, delay: Duration) -> Option<&str> {
        let is_late =
            |expectation: &&Expectation| expectation.dispatch_time().map_or(false, |time| delay > 2 * time);
        self.script.expectations().find(is_late).map(Expectation::text)
    }

    /// How long a client can take to report an event: at least until it is too late.
    fn report_time(&self) -> Duration {
        let times = self.script.expectations().filter_map(Expectation::dispatch_time);
        times.map(|time| 2 * time).fold(REPORT_TIME, Duration::max)
    }

    /// How long no request may come before it is certain enough that none will.
    fn quiet_time(&self) -> Duration {
        if !self.script.expectations().any(Expectation::is_never) {
            return Duration::ZERO;
        }
        let twice = |time: Duration| time * 2 + Duration::from_secs(1);
        self.recording.reconnection_time().map_or(QUIET_TIME, twice).min(QUIET_TIME)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        state.active_at = Instant::now();
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether nothing more can happen, or the time is up.
    fn is_over(&self, now: Instant) -> bool {
        let client_is_gone = self.client_ended_at.map_or(false, |ended_at| now > ended_at + SETTLE_TIME);
        client_is_gone || now > self.began_at + RUN_TIME
    }

    /// How long nothing has happened.
    fn idle(&self, now: Instant) -> Duration {
        if self.open > 0 {
            Duration::ZERO
        } else {
            now.saturating_duration_since(self.active_at)
        }
    }
}
