//! The rows can be paused and shown one by one, saved as a script, and the page says what happens at the end.

use super::{connect, open_page, press, rows, wait_for_state, STATE};
use crate::browser::Browser;
use crate::chromium::Chromium;
use crate::support::{has_tool, request, serve, Exchange, Folder, Program, PATIENCE};

const COUNTS: &str =
    "['wire', 'stream', 'dispatched'].map(id => document.querySelectorAll(`#${id} li`).length).join(' ')";

fn key(page: &mut Chromium, column: &str, key: &str) {
    page.act(&format!(
        "const log = document.getElementById('{column}'); \
         const target = log.contains(document.activeElement) ? document.activeElement : log; \
         target.focus(); target.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }}))"
    ));
}

#[test]
fn rows_can_be_paused_and_shown_one_by_one_and_chunk_by_chunk() {
    if !has_tool("chromium") {
        return;
    }
    let folder = Folder::new("steps");
    let two = folder.file("two.sse", "@chunk whole\ndata: a\n\ndata: b\n\n@cut\ndata: c\n\n@hang\n");
    let program = Program::start(&["--script", &two]);
    let mut page = open_page(&program);
    press(&mut page, "pause");
    connect(&mut page, "/two");
    page.wait_for(STATE, |state| state == "Open: /two");
    page.wait_for(
        "String(playback.waiting.filter(({ column }) => column == 'dispatched').length)",
        |count| count == "5",
    );
    assert_eq!(page.run(COUNTS), "0 0 0");
    press(&mut page, "next-row");
    assert_eq!(page.run(COUNTS), "1 0 0", "the request line");
    press(&mut page, "next-chunk");
    assert!(page.run(&rows("wire", ":last-child")).starts_with("empty line"));
    assert!(page.run(&rows("dispatched", "")).starts_with("new EventSource"));
    // With the keyboard: the head of the response, then the rows of the first chunk.
    key(&mut page, "wire", "c");
    assert!(page.run(&rows("dispatched", ":last-child")).starts_with("open"));
    for (wanted, wire, stream, dispatched) in [
        ("the chunk-size", "chunk-size", "", "open"),
        ("the chunk-data", "chunk-data", "", "open"),
        ("data: a", "chunk-data", "field | data: a", "open"),
        ("an empty line, and the event", "chunk-data", "empty line", "message | a"),
    ] {
        key(&mut page, "wire", "n");
        for (column, start) in [("wire", wire), ("stream", stream), ("dispatched", dispatched)] {
            let row = page.run(&rows(column, ":last-child"));
            assert!(row.starts_with(start) && (!start.is_empty() || row.is_empty()), "{wanted}: {row}");
        }
    }
    press(&mut page, "next-chunk");
    assert!(page.run(&rows("dispatched", ":last-child")).starts_with("message | b"));
    key(&mut page, "wire", " ");
    assert!(page.run(&rows("dispatched", ":last-child")).starts_with("message | c"));
    assert_eq!(page.run("document.getElementById('pause').getAttribute('aria-pressed')"), "false");
    assert_eq!(page.faults(), Vec::<String>::new());
}

#[test]
fn a_saved_script_plays_the_same_bytes_with_the_same_pauses() {
    if !has_tool("chromium") {
        return;
    }
    let folder = Folder::new("save");
    let mixed =
        "@header X-Test: 1\nretry: 100\ndata: @a\n\n@@b\n\n@sleep 200ms\n@send data: \\xe2\n@sleep 50ms\n\
        @send \\x99\\xa5 \\r\n@send \\ndata: \\\\ {{time}} \n\n@drop\n";
    let mixed = folder.file("mixed.sse", mixed);
    let program = Program::start(&["--script", &mixed]);
    let mut page = open_page(&program);
    page.act("document.getElementById('once').click()");
    // With the least time that each takes, in milliseconds.
    for (target, time) in [
        ("/mixed", 250),
        ("/slow", 2200),
        ("/broken-chunk", 0),
        ("/redirect", 0),
        ("/line-ends", 1500),
        ("/fields", 0),
    ] {
        // A pause that was measured is shorter if what precedes it was late.
        let mut times = (0..3).map(|_| {
            connect(&mut page, target);
            wait_for_state(&mut page, |state| state.starts_with("Disconnected at the end"));
            let script = page.run("scriptOf(session.request, session.kept)");
            // One character for each byte.
            let script: Vec<u8> = script.chars().map(|character| character as u8).collect();
            let played = serve("1", &[("/saved", &script)]);
            let again = Exchange::new(played.address(), request("GET", "/saved", ""), PATIENCE);
            let first = Exchange::new(program.address, request("GET", target, ""), PATIENCE);
            let text = String::from_utf8_lossy(&script);
            let undated =
                |wire: &[u8]| String::from_utf8_lossy(wire).replace(|c: char| c.is_ascii_digit(), "0");
            assert_eq!(again.head, first.head, "{target}: {text}");
            assert_eq!(undated(&again.wire), undated(&first.wire), "{target}: {text}");
            assert_eq!(again.clean, first.clean, "{target}: {text}");
            again.arrivals.last().unwrap().0.as_millis()
        });
        assert!(times.any(|last| last >= time), "{target} takes less than {time} ms each time");
    }
    assert_eq!(page.faults(), Vec::<String>::new());
}

