//! The load test in `examples/storm` reports how late events are; its exit status says whether any was lost.

mod support;

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty};
use rust_sse_server::{RecordedRequest, RunningServer};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};
use support::{eventually, example, has_tool, serve, PATIENCE};

fn storm(arguments: &[&str]) -> Command {
    let mut command = Command::new(example("storm"));
    command.args(arguments).timeout(PATIENCE);
    command
}

/// A script of one event without a number and then events with these IDs, in the form of the demo's.
fn numbered(ids: impl IntoIterator<Item = u32>) -> String {
    let event = |id| format!("id: {id}\nevent: update\ndata: x\n\n");
    "data: first\n\n".to_owned() + &ids.into_iter().map(event).collect::<String>()
}

/// Asserts that a test of this script with two clients prints this, and that the exit status is 1.
fn assert_flawed(script: &str, expected: &str) {
    let server = serve("1", &[("/flawed", script.as_bytes())]);
    storm(&["--clients", "2", "--ramp", "0", "--demo", &server.url("/flawed")])
        .assert()
        .code(1)
        .stdout(contains(expected));
}

#[test]
fn without_a_url_it_starts_a_server_and_loses_nothing() {
    storm(&["--clients", "20", "--ramp=50", "--speed", "100"])
        .assert()
        .code(0)
        .stdout(contains("\nlateness:   median ").and(contains("█  ")))
        .stdout(contains("\n300 of 300 events, 0 duplicates, 0 out of order: nothing was lost\n"));
}

#[test]
fn a_late_event_is_counted_in_the_bar_of_its_lateness() {
    let script = format!("data: first\n\n@sleep 1300ms\n{}", numbered(1..=15));
    let server = serve("1", &[("/late", script.as_bytes())]);
    let mut report = || {
        let output = storm(&["--clients", "1", "--demo", &server.url("/late")]).assert().code(0);
        String::from_utf8(output.get_output().stdout.clone()).unwrap()
    };
    // On a busy machine, the first event can be late, too, but not each time.
    eventually(&mut report, |report| {
        let bar = report.lines().find(|line| line.contains("up to 700.00 ms ")).unwrap_or_default();
        bar.ends_with(" 1    6.67 %")
    });
}

#[test]
fn every_way_to_lose_an_event_is_noticed() {
    let gap = numbered((1..=15).filter(|id| *id != 7));
    assert_flawed(&gap, "\n28 of 30 events, 0 duplicates, 0 out of order: 2 LOST\n");
    let twice = numbered((1..=7).chain(7..=15));
    assert_flawed(
        &twice,
        "\n30 of 30 events, 2 duplicates, 0 out of order: nothing was lost, but there were errors\n",
    );
    let swapped = numbered([2, 1].into_iter().chain(3..=15));
    assert_flawed(&swapped, "\n30 of 30 events, 0 duplicates, 2 out of order: ");
    let cut = numbered(1..=15) + "@drop\n";
    assert_flawed(
        &cut,
        "\n     2 × the stream was cut off: it ended without its last-chunk\n30 of 30 events, ",
    );
    let unchunked = "@framing close\n".to_owned() + &numbered(1..=15);
    assert_flawed(
        &unchunked,
        "\n     2 × the response is not chunked, so a missing end would go unnoticed\n",
    );
    assert_flawed(
        "@status 503\n",
        "\n     2 × unexpected status \"503 Service Unavailable\" (expected 200)\n0 of 30 events, ",
    );
}

/// The last line of the report on one stream with these options.
fn last_line(server: &RunningServer, path: &str, options: &[&str], code: i32) -> String {
    let url = server.url(path);
    let arguments = [&["--clients", "2", "--ramp", "0"], options, &[&url]].concat();
    let assert = storm(&arguments).assert().code(code);
    let output = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    output.lines().last().unwrap().to_owned()
}

