//! Scripts for POST: the page requests them with fetch and a body that can be edited, parses them itself, and joins the
//! pieces of text that language models send.

use super::{connect, open_page, rows, wait_for_state};
use crate::browser::Browser;
use crate::support::{has_tool, serve, Client, Program};

#[test]
fn a_script_for_post_is_fetched_with_the_body_in_the_page() {
    if !has_tool("chromium") {
        return;
    }
    let program = Program::start(&["--speed", "10"]);
    let mut page = open_page(&program);
    for target in ["POST /v1/chat/completions", "POST /v1/messages"] {
        connect(&mut page, target);
        wait_for_state(&mut page, |state| state == "The response has ended: complete, connection kept open.");
        assert_eq!(page.run("document.getElementById('text').textContent"), "Hello from a script!");
        let dispatched = page.run(&rows("dispatched", ""));
        assert!(dispatched.starts_with(&format!("fetch | {} | ", &target[5..])), "{dispatched}");
        assert!(
            !dispatched.contains("not dispatched") && !dispatched.contains("does not show"),
            "{dispatched}"
        );
        let lost = "String([...document.querySelectorAll('#dispatched [data-kind=event]')].filter(event => \
            !document.querySelector(`#wire [data-name=chunk-data][data-chunk='${event.dataset.chunk}']`)).length)";
        assert_eq!(page.run(lost), "0");
    }
    assert_eq!(page.run("document.getElementById('by').textContent"), "by this page’s parser, from fetch");

    // The path of this script has a `*`, so the page proposes a target, which can be edited.
    connect(&mut page, "POST /*/models/*");
    wait_for_state(&mut page, |state| state == "The response has ended: complete, connection kept open.");
    assert_eq!(page.run("document.getElementById('text').textContent"), "Hello from a script!");
    let target = "/v1beta/models/scripted:streamGenerateContent?alt=sse";
    assert!(page.run("curlLine(selectedRequest())").ends_with(&format!("'{}'", program.url(target))));
    page.act("document.getElementById('target').value = '/v1/models/x:streamGenerateContent'; document.getElementById('connect').click()");
    wait_for_state(&mut page, |state| state == "The response has ended: 400 Bad Request, application/json.");
    connect(&mut page, "POST /v1/messages");
    wait_for_state(&mut page, |state| state == "The response has ended: complete, connection kept open.");

    // What is saved answers the same request.
    let script = page.run("scriptOf(session.request, session.kept)");
    let played = serve("max", &[("/saved", script.as_bytes())]);
    let mut client = Client::connect(played.address());
    client.send("POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").read_head();
    assert!(client.read_chunk().starts_with("event: message_start\ndata: {"), "{script}");

    page.act("document.getElementById('body').value = '{\"stream\": false}'");
    connect(&mut page, "POST /v1/chat/completions");
    wait_for_state(&mut page, |state| state == "The response has ended: 400 Bad Request, application/json.");
    let line = page.run("curlLine(selectedRequest())");
    let url = program.url("/v1/chat/completions");
    let start = "curl -iN --raw -X POST -H 'Content-Type: application/json' -d";
    assert_eq!(line, format!("{start} '{{\"stream\": false}}' '{url}'"));
    // Back to an EventSource.
    connect(&mut page, "/fields");
    page.wait_for(&rows("dispatched", "[data-kind=event]"), |rows| rows.contains("greeting"));
    assert_eq!(
        page.run("document.getElementById('assembled').hidden + document.getElementById('by').textContent"),
        "trueby this browser’s EventSource"
    );
    assert_eq!(page.faults(), Vec::<String>::new());
}
