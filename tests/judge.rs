//! `--judge -- COMMAND`: runs a client in the test cases, prints and writes the result of each, and sets the exit
//! status.

mod support;

use std::fs;
use std::process::{Command, Output};
use support::{example, program_path, Folder};

fn judge(options: &[&str], client: &[&str]) -> Output {
    let mut command = Command::new(program_path());
    command.arg("--judge").args(options).arg("--").args(client).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn our_client() -> String {
    example("judge_client").to_str().unwrap().to_owned()
}

#[test]
fn our_event_source_violates_no_must() {
    let output = judge(&[], &[&our_client()]);
    assert!(output.status.success(), "{}", stdout(&output));
    let text = stdout(&output);
    let is_other = |line: &&str| !line.contains(" pass: ") && !line.contains(" info ");
    let others: Vec<&str> = text.lines().filter(is_other).collect();
    assert_eq!(others.len(), 2, "{others:#?}");
    assert!(others[0].starts_with("H25 must 9110-8.4 not-reported: "), "{others:#?}");
    assert!(others[0].ends_with(" (the client accepts no gzip)"), "{others:#?}");
    assert!(others[1].ends_with(" pass, 5 info, 1 not-reported"), "{others:#?}");
}

#[test]
fn a_client_that_ends_at_once_fails_and_the_exit_code_is_1() {
    let output = judge(&["--cases", "P16,P29"], &["true"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stdout(&output),
        "P16 must 9.2.6 fail: An id without a value resets the last event ID \
         (expected no last-event-id, got no request)\n\
         P29 must 9.2.6 fail: Lines of data are joined by LF (expected a request, got no request)\n\
         2 cases: 2 fail\n"
    );
}

#[test]
fn a_client_that_reports_nothing_is_judged_by_its_requests_alone() {
    let url = "for i in 1 2 3; do curl -sN \"$0\" >/dev/null; sleep 0.06; done";
    if !support::has_tool("curl") {
        return;
    }
    let output = judge(&["--cases", "P11,P29,P08"], &["sh", "-c", url]);
    let text = stdout(&output);
    let verdicts: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(3)).collect();
    assert_eq!(verdicts, ["fail:", "pass:", "not-reported:", "pass,"], "{text}");
    assert!(text.contains("(expected last-event-id x, got no last-event-id)\n"), "{text}");
}

#[test]
fn a_line_that_is_too_long_is_ignored_with_one_warning() {
    if !support::has_tool("curl") {
        return;
    }
    // After the long line, the client reports an event that was not sent.
    let client = r#"head -c 17000000 /dev/zero; printf '\n{"data":"z"}\n'; exec curl -sN "$0" >/dev/null"#;
    let output = judge(&["--cases", "P29,P31"], &["sh", "-c", client]);
    assert!(stdout(&output).ends_with("\n2 cases: 2 fail\n"), "{}", stdout(&output));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "rust_sse_server: warning: the client printed a line of more than 16 MiB, which is ignored (each event has to \
         be a line of JSON)\n"
    );
    // Where the warning cannot be written, what follows is reported as before.
    let full_stderr = r#"exec "$0" --judge --cases P29,P31 -- sh -c "$1" 2>/dev/full"#;
    let mut command = Command::new("sh");
    command.args(["-c", full_stderr]).arg(program_path()).arg(client);
    let unwritable = command.output().unwrap();
    assert_eq!(stdout(&unwritable), stdout(&output));
}

#[test]
fn a_line_that_is_not_utf_8_is_ignored_like_any_other_text() {
    if !support::has_tool("curl") {
        return;
    }
    // The client reports an event that was not sent.
    let client = r#"printf '\377\n{"data":"z"}\n'; exec curl -sN "$0" >/dev/null"#;
    let output = judge(&["--cases", "P29"], &["sh", "-c", client]);
    assert!(stdout(&output).starts_with("P29 must 9.2.6 fail: "), "{}", stdout(&output));
}

#[test]
fn known_failures_do_not_count_and_known_cases_that_pass_do() {
    let folder = Folder::new("judge-known");
    let known = folder.0.join("known.txt");
    fs::write(&known, "# not yet\nP16 takes no id\n").unwrap();
    let options = ["--cases", "P16", "--known", known.to_str().unwrap()];
    let output = judge(&options, &["true"]);
    assert!(output.status.success(), "{}", stdout(&output));
    assert!(stdout(&output).contains(" got no request) [known: takes no id]\n"), "{}", stdout(&output));
    let output = judge(&options, &[&our_client()]);
    assert_eq!(output.status.code(), Some(1));
    let text = "P16 is listed as known to fail, but it passes: remove it from the list\n";
    assert!(stdout(&output).ends_with(text), "{}", stdout(&output));
}

