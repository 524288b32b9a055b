//! The server as seen by curl and netcat.

mod support;

use std::process::{Command, Output};
use std::time::{Duration, Instant};
use support::{eventually, has_tool, serve, Folder, Program, GREETING};

fn curl(arguments: &[&str]) -> Output {
    Command::new("curl").args(["--no-progress-meter", "--max-time", "20"]).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn curl_v_shows_the_head_and_leaves_the_connection_intact() {
    if !has_tool("curl") {
        return;
    }
    let program = Program::start(&["--speed", "10"]);
    let play_once = || {
        let start = Instant::now();
        let output = curl(&["-v", "-N", &program.url("/events")]);
        let time = start.elapsed().as_millis();
        assert!(time >= 1_500, "{time}");
        (time, output)
    };
    // A busy machine delays one, but not each time.
    let (_, output) = eventually(play_once, |(time, _)| *time < 2_000);
    assert_eq!(output.status.code(), Some(0));
    let (body, notes) = (text(&output.stdout), text(&output.stderr));
    let head: Vec<&str> = notes.lines().filter_map(|line| line.strip_prefix("< ")).collect();
    assert_eq!(head[0].trim_end(), "HTTP/1.1 200 OK");
    let names: Vec<&str> =
        head[1..].iter().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    assert_eq!(names, ["transfer-encoding", "cache-control", "content-type", "date"]);
    assert!(notes.contains("* Connection #0 to host 127.0.0.1 left intact"), "{notes}");
    assert!(body.starts_with(GREETING));
    assert_eq!(body.matches("Hello from Rust!").count(), 15);
    assert_eq!(body.matches("\n\n").count(), 10 + 20);
}

#[test]
fn a_stream_captured_by_curl_is_a_script() {
    if !has_tool("curl") {
        return;
    }
    let server = support::demo("max");
    let captured = curl(&["-N", &server.url("/events")]).stdout;
    let again = serve("max", &[("/again", &captured)]);
    assert_eq!(text(&curl(&["-N", &again.url("/again")]).stdout), text(&captured));
    let raw = text(&curl(&["-N", "--raw", &again.url("/again")]).stdout);
    let chunks = raw.split("\n\n\r\n").count() - 1;
    assert_eq!(chunks, 10 + 20, "one chunk per event");
}

#[test]
fn curl_gets_204_after_the_last_event_on_the_same_connection() {
    if !has_tool("curl") {
        return;
    }
    let server = support::demo("max");
    let url = server.url("/events");
    let output = curl(&["-v", "-H", "Last-Event-ID: 15", &url, &url]);
    let notes = text(&output.stderr);
    assert_eq!(notes.matches("< HTTP/1.1 204 No Content").count(), 2, "{notes}");
    assert!(notes.contains("Re-using existing connection"), "{notes}");
}

#[test]
fn curl_gets_405_for_a_post_that_expects_100_continue() {
    if !has_tool("curl") {
        return;
    }
    let server = support::demo("max");
    let folder = Folder::new("post");
    let file = folder.file("body", "x".repeat(1_000_000));
    let start = Instant::now();
    let output = curl(&[
        "-v",
        "-H",
        "Expect: 100-continue",
        "--data-binary",
        &format!("@{file}"),
        &server.url("/events"),
    ]);
    let notes = text(&output.stderr);
    assert!(notes.contains("< HTTP/1.1 100 Continue"), "{notes}");
    assert!(notes.contains("< HTTP/1.1 405 Method Not Allowed"), "{notes}");
    assert!(start.elapsed() < Duration::from_secs(1), "curl waited for 100 Continue");
}

#[test]
fn netcat_gets_the_whole_stream_after_a_half_close() {
    if Command::new("nc").arg("-h").output().is_err() {
        return support::skip("nc is not installed");
    }
    let server = support::demo("20");
    let command = format!(
        "printf 'GET /events HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' | nc -N -w 5 127.0.0.1 {}",
        server.address().port()
    );
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    assert!(text(&output.stdout).ends_with("\r\n0\r\n\r\n"), "{}", text(&output.stdout));
}

#[test]
fn curl_reads_gzip_as_it_is_flushed() {
    if !has_tool("curl") {
        return;
    }
    for flush in ["event", "end"] {
        let big = "x".repeat(100_000);
        let script = format!("@gzip {flush}\ndata: 1\n\ndata: {big}\n\n@trailer A: b\n");
        let server = serve("max", &[("/gzip", script.as_bytes())]);
        let output = curl(&["--compressed", &server.url("/gzip")]);
        assert_eq!(output.status.code(), Some(0), "{flush}");
        assert!(text(&output.stdout) == format!("data: 1\n\ndata: {big}\n\n"), "{flush}");
        let cut = serve("max", &[("/cut", format!("@gzip {flush}\ndata: 1\n\n@drop\n").as_bytes())]);
        assert_eq!(curl(&["--compressed", &cut.url("/cut")]).status.code(), Some(18), "{flush}");
    }
}
