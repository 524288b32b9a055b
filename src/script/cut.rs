//! Cuts the stream of a test case into pieces, because a client must not depend on where a stream is cut.

use super::condition::Conditions;
use super::expectation::Expectation;
use super::lines::Lines;
use super::route::Route;
use super::step::NextStep;
use super::steps::Steps;
use super::template::Template;
use super::{Chunk, Part, Script, Step, Wait};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a stream that is cut into pieces. At a piece in a millisecond, more would take too long.
const MAX_PIECES: u64 = 4 * 1024;
/// The time between pieces.
const BETWEEN_PIECES: Duration = Duration::from_millis(1);
/// Bytes of a stream that is cut at every position, which takes two requests each.
const MAX_CUTS: u64 = 80;
/// The time between the two parts of a stream that is cut once.
const AT_CUT: Duration = Duration::from_millis(2);
/// The longest wait in a stream that is cut at every position.
const MAX_WAIT: Duration = Duration::from_millis(100);
/// Undoes what a stream has set, so that the next one shows what it sets.
const RESET: &[u8] = b"retry: 10\nid\ndata: reset\n\n";

impl Script {
    /// The same test case with its stream in pieces of `size` bytes, each in a separate write. The stream is the first
    /// part. `None` if it is too long.
    pub fn in_pieces(&self, size: u32) -> Option<Script> {
        let (stream, others) = self.parts.split_first()?;
        let length = stream.body_length()?;
        if length > MAX_PIECES {
            return None;
        }
        let mut steps = Steps::default();
        for step in stream.steps() {
            match text_of(step).map(Box::new) {
                Some(text) => {
                    let every = BETWEEN_PIECES;
                    let chunk = Chunk::Pieces { text, size, every, is_requested: false };
                    steps.push(Step::Chunk(chunk), Lines::NONE);
                    steps.push_copy(NextStep::Sleep(every));
                }
                None => steps.push_copy(step),
            }
        }
        let mut parts = vec![stream.with_steps(steps)];
        parts.extend(others.iter().cloned());
        Some(self.with_parts(parts))
    }

    /// The number of places at which [`cut_everywhere`](Script::cut_everywhere) cuts. `None` if that would take long.
    pub fn places_to_cut(&self) -> Option<u64> {
        let stream = self.parts.first()?;
        let waits_long = |step: NextStep<'_>| match step {
            NextStep::Sleep(time) => time > MAX_WAIT,
            NextStep::Other(Step::Sleep(Wait::Between(_, most))) => *most > MAX_WAIT,
            _ => false,
        };
        let length = stream.body_length().filter(|length| (2..=MAX_CUTS).contains(length))?;
        let is_long = stream.steps().any(waits_long) || self.expectations().any(Expectation::is_about_time);
        (self.parts.len() > 1 && !is_long).then_some(length - 1)
    }

    /// A test case that cuts the stream of this one once at every place, with a pause. Two requests belong to a cut: the
    /// first is sent a stream that resets the client, the second is sent the stream with the cut. The next request has to
    /// meet what this case expects after its stream.
    pub fn cut_everywhere(&self) -> Option<Script> {
        let places = self.places_to_cut()?;
        let (stream, after) = (self.parts.first()?, self.parts.get(1)?);
        let mut parts = Vec::new();
        for place in 1..=places {
            let number = 2 * place;
            let mut reset_steps = Steps::default();
            reset_steps.push_copy(NextStep::Text(RESET));
            let reset = Part {
                conditions: Conditions::connection(number - 1),
                expectations: if place == 1 { Vec::new() } else { after.expectations.clone() },
                ..stream.with_steps(reset_steps)
            };
            let conditions = Conditions::connection(number);
            parts.push(reset);
            parts.push(Part { conditions, ..stream.with_steps(stream.steps_cut_at(place)?) });
        }
        let last = 2 * places + 1;
        let mut expectations = after.expectations.clone();
        expectations.push(Expectation::of_connection(last));
        parts.push(Part { conditions: Conditions::connection(last), expectations, ..after.clone() });
        parts.push(self.parts.last()?.clone());
        Some(self.with_parts(parts))
    }

    fn with_parts(&self, parts: Vec<Part>) -> Script {
        Script {
            file: self.file.clone(),
            name: self.name.clone(),
            about: self.about.clone(),
            route: Route::get("/"),
            parts,
            needs: self.needs.clone(),
            event_types: self.event_types.clone(),
            warnings: Vec::new(),
            case: self.case.clone(),
            start: self.start,
            source: Arc::clone(&self.source),
        }
    }
}

