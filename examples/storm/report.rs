//! What all clients heard, as it is printed at the end.

use crate::client::{Heard, EVENTS};
use crate::histogram::{milliseconds, Histogram};
use std::collections::BTreeMap;
use std::fmt;

/// What all clients heard together.
pub struct Report {
    expected: usize,
    first_bytes: Histogram,
    lateness: Histogram,
    doubled: usize,
    reordered: usize,
    /// How often each trouble was met.
    troubles: BTreeMap<String, usize>,
}

impl Report {
    pub fn of(clients: Vec<Heard>) -> Report {
        let mut troubles = BTreeMap::new();
        for trouble in clients.iter().filter_map(|heard| heard.trouble.clone()) {
            *troubles.entry(trouble).or_default() += 1;
        }
        Report {
            expected: clients.len() * EVENTS,
            first_bytes: Histogram::new(clients.iter().filter_map(|heard| heard.first_byte).collect()),
            doubled: clients.iter().map(|heard| heard.doubled).sum(),
            reordered: clients.iter().map(|heard| heard.reordered).sum(),
            lateness: Histogram::new(clients.into_iter().flat_map(|heard| heard.lateness).collect()),
            troubles,
        }
    }

    /// Whether every event came once and in order, and every stream ended as it should.
    pub fn is_flawless(&self) -> bool {
        self.lost() + self.doubled + self.reordered == 0 && self.troubles.is_empty()
    }

    fn lost(&self) -> usize {
        self.expected - self.lateness.count()
    }

    fn verdict(&self) -> String {
        match self.lost() {
            0 if self.is_flawless() => "nothing was lost".to_owned(),
            0 => "nothing was lost, but not all is well".to_owned(),
            lost => format!("{lost} LOST"),
        }
    }
}

/// The median, what all but one of a hundred are within, and the longest.
fn figures(times: &Histogram) -> String {
    let [median, most, longest] = [50, 99, 100].map(|percent| milliseconds(times.percentile(percent)));
    format!("median {median}, 99 of 100 within {most}, all within {longest}")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lateness.count() > 0 {
            writeln!(f, "first byte: {}", figures(&self.first_bytes))?;
            writeln!(f, "lateness:   {}", figures(&self.lateness))?;
            write!(f, "{}", self.lateness)?;
        }
        for (trouble, count) in &self.troubles {
            writeln!(f, "{count:>6} × {trouble}")?;
        }
        writeln!(
            f,
            "{} of {} events, {} twice, {} out of order: {}",
            self.lateness.count(),
            self.expected,
            self.doubled,
            self.reordered,
            self.verdict()
        )
    }
}
