//! The example `proxy_trial` detects each fault of a proxy: behind a proxy with one fault, exactly the rows listed
//! here fail.

#[path = "../support/mod.rs"]
mod support;

mod proxy;

use proxy::{Fault, Proxy};
use std::process::Command;
use support::{example, free_address};

/// Seconds of silence. It is longer than the 2 s of silence in another row, so that a proxy can cut off this one alone.
const SILENCE: &str = "4";
/// How many times a trial is run until its rows are as expected: other tests can delay the events.
const ATTEMPTS: usize = 4;

/// For each fault, the rows that fail and those that get `info`.
const FAULTS: [(Fault, &[&str], &[&str]); 18] = [
    (Fault::None, &[], &[]),
    (Fault::HoldsBackHead, &["head at once"], &[]),
    (Fault::ChangesType, &["head at once", "Last-Event-ID"], &[]),
    (Fault::RespellsType, &[], &[]),
    (
        Fault::HoldsBackAll,
        &["head at once", "delay per event", "delay per token", "cut (FIN)", "cut (RST)", "Last-Event-ID"],
        &[],
    ),
    (Fault::WaitsForPause, &["delay per token"], &[]),
    (
        Fault::CompressesAll,
        &[
            "head at once",
            "delay per event",
            "delay per token",
            "chunk borders",
            "comments and bytes",
            "silence",
            "cut (FIN)",
            "cut (RST)",
            "Last-Event-ID",
        ],
        &["compression"],
    ),
    (Fault::CompressesAndHoldsBack, &["compression"], &[]),
    (Fault::JoinsChunks, &[], &["chunk borders"]),
    (Fault::RemovesChunks, &["chunk borders", "cut (FIN)", "cut (RST)"], &[]),
    (Fault::RemovesComments, &["comments and bytes"], &[]),
    (Fault::RepairsText, &["comments and bytes"], &[]),
    (Fault::EndsSilence, &["silence"], &[]),
    (Fault::HidesFin, &["cut (FIN)"], &[]),
    (Fault::HidesReset, &["cut (RST)"], &[]),
    (Fault::RemovesId, &["Last-Event-ID"], &[]),
    (Fault::ChangesNoContent, &["Last-Event-ID", "204"], &[]),
    (Fault::ReadsOn, &["client leaves"], &["client leaves silence"]),
];

#[test]
fn each_fault_fails_its_rows_and_no_others() {
    std::thread::scope(|scope| {
        let running =
            FAULTS.map(|(fault, failed, info)| scope.spawn(move || check_rows(fault, failed, info)));
        let problems: Vec<String> =
            running.into_iter().filter_map(|thread| thread.join().unwrap().err()).collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    });
}

#[test]
fn every_row_except_client_leaves_silence_fails_for_some_fault() {
    // Another program can take the address in the meantime.
    let mut trials = (0..ATTEMPTS).map(|_| rows_without_proxy());
    let all = trials.find(|rows| rows.len() == 13).expect("no trial has 13 rows");
    for row in all {
        let fails = FAULTS.iter().any(|(_, failed, _)| failed.contains(&row.as_str()));
        assert_eq!(fails, row != "client leaves silence", "{row}");
    }
}

/// The rows of a trial in which nothing is between server and client.
fn rows_without_proxy() -> Vec<String> {
    let address = free_address().to_string();
    let arguments = [address.clone(), format!("http://{address}"), "1".to_owned()];
    let output = Command::new(example("proxy_trial")).args(arguments).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    ["pass", "info", "FAIL"].iter().flat_map(|grade| rows(&printed, grade)).collect()
}

/// Runs trials of a proxy with this fault until one has these rows.
fn check_rows(fault: Fault, failed: &[&str], info: &[&str]) -> Result<(), String> {
    let mut printed = String::new();
    for _ in 0..ATTEMPTS {
        let upstream = free_address();
        let proxy = Proxy::start(fault, upstream);
        let arguments = [upstream.to_string(), format!("http://{}", proxy.address), SILENCE.to_owned()];
        let output = Command::new(example("proxy_trial")).args(arguments).output().unwrap();
        printed = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        if rows(&printed, "FAIL") == failed && rows(&printed, "info") == info {
            assert_eq!(output.status.code(), Some(i32::from(!failed.is_empty())), "{printed}");
            return Ok(());
        }
    }
    Err(format!("{fault:?}: expected {failed:?} to fail, and {info:?} to be info\n{printed}"))
}

/// The names of the rows with this grade.
fn rows(printed: &str, grade: &str) -> Vec<String> {
    let rows = printed.lines().filter_map(|line| line.strip_prefix(grade)?.strip_prefix("  "));
    rows.map(|row| row.chars().take(22).collect::<String>().trim_end().to_owned()).collect()
}
