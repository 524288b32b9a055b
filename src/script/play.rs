//! Plays a script: what is due leaves, chunk by chunk, and what is not yet due is waited for. Every due time is counted
//! from the one before, never from when the writing was done, so nothing drifts.

use super::time::Speed;
use super::{Chunk, Placeholder, Position, Script, Segment, Step};
use crate::http::chunk::ChunkedWriter;
use std::io::{self, Write};
use std::time::Instant;

/// Where time comes from: a client's thread sleeps, a test remembers.
pub trait Clock {
    /// The present moment.
    fn now(&self) -> Instant;

    /// Returns at `due`, or at once when that has passed.
    ///
    /// # Errors
    /// The waiting has lost its sense: the client is gone, or the server stops.
    fn wait_until(&mut self, due: Instant) -> io::Result<()>;
}

/// One playing of one script to one client.
#[derive(Debug)]
pub struct Player<W: Write, C: Clock> {
    body: ChunkedWriter<W>,
    /// The head, until it leaves together with the first byte of the body.
    head: Vec<u8>,
    clock: C,
    speed: Speed,
    due: Instant,
    /// `{{elapsed}}` counts from here.
    origin: Instant,
}

impl<W: Write, C: Clock> Player<W, C> {
    /// A player that sends `head` in front of the first byte of the body.
    pub fn new(head: Vec<u8>, body: ChunkedWriter<W>, clock: C, speed: Speed) -> Player<W, C> {
        let now = clock.now();
        Player { body, head, clock, speed, due: now, origin: now }
    }

    /// Plays `script` from `start` to its end, the last-chunk included.
    ///
    /// # Errors
    /// What the writer or the clock said. The body is unfinished then, and nothing more can be sent.
    pub fn play(mut self, script: &Script, start: Position) -> io::Result<()> {
        let mut skip = start.skip;
        for step in script.steps.iter().skip(start.step) {
            match step {
                Step::Chunk(chunk) => self.send(chunk, skip)?,
                Step::Sleep(time) => {
                    self.due += self.speed.scale(*time);
                    self.wait()?;
                }
                Step::Clock => self.origin = self.due,
            }
            skip = 0;
        }
        self.send_head()?;
        self.body.finish()
    }

    /// Sends a chunk, or what is left of it after the first `skip` octets of its text.
    fn send(&mut self, chunk: &Chunk, skip: usize) -> io::Result<()> {
        self.send_head()?;
        match chunk {
            Chunk::Framed(chunk) if skip == 0 => self.body.framed(chunk),
            Chunk::Framed(chunk) => self.body.write_all(&chunk.data()[skip..]),
            Chunk::Template(segments) => {
                let values = Values { elapsed: self.elapsed() };
                self.body.chunk(|buffer| render(segments, skip, &values, buffer))
            }
        }
    }

    fn send_head(&mut self) -> io::Result<()> {
        if self.head.is_empty() {
            return Ok(());
        }
        self.body.raw(&std::mem::take(&mut self.head))
    }

    /// Waits until the next thing is due; what was due before leaves first.
    fn wait(&mut self) -> io::Result<()> {
        if self.due <= self.clock.now() {
            return Ok(());
        }
        self.body.flush()?;
        self.clock.wait_until(self.due)
    }

    fn elapsed(&self) -> u128 {
        self.clock.now().saturating_duration_since(self.origin).as_millis()
    }
}

/// What placeholders stand for at one moment.
struct Values {
    elapsed: u128,
}

