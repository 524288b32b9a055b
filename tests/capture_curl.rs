//! What curl prints is captured, and played again as it was: its bytes, its chunks, its timing, its head and its end.

mod support;

use std::fs::File;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use support::{has_tool, play, program_path, request, serve, Exchange, Folder, PATIENCE};

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
    let folder = Folder::new("closed");
    let input = File::open(folder.file("stream", "data: 1\n\n")).unwrap();
    let mut command = Command::new(program_path());
    command.arg("--capture").stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

/// As when curl cannot connect: the script would be one that replies without a body.
#[test]
fn an_empty_input_is_an_error() {
    let mut command = Command::new(program_path());
    let output = command.arg("--capture").stdin(Stdio::null()).output().unwrap();
    let message =
        "rust_sse_server: cannot capture the stream: standard input is empty, so there was no response \
        (add -S to curl to see why)\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), message);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
}

/// The times in a script of at least 30 ms, since a busy machine adds shorter ones, and the script without any.
fn times(script: &[u8]) -> (Vec<i64>, String) {
    // Each byte as a character, because the script of a body in gzip format is not UTF-8.
    let text: String = script.iter().map(|&byte| char::from(byte)).collect();
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
        ("data: 1\n\n@sleep 60ms\n@wire 20\\r\\ndata\n@drop\n", "-isN --raw"),
        ("@open\n@wire 2\\r\\nx\\nyy\\r\\n0\\r\\n\\r\\n\n@drop\n", "-isN --raw"),
        ("@header Server: x\n@header Content-Type: text/event-stream;charset=utf-8\n@header Vary: y\ndata: 1\n\n", "-isN --raw"),
        ("@framing chunked\n@sleep 60ms\n", "-isN --raw"),
        ("@gzip event\ndata: 1\n\n@sleep 60ms\ndata: 2\n\n", "-isN --raw"),
        ("@gzip event\ndata: 1\n\n@sleep 60ms\ndata: 2\n\n", "-isN --compressed"),
        ("data: 1\n\n@sleep 60ms\ndata: 2\n\n", "-sN --raw"),
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
