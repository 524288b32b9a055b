//! A captured stream is played again as it was: its bytes, its chunks, its timing, its head and its end.

mod support;

use rust_sse_server::internals::Capture;
use rust_sse_server::Script;
use std::fs::File;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use support::{has_tool, play, program_path, request, serve, Exchange, Folder, Random, PATIENCE};

/// Pipes what curl prints with these options into the program.
fn curl_and_capture(options: &str, url: &str) -> Output {
    let command = format!("curl {options} '{url}' | '{}' --capture", program_path().display());
    Command::new("sh").args(["-c", &command]).output().unwrap()
}

/// The response to this script, and the response to the script that is captured from it.
fn original_and_copy(options: &str, script: &str) -> [Exchange; 2] {
    let server = serve("1", &[("/original", script.as_bytes())]);
    let captured = curl_and_capture(options, &server.url("/original")).stdout;
    let captured = String::from_utf8(captured).unwrap();
    let copy = play(&captured, "1");
    let original = Exchange::new(server.address(), request("GET", "/original", ""), PATIENCE);
    assert_eq!(copy.head, original.head, "{captured}");
    assert_eq!(copy.data(), original.data(), "{captured}");
    [original, copy]
}

/// Other programs can keep a machine so busy that a time is wrong, but not in every attempt.
fn in_one_of_ten_attempts(attempt: impl Fn() -> Result<(), String>) {
    let failed: Vec<String> = (0..10).map_while(|_| attempt().err()).collect();
    assert!(failed.len() < 10, "{failed:#?}");
}

fn near(copy: Duration, original: Duration) -> Result<(), String> {
    if copy.max(original) - copy.min(original) < Duration::from_millis(40) {
        return Ok(());
    }
    Err(format!("{copy:?} in place of {original:?}"))
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
        let [original, copy] = original_and_copy("-isN --raw", script);
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
    let script =
        "@sleep 300ms\n@open\n@sleep 200ms\ndata: 1\n\n@sleep 300ms\n@send data: be\n@sleep 200ms\ngin\n\n\
        @send data: 2\\r\\r\n@sleep 250ms\n@send data: 3\\r\\r\n@sleep 400ms\n";
    in_one_of_ten_attempts(|| {
        let [original, copy] = original_and_copy("-sN --raw -D -", script);
        let parts = ["HTTP/1.1", "data: 1", "data: be", "gin", "data: 2", "data: 3", "0\r\n\r\n"];
        parts.iter().try_for_each(|part| near(copy.when(part), original.when(part)))
    });
}

#[test]
fn output_of_curl_can_be_piped_into_it_in_every_form() {
    if !has_tool("curl") {
        return;
    }
    let server =
        serve("1", &[("/original", b"@sleep 200ms\ndata: {{path}}\n\n@sleep 300ms\n@@x\ndata: 2\n\n")]);
    for options in ["-sN", "-siN", "-siN --raw", "-siN0"] {
        in_one_of_ten_attempts(|| {
            let copy = play(curl_and_capture(options, &server.url("/original")).stdout, "1");
            let data = if options == "-siN0" { copy.wire.clone() } else { copy.data().0 };
            assert_eq!(String::from_utf8(data).unwrap(), "data: /original\n\n@x\ndata: 2\n\n", "{options}");
            let first = copy.when("data: /original");
            near(first, Duration::from_millis(200))?;
            near(copy.when("data: 2") - first, Duration::from_millis(300))
        });
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let folder = Folder::new("full");
    let input = File::open(folder.file("stream", "data: 1\n\n")).unwrap();
    let mut command = Command::new(program_path());
    command.arg("--capture").stdin(input).stdout(File::options().write(true).open("/dev/full").unwrap());
    let output = command.output().unwrap();
    let message = "rust_sse_server: cannot capture the stream: No space left on device (os error 28)\n";
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()),
        (Some(1), message)
    );
}

