//! Which lines are warned about, and which are not.

use super::MAX_WARNINGS;
use crate::script::Script;

/// The warnings about a script, without the name of the file.
fn warnings(text: &str) -> Vec<String> {
    let script = Script::compile("x", "/x", text.as_bytes()).unwrap();
    script.warnings().iter().map(|warning| warning.strip_prefix("x:").unwrap().to_owned()).collect()
}

/// Asserts that there is one warning.
fn assert_warns(text: &str, line: usize, message: &str) {
    assert_eq!(warnings(text), [format!("{line}: warning: {message}")], "{text}");
}

#[test]
fn a_line_that_clients_ignore_is_warned_about() {
    let no_field = "not a field, so clients ignore it (write `data: TEXT`)";
    for (line, message) in [
        ("daat: x", "unknown field `daat` (did you mean `data`?)"),
        ("Data: x", "unknown field `Data` (did you mean `data`?)"),
        ("DATA: x", "unknown field `DATA` (did you mean `data`?)"),
        (" data: x", "unknown field ` data` (did you mean `data`?)"),
        ("data : x", r"unknown field `data\s` (did you mean `data`?)"),
        ("evnet", "unknown field `evnet` (did you mean `event`?)"),
        ("evnet: {{i}}", "unknown field `evnet` (did you mean `event`?)"),
        ("message: x", "unknown field `message` (known: data, event, id, retry)"),
        ("Hello, world!", no_field),
        ("{\"text\": 1}", no_field),
        (" @sleep 1s", "not a direction, because it does not begin with `@` (remove what is before it)"),
        (
            "\u{FEFF}@sleep 1s",
            "not a direction, because it does not begin with `@` (remove what is before it)",
        ),
        ("9f", "a chunk-size, which clients ignore (capture without `--raw`: `curl -N URL > FILE`, or with `--capture`)"),
        ("retry: 3s", "not a number of milliseconds, so clients ignore this `retry` (write digits alone)"),
        ("retry", "not a number of milliseconds, so clients ignore this `retry` (write digits alone)"),
    ] {
        assert_warns(&format!(": a\n{line}\n\n"), 2, message);
        assert_eq!(warnings(&format!("@literal on\n{line}\n\n")), [""; 0], "{line}");
        assert_eq!(warnings(&format!("@header Content-Type: text/plain\n{line}\n\n")), [""; 0], "{line}");
        assert_eq!(warnings(&format!("@status 503\n{line}\n\n")), [""; 0], "{line}");
    }
}

#[test]
fn every_form_of_a_field_is_fine() {
    for line in [
        "data",
        "data:",
        "data: x",
        "data:x: y",
        "id",
        "event: e",
        "retry: 10",
        ":",
        ": a",
        "\u{FEFF}data: x",
    ] {
        assert_eq!(warnings(&format!("{line}\n\n")), [""; 0], "{line}");
    }
    for text in ["@send data: hel\n@sleep 1s\nlo\n\n", "{{query:field}}: x\n\n", "data: \n@fill 9\nx: y\n\n"]
    {
        assert_eq!(warnings(text), [""; 0], "{text}");
    }
    assert_eq!(
        warnings("@case must 9.2.6 An unknown field is ignored\n@expect last-event-id\nID: x\n\n"),
        [""; 0]
    );
    let parameter = "@header Content-Type: Text/Event-Stream; charset=utf-8\nx\n\n";
    assert_eq!(warnings(parameter).len(), 1);
}

#[test]
fn a_captured_head_is_one_warning() {
    let message =
        "the head of an HTTP response, which clients ignore (capture without `-i`: `curl -N URL > FILE`, or with `--capture`)";
    assert_warns("HTTP/2 200\r\ncontent-type: text/event-stream\r\nx\r\n\r\ndata: 1\r\n\r\n", 1, message);
    assert_eq!(warnings("HTTP/1.1 200 OK\nx: y\n\ndaat: 1\n\n").len(), 2);
}

#[test]
fn unknown_placeholders_are_warned_about_but_not_other_text_in_braces() {
    assert_warns("data: {{elapse}}\n\n", 1, "unknown placeholder `elapse` (did you mean `elapsed`?)");
    assert_warns("data: {{ elapsed }}\n\n", 1, r"unknown placeholder ` elapsed\s` (did you mean `elapsed`?)");
    let found = warnings("data: {{nobody}} {{i}} {{query}}\n\n");
    assert!(found[0].starts_with("1: warning: unknown placeholder `nobody` (known: elapsed, "), "{found:?}");
    assert_eq!(found[1], "1: warning: unknown placeholder `query` (did you mean `query:K`?)");
    for inside in ["", "1", "\"a\": {}", "two words", "{i}", "%"] {
        assert_eq!(warnings(&format!("data: {{{{{inside}}}}}\n\n")), [""; 0], "{inside}");
    }
    assert_eq!(warnings("@literal on\ndata: {{elapse}}\n\n"), [""; 0]);
}