#[test]
fn the_curl_line_has_the_last_event_id() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&[]);
    let mut page = open_page(&program);
    connect(&mut page, "/drop");
    page.wait_for(&rows("dispatched", "[data-kind=event]"), |rows| rows.contains("complete"));
    press(&mut page, "copy");
    let line = format!("curl -iN --raw -H 'Last-Event-ID: 1' '{}'", program.url("/drop"));
    page.wait_for(STATE, |state| state.strip_prefix("Copied: ").unwrap_or(state) == line);
}

#[test]
fn the_page_says_how_a_response_ended() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&["--speed", "100"]);
    let mut page = open_page(&program);
    for (target, state) in [
        ("/fields", "The response is complete. To an EventSource this is a lost connection: it waits, then reconnects."),
        ("/drop", "The connection was lost (connection closed before the body was complete): the browser waits, then reconnects."),
        ("/reset", "The connection was lost (connection reset by the server): the browser waits, then reconnects."),
    ] {
        connect(&mut page, target);
        page.wait_for(STATE, |now| now == state);
    }
    // A script that is chosen while another is connected is connected.
    page.act("const script = document.getElementById('script'); script.value = '/hang'; script.dispatchEvent(new Event('change'))");
    page.wait_for(STATE, |now| now == "Open: /hang");
    assert_eq!(page.run("location.hash"), "#/hang");
    // What the end discards is struck through.
    connect(&mut page, "/drop");
    page.wait_for(&rows("stream", ".discarded"), |rows| rows.lines().count() == 1);
    assert!(page.run(&rows("stream", ".discarded")).starts_with("incomplete | data: cut off in the mid"));
    page.act("document.getElementById('once').click()");
    connect(&mut page, "/fields");
    page.wait_for(STATE, |now| now == "Disconnected at the end of the response.");
}

#[test]
fn a_seventh_connection_is_explained() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&[]);
    let mut page = open_page(&program);
    page.act("globalThis.others = [1, 2, 3, 4, 5, 6].map(() => new EventSource('/hang'))");
    page.wait_for("String(others.filter(other => other.readyState == 1).length)", |count| count == "6");
    connect(&mut page, "/fields");
    page.wait_for(STATE, |state| state.contains("A browser opens at most six connections to a host"));
    page.act("others.pop().close()");
    page.wait_for(STATE, |state| state.starts_with("The browser has not sent the request yet."));
    page.act("others.pop().close()");
    page.wait_for(&rows("dispatched", "[data-kind=event]"), |rows| rows.contains("greeting"));
}

#[test]
fn a_large_stream_never_blocks_the_page_for_long() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&[]);
    let mut page = open_page(&program);
    page.act(
        "globalThis.longest = 0; new PerformanceObserver(list => { \
         for (const entry of list.getEntries()) longest = Math.max(longest, entry.duration) }).observe({ type: 'longtask' })",
    );
    page.act("document.getElementById('once').click()");
    // On a machine that does nothing else, the longest task takes less than 100 ms. Beside other tests any task can take
    // longer, so the best of some attempts counts.
    let mut longest = Vec::new();
    for _ in 0..10 {
        page.act("longest = 0");
        connect(&mut page, "/big");
        page.wait_for(&rows("dispatched", ":last-child"), |row| row.starts_with("error"));
        let events = page.run(&rows("dispatched", "[data-kind=event]"));
        assert!(events.contains("message | small event 1000 | lastEventId \"1000\""), "{events}");
        assert!(!page.run(&rows("dispatched", "[data-kind=missing]")).contains("open"));
        longest.push(page.run("String(longest)").parse::<f64>().unwrap());
        if longest.iter().any(|&longest| longest < 100.0) {
            return;
        }
    }
    panic!("longest tasks: {longest:?} ms");
}
