//! A captured stream is played again as it was: its bytes, its chunks, its timing, its head and its end.

mod support;

#[path = "../examples/capture/script.rs"]
mod capture_script;

use capture_script::Capture;
use std::fs::File;
use std::process::{Command, Stdio};
use std::time::Duration;
use support::{example, has_tool, play, request, serve, Exchange, Folder, PATIENCE};

/// Captures what the server sends for a target, with the example running curl.
fn capture(url: &str) -> Vec<u8> {
    Command::new(example("capture")).arg(url).stderr(Stdio::null()).output().unwrap().stdout
}

/// The response to this script, and the response to the script that is captured from it.
fn original_and_copy(script: &str) -> [Exchange; 2] {
    let server = serve("1", &[("/original", script.as_bytes())]);
    let captured = capture(&server.url("/original"));
    let captured = String::from_utf8(captured).unwrap();
    let copy = play(&captured, "1");
    let original = Exchange::new(server.address(), request("GET", "/original", ""), PATIENCE);
    assert_eq!(copy.head, original.head, "{captured}");
    assert_eq!(copy.data(), original.data(), "{captured}");
    [original, copy]
}

fn assert_near(copy: Duration, original: Duration) {
    let difference = copy.max(original) - copy.min(original);
    assert!(difference < Duration::from_millis(150), "{copy:?} in place of {original:?}");
}

#[test]
fn bytes_and_chunks_are_kept() {
    if !has_tool("curl") {
        return;
    }
    for script in [
        include_str!("../src/scripts/fields.sse"),
        include_str!("../src/scripts/nul-in-id.sse"),
        "@@at\n{{path}}\n@cut\n\n@send \\xff\\xfe\n@send \\r\n\r\n\n",
        "@chunk whole\ndata: 1\n\ndata: 2\n\n@chunk line\ndata: 3\n\n",
        "@status 404 Gone away\n@header X-A: b\n@header -cache-control\nno\n@drop\n",
        "@framing length\ndata: 1\n\n",
        "@framing length 100\ndata: 1\n\n",
        "@framing close\ndata: 1\n\n",
        "@status 204\n",
        "data: cut off\n\n@drop\n",
    ] {
        let [original, copy] = original_and_copy(script);
        if original.head.contains("chunked") && original.data().1 {
            assert_eq!(copy.chunks(), original.chunks());
        }
        assert_eq!(copy.wire.len(), original.wire.len(), "{script}");
    }
}

#[test]
fn waits_are_kept_wherever_they_are() {
    if !has_tool("curl") {
        return;
    }
    let [original, copy] = original_and_copy(
        "@sleep 300ms\n@open\n@sleep 200ms\ndata: 1\n\n@sleep 300ms\n@send data: be\n@sleep 200ms\ngin\n\n\
         @send data: 2\\r\\r\n@sleep 250ms\n@send data: 3\\r\\r\n@sleep 400ms\n",
    );
    for part in ["HTTP/1.1", "data: 1", "data: be", "gin", "data: 2", "data: 3", "0\r\n\r\n"] {
        assert_near(copy.when(part), original.when(part));
    }
}

#[test]
fn output_of_curl_can_be_piped_into_it_in_every_form() {
    if !has_tool("curl") {
        return;
    }
    let server =
        serve("1", &[("/original", b"@sleep 200ms\ndata: {{path}}\n\n@sleep 300ms\n@@x\ndata: 2\n\n")]);
    for options in ["-sN", "-siN", "-siN --raw", "-siN0"] {
        let command =
            format!("curl {options} {} | {}", server.url("/original"), example("capture").display());
        let output = Command::new("sh").args(["-c", &command]).output().unwrap();
        let copy = play(&output.stdout, "1");
        let data = if options == "-siN0" { copy.wire.clone() } else { copy.data().0 };
        assert_eq!(String::from_utf8(data).unwrap(), "data: /original\n\n@x\ndata: 2\n\n", "{options}");
        assert_near(copy.when("data: 2") - copy.when("data: /original"), Duration::from_millis(300));
        assert_near(copy.when("data: /original"), Duration::from_millis(200));
    }
}

#[test]
fn curl_says_why_nothing_is_captured() {
    if !has_tool("curl") {
        return;
    }
    let output = Command::new(example("capture")).arg("http://127.0.0.1:1/").output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("curl: (7) "));
}

#[test]
fn a_full_disk_is_an_error() {
    let folder = Folder::new("full");
    let input = File::open(folder.file("stream", "data: 1\n\n")).unwrap();
    let mut command = Command::new(example("capture"));
    command.stdin(input).stdout(File::options().write(true).open("/dev/full").unwrap());
    let output = command.output().unwrap();
    assert!(!output.status.success() && String::from_utf8(output.stderr).unwrap().contains("StorageFull"));
}

/// The script of pieces that arrive at these milliseconds, without the two lines that every script begins with. The
/// last piece is the end.
fn script(pieces: &[(u64, &str)]) -> String {
    let mut capture = Capture::default();
    let mut script = Vec::new();
    let (end, pieces) = pieces.split_last().unwrap();
    for (at, bytes) in pieces {
        script.extend(capture.add(Duration::from_millis(*at), bytes.as_bytes()));
    }
    script.extend(capture.end(Duration::from_millis(end.0)));
    let script = String::from_utf8(script).unwrap();
    script.strip_prefix("@literal on\n@chunk whole\n").unwrap().to_owned()
}

