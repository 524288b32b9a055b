//! How the library's `EventSource` reads responses that are unusual, malformed, or never complete.

use super::support;
use super::{next, ok, pair, respond, run};
use rust_sse_server::{EventSource, ReadyState};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{channel, Sender};
use std::thread;
use std::time::{Duration, Instant};
use support::{serve, PATIENCE};

/// The first events that a source dispatches for this response.
fn dispatched(response: &[u8], count: usize) -> Vec<(String, String)> {
    let (url, _requests) = respond(vec![response.to_vec()]);
    let (source, events) = run(&url, &[]);
    let dispatched = (0..count).map(|_| next(&events)).collect();
    source.close();
    dispatched
}

/// A server that sends this response on the first connection and reads nothing from the second, which it keeps open until
/// the sender is dropped.
fn respond_then_hold(response: Vec<u8>) -> (String, Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (sender, dropped) = channel();
    thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        first.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = [0; 1024];
        assert!(first.read(&mut request).unwrap() > 0);
        first.write_all(&response).unwrap();
        drop(first);
        let _second = listener.accept().unwrap();
        let _ = dropped.recv_timeout(PATIENCE);
    });
    (url, sender)
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
        format!("HTTP/1.1 200 OK\r\n{chunked}\r\n\r\n9 ;\r\ndata: x\n\n\r\n0;=\r\nno colon\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n{stream}\r\nContent-Type:\r\n\r\ndata: x\n\n"),
        "HTTP/1.1 200 OK\r\nContent-Type: text/html, text/event-stream\r\n\r\ndata: x\n\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{stream};charset=\"a,b\"\r\n\r\ndata: x\n\n"),
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
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: identity, br\r\n\
             Content-Encoding: identity\r\n\r\n",
            "unexpected content encoding `br` (expected none: it was not requested)",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Type: text/html\r\n\r\n",
            "unexpected content type `text/html` (expected text/event-stream)",
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", "the response has no content type (expected text/event-stream)"),
        ("HTTP/1.1 431 Too Large\r\n\r\n", "unexpected status 431 (expected 200)"),
    ] {
        assert_eq!(dispatched(response.as_bytes(), 1), [pair("error", reason)]);
    }
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
        assert!(waited < Duration::from_millis(2 * least + 300), "{waited:?} instead of {least} ms");
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
fn authorization_is_sent_again_and_not_to_another_origin() {
    let back =
        b"@part query back\n@status 307\n@header Location: {{query:back}}\n@part otherwise\n@status 204\n";
    let other = serve("max", &[("/other", back)]);
    let location = format!("@part connection 3\n@status 307\n@header Location: {}\n", other.url("/other"));
    let script = format!(
        "@part connection 1\nretry: 10\n\n@part connection 2\n@status 307\n@header Location: ?b\n{location}"
    );
    let server = serve("max", &[("/a", script.as_bytes())]);
    let source = EventSource::new(&server.url("/a")).unwrap();
    let error = source.set_authorization("Bearer a\r\nX: b").unwrap_err();
    assert_eq!(error.kind(), rust_sse_server::ErrorKind::InvalidArgument);
    assert!(!error.to_string().contains("Bearer"), "{error}");
    source.set_authorization("Bearer a").unwrap();
    source.run();
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert!(
        requests.iter().all(|request| request.header("authorization") == Some("Bearer a")),
        "{requests:?}"
    );
    assert_eq!(other.requests()[0].header("authorization"), None);

    // The other origin redirects to a path of its choice at the first one, and the source reconnects there.
    let last = serve(
        "max",
        &[("/last", b"@part connection 1\nretry: 10\n\n@part otherwise\n@status 204\n"), ("/first", b"")],
    );
    drop(last.requests());
    let first =
        format!("@status 307\n@header Location: {}?back={}\n", other.url("/other"), last.url("/last"));
    last.set_script(rust_sse_server::Script::parse("/first", &first).unwrap()).unwrap();
    let source = EventSource::new(&last.url("/first")).unwrap();
    source.set_authorization("Bearer a").unwrap();
    source.run();
    let sent: Vec<Option<String>> =
        last.requests().iter().map(|request| request.header("authorization").map(str::to_owned)).collect();
    assert_eq!(sent, [Some("Bearer a".to_owned()), None, None]);
}

#[test]
fn an_event_without_an_end_closes_the_source() {
    const MEBIBYTE: usize = 1 << 20;
    let field = |name: &str, size: usize| format!("{name}: {}\n", "x".repeat(size));
    for body in [
        format!("data: {}", "x".repeat(17 * MEBIBYTE)),
        format!(": {}", "x".repeat(17 * MEBIBYTE)),
        field("data", MEBIBYTE).repeat(17),
        // None of these lines is too long, but together they are.
        [field("id", 6 * MEBIBYTE), field("event", 6 * MEBIBYTE), field("data", 6 * MEBIBYTE)].concat(),
    ] {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        let (url, _requests) = respond(vec![format!("{head}{body}").into()]);
        let (source, events) = run(&url, &[]);
        assert_eq!(next(&events), pair("open", ""));
        assert_eq!(next(&events), pair("error", "an event is larger than 16 MiB"), "{}", &body[..9]);
        assert_eq!(source.state(), ReadyState::Closed);
    }
}

#[test]
fn a_long_stream_may_have_an_extension_in_every_chunk() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("9;signature={}\r\ndata: x\n\n\r\n", "0".repeat(64));
    let (url, _requests) = respond(vec![format!("{head}{}0\r\n\r\n", chunk.repeat(1000)).into()]);
    let (source, events) = run(&url, &[]);
    assert_eq!(next(&events), pair("open", ""));
    for _ in 0..1000 {
        assert_eq!(next(&events), pair("message", "x"));
    }
    assert_eq!(next(&events), pair("error", "connection closed by server"));
    source.close();
}

#[test]
fn a_last_event_id_that_is_too_long_for_the_server_is_in_the_reason() {
    let script = format!("retry: 10\nid: {}\ndata: x\n\n", "7".repeat(20_000));
    let server = serve("max", &[("/long", script.as_bytes())]);
    let (source, events) = run(&server.url("/long"), &[]);
    assert_eq!(next(&events), pair("open", ""));
    assert_eq!(next(&events), pair("message", "x"));
    assert_eq!(next(&events), pair("error", "connection closed by server"));
    let reason = "unexpected status 431 (expected 200): the request has a last event ID of 20000 bytes";
    assert_eq!(next(&events), pair("error", reason));
    assert_eq!(source.state(), ReadyState::Closed);
}

#[test]
fn a_server_that_does_not_read_the_request_is_given_up() {
    // More than the buffers of the system hold.
    let id = "7".repeat(15 << 20);
    let (url, held) = respond_then_hold(ok(&format!("retry: 10\nid: {id}\n\n")));
    let source = EventSource::new(&url).unwrap();
    source.set_idle_timeout(Some(Duration::from_millis(300)));
    let reasons: Vec<_> = source.events().unwrap().take(3).map(|event| event.data).collect();
    assert_eq!(reasons[2].as_deref(), Some("no response: timed out waiting for the server"));
    drop(held);
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
