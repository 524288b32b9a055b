//! How long the server waits for a client. Every limit is 10 s, which is how long the cases take.

use crate::support::{demo, eventually, request, serve, Client, Exchange, PATIENCE};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// On a busy machine, it can be some seconds more.
fn assert_about_10_s(start: Instant) {
    let taken = start.elapsed();
    assert!((9_900..14_000).contains(&taken.as_millis()), "{taken:?}");
}

/// Scripts that send more than the buffers of both sockets hold: in several writes, and in one.
const ENDLESS: [(&str, &[u8]); 2] = [("/filler", b"@fill 24M x\n"), ("/literal", &[b'x'; ENDLESS_BYTES])];
const ENDLESS_BYTES: usize = 24 << 20;

pub fn a_client_that_sends_nothing_gets_408_after_10_s() {
    let server = demo("max");
    let start = Instant::now();
    let mut client = Client::connect(server.address());
    let (head, body) = client.read_answer();
    assert!(head.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{head}");
    assert_eq!(body, "408 Request Timeout: the request took longer than 10 s\n");
    client.assert_closed();
    assert_about_10_s(start);
}

pub fn sending_a_head_slowly_does_not_extend_its_time_limit() {
    let server = demo("max");
    let start = Instant::now();
    let mut client = Client::connect(server.address());
    client.send("GET /events HTTP/1.1\r\nX: ");
    for _ in 0..19 {
        sleep(Duration::from_millis(500));
        client.send("x");
    }
    assert!(client.read_answer().0.starts_with("HTTP/1.1 408 "));
    assert_about_10_s(start);
}

pub fn an_incomplete_body_is_408_after_10_s() {
    let server = demo("max");
    let start = Instant::now();
    let mut client = Client::connect(server.address());
    client.get("/events", "Content-Length: 3\r\n").send("ab");
    assert!(client.read_answer().0.starts_with("HTTP/1.1 408 "));
    assert_about_10_s(start);
}

pub fn an_idle_connection_is_closed_without_a_response_after_10_s() {
    let server = serve("max", &[("/a", b"data: a\n\n")]);
    let mut client = Client::connect(server.address());
    client.get("/a", "").read_until("\r\n0\r\n\r\n");
    let start = Instant::now();
    client.assert_closed();
    assert_about_10_s(start);
}

pub fn a_request_on_an_idle_connection_has_a_new_time_limit() {
    let server = serve("max", &[("/a", b"data: a\n\n")]);
    let mut client = Client::connect(server.address());
    client.get("/a", "").read_until("\r\n0\r\n\r\n");
    sleep(Duration::from_secs(6));
    client.send("GET /a HTTP/1.1\r\n");
    sleep(Duration::from_secs(6));
    client.send("Host: test\r\n\r\n");
    assert!(client.read_head().starts_with("HTTP/1.1 200 OK\r\n"));
}

pub fn a_client_that_reads_nothing_is_disconnected_after_10_s() {
    let server = serve("max", &[ENDLESS[0], ENDLESS[1], ("/open", b"{{open}}\n")]);
    let open = || Exchange::new(server.address(), request("GET", "/open", ""), PATIENCE).data().0;
    let start = Instant::now();
    let mut clients: Vec<Client> = ENDLESS.iter().map(|_| Client::connect(server.address())).collect();
    for (client, (path, _)) in clients.iter_mut().zip(ENDLESS) {
        client.get(path, "");
    }
    assert_eq!(open(), b"3\n");
    eventually(open, |open| open == b"1\n");
    assert_about_10_s(start);
    for client in &mut clients {
        let (bytes, _) = client.read_to_any_end();
        assert!(bytes.len() < ENDLESS_BYTES && !bytes.ends_with(b"0\r\n\r\n"), "{} bytes", bytes.len());
    }
}

pub fn a_client_that_reads_slowly_is_served_to_the_end() {
    let server = serve("max", &ENDLESS);
    let mut clients: Vec<Client> = ENDLESS.iter().map(|_| Client::connect(server.address())).collect();
    for (client, (path, _)) in clients.iter_mut().zip(ENDLESS) {
        client.get(path, "Connection: close\r\n");
    }
    let start = Instant::now();
    let mut arrived = [0, 0];
    while start.elapsed() < Duration::from_secs(14) {
        for (client, arrived) in clients.iter_mut().zip(&mut arrived) {
            *arrived += client.read_some(32 * 1024);
        }
        sleep(Duration::from_millis(500));
    }
    for (client, arrived) in clients.iter_mut().zip(arrived) {
        let (rest, _) = client.read_to_any_end();
        assert!(arrived + rest.len() > ENDLESS_BYTES, "{arrived} and {} bytes arrived", rest.len());
        assert!(rest.ends_with(b"0\r\n\r\n"));
    }
}
