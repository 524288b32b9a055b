//! Adds up what all clients of a stream received and prints it at the end, for people or as JSON.

use crate::histogram::Histogram;
use crate::stream::StreamReport;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What all clients received.
pub struct Report {
    clients: usize,
    first_bytes: Histogram,
    first_events: Histogram,
    gaps: Histogram,
    events: usize,
    bytes: u64,
    reconnections: usize,
    lost: usize,
    /// How many clients failed for each reason.
    failures: BTreeMap<String, usize>,
    /// The running time of the client that ran longest.
    time: Duration,
}

impl Report {
    pub fn new(clients: Vec<StreamReport>) -> Report {
        let mut failures = BTreeMap::new();
        for failure in clients.iter().filter_map(|client| client.failure.clone()) {
            *failures.entry(failure).or_default() += 1;
        }
        Report {
            clients: clients.len(),
            first_bytes: Histogram::new(clients.iter().filter_map(|client| client.first_byte).collect()),
            first_events: Histogram::new(clients.iter().filter_map(|client| client.first_event).collect()),
            events: clients.iter().map(|client| client.events).sum(),
            bytes: clients.iter().map(|client| client.bytes).sum(),
            reconnections: clients.iter().map(|client| client.reconnections).sum(),
            lost: clients.iter().map(|client| client.lost).sum(),
            time: clients.iter().map(|client| client.time).max().unwrap_or_default(),
            gaps: Histogram::new(clients.into_iter().flat_map(|client| client.gaps).collect()),
            failures,
        }
    }

    /// Whether every client reached its end condition.
    pub fn is_flawless(&self) -> bool {
        self.failures.is_empty()
    }

    fn per_second(&self, count: f64) -> f64 {
        count / self.time.as_secs_f64().max(0.001)
    }

    /// A JSON object on one line.
    pub fn to_json(&self) -> String {
        let failures: Vec<String> = self
            .failures
            .iter()
            .map(|(failure, count)| format!("{}:{count}", json_string(failure)))
            .collect();
        format!(
            "{{\"clients\":{},\"seconds\":{:.3},\"first_byte\":{},\"first_event\":{},\"gaps\":{},\"events\":{},\
             \"events_per_second\":{:.1},\"bytes\":{},\"bytes_per_second\":{:.1},\"reconnections\":{},\"lost_connections\":{},\"failures\":{{{}}}}}\n",
            self.clients,
            self.time.as_secs_f64(),
            self.first_bytes.to_json(),
            self.first_events.to_json(),
            self.gaps.to_json(),
            self.events,
            self.per_second(self.events as f64),
            self.bytes,
            self.per_second(self.bytes as f64),
            self.reconnections,
            self.lost,
            failures.join(",")
        )
    }
}

/// A JSON string. Rust escapes quotes and backslashes as JSON does, and the reasons contain no control characters.
fn json_string(text: &str) -> String {
    let quoted = |c: char| if "\"\\".contains(c) { format!("\\{c}") } else { c.to_string() };
    format!("\"{}\"", text.chars().map(quoted).collect::<String>())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines =
            [("first byte:", &self.first_bytes), ("first event:", &self.first_events), ("gaps:", &self.gaps)];
        for (name, times) in lines {
            if times.count() > 0 {
                writeln!(f, "{name:<12} {}", times.summary())?;
            }
        }
        write!(f, "{}", self.gaps)?;
        for (failure, count) in &self.failures {
            writeln!(f, "{count:>6} × {failure}")?;
        }
        writeln!(
            f,
            "{} events in {:.3} s, {:.1} a second; {} bytes, {:.1} a second; {} reconnections{}",
            self.events,
            self.time.as_secs_f64(),
            self.per_second(self.events as f64),
            self.bytes,
            self.per_second(self.bytes as f64),
            self.reconnections,
            match self.lost {
                0 => String::new(),
                1 => "; 1 connection was lost".to_owned(),
                lost => format!("; {lost} connections were lost"),
            }
        )
    }
}
