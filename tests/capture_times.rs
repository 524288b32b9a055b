//! A captured stream is played again at the times at which it arrived.

mod support;

use rust_sse_server::internals::Capture;
use std::time::Duration;
use support::{request, serve, Exchange, PATIENCE};

/// Within 5 ms. On a busy machine, each of them is that near in one of many attempts.
#[test]
fn what_arrived_at_a_time_is_sent_again_at_that_time() {
    const PIECES: [(u64, &str); 5] =
        [(60, "one: 1\n\n"), (130, "two: 2\n\n"), (200, "three: "), (270, "half\n\n"), (340, "end\n\n")];
    let mut capture = Capture::default();
    let mut script = Vec::new();
    for (at, piece) in PIECES {
        script.extend(capture.add(Duration::from_millis(at), piece.as_bytes()));
    }
    script.extend(capture.end(Duration::from_millis(400)));
    let server = serve("1", &[("/x", &script)]);
    let mut differences = [Duration::MAX; PIECES.len()];
    for _ in 0..50 {
        let exchange = Exchange::new(server.address(), request("GET", "/x", ""), PATIENCE);
        for ((at, piece), least) in PIECES.iter().zip(&mut differences) {
            let (arrived, expected) = (exchange.when(piece), Duration::from_millis(*at));
            *least = (arrived.max(expected) - arrived.min(expected)).min(*least);
        }
        if differences.iter().all(|difference| *difference <= Duration::from_millis(5)) {
            return;
        }
    }
    panic!("{differences:?}");
}
