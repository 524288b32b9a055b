//! What came of a test case: a verdict, what was expected, and what came.

use crate::script::case::Level;
use crate::text::json;
use std::fmt;

/// What came of a test case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaseVerdict {
    /// The client behaved correctly.
    Pass,
    /// It did not.
    Fail,
    /// It behaved correctly, but later than twice the time that was expected.
    Slow,
    /// The case informs about the client and judges nothing.
    Info,
    /// The case cannot judge the client: it is decided by the events that a client dispatches, and the client did not report
    /// any; or a request has shown that it is not about this client (`@skip`).
    NotReported,
}

impl CaseVerdict {
    /// All verdicts.
    pub const ALL: [CaseVerdict; 5] = [
        CaseVerdict::Pass,
        CaseVerdict::Fail,
        CaseVerdict::Slow,
        CaseVerdict::Info,
        CaseVerdict::NotReported,
    ];

    /// Its name: `pass`, `fail`, `slow`, `info` or `not-reported`.
    pub fn as_str(self) -> &'static str {
        match self {
            CaseVerdict::Pass => "pass",
            CaseVerdict::Fail => "fail",
            CaseVerdict::Slow => "slow",
            CaseVerdict::Info => "info",
            CaseVerdict::NotReported => "not-reported",
        }
    }
}

/// A test case, and its result for one client.
///
/// Its `Display` output is one line, such as ``P06 must: expected no last-event-id, got last-event-id `early` ``.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaseResult {
    /// The name of the case, such as `P06`.
    pub id: String,
    /// The name of its level: `must`, `may`, `differs` or `info`.
    pub level: &'static str,
    /// The section of the standard.
    pub section: String,
    /// What is right.
    pub text: String,
    /// What came of it.
    pub verdict: CaseVerdict,
    /// What was expected where the client failed.
    pub expected: String,
    /// What came instead, or why there is no verdict.
    pub got: String,
    /// What went over the wire, a line for each line.
    pub wire: String,
}

impl CaseResult {
    /// Whether the client violates the standard: it failed a case of the level `must`.
    pub fn is_violation(&self) -> bool {
        self.verdict == CaseVerdict::Fail && self.level == Level::Must.as_str()
    }

    /// The result as a JSON object: `id`, `level`, `section`, `text`, `verdict`, `expected`, `got` and `wire`.
    pub fn to_json(&self) -> String {
        json::Object::new()
            .string("id", &self.id)
            .string("level", self.level)
            .string("section", &self.section)
            .string("text", &self.text)
            .string("verdict", self.verdict.as_str())
            .string("expected", &self.expected)
            .string("got", &self.got)
            .string("wire", &self.wire)
            .finish()
    }
}

impl fmt::Display for CaseResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CaseResult { id, level, section, text, verdict, expected, got, .. } = self;
        write!(f, "{id} {level} {section} {}: {text}", verdict.as_str())?;
        match verdict {
            CaseVerdict::Pass => Ok(()),
            CaseVerdict::Info | CaseVerdict::NotReported => write!(f, " ({got})"),
            CaseVerdict::Fail | CaseVerdict::Slow => write!(f, " (expected {expected}, got {got})"),
        }
    }
}
