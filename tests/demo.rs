//! The bytes that `GET /events` puts on the wire.

mod support;

use support::{chunk, demo, step, Client, DEMO_HEAD, GREETING};

#[test]
fn the_response_is_exactly_these_bytes() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    client.get("/events", "");
    assert_eq!(client.read_head(), DEMO_HEAD);
    assert_eq!(client.read_until("data: test\n\n\r\n"), chunk(GREETING));
    for n in 1..=15 {
        assert_eq!(client.read_chunk(), step(n, "0"));
    }
    assert_eq!(client.read_exactly(5), "0\r\n\r\n");
}

#[test]
fn the_greeting_is_one_chunk_of_159_bytes() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    client.get("/events", "").read_head();
    assert_eq!(client.read_until("\r\n"), "9f\r\n");
    assert_eq!(client.read_exactly(0x9f), GREETING);
}

#[test]
fn the_date_is_an_imf_fixdate() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    let head = client.get("/events", "").read_until("\r\n\r\n");
    let date = support::field(&head, "date").unwrap();
    let shape: String = date
        .chars()
        .map(|c| match c {
            '0'..='9' => '0',
            'A'..='Z' => 'A',
            'a'..='z' => 'a',
            _ => c,
        })
        .collect();
    assert_eq!(shape, "Aaa, 00 Aaa 0000 00:00:00 AAA");
}

#[test]
fn the_connection_is_kept_for_the_next_request() {
    let server = demo("max");
    let mut client = Client::connect(server.address());
    let first = client.get("/events", "").read_until("\r\n0\r\n\r\n");
    let second = client.get("/events", "").read_until("\r\n0\r\n\r\n");
    assert_eq!(support::without_date(&first), support::without_date(&second));
}