/// As in `… | rust_sse_server --capture | head -3`, but with a reader that closes the pipe at once.
#[test]
fn a_closed_pipe_is_not_an_error() {
    let mut command = Command::new(program_path());
    command.arg("--capture").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
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
const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncache-control: no-cache\r\ncontent-type: text/event-stream\r\ndate: x\r\n";

#[test]
fn the_waits_before_between_and_after_events_are_kept() {
    assert_eq!(
        script(&[(300, "data: 1\n\n"), (302, "data: 2\n\n"), (1300, "data: 3\n\n"), (1800, END)]),
        "@sleep 300ms\ndata: 1\n\ndata: 2\n\n@sleep 1000ms\ndata: 3\n\n@sleep 500ms\n"
    );
    assert_eq!(script(&[(0, END)]), "");
    assert_eq!(script(&[(700, END)]), "@sleep 700ms\n");
}

/// `curl -L`, a proxy and `curl --digest` print more than one head.
#[test]
fn of_several_responses_the_last_one_is_captured() {
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let wanted = script(&[(0, ok), (0, "data: x\n\n"), (0, END)]);
    for before in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.1 301 Moved\r\nLocation: /b\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 302 Found\r\n\r\n",
    ] {
        assert_eq!(script(&[(0, before), (0, ok), (0, "data: x\n\n"), (0, END)]), wanted, "{before}");
        assert_eq!(
            script(&[(0, before), (0, "HT"), (0, &ok[2..]), (0, "data: x\n\n"), (0, END)]),
            wanted,
            "{before}"
        );
        assert_eq!(script(&[(0, &[before, ok, "data: x\n\n"].concat()), (0, END)]), wanted, "{before}");
    }
    let body = "HTTP is a protocol\n";
    let like_a_head = script(&[(0, "HTTP/1.1 200 OK\r\n\r\n"), (0, "HT"), (0, &body[2..]), (0, END)]);
    assert!(like_a_head.ends_with(body), "{like_a_head}");
    assert!(script(&[(0, "HTTP/1.1 200 OK\r\n\r\n"), (0, "HTTP"), (0, END)]).contains("HTTP"));
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
         @header X: {{path}}\n@framing close\nx"
    );
    let interim = format!("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n{HEAD}\r\nx");
    let expected = "@wire HTTP/1.1 103 Early Hints\\r\\nlink: x\\r\\n\\r\\n\n@framing close\nx";
    assert_eq!(script(&[(0, &interim[..3]), (0, &interim[3..]), (0, END)]), expected);
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
    assert_eq!(bytes(&[&head, "2\r\nx\n\r\nz\r\n", "y\n"]), "x\n@wire z\\r\\n\n@wire y\\n\n@drop\n");
    assert_eq!(bytes(&[&head, "2\r\nx\n\r\n1"]), "x\n@wire 1\n@drop\n");
    assert_eq!(bytes(&[&head]), "@open\n@drop\n");
    // With a chunk that ends in the middle of its second line, and with a trailer section.
    let body = "9\r\nx: 1\nx: 2\r\n1\r\n\n\r\n0\r\nA: b\r\n\r\n";
    assert_eq!(bytes(&[&head, body]), "@send x: 1\\nx: 2\n\n@trailer A: b\n");
    // With the chunks decoded.
    assert_eq!(bytes(&[&head, "d", "ata\n"]), "data\n");
}

#[test]
fn chunk_extensions_are_left_out() {
    let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    for extension in [";a", " ; a=b", ";a=\"b;c\";d", ""] {
        let body = format!("5{extension}\r\nx: 1\n\r\n1{extension}\r\n\n\r\n0{extension}\r\nA: b\r\n\r\n");
        for cut in 0..body.len() {
            let pieces = [(0, head.as_str()), (0, &body[..cut]), (0, &body[cut..]), (0, END)];
            assert_eq!(script(&pieces), "x: 1\n@cut\n\n@trailer A: b\n", "{extension}, {cut}");
        }
    }
    // There can be any number of them.
    let signed = format!("5;chunk-signature={}\r\nx: 1\n\r\n", "0".repeat(64)).repeat(1000);
    assert_eq!(
        script(&[(0, &head), (0, &signed), (0, "0\r\n\r\n"), (0, END)]).matches("x: 1\n").count(),
        1000
    );
}

#[test]
fn a_body_of_16_mib_without_a_line_end_is_written_in_pieces() {
    let line = "x".repeat(16 * 1024 * 1024 + 1);
    let script = script(&[(0, &line), (0, "y\n"), (0, END)]);
    assert!(script == format!("@send {line}\ny\n"), "{} bytes", script.len());
}

#[test]
fn the_bytes_of_text_that_cannot_be_seen_or_read_are_escaped() {
    assert_eq!(script(&[(0, "\0\u{1b}\té \x7f\r"), (9, END)]), "@send \\x00\\x1b\\té \\x7f\\r\n@sleep 9ms\n");
    let mut capture = Capture::default();
    capture.add(Duration::ZERO, b" \xff\r");
    assert_eq!(capture.end(Duration::from_secs(1)), b"@send \\s\\xff\\r\n@sleep 1000ms\n");
}

#[test]
fn a_head_that_is_cut_off_is_sent_as_it_is() {
    assert_eq!(
        script(&[(100, "HTTP/1.1 200 OK\r\nx: "), (300, END)]),
        "@sleep 100ms\n@wire HTTP/1.1 200 OK\\r\\nx:\\s\n@sleep 200ms\n"
    );
    let copy = play("@wire HTTP/1.1 200 OK\\r\\nx:\\s\n", "1");
    assert_eq!((copy.wire.as_slice(), copy.clean), (&b"HTTP/1.1 200 OK\r\nx: "[..], true));
}

/// Directions cannot send such a head, so the server sends its bytes, and those of the body with their framing.
#[test]
fn a_head_that_directions_cannot_send_is_sent_as_it_is() {
    let status = "HTTP/1.1 200 OK\r\n";
    for line in ["x: \u{1}", "x : y", " folded", "no colon", "transfer-encoding: gzip, chunked"] {
        let response = format!("{status}{line}\r\n\r\n2\r\nx\n\r\n0\r\n\r\n");
        let copy = play(script(&[(0, &response), (0, END)]), "1");
        let all: Vec<u8> = copy.arrivals.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        assert_eq!(String::from_utf8(all).unwrap(), response);
    }
    assert_eq!(script(&[(0, "HTTP/1.1 101 X\r\n\r\ny"), (0, END)]), "@wire HTTP/1.1 101 X\\r\\n\\r\\n\ny");
}

