//! Sends the results of the test cases of all clients to observers: the event stream at `/-/judge/results`.

use super::reply::{SILENCE, STILL_HERE};
use crate::http::chunk::ChunkedWriter;
use crate::http::AfterResponse;
use crate::judge::cases::TestCase;
use crate::judge::result::{CaseResult, CaseVerdict};
use crate::judge::run::CaseRun;
use crate::judge::Judge;
use crate::script::case::Case;
use crate::script::play::clock::Clock;
use crate::server::shared::Shared;
use crate::text::json::{self, Object};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The most streams at a time. Each checks all runs periodically.
const MAX_WATCHERS: usize = 16;
/// How often a stream looks for what has changed. A shorter interval would make no visible difference.
const WATCH: Duration = Duration::from_millis(100);

/// A place among the streams of results, free again when it is dropped.
pub(crate) struct Watcher<'a> {
    judge: &'a Judge,
    count: &'a AtomicUsize,
}

impl<'a> Watcher<'a> {
    /// `None` when there are [`MAX_WATCHERS`] already.
    pub(super) fn new(shared: &'a Shared) -> Option<Watcher<'a>> {
        let watcher = Watcher { judge: &shared.judge, count: &shared.judge_watchers };
        // Counted before the comparison: one too many is taken back by dropping it.
        let others = watcher.count.fetch_add(1, Ordering::Relaxed);
        (others < MAX_WATCHERS).then_some(watcher)
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a stream has sent about a run.
struct SentRun {
    run: Arc<CaseRun>,
    verdict: Option<CaseVerdict>,
}

/// Sends all cases (`cases`), and then an event for each run that begins or is decided (`run`) or is forgotten
/// (`forget`), until the client leaves.
///
/// # Errors
/// The client has left, or the server stops.
pub(crate) fn send(
    watcher: &Watcher<'_>,
    head: Vec<u8>,
    mut body: ChunkedWriter<impl Write>,
    mut clock: impl Clock,
) -> io::Result<AfterResponse> {
    body.write_head(head)?;
    body.write_all(cases(watcher.judge).as_bytes())?;
    let mut sent = BTreeMap::new();
    let mut sent_at = Instant::now();
    loop {
        let mut events = changes(watcher.judge, &mut sent);
        if events.is_empty() && sent_at.elapsed() >= SILENCE {
            events = STILL_HERE.to_owned();
        }
        if !events.is_empty() {
            body.write_all(events.as_bytes())?;
            sent_at = Instant::now();
        }
        body.flush()?;
        clock.check()?;
        thread::sleep(WATCH);
    }
}

fn cases(judge: &Judge) -> String {
    let case = |case: &Arc<TestCase>| {
        let Case { level, section, text } = &case.about;
        let object = json::Object::new().string("id", &case.id).string("level", level.as_str());
        object.string("section", section).string("text", text).finish()
    };
    let cases: Vec<String> = judge.cases().iter().map(case).collect();
    format!("event: cases\ndata: [{}]\n\n", cases.join(","))
}

/// The events for what has changed since the last ones were sent.
fn changes(judge: &Judge, sent: &mut BTreeMap<u64, SentRun>) -> String {
    let runs: BTreeMap<u64, Arc<CaseRun>> =
        judge.all_runs().into_iter().map(|run| (run.number, run)).collect();
    let mut events = String::new();
    sent.retain(|number, sent| {
        let is_kept = runs.contains_key(number);
        if !is_kept {
            events += &event("forget", about(&sent.run));
        }
        is_kept
    });
    for (number, run) in runs {
        let result = run.result();
        let verdict = result.as_ref().map(|result| result.verdict);
        if sent.get(&number).map(|sent| sent.verdict) == Some(verdict) {
            continue;
        }
        let mut data = about(&run);
        if let Some(CaseResult { verdict, expected, got, .. }) = result {
            data = data.string("verdict", verdict.as_str()).string("expected", &expected).string("got", &got);
        }
        events += &event("run", data);
        sent.insert(number, SentRun { run, verdict });
    }
    events
}

fn about(run: &CaseRun) -> Object {
    json::Object::new().string("client", run.client()).string("case", run.id())
}

fn event(event_type: &str, data: Object) -> String {
    format!("event: {event_type}\ndata: {}\n\n", data.finish())
}
