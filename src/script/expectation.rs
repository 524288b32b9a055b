//! Checks that a request is what a script expects (`@expect`).

use super::condition::reports::ReportCondition;
use super::condition::Conditions;
use super::context::RequestContext;
use super::placeholder::Name;
use crate::text::escape::for_terminal;
use crate::text::json;
use std::fmt;

/// What the request that plays a part has to meet.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The line of the script.
    line: usize,
    /// The conditions as they are written.
    text: String,
    conditions: Conditions,
}

/// Marks a part whose requests show that the test case cannot judge the client (`@skip`).
#[derive(Clone, Debug)]
pub struct Skip {
    /// The line of the script.
    pub(super) line: usize,
    /// Why it cannot.
    pub(super) reason: String,
}

/// What came of an expectation (`@expect`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutcomeKind {
    /// The request met it.
    Passed,
    /// The request came later than twice the longest time that was expected; it met everything else.
    Slow,
    /// The request did not meet it.
    Failed,
    /// No request has met it yet, because none has played the part.
    Missing,
    /// A request has shown that this client cannot be judged (`@skip`).
    Skipped,
}

/// An expectation of a script (`@expect`), and its outcome; or a part with `@skip` that a request has played.
///
/// Its `Display` output is one line: the script, its line, and what was expected and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The file of the script, or the path that it was parsed for.
    pub script: String,
    /// The line of the `@expect` or `@skip`, from 1.
    pub line: usize,
    /// The number of the request, as `{{connection}}` counts them; 0 if none has come.
    pub connection: u64,
    /// The conditions as they are written; empty for `@skip`.
    pub expected: String,
    /// What the request had: in place of what the conditions require, or if they all hold, in their order. For `@skip`, its
    /// text.
    pub got: String,
    /// What came of it.
    pub kind: OutcomeKind,
}

impl Expectation {
    /// Parses the argument of `@expect`, on this line of a script.
    ///
    /// # Errors
    /// A message that names the condition, what is wrong and the way out.
    pub(super) fn parse(line: usize, text: &[u8]) -> Result<Expectation, String> {
        let conditions = Conditions::parse(text)?;
        if conditions.always_hold() {
            return Err("the conditions always hold (remove the line)".to_owned());
        }
        Ok(Expectation { line, text: for_terminal(&String::from_utf8_lossy(text)), conditions })
    }

    /// That the request has this number. It is on no line of the script.
    pub(super) fn of_connection(number: u64) -> Expectation {
        Expectation {
            line: 0,
            text: format!("connection {number}"),
            conditions: Conditions::connection(number),
        }
    }

    /// The line of the script.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The conditions as they are written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the client has to report, if it is about that. No request shows whether it does.
    pub fn report(&self) -> Option<&ReportCondition> {
        self.conditions.report()
    }

    /// Whether it is about the time at which the request comes.
    pub(super) fn is_about_time(&self) -> bool {
        self.conditions.time_range().is_some()
    }

    /// Whether no request may come.
    pub fn is_never(&self) -> bool {
        self.conditions.never_hold()
    }

    /// The names of all placeholders in it.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.conditions.names()
    }

    /// What comes of it when this request plays the part.
    pub fn check(&self, script: &str, context: RequestContext<'_>) -> Outcome {
        let kind = self.judge(context);
        let got = self.conditions.describe(context, &|_| false);
        Outcome { connection: context.request_number, got, kind, ..self.missing(script) }
    }

    /// The same outcome without what can be secret in the request.
    pub fn without_secrets(&self, outcome: &Outcome, context: RequestContext<'_>) -> Outcome {
        Outcome { got: self.conditions.describe(context, &Name::can_be_secret), ..outcome.clone() }
    }

    /// The same outcome without the values of fields, parameters and members with a name for which `is_secret` is true, and
    /// of cookies.
    pub fn without(
        &self,
        outcome: &Outcome,
        context: RequestContext<'_>,
        is_secret: fn(&[u8]) -> bool,
    ) -> Outcome {
        let hides = |name: &Name| name.words().any(|word| is_secret(word.as_bytes()));
        Outcome { got: self.conditions.describe(context, &hides), ..outcome.clone() }
    }

    /// What comes of it when no request has played the part yet.
    pub fn missing(&self, script: &str) -> Outcome {
        Outcome {
            script: script.to_owned(),
            line: self.line,
            connection: 0,
            expected: self.text.clone(),
            got: String::new(),
            kind: OutcomeKind::Missing,
        }
    }

    /// Too early is wrong. A little too late is not: the machine may be busy.
    fn judge(&self, context: RequestContext<'_>) -> OutcomeKind {
        if self.conditions.hold(context) {
            return OutcomeKind::Passed;
        }
        let (longest, after) = match (self.conditions.time_range(), context.after) {
            (Some(range), Some(after)) if after > *range.end() => (*range.end(), after),
            _ => return OutcomeKind::Failed,
        };
        if !self.conditions.hold(RequestContext { after: Some(longest), ..context }) {
            return OutcomeKind::Failed;
        }
        if after > 2 * longest {
            OutcomeKind::Slow
        } else {
            OutcomeKind::Passed
        }
    }
}

