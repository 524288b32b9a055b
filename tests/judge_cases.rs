//! The built-in test cases: a correct client passes them, for each there is a fault that makes a client fail it, and the
//! events that a client has to dispatch are those written here by hand.

mod support;

use rust_sse_server::{CaseResult, CaseRun, CaseVerdict, RunningServer, Server};
use std::fs;
use std::sync::Mutex;
use std::thread;
use support::reference_client::{self, Fault};
use support::{request, Exchange, PATIENCE};

/// Cases that run at the same time. They mostly wait.
const PARALLEL: usize = 64;

/// For each case a fault that makes a client fail it. The rule in the case is what the client gets wrong.
const FAULTS: &[(&str, Fault)] = &[
    ("P01", Fault::KeepsByteOrderMark),
    ("P02", Fault::RemovesAllByteOrderMarks),
    ("P03", Fault::RemovesByteOrderMarksInEveryLine),
    ("P04", Fault::FindsByteOrderMarkInFirstPieceOnly),
    ("P05a", Fault::DoesNotKnowLf),
    ("P05b", Fault::TakesCrLfForTwoLineEnds),
    ("P05c", Fault::DoesNotKnowCr),
    ("P05d", Fault::TakesFirstLineEndForAll),
    ("P06", Fault::ForgetsCrAfterPiece),
    ("P07", Fault::WaitsForByteAfterCr),
    ("P08", Fault::RequiresSpaceAfterColon),
    ("P09", Fault::RemovesAllSpacesAfterColon),
    ("P10", Fault::RemovesTabAfterColon),
    ("P11", Fault::IgnoresCaseOfNames),
    ("P12", Fault::RemovesSpacesBeforeNames),
    ("P13", Fault::FailsAtUnknownFields),
    ("P14", Fault::TakesCommentsForFields),
    ("P15", Fault::SplitsAtLastColon),
    ("P16", Fault::IgnoresEmptyId),
    ("P17a", Fault::RemovesNulFromId),
    ("P17b", Fault::RemovesNulFromId),
    ("P17c", Fault::RemovesNulFromId),
    ("P17d", Fault::RemovesNulFromId),
    ("P17e", Fault::RemovesNulFromId),
    ("P18", Fault::ForgetsIdAfterEvent),
    ("P19", Fault::TakesIdWithDataOnly),
    ("P20", Fault::TakesIdBeforeEmptyLine),
    ("P20", Fault::DispatchesUnfinishedEvent),
    ("P21", Fault::SendsAsciiOnly),
    ("P22", Fault::StopsAtInvalidUtf8),
    ("P23", Fault::DecodesEachPiece),
    ("P24", Fault::DecodesAsContentTypeSays),
    ("P25", Fault::TakesDigitsAtStartOfRetry),
    ("P26", Fault::TakesEmptyRetryForZero),
    ("P27", Fault::TakesRetryForOctal),
    ("P28", Fault::TakesRetryWithDataOnly),
    ("P29", Fault::KeepsLastLineOfDataOnly),
    ("P30", Fault::IgnoresEmptyData),
    ("P31", Fault::JoinsNoEmptyData),
    ("P32", Fault::KeepsEventType),
    ("P33", Fault::DispatchesWithoutData),
    ("P34", Fault::TruncatesDataAtNul),
    ("P35", Fault::EndsLinesAtUnicodeLineEnds),
    ("P36", Fault::ProcessesFirstEventOfPieceOnly),
    ("P36-1", Fault::EndsLinesWithPieces),
    ("P36-2", Fault::EndsLinesWithPieces),
    ("P37a", Fault::TruncatesLinesAt1MiB),
    ("P37b", Fault::TruncatesLinesAt1MiB),
    ("P38", Fault::EndsLinesWithPieces),
    ("P39", Fault::ProcessesStreamAtItsEnd),
    ("H01", Fault::SendsNoAccept),
    ("H02", Fault::SendsNoCacheControl),
    ("H03", Fault::SendsIdAtFirst),
    ("H04a", Fault::ComparesContentTypeWithCase),
    ("H04b", Fault::AllowsNoContentTypeParameters),
    ("H04c", Fault::AllowsNoContentTypeParameters),
    ("H05a", Fault::ComparesStartOfContentType),
    ("H05b", Fault::AcceptsEveryContentType),
    ("H06", Fault::AcceptsEveryContentType),
    ("H07", Fault::ReportsOpenOnce),
    ("H07", Fault::ReportsNoErrors),
    ("H08", Fault::ReconnectsAfterEveryStatus),
    ("H09", Fault::ReconnectsAfterEveryStatus),
    ("H10a", Fault::ReconnectsAfterEveryStatus),
    ("H10b", Fault::ReconnectsAfterEveryStatus),
    ("H10c", Fault::ReconnectsAfterEveryStatus),
    ("H10d", Fault::ReconnectsAfterEveryStatus),
    ("H10e", Fault::ReconnectsAfterEveryStatus),
    ("H10f", Fault::ReconnectsAfterEveryStatus),
    ("H10g", Fault::ReconnectsAfterEveryStatus),
    ("H12a", Fault::FollowsNoRedirects),
    ("H12b", Fault::FollowsNoRedirects),
    ("H12c", Fault::FollowsNoRedirects),
    ("H12d", Fault::FollowsNoRedirects),
    ("H12e", Fault::FollowsNoRedirects),
    ("H13", Fault::ReturnsToFirstUrl),
    ("H14a", Fault::ReconnectsAfterRedirectToNowhere),
    ("H14b", Fault::FollowsRedirectsForever),
    ("H15", Fault::FollowsRedirectsForever),
    ("H16", Fault::KeepsAuthorization),
    ("H17", Fault::AllowsNoChunkExtensions),
    ("H18a", Fault::ReadsChunkedBodiesOnly),
    ("H18b", Fault::ReadsChunkedBodiesOnly),
    ("H19", Fault::ClosesWhenConnectionIsLost),
    ("H19", Fault::TakesIdBeforeEmptyLine),
    ("H20a", Fault::ClosesWhenConnectionIsLost),
    ("H20b", Fault::ClosesWhenConnectionIsLost),
    ("H21a", Fault::ClosesWhenConnectionIsLost),
    ("H21b", Fault::ClosesWhenConnectionIsLost),
    ("H22", Fault::ClosesWhenRefused),
    ("H23", Fault::TakesInterimResponseForFinal),
    ("H24", Fault::ReportsOpenWithFirstEvent),
    ("H25", Fault::DecompressesWholeBody),
    ("H26", Fault::ReadsHttp11Only),
    ("H27", Fault::SendsNoCookie),
    ("H28", Fault::ReadsAllOrigins),
    ("H29", Fault::AllowsEveryOriginWithCredentials),
    ("H30a", Fault::SendsNoPreflight),
    ("H30b", Fault::SendsNoPreflight),
    ("R01", Fault::ReconnectsAtOnce),
    ("R03", Fault::ForgetsReconnectionTime),
    ("R04", Fault::OpensTwoConnections),
    ("R05", Fault::KeepsFirstId),
    ("R06", Fault::SendsEmptyId),
    ("R07", Fault::DispatchesUnfinishedEvent),
    ("R08", Fault::OpensTwoConnections),
    ("R09", Fault::ReconnectsAfterClose),
    ("R09", Fault::KeepsConnectionAfterClose),
    ("R11", Fault::ClosesConnectionAfterOneSecond),
    ("R12", Fault::SendsGetToReconnect),
    ("R13", Fault::ClosesWhenRefused),
    ("R14", Fault::ReconnectsAtOnceAfterFailure),
    ("R15", Fault::GivesUpAfterTwentyConnections),
    ("L01", Fault::IgnoresDone),
    ("L02", Fault::TakesEveryEndForDone),
    ("L02", Fault::ReportsNoErrors),
    ("L03", Fault::IgnoresErrorEvents),
    ("L04", Fault::FailsAtPings),
    ("L04", Fault::DispatchesWithoutData),
    ("L05", Fault::ReconnectsAfterClose),
    ("L05", Fault::KeepsConnectionAfterClose),
    ("L06", Fault::IgnoresRetryAfter),
];

