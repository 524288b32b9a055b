//! Twenty thousand requests with random damage: each gets a response or a close, and the server neither stops nor panics.

mod support;

use support::{Client, Program, Random, DEMO_HEAD};

const GOOD: [&str; 6] = [
    "GET /events HTTP/1.1\r\nHost: localhost:8080\r\nAccept: text/event-stream\r\nLast-Event-ID: 7\r\n\r\n",
    "POST /events HTTP/1.1\r\nHost: [::1]:8080\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nWiki\r\n0\r\nX: y\r\n\r\n",
    "GET http://localhost/events?a=b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\nConnection: close\r\n\r\n",
    "HEAD /%65vents HTTP/1.0\r\n\r\n",
    "\r\nGET /nothing HTTP/1.1\r\nHost:\r\n\r\nGET /events HTTP/1.1\r\nHost:\r\n\r\n",
];

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
    b"\xFF",
    b"/",
    b"%",
    b";",
    b",",
    b"0",
    b"f",
    b"-",
    b"HTTP/",
];

fn mutated(random: &mut Random) -> Vec<u8> {
    let mut bytes = GOOD[random.below(GOOD.len())].as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes[at] = random.below(256) as u8,
            1 => bytes.truncate(at + 1),
            2 => drop(bytes.remove(at)),
            3 => {
                let copy = bytes[at..(at + random.below(60)).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => drop(bytes.splice(at..at, INSERTIONS[random.below(INSERTIONS.len())].iter().copied())),
        }
        if bytes.is_empty() {
            bytes.push(b'G');
        }
    }
    bytes
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
