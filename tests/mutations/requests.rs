//! Damaged requests: each gets a response or a close from a server that neither stops nor panics, and the parsers of heads
//! and bodies come to the same result wherever the input is cut.

use super::{cut, damage, try_cases};
use crate::support::{Client, Program, Random, DEMO_HEAD};
use rust_sse_server::internals::{BodyReader, HeadReader, Progress};

const GOOD: [&str; 6] = [
    "GET /events HTTP/1.1\r\nHost: localhost:8080\r\nAccept: text/event-stream\r\nLast-Event-ID: 7\r\n\r\n",
    "POST /events HTTP/1.1\r\nHost: [::1]:8080\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nWiki\r\n0\r\nX: y\r\n\r\n",
    "GET http://localhost/events?a=b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\nConnection: close\r\n\r\n",
    "HEAD /%65vents HTTP/1.0\r\n\r\n",
    "\r\nGET /nothing HTTP/1.1\r\nHost:\r\n\r\nGET /events HTTP/1.1\r\nHost:\r\n\r\n",
];

/// The largest body that is accepted, in bytes.
const MAX_BODY: u64 = 1 << 20;

/// The bytes that damage inserts: they mean something to a parser.
const INSERTIONS: &[&[u8]] = &[
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b":",
    b"\0",
    b"\x01",
    b"\x7F",
    b"\xFF",
    b"/",
    b"%",
    b"?",
    b"#",
    b"@",
    b";",
    b",",
    b"0",
    b"f",
    b"-",
    b"HTTP/",
    b"HTTP/1.0",
    b"Host: x\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"Origin: null\r\n",
    b"Connection: keep-alive, close\r\n",
];

fn mutated(random: &mut Random) -> Vec<u8> {
    let mut bytes = GOOD[random.below(GOOD.len())].as_bytes().to_vec();
    damage(random, &mut bytes, 5, INSERTIONS);
    bytes
}

/// Makes a request that comes near a limit: its target, a field line, or their number is large.
fn enlarge(random: &mut Random, request: &mut Vec<u8>) {
    let at = random.below(request.len() + 1);
    let length = [7 << 10, 8 << 10, 16 << 10, 17 << 10][random.below(4)] + random.below(200);
    let filler = match random.below(3) {
        0 => vec![b'a'; length],
        1 => b"X: y\r\n".repeat(90 + random.below(20)),
        _ => b"\r\n".repeat(length / 2),
    };
    request.splice(at..at, filler);
}

/// What is being received on a connection.
enum Receiving {
    Head(HeadReader),
    Body(BodyReader, Vec<u8>),
}

/// What the next bytes of a connection complete.
enum Step {
    Nothing,
    /// This many bytes complete what is described here, and the next thing is received.
    Complete(usize, String, Receiving),
    Error(String),
}

impl Receiving {
    fn push(&mut self, bytes: &[u8]) -> Step {
        match self {
            Receiving::Head(head) => push_head(head, bytes),
            Receiving::Body(reader, body) => {
                match reader.push(bytes, &mut |data| body.extend_from_slice(data)) {
                    Ok(Progress::More) => Step::Nothing,
                    Ok(Progress::Done(used)) => {
                        let found = format!("body {}", body.escape_ascii());
                        Step::Complete(used, found, Receiving::Head(HeadReader::default()))
                    }
                    Err(error) => Step::Error(format!("body {} {error:?}", body.escape_ascii())),
                }
            }
        }
    }
}

fn push_head(head: &mut HeadReader, bytes: &[u8]) -> Step {
    let progress = match head.push(bytes) {
        Ok(Progress::More) => return Step::Nothing,
        progress => progress,
    };
    let mut options = head.response_options();
    let received = head.received();
    let request = progress.and_then(|progress| {
        let request = head.finish()?;
        let reader = BodyReader::new(request.body, MAX_BODY)?;
        Ok((progress, request, reader))
    });
    match request {
        Ok((Progress::Done(used), request, reader)) => {
            let found = format!("{} {:?} {options:?}", request.head().escape_ascii(), request.body);
            Step::Complete(used, found, Receiving::Body(reader, Vec::new()))
        }
        Ok((Progress::More, ..)) => Step::Nothing,
        Err(error) => {
            // The connection is closed after every error.
            options.close = true;
            let received = received.map(|request| request.head().escape_ascii().to_string());
            Step::Error(format!("{error:?} {options:?} {received:?}"))
        }
    }
}

/// Everything that the parsers find in `pieces`: requests, bodies, and an error at the end or what is incomplete.
fn receive<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let mut found = Vec::new();
    let mut receiving = Receiving::Head(HeadReader::default());
    for piece in pieces {
        let mut rest = piece;
        loop {
            match receiving.push(rest) {
                Step::Nothing => break,
                Step::Complete(used, description, next) => {
                    found.push(description);
                    rest = &rest[used..];
                    receiving = next;
                }
                Step::Error(description) => {
                    found.push(description);
                    return found;
                }
            }
        }
    }
    found.push(match receiving {
        Receiving::Head(head) => {
            let received = head.received().map(|request| request.head().escape_ascii().to_string());
            format!("incomplete {received:?} {:?}", head.response_options())
        }
        Receiving::Body(_, body) => format!("incomplete body {}", body.escape_ascii()),
    });
    found
}

#[test]
fn a_damaged_request_is_received_the_same_wherever_it_is_cut() {
    let (mut requests, mut errors) = (0, 0);
    try_cases(5, |random| {
        let mut input = mutated(random);
        if random.below(20) == 0 {
            enlarge(random, &mut input);
        }
        let whole = receive([&input[..]]);
        // A head is checked again for each of its pieces, so single bytes of a large one would take long.
        let smallest = 1 + input.len() / 1000;
        assert_eq!(receive(input.chunks(smallest)), whole, "{}", input.escape_ascii());
        assert_eq!(receive(cut(random, &input)), whole, "{}", input.escape_ascii());
        requests += 1;
        errors += usize::from(whole.last().map_or(false, |last| last.contains("RequestError")));
    });
    println!("{requests} damaged requests, {errors} of them rejected");
}

#[test]
fn the_server_survives_twenty_thousand_damaged_requests() {
    let program = Program::start(&["--speed", "max"]);
    let address = program.address;
    let workers = (0..2).map(|seed| {
        std::thread::spawn(move || {
            let mut random = Random(seed);
            let mut responses = 0;
            for _ in 0..10_000 {
                let mut client = Client::connect(address);
                client.send(mutated(&mut random)).half_close();
                let (response, _) = client.read_to_any_end();
                responses += usize::from(!response.is_empty());
                assert!(
                    response.is_empty() || response.starts_with(b"HTTP/1.1 "),
                    "{}",
                    response.escape_ascii()
                );
            }
            assert!(responses > 9_000, "only {responses} of 10,000 got a response");
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.join().unwrap();
    }
    assert_eq!(Client::connect(address).get("/events", "").read_head(), DEMO_HEAD);
    assert_eq!(program.end(), "", "unexpected output on stderr");
}
