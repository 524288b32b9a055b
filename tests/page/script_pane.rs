//! The text of the selected script can be read, and with `--control` changed and played.

use super::{connect, open_page, rows, STATE};
use crate::browser::Browser;
use crate::support::{has_tool, Program};
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