impl Skip {
    /// The outcome when this request plays the part.
    pub fn outcome(&self, script: &str, context: RequestContext<'_>) -> Outcome {
        Outcome {
            script: script.to_owned(),
            line: self.line,
            connection: context.request_number,
            expected: String::new(),
            got: self.reason.clone(),
            kind: OutcomeKind::Skipped,
        }
    }
}

impl OutcomeKind {
    /// Its name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            OutcomeKind::Passed => "passed",
            OutcomeKind::Slow => "slow",
            OutcomeKind::Failed => "failed",
            OutcomeKind::Missing => "missing",
            OutcomeKind::Skipped => "skipped",
        }
    }
}

impl Outcome {
    /// The outcome as a line of JSON: `script`, `line`, `connection`, `expected`, `got`, and `outcome`, which is
    /// `passed`, `slow`, `failed`, `missing` or `skipped`. The line includes its LF.
    pub fn to_json(&self) -> String {
        let object = json::Object::new()
            .string("script", &self.script)
            .member("line", self.line)
            .member("connection", self.connection)
            .string("expected", &self.expected)
            .string("got", &self.got)
            .string("outcome", self.kind.as_str());
        object.finish() + "\n"
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { script, line, connection, expected, got, kind } = self;
        write!(f, "{script}:{line}: {}: ", kind.as_str())?;
        match kind {
            OutcomeKind::Passed => write!(f, "connection {connection}: {expected}, got {got}"),
            OutcomeKind::Slow | OutcomeKind::Failed => {
                write!(f, "connection {connection}: expected {expected}, got {got}")
            }
            OutcomeKind::Missing => write!(f, "expected {expected}, no request came"),
            OutcomeKind::Skipped => write!(f, "connection {connection}: {got}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::context::tests::TestRequest;
    use std::time::Duration;

    fn outcome(text: &str, fields: &str, after: Option<u64>) -> (OutcomeKind, String) {
        let request = TestRequest::get("/a", fields);
        let after = after.map(Duration::from_millis);
        let context = RequestContext { request_number: 2, after, ..request.context() };
        let outcome = Expectation::parse(3, text.as_bytes()).unwrap().check("/a", context);
        (outcome.kind, outcome.to_string())
    }

    #[test]
    fn an_outcome_says_what_was_expected_and_what_came() {
        let id = "Last-Event-ID: early\r\n";
        assert_eq!(
            outcome("last-event-id early", id, None),
            (
                OutcomeKind::Passed,
                "/a:3: passed: connection 2: last-event-id early, got last-event-id `early`".into()
            )
        );
        assert_eq!(
            outcome("no last-event-id and connection 2", id, None).1,
            "/a:3: failed: connection 2: expected no last-event-id and connection 2, got last-event-id `early`"
        );
        assert_eq!(
            outcome("header accept~event and connection 3+", "", None).1,
            "/a:3: failed: connection 2: expected header accept~event and connection 3+, \
             got no header accept, connection 2"
        );
        assert_eq!(outcome("never", "", None).1, "/a:3: failed: connection 2: expected never, got a request");
    }

    #[test]
    fn early_is_wrong_and_late_is_slow_only_after_twice_the_time() {
        let kind = |after| outcome("after 400ms..700ms", "", after).0;
        assert_eq!(kind(None), OutcomeKind::Failed);
        assert_eq!(kind(Some(399)), OutcomeKind::Failed);
        assert_eq!(kind(Some(400)), OutcomeKind::Passed);
        assert_eq!(kind(Some(1400)), OutcomeKind::Passed);
        assert_eq!(kind(Some(1401)), OutcomeKind::Slow);
        let late_and_wrong = outcome("after 400ms..700ms and last-event-id 1", "", Some(1500));
        assert_eq!(late_and_wrong.0, OutcomeKind::Failed);
    }
}