/// Appends the text of `segments` without its first `skip` octets, and without the values among those.
fn render(segments: &[Segment], mut skip: usize, values: &Values, out: &mut Vec<u8>) {
    for segment in segments {
        match segment {
            Segment::Text(text) => {
                let skipped = skip.min(text.len());
                skip -= skipped;
                out.extend_from_slice(&text[skipped..]);
            }
            Segment::Value(_) if skip > 0 => {}
            Segment::Value(Placeholder::Elapsed) => {
                // Writing to a Vec cannot fail.
                let _ = write!(out, "{}", values.elapsed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::chunk::Framing;
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    /// What happened, in order: writes as text, waits as the time since the start.
    type Diary = Rc<RefCell<Vec<String>>>;

    struct Recorder(Diary);

    impl Write for Recorder {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().push(bytes.escape_ascii().to_string());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A clock that stands still but for waits, each of which takes `late` longer than asked.
    struct FakeClock {
        diary: Diary,
        start: Instant,
        now: Instant,
        late: Duration,
    }

    impl Clock for FakeClock {
        fn now(&self) -> Instant {
            self.now
        }
        fn wait_until(&mut self, due: Instant) -> io::Result<()> {
            self.diary.borrow_mut().push(format!("{:?}", due - self.start));
            self.now = due + self.late;
            Ok(())
        }
    }

    fn play_with(text: &str, last_event_id: &str, speed: Speed, late: Duration) -> Vec<String> {
        let script = Script::parse("test.sse", "/test", text.as_bytes()).unwrap();
        let start = script.start(Some(last_event_id.as_bytes())).unwrap();
        let diary = Diary::default();
        let now = Instant::now();
        let clock = FakeClock { diary: Rc::clone(&diary), start: now, now, late };
        let body = ChunkedWriter::new(Recorder(Rc::clone(&diary)), Framing::Chunked);
        Player::new(b"HEAD ".to_vec(), body, clock, speed).play(&script, start).unwrap();
        let played = diary.borrow().clone();
        played
    }

    fn play(text: &str) -> Vec<String> {
        play_with(text, "", Speed::NORMAL, Duration::ZERO)
    }

    #[test]
    fn the_head_leaves_with_the_first_chunk_and_the_last_chunk_with_the_last() {
        assert_eq!(
            play("a\n\nb\n\n@sleep 1s\nc\n"),
            [r"HEAD 3\r\na\n\n\r\n3\r\nb\n\n\r\n", "1s", r"2\r\nc\n\r\n0\r\n\r\n",]
        );
    }

    #[test]
    fn a_sleep_before_the_body_keeps_the_head_back() {
        assert_eq!(play("@sleep 200ms\na\n"), ["200ms", r"HEAD 2\r\na\n\r\n0\r\n\r\n"]);
    }

    #[test]
    fn waits_that_take_longer_do_not_move_what_follows() {
        let late = Duration::from_millis(7);
        let played = play_with("@sleep 1s\na\n@sleep 1s\nb\n@sleep 1s\nc\n", "", Speed::NORMAL, late);
        assert_eq!((&*played[0], &*played[2], &*played[4]), ("1s", "2s", "3s"));
    }

    #[test]
    fn what_is_overdue_is_not_waited_for() {
        let late = Duration::from_secs(5);
        let played = play_with("@sleep 1s\na\n@sleep 1s\nb\n", "", Speed::NORMAL, late);
        assert_eq!(played, ["1s", r"HEAD 2\r\na\n\r\n2\r\nb\n\r\n0\r\n\r\n"]);
    }

    #[test]
    fn speed_divides_every_wait_and_max_leaves_none() {
        let at = |speed| play_with("a\n@sleep 1s\nb\n", "", speed, Duration::ZERO);
        assert_eq!(at(Speed::parse("4").unwrap())[1], "250ms");
        assert_eq!(at(Speed::MAX), [r"HEAD 2\r\na\n\r\n2\r\nb\n\r\n0\r\n\r\n"]);
    }

    #[test]
    fn elapsed_counts_from_the_clock_or_from_the_head() {
        let late = Duration::from_millis(3);
        let text = "{{elapsed}}\n@sleep 1s\n{{elapsed}}\n@clock\n{{elapsed}}\n@sleep 2s\n{{elapsed}}\n";
        assert_eq!(
            play_with(text, "", Speed::NORMAL, late),
            [r"HEAD 2\r\n0\n\r\n", "1s", r"5\r\n1003\n\r\n2\r\n3\n\r\n", "3s", r"5\r\n2003\n\r\n0\r\n\r\n",]
        );
    }

    #[test]
    fn resuming_inside_a_chunk_sends_the_rest_of_it() {
        let from = |text: &str, id| play_with(text, id, Speed::MAX, Duration::ZERO);
        let plain = "@resume\n@chunk whole\nid: 1\n\nx\n\n@sleep 1s\nid: 2\n\n";
        assert_eq!(from(plain, "1"), [r"HEAD 3\r\nx\n\n\r\n7\r\nid: 2\n\n\r\n0\r\n\r\n"]);
        let template = "@resume\n@chunk whole\n{{elapsed}}\nid: 1\n\n{{elapsed}}\n\n@sleep 1s\nid: 2\n\n";
        assert_eq!(from(template, "1"), [r"HEAD 3\r\n0\n\n\r\n7\r\nid: 2\n\n\r\n0\r\n\r\n"]);
    }

    #[test]
    fn resuming_where_a_chunk_ends_sends_no_empty_chunk() {
        let text = "@resume\n@chunk whole\nid: 1\n\n@sleep 1s\nid: 2\n\n";
        assert_eq!(
            play_with(text, "1", Speed::NORMAL, Duration::ZERO)[1..],
            ["1s", r"7\r\nid: 2\n\n\r\n0\r\n\r\n"]
        );
    }

    #[test]
    fn a_script_without_lines_is_a_head_and_a_last_chunk() {
        assert_eq!(play(""), [r"HEAD 0\r\n\r\n"]);
    }
}