/// The faults that make a client fail a case. A variant of a case has those of the case, unless it has others.
fn faults(case: &str) -> Vec<Fault> {
    let of = |name: &str| FAULTS.iter().filter(|(case, _)| *case == name).map(|(_, fault)| *fault).collect();
    let faults: Vec<Fault> = of(case);
    match case.split_once('-') {
        Some((written, _)) if faults.is_empty() => of(written),
        _ => faults,
    }
}

/// Cases of the level `info`, which no client fails.
const CANNOT_FAIL: [&str; 5] = ["H11a", "H11b", "H31", "R02", "R10"];

const TOKEN: &str = r#"{"choices":[{"delta":{"content":"x"}}]}"#;
const NEXT: &str = r#"{"choices":[{"delta":{"content":"y"}}]}"#;

/// For each case with `@expect events`, and for others where a wrong event could be dispatched: the events that a client
/// has to dispatch, each as event type, data and last event ID.
const EVENTS: &[(&str, &[[&str; 3]])] = &[
    ("P02", &[["message", "x", ""]]),
    ("P06", &[]),
    ("P07", &[["message", "x", ""], ["message", "y", ""]]),
    ("P09", &[["message", " x", ""], ["message", "y", ""]]),
    ("P10", &[["message", "\tx", ""]]),
    ("P14", &[["message", "x", "1"]]),
    ("P16", &[["message", "x", "1"], ["message", "y", ""]]),
    ("P18", &[["message", "x", "1"], ["message", "y", "1"]]),
    ("P19", &[["message", "x", ""]]),
    ("P20", &[["message", "x", "1"]]),
    ("P29", &[["message", "a\nb\n", ""]]),
    ("P30", &[["message", "x", ""], ["message", "", ""], ["message", "", ""]]),
    ("P31", &[["message", "\n", ""]]),
    ("P32", &[["x", "1", ""], ["message", "2", ""], ["message", "3", ""], ["message", "4", ""]]),
    ("P33", &[["message", "1", ""]]),
    ("P34", &[["message", "a\0b", ""]]),
    ("P35", &[["message", "a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f", ""]]),
    ("P38", &[["x", "é\n", "é"]]),
    ("P39", &[["message", "x", ""]]),
    ("H25", &[["message", "x", ""], ["message", "y", ""]]),
    ("R07", &[["message", "a", "1"], ["message", "b", "2"], ["message", "c", "3"]]),
    (
        "L04",
        &[
            ["ping", "{\"type\":\"ping\"}", ""],
            ["message", TOKEN, ""],
            ["message", NEXT, ""],
            ["message", "[DONE]", ""],
        ],
    ),
];

