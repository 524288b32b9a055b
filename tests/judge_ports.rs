//! Test cases that need another port of the server: those about other origins, and those about refused connections.

mod support;

use rust_sse_server::RunningServer;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use support::judge::{judging, member, send, verdict};
use support::{field, request, Client, Exchange, PATIENCE};

/// The number of the port in a URL; 80 if it has none, as that of the request that it was made for.
fn port_in(url: &str) -> u16 {
    let authority = url.split('/').nth(2).unwrap();
    authority.split_once(':').map_or(80, |(_, port)| port.parse().unwrap())
}

/// Sends a request to another port of the server. Returns the head of the response.
fn send_to(server: &RunningServer, port: u16, target: &str, fields: &str) -> String {
    let address = (server.address().ip(), port).into();
    Exchange::new(address, request("GET", target, fields), PATIENCE).head
}

#[test]
fn a_case_on_other_origins_begins_at_another_port_to_which_other_requests_are_redirected() {
    let server = judging();
    let (_, json) = send(&server, "POST", "/-/judge/next?client=a&cases=H29");
    assert!(json.ends_with(",\"withCredentials\":true}\n"), "{json}");
    let url = member(&json, "url");
    let other = port_in(&url);
    assert!(other != 80 && other != server.address().port(), "{url}");
    let head = send_to(&server, server.address().port(), "/case/a/H29", "");
    assert!(head.starts_with("HTTP/1.1 307 "), "{head}");
    assert_eq!(field(&head, "location").unwrap(), url);
    // A client that is no browser cannot be judged.
    assert!(send_to(&server, other, "/case/a/H29", "").starts_with("HTTP/1.1 204 "));
    let reason = "the client sends no Origin, so CORS does not apply to it";
    assert_eq!(verdict(&server, "a", "H29"), ("not-reported".into(), String::new(), reason.into()));
    let (_, json) = send(&server, "POST", "/-/judge/next?client=a&cases=P08");
    assert!(json.ends_with(",\"withCredentials\":false}\n"), "{json}");
    assert_eq!(port_in(&member(&json, "url")), 80);
}

#[test]
fn web_pages_of_one_port_cannot_use_the_paths_of_the_server_at_another() {
    let server = judging();
    let other = port_in(&member(&send(&server, "POST", "/-/judge/next?client=a&cases=H28").1, "url"));
    let own = server.address().port();
    for (port, foreign) in [(own, other), (other, own)] {
        let from = |origin: u16| {
            let fields = format!("Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{origin}\r\n");
            let bytes = format!("GET /-/judge/results HTTP/1.0\r\n{fields}\r\n");
            let mut client = Client::connect((server.address().ip(), port).into());
            client.send(bytes).read_head()
        };
        assert!(from(port).starts_with("HTTP/1.1 200 "), "{port}");
        let head = from(foreign);
        assert!(head.starts_with("HTTP/1.1 403 ") && !head.contains("access-control"), "{head}");
    }
}

#[test]
fn cases_that_refuse_connections_have_separate_ports_and_are_not_judged_when_none_is_free() {
    let server = judging();
    let begin = |client: usize| {
        let (_, json) = send(&server, "POST", &format!("/-/judge/next?client={client}&cases=R13"));
        port_in(&member(&json, "url"))
    };
    let start = Instant::now();
    let mut ports: Vec<u16> = (0..8).map(begin).collect();
    for port in &ports {
        let is_open = TcpStream::connect((server.address().ip(), *port)).is_ok();
        // On a busy machine, the 3 s may be over by now.
        assert!(!is_open || start.elapsed() > Duration::from_secs(3), "{port}");
    }
    ports.sort_unstable();
    ports.dedup();
    assert!(ports.len() == 8 && !ports.contains(&80), "{ports:?}");
    // The ninth client is not judged, and its requests do not close the port of the server.
    assert_eq!(begin(8), 80);
    let reason = "too many test cases that refuse connections run at a time (limit 8)";
    assert_eq!(verdict(&server, "8", "R13"), ("not-reported".into(), String::new(), reason.into()));
    assert_eq!(send(&server, "GET", "/case/8/R13").0, 204);
    // A port is free again when its case is decided.
    assert_eq!(send(&server, "POST", "/-/judge/report?client=3&case=R13&ended").0, 204);
    assert_eq!(verdict(&server, "3", "R13").0, "fail");
    assert!(ports.contains(&begin(9)));
}

#[test]
fn a_report_contains_no_secrets_of_the_client() {
    let server = judging();
    let authorization = "Authorization: Bearer s3cret\r\n";
    let head = send_to(&server, server.address().port(), "/case/a/H16", authorization);
    let other = port_in(field(&head, "Location").unwrap());
    send_to(&server, other, "/case/a/H16", authorization);
    let (verdict, expected, got) = verdict(&server, "a", "H16");
    assert_eq!((verdict.as_str(), expected.as_str()), ("fail", "no header authorization"));
    assert_eq!(got, "header authorization (not shown)");
    let (_, json) = send(&server, "GET", "/-/judge/report?client=a");
    assert!(json.contains("Authorization: (not shown)") && !json.contains("s3cret"), "{json}");
}
