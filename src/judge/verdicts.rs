//! Keeps the outcomes of the expectations of scripts (`@expect`).

use crate::script::catalogue::Catalogue;
use crate::script::expectation::{Outcome, OutcomeKind};
use crate::text::lock::lock;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;

/// Outcomes that are kept; beyond this number, the oldest are forgotten. Few tests have as many.
const MAX_OUTCOMES: usize = 10_000;

/// The outcomes so far.
#[derive(Debug, Default)]
pub struct Verdicts {
    outcomes: Mutex<VecDeque<Outcome>>,
    /// Whether they are in the report on a client, which may contain no secrets.
    pub are_reported: bool,
}

impl Verdicts {
    /// Those of a test case.
    pub fn for_report() -> Verdicts {
        Verdicts { are_reported: true, ..Verdicts::default() }
    }

    /// Adds an outcome.
    pub fn add(&self, outcome: Outcome) {
        let mut outcomes = lock(&self.outcomes);
        outcomes.push_back(outcome);
        if outcomes.len() > MAX_OUTCOMES {
            outcomes.pop_front();
        }
    }

    /// Forgets the outcomes of a script that was replaced: they belong to other lines.
    pub fn forget(&self, script: &str) {
        lock(&self.outcomes).retain(|outcome| outcome.script != script);
    }

    /// Forgets all outcomes.
    pub fn clear(&self) {
        lock(&self.outcomes).clear();
    }

    /// The outcomes so far, in the order of the requests.
    pub fn outcomes(&self) -> Vec<Outcome> {
        lock(&self.outcomes).iter().cloned().collect()
    }

    /// The outcomes so far, and the expectations of these scripts that no request has met or failed.
    pub fn verdict(&self, catalogue: &Catalogue) -> Verdict {
        let mut outcomes = self.outcomes();
        for script in catalogue.scripts() {
            for expectation in script.expectations().filter(|expectation| !expectation.is_never()) {
                let missing = expectation.missing(&script.file);
                let is_same = |other: &Outcome| other.script == missing.script && other.line == missing.line;
                if !outcomes.iter().any(is_same) {
                    outcomes.push(missing);
                }
            }
        }
        Verdict { outcomes }
    }
}

/// What came of the expectations of all scripts (`@expect`).
///
/// Its `Display` output has a line for each outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The outcomes in the order of the requests, then the expectations that no request has met or failed.
    pub outcomes: Vec<Outcome>,
}

impl Verdict {
    /// Whether no request failed an expectation, and every expectation was met. Requests that came late do not count, and
    /// neither do those that show that the client cannot be judged (`@skip`).
    pub fn passed(&self) -> bool {
        let is_wrong = |outcome: &Outcome| matches!(outcome.kind, OutcomeKind::Failed | OutcomeKind::Missing);
        !self.outcomes.iter().any(is_wrong)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.outcomes.iter().try_for_each(|outcome| writeln!(f, "{outcome}"))
    }
}
