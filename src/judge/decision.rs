//! Decides a test case: goes through what can decide it, one thing after the other, and stops at the first that does or that
//! has to be waited for.

use super::cases::Variant;
use super::client::Client;
use super::progress::{Progress, SETTLE_TIME};
use super::result::CaseVerdict;
use crate::script::condition::reports::ReportCondition;
use crate::script::expectation::{Expectation, Outcome, OutcomeKind};
use crate::script::Script;
use crate::trace::recording::Recording;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long to wait for the first request. On a busy machine, an interpreter takes seconds to start.
const START_TIME: Duration = Duration::from_secs(20);
/// How long to wait for a further request that has to come. When no time is set, browsers reconnect after 3 to 5 s, and
/// some clients double 5 s.
const REQUEST_TIME: Duration = Duration::from_secs(12);
/// How long to wait whether a request comes that must not, when the stream has set no reconnection time.
pub const QUIET_TIME: Duration = Duration::from_secs(6);
/// How long a client can take to report something, if the case allows no other time.
const REPORT_TIME: Duration = Duration::from_secs(2);
/// The longest time for a stream that is cut at every position. Clients that do not reconnect at once reach some of them.
const CUTS_TIME: Duration = Duration::from_secs(15);

/// The verdict on a case and, if it failed, what was expected and what was received.
pub struct Decision {
    pub verdict: CaseVerdict,
    pub expected: String,
    pub got: String,
    /// Whether it holds no matter what the client reports in other cases.
    pub is_final: bool,
}

/// What a client has not reported, of the events that were sent and the states that are expected.
#[derive(Debug, Default)]
pub struct Unreported {
    pub event: Option<Missing>,
    pub states: Option<Missing>,
}

/// What was expected, and what came instead.
#[derive(Debug)]
pub struct Missing {
    pub expected: String,
    pub got: String,
}

impl Decision {
    fn new(verdict: CaseVerdict, expected: &str, got: &str) -> Decision {
        let is_final = matches!(verdict, CaseVerdict::Fail | CaseVerdict::Info);
        Decision { verdict, expected: expected.to_owned(), got: got.to_owned(), is_final }
    }
}

/// Why not all checks are made.
enum Stop {
    /// It is too early.
    Wait,
    Decided(Decision),
}

fn stop(verdict: CaseVerdict, expected: &str, got: &str) -> Result<(), Stop> {
    Err(Stop::Decided(Decision::new(verdict, expected, got)))
}

/// The case cannot judge this client.
fn stop_without_verdict(reason: &str) -> Result<(), Stop> {
    let decision = Decision::new(CaseVerdict::NotReported, "", reason);
    Err(Stop::Decided(Decision { is_final: true, ..decision }))
}

/// What a case is decided by.
pub struct Situation<'a> {
    pub script: &'a Script,
    pub variant: Variant,
    pub client: &'a Client,
    pub recording: &'a Recording,
    pub progress: &'a Progress,
    pub outcomes: &'a [Outcome],
    pub now: Instant,
}