/// A case that is run with a client.
struct Run {
    case: String,
    fault: Option<Fault>,
}

/// Runs the cases, several at a time. Returns the runs whose verdicts are not right, in words.
fn run_all(runs: Vec<Run>, is_right: fn(CaseVerdict) -> bool) -> Vec<(Run, String)> {
    let server = Server::new().judge().start("127.0.0.1:0").unwrap();
    let runs = Mutex::new(runs.into_iter().enumerate());
    let wrong = Mutex::new(Vec::new());
    let next = || runs.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                while let Some((index, run)) = next() {
                    let result = run_case(&server, &index.to_string(), &run);
                    if !is_right(result.verdict) {
                        let text = format!("{:?}: {result}\n{}", run.fault, result.wire);
                        wrong.lock().unwrap().push((run, text));
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

fn run_case(server: &RunningServer, client: &str, run: &Run) -> CaseResult {
    let case = server.judge(client, &run.case).unwrap_or_else(|| panic!("no case {}", run.case));
    thread::scope(|scope| {
        scope.spawn(|| reference_client::run(server, &case, run.fault));
        case.wait()
    })
}

fn all_cases() -> Vec<String> {
    Server::new().judge().start("127.0.0.1:0").unwrap().cases()
}

#[test]
fn a_correct_client_passes_every_case() {
    let runs = all_cases().into_iter().map(|case| Run { case, fault: None }).collect();
    let passes = |verdict| matches!(verdict, CaseVerdict::Pass | CaseVerdict::Info);
    let mut wrong = run_all(runs, passes);
    // A busy machine makes a client late, so these are run again, one after the other.
    wrong = wrong.into_iter().flat_map(|(run, _)| run_all(vec![run], passes)).collect();
    assert!(wrong.is_empty(), "{}", texts(&wrong));
}

fn texts(wrong: &[(Run, String)]) -> String {
    wrong.iter().map(|(_, text)| text.as_str()).collect()
}

#[test]
fn the_events_that_a_client_has_to_dispatch_are_those_of_the_standard() {
    let server = Server::new().judge().start("127.0.0.1:0").unwrap();
    let check = |case: &str, expected: &[[&str; 3]]| {
        let run = server.judge("client", case).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| reference_client::run(&server, &run, None));
            run.wait();
        });
        assert_eq!(sent_events(&run), expected, "{case}");
    };
    // Large data is discarded when a case is decided, so these have no client that reconnects.
    let check_first_response = |case: &str, expected: &[[&str; 3]]| {
        let run = server.judge("client", case).unwrap();
        Exchange::new(server.address(), request("GET", &run.path(), ""), PATIENCE);
        assert_eq!(sent_events(&run), expected, "{case}");
    };
    let large = "y".repeat(5 << 20);
    let numbers: Vec<String> = (1..=100).map(|n| n.to_string()).collect();
    let hundred: Vec<[&str; 3]> = numbers.iter().map(|n| ["message", n, n]).collect();
    thread::scope(|scope| {
        for (case, expected) in EVENTS {
            scope.spawn(|| check(case, expected));
        }
        scope.spawn(|| check("P36", &hundred));
        scope.spawn(|| check_first_response("P37a", &[["message", &large, "big"]]));
        scope.spawn(|| check_first_response("P37b", &[["message", &large, "big"]]));
    });
    for case in server.cases().iter().filter(|case| !case.contains('-') && is_about_events(case)) {
        assert!(case.starts_with("P37") || EVENTS.iter().any(|(name, _)| name == case), "{case}");
    }
}