#[test]
fn any_stream_is_measured_until_the_end_condition_is_met() {
    let tokens = "@on POST /tokens\n@part header a=b and body ~x\n@pace 5ms\ndata: one\n\ndata: [DONE]\n\ndata: late\n\n";
    let scripts = [
        ("/tokens", tokens),
        ("/short", "retry: 10\n\nid: 1\ndata: x\n\n"),
        ("/cut", "data: x\n\n@drop\n"),
        ("/length", "@framing length\ndata: x\n\n"),
        ("/close", "@framing close\ndata: x\n\n"),
        ("/cuts", "retry: 10\nid: 1\ndata: x\n\n@sleep 10ms\n@drop\n"),
        ("/ticks", "@repeat forever every 20ms\ndata: x\n\n@again\n"),
    ];
    let scripts: Vec<(&str, &[u8])> = scripts.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    let server = serve("1", &scripts);
    for (path, options, code, begin, end) in [
        ("/length", &[][..], 0, "2 events in ", "; 18 bytes, "),
        ("/close", &[], 0, "2 events in ", "; 18 bytes, "),
        ("/cut", &[], 1, "2 events in ", " 0 reconnections"),
        ("/short", &["--events", "3"], 0, "6 events in ", " 4 reconnections"),
        ("/cuts", &["--events", "2"], 0, "4 events in ", " 2 reconnections; 2 connections were lost"),
        ("/tokens", &["-d", "x", "-H", "A: b", "--until", "[DONE]"], 0, "4 events in ", " 0 reconnections"),
        ("/tokens", &["-d", "x", "-H", "A: b", "--until", "never"], 1, "6 events in ", " 0 reconnections"),
    ] {
        let line = last_line(&server, path, options, code);
        assert!(line.starts_with(begin) && line.contains(end), "{path} {options:?}: {line}");
    }
    let ids: Vec<_> = server
        .requests()
        .iter()
        .filter_map(|request| request.header("last-event-id").map(str::to_owned))
        .collect();
    assert_eq!(ids, ["1"; 6]);

    let started = Instant::now();
    let line = last_line(&server, "/ticks", &["--for", "300ms"], 0);
    let events: usize = line.split(' ').next().unwrap().parse().unwrap();
    assert!((10..=34).contains(&events) && started.elapsed() >= Duration::from_millis(300), "{line}");
}

#[test]
fn the_report_can_be_json() {
    let server = serve("1", &[("/x", b"data: 1\n\n@sleep 20ms\ndata: 2\n\n")]);
    let output = storm(&["--clients", "3", "--json", &server.url("/x")]).assert().code(0);
    let json = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    for part in
        ["{\"clients\":3,\"seconds\":", "\"first_event\":{\"median_ms\":", ",\"events\":6,", ",\"bytes\":54,"]
    {
        assert!(json.contains(part), "{part} is not in {json}");
    }
    assert!(json.ends_with(",\"reconnections\":0,\"lost_connections\":0,\"failures\":{}}\n"), "{json}");
    let median = json.split("\"gaps\":{\"median_ms\":").nth(1).unwrap().split(',').next().unwrap();
    assert!(median.parse::<f64>().unwrap() > 15.0, "{json}");
}

#[test]
fn a_server_that_cannot_be_reached_is_reported_with_exit_1() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = contains("     3 × Connection refused").and(contains("\n0 of 45 events, "));
    let url = format!("http://{free}/");
    storm(&["--clients", "3", "--ramp", "0", "--demo", &url]).assert().code(1).stdout(refused);
    let refused = contains("     3 × Connection refused").and(contains("\n0 events in "));
    storm(&["--clients", "3", "--ramp", "0", "--events", "2", &url]).assert().code(1).stdout(refused);
}

#[test]
#[cfg(target_os = "linux")]
fn too_few_open_files_are_reported_with_the_command_that_helps() {
    if !has_tool("prlimit") {
        return;
    }
    let program = example("storm");
    let mut command = Command::new("prlimit");
    command.arg("--nofile=16").arg(program).args(["--clients", "20", "--ramp", "0", "--speed", "20"]);
    let reason = "Too many open files (os error 24): raise `ulimit -n` above the number of clients\n";
    command.timeout(PATIENCE).assert().code(1).stdout(contains(reason));
}