#[test]
fn a_connection_that_is_closed_after_a_complete_body_is_closed_again() {
    let head = format!("{HEAD}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    let pieces = [(0, head.as_str()), (0, "2\r\nx\n\r\n0\r\n\r\n"), (0, END)];
    assert_eq!(script(&pieces), "x\n@close\n");
    assert_eq!(script(&[pieces[0], pieces[2]]), "@open\n@drop\n");
    let head = format!("{HEAD}content-length: 1\r\nConnection: close\r\n\r\n");
    assert_eq!(script(&[(0, &head), (0, "x"), (0, END)]), "@framing length 1\n@send x\n@close\n");
}

/// The times in a script of at least 30 ms, since a busy machine adds shorter ones, and the script without any.
fn times(script: &[u8]) -> (Vec<i64>, String) {
    let text = String::from_utf8(script.to_vec()).unwrap();
    let is_time = |line: &&str| line.starts_with("@sleep ");
    let number = |line: &str| line.trim_start_matches("@sleep ").trim_end_matches("ms").parse().unwrap();
    let times = text.lines().filter(is_time).map(number).filter(|time| *time >= 30).collect();
    let rest = text.lines().filter(|line| !is_time(line)).map(|line| line.to_owned() + "\n").collect();
    (times, rest)
}

#[test]
fn a_copy_of_a_copy_is_the_same_script() {
    if !has_tool("curl") {
        return;
    }
    for (script, options) in [
        ("@wire HTTP/1.1 103 Early Hints\\r\\nLink: <x>\\r\\n\\r\\n\n@sleep 90ms\n@status 200 Fine\n@header +X: 1\n@header +X: 2\n\
          @open\n@sleep 80ms\ndata: {{path}}\n\n@send data: a\\nda\n@send ta: b\n@sleep 70ms\n\n@@x\n@trailer A: {\n@sleep 60ms\n",
          "-isN --raw"),
        ("data: 1\n\n@chunk 3 every 60ms\ndata: 2\n\n@drop\n", "-isN --raw"),
        ("data: 1\r\n\r\n@sleep 60ms\n@wire zz\\r\\n\n@drop\n", "-isN --raw"),
        ("@wire HTTP/1.1 200 OK\\r\\nx: \\x01\\r\\n\\r\\n\ndata: 1\n\n@sleep 60ms\n", "-isN --raw --http0.9"),
        ("@framing length 100\n@close\n", "-isN --raw"),
        ("data: 1\n\n@sleep 60ms\n@@data\n@send x\n@sleep 60ms\ny\n\n", "-sN"),
        ("@status 503\n@header Retry-After: 1\ndata: 1\n\n@sleep 60ms\n@@data\n", "-isN"),
    ] {
        let original = serve("1", &[("/script", script.as_bytes())]);
        in_one_of_ten_attempts(|| {
            let first = curl_and_capture(options, &original.url("/script")).stdout;
            let copy = serve("1", &[("/script", &first)]);
            let second = curl_and_capture(options, &copy.url("/script")).stdout;
            let (first, second) = (times(&first), times(&second));
            // 5 ms on a machine that has nothing else to do.
            let is_near = |(a, b): (&i64, &i64)| (a - b).abs() <= 20;
            let all_are_near = first.0.iter().zip(&second.0).all(is_near);
            let is_same = first.0.len() == second.0.len() && first.1 == second.1 && all_are_near;
            is_same.then_some(()).ok_or_else(|| format!("{script}\n{first:?}\n{second:?}"))
        });
    }
}

#[test]
fn every_response_becomes_a_script_without_errors() {
    const SHORT: [&str; 27] = [
        "200", "204", "103", "101", "7", " OK", "\r\n", "\n", "x", ": ", "\u{1}", " ", "{{", "@", "\t",
        "2\r\n", "0\r\n", "\\", "data", "\0", "é", "-", "+", "@#", ":", "304", "205",
    ];
    const LONG: [&str; 11] = [
        "HTTP/1.1 ",
        "HTTP/2 ",
        "{{path}}",
        "Transfer-Encoding: chunked\r\n",
        "content-length: ",
        "connection: close\r\n",
        "date: x\r\n",
        "\r\n\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 503 No\r\n",
        "Content-Length: 2\r\n",
    ];
    let parts = [&SHORT[..], &LONG].concat();
    let mut random = Random(1);
    for _ in 0..20_000 {
        let mut capture = Capture::default();
        let mut script = Vec::new();
        for at in 0..random.below(20) {
            let piece = parts[random.below(parts.len())];
            script.extend(capture.add(Duration::from_millis(at as u64 * 4), piece.as_bytes()));
        }
        script.extend(capture.end(Duration::from_millis(100)));
        let parsed = Script::parse("/x", &script);
        assert!(parsed.is_ok(), "{} {:?}", script.escape_ascii(), parsed.err());
    }
}
