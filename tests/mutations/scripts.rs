//! Random scripts, and damaged real ones, through the parser and the player: every script is compiled or rejected with
//! a message for each error, every response ends, and where the [interpreter](super::interpreter) understands the
//! script, every write is the expected one at the expected time.

use super::interpreter::{interpret, Response};
use super::{choose, damage, try_cases};
use crate::support::{without_date, Random};
use rust_sse_server::internals::{ChunkedWriter, Clock, HeadReader, Player, RequestContext, WaitFor, Woken};
use rust_sse_server::{Script, Speed};
use std::cell::RefCell;
use std::io::{self, ErrorKind, Write};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant, SystemTime};

/// A write of the interpreter that is larger than this may be several of the player.
const GATHERED: usize = 4 * 1024;

/// The bytes of a response after which its client disconnects, and the waits and checks after which it does.
const MOST_BYTES: usize = 64 * 1024;
const MOST_STEPS: usize = 5_000;

/// What a player did.
struct Played {
    start: Instant,
    now: Instant,
    late: Duration,
    steps: usize,
    bytes: usize,
    most_bytes: usize,
    writes: Vec<(Duration, Vec<u8>)>,
}

/// The clock of a player, and the connection that it writes to. Time passes at once.
#[derive(Clone)]
struct Recorder(Rc<RefCell<Played>>);

