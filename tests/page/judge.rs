//! The page of the judge: it judges the browser that shows it, and shows what came of every case for every client.

use crate::chromium::Chromium;
use crate::support::{eventually_within, has_tool, request, Exchange, Program, PATIENCE};
use std::path::Path;
use std::time::Duration;

/// Longer than it takes to run all cases, four at a time, on a busy machine.
const LONG: Duration = Duration::from_secs(240);

/// What Chromium gets wrong: the cases, their verdict, and why.
const CHROMIUM: &[(&[&str], &str, &str)] = &[
    (&["P24", "P24-1", "P24-2", "P24-cuts"], "fail", "it closes a stream whose charset is not UTF-8"),
    (&["P26", "P26-1", "P26-2"], "slow", "it takes a retry without a value for its default of 3 s"),
    (&["H15"], "fail", "after 20 redirects it reconnects, as after any other network error"),
];

/// The text of an element.
fn text(id: &str) -> String {
    format!("document.getElementById('{id}').textContent")
}

#[test]
fn chromium_judges_itself() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&["--judge"]);
    let mut page = Chromium::open(&program.url("/-/judge"));
    page.wait_for("String(document.querySelectorAll('#cases tr').length)", |count| count != "0");
    page.act("$('judge').click()");
    let state = eventually_within(LONG, || page.run(&text("state")), |state| !state.starts_with("Judging "));
    assert!(state.starts_with("Chromium ") && state.contains(" has run all cases: "), "{state}");
    // A busy machine can make any client slow.
    let others =
        "Array.from(document.querySelectorAll('[data-verdict]'), cell => cell.result).filter(result => \
        result.verdict == 'fail' || result.verdict == 'not-reported' || result.id.startsWith('P26'))";
    let others =
        page.run(&format!("{others}.map(result => `${{result.verdict}} ${{result.id}}`).join('\\n')"));
    let expected =
        CHROMIUM.iter().flat_map(|(ids, verdict, _)| ids.iter().map(move |id| format!("{verdict} {id}")));
    let passed = ["pass P26-cuts".to_owned()];
    let expected: Vec<_> = expected.collect();
    let got: Vec<_> = others.lines().filter(|line| !passed.contains(&(*line).to_owned())).collect();
    assert_eq!(got, expected);

    the_details_show_what_was_expected_what_came_and_the_wire(&mut page);
    a_client_that_opens_a_case_by_hand_is_shown(&mut page, &program);
    it_can_be_read_in_light_and_dark(&mut page);
    assert_eq!(page.faults(), Vec::<String>::new());
}

fn the_details_show_what_was_expected_what_came_and_the_wire(page: &mut Chromium) {
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

/// `PICTURES=FOLDER cargo test --test page -- chromium_judges` keeps pictures of it.
fn it_can_be_read_in_light_and_dark(page: &mut Chromium) {
    page.act("$('differing').click()");
    for (scheme, background) in [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 27)")] {
        page.prefer_color_scheme(scheme);
        assert_eq!(page.run("getComputedStyle(document.body).backgroundColor"), background);
        for width in [400, 1100] {
            page.resize(width, 800);
            let overflow =
                "String(document.documentElement.scrollWidth - document.documentElement.clientWidth)";
            assert_eq!(page.run(overflow), "0", "at {width} px");
            if let Some(folder) = std::env::var_os("PICTURES") {
                let file = Path::new(&folder).join(format!("judge-{scheme}-{width}.png"));
                std::fs::write(file, page.picture()).unwrap();
            }
        }
    }
}
