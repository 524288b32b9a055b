//! The page at `/` in a real browser: it shows the bytes that went over the wire, what an EventSource made of them, and
//! nothing as HTML that is not its own.

#[path = "../support/mod.rs"]
mod support;

mod accessibility;
mod browser;
mod chromium;
mod controls;
mod event_stream;
mod firefox;
mod matched;
mod matcher;
mod post;
mod script_pane;
mod shared;
mod time_axis;

use browser::Browser;
use chromium::Chromium;
use std::path::Path;
use std::process::Command;
use support::{has_tool, Folder, Program};

/// Something that would show itself, and a quotation mark to get out of an attribute.
const HOSTILE: &str = "event: <b>x\ndata: <script>document.title = 'forged'</script>\n\
    data: \"><img src=x onerror=\"document.title='forged'\">\n\n";

/// The text of all rows of a column that fit, one a line, their parts between bars.
fn rows(column: &str, fitting: &str) -> String {
    format!(
        "Array.from(document.querySelectorAll('#{column} li{fitting}'), row => \
         Array.from(row.children, part => part.textContent).join(' | ')).join('\\n')"
    )
}

/// Chooses a script and connects.
fn connect(page: &mut impl Browser, target: &str) {
    page.act(&format!(
        "document.getElementById('script').value = '{target}'; \
         document.getElementById('script').dispatchEvent(new Event('change')); \
         if (document.getElementById('connect').textContent == 'Disconnect') \
         document.getElementById('connect').click(); \
         document.getElementById('connect').click()"
    ));
}

/// Presses the button with this ID.
fn press(page: &mut Chromium, button: &str) {
    page.act(&format!("document.getElementById('{button}').click()"));
}

/// Opens the page in Chromium.
fn open_page(program: &Program) -> Chromium {
    let mut page = Chromium::open(&program.url("/"));
    wait_for_list(&mut page);
    page
}

/// Waits until the page has the list of scripts.
fn wait_for_list(page: &mut impl Browser) {
    page.wait_for("String(document.getElementById('script')?.options.length ?? 0)", |count| count != "0");
}

const STATE: &str = "document.getElementById('state').textContent";

/// Waits until the page says this, and until all rows are shown.
fn wait_for_state(page: &mut impl Browser, wanted: impl Fn(&str) -> bool) {
    page.wait_for(STATE, wanted);
    page.wait_for("String(playback.waiting.length)", |count| count == "0");
}

#[test]
fn the_page_shows_what_goes_over_the_wire_and_what_an_event_source_makes_of_it() {
    if !has_tool("chromium") || !has_tool("curl") {
        return;
    }
    let folder = Folder::new("page");
    let hostile = folder.file("hostile.sse", HOSTILE);
    let program = Program::start(&["--speed", "max", "--script", &hostile]);
    let mut page = open_page(&program);

    the_demo_is_dispatched_and_shown_as_curl_shows_it(&mut page, &program);
    a_picture_of_it_has_at_most_150_kb(&mut page);
    hostile_data_is_text(&mut page);
    reconnects_are_shown_and_204_ends_them(&mut page);
    one_line_says_why_a_stream_cannot_be_opened(&mut page);
    what_was_disconnected_stays_so(&mut page);

    assert_eq!(page.faults(), Vec::<String>::new());
}

fn the_demo_is_dispatched_and_shown_as_curl_shows_it(page: &mut Chromium, program: &Program) {
    connect(page, "/events");
    let dispatched =
        page.wait_for(&rows("dispatched", "[data-kind=event]"), |rows| rows.lines().count() == 29);
    assert!(dispatched.starts_with("message | YHOO\\n+2\\n10 | lastEventId \"\"\n"), "{dispatched}");
    assert!(dispatched.contains("\nupdate | {\"message\": \"Hello from Rust! Event 2\""), "{dispatched}");
    let wire = "Array.from(document.querySelectorAll('#wire li[data-from=server]'), row => \
        row.querySelector('code').textContent).join('')";
    let shown = page.wait_for(wire, |wire| wire.contains("0\\r\\n\\r\\n"));
    let shown = shown.split("0\\r\\n\\r\\n").next().unwrap().to_owned() + "0\\r\\n\\r\\n";
    let curl = Command::new("curl").args(["-sN", "-i", "--raw", &program.url("/events")]).output().unwrap();
    let raw = String::from_utf8(curl.stdout).unwrap();
    assert_eq!(undated(&shown), undated(&raw.replace('\r', "\\r").replace('\n', "\\n")));
}