impl Recorder {
    fn new(late: Duration, most_bytes: usize) -> Recorder {
        let start = Instant::now();
        let played = Played { start, now: start, late, steps: 0, bytes: 0, most_bytes, writes: Vec::new() };
        Recorder(Rc::new(RefCell::new(played)))
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut played = self.0.borrow_mut();
        assert!(!bytes.is_empty(), "an empty write");
        if played.bytes + bytes.len() > played.most_bytes {
            return Err(ErrorKind::BrokenPipe.into());
        }
        played.bytes += bytes.len();
        let time = played.now - played.start;
        played.writes.push((time, bytes.to_vec()));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Clock for Recorder {
    fn now(&self) -> Instant {
        self.0.borrow().now
    }
    fn system_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
    fn wait(&mut self, wait: WaitFor<'_>) -> io::Result<Woken> {
        if let Some(due) = wait.due() {
            self.check()?;
            let mut played = self.0.borrow_mut();
            played.now = played.now.max(due) + played.late;
        }
        Ok(Woken::Due)
    }
    fn check(&mut self) -> io::Result<()> {
        self.0.borrow_mut().steps += 1;
        if self.0.borrow().steps > MOST_STEPS {
            return Err(ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

/// How a script is played: to whom, and how fast.
struct Audience<'a> {
    request: &'a str,
    request_number: u64,
    speed: Speed,
    late: Duration,
    most_bytes: usize,
}

const PLAIN: Audience<'_> = Audience {
    request: "GET /test HTTP/1.1\r\nHost: test\r\n\r\n",
    request_number: 1,
    speed: Speed::NORMAL,
    late: Duration::ZERO,
    most_bytes: MOST_BYTES,
};

/// What is sent; `None` if no part answers the request or its values cannot be sent.
fn play(script: &Script, audience: &Audience<'_>) -> Option<Response> {
    let mut reader = HeadReader::default();
    reader.push(audience.request.as_bytes()).unwrap();
    let options = reader.response_options();
    let request = reader.finish().unwrap();
    let context = RequestContext {
        request: &request,
        body: b"{\"stream\":true,\"n\":\"3\"}",
        ip: Ipv4Addr::LOCALHOST.into(),
        request_number: audience.request_number,
        after: (audience.request_number > 1).then_some(Duration::from_millis(500)),
        visit: None,
        open_clients: &AtomicUsize::new(1),
        other_port: None,
        reuses_connection: false,
        scripts: None,
        random: &rust_sse_server::internals::Random::new(1, 1),
    };
    let part = script.part(context)?;
    let start = part.start(context)?;
    let head = part.response_head(context, options).ok()?;
    let text = String::from_utf8_lossy(&head.bytes);
    let text = if audience.request == PLAIN.request { without_date(&text) } else { text.into_owned() };
    let recorder = Recorder::new(audience.late, audience.most_bytes);
    let body = ChunkedWriter::new(recorder.clone(), head.framing);
    let player = Player::new(context, text.clone().into_bytes(), body, recorder.clone(), audience.speed);
    let end = player.play(part, start);
    let writes = std::mem::take(&mut recorder.0.borrow_mut().writes);
    let after = end.as_ref().map_or(String::new(), |after| format!("{after:?}"));
    Some(Response { head: text, writes, after, is_cut_off: end.is_err() })
}

/// Bytes of writes that happen at the same time are joined, unless they are separate on purpose.
fn compare(script: &[u8], mut expected: Response, mut played: Response) {
    if expected.writes.iter().any(|(_, bytes)| bytes.len() > GATHERED)
        || expected.is_cut_off
        || played.is_cut_off
    {
        join(&mut expected.writes);
        join(&mut played.writes);
    }
    if !(expected.is_cut_off || played.is_cut_off) {
        assert_eq!(text_of(&played), text_of(&expected), "{}", script.escape_ascii());
        return;
    }
    // One of them has a limit that the other does not have.
    let count = expected.writes.len().min(played.writes.len());
    for (number, ((at, bytes), (then, other))) in expected.writes.iter().zip(&played.writes).enumerate() {
        let is_last = number + 1 == count;
        let length = if is_last { bytes.len().min(other.len()) } else { bytes.len().max(other.len()) };
        let same = at == then && bytes.get(..length) == other.get(..length) && bytes.get(..length).is_some();
        assert!(
            same,
            "write {number} of {}: {}, {}",
            script.escape_ascii(),
            bytes.escape_ascii(),
            other.escape_ascii()
        );
    }
}

fn join(writes: &mut Vec<(Duration, Vec<u8>)>) {
    let mut joined: Vec<(Duration, Vec<u8>)> = Vec::new();
    for (time, bytes) in writes.drain(..) {
        match joined.last_mut() {
            Some((last, before)) if *last == time => before.extend_from_slice(&bytes),
            _ => joined.push((time, bytes)),
        }
    }
    *writes = joined;
}

fn text_of(response: &Response) -> Vec<String> {
    let write = |(time, bytes): &(Duration, Vec<u8>)| format!("{time:?} {}", bytes.escape_ascii());
    response.writes.iter().map(write).chain([response.after.clone()]).collect()
}

/// A line that the interpreter understands, unless loops are not closed or nothing may follow.
fn simple_line(random: &mut Random, script: &mut Vec<u8>, loops: &mut usize) {
    let time = |random: &mut Random| choose(random, &["0s", "1ms", "20ms", "1s", "3s", "2m", "8760h"]);
    let line = match random.below(26) {
        0..=5 => {
            choose(random, &["data: a", "id: 1", ":", "data: \u{20AC}", "event: x\rdata: y", "@@x", "x\r"])
                .to_owned()
        }
        6..=9 => String::new(),
        10 => "\r\r".to_owned(),
        11 => format!("@sleep {}", time(random)),
        12..=13 => {
            let text = choose(
                random,
                &[
                    "b",
                    "\\r",
                    "\\n",
                    "\\n\\n",
                    "c\\r\\n\\s",
                    "\\r\\n\\r\\n",
                    "id: 2\\n",
                    "\\xff\\0",
                    "{{i}}",
                    " \\\\",
                ],
            );
            if text.contains("{{") {
                format!("@literal on\n@send {text}\n@literal off")
            } else {
                format!("@send {text}")
            }
        }
        14 => "@cut".to_owned(),
        15..=16 => match random.below(5) {
            0 => format!("@chunk {} every {}", 1 + random.below(9), time(random)),
            1 => format!("@chunk {}", 1 + random.below(9)),
            _ => format!("@chunk {}", choose(random, &["event", "line", "whole"])),
        },
        17 => format!("@eol {}", choose(random, &["keep", "lf", "crlf", "cr"])),
        18..=19 => {
            *loops += 1;
            match random.below(3) {
                0 => format!("@repeat {} every {}", 1 + random.below(4), time(random)),
                _ => format!("@repeat {}", 1 + random.below(4)),
            }
        }
        20 if *loops > 0 => {
            *loops -= 1;
            "@again".to_owned()
        }
        20 => "@open".to_owned(),
        21 if *loops > 0 => "data: {{i}}".to_owned(),
        21 => "data: {{unknown}".to_owned(),
        22 => format!("@fill {} {}", random.below(40), choose(random, &["", "y"])),
        23 => choose(random, &["@clock", "@# x", "@wire ZZ\\r\\n", "@open"]).to_owned(),
        24 if random.below(4) == 0 => format!("@drop after {}", random.below(60)),
        24 => format!("@literal {}", choose(random, &["on", "off"])),
        _ if random.below(8) == 0 => format!("@fill {}", 900 + random.below(2_000)),
        _ => "data: last".to_owned(),
    };
    script.extend_from_slice(line.as_bytes());
    script.extend_from_slice(choose(random, &[&b"\n"[..], b"\n", b"\n", b"\r\n"]));
}

/// A script of the directions that the interpreter understands.
fn simple_script(random: &mut Random) -> Vec<u8> {
    let mut script = Vec::new();
    let framing = ["", "", "@framing close", "@framing length", "@framing length 40", "@framing chunked"];
    script.extend_from_slice(choose(random, &framing).as_bytes());
    script.push(b'\n');
    if random.below(2) == 0 {
        script.clear();
    }
    let mut loops = 0;
    for _ in 0..random.below(16) {
        simple_line(random, &mut script, &mut loops);
    }
    for _ in 0..loops {
        script.extend_from_slice(b"data: end of turn\n@again\n");
    }
    let ends = [
        "",
        "",
        "x",
        "\n\n",
        "@end\n",
        "@close",
        "@drop\n\n",
        "@reset",
        "@hang\n",
        "@repeat forever\ndata: {{i}}\n\n@again\n\n",
        "@repeat forever every 1s\n@sleep 10ms\nx\n@again",
    ];
    script.extend_from_slice(choose(random, &ends).as_bytes());
    script
}

/// Lines with every direction, some of them with a mistake.
const DIRECTIONS: &str = include_str!("directions.txt");

/// A script that uses everything, or one that is built in, with some damage.
fn damaged_script(random: &mut Random, real: &[Vec<u8>]) -> Vec<u8> {
    let lines: Vec<&[u8]> = DIRECTIONS.lines().map(str::as_bytes).collect();
    let mut script = match random.below(4) {
        0 => real[random.below(real.len())].clone(),
        1 => simple_script(random),
        _ => Vec::new(),
    };
    for _ in 0..random.below(12) {
        let line = [choose(random, &lines), b"\n"].concat();
        let starts: Vec<usize> = script.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len).collect();
        let at: usize = starts.iter().take(random.below(starts.len() + 1)).sum();
        script.splice(at..at, line);
    }
    let insertions: &[&[u8]] = &[
        b"\n",
        b"\r",
        b"\n\n",
        b"@",
        b"@@",
        b"{{",
        b"}}",
        b"{{i}}",
        b"{{i",
        b"\\",
        b"\\x",
        b"\0",
        b"\xFF",
        b" ",
        b"..",
        b"99999999999999999999",
        b"0",
        b"\"",
    ];
    if random.below(3) > 0 {
        damage(random, &mut script, 6, insertions);
    }
    script
}

/// The built-in scripts and the test cases for clients.
fn real_scripts() -> Vec<Vec<u8>> {
    let folders = ["src/scripts", "src/cases"].map(|folder| std::fs::read_dir(folder).unwrap());
    let mut paths: Vec<_> = folders.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn assert_errors_have_lines(errors: &str, script: &[u8]) {
    let lines = script.split_inclusive(|byte| *byte == b'\n').count().max(1);
    for error in errors.lines() {
        let line = error.strip_prefix("/test:").and_then(|rest| rest.split(':').next());
        let line: usize = line.and_then(|line| line.parse().ok()).unwrap_or_default();
        let is_plain = error.chars().all(|c| !c.is_control());
        assert!((1..=lines).contains(&line) && is_plain, "{error:?} about {}", script.escape_ascii());
    }
}

/// Parts of the messages about mistakes that the interpreter does not look for.
const NOT_INTERPRETED: [&str; 2] = [": this file is UTF-16 (", ": duplicate direction (first on line "];

/// Somebody who asks for anything, at any speed, and may disconnect at any byte.
fn any_audience(random: &mut Random) -> Audience<'static> {
    let requests = [
        PLAIN.request,
        "GET /test?n=3&t=20ms&q=%00a+b HTTP/1.1\r\nHost: test\r\nLast-Event-ID: 1\r\nOrigin: null\r\nCookie: n=1\r\n\r\n",
        "GET /test?n=99999999999999999999 HTTP/1.0\r\nLast-Event-ID: 99999999999999999999\r\n\r\n",
        "POST /test HTTP/1.1\r\nHost: test\r\nConnection: close\r\nX-N: 7\r\nAuthorization: \u{E9}\r\n\r\n",
        "HEAD /test?lastEventId=2 HTTP/1.1\r\nHost: test\r\n\r\n",
    ];
    Audience {
        request: choose(random, &requests),
        request_number: 1 + random.below(4) as u64,
        speed: choose(random, &["1", "max", "0.001", "1000000"]).parse().unwrap(),
        late: Duration::from_micros([0, 0, 7, 3_000_000][random.below(4)]),
        most_bytes: [MOST_BYTES, random.below(2_000)][random.below(2)],
    }
}

#[test]
fn scripts_are_played_as_the_interpreter_says_and_none_panics_or_runs_forever() {
    let real = real_scripts();
    let (mut scripts, mut compiled, mut compared) = (0, 0, 0);
    try_cases(1, |random| {
        let is_simple = random.below(2) == 0;
        let text = if is_simple { simple_script(random) } else { damaged_script(random, &real) };
        let expected = interpret(&text);
        scripts += 1;
        let script = match Script::parse("/test", &text) {
            Ok(script) => script,
            Err(error) => {
                let text_of_error = error.to_string();
                let is_unknown = NOT_INTERPRETED.iter().any(|part| text_of_error.contains(part));
                assert!(expected.is_none() || is_unknown, "{error} about {}", text.escape_ascii());
                return assert_errors_have_lines(&error.to_string(), &text);
            }
        };
        compiled += 1;
        if let Some(expected) = expected {
            compared += 1;
            let played = play(&script, &PLAIN).unwrap();
            assert_eq!(played.head, expected.head, "{}", text.escape_ascii());
            compare(&text, expected, played);
        }
        for _ in 0..2 {
            play(&script, &any_audience(random));
        }
    });
    println!("{scripts} scripts, {compiled} of them compiled, {compared} compared with the interpreter");
    assert!(
        scripts < 100 || (compared > scripts / 4 && compiled < scripts),
        "{compared} of {scripts} compared"
    );
}
