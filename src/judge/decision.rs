//! Decides a test case: goes through what can decide it, one thing after the other, and stops at the first that does or that
//! has to be waited for.

use super::cases::Variant;
use super::client::Client;
use super::progress::{Progress, SETTLE_TIME};
use super::result::CaseVerdict;
use crate::script::expectation::{Expectation, Outcome, OutcomeKind};
use crate::script::Script;
use crate::trace::recording::Recording;
use std::time::{Duration, Instant};

/// How long to wait for the first request. On a busy machine, an interpreter takes seconds to start.
const START_TIME: Duration = Duration::from_secs(20);
/// How long to wait for a further request that has to come. When no time is set, browsers reconnect after 3 to 5 s, and
/// some clients double 5 s.
const REQUEST_TIME: Duration = Duration::from_secs(12);
/// How long to wait whether a request comes that must not, when the stream has set no reconnection time.
pub const QUIET_TIME: Duration = Duration::from_secs(6);
/// How long a client can take to report an event that was sent to it, if the case allows no other time.
const REPORT_TIME: Duration = Duration::from_secs(2);
/// The longest time for a stream that is cut at every position. Clients that do not reconnect at once reach some of them.
const CUTS_TIME: Duration = Duration::from_secs(15);
/// The result of an event that was sent, but not dispatched.
pub const NO_SUCH_EVENT: &str = "no such event";

/// What came of a case, and where it failed what was expected and what came.
pub struct Decision {
    pub verdict: CaseVerdict,
    pub expected: String,
    pub got: String,
}

impl Decision {
    fn new(verdict: CaseVerdict, expected: &str, got: &str) -> Decision {
        Decision { verdict, expected: expected.to_owned(), got: got.to_owned() }
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
        self.check_silence()?;
        self.check_events()?;
        self.check_delays()
    }

    /// A request that shows that the case cannot judge the client decides at once.
    fn check_skip(&self) -> Result<(), Stop> {
        match skip_reason(self.outcomes) {
            Some(reason) => stop(CaseVerdict::NotReported, "", reason),
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

    /// A client that reports events has to report all of them.
    fn check_events(&self) -> Result<(), Stop> {
        let reports = self.client.reports_events();
        let needs_events = self.script.expectations().any(Expectation::is_about_events);
        let missing = self.recording.with_events(|sent| self.progress.events.missing(sent));
        match missing.filter(|_| needs_events || reports) {
            None => Ok(()),
            Some(_) if !self.is_over() && self.idle() < self.report_time() => Err(Stop::Wait),
            Some(missing) if reports => stop(CaseVerdict::Fail, &missing, NO_SUCH_EVENT),
            Some(missing) => stop(CaseVerdict::NotReported, &missing, "no report"),
        }
    }

    /// An event is late if it is reported more than twice as long after it was sent as is expected, because the machine may
    /// be busy. For a request, `slow` says the same.
    fn check_delays(&self) -> Result<(), Stop> {
        let delay = self.progress.events.longest_delay;
        let is_late =
            |expectation: &&Expectation| expectation.dispatch_time().map_or(false, |time| delay > 2 * time);
        if let Some(late) = self.script.expectations().find(is_late) {
            let got = format!("{} ms after it was sent", delay.as_millis());
            return stop(CaseVerdict::Fail, late.text(), &got);
        }
        match self.outcome(OutcomeKind::Slow) {
            Some(slow) => stop(CaseVerdict::Slow, &slow.expected, &slow.got),
            None => Ok(()),
        }
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
            !expectation.is_never() && !expectation.is_about_events() && !is_checked(expectation)
        })
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

    fn is_over(&self) -> bool {
        self.progress.is_over(self.now)
    }

    fn idle(&self) -> Duration {
        self.progress.idle(self.now)
    }
}

/// Why the case cannot judge the client, if a request has shown that (`@skip`).
pub fn skip_reason(outcomes: &[Outcome]) -> Option<&str> {
    let skipped = outcomes.iter().find(|outcome| outcome.kind == OutcomeKind::Skipped)?;
    Some(&skipped.got)
}
