//! How long an EventSource waits before it reconnects: the reconnection time, and longer after responses that cannot be
//! parsed.

use std::time::Duration;

/// The reconnection time until the stream sets another one. Browsers take 2 to 5 s.
const RECONNECTION_TIME: Duration = Duration::from_secs(3);
/// The shortest reconnection time, whatever the stream says: a server that ends each stream at once would otherwise get
/// thousands of requests a second.
const MIN_RECONNECTION_TIME: Duration = Duration::from_millis(10);
/// The longest wait after a response that cannot be parsed, unless the reconnection time is longer. Such a server will
/// probably send the same again.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

pub(super) struct Backoff {
    reconnection_time: Duration,
    /// Responses in a row that could not be parsed.
    malformed: u32,
}

impl Backoff {
    pub fn new() -> Backoff {
        Backoff { reconnection_time: RECONNECTION_TIME, malformed: 0 }
    }

    /// Sets the reconnection time, which applies until it is set again.
    pub fn set_reconnection_time(&mut self, time: Duration) {
        self.reconnection_time = time.max(MIN_RECONNECTION_TIME);
    }

    /// Notes how a connection ended. One that ended in any other way than with a malformed response resets the wait.
    pub fn connection_ended(&mut self, is_malformed: bool) {
        self.malformed = if is_malformed { self.malformed.saturating_add(1) } else { 0 };
    }

    /// The time until the next request: twice as long after each further malformed response.
    pub fn wait(&self) -> Duration {
        let time = self.reconnection_time;
        let doubled = time.saturating_mul(2_u32.saturating_pow(self.malformed.saturating_sub(1)));
        doubled.min(MAX_BACKOFF.max(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_30_s_and_is_reset_by_another_end() {
        let mut backoff = Backoff::new();
        let waits: Vec<u64> = (0..6)
            .map(|_| {
                backoff.connection_ended(true);
                backoff.wait().as_secs()
            })
            .collect();
        assert_eq!(waits, [3, 6, 12, 24, 30, 30]);
        backoff.connection_ended(false);
        assert_eq!(backoff.wait(), RECONNECTION_TIME);
    }

    #[test]
    fn the_wait_is_never_shorter_than_the_reconnection_time() {
        let mut backoff = Backoff { reconnection_time: RECONNECTION_TIME, malformed: 100 };
        assert_eq!(backoff.wait(), MAX_BACKOFF);
        for time in [Duration::from_secs(60), Duration::from_millis(u64::MAX)] {
            backoff.set_reconnection_time(time);
            assert_eq!(backoff.wait(), time);
        }
        backoff.connection_ended(false);
        backoff.set_reconnection_time(Duration::ZERO);
        assert_eq!(backoff.wait(), MIN_RECONNECTION_TIME);
    }
}
