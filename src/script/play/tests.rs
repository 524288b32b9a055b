//! Plays scripts against a clock that records its waits, and compares every write and every wait.

use super::clock::{WaitFor, Woken};
use super::*;
use crate::http::chunk::Framing;
use crate::script::context::tests::TestRequest;
use crate::script::units::Speed;
use crate::script::Script;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What happened, in order: writes as text, waits as the time since the start.
type Record = Rc<RefCell<Vec<String>>>;

struct Recorder(Record);

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().push(bytes.escape_ascii().to_string());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A clock that moves only while somebody waits, and then by `late` too far. The client disconnects after a minute. At
/// every check, one more client has connected.
struct FakeClock<'a> {
    record: Record,
    open_clients: &'a AtomicUsize,
    start: Instant,
    now: Instant,
    late: Duration,
}

impl Clock for FakeClock<'_> {
    fn now(&self) -> Instant {
        self.now
    }
    fn system_time(&self) -> SystemTime {
        UNIX_EPOCH
    }
    fn wait(&mut self, wait: WaitFor<'_>) -> io::Result<Woken> {
        match wait {
            WaitFor::Due(due) => {
                self.record.borrow_mut().push(format!("{:?}", due - self.start));
                self.now = due + self.late;
            }
            WaitFor::Release(name) => self.record.borrow_mut().push(format!("pause {name}")),
            WaitFor::Close(due) => {
                let due = due.map_or("ever".to_owned(), |due| format!("{:?}", due - self.start));
                self.record.borrow_mut().push(format!("hang for {due}"));
            }
        }
        Ok(Woken::Due)
    }
    fn check(&mut self) -> io::Result<()> {
        self.open_clients.fetch_add(1, Ordering::Relaxed);
        if self.now - self.start >= Duration::from_secs(60) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

/// What happens while a script is played, and last what becomes of the connection.
fn play_with(text: &str, id: &'static str, speed: Speed, late: Duration) -> Vec<String> {
    let script = Script::compile("test.sse", "/test", text.as_bytes()).unwrap();
    let request = TestRequest::get("/test?n=7&t=2s", &format!("last-event-id: {id}\r\n"));
    let context = request.context();
    let part = script.part(context).unwrap();
    let record = Record::default();
    let now = Instant::now();
    let open_clients = &request.open_clients;
    let clock = FakeClock { record: Rc::clone(&record), open_clients, start: now, now, late };
    let body = ChunkedWriter::new(Recorder(Rc::clone(&record)), Framing::Chunked);
    let player = Player::new(context, b"HEAD ".to_vec(), body, clock, speed);
    let end = player.play(part, part.start(context).unwrap());
    let mut played = record.borrow().clone();
    played.push(end.map_or("gone".to_owned(), |end| format!("{end:?}")));
    played
}

fn play(text: &str) -> Vec<String> {
    play_with(text, "", Speed::NORMAL, Duration::ZERO)
}

#[test]
fn the_head_leaves_with_the_first_chunk_and_the_last_chunk_with_the_last_event() {
    let written = [r"HEAD 3\r\na\n\n\r\n3\r\nb\n\n\r\n", "1s", r"2\r\nc\n\r\n0\r\n\r\n", "KeepAlive"];
    assert_eq!(play("a\n\nb\n\n@sleep 1s\nc\n"), written);
}

#[test]
fn the_head_waits_for_the_first_chunk_unless_it_is_opened() {
    assert_eq!(play("@sleep 200ms\na\n"), ["200ms", r"HEAD 2\r\na\n\r\n0\r\n\r\n", "KeepAlive"]);
    assert_eq!(play("@open\n@sleep 200ms\na\n"), ["HEAD ", "200ms", r"2\r\na\n\r\n0\r\n\r\n", "KeepAlive"]);
}

#[test]
fn a_late_wake_up_does_not_delay_later_steps() {
    let late = Duration::from_millis(7);
    let played = play_with("@sleep 1s\na\n@sleep 1s\nb\n@sleep 1s\nc\n", "", Speed::NORMAL, late);
    assert_eq!((&*played[0], &*played[2], &*played[4]), ("1s", "2s", "3s"));
}

#[test]
fn overdue_steps_are_played_at_once() {
    let late = Duration::from_secs(5);
    let played = play_with("@sleep 1s\na\n@sleep 1s\nb\n", "", Speed::NORMAL, late);
    assert_eq!(played, ["1s", r"HEAD 2\r\na\n\r\n2\r\nb\n\r\n0\r\n\r\n", "KeepAlive"]);
}

#[test]
fn speed_divides_every_wait_and_max_leaves_none() {
    let at = |speed| play_with("a\n@sleep 1s\nb\n", "", speed, Duration::ZERO);
    assert_eq!(at(Speed::parse("4").unwrap())[1], "250ms");
    assert_eq!(at(Speed::MAX), [r"HEAD 2\r\na\n\r\n2\r\nb\n\r\n0\r\n\r\n", "KeepAlive"]);
}

#[test]
fn elapsed_counts_from_the_clock_or_from_the_head() {
    let late = Duration::from_millis(3);
    let text =
        "@sleep 5s\n{{elapsed}}\n@sleep 1s\n{{elapsed}}\n@clock\n{{elapsed}}\n@sleep 2s\n{{elapsed}}\n";
    let played = play_with(text, "", Speed::NORMAL, late);
    let written = ["5s", r"HEAD 2\r\n3\n\r\n", "6s", r"5\r\n1003\n\r\n2\r\n3\n\r\n", "8s"];
    assert_eq!(played[..5], written);
    assert_eq!(played[5], r"5\r\n2003\n\r\n0\r\n\r\n");
}

#[test]
fn resuming_inside_a_chunk_sends_the_rest_of_it() {
    let from = |text: &str, id| play_with(text, id, Speed::MAX, Duration::ZERO).remove(0);
    let plain = "@resume\n@chunk whole\nid: 1\n\nx\n\n@sleep 1s\nid: 2\n\n";
    assert_eq!(from(plain, "1"), r"HEAD 3\r\nx\n\n\r\n7\r\nid: 2\n\n\r\n0\r\n\r\n");
    let template = "@resume\n@chunk whole\n{{elapsed}}\nid: 1\n\n{{elapsed}}\n\n@sleep 1s\nid: 2\n\n";
    assert_eq!(from(template, "1"), r"HEAD 3\r\n0\n\n\r\n7\r\nid: 2\n\n\r\n0\r\n\r\n");
}

#[test]
fn resuming_where_a_chunk_ends_sends_no_empty_chunk() {
    let text = "@resume\n@chunk whole\nid: 1\n\n@sleep 1s\nid: 2\n\n";
    let played = play_with(text, "1", Speed::NORMAL, Duration::ZERO);
    assert_eq!(played[played.len() - 3..], ["1s", r"7\r\nid: 2\n\n\r\n0\r\n\r\n", "KeepAlive"]);
}

#[test]
fn resuming_inside_a_loop_continues_its_first_turn_with_earlier_settings() {
    let text = "@resume\n@keepalive 1s\n@repeat 2\nid: 1\n\nt{{i}}\n\n@again\n@sleep 2s\n";
    let played = play_with(text, "1", Speed::NORMAL, Duration::ZERO);
    let written = r"HEAD 4\r\nt1\n\n\r\n7\r\nid: 1\n\n\r\n4\r\nt2\n\n\r\n";
    assert_eq!(played, [written, "1s", r"2\r\n:\n\r\n", "2s", r"0\r\n\r\n", "KeepAlive"]);
}

#[test]
fn a_script_without_lines_is_a_head_and_a_last_chunk() {
    assert_eq!(play(""), [r"HEAD 0\r\n\r\n", "KeepAlive"]);
}

#[test]
fn send_and_cut_end_a_write() {
    let written =
        [r"HEAD 2\r\na\n\r\n", r"1\r\nb\r\n", r"2\r\nc\n\r\n", r"2\r\nd\n\r\n0\r\n\r\n", "KeepAlive"];
    assert_eq!(play("a\n@send b\nc\n@cut\nd\n"), written);
}

#[test]
fn pieces_are_cut_across_lines_values_and_filler() {
    let text = "@chunk 3 every 10ms\nab{{query:n}}c\n@fill 2000 z\n";
    let played = play(text);
    assert_eq!(played[..4], [r"HEAD 3\r\nab7\r\n", "10ms", r"3\r\nc\nz\r\n", "20ms"]);
    assert_eq!(played.iter().filter(|entry| *entry == r"3\r\nzzz\r\n").count(), 666);
    assert_eq!(played[played.len() - 3..], [r"1\r\nz\r\n", r"0\r\n\r\n", "KeepAlive"]);
}

#[test]
fn sent_text_is_one_chunk_even_where_other_text_is_cut() {
    let written = [r"HEAD 2\r\nab\r\n", r"1\r\n\n\r\n", r"4\r\nabcd\r\n", r"0\r\n\r\n", "KeepAlive"];
    assert_eq!(play("@chunk 2\nab\n@send abcd\n"), written);
}

#[test]
fn a_changing_value_is_read_each_time_it_is_sent() {
    let played = play("@repeat 11\n{{open}}\n@again\n").remove(0);
    assert!(played.contains(r"2\r\n9\n\r\n3\r\n10\n\r\n3\r\n11\n\r\n"), "{played}");
}

#[test]
fn loops_that_end_take_no_longer_than_their_waits() {
    assert_eq!(play("@repeat 100\n@wire a\n@again\n").len(), 101);
    assert_eq!(play_with("@repeat 100\n@sleep 1s\n@again\n", "", Speed::MAX, Duration::ZERO).len(), 2);
}

#[test]
fn wire_is_sent_outside_of_the_framing_or_instead_of_the_head() {
    assert_eq!(play("a\n@wire ZZ\\r\\n\n"), [r"HEAD 2\r\na\n\r\nZZ\r\n", r"0\r\n\r\n", "KeepAlive"]);
    assert_eq!(play("@wire garbage {{query:n}}\na\n"), ["garbage 7", r"a\n", "Close"]);
}

#[test]
fn loops_can_be_nested() {
    let played = play("@repeat 2\n{{i}}\n@repeat 2\n-{{i}}\n@again\n@again\n").remove(0);
    let data: String = played.replace(r"\n", "").split(r"\r").filter(|piece| !piece.is_empty()).collect();
    assert_eq!(data, "HEAD 213-13-2223-13-20");
}

#[test]
fn turns_are_due_at_fixed_times() {
    let played = play("@repeat 3 every 2s\n{{i}}\n@sleep 500ms\n@again\n");
    let waits: Vec<&String> = played.iter().filter(|entry| entry.ends_with('s')).collect();
    assert_eq!(waits, ["500ms", "2s", "2.5s", "4s", "4.5s"]);
}

#[test]
fn an_endless_loop_ends_when_the_client_disconnects_even_if_it_sends_nothing() {
    let played = play("@repeat forever every 10s\nx\n@again\n");
    assert_eq!(played.len(), 13);
    assert_eq!(played.last().unwrap(), "gone");
    let silent = play_with("@repeat forever\n@sleep 1s\n@again\n", "", Speed::MAX, Duration::from_secs(1));
    assert_eq!((silent[0].as_str(), silent.last().unwrap().as_str()), ("10ms", "gone"));
}

#[test]
fn an_endless_loop_that_sends_empty_values_rests() {
    for line in ["@send {{query:none}}", "@wire {{query:none}}"] {
        let played = play(&format!("a\n@repeat forever\n{line}\n@again\n"));
        assert_eq!(played.last().unwrap(), "gone", "{line}");
    }
}

#[test]
fn keepalive_comments_are_sent_in_silence_but_not_inside_a_line() {
    let text = "@keepalive 2s : still here\na\n@sleep 5s\n@send b\n@sleep 5s\n@send \\n\n@hang 3s\n";
    let comment = r"d\r\n: still here\n\r\n";
    let played = play(text);
    let first = [r"HEAD 2\r\na\n\r\n", "2s", comment, "4s", comment, "5s", r"1\r\nb\r\n", "10s"];
    assert_eq!(played[..8], first);
    assert_eq!(played[8..], [r"1\r\n\n\r\n", "12s", comment, "hang for 13s", "Close"]);
}

#[test]
fn a_keepalive_does_not_separate_cr_from_lf_and_counts_for_a_drop() {
    let played = play("@eol crlf\n@chunk 1 every 100ms\n@keepalive 40ms : k\na\n");
    let cr = played.iter().position(|entry| entry == r"1\r\n\r\r\n").unwrap();
    assert_eq!(played[cr + 1..cr + 3], ["200ms", r"1\r\n\n\r\n"]);
    let dropped = play("@keepalive 1s : k\n@drop after 5\na\n@hang\n");
    assert_eq!(dropped, [r"HEAD 2\r\na\n\r\n", "1s", r"4\r\n: k", "Close"]);
}

#[test]
fn every_ending_does_what_it_says() {
    assert_eq!(play("a\n@close\n"), [r"HEAD 2\r\na\n\r\n0\r\n\r\n", "Close"]);
    assert_eq!(play("a\n@drop\n"), [r"HEAD 2\r\na\n\r\n", "Close"]);
    assert_eq!(play("a\n@reset\n"), [r"HEAD 2\r\na\n\r\n", "Reset"]);
    assert_eq!(play("a\n@hang\n"), [r"HEAD 2\r\na\n\r\n", "hang for ever", "Close"]);
    assert_eq!(play("@drop\n"), ["Close"]);
    assert_eq!(play("@hang 1s\n"), ["hang for 1s", "Close"]);
    assert_eq!(play("@trailer X: y\na\n"), [r"HEAD 2\r\na\n\r\n0\r\nX: y\r\n\r\n", "KeepAlive"]);
}

#[test]
fn drop_after_cuts_a_chunk_at_that_byte() {
    assert_eq!(play("@drop after 5\nabc\n\ndef\n\n"), [r"HEAD 5\r\nabc\n\n", "Close"]);
    assert_eq!(play("@drop after 7\nabc\n\ndef\n\n"), [r"HEAD 5\r\nabc\n\n\r\n5\r\nde", "Close"]);
    assert_eq!(play("abc\n\n@drop after 2\nx\n"), [r"HEAD 5\r\nabc\n\n\r\n", "Close"]);
    assert_eq!(play("@drop after 9\nabc\n\n").last().unwrap(), "KeepAlive");
}

#[test]
fn a_random_wait_depends_on_the_seed_and_a_requested_wait_on_the_request() {
    let played = play("@sleep 1s..2s\na\n@sleep {{query:t}}\nb\n");
    assert_eq!(played, play("@sleep 1s..2s\na\n@sleep {{query:t}}\nb\n"));
    let wait: f64 = played[0].trim_end_matches('s').parse().unwrap();
    let then: f64 = played[2].trim_end_matches('s').parse().unwrap();
    assert!((1.0..=2.0).contains(&wait) && (then - wait - 2.0).abs() < 1e-6, "{wait} {then}");
}