impl Situation<'_> {
    /// What comes of the case; `None` if that is not decided yet.
    pub fn decide(&self) -> Option<Decision> {
        let got = self.outcomes.last().map_or("", |outcome| &outcome.got);
        match self.check() {
            Ok(()) => Some(Decision::new(CaseVerdict::Pass, "", got)),
            Err(Stop::Decided(decision)) => Some(decision),
            Err(Stop::Wait) => None,
        }
    }

    fn check(&self) -> Result<(), Stop> {
        self.check_skip()?;
        self.check_outcomes()?;
        self.check_cuts()?;
        self.check_requests()?;
        self.check_disconnect()?;
        self.check_silence()?;
        self.check_unreported()?;
        self.check_delays()
    }

    /// A request that shows that the case cannot judge the client decides at once (`@skip`).
    fn check_skip(&self) -> Result<(), Stop> {
        match self.outcome(OutcomeKind::Skipped) {
            Some(skipped) => stop_without_verdict(&skipped.got),
            None => Ok(()),
        }
    }

    /// A request or an event that is wrong decides at once, too.
    fn check_outcomes(&self) -> Result<(), Stop> {
        if let Some(failed) = self.outcome(OutcomeKind::Failed) {
            let got = failed.got.clone() + &self.place(failed.connection);
            return stop(CaseVerdict::Fail, &failed.expected, &got);
        }
        match &self.progress.events.mismatch {
            Some(mismatch) => {
                let got = mismatch.got.clone() + &self.place(mismatch.response);
                stop(CaseVerdict::Fail, &mismatch.expected, &got)
            }
            None => Ok(()),
        }
    }

    /// There may be no time left for further cuts of the stream.
    fn check_cuts(&self) -> Result<(), Stop> {
        match self.variant {
            Variant::Cuts(places) if self.now > self.progress.began_at + CUTS_TIME => {
                let cuts = self.progress.requests.saturating_sub(1) / 2;
                stop(CaseVerdict::Info, "", &format!("cut at {cuts} of {places} positions"))
            }
            _ => Ok(()),
        }
    }

    /// Every expectation needs a request, and every case at least one.
    fn check_requests(&self) -> Result<(), Stop> {
        let has_none = self.progress.requests == 0;
        let missing = self.missing_request().map(Expectation::text);
        let missing = match missing.or_else(|| has_none.then_some("a request")) {
            Some(missing) => missing,
            None => return Ok(()),
        };
        let request_time = if has_none { START_TIME } else { REQUEST_TIME };
        if self.is_over() || self.idle() > request_time {
            stop(CaseVerdict::Fail, missing, "no request")
        } else {
            Err(Stop::Wait)
        }
    }

    /// A request that must not come may come later.
    fn check_silence(&self) -> Result<(), Stop> {
        if self.idle() < self.quiet_time().max(SETTLE_TIME) && !self.is_over() {
            return Err(Stop::Wait);
        }
        Ok(())
    }

    /// A client that reports that it has closed the stream has to close the connection, too.
    fn check_disconnect(&self) -> Result<(), Stop> {
        let expected = self.reports().find_map(|(expectation, report)| match report {
            ReportCondition::Disconnect(time) => Some((expectation, time)),
            _ => None,
        });
        let (expectation, time) = match expected {
            Some(expected) => expected,
            None => return Ok(()),
        };
        let closed_at = match self.progress.states.closed_at {
            Some(closed_at) => closed_at,
            None if self.is_over() || self.time_since_event() > REPORT_TIME => {
                return stop_without_verdict("the client does not report that it has closed the stream");
            }
            None => return Err(Stop::Wait),
        };
        let latest = closed_at + 2 * *time;
        let is_open = self.progress.open > 0;
        if is_open && self.now <= latest {
            return Err(Stop::Wait);
        }
        if is_open || self.progress.response_ended_at > Some(latest) {
            return stop(CaseVerdict::Fail, expectation.text(), "an open connection");
        }
        Ok(())
    }

    /// A client that reports events has to report all of them, and one that reports states those that are expected.
    fn check_unreported(&self) -> Result<(), Stop> {
        let Unreported { event, states } = self.unreported();
        let needs_events = self.reports().any(|(_, report)| matches!(report, ReportCondition::Events(_)));
        let reports_events = self.client.reports_events.load(Ordering::Relaxed);
        let event = event.filter(|_| needs_events || reports_events);
        if (event.is_some() || states.is_some()) && !self.is_over() && self.idle() < self.report_time() {
            return Err(Stop::Wait);
        }
        let reports_states = self.client.reports_states.load(Ordering::Relaxed);
        for (missing, is_reporting) in [(event, reports_events), (states, reports_states)] {
            match missing {
                Some(Missing { expected, got }) if is_reporting => stop(CaseVerdict::Fail, &expected, &got)?,
                Some(Missing { expected, .. }) => stop(CaseVerdict::NotReported, &expected, "no report")?,
                None => {}
            }
        }
        Ok(())
    }

    /// What the client has not reported so far. One that has closed the stream need not read what is sent after that.
    pub fn unreported(&self) -> Unreported {
        let states = &self.progress.states;
        let event = self.recording.with_events(|sent| self.progress.events.missing(sent));
        let event = event.filter(|_| states.closed_at.is_none());
        let missing_states = self.reports().find_map(|(expectation, report)| match report {
            ReportCondition::States(expected, _) if states.find(expected).is_none() => {
                Some(Missing { expected: expectation.text().to_owned(), got: states.describe() })
            }
            _ => None,
        });
        let missing_event = |expected| Missing { expected, got: "no such event".to_owned() };
        Unreported { event: event.map(missing_event), states: missing_states }
    }

    /// A report is late if it comes more than twice as late as is expected, because the machine may be busy. For a request,
    /// `slow` says the same.
    fn check_delays(&self) -> Result<(), Stop> {
        for (expectation, report) in self.reports() {
            let (time, delay, what) = match report {
                ReportCondition::Events(Some(time)) => (time, self.progress.events.longest_delay, "it"),
                ReportCondition::States(states, Some(time)) => {
                    (time, self.progress.states.find(states).unwrap_or_default(), "the head")
                }
                _ => continue,
            };
            if delay > 2 * *time {
                let got = format!("{} ms after {what} was sent", delay.as_millis());
                return stop(CaseVerdict::Fail, expectation.text(), &got);
            }
        }
        match self.outcome(OutcomeKind::Slow) {
            Some(slow) => stop(CaseVerdict::Slow, &slow.expected, &slow.got),
            None => Ok(()),
        }
    }

    /// The expectations on what the client reports.
    fn reports(&self) -> impl Iterator<Item = (&Expectation, &ReportCondition)> {
        let expectations = self.script.expectations();
        expectations.filter_map(|expectation| Some((expectation, expectation.report()?)))
    }

    fn outcome(&self, kind: OutcomeKind) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.kind == kind)
    }

    /// Where the stream was cut last before this request, in words.
    fn place(&self, request: u64) -> String {
        match self.variant {
            Variant::Cuts(_) => format!(" after the stream was cut at byte {}", request / 2),
            _ => String::new(),
        }
    }

    /// The first expectation that no request has met yet, and one has to.
    fn missing_request(&self) -> Option<&Expectation> {
        let is_checked = |expectation: &Expectation| {
            self.outcomes.iter().any(|outcome| outcome.line == expectation.line())
        };
        self.script.expectations().find(|expectation| {
            !expectation.is_never() && expectation.report().is_none() && !is_checked(expectation)
        })
    }

    /// How long a client can take to report something: at least until it is too late.
    fn report_time(&self) -> Duration {
        let times = self.reports().filter_map(|(_, report)| match report {
            ReportCondition::Events(time) | ReportCondition::States(_, time) => *time,
            ReportCondition::Disconnect(_) => None,
        });
        times.map(|time| 2 * time).fold(REPORT_TIME, Duration::max)
    }

    /// How long ago the last event was sent.
    fn time_since_event(&self) -> Duration {
        let sent_at = self.recording.with_events(|sent| sent.last().and_then(|sent| sent.sent_at));
        sent_at.map_or(Duration::ZERO, |sent_at| self.now.saturating_duration_since(sent_at))
    }

    /// How long no request may come before it is certain enough that none will.
    fn quiet_time(&self) -> Duration {
        if !self.script.expectations().any(Expectation::is_never) {
            return Duration::ZERO;
        }
        let twice = |time: Duration| time * 2 + Duration::from_secs(1);
        self.recording.reconnection_time().map_or(QUIET_TIME, twice).min(QUIET_TIME)
    }

    fn is_over(&self) -> bool {
        self.progress.is_over(self.now)
    }

    fn idle(&self) -> Duration {
        self.progress.idle(self.now)
    }
}