/// Without the value of the date.
fn undated(text: &str) -> String {
    let (before, rest) = text.split_once("date: ").unwrap();
    format!("{before}date: {}", &rest[29..])
}

fn hostile_data_is_text(page: &mut Chromium) {
    connect(page, "/hostile");
    let dispatched = page.wait_for(&rows("dispatched", "[data-kind=event]"), |rows| !rows.is_empty());
    assert!(
        dispatched.contains("<b>x | <script>document.title = 'forged'</script>\\n\"><img src=x"),
        "{dispatched}"
    );
    let wire = page.run(&rows("wire", "[data-name=chunk-data]"));
    assert!(wire.contains("data: \"><img src=x onerror=\"document.title='forged'\">\\n"), "{wire}");
    let foreign = "document.querySelectorAll('main script, img, b b, b code').length + document.title";
    assert_eq!(page.run(foreign), "0Server-sent events on the wire");
}

fn reconnects_are_shown_and_204_ends_them(page: &mut Chromium) {
    connect(page, "/reconnect");
    wait_for_state(page, |state| {
        state.starts_with("Closed: 204 No Content, which tells an EventSource to stop")
    });
    let dispatched = page.run(&rows("dispatched", ""));
    let waits: Vec<&str> = dispatched.lines().filter(|row| row.starts_with("reconnect | after ")).collect();
    assert_eq!(waits.len(), 3, "{dispatched}");
    assert!(waits[0].ends_with("ms | retry was 200 ms; Last-Event-ID: \"2\""), "{dispatched}");
    let waited: f64 = waits[0]["reconnect | after ".len()..].split(' ').next().unwrap().parse().unwrap();
    assert!((150.0..2_000.0).contains(&waited), "{waited}");
    assert!(dispatched.contains("done | nothing was lost | lastEventId \"6\""), "{dispatched}");
    let stream = page.run(&rows("stream", ""));
    assert!(stream.contains("the stream ended before an empty line: this block is discarded"), "{stream}");
}

fn one_line_says_why_a_stream_cannot_be_opened(page: &mut Chromium) {
    for (target, why) in [
        ("/wrong-type", "Closed: the content-type is text/plain, not text/event-stream."),
        ("/busy", "Closed: 503 Service Unavailable, and an EventSource opens only with 200."),
    ] {
        connect(page, target);
        page.wait_for(STATE, |state| state == why);
    }
}

fn what_was_disconnected_stays_so(page: &mut Chromium) {
    connect(page, "/hang");
    page.wait_for(STATE, |state| state == "Open: /hang");
    // Connected and disconnected before the wire can be open; then another is connected, and its name is said.
    page.act("for (let n = 0; n < 3; n += 1) document.getElementById('connect').click()");
    connect(page, "/fields");
    page.act("document.getElementById('script').value = '/hang'");
    page.wait_for(STATE, |state| state == "Open: /fields" || state.starts_with("The response is complete."));
    assert_eq!(page.run(&rows("dispatched", "")).matches("new EventSource | /").count(), 1);
    page.act("document.getElementById('connect').click()");
    assert_eq!(page.run(STATE), "Disconnected.");
}

fn a_picture_of_it_has_at_most_150_kb(page: &mut Chromium) {
    page.resize(1200, 560);
    connect(page, "/reconnect");
    page.wait_for(&rows("dispatched", "[data-kind=event]"), |rows| rows.contains("nothing was lost"));
    take_picture(page, "page.png");
}

/// `PICTURES=examples cargo test --test page` takes the pictures in the documents again.
fn take_picture(page: &mut Chromium, name: &str) {
    let picture = page.picture();
    if let Some(folder) = std::env::var_os("PICTURES") {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        std::fs::write(folder.join(name), &picture).unwrap();
    }
    assert!(picture.len() <= 150_000, "{name} has {} bytes", picture.len());
}
