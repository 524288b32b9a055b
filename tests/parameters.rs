//! Parameters of a request that change its response, such as `?-drop=512`, if clients may control the server.

mod support;

use rust_sse_server::{RunningServer, Script, Server};
use std::time::Duration;
use support::{request, Exchange, PATIENCE};

/// A server that clients may control, with these scripts.
fn serve(scripts: &[(&str, &str)]) -> RunningServer {
    let add = |server: Server, (path, text): &(&str, &str)| server.script(Script::parse(path, text).unwrap());
    scripts.iter().fold(Server::empty().control(), add).start("127.0.0.1:0").unwrap()
}

fn get(server: &RunningServer, target: &str) -> Exchange {
    Exchange::new(server.address(), request("GET", target, ""), PATIENCE)
}

/// A script that begins like a captured one.
const CAPTURE: &str =
    "@literal on\n@chunk whole\n@status 200 OK\nid: 1\ndata: {{i}}\n\n@sleep 1ms\nid: 2\ndata: b\n\n";
const BODY: &str = "id: 1\ndata: {{i}}\n\nid: 2\ndata: b\n\n";

#[test]
fn each_parameter_replaces_its_direction() {
    let server = serve(&[("/a", CAPTURE)]);
    assert_eq!(get(&server, "/a").chunks().concat(), BODY);

    let exchange = get(&server, "/a?-status=503%20Busy");
    assert!(exchange.head.starts_with("HTTP/1.1 503 Busy\r\n"), "{}", exchange.head);
    assert_eq!(exchange.chunks().concat(), BODY);

    assert_eq!(get(&server, "/a?-eol=crlf").chunks().concat(), BODY.replace('\n', "\r\n"));

    let chunks = get(&server, "/a?-cut=1").chunks();
    assert_eq!(chunks.concat(), BODY);
    assert_eq!(chunks.len(), BODY.len() + 1, "and the last-chunk");

    let exchange = get(&server, "/a?-drop=20");
    assert_eq!(exchange.wire, b"13\r\nid: 1\ndata: {{i}}\n\n\r\nf\r\ni");
    assert!(exchange.clean);

    let exchange = get(&server, "/a?-cut=event&-pace=50ms");
    // Each of the two events waits.
    assert!(exchange.when("id: 2") >= Duration::from_millis(100), "{:?}", exchange.when("id: 2"));
}

#[test]
fn parameters_are_combined_and_do_not_affect_others() {
    let server = serve(&[
        ("/a", "data: {{query:n}}\n\n@drop after 3\ndata: x\n\n"),
        ("/b", "@on GET /b?n=1\ndata: exactly\n\n@drop\n"),
    ]);
    let chunks = get(&server, "/a?-eol=cr&n=5&-cut=4&%2Ddrop=100&-cut=1").chunks();
    assert_eq!(chunks, ["data", ": 5\r", "\rdat", "a: x", "\r\r", ""]);
    assert_eq!(get(&server, "/b?n=1&-cut=line").chunks().len(), 2);
    assert!(get(&server, "/b?n=1&-cut=line").clean, "the @drop at the end stays");
    assert!(get(&server, "/b?n=2&-cut=line").head.starts_with("HTTP/1.1 404 "));
}

#[test]
fn a_client_that_reconnects_with_its_last_event_id_gets_the_fault_again() {
    let text =
        "@resume\nid: 1\ndata: a\n\nid: 2\ndata: b\n\n@part connection 3\nid: 4\ndata: 3rd\n\n@part otherwise\n\
        id: 3\ndata: c\n\n";
    let server = serve(&[("/a", text)]);
    let resume = |id: &str| {
        let request = request("GET", "/a?-drop=20&-eol=crlf", &format!("Last-Event-ID: {id}\r\n"));
        String::from_utf8(Exchange::new(server.address(), request, PATIENCE).data().0).unwrap()
    };
    assert_eq!(resume(""), "id: 1\r\ndata: a\r\n\r\nid");
    assert_eq!(resume("1"), "id: 2\r\ndata: b\r\n\r\nid");
    // The requests are counted as those without parameters are.
    assert_eq!(resume("2"), "id: 4\r\ndata: 3rd\r\n\r\n");
    assert_eq!(
        get(&server, "/a").chunks().concat(),
        "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n"
    );
}

#[test]
fn an_unknown_name_or_an_invalid_value_gets_400_with_what_is_expected() {
    let server = serve(&[("/a", "@# x\n@part otherwise\ndata: x\n\n")]);
    for (query, message) in [
        ("-cot=1", "unknown parameter `-cot` (available: -status, -eol, -cut, -pace, -drop)"),
        ("x=1&-%1b", "unknown parameter `-\\x1b` (available: -status, -eol, -cut, -pace, -drop)"),
        ("-eol=x%0a", "-eol: @eol: invalid argument `x\\n` (expected `@eol keep | lf | crlf | cr`)"),
        (
            "-cut=0",
            "-cut: @chunk: invalid argument `0` (expected `@chunk event | line | whole | N [every T]`)",
        ),
        ("-drop", "-drop: @drop: missing size (expected 512, 64k or 5M, at most 1024M)"),
        (
            "-cut=1&-status=204",
            "-status=204 conflicts with /a:3: status 204 allows no body (change the parameter or the script)",
        ),
    ] {
        let exchange = get(&server, &format!("/a?{query}"));
        assert!(exchange.head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{query}: {}", exchange.head);
        assert_eq!(String::from_utf8(exchange.wire).unwrap(), format!("400 Bad Request: {message}\n"));
    }
    // A rejected request is not counted, and neither is a parameter for a path without a script.
    assert!(get(&server, "/b?-cot=1").head.starts_with("HTTP/1.1 404 "));
}

#[test]
fn the_waits_that_parameters_set_take_ten_minutes_at_most_together() {
    let event = "data: 0123\n\n";
    let server = serve(&[
        ("/one", event),
        ("/many", "@repeat 1000\ndata: x\n\n@again\n"),
        ("/slow", "@sleep 1ms\n@pace 1m\ndata: 01234567890\n\n"),
    ]);
    for target in [
        "/one?-pace=11m",
        "/one?-cut=1%20every%201m",
        "/one?-cut=1&-pace=1m",
        "/many?-pace=1s",
        "/many?-cut=1%20every%20101ms",
        // The request turns one wait of the script into many.
        "/slow?-cut=1",
    ] {
        let exchange = get(&server, target);
        assert!(exchange.head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{target}: {}", exchange.head);
        let message = "400 Bad Request: the requested waits are too long (at most 10m together)\n";
        assert_eq!(String::from_utf8(exchange.wire).unwrap(), message, "{target}");
    }
    for target in ["/one?-cut=1%20every%201ms", "/one?-pace=1ms", "/one?-cut=100%20every%2011m"] {
        assert_eq!(get(&server, target).chunks().concat(), event, "{target}");
    }
}

#[test]
fn without_control_parameters_have_no_effect() {
    let script = Script::parse("/a", "data: {{query:-cut}}\n\n").unwrap();
    let server = Server::empty().script(script).start("127.0.0.1:0").unwrap();
    assert_eq!(get(&server, "/a?-cut=1&-x=2").chunks(), ["data: 1\n\n", ""]);
}