/// The events that were sent, each as event type, data and last event ID.
fn sent_events(run: &CaseRun) -> Vec<[String; 3]> {
    run.recording.with_events(|sent| {
        let events = sent.iter().map(|sent| sent.event.clone());
        events.map(|event| [event.event_type, event.data, event.last_event_id]).collect()
    })
}

/// Whether the case has `@expect events`.
fn is_about_events(case: &str) -> bool {
    let file = format!("{}/src/cases/{case}.sse", env!("CARGO_MANIFEST_DIR"));
    String::from_utf8_lossy(&fs::read(file).unwrap()).contains("@expect events")
}

#[test]
fn for_each_case_there_is_a_fault_that_makes_a_client_fail_it() {
    let mut runs = Vec::new();
    for case in all_cases().into_iter().filter(|case| !CANNOT_FAIL.contains(&case.as_str())) {
        let faults = faults(&case);
        assert!(!faults.is_empty(), "{case} has no fault");
        runs.extend(faults.into_iter().map(|fault| Run { case: case.clone(), fault: Some(fault) }));
    }
    let fails = |verdict| verdict == CaseVerdict::Fail;
    let mut wrong = run_all(runs, fails);
    // A busy machine makes a client late that would otherwise come too early, so these are run again, one after the other.
    wrong = wrong.into_iter().flat_map(|(run, _)| run_all(vec![run], fails)).collect();
    assert!(wrong.is_empty(), "{}", texts(&wrong));
}

#[test]
fn a_client_that_depends_on_pieces_fails_where_the_stream_is_cut() {
    let server = Server::new().judge().start("127.0.0.1:0").unwrap();
    let result = |case: &str| {
        run_case(&server, "pieces", &Run { case: case.to_owned(), fault: Some(Fault::EndsLinesWithPieces) })
    };
    assert_eq!(result("P08").verdict, CaseVerdict::Pass);
    let cut = result("P08-cuts").to_string();
    let start =
        "P08-cuts must 9.2.6 fail: The space after the colon can be left out (cut once, at each position) (";
    assert!(cut.starts_with(start) && cut.ends_with(" after the stream was cut at byte 10)"), "{cut}");
}
