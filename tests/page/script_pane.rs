//! The text of the selected script can be read, and with `--control` changed and played.

use super::{connect, open_page, press, rows, wait_for_list, wait_for_state, STATE};
use crate::browser::Browser;
use crate::chromium::Chromium;
use crate::firefox::Firefox;
use crate::support::{has_tool, Folder, Program};
use std::fs;
use std::path::Path;

const SOURCE: &str = "document.getElementById('source').value";
const OPEN: &str = "document.getElementById('source-pane').open = true";

#[test]
fn the_script_is_shown_and_with_control_it_can_be_changed_and_played() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&["--control"]);
    let mut page = open_page(&program);
    connect(&mut page, "/hang");
    page.act(OPEN);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scripts/hang.sse");
    let text = fs::read_to_string(file).unwrap();
    page.wait_for(SOURCE, |source| source == text);
    page.act("document.getElementById('source').value = 'data: changed\\n\\n@slep 1s\\n'; document.getElementById('play').click()");
    page.wait_for(STATE, |state| state.contains("unknown direction `@slep` (did you mean `@sleep`?)"));
    page.act("document.getElementById('source').value = 'data: changed\\n\\n@hang\\n'; document.getElementById('play').click()");
    page.wait_for(&rows("dispatched", "[data-kind=event]"), |rows| rows.starts_with("message | changed"));
    assert_eq!(page.run(STATE), "Open: /hang");
    assert_eq!(page.faults(), Vec::<String>::new());
}

#[test]
fn without_control_the_script_can_only_be_read() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&[]);
    let mut page = open_page(&program);
    page.act(OPEN);
    page.wait_for(SOURCE, |source| source.starts_with("@# The demo"));
    assert_eq!(page.run("String(document.getElementById('source').readOnly)"), "true");
    assert_eq!(page.run("String(document.getElementById('play').disabled)"), "true");
    connect(&mut page, "/hang");
    page.wait_for(SOURCE, |source| source.starts_with("@# One event, then silence"));
}

/// The lines of the pane's text that a mark covers, as the browser draws them; nothing if it is hidden.
fn marked(id: &str) -> String {
    format!(
        "(() => {{ const mark = document.getElementById('{id}'), source = document.getElementById('source'); \
         if (mark.hidden) return ''; \
         const style = getComputedStyle(source), height = parseFloat(style.lineHeight); \
         const top = mark.offsetTop + source.scrollTop - parseFloat(style.borderTopWidth) - parseFloat(style.paddingTop); \
         const [first, count] = [top, mark.offsetHeight].map(pixels => Math.round(pixels / height)); \
         return source.value.split('\\n').slice(first, first + count).join('\\n') }})()"
    )
}

const PLAYED: &str = "document.getElementById('played').textContent";

#[test]
fn the_lines_that_are_played_are_marked() {
    if has_tool("chromium") {
        let program = Program::start(&["--control"]);
        let mut page = open_page(&program);
        lines_are_marked(&mut page);
        assert_eq!(page.faults(), Vec::<String>::new());
    }
}

#[test]
fn the_lines_that_are_played_are_marked_in_firefox() {
    if has_tool("firefox-esr") {
        let program = Program::start(&["--control"]);
        let mut page = Firefox::open(&program.url("/"));
        wait_for_list(&mut page);
        lines_are_marked(&mut page);
    }
}

fn lines_are_marked(page: &mut impl Browser) {
    page.act(OPEN);
    connect(page, "/hang");
    page.wait_for(&marked("played-lines"), |lines| lines == "@hang");
    assert_eq!(page.run(&marked("sent-lines")), "data: the last thing you will hear\n");
    // Pointing at a row marks its lines.
    page.act("document.querySelector('#dispatched [data-kind=event]').dispatchEvent(new PointerEvent('pointerover', { bubbles: true }))");
    assert!(page.run(&marked("played-lines")).contains("data: the last"));
    page.act("document.getElementById('dispatched').dispatchEvent(new PointerEvent('pointerleave'))");
    assert_eq!(page.run(&marked("played-lines")), "@hang");

    // In a text that is edited, the lines are no longer the same ones; when it is played, they are.
    page.act("const source = document.getElementById('source'); source.value = '@# 1\\n\\n@part last-event-id\\n@resume\\n\
        data: 5\\n\\n@repeat 3\\nid: {{i}}\\ndata: x\\n\\n@again\\n@hang\\n@part otherwise\\nretry: 50\\nid: 2\\ndata: 15\\n\\n@drop\\n'; \
        source.dispatchEvent(new Event('input'))");
    assert_eq!(page.run(&marked("played-lines")), "");
    page.act("document.getElementById('play').click()");
    page.wait_for(&marked("played-lines"), |lines| lines == "@hang");
    assert_eq!(page.run(PLAYED), "Line 12 of /hang");
    let lines = |name: &str, lines: &str| {
        format!("String([...document.querySelectorAll('#{name}')].filter(({{ row }}) => `${{row.lines?.first}}-${{row.lines?.last}}` == '{lines}').length)")
    };
    assert_eq!(page.run(&lines("wire [data-name=chunk-data]", "14-17")), "1", "the first response");
    assert_eq!(page.run(&lines("dispatched [data-kind=event]", "8-10")), "1", "what follows event 2");
    assert_eq!(page.run(&lines("dispatched [data-kind=event]", "5-6")), "0", "what is before it");
    page.act("document.getElementById('connect').click()");
    assert_eq!(page.run(&marked("played-lines")), "", "when it is disconnected");
}

#[test]
fn lines_of_other_scripts_are_named_and_the_marks_follow_the_rows_that_are_shown() {
    if !has_tool("chromium") {
        return;
    }
    let folder = Folder::new("lines-of-others");
    let lone = folder.file("lone.sse", "data: a\rdata: b\r\n\r\n@hang\n");
    let program = Program::start(&["--script", &lone]);
    let mut page = open_page(&program);
    page.act(OPEN);
    connect(&mut page, "/lone");
    page.wait_for(&marked("played-lines"), |lines| lines == "@hang");
    assert_eq!(page.run(&marked("sent-lines")), "data: a\ndata: b\n");

    page.act("document.getElementById('once').click()");
    press(&mut page, "pause");
    connect(&mut page, "/redirect");
    wait_for_waiting_rows(&mut page);
    assert_eq!(page.run(PLAYED), "");
    while !page.run(PLAYED).ends_with(" of /fields") {
        press(&mut page, "next-chunk");
        assert!(!page.run(STATE).starts_with("Nothing more"));
    }
    assert_eq!(page.run(&marked("played-lines")), "");
    connect(&mut page, "/fields");
    wait_for_waiting_rows(&mut page);
    while !page.run(&marked("played-lines")).starts_with("id: 1\nevent: greeting\n") {
        press(&mut page, "next-row");
        assert!(!page.run(STATE).starts_with("Nothing more"), "{}", page.run(PLAYED));
    }
    press(&mut page, "pause");
    wait_for_state(&mut page, |state| state.starts_with("Disconnected at the end"));
    assert_eq!(page.run(&marked("played-lines")), "");
    assert_eq!(page.faults(), Vec::<String>::new());
}

/// Waits until the end of the response has arrived, while the rows are paused.
fn wait_for_waiting_rows(page: &mut Chromium) {
    let ended = "String(playback.waiting.some(({ column, data }) => column == 'wire' && data.name == 'end'))";
    page.wait_for(ended, |ended| ended == "true");
}
