//! Tests of `parse`.

use super::*;
use crate::script::case::Start;
use crate::script::context::tests::TestRequest;
use crate::script::resume::Position;
use crate::script::step::NextStep;
use crate::script::BodyFraming;
use std::sync::Arc;
use std::time::Duration;

fn parse(text: &str) -> Result<Script, Vec<String>> {
    let script = Script::compile("chat.sse", "/chat", text.as_bytes());
    script.map_err(|errors| errors.to_string().lines().map(str::to_owned).collect())
}

/// The only error there is, without the name of the file.
fn error(text: &str) -> String {
    let errors = parse(text).map(|script| panic!("no error: {script:?}")).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].strip_prefix("chat.sse:").unwrap().to_owned()
}

#[test]
fn text_is_text_and_directions_are_steps() {
    let script = parse("data: 1\n\n@sleep 80ms\n@# a remark\n@@data\n").unwrap();
    let steps: Vec<NextStep> = script.parts[0].steps().collect();
    match steps.as_slice() {
        [NextStep::Text(first), NextStep::Sleep(time), NextStep::Text(second)] => {
            assert_eq!(*first, b"data: 1\n\n");
            assert_eq!(*time, Duration::from_millis(80));
            assert_eq!(*second, b"@data\n");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn directions_can_end_in_cr_lf() {
    let script = parse("@framing close\r\n@resume\r\ndata: 1\r\n").unwrap();
    assert_eq!(script.parts[0].framing, BodyFraming::Close);
    assert!(script.parts[0].resume.is_some());
}

#[test]
fn a_remark_does_not_end_a_chunk_and_the_first_one_describes_the_script() {
    let script = parse("@# The first.\ndata: 1\n@# second\ndata: 2\n").unwrap();
    assert_eq!(script.parts[0].steps.len(), 1);
    assert_eq!(script.about, "The first.");
    let script = parse("@# The first.\n@#\n@#  see \n@eol keep\n@# more\ndata: 1\n\n").unwrap();
    assert_eq!(script.introduction(), "The first.\n\n see");
}

#[test]
fn every_direction_but_fill_ends_a_whole_chunk() {
    let steps = |text: &str| parse(&format!("@chunk whole\n{text}")).unwrap().parts.remove(0).steps.len();
    assert_eq!(steps("a\n@resume\nb\n"), 2);
    assert_eq!(steps("a\n@chunk event\nb\n"), 2);
    assert_eq!(steps("a\n@fill 2\nb\n"), 1);
}

#[test]
fn all_errors_are_reported_at_once_in_the_order_of_their_lines() {
    assert_eq!(
        parse("@slep 1s\n@sleep soon\n@wait\n\n@status 503\n@on GET\n@again\n@\x1b\n").unwrap_err(),
        [
            "chat.sse:1: unknown direction `@slep` (did you mean `@sleep`?)",
            "chat.sse:2: @sleep: invalid time `soon` (expected a time such as 80ms, 1.5s, 2m or 1h)",
            "chat.sse:3: unknown direction `@wait` (write `@sleep T`)",
            "chat.sse:5: @status: must come before the body (move it above line 4)",
            "chat.sse:6: @on: invalid argument `GET` (expected `@on METHOD[,METHOD] TARGET`)",
            "chat.sse:7: @again: no loop is open (put `@repeat` above this line)",
            "chat.sse:8: unknown direction `@\\x1b` (write `@@\\x1b` to send a line that begins with `@`)",
        ]
    );
}

#[test]
fn an_invalid_argument_is_quoted_with_what_is_expected() {
    for (text, message) in [
        ("@on G(T /x", "invalid method `G(T` (expected `@on METHOD[,METHOD] TARGET`)"),
        ("@on GET x", "invalid target `x` (expected a path such as `/chat`, without spaces or `#`)"),
        ("@on get /x", "invalid method `get` (did you mean `GET`?)"),
        ("@status abc", "invalid status `abc` (expected a number from 200 to 999)"),
        ("@status", "missing status (expected a number from 200 to 999)"),
        ("@status 200 a\x07", "invalid reason phrase (control bytes are not allowed)"),
        ("@on , /x", "missing method (list them without spaces: `GET,POST`)"),
        ("@on ANY /x", "`ANY` is not a method (list the methods: `GET,POST`)"),
        ("@on * /x", "`*` is not a method (list the methods: `GET,POST`)"),
        ("@on GET|POST /x", "`GET|POST` is not a method (list the methods: `GET,POST`)"),
        (
            "@on GET /users/{id}/x",
            "`{id}` looks like a pattern (write `*` for any segment, or `%7B` for a literal `{`)",
        ),
        ("@header X", "invalid field line `X` (expected `Name: value`)"),
        ("@header a b: c", "invalid field name `a b` (expected letters, digits and hyphens)"),
        ("@header X: a\x07b", "invalid value of `X` (control bytes are not allowed)"),
        (
            "@header Content-Length: 3",
            "`Content-Length` is set by the framing (use `@framing chunked | length [N] | close`)",
        ),
        ("@framing some", "invalid argument `some` (expected `@framing chunked | length [N] | close`)"),
        (
            "@framing length x",
            "invalid argument `length x` (expected `@framing chunked | length [N] | close`)",
        ),
        ("@open now", "unexpected argument `now` (takes no argument)"),
        ("@eol lfcr", "invalid argument `lfcr` (expected `@eol keep | lf | crlf | cr`)"),
        ("@literal", "missing argument (expected `@literal on | off`)"),
        ("@send", "missing argument (expected `@send TEXT`)"),
        ("@send \\q", r#"unknown escape `\q` (known: \n \r \t \0 \s \\ \" \xHH)"#),
        ("@fill 5K", "invalid size `5K` (expected 512, 64k or 5M, at most 64M)"),
        ("@fill 65M", "invalid size `65M` (expected 512, 64k or 5M, at most 64M)"),
        ("@fill 5 ab", "invalid filler `ab` (expected one byte that does not end a line)"),
        ("@fill 5 \\n", r"invalid filler `\\n` (expected one byte that does not end a line)"),
        ("@chunk some", "invalid argument `some` (expected `@chunk event | line | whole | N [every T]`)"),
        ("@chunk 0", "invalid argument `0` (expected `@chunk event | line | whole | N [every T]`)"),
        (
            "@chunk 5 each 1s",
            "invalid argument `each 1s` (expected `@chunk event | line | whole | N [every T]`)",
        ),
        ("@chunk 5 every", "missing time (expected a time such as 80ms, 1.5s, 2m or 1h)"),
        ("@cut here", "unexpected argument `here` (takes no argument)"),
        ("@wire", "missing argument (expected `@wire TEXT`)"),
        ("@trailer X", "invalid field line `X` (expected `Name: value`)"),
        ("@sleep 1 s", "invalid time `1 s` (expected a time such as 80ms, 1.5s, 2m or 1h)"),
        ("@sleep 2s..1s", "invalid range of times `2s..1s` (expected the shorter time first)"),
        ("@pace x", "invalid time `x` (expected a time such as 80ms, 1.5s, 2m or 1h)"),
        ("@keepalive 0s", "invalid time `0s` (expected at least 1ms)"),
        ("@keepalive 1s x", "invalid comment `x` (expected one line that begins with `:`)"),
        ("@keepalive 1s : a\\nb", r"invalid comment `: a\\nb` (expected one line that begins with `:`)"),
        ("@repeat 0", "invalid number `0` (expected 1 or more, or forever)"),
        ("@repeat often", "invalid number `often` (expected 1 or more, or forever)"),
        ("@clock now", "unexpected argument `now` (takes no argument)"),
        ("@resume 7", "invalid argument `7` (expected `@resume [by query:K | header:K | cookie:K | json:PATH]`)"),
        ("@resume by", "invalid argument `by` (expected `@resume [by query:K | header:K | cookie:K | json:PATH]`)"),
        (
            "@resume by query:a ip",
            "invalid argument `by query:a ip` (expected `@resume [by query:K | header:K | cookie:K | json:PATH]`)",
        ),
        ("@open 7", "unexpected argument `7` (takes no argument)"),
        ("@count ip", "invalid argument `ip` (expected `@count [by ip | path | query:K | header:K | cookie:K | json:PATH] [when COND and COND]`)"),
        ("@end now", "unexpected argument `now` (takes no argument)"),
        ("@close now", "unexpected argument `now` (takes no argument)"),
        ("@drop it", "invalid argument `it` (expected `@drop [after SIZE]`)"),
        ("@drop after", "missing size (expected 512, 64k or 5M, at most 1024M)"),
        ("@reset now", "unexpected argument `now` (takes no argument)"),
        ("@hang on", "invalid time `on` (expected a time such as 80ms, 1.5s, 2m or 1h)"),
        ("@part", "missing condition (expected `@part COND [and COND]`)"),
        ("@part conection 1", "unknown condition `conection` (did you mean `connection`?)"),
    ] {
        let name = text.split(' ').next().unwrap();
        assert_eq!(error(text), format!("1: {name}: {message}"));
    }
    let message = "1: @header: unknown placeholder `elapsd` (did you mean `elapsed`?)";
    assert_eq!(error("@header X: {{elapsd}}"), message);
}

#[test]
fn a_word_that_people_use_for_a_direction_names_that_direction() {
    for (text, hint) in [
        ("@wait 1s", "write `@sleep T`"),
        ("@Delay 1s", "write `@sleep T`"),
        ("@loop 3", "write `@repeat N`"),
        ("@disconnect", "write `@drop`"),
        ("@close_connection", "write `@drop`, or `@close` for a complete body"),
        ("@data: x", "fields are written without `@`"),
        ("@id 1", "fields are written without `@`"),
        ("@otherwise", "write `@part otherwise`"),
        ("@sleep(1s)", "did you mean `@sleep`?"),
        ("@SLEEP 1s", "did you mean `@sleep`?"),
        ("@selep 1s", "did you mean `@sleep`?"),
        ("@ sleep 1s", "write its name directly after `@`"),
        ("@everyone", "write `@@everyone` to send a line that begins with `@`"),
    ] {
        let name = text.split(' ').next().unwrap();
        assert_eq!(error(text), format!("1: unknown direction `{name}` ({hint})"));
    }
}

#[test]
fn what_is_set_twice_in_a_part_is_an_error_that_names_the_first_line() {
    assert_eq!(
        error("@header Set-Cookie: a=1\n@header set-cookie: b=2\n"),
        "2: @header: `set-cookie` is set on line 1 (write `@header +set-cookie: …` to add another)"
    );
    assert_eq!(error("@status 404\n@status 503\n"), "2: @status: duplicate direction (first on line 1)");
    assert_eq!(
        error("@framing close\n@framing close\n"),
        "2: @framing: duplicate direction (first on line 1)"
    );
    for text in [
        "@header X: 1\n@header +X: 2\n@header +X: 3\n@header Y: 1\n@header -Y\n",
        "@status 404\n@header X: 1\n@part method GET\n@status 503\n@header X: 2\n@part otherwise\n@status 200\n",
    ] {
        assert!(parse(text).is_ok(), "{text}");
    }
}

#[test]
fn the_head_must_come_before_the_body() {
    for direction in ["@status 200", "@header X: y", "@framing close"] {
        let name = direction.split(' ').next().unwrap();
        let message = format!("2: {name}: must come before the body (move it above line 1)");
        assert_eq!(error(&format!("a\n{direction}\n")), message);
        assert_eq!(error(&format!("@open\n{direction}\n")), message);
    }
}

#[test]
fn lines_that_cannot_be_reached_are_errors() {
    let unreachable = |line| format!("unreachable: line {line} ends the response (remove one of the two)");
    assert_eq!(error("a\n@hang\n\nb\n"), format!("4: {}", unreachable(2)));
    assert_eq!(error("@drop\n@sleep 1s\n"), format!("2: @sleep: {}", unreachable(1)));
    assert_eq!(error("@end\n@part otherwise\n"), format!("2: @part: {}", unreachable(1)));
    assert_eq!(error("@repeat forever\na\n@again\n\nb\n"), format!("5: {}", unreachable(3)));
}

#[test]
fn a_part_whose_requests_an_earlier_part_answers_is_an_error() {
    let message =
        "3: @part: unreachable: the part on line 1 answers instead (change the order or the conditions)";
    assert_eq!(error("@part otherwise\na\n@part method GET\nb\n"), message);
    assert_eq!(error("@part method GET\na\n@part method GET\nb\n"), message);
}

#[test]
fn an_error_in_one_part_does_not_hide_those_in_others() {
    assert_eq!(
        parse("@slep\n@part otherwise\na\n@part method GET\nb\n@part x\n@open now\n").unwrap_err(),
        [
            "chat.sse:1: unknown direction `@slep` (did you mean `@sleep`?)",
            "chat.sse:4: @part: unreachable: the part on line 2 answers instead (change the order or the conditions)",
            "chat.sse:6: @part: unknown condition `x` (known: connection, method, path, query, header, cookie, last-event-id, body, json, count, after, reused-connection, chance, no, otherwise, never, events, reported, disconnect)",
            "chat.sse:7: @open: unexpected argument `now` (takes no argument)",
        ]
    );
}

#[test]
fn placeholders_are_not_allowed_in_trailers_and_comments() {
    let message = "placeholders are not allowed here (write the value itself)";
    assert_eq!(error("@trailer X: {{i}}"), format!("1: @trailer: {message}"));
    assert_eq!(error("@keepalive 1s : {{i}}"), format!("1: @keepalive: {message}"));
}

#[test]
fn a_loop_must_be_closed_do_something_and_not_end_the_response() {
    assert_eq!(
        error("@repeat 2\na\n"),
        "1: @repeat: the loop is not closed (add `@again` below its last line)"
    );
    assert_eq!(
        error("@repeat forever\n@again\n"),
        "2: @again: the loop neither sends nor waits (add an event or a `@sleep`)"
    );
    assert_eq!(
        error("@repeat 2\na\n@drop\n@again\n"),
        "3: @drop: would end the loop of line 1 in its first turn (move it below `@again`)"
    );
}

#[test]
fn a_status_without_body_allows_no_content() {
    let message = "status 204 allows no body (remove the body or change the status)";
    assert_eq!(error("@status 204\n\ndata\n"), format!("3: {message}"));
    assert_eq!(error("@status 205\n\ndata\n"), format!("3: {}", message.replace("204", "205")));
    for body in ["@send x", "@fill 5", "@wire x", "@keepalive 1s", "@trailer X: y"] {
        assert_eq!(error(&format!("@status 204\n{body}\n")), format!("2: {message}"));
    }
}

#[test]
fn only_a_chunked_body_has_a_trailer_section() {
    assert_eq!(
        error("@framing close\n@trailer X: y\na\n"),
        "2: @trailer: only a chunked body has a trailer section (remove it or the `@framing` of line 1)"
    );
}

#[test]
fn a_length_must_be_written_unless_it_is_known_in_advance() {
    for body in ["@sleep 1s\n{{i}}", "@keepalive 1s\na", "@resume\na"] {
        assert_eq!(
            error(&format!("@framing length\n{body}\n")),
            "1: @framing: the length is not known in advance \
             (write `@framing length N`, or remove `@resume`, `@keepalive` and all waits)"
        );
    }
    assert_eq!(parse("@framing length\n@repeat 3\nab\n@again\n").unwrap().parts[0].body_length(), Some(9));
}

#[test]
fn a_part_for_a_method_that_the_script_does_not_answer_is_unreachable() {
    for (method, answered) in [("get", "GET"), ("ANY", "GET"), ("GET,POST", "GET"), ("GET", "POST,PUT")] {
        assert_eq!(
            error(&format!("@part method {method} and connection 1\na\n@part otherwise\n@on {answered} /a\n")),
            format!("1: @part: unreachable: the script answers {answered}, not `{method}` (change the method here or in `@on`)")
        );
    }
    assert!(parse("@part method HEAD\na\n@part no method PUT\nb\n").is_ok());
}

#[test]
fn the_head_is_sent_once_and_before_the_body() {
    assert_eq!(error("a\n@open\n"), "2: @open: must come before the body (move it above line 1)");
    assert_eq!(error("@open\n@open\n"), "2: @open: must come before the body (move it above line 1)");
}

#[test]
fn names_with_a_key_are_separated_by_spaces() {
    for list in ["query:a,cookie:b", "query:a,b", "query:a, cookie:b"] {
        let message = format!("invalid argument `by {list}`");
        assert!(error(&format!("@resume by {list}\nid: 1\n\n")).contains(&message), "{list}");
        assert!(error(&format!("@count by {list}\n")).contains(&message), "{list}");
    }
}

#[test]
fn on_and_count_occur_once_in_a_script() {
    assert_eq!(error("@on GET /a\n@on GET /b\n"), "2: @on: duplicate direction (first on line 1)");
    assert_eq!(error("@count by ip\n\n@count by ip\n"), "3: @count: duplicate direction (first on line 1)");
}

#[test]
fn an_error_in_lines_that_all_parts_share_is_reported_once() {
    assert_eq!(
        parse("@slep\n@part method GET\n@part otherwise\n").unwrap_err(),
        ["chat.sse:1: unknown direction `@slep` (did you mean `@sleep`?)"]
    );
    let script = parse("@on GET /x\n@header X: y\na\n@part method GET\nb\n@part otherwise\nc\n").unwrap();
    assert_eq!(script.parts.len(), 2);
}

#[test]
fn lines_that_all_parts_share_are_stored_once() {
    let events: String = (0..10_000).map(|n| format!("id: {n}\ndata: {n}\n\n")).collect();
    let parts: String = (0..2_000).map(|n| format!("@part query n={n}\nid: {n} of 2000\n\n")).collect();
    let script = parse(&format!("@resume\n@header X: y\n{events}{parts}")).unwrap();
    let (first, last) = (&script.parts[0], script.parts.last().unwrap());
    assert!(Arc::ptr_eq(&first.common, &last.common) && Arc::ptr_eq(&first.head, &last.head));
    assert_eq!((last.common.len(), last.steps.len(), last.steps().count()), (10_000, 1, 10_001));
    let after = |id: &str| {
        last.resume
            .as_ref()
            .unwrap()
            .after(id.as_bytes(), TestRequest::get("/", "").context())
            .map(|position| position.step)
    };
    assert_eq!(after("7"), Some(8));
    assert_eq!(after("9999"), Some(10_000));
    assert_eq!(after("1999 of 2000"), None);
}

#[test]
fn a_loop_and_an_event_can_begin_above_the_parts() {
    let script = parse("@repeat 2\nid: 1\n@part method GET\n\n@again\n@part otherwise\n@again\n\n").unwrap();
    assert_eq!(script.parts[0].steps().count(), 4);
    assert_eq!(script.parts[1].body_length(), Some(13));
}

#[test]
fn event_types_with_a_placeholder_are_left_out() {
    let text = "event: tick-{{i}}\n\ndata: {{i}}event: no\n\nevent: a\n\nevent:b\n\n@send event: c\n\n{{i}}\nevent: a\n\n";
    let types = parse(text).unwrap();
    assert_eq!(types.event_types().iter().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn ids_are_used_only_with_resume() {
    let start = |text, id: &str| {
        let part = parse(text).unwrap().parts.remove(0);
        part.resume.map_or(Some(Position::default()), |table| {
            table.after(id.as_bytes(), TestRequest::get("/", "").context())
        })
    };
    assert_eq!(start("id: 1\n\nid: 2\n\n", "1"), Some(Position::default()));
    assert_eq!(start("id: 1\n\nid: 2\n\n@resume\n", "1"), Some(Position { step: 1, skip: 0, turn: None }));
    assert_eq!(start("id: 1\n\nid: 2\n\n@resume\n", "2"), None);
}

#[test]
fn only_a_test_case_has_a_start_and_connections_are_refused_for_ten_minutes_at_most() {
    let start = |text: &str| {
        parse(&format!("@case must 9.2.3 x\n@expect method GET\n@start {text}\n")).map(|it| it.start)
    };
    assert_eq!(start("other-origin"), Ok(Start::OtherOrigin { with_credentials: false }));
    assert_eq!(start("other-origin with-credentials"), Ok(Start::OtherOrigin { with_credentials: true }));
    assert_eq!(start("down 10m"), Ok(Start::Down(Duration::from_secs(600))));
    let usage = "(expected `@start other-origin [with-credentials] | down T`)";
    assert_eq!(start("other"), Err(vec![format!("chat.sse:3: @start: invalid argument `other` {usage}")]));
    let too_long = "invalid time `11m` (expected at most 10m)";
    assert_eq!(start("down 11m"), Err(vec![format!("chat.sse:3: @start: {too_long}")]));
    assert_eq!(error("@down 11m\n"), format!("1: @down: {too_long}"));
    assert_eq!(error("@start down 1s\n"), "1: @start: only a test case has a start (add `@case`)");
    assert!(parse("data: x\n\n@down 1s\n").unwrap().refuses_connections());
}
