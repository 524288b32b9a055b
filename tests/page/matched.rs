//! The three columns show the same: each event is with the chunk that completed it, in the order of the stream, and
//! what the browser has not dispatched is shown as well.

use super::{connect, open_page, rows, wait_for_list, STATE};
use crate::browser::Browser;
use crate::firefox::Firefox;
use crate::support::{has_tool, Folder, Program};
use rust_sse_server::EventStream;
use std::thread::sleep;
use std::time::Duration;

/// Scripts, and how many events the first response of each has. (`/big` has more rows than the page keeps.)
const SCRIPTS: [(&str, usize); 13] = [
    ("/events", 29),
    ("/fields", 7),
    ("/line-ends", 7),
    ("/unicode", 6),
    ("/nul-in-id", 3),
    ("/clock", 5),
    ("/reconnect", 6),
    ("/stop", 2),
    ("/redirect", 7),
    ("/slow", 2),
    ("/hang", 1),
    ("/drop", 1),
    ("/reset", 1),
];

/// The chunk-data of the page's own connections: of each piece, the number of its request, of its chunk, and its bytes.
const CHUNKS: &str = "(() => { let request = 0; \
    return [...document.querySelectorAll('#wire li:not(.other)')].flatMap(li => { \
        if (li.dataset.name == 'request line') request += 1; \
        const hex = [...li.row.bytes ?? ''].map(byte => byte.charCodeAt(0).toString(16).padStart(2, '0')).join(''); \
        return li.dataset.name == 'chunk-data' ? [`${request} ${li.dataset.chunk} ${hex}`] : []; \
    }).join('\\n') })()";

/// The events: of each, its chunk, its type and its data.
const EVENTS: &str = "[...document.querySelectorAll('#dispatched :is([data-kind=event], [data-kind=missing][data-name=event])')]\
    .map(li => [li.dataset.chunk, li.row.name, li.row.text.replace('\"\"', '')].map(encodeURIComponent).join(' ')).join('\\n')";

#[test]
fn each_event_is_shown_with_the_chunk_that_completed_it() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&["--speed", "100"]);
    let mut page = open_page(&program);
    play_all(&mut page);
    assert_eq!(page.faults(), Vec::<String>::new());
}

#[test]
fn each_event_is_shown_with_the_chunk_that_completed_it_in_firefox() {
    if !has_tool("firefox-esr") {
        return;
    }
    let program = Program::start(&["--speed", "100"]);
    let mut page = Firefox::open(&program.url("/"));
    wait_for_list(&mut page);
    play_all(&mut page);
}

fn play_all(page: &mut impl Browser) {
    for (target, count) in SCRIPTS {
        connect(page, target);
        page.wait_for(EVENTS, |events| events.lines().count() >= count);
        page.act("if (document.getElementById('connect').textContent == 'Disconnect') document.getElementById('connect').click()");
        let both = page.run(&format!("{CHUNKS} + '\\n\\n' + {EVENTS}"));
        let (chunks, events) = both.split_once("\n\n").unwrap();
        let expected = events_in(chunks);
        // Firefox removes NUL.
        let events: Vec<_> = events.lines().collect();
        let expected: Vec<_> = expected.iter().map(|event| event.replace("%00", "")).collect();
        let without_nul: Vec<_> = events.iter().map(|event| event.replace("%00", "")).collect();
        // What has arrived just before the end may not be dispatched yet.
        assert_eq!(without_nul[..], expected[..events.len()], "{target}: {chunks}");
        assert!(events.len() >= count, "{target}: {events:?}");
    }
}

/// The events in these chunks, as the library's parser finds them.
fn events_in(chunks: &str) -> Vec<String> {
    let mut events = Vec::new();
    let mut stream = EventStream::default();
    let mut last = "";
    for line in chunks.lines() {
        let (request, rest) = line.split_once(' ').unwrap();
        let (chunk, hex) = rest.split_once(' ').unwrap();
        if request != last {
            stream = EventStream::default();
            last = request;
        }
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let bytes: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        stream.push(&bytes, |_, event| {
            let words =
                [chunk, &encode(&event.event.unwrap()), &encode(&event.data.unwrap())].map(str::to_owned);
            events.push(words.join(" "));
        });
    }
    events
}

/// As `encodeURIComponent` does it.
fn encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => (byte as char).to_string(),
        _ if b"-_.!~*'()".contains(&byte) => (byte as char).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[test]
fn what_the_browser_does_not_dispatch_is_shown() {
    if !has_tool("chromium") {
        return;
    }
    let folder = Folder::new("missing");
    // The page learns of the type when the first such event has passed.
    let typed = folder.file(
        "typed.sse",
        "event: {{query:t|late}}\ndata: 1\n\n@sleep 300ms\nevent: {{query:t|late}}\ndata: 2\n\n@hang\n",
    );
    let program = Program::start(&["--script", &typed]);
    let mut page = open_page(&program);
    connect(&mut page, "/typed");
    let dispatched = page.wait_for(&rows("dispatched", ""), |rows| rows.contains("late | 2 | lastEventId"));
    let missing = "late | 1 | the page had no listener for \"late\" yet, lastEventId \"\"\n";
    assert!(
        dispatched.contains(missing) || dispatched.contains("late | 1 | lastEventId \"\"\n"),
        "{dispatched}"
    );
    let kinds = "[...document.querySelectorAll('#dispatched li')].map(li => li.dataset.kind).join(' ')";
    assert!(["request open missing event", "request open event event"].contains(&&*page.run(kinds)));
}

#[test]
fn both_connections_of_a_redirect_are_shown() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&[]);
    let mut page = open_page(&program);
    connect(&mut page, "/redirect");
    let dispatched = page.wait_for(&rows("dispatched", ""), |rows| rows.contains("greeting"));
    assert!(
        dispatched
            .starts_with("new EventSource | /redirect | readyState 0 CONNECTING\nredirect | /fields | "),
        "{dispatched}"
    );
    let requests = page.run(&rows("wire", ":is([data-name^=request], [data-name^=status])"));
    let lines: Vec<_> = requests.lines().map(|line| line.split(" | ").nth(1).unwrap()).collect();
    let expected = [
        "GET /redirect HTTP/1.1",
        "HTTP/1.1 307 Temporary Redirect",
        "GET /fields HTTP/1.1",
        "HTTP/1.1 200 OK",
    ];
    assert_eq!(lines, expected.map(|line| format!("{line}\\r\\n")), "{requests}");
}

#[test]
fn after_a_restart_of_the_server_the_wire_reconnects_before_the_event_source() {
    if !has_tool("chromium") {
        return;
    }
    let folder = Folder::new("restart");
    let quick = folder.file("quick.sse", "retry: 1000\nid: 7\ndata: x\n\n@hang\n");
    let program = Program::start(&["--script", &quick]);
    let port = program.address.port();
    let mut page = open_page(&program);
    connect(&mut page, "/quick");
    page.wait_for(STATE, |state| state == "Open: /quick");
    drop(program);
    page.wait_for(STATE, |state| state.starts_with("The connection"));
    sleep(Duration::from_millis(100));
    let _program = Program::start_at(port, &["--script", &quick]);
    page.wait_for(&rows("dispatched", "[data-kind=event]"), |rows| rows.lines().count() == 2);
    let dispatched = page.run(&rows("dispatched", ""));
    assert!(dispatched.contains("| retry was 1000 ms; Last-Event-ID: \"7\"\nopen | "), "{dispatched}");
}
