//! Draws times as bars of text and computes their percentiles.

use std::fmt;
use std::time::Duration;

/// The longest time of each bar, in microseconds; one more bar has the longer times. Servers often send events 100 ms or 1 s
/// apart, so such times are far from the ends of their bars.
const ENDS: [u64; 16] = [
    70, 150, 300, 700, 1_500, 3_000, 7_000, 15_000, 30_000, 70_000, 150_000, 300_000, 700_000, 1_500_000,
    3_000_000, 7_000_000,
];
/// The length of the longest bar in characters.
const WIDTH: usize = 40;

/// Times, sorted.
pub struct Histogram(Vec<Duration>);

impl Histogram {
    pub fn new(mut times: Vec<Duration>) -> Histogram {
        times.sort_unstable();
        Histogram(times)
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that `percent` in 100 of the times do not exceed; zero if there are no times.
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent + 99) / 100;
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// The median, the 99th percentile and the maximum as text.
    pub fn summary(&self) -> String {
        let [median, most, longest] = [50, 99, 100].map(|percent| milliseconds(self.percentile(percent)));
        format!("median {median}, 99 of 100 within {most}, all within {longest}")
    }

    /// The same as a JSON object, in milliseconds; `null` without any times.
    pub fn to_json(&self) -> String {
        if self.0.is_empty() {
            return "null".to_owned();
        }
        let [median, most, longest] =
            [50, 99, 100].map(|percent| self.percentile(percent).as_secs_f64() * 1_000.0);
        format!("{{\"median_ms\":{median:.3},\"p99_ms\":{most:.3},\"max_ms\":{longest:.3}}}")
    }

    /// The number of times in each bar.
    fn bars(&self) -> [usize; ENDS.len() + 1] {
        let mut bars = [0; ENDS.len() + 1];
        for time in &self.0 {
            let bar = ENDS.iter().position(|&end| *time <= Duration::from_micros(end));
            bars[bar.unwrap_or(ENDS.len())] += 1;
        }
        bars
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bars = self.bars();
        let longest = bars.iter().max().copied().unwrap_or(0).max(1);
        let first = bars.iter().position(|&count| count > 0).unwrap_or(0);
        let last = bars.iter().rposition(|&count| count > 0).map_or(0, |last| last + 1);
        for (n, &count) in bars.iter().enumerate().take(last).skip(first) {
            if count == 0 {
                // One line for all empty bars in a row.
                if bars[n - 1] > 0 {
                    writeln!(f, "{:>16}", "…")?;
                }
                continue;
            }
            let label = match ENDS.get(n) {
                Some(&end) => format!("up to {}", milliseconds(Duration::from_micros(end))),
                None => "longer".to_owned(),
            };
            // Rounded up, so that even a single time is visible.
            let bar = "█".repeat((count * WIDTH + longest - 1) / longest);
            let percent = count as f64 * 100.0 / self.count() as f64;
            writeln!(f, "{label:>16}  {bar:WIDTH$}  {count:>7}  {percent:>6.2} %")?;
        }
        Ok(())
    }
}

/// The time in milliseconds with two decimals.
fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}
