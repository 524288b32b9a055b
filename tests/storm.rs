//! The load test in `examples/storm` reports how late events are; its exit status says whether any was lost.

mod support;

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty};
use std::net::TcpListener;
use support::{example, has_tool, serve, PATIENCE};

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
    storm(&["--clients", "2", "--ramp", "0", &server.url("/flawed")])
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
    let output = storm(&["--clients", "1", &server.url("/late")]).assert().code(0);
    let output = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let bar = output.lines().find(|line| line.contains("up to 500.00 ms ")).unwrap_or_default();
    assert!(bar.ends_with(" 1    6.67 %"), "{output}");
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

#[test]
fn a_server_that_cannot_be_reached_is_reported_with_exit_1() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = contains("     3 × Connection refused").and(contains("\n0 of 45 events, "));
    storm(&["--clients", "3", "--ramp", "0", &format!("http://{free}/")]).assert().code(1).stdout(refused);
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
    ] {
        let expected = format!("storm: {message}; see --help\n");
        storm(arguments).assert().code(2).stdout(is_empty()).stderr(expected);
    }
    storm(&["--help"]).assert().code(0).stdout(contains("Usage: storm [OPTIONS] [URL]")).stderr(is_empty());
}