impl Part {
    /// Its steps, with a pause after this many bytes of text. `None` if its text has placeholders.
    fn steps_cut_at(&self, place: u64) -> Option<Steps> {
        let mut left = usize::try_from(place).ok()?;
        let mut steps = Steps::default();
        for step in self.steps() {
            let text = match text_of(step) {
                Some(text) => text,
                None => {
                    steps.push_copy(step);
                    continue;
                }
            };
            let text = text.as_plain()?;
            let (before, after) = text.split_at(left.min(text.len()));
            steps.push_copy(NextStep::Text(before));
            if left > 0 && before.len() == left {
                steps.push_copy(NextStep::Flush);
                steps.push_copy(NextStep::Sleep(AT_CUT));
            }
            steps.push_copy(NextStep::Text(after));
            left -= before.len();
        }
        Some(steps)
    }
}

/// The text that a step sends as chunks.
fn text_of(step: NextStep<'_>) -> Option<Template> {
    match step {
        NextStep::Text(text) => Some(Template::literal(text)),
        NextStep::Other(Step::Chunk(chunk)) => Some(chunk.text().clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &[u8] = b"@part connection 1\nid: 1\n\n@sleep 5ms\n@send x\n\
        @part connection 2\n@expect last-event-id 1\n@status 204\n@part otherwise\n@status 204\n";

    fn compile(text: &[u8]) -> Script {
        Script::compile("x.sse", "/", text).unwrap()
    }

    /// The chunks of a part, with `|` for each wait.
    fn chunks(part: &Part) -> String {
        let text = |step: NextStep<'_>| match (text_of(step), step) {
            (Some(text), _) => String::from_utf8(text.as_plain().unwrap().to_vec()).unwrap(),
            (None, NextStep::Sleep(_)) => "|".to_owned(),
            _ => String::new(),
        };
        part.steps.iter().map(text).collect()
    }

    #[test]
    fn every_place_of_the_stream_is_cut_once() {
        let script = compile(CASE).cut_everywhere().unwrap();
        assert_eq!(script.parts.len(), 2 * 7 + 2);
        let streams: Vec<String> = script.parts[..14].iter().skip(1).step_by(2).map(chunks).collect();
        let cut = ["i|d: 1\n\n|x", "id|: 1\n\n|x", "id:| 1\n\n|x", "id: |1\n\n|x", "id: 1|\n\n|x"];
        assert_eq!(streams[..5], cut);
        assert_eq!(streams[5..], ["id: 1\n|\n|x", "id: 1\n\n||x"]);
        let expectations: Vec<&str> = script.expectations().map(Expectation::text).collect();
        assert_eq!(expectations, [&["last-event-id 1"; 7][..], &["connection 15"]].concat());
    }

    #[test]
    fn a_stream_in_pieces_has_a_pause_between_any_two() {
        let script = compile(CASE).in_pieces(2).unwrap();
        let sizes = script.parts[0].steps.iter().filter(|step| {
            matches!(step, NextStep::Other(Step::Chunk(Chunk::Pieces { size: 2, every, .. })) if *every == BETWEEN_PIECES)
        });
        assert_eq!(sizes.count(), 2);
        assert_eq!(chunks(&script.parts[0]), "id: 1\n\n||x|");
    }

    #[test]
    fn a_stream_that_is_long_or_unknown_or_waits_is_not_cut() {
        let stream =
            |text: &str| compile(format!("@part connection 1\n{text}@part otherwise\n@drop\n").as_bytes());
        let long = stream("data: x\n@fill 4k x\n");
        assert!(long.in_pieces(1).is_none() && long.cut_everywhere().is_none());
        let unknown = stream("data: {{time}}\n\n");
        assert!(unknown.in_pieces(1).is_none() && unknown.cut_everywhere().is_none());
        let waits = stream("data: x\n\n@sleep 1s\n");
        assert!(waits.in_pieces(1).is_some() && waits.cut_everywhere().is_none());
    }
}
