//! The time axis, and what is marked and shown when a row is pointed at.

use super::{connect, open_page, rows, take_picture, wait_for_state};
use crate::browser::Browser;
use crate::support::{has_tool, Program};

/// How many marks there are of each kind.
fn marks(kind: &str) -> String {
    format!("String(document.querySelectorAll('#marks .{kind}').length)")
}

#[test]
fn a_chunk_is_not_an_event_on_the_time_axis() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&["--speed", "2"]);
    let mut page = open_page(&program);
    page.act("document.getElementById('once').click()");
    connect(&mut page, "/slow");
    wait_for_state(&mut page, |state| state.starts_with("Disconnected at the end"));
    page.emulate("prefers-color-scheme", "dark");
    page.resize(1200, 600);
    take_picture(&mut page, "slow.png");
    let counts = ["request", "chunk", "event", "last", "loss"].map(|kind| page.run(&marks(kind)));
    assert_eq!(counts, ["1", "45", "2", "1", "0"]);
    // Marks are in the order of time, and the last one is at the end.
    let order = "String([...document.querySelectorAll('#marks .chunk')].every((mark, n, all) => \
        n == 0 || mark.getBoundingClientRect().left >= all[n - 1].getBoundingClientRect().left))";
    assert_eq!(page.run(order), "true");
    let at = "String(document.querySelector('#marks .last').getBoundingClientRect().left / innerWidth)";
    let at: f64 = page.run(at).parse().unwrap();
    assert!((0.9..1.0).contains(&at), "{at}");

    // Pointing at the mark of an event marks its chunk in all columns, and a row the mark.
    page.act("document.querySelector('#marks .event').dispatchEvent(new PointerEvent('pointerover', { bubbles: true }))");
    assert_eq!(page.run(&rows("dispatched", ".same")), "message | slowly | lastEventId \"1\"");
    assert_eq!(page.run(&rows("stream", ".same")), "empty line | dispatch \"message\"");
    assert_eq!(page.run(&rows("wire", ".same[data-name=chunk-data]")), "chunk-data | \\n");
    page.act("[...document.querySelectorAll('#dispatched [data-kind=event]')].pop().focus()");
    assert_eq!(
        page.run("[...document.querySelectorAll('#marks .same')].map(mark => mark.className).join()"),
        "mark chunk same,mark event same"
    );

    // The buffers are those at the row.
    let buffers = "['unfinished', 'data', 'id'].map(id => document.getElementById(id).textContent).join(' ')";
    page.act("document.querySelectorAll('#wire [data-name=chunk-data]')[15].focus()");
    assert_eq!(page.run(buffers), "\"id: 1\\ndata: slow\" \"\" \"1\"");
    page.act("document.querySelectorAll('#stream li')[1].focus()");
    assert_eq!(page.run(buffers), "\"id: 1\\ndata: slowly\\n\" \"slowly\\n\" \"1\"");
    assert_eq!(page.faults(), Vec::<String>::new());
}

#[test]
fn losses_and_requests_are_marked() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&[]);
    let mut page = open_page(&program);
    connect(&mut page, "/reconnect");
    wait_for_state(&mut page, |state| state.starts_with("Closed: 204"));
    assert_eq!(["request", "loss", "event"].map(|kind| page.run(&marks(kind))), ["4", "2", "6"]);
}