#[test]
fn a_misspelled_placeholder_is_warned_about_in_any_response() {
    let message = "unknown placeholder `jsonn:id` (did you mean `json:PATH`?)";
    for head in ["@header Content-Type: application/json", "@status 503"] {
        assert_warns(&format!("{head}\n{{\"id\": {{{{jsonn:id}}}}}}\n"), 2, message);
        // Pages and their programs have other text in braces.
        assert_eq!(warnings(&format!("{head}\n{{{{nobody}}}} {{{{user.name}}}} {{{{#each}}}}\n")), [""; 0]);
        assert_eq!(warnings(&format!("{head}\n@literal on\n{{{{jsonn:id}}}}\n")), [""; 0]);
    }
    let parts = "@status 503\n{{jsonn:id}}\n@part method GET\n@part otherwise\n";
    assert_warns(parts, 2, message);
    let case = "@case must 9.2.6 x\n@expect method GET\n@status 503\n{{jsonn:id}}\n";
    assert_eq!(warnings(case), [""; 0]);
    assert_eq!(warnings("@status 503\n{{\"a\": {{query:b}}, {{c {{query:b}} {{{query:b}}}\n"), [""; 0]);
    assert_warns(
        "@status 503\n{{query:a|{{query:b}}}}\n",
        2,
        "nested placeholder `query:a|{{` (for another value as the default, write `{{query:a||query:b}}`)",
    );
}

#[test]
fn an_event_that_is_never_dispatched_is_warned_about() {
    let message = "no empty line after the last event, so no client dispatches it";
    assert_warns("data: 1\n\ndata: 2\n", 3, message);
    assert_warns("data: 1\n\ndata: 2", 3, message);
    assert_warns("id: 1\nevent: e\n@close\n", 2, message);
    assert_warns("@send data: 1\\n\n", 1, message);
    assert_warns("@repeat forever\ndata: 1\n@again\n", 2, message);
    assert_warns("data: 1\n@part method GET\n@part otherwise\n\n", 1, message);
    for text in [
        "",
        ": a\nretry: 1\n",
        "data: 1\n\n: bye",
        "data: 1\n@drop\n",
        "data: 1\n@reset\n",
        "data: 1\n@hang 1s\n",
        "@drop after 5\ndata: 1\n",
        "@framing length 9\ndata: 1\n",
        "data: 1\n@wire ZZ\n",
        "@repeat forever every 1s\n\ndata: 1\n@again\n",
        "data: 1\n@part method GET\n\n@part otherwise\n@drop\n",
    ] {
        assert_eq!(warnings(text), [""; 0], "{text}");
    }
}

#[test]
fn an_id_that_cannot_be_resumed_is_warned_about() {
    let message =
        "the id is not known in advance, so `@resume` starts from the beginning after it (write the id itself)";
    assert_warns("@resume\nid: 1\n\nid: {{time}}\n\nid: {{time}}\n\n", 4, message);
    assert_warns("id: {{i}}\ndata\n@resume\n\n", 1, message);
    assert_warns("@resume\n@repeat 2\nid: {{i}}{{i}}\n\n@again\n", 3, message);
    let no_ids =
        "no event has an id, so `@resume` always starts from the beginning (write `id: ID` in each event)";
    assert_warns("data: 1\n\n@resume\ndata: 2\n\n", 3, no_ids);
    assert_eq!(warnings("@resume\n@part method HEAD\nid: 1\n\n@part otherwise\ndata: 1\n\n"), [""; 0]);
    for text in ["id: {{time}}\n\n", "@resume\n@repeat 2\nid: a{{i+1}}b\n\n@again\n", "@resume\nid: 1\n\n"] {
        assert_eq!(warnings(text), [""; 0], "{text}");
    }
}

#[test]
fn an_interim_response_without_its_empty_line_is_warned_about() {
    let message =
        r"not a whole interim response, so the head that follows continues it (end it with `\r\n\r\n`)";
    assert_warns("@wire HTTP/1.1 103 Early Hints\\r\\n\ndata: 1\n\n", 1, message);
    assert_eq!(warnings("@wire HTTP/1.1 103 Early Hints\\r\\n\\r\\n\ndata: 1\n\n"), [""; 0]);
}

#[test]
fn warnings_about_shared_lines_are_given_once_if_a_part_is_an_event_stream() {
    let parts = "daat: x\n\n@part method GET\n@part otherwise\n";
    assert_warns(parts, 1, "unknown field `daat` (did you mean `data`?)");
    let one = "daat: x\n\n@part method GET\n@# nothing\n@part otherwise\ndaat: y\n\n";
    assert_eq!(warnings(one).len(), 2);
    assert_eq!(warnings(&format!("@status 503\n{parts}")), [""; 0]);
}

#[test]
fn only_the_first_warnings_are_shown() {
    let found = warnings(&"x\n\n".repeat(MAX_WARNINGS + 3));
    assert_eq!(found.len(), MAX_WARNINGS + 1);
    assert_eq!(found[MAX_WARNINGS], "41: warning: 3 more from here on (not shown)");
}
