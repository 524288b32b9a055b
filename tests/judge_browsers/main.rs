//! The page of the judge: it judges the browser that shows it, and shows the result of every case for every client.
//! This is a separate test program, because browsers that are judged keep a small machine busy.

#[path = "../support/mod.rs"]
mod support;

#[path = "../page/browser.rs"]
mod browser;
#[allow(dead_code, reason = "the test of the other page uses the rest")]
#[path = "../page/chromium.rs"]
mod chromium;
#[path = "../page/firefox.rs"]
mod firefox;

use browser::Browser;
use chromium::Chromium;
use firefox::Firefox;
use rust_sse_server::Server;
use std::fs;
use std::path::Path;
use std::time::Duration;
use support::{eventually_within, has_tool, request, Exchange, Program, PATIENCE};

/// Longer than it takes to run the cases, four at a time, on a busy machine.
const LONG: Duration = Duration::from_secs(300);

/// The text of an element.
fn text(id: &str) -> String {
    format!("document.getElementById('{id}').textContent")
}

/// Judges the browser that shows this page. Returns its name, as it is written in a query.
fn judge(page: &mut impl Browser) -> String {
    page.wait_for("String(document.querySelectorAll('#cases tr').length)", |count| count != "0");
    page.act("$('judge').click()");
    let state = eventually_within(LONG, || page.run(&text("state")), |state| !state.starts_with("Judging "));
    let (name, _) = state.split_once(" has run all cases: ").unwrap_or_else(|| panic!("{state}"));
    name.replace(' ', "%20")
}

/// Asserts that the verdicts for a client are those in `tests/judge/LIST.txt`. A busy machine makes a browser late, so it is
/// judged again in those that are not.
fn assert_verdicts<B: Browser>(program: &Program, client: &str, list: &str, open: fn(&str) -> B) {
    let wrong = wrong_results(program, client, list);
    if wrong.is_empty() {
        return;
    }
    let ids: Vec<String> = wrong.iter().filter_map(|line| member(line, "id")).collect();
    // In P08, every client dispatches an event, which shows that it reports them. P24 is needed later.
    judge(&mut open(&program.url(&format!("/-/judge?cases=P08,P24,{}", ids.join(",")))));
    let wrong = wrong_results(program, client, list);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The results of a client that are not those of a list, which has a line `ID VERDICT: REASON` for each case that is not
/// passed. The variants of a case have the same verdict.
fn wrong_results(program: &Program, client: &str, list: &str) -> Vec<String> {
    let list = format!("{}/tests/judge/{list}.txt", env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(list).unwrap();
    let listed: Vec<&str> = list.lines().filter_map(|line| line.split(": ").next()).collect();
    let target = request("GET", &format!("/-/judge/report?client={client}"), "Connection: close\r\n");
    let report = String::from_utf8(Exchange::new(program.address, target, PATIENCE).wire).unwrap();
    assert!(report.contains("\"verdict\":\"pass\""), "{report}");
    let is_right = |line: &str| {
        let (id, verdict) = (member(line, "id").unwrap(), member(line, "verdict").unwrap());
        let written = id.split('-').next().unwrap();
        match listed.iter().find_map(|line| line.strip_prefix(written)?.strip_prefix(' ')) {
            Some(listed) => verdict == listed,
            // A busy machine can make any client slow.
            None => verdict == "pass" || verdict == "slow",
        }
    };
    let results = report.lines().filter(|line| line.starts_with("{\"id\""));
    results.filter(|line| !is_right(line)).map(str::to_owned).collect()
}

/// The value of a member of an object in JSON, if it is a string without escapes.
fn member(line: &str, name: &str) -> Option<String> {
    let value = line.split(&format!("\"{name}\":\"")).nth(1)?;
    Some(value.split('"').next()?.to_owned())
}

#[test]
fn chromium_judges_itself() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&["--judge"]);
    let mut page = Chromium::open(&program.url("/-/judge"));
    let name = judge(&mut page);
    assert!(name.starts_with("Chromium%20"), "{name}");
    assert_verdicts(&program, &name, "chromium", Chromium::open);

    the_details_show_what_was_expected_what_was_received_and_the_wire(&mut page);
    a_client_that_opens_a_case_by_hand_is_shown(&mut page, &program);
    it_can_be_read_in_light_and_dark(&mut page);
    assert_eq!(page.faults(), Vec::<String>::new());
}

/// Firefox waits at least half a second before it reconnects, too long for a stream that is cut at every position.
#[test]
fn firefox_judges_itself() {
    if !has_tool("firefox-esr") {
        return;
    }
    let cases = Server::new().judge().start("127.0.0.1:0").unwrap().cases();
    let is_run =
        |id: &String| !id.ends_with("-cuts") && !id.ends_with("-2") && id != "R12" && !id.starts_with('L');
    let cases: Vec<String> = cases.into_iter().filter(is_run).collect();
    let program = Program::start(&["--judge"]);
    let name = judge(&mut Firefox::open(&program.url(&format!("/-/judge?cases={}", cases.join(",")))));
    assert!(name.starts_with("Firefox%20"), "{name}");
    assert_verdicts(&program, &name, "firefox", Firefox::open);
}

fn the_details_show_what_was_expected_what_was_received_and_the_wire(page: &mut Chromium) {
    page.act("[...clients.values()][0].cells.get('P24').firstElementChild.click()");
    let wire = page.wait_for(&text("wire"), |wire| !wire.is_empty());
    assert!(wire.contains(" > GET /case/Chromium%20") && wire.contains(" < id: ö\\n"), "{wire}");
    assert!(page.run(&text("which")).ends_with(", P24: fail"));
    assert_eq!(page.run(&text("expected")), "last-event-id \\xC3\\xB6");
    assert_eq!(page.run(&text("got")), "no request");
    assert_eq!(page.run("document.activeElement.id"), "details");
}

fn a_client_that_opens_a_case_by_hand_is_shown(page: &mut Chromium, program: &Program) {
    let visit = |id: &str| {
        let fields = format!("{id}Connection: close\r\n");
        Exchange::new(program.address, request("GET", "/case/%3Cb%3Emine/P08", &fields), PATIENCE);
    };
    let verdict = "clients.get('<b>mine')?.cells.get('P08').dataset.verdict";
    visit("");
    page.wait_for(verdict, |verdict| verdict == "running");
    visit("Last-Event-ID: x\r\n");
    page.wait_for(verdict, |verdict| verdict == "pass");
    assert_eq!(page.run("clients.get('<b>mine').header.firstChild.data"), "<b>mine");
    page.act("clients.get('<b>mine').header.querySelector('button').click()");
    page.wait_for("String(clients.size)", |count| count == "1");
}

/// `PICTURES=FOLDER cargo test --test judge_browsers` saves screenshots of it.
fn it_can_be_read_in_light_and_dark(page: &mut Chromium) {
    page.act("$('differing').click()");
    for (scheme, background) in [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 27)")] {
        page.emulate("prefers-color-scheme", scheme);
        assert_eq!(page.run("getComputedStyle(document.body).backgroundColor"), background);
        for width in [400, 1100] {
            page.resize(width, 800);
            let overflow =
                "String(document.documentElement.scrollWidth - document.documentElement.clientWidth)";
            assert_eq!(page.run(overflow), "0", "at {width} px");
            if let Some(folder) = std::env::var_os("PICTURES") {
                let file = Path::new(&folder).join(format!("judge-{scheme}-{width}.png"));
                fs::write(file, page.picture()).unwrap();
            }
        }
    }
}
