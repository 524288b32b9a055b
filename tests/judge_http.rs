//! `--judge` without a command: clients request their test cases over HTTP, report events, and are judged in the same
//! way.

#![cfg(unix)]

mod support;

use rust_sse_server::{RunningServer, Server};
use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::judge::{judging, member, send, send_body, verdict};
use support::{eventually, eventually_within, field, request, Client, Exchange, Folder, Program, PATIENCE};

/// Requests a case, with this last event ID, and reads the response to its end.
fn visit(server: &RunningServer, path: &str, last_event_id: &str) {
    let id =
        if last_event_id.is_empty() { String::new() } else { format!("Last-Event-ID: {last_event_id}\r\n") };
    let bytes = request("GET", path, &format!("{id}Connection: close\r\n"));
    Exchange::new(server.address(), bytes, PATIENCE);
}

#[test]
fn the_loop_in_the_documents_judges_a_client() {
    let packages = env::var("NODE_PATH").unwrap_or_default();
    let can_run = Command::new("node").args(["-e", "require('eventsource')"]).stderr(Stdio::null()).status();
    if !can_run.map_or(false, |status| status.success()) {
        return support::skip(
            "NODE_PATH is not a folder with the package eventsource, or node is not installed",
        );
    }
    let document =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/README.md")).unwrap();
    let code = document.split("```js\n// loop.mjs\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(code.lines().count() <= 15, "{} lines", code.lines().count());
    let program = Program::start(&["--judge"]);
    let code = code.replace("127.0.0.1:8080", &program.address.to_string());
    let code = code.replace("?client=node", "?client=node&cases=P0*-1,P16");
    let folder = Folder::new("loop");
    let file = folder.file("loop.mjs", code);
    // `import` finds packages beside the file alone.
    symlink(packages, folder.0.join("node_modules")).unwrap();
    let output = Command::new("node").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let target = request("GET", "/-/judge/report?client=node", "Connection: close\r\n");
    let report = String::from_utf8(Exchange::new(program.address, target, PATIENCE).wire).unwrap();
    let verdicts: Vec<_> = report.lines().filter(|line| line.starts_with("{\"id\"")).collect();
    assert_eq!(verdicts.len(), 13, "{report}");
    // That it reports its events shows in the verdicts: without a report, this case has none.
    assert!(report.contains("{\"id\":\"P09-1\",") && !report.contains("not-reported"), "{report}");
    let p01 = report.lines().find(|line| line.starts_with("{\"id\":\"P01-1\",")).unwrap();
    assert_eq!(member(p01, "verdict"), "pass");
}

#[test]
fn a_client_gets_one_case_after_another_and_then_204() {
    let server = judging();
    let next = "/-/judge/next?client=a%20b%2F%E2%98%83&cases=P0*,H03";
    let (status, first) = send(&server, "POST", next);
    assert_eq!((status, member(&first, "id")), (200, "P01".to_owned()));
    assert_eq!(member(&first, "url"), "http://localhost/case/a%20b%2F%E2%98%83/P01");
    assert_eq!(
        member(&first, "next"),
        "http://localhost/-/judge/next?client=a%20b%2F%E2%98%83&cases=P0%2A%2CH03&after=P01"
    );
    let mut ids = Vec::new();
    while let (200, case) = send(&server, "POST", next) {
        ids.push(member(&case, "id"));
    }
    let cases = server.cases();
    let expected = cases.iter().filter(|id| id.starts_with("P0") || *id == "H03").skip(1);
    assert_eq!(ids, expected.cloned().collect::<Vec<_>>());
    assert_eq!(send(&server, "POST", "/-/judge/forget?client=a+b/%E2%98%83").0, 204);
    assert_eq!(member(&send(&server, "POST", next).1, "id"), "P01");
}

#[test]
fn the_profile_chooses_the_cases() {
    let server = judging();
    let ids = |profile: &str| {
        let next = format!("/-/judge/next?client={profile}&profile={profile}");
        let cases =
            std::iter::from_fn(|| Some(send(&server, "POST", &next)).filter(|(status, _)| *status == 200));
        cases.map(|(_, case)| member(&case, "id")).filter(|id| !id.contains('-')).collect::<Vec<_>>()
    };
    let browser = ids("browser");
    assert!(browser.contains(&"H27".to_owned()) && !browser.contains(&"L01".to_owned()), "{browser:?}");
    assert!(ids("parser").iter().all(|id| id.starts_with('P')));
}

#[test]
fn the_case_after_another_is_given_when_that_is_decided() {
    let server = judging();
    let first = send(&server, "POST", "/-/judge/next?client=c&cases=P08,P11").1;
    let path = member(&first, "url").replace("http://localhost", "");
    let mut waiting = Client::connect(server.address());
    let target = member(&first, "next").replace("http://localhost", "");
    waiting.send(request("POST", &target, "Content-Length: 0\r\n"));
    waiting.assert_silent_for(Duration::from_millis(300));
    visit(&server, &path, "");
    visit(&server, &path, "x");
    let (head, body) = waiting.read_answer();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(
        (field(&head, "content-type"), member(&body, "id")),
        (Some("application/json"), "P11".to_owned())
    );
    assert_eq!(verdict(&server, "c", "P08").0, "pass");
}

#[test]
fn a_server_stops_while_a_client_waits() {
    let server = judging();
    let first = send(&server, "POST", "/-/judge/next?client=c&cases=P08").1;
    let mut waiting = Client::connect(server.address());
    let target = member(&first, "next").replace("http://localhost", "");
    waiting.send(request("POST", &target, "Content-Length: 0\r\n"));
    let mut watching = Client::connect(server.address());
    watching.get("/-/judge/results", "").read_until("\"case\":\"P08\"");
    let stopped_at = Instant::now();
    drop(server);
    assert!(stopped_at.elapsed() < Duration::from_secs(2), "{:?}", stopped_at.elapsed());
    waiting.assert_closed();
}

#[test]
fn clients_that_leave_while_they_wait_free_their_slots() {
    const SLOTS: usize = 3;
    let server = Server::new().judge().max_clients(SLOTS).start("127.0.0.1:0").unwrap();
    let first = send(&server, "POST", "/-/judge/next?client=c&cases=P08").1;
    let target = member(&first, "next").replace("http://localhost", "");
    let begin = |_| {
        let mut client = Client::connect(server.address());
        client.send(request("POST", &target, "Content-Length: 0\r\n"));
        client
    };
    let waiting: Vec<Client> = (0..SLOTS).map(begin).collect();
    eventually(|| send(&server, "GET", "/none").0, |status| *status == 503);
    drop(waiting);
    // If those that have left kept their slots until their waits end, after 30 s, `eventually` would fail.
    let stream = || {
        let mut client = Client::connect(server.address());
        let head = client.get("/hang", "").read_head();
        head.starts_with("HTTP/1.1 200 ").then_some(client)
    };
    let _streams: Vec<_> = (0..SLOTS).map(|_| eventually(stream, Option::is_some)).collect();
}

#[test]
fn a_client_that_has_ended_is_judged_at_once() {
    let server = judging();
    let first = send(&server, "POST", "/-/judge/next?client=c&cases=P16").1;
    let path = member(&first, "url").replace("http://localhost", "");
    visit(&server, &path, "");
    let began_at = Instant::now();
    assert_eq!(send(&server, "POST", "/-/judge/report?client=c&case=P16&ended").0, 204);
    assert_eq!(verdict(&server, "c", "P16").0, "fail");
    assert!(began_at.elapsed() < Duration::from_secs(5), "{:?}", began_at.elapsed());
}

#[test]
fn a_report_that_arrives_after_the_last_request_counts() {
    let server = judging();
    let id = r#"{"type":"message","data":"x","id":"1"}"#;
    for (client, reports, expected) in [
        ("right", &[id, r#"{"data":"y","id":"1"}"#][..], "pass"),
        ("wrong", &[id, r#"{"data":"z","id":"1"}"#], "fail"),
        ("incomplete", &[id], "fail"),
        ("silent", &[], "pass"),
    ] {
        visit(&server, &format!("/case/{client}/P18"), "");
        visit(&server, &format!("/case/{client}/P18"), "1");
        let target = format!("/-/judge/report?client={client}&case=P18");
        if !reports.is_empty() {
            assert_eq!(send_body(&server, "POST", &target, &reports.join("\n")), (204, String::new()));
        }
        assert_eq!(verdict(&server, client, "P18").0, expected, "{client}");
    }
}

#[test]
fn a_client_that_reports_events_in_one_case_has_to_report_them_in_all() {
    let server = judging();
    visit(&server, "/case/c/P29", "");
    visit(&server, "/case/c/P08", "");
    visit(&server, "/case/c/P08", "x");
    assert_eq!(verdict(&server, "c", "P08").0, "pass");
    assert_eq!(verdict(&server, "c", "P29").0, "not-reported");
    visit(&server, "/case/c/P30", "");
    let event = r#"{"type":"message","data":"x","id":""}"#;
    assert_eq!(send_body(&server, "POST", "/-/judge/report?client=c&case=P30", event).0, 204);
    for case in ["P08", "P29"] {
        let (verdict, _, got) = verdict(&server, "c", case);
        assert_eq!((verdict.as_str(), got.as_str()), ("fail", "no such event"), "{case}");
    }
    visit(&server, "/case/other/P29", "");
    assert_eq!(verdict(&server, "other", "P29").0, "not-reported");
}

#[test]
fn pings_need_not_be_reported_and_an_event_of_the_type_error_can_be_reported_as_a_state() {
    let server = judging();
    visit(&server, "/case/c/L04", "");
    let data = [r#"{\"choices\":[{\"delta\":{\"content\":\"x\"}}]}"#, "[DONE]"];
    let token = |data: &str| format!("{{\"type\":\"message\",\"data\":\"{data}\",\"id\":\"\"}}\n");
    let tokens = [token(data[0]), token(&data[0].replace('x', "y")), token(data[1])].concat();
    assert_eq!(send_body(&server, "POST", "/-/judge/report?client=c&case=L04", &tokens).0, 204);
    assert_eq!(verdict(&server, "c", "L04").0, "pass");

    let report = token(data[0]) + r#"{"state":"error","message":"Overloaded"}"#;
    let is_passed = |client: &str| {
        let mut reading = Client::connect(server.address());
        reading.get(&format!("/case/{client}/L03"), "").read_until("Overloaded");
        let target = format!("/-/judge/report?client={client}&case=L03");
        assert_eq!(send_body(&server, "POST", &target, &report).0, 204);
        verdict(&server, client, "L03").0 == "pass"
    };
    // On a busy machine, the report can be late.
    assert!(["a", "b", "c"].into_iter().any(is_passed));
}

#[test]
fn a_client_that_reports_states_in_one_case_has_to_report_them_in_all() {
    let server = judging();
    for client in ["silent", "c"] {
        visit(&server, &format!("/case/{client}/L02"), "");
        assert_eq!(
            verdict(&server, client, "L02"),
            ("not-reported".into(), "reported error".into(), "no report".into())
        );
    }
    visit(&server, "/case/c/P08", "");
    let target = "/-/judge/report?client=c&case=P08";
    assert_eq!(send_body(&server, "POST", target, r#"{"state":"opened"}"#).0, 400);
    assert_eq!(send_body(&server, "POST", target, r#"{"state":"closed"}"#).0, 204);
    assert_eq!(verdict(&server, "c", "L02").0, "not-reported");
    assert_eq!(send_body(&server, "POST", target, r#"{"state":"open"}"#).0, 204);
    assert_eq!(verdict(&server, "c", "L02"), ("fail".into(), "reported error".into(), "no state".into()));
    assert_eq!(verdict(&server, "silent", "L02").0, "not-reported");
}

#[test]
fn a_large_event_can_be_reported() {
    let server = judging();
    visit(&server, "/case/c/P37a", "");
    visit(&server, "/case/c/P37a", "big");
    let event = format!("{{\"type\":\"message\",\"data\":\"{}\",\"id\":\"big\"}}", "y".repeat(5 << 20));
    assert_eq!(send_body(&server, "POST", "/-/judge/report?client=c&case=P37a", &event).0, 204);
    assert_eq!(verdict(&server, "c", "P37a").0, "pass");
}

#[test]
fn a_case_that_is_opened_by_hand_is_among_the_results_and_can_be_opened_again() {
    let server = judging();
    let mut watching = Client::connect(server.address());
    let cases = watching.get("/-/judge/results", "").read_until("\n\n");
    assert!(cases.contains("content-type: text/event-stream\r\n"), "{cases}");
    assert!(cases.contains("{\"id\":\"P01\",\"level\":\"must\",\"section\":\"9.2.5\","), "{cases}");
    let run = "event: run\ndata: {\"client\":\"my client\",\"case\":\"P08\"";
    let decided = |last_event_id: &str, verdict: &str| {
        visit(&server, "/case/my%20client/P08", "");
        visit(&server, "/case/my%20client/P08", last_event_id);
        format!("{run},\"verdict\":\"{verdict}\"")
    };
    let passed = decided("x", "pass");
    watching.read_until(&passed);
    // Soon after, a request belongs to the same run.
    visit(&server, "/case/my%20client/P08", "");
    std::thread::sleep(Duration::from_millis(6_100));
    let failed = decided("y", "fail");
    let between = watching.read_until(&failed);
    let forgotten = "event: forget\ndata: {\"client\":\"my client\",\"case\":\"P08\"}\n\n";
    assert!(between.contains(forgotten), "{between}");
}

#[test]
fn secrets_are_not_in_the_report() {
    let server = judging();
    let fields = "Authorization: s3cret\r\nCookie: a=s3cret\r\nConnection: close\r\n";
    Exchange::new(server.address(), request("GET", "/case/c/H03?token=s3cret", fields), PATIENCE);
    verdict(&server, "c", "H03");
    let report = send(&server, "GET", "/-/judge/report?client=c").1;
    assert!(report.contains("Authorization: (not shown)") && !report.contains("s3cret"), "{report}");
}

#[test]
fn errors_say_what_was_expected() {
    let server = judging();
    send(&server, "POST", "/-/judge/next?client=c&cases=P08");
    let long = format!("/-/judge/next?client={}", "x".repeat(65));
    let many_stars = format!("/-/judge/next?client=c&cases={}x", "*".repeat(4000));
    for (method, target, body, status, reason) in [
        ("POST", "/-/judge/next", "", 400, "expected `?client=NAME` with a name of 1 to 64 bytes"),
        ("POST", &long, "", 400, "expected `?client=NAME` with a name of 1 to 64 bytes"),
        // A client would request `/P01` in place of `/case/../P01`.
        ("POST", "/-/judge/next?client=%2e%2E", "", 400, "not `.` or `..`"),
        ("POST", "/-/judge/next?client=.", "", 400, "not `.` or `..`"),
        // A 204 would mean that all cases are done.
        ("POST", "/-/judge/next?client=c&cases=Q*,", "", 400, "no case has such a name"),
        ("POST", &many_stars, "", 400, "no case has such a name"),
        (
            "POST",
            "/-/judge/next?client=c&profile=x",
            "",
            400,
            "expected eventsource, browser, library or parser",
        ),
        ("POST", "/-/judge/next?client=c&after=P99", "", 404, "this client has not begun this case"),
        ("POST", "/-/judge/report?client=c&case=P09", "{}", 404, "this client has not begun this case"),
        ("POST", "/-/judge/report?client=c&case=P08", "{}", 400, "each line of a report is a JSON object"),
        ("GET", "/-/judge/report?client=d", "", 404, "this client has not begun a case"),
    ] {
        let (got, text) = send_body(&server, method, target, body);
        assert!(got == status && text.contains(reason), "{method} {target}: {got} {text}");
    }
}

#[test]
fn the_number_of_streams_of_results_is_limited() {
    let server = judging();
    let connect = || {
        let mut client = Client::connect(server.address());
        let head = client.get("/-/judge/results", "").read_head();
        (client, head)
    };
    let mut clients: Vec<_> = (0..16).map(|_| connect().0).collect();
    assert!(connect().1.starts_with("HTTP/1.1 503 "));
    clients.pop();
    eventually_within(PATIENCE, || connect().1, |head| head.starts_with("HTTP/1.1 200 "));
}

#[test]
fn the_program_serves_the_page_of_the_judge_where_it_says_so() {
    let program = Program::start(&["--judge"]);
    let target = request("GET", "/-/judge", "Connection: close\r\n");
    let page = Exchange::new(program.address, target, PATIENCE);
    assert_eq!(field(&page.head, "content-type"), Some("text/html; charset=utf-8"));
    let policy = field(&page.head, "content-security-policy").unwrap();
    let origins =
        policy.strip_prefix("default-src 'none'; connect-src 'self' ").unwrap().split(';').next().unwrap();
    assert!(origins.split(' ').all(|origin| origin.starts_with("http://localhost:")), "{policy}");
    let text = String::from_utf8(page.wire).unwrap();
    assert!(
        text.starts_with("<!DOCTYPE html>") && !text.contains("src=") && !text.contains("{nonce}"),
        "{text}"
    );
    let demo = Program::start(&[]);
    let page = Exchange::new(demo.address, request("GET", "/-/judge", "Connection: close\r\n"), PATIENCE);
    assert!(page.head.starts_with("HTTP/1.1 404 "), "{}", page.head);
}
