//! Adds up what all clients of the demo received and prints it at the end.

use crate::demo::{ClientReport, EVENTS};
use crate::histogram::Histogram;
use std::collections::BTreeMap;
use std::fmt;

/// What all clients received.
pub struct Report {
    expected: usize,
    first_bytes: Histogram,
    lateness: Histogram,
    duplicates: usize,
    out_of_order: usize,
    /// How many clients failed for each reason.
    failures: BTreeMap<String, usize>,
}

impl Report {
    pub fn new(clients: Vec<ClientReport>) -> Report {
        let mut failures = BTreeMap::new();
        for failure in clients.iter().filter_map(|client| client.failure.clone()) {
            *failures.entry(failure).or_default() += 1;
        }
        Report {
            expected: clients.len() * EVENTS,
            first_bytes: Histogram::new(clients.iter().filter_map(|client| client.first_byte).collect()),
            duplicates: clients.iter().map(|client| client.duplicates).sum(),
            out_of_order: clients.iter().map(|client| client.out_of_order).sum(),
            lateness: Histogram::new(clients.into_iter().flat_map(|client| client.lateness).collect()),
            failures,
        }
    }

    /// Whether every event arrived once and in order, and every stream ended with its last-chunk.
    pub fn is_flawless(&self) -> bool {
        self.lost() + self.duplicates + self.out_of_order == 0 && self.failures.is_empty()
    }

    fn lost(&self) -> usize {
        self.expected - self.lateness.count()
    }

    fn verdict(&self) -> String {
        match self.lost() {
            0 if self.is_flawless() => "nothing was lost".to_owned(),
            0 => "nothing was lost, but there were errors".to_owned(),
            lost => format!("{lost} LOST"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lateness.count() > 0 {
            writeln!(f, "first byte: {}", self.first_bytes.summary())?;
            writeln!(f, "lateness:   {}", self.lateness.summary())?;
            write!(f, "{}", self.lateness)?;
        }
        for (failure, count) in &self.failures {
            writeln!(f, "{count:>6} × {failure}")?;
        }
        writeln!(
            f,
            "{} of {} events, {} duplicates, {} out of order: {}",
            self.lateness.count(),
            self.expected,
            self.duplicates,
            self.out_of_order,
            self.verdict()
        )
    }
}