/// Asserts that a test of one client that reads this response prints this, and that the exit status is 1.
fn assert_reason(response: &'static str, options: &[&str], reason: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 1024];
        while !buffer.windows(4).any(|window| window == b"\r\n\r\n") {
            assert!(stream.read(&mut buffer).unwrap() > 0);
        }
        stream.write_all(response.as_bytes()).unwrap();
    });
    let arguments = [&["--clients=1"], options, &[&url]].concat();
    storm(&arguments).assert().code(1).stdout(contains(format!("     1 × {reason}\n")));
    server.join().unwrap();
}

#[test]
fn what_is_no_event_stream_is_reported_with_exit_1() {
    for (response, reason) in [
        ("", "the connection was closed without a response"),
        ("HTTP/1.1 20", "the connection was closed in the head of a response"),
        ("HTTP/2 200 OK\r\n\r\n", "the response is not HTTP/1"),
        ("hello\n", "the response is not HTTP/1"),
        ("HTTP/1.1 500 No\r\n\r\n", "unexpected status \"500 No\" (expected 200)"),
        ("HTTP/1.1 204 No Content\r\n\r\n", "unexpected status \"204 No Content\" (expected 200)"),
        (
            "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n",
            "unexpected status \"302 Found\", which leads to \"/x\" (redirects are not followed)",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
            "unexpected content type \"text/html\" (expected text/event-stream)",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n",
            "unexpected content encoding \"gzip\" (expected none: it was not requested)",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n", "no event arrived"),
    ] {
        assert_reason(response, &[], reason);
    }
    let rejected = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
    let reason = "unexpected content type \"text/html\" (expected text/event-stream)";
    assert_reason(rejected, &["--for=10s"], reason);
}

#[test]
fn an_event_that_does_not_end_is_not_kept_forever() {
    let server = serve("1", &[("/x", b"@fill 17M x\n@hang\n")]);
    let reason = contains("     1 × an event is larger than 16 MiB\n");
    storm(&["--clients=1", "--for=15s", &server.url("/x")]).assert().code(1).stdout(reason);
}

#[test]
fn interim_responses_are_skipped() {
    let server =
        serve("1", &[("/x", b"@wire HTTP/1.1 103 Early Hints\\r\\nlink: x\\r\\n\\r\\n\ndata: x\n\n")]);
    assert!(last_line(&server, "/x", &[], 0).starts_with("2 events in "));
}

#[test]
fn a_client_that_gets_204_does_not_reconnect() {
    let server = serve("1", &[("/stop", b"retry: 10\n@resume\nid: 1\ndata: x\n\n")]);
    let line = last_line(&server, "/stop", &["--for=20s"], 0);
    assert!(line.starts_with("2 events in ") && line.ends_with(" 2 reconnections"), "{line}");
    let reason = "     1 × 204 No Content before the end condition was met\n";
    for option in ["--events=2", "--until=y"] {
        let arguments = ["--clients=1", "--for=20s", option, &server.url("/stop")];
        storm(&arguments).assert().code(1).stdout(contains(reason).and(contains("1 client of http://")));
    }
}

#[test]
fn a_client_whose_response_is_rejected_does_not_reconnect() {
    let script = b"@part connection 1\nretry: 10\n\ndata: x\n\n@part otherwise\n@status 503\n";
    let server = serve("1", &[("/x", script)]);
    let reason = "     1 × unexpected status \"503 Service Unavailable\" (expected 200)\n1 events in ";
    storm(&["--clients=1", "--for=20s", &server.url("/x")]).assert().code(1).stdout(contains(reason));
}

#[test]
fn a_field_line_of_the_command_line_replaces_the_usual_one() {
    let server = serve("1", &[("/x", b"retry: 10\nid: 1\ndata: x\n\n")]);
    let fields = ["-H", "hOST: a", "-H", "accept: b", "-H", "Last-Event-ID: 0"];
    last_line(&server, "/x", &[&["--events=2", "--clients=1"], &fields[..]].concat(), 0);
    let requests = server.requests();
    let values = |name: &str| -> Vec<Vec<String>> {
        let of_request = |request: &RecordedRequest| {
            let fields = request.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
            fields.map(|(_, value)| value.clone()).collect()
        };
        requests.iter().map(of_request).collect()
    };
    assert_eq!(values("host"), [["a"], ["a"]]);
    assert_eq!(values("accept"), [["b"], ["b"]]);
    assert_eq!(values("last-event-id"), [["0"], ["1"]]);
}

#[test]
fn times_before_the_first_byte_of_a_body_are_absent_and_empty_bars_are_one_line() {
    let server = serve(
        "1",
        &[("/open", b"@open\n@hang\n"), ("/gaps", b"data: 1\n\ndata: 2\n\n@sleep 1s\ndata: 3\n\n")],
    );
    let open = storm(&["--clients=1", "--for=200ms", "--json", &server.url("/open")]).assert().code(1);
    let json = String::from_utf8(open.get_output().stdout.clone()).unwrap();
    assert!(json.contains("\"first_byte\":null,"), "{json}");
    let gaps = storm(&["--clients=1", &server.url("/gaps")]).assert().code(0);
    let text = String::from_utf8(gaps.get_output().stdout.clone()).unwrap();
    let bars: Vec<&str> = text.lines().filter(|line| line.contains('█') || line.trim() == "…").collect();
    assert_eq!(bars.len(), 3, "{text}");
    assert!(bars[2].starts_with("up to 1500.00 ms ") && bars[2].ends_with("  1   50.00 %"), "{text}");
}

#[test]
fn a_server_that_does_not_respond_is_left_after_the_time() {
    // The system accepts the connection, and nobody answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let start = Instant::now();
    let line = "     1 × no response in the time of `--for`\n";
    storm(&["--clients=1", "--for=200ms", &url]).assert().code(1).stdout(contains(line));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn a_wrong_command_line_is_one_line_and_exit_2() {
    for (arguments, message) in [
        (&["--cleints", "1"][..], "unknown option `--cleints` (did you mean `--clients`?)"),
        (&["--clients", "--ramp"], "`--clients` needs a value"),
        (&["--clients", "0"], "invalid value `0` for `--clients` (expected 1 to 16000)"),
        (&["--ramp=x"], "invalid value `x` for `--ramp` (expected 0 to 3600000)"),
        (&["--speed", "0"], "invalid value `0` for `--speed` (expected 0.001 to 1000000, or max)"),
        (&["--serve=1"], "`--serve` takes no value"),
        (&["http://a/", "http://b/"], "unexpected argument `http://b/` (only one URL is expected)"),
        (
            &["http://a/", "--speed", "2"],
            "`--speed` cannot be used with URL (that server has to play at its normal speed)",
        ),
        (&["--events", "0"], "invalid value `0` for `--events` (expected 1 or more)"),
        (&["--for", "0s"], "invalid value `0s` for `--for` (expected a time such as 500ms, 10s or 2m)"),
        (&["-X", "a b"], "invalid value `a b` for `-X` (expected a method such as POST)"),
        (&["-H", "x"], "invalid value `x` for `-H` (expected `Name: value`)"),
        (&["-H", "a b: c"], "invalid value `a b: c` for `-H` (expected `Name: value`)"),
        (
            &["--demo", "--json", "http://a/"],
            "only `--clients`, `--ramp` and `--speed` can be used with the demo (add URL, without --demo)",
        ),
    ] {
        let expected = format!("storm: {message}; see --help\n");
        storm(arguments).assert().code(2).stdout(is_empty()).stderr(expected);
    }
    storm(&["--help"]).assert().code(0).stdout(contains("Usage: storm [OPTIONS] [URL]")).stderr(is_empty());
}