const END: &str = "";
const HEAD: &str = "HTTP/1.1 200 OK\r\ncache-control: no-cache\r\ncontent-type: text/event-stream\r\n";

#[test]
fn the_waits_before_between_and_after_events_are_kept() {
    assert_eq!(
        script(&[(300, "data: 1\n\n"), (302, "data: 2\n\n"), (1300, "data: 3\n\n"), (1800, END)]),
        "@sleep 300ms\ndata: 1\n\ndata: 2\n\n@sleep 1000ms\ndata: 3\n\n@sleep 500ms\n"
    );
    assert_eq!(script(&[(0, END)]), "");
    assert_eq!(script(&[(700, END)]), "@sleep 700ms\n");
}

#[test]
fn pauses_in_a_line_are_kept() {
    assert_eq!(
        script(&[(0, "data: a"), (2, " \\ "), (102, "@b\n\n"), (200, "@"), (201, "c\ndata"), (201, END)]),
        "@send data: a \\\\\\s\n@sleep 102ms\n@@b\n\n@sleep 98ms\n@@c\ndata"
    );
}

#[test]
fn every_line_end_is_kept_and_so_are_the_pauses_between_them() {
    assert_eq!(
        script(&[(0, "data: 1\r\r"), (50, "data: 2\r\n\r\n"), (60, "data: 3\r"), (90, "\n"), (90, END)]),
        "@send data: 1\\r\\r\n@sleep 50ms\ndata: 2\r\n\r\n@sleep 10ms\n@send data: 3\\r\n@sleep 30ms\n\n"
    );
}

#[test]
fn the_status_and_the_field_lines_that_differ_are_copied() {
    let head = "HTTP/1.1 503 Busy\r\nContent-Type: text/event-stream\r\nDate: x\r\nSet-Cookie: a\r\nset-cookie: b\r\n\
        X: {{path}}\r\nConnection: close\r\n\r\n";
    assert_eq!(
        script(&[(0, head), (0, "x"), (0, END)]),
        "@status 503 Busy\n@header -cache-control\n@header Set-Cookie: a\n@header +set-cookie: b\n\
         @# left out: @header X: {{path}}\n@framing close\nx"
    );
    let interim = format!("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n{HEAD}\r\nx");
    assert_eq!(script(&[(0, &interim[..3]), (0, &interim[3..]), (0, END)]), "@framing close\nx");
    assert_eq!(script(&[(0, &HEAD.replace("HTTP/1.1 200 OK", "HTTP/2 200 ")), (0, "\r\nx"), (0, END)]), "x");
}

#[test]
fn a_head_that_arrives_before_the_body_is_sent_before_it() {
    let head = format!("{HEAD}content-length: 2\r\n\r\n");
    assert_eq!(
        script(&[(100, &head), (300, "x\n"), (300, END)]),
        "@framing length 2\n@sleep 100ms\n@open\n@sleep 200ms\nx\n"
    );
    assert_eq!(
        script(&[(100, &head), (101, "x"), (101, END)]),
        "@framing length 2\n@sleep 101ms\n@send x\n@drop\n"
    );
}

#[test]
fn chunks_end_where_they_ended() {
    let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    let body = "4\r\nx: 1\r\n2\r\n\n\n\r\n5\r\nx: 2\n\r\n1\r\n\n\r\n0\r\n\r\n";
    let expected = "@send x: 1\n\n\n@cut\nx: 2\n@cut\n\n";
    for cut in 0..body.len() {
        let pieces = [(0, head.as_str()), (0, &body[..cut]), (0, &body[cut..]), (0, END)];
        let script = script(&pieces);
        // A chunk that arrives in two pieces is one all the same.
        assert_eq!(script, expected, "{cut}");
    }
    let bytes = |pieces: &[&str]| {
        let pieces: Vec<_> = pieces.iter().map(|piece| (0, *piece)).chain([(0, END)]).collect();
        script(&pieces)
    };
    // Without its last-chunk, and with a malformed one.
    assert_eq!(bytes(&[&head, "2\r\nx\n\r\n"]), "x\n@drop\n");
    assert_eq!(bytes(&[&head, "2\r\nx\n\r\nz\r\n"]), "x\n@drop\n");
    assert_eq!(bytes(&[&head]), "@drop\n");
    // With the chunks decoded.
    assert_eq!(bytes(&[&head, "d", "ata\n"]), "data\n");
}

#[test]
fn a_long_line_is_written_in_pieces() {
    let line = "x".repeat(64 * 1024 + 1);
    assert_eq!(script(&[(0, &line), (0, "y\n"), (0, END)]), format!("@send {line}\ny\n"));
}

#[test]
fn the_bytes_of_text_that_cannot_be_seen_or_read_are_escaped() {
    assert_eq!(script(&[(0, "\0\u{1b}\té \x7f\r"), (9, END)]), "@send \\x00\\x1b\\té \\x7f\\r\n@sleep 9ms\n");
    let mut capture = Capture::default();
    capture.add(Duration::ZERO, b" \xff\r");
    assert_eq!(capture.end(Duration::from_secs(1)), b"@send \\s\\xff\\r\n@sleep 1000ms\n");
}
