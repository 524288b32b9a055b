//! A server that judges clients over HTTP, and what a client sends to it.

use super::{eventually, request, Exchange, PATIENCE};
use rust_sse_server::{RunningServer, Server};

/// A server in this process that serves the test cases.
pub fn judging() -> RunningServer {
    Server::new().judge().start("127.0.0.1:0").unwrap()
}

/// The status code and the body of the response to a request without a body.
pub fn send(server: &RunningServer, method: &str, target: &str) -> (u16, String) {
    send_body(server, method, target, "")
}

/// The status code and the body of the response to a request.
pub fn send_body(server: &RunningServer, method: &str, target: &str, body: &str) -> (u16, String) {
    let bytes = request(method, target, &format!("Content-Length: {}\r\n", body.len())) + body;
    let exchange = Exchange::new(server.address(), bytes, PATIENCE);
    let status = exchange.head.split(' ').nth(1).unwrap_or_default().parse().unwrap_or(0);
    (status, String::from_utf8(exchange.wire).unwrap())
}

/// Waits until a case is decided: its verdict, what was expected, and what was received.
pub fn verdict(server: &RunningServer, client: &str, case: &str) -> (String, String, String) {
    let target = format!("/-/judge/report?client={client}&case={case}");
    let json = eventually(|| send(server, "GET", &target).1, |json| json.contains("\"verdict\""));
    (member(&json, "verdict"), member(&json, "expected"), member(&json, "got"))
}

/// The value of a member that is a string without escapes.
pub fn member(json: &str, name: &str) -> String {
    let value = json.split(&format!("\"{name}\":\"")).nth(1).unwrap_or_else(|| panic!("no {name} in {json}"));
    value.split('"').next().unwrap().to_owned()
}