#[test]
fn reports_are_written_for_programs_and_for_people() {
    let folder = Folder::new("judge-report");
    let report = folder.0.join("a/b");
    let output = judge(&["--cases", "P16", "--report", report.to_str().unwrap()], &["true"]);
    assert_eq!(output.status.code(), Some(1));
    let read = |name: &str| fs::read_to_string(report.join(name)).unwrap();
    let json = read("report.json");
    let result = "{\"id\":\"P16\",\"level\":\"must\",\"section\":\"9.2.6\",\
        \"text\":\"An id without a value resets the last event ID\",\"verdict\":\"fail\",\
        \"expected\":\"no last-event-id\",\"got\":\"no request\",\"wire\":\"\"}";
    assert_eq!(json, format!("{{\"client\":\"true\",\"cases\":[\n{result}\n]}}\n"));
    assert!(read("junit.xml").contains("<failure message=\"expected no last-event-id, got no request\">"));
    let html = read("index.html");
    assert!(html.contains("<td>P16<td>must<td>9.2.6<td>fail<td>"), "{html}");
    assert!(!html.contains("src=") && !html.contains("href="), "{html}");
}

/// The command of the workflow, with another client and one case only.
#[test]
fn the_workflow_judges_a_client_with_a_list_of_known_failures() {
    let folder = Folder::new("judge-workflow");
    fs::write(folder.0.join("judge.txt"), "P16 takes no id\n").unwrap();
    let workflow = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/judge/workflow.yml");
    let workflow = fs::read_to_string(workflow).unwrap();
    let command = workflow.split("- run: rust_sse_server ").nth(1).unwrap().lines().next().unwrap();
    let options: Vec<&str> = command.strip_suffix(" -- node judge.cjs").unwrap().split(' ').collect();
    let mut judge = Command::new(program_path());
    let output =
        judge.args(options).args(["--cases", "P16", "--", "true"]).current_dir(&folder.0).output().unwrap();
    assert!(output.status.success(), "{}", stdout(&output));
    assert!(folder.0.join("report/index.html").exists());
}

#[test]
fn a_captured_stream_is_a_case_and_so_are_scripts_with_expectations() {
    let folder = Folder::new("judge-own");
    let write = |name: &str, text: &str| {
        fs::write(folder.0.join(name), text).unwrap();
        folder.0.join(name).to_str().unwrap().to_owned()
    };
    // A block with only an unknown field is not an event.
    let capture = write(
        "capture.sse",
        "id: 1\nevent: x\ndata: {{a}}\n\nfoo: x\n\ndata: b\n\n@literal on\ndata: {{i}}\n\n",
    );
    let resumes = write(
        "resumes.sse",
        "@part connection 1\nretry: 10\nid: 7\n\ndata: x\n\n@part connection 2\n@expect last-event-id 8\n@status 204\n",
    );
    let output = judge(&["--script", &capture, "--script", &resumes], &[&our_client()]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "capture must 9.2.6 pass: The events of capture are dispatched");
    assert!(
        lines[1].starts_with("resumes must ")
            && lines[1].contains("expected last-event-id 8, got last-event-id `7`"),
        "{text}"
    );
    assert_eq!(lines[2], "2 cases: 1 pass, 1 fail");
    let silent = judge(&["--script", &capture], &["true"]);
    assert!(stdout(&silent).starts_with("capture must 9.2.6 fail: "), "{}", stdout(&silent));
}

#[test]
fn a_case_that_cannot_judge_a_client_says_why_in_every_report() {
    let folder = Folder::new("judge-skip");
    let script = folder.0.join("cookie.sse");
    let text = "@case must Fetch A cookie comes back\n\
        @part connection 1\n@header set-cookie: a=1\nretry: 10\ndata: x\n\n\
        @part connection 2 and no header cookie\n@skip the client keeps no cookies\n@status 204\n\
        @part otherwise\n@expect cookie a=1\n@status 204\n";
    fs::write(&script, text).unwrap();
    let options = ["--script", script.to_str().unwrap(), "--report", folder.0.to_str().unwrap()];
    let output = judge(&options, &[&our_client()]);
    assert!(output.status.success(), "{}", stdout(&output));
    let (about, reason) = ("A cookie comes back", "the client keeps no cookies");
    let line = format!("cookie must Fetch not-reported: {about} ({reason})\n");
    assert_eq!(stdout(&output), line + "1 case: 1 not-reported\n");
    let read = |name: &str| fs::read_to_string(folder.0.join(name)).unwrap();
    let result = format!("\"verdict\":\"not-reported\",\"expected\":\"\",\"got\":\"{reason}\",");
    assert!(read("report.json").contains(&result), "{}", read("report.json"));
    let skipped = format!("name=\"cookie: {about}\"><skipped message=\"{reason}\"/></testcase>");
    assert!(read("junit.xml").contains(&skipped), "{}", read("junit.xml"));
    assert!(read("index.html").contains(&format!("<p><b>got</b> {reason}</p>")), "{}", read("index.html"));
}

#[test]
fn what_cannot_be_judged_is_one_clear_message() {
    for (options, client, code, message) in [
        (
            &["--cases", "Q*"][..],
            &["true"][..],
            1,
            "no case has such a name (`--cases 'P*'` selects the cases on parsing)",
        ),
        (&[], &["/nonexistent/client"], 1, "cannot start `/nonexistent/client`: "),
        (&["--cases", "P*"], &[], 2, "expected a command after `--`"),
        (
            &["--profile", "x"],
            &["true"],
            2,
            "invalid value `x` for `--profile` (expected eventsource, browser, library or parser)",
        ),
        (&["--known", "/nonexistent"], &["true"], 1, "cannot read /nonexistent: "),
    ] {
        let output = judge(options, client);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.starts_with(&format!("rust_sse_server: {message}")), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}
