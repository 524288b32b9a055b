//! How the library's `EventSource` reads responses that are unusual, malformed, or never complete.

use super::support;
use super::{next, ok, pair, respond, run};
use rust_sse_server::ReadyState;
use std::time::{Duration, Instant};
use support::serve;

/// The first events that a source dispatches for this response.
fn dispatched(response: &[u8], count: usize) -> Vec<(String, String)> {
    let (url, _requests) = respond(vec![response.to_vec()]);
    let (source, events) = run(&url, &[]);
    let dispatched = (0..count).map(|_| next(&events)).collect();
    source.close();
    dispatched
}

#[test]
fn a_response_is_read_as_browsers_read_it() {
    let stream = "content-type: text/event-stream";
    let chunked = format!("{stream}\r\ntransfer-encoding: chunked");
    for response in [
        format!("HTTP/1.1 200 OK\n{stream}\n\ndata: x\n\n"),
        format!("HTTP/1.0 200 OK\r\n{stream}\r\n\r\ndata: x\n\n"),
        format!("HTTP/1.1 200\r\n{stream}\r\n\r\ndata: x\n\n"),
        format!("\r\n\r\nHTTP/1.1 200 OK\r\n{stream}\r\n\r\ndata: x\n\n"),
        format!("HTTP/1.1 200 OK\r\n{stream}\r\nTransfer-Encoding: identity\r\n\r\ndata: x\n\n"),
        format!("HTTP/1.1 200 OK\r\n{stream}\r\nContent-Length: 9\r\nContent-Length: 9\r\n\r\ndata: x\n\n"),
        format!("HTTP/1.1 200 OK\r\n{stream}\r\nContent-Length: 9, 9\r\n\r\ndata: x\n\n"),
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{stream}\r\n\r\ndata: x\n\n"),
        "HTTP/1.1 200 OK\r\nContent-Type:\r\n text/event-stream\r\n\r\ndata: x\n\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Type : text/event-stream\r\n\r\ndata: x\n\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{chunked}\r\nContent-Length: 3\r\n\r\n9\r\ndata: x\n\n\r\n0\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n{chunked}\r\n\r\n9  \r\ndata: x\n\n\r\n0\r\n\r\n"),
        format!("HTTP/1.1 200 OK\n{chunked}\n\n9\ndata: x\n\n\n0\n\n"),
        format!("HTTP/1.1 200 OK\r\n{chunked}\r\n\r\n9;a=b\r\ndata: x\n\n\r\n0\r\nA: b\r\n\r\n"),
        format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n{stream}\r\n\r\ndata: x\n\n"),
    ] {
        let expected = [pair("open", ""), pair("message", "x"), pair("error", "connection closed by server")];
        assert_eq!(dispatched(response.as_bytes(), 3), expected, "{response:?}");
    }
}

#[test]
fn a_response_that_cannot_be_read_is_an_error_that_says_why() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(30);
    for (response, reason) in [
        ("SSH-2.0-x\r\n\r\n", "no response: the response is not HTTP/1.1"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "no response: the transfer coding is not chunked",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "no response: invalid content-length",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Ty",
            "no response: the server closed the connection before the end of the head",
        ),
        (interim.as_str(), "no response: more than 20 interim responses"),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n",
            "unexpected content encoding `gzip` (expected none: it was not requested)",
        ),
    ] {
        assert_eq!(dispatched(response.as_bytes(), 1), [pair("error", reason)]);
    }
    let too_large = "HTTP/1.1 431 Request Header Fields Too Large\r\n\r\n";
    let reason = "unexpected status 431 (expected 200): the server accepts no last event ID as long as this";
    assert_eq!(dispatched(too_large.as_bytes(), 1), [pair("error", reason)]);
    let long = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(70_000));
    assert_eq!(
        dispatched(long.as_bytes(), 1),
        [pair("error", "no response: the response head is larger than 64 KiB")]
    );
}

#[test]
fn after_responses_that_cannot_be_parsed_the_wait_grows() {
    let malformed =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
        b\r\nretry: 100\n\r\nZZ\r\n";
    let (url, requests) = respond(vec![malformed.into(); 4]);
    let (source, events) = run(&url, &[]);
    let times: Vec<Instant> = (0..4)
        .map(|_| {
            requests.recv().unwrap();
            Instant::now()
        })
        .collect();
    for (pair, least) in times.windows(2).zip([100, 200, 400]) {
        let waited = pair[1] - pair[0];
        assert!(waited >= Duration::from_millis(least), "{waited:?} instead of {least} ms");
        assert!(waited < Duration::from_millis(2 * least), "{waited:?} instead of {least} ms");
    }
    assert_eq!(next(&events), pair("open", ""));
    assert_eq!(next(&events), pair("error", "connection lost: a chunk-size is not hexadecimal"));
    source.close();
}

#[test]
fn a_reconnection_goes_to_where_the_redirects_led() {
    let server = serve(
        "max",
        &[
            ("/old", b"@status 307\n@header Location: /new\n"),
            ("/new", b"@part connection 1\nretry: 10\nid: 1\n\n@part otherwise\n@status 204\n"),
        ],
    );
    let (source, events) = run(&server.url("/old"), &[]);
    assert_eq!(next(&events), pair("open", ""));
    assert_eq!(next(&events), pair("error", "connection closed by server"));
    assert_eq!(next(&events), pair("error", "status 204: the server has no more events"));
    assert_eq!(source.state(), ReadyState::Closed);
    let targets: Vec<String> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/old", "/new", "/new"]);
}

#[test]
fn an_event_without_an_end_closes_the_source() {
    let mut body = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: ".to_vec();
    body.resize(body.len() + (65 << 20), b'x');
    let (url, _requests) = respond(vec![body]);
    let (source, events) = run(&url, &[]);
    assert_eq!(next(&events), pair("open", ""));
    assert_eq!(next(&events), pair("error", "an event is larger than 64 MiB"));
    assert_eq!(source.state(), ReadyState::Closed);
}

#[test]
fn a_reconnection_time_of_2_to_the_64_milliseconds_is_as_good_as_forever() {
    let (url, _requests) = respond(vec![ok("retry: 18446744073709551616\n\ndata: x\n\n")]);
    let (source, events) = run(&url, &[]);
    assert_eq!(next(&events), pair("open", ""));
    assert_eq!(next(&events), pair("message", "x"));
    assert_eq!(next(&events), pair("error", "connection closed by server"));
    assert!(events.recv_timeout(Duration::from_millis(200)).is_err());
    assert_eq!(source.state(), ReadyState::Connecting);
    source.close();
}
