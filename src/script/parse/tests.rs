//! Tests of `parse`.

use super::*;
use crate::script::resume::Position;
use crate::script::{BodyFraming, Chunk, Step, Wait};
use std::time::Duration;

fn parse(text: &str) -> Result<Script, Vec<String>> {
    let script = Script::compile("chat.sse", "/chat", text.as_bytes());
    script.map_err(|mistakes| mistakes.0.iter().map(ParseError::to_string).collect())
}

/// The only mistake there is, without the file's name.
fn mistake(text: &str) -> String {
    let mistakes = parse(text).map(|script| panic!("no mistake: {script:?}")).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    mistakes[0].strip_prefix("chat.sse:").unwrap().to_owned()
}

#[test]
fn text_is_text_and_directions_are_steps() {
    let script = parse("data: 1\n\n@sleep 80ms\n@# a remark\n@@data\n").unwrap();
    match script.parts[0].steps.as_slice() {
        [Step::Chunk(Chunk::Framed(first)), Step::Sleep(Wait::Between(time, _)), Step::Chunk(Chunk::Framed(second))] =>
        {
            assert_eq!(first.data(), b"data: 1\n\n");
            assert_eq!(*time, Duration::from_millis(80));
            assert_eq!(second.data(), b"@data\n");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_script_written_with_cr_lf_has_directions_all_the_same() {
    let script = parse("@framing close\r\n@resume\r\ndata: 1\r\n").unwrap();
    assert_eq!(script.parts[0].framing, BodyFraming::Close);
    assert!(script.parts[0].resume.is_some());
}

#[test]
fn a_remark_cuts_no_chunk_and_the_first_one_says_what_the_script_is() {
    let script = parse("@# The first.\ndata: 1\n@# second\ndata: 2\n").unwrap();
    assert_eq!(script.parts[0].steps.len(), 1);
    assert_eq!(script.about, "The first.");
}

#[test]
fn every_direction_ends_a_whole_chunk_but_fill() {
    let steps = |text: &str| parse(&format!("@chunk whole\n{text}")).unwrap().parts.remove(0).steps.len();
    assert_eq!(steps("a\n@resume\nb\n"), 2);
    assert_eq!(steps("a\n@chunk event\nb\n"), 2);
    assert_eq!(steps("a\n@fill 2\nb\n"), 1);
}

#[test]
fn all_mistakes_are_reported_at_once_in_the_order_of_their_lines() {
    assert_eq!(
        parse("@slep 1s\n@sleep soon\n@wait\n\n@status 503\n@on GET\n@again\n").unwrap_err(),
        [
            "chat.sse:1: unknown direction `@slep` (did you mean `@sleep`?)",
            "chat.sse:2: @sleep: `soon` is no time (write 80ms, 1.5s, 2m or 1h)",
            "chat.sse:3: unknown direction `@wait` (write `@@wait` to send a line that begins with `@`)",
            "chat.sse:5: @status: the head has left with line 4 (put this above it)",
            "chat.sse:6: @on: `GET` is no request (write `@on METHOD[,METHOD] TARGET`)",
            "chat.sse:7: @again: there is no loop to go on with (put `@repeat` above it)",
        ]
    );
}

#[test]
fn every_direction_explains_what_is_wrong_with_its_argument() {
    for (text, message) in [
        ("@on G(T /x", "`G(T` is no method (write `@on METHOD[,METHOD] TARGET`)"),
        ("@on GET x", "a target begins with `/`, not as `x` (write `@on METHOD[,METHOD] TARGET`)"),
        ("@on get /x", "methods are in upper case (write `GET`)"),
        ("@status abc", "`abc` is no status (write a number from 200 to 999)"),
        ("@header X", "a field line needs a colon (write `Name: value`)"),
        ("@header a b: c", "`a b` is no field name (letters, digits and hyphens)"),
        (
            "@header Content-Length: 3",
            "`Content-Length` comes with the framing (write `@framing chunked | length [N] | close`)",
        ),
        ("@framing some", "`some` is no framing (write `@framing chunked | length [N] | close`)"),
        ("@framing length x", "`x` is no number (write `@framing chunked | length [N] | close`)"),
        ("@open now", "`now` is too much here (write `@open`)"),
        ("@eol lfcr", "`lfcr` is no line end (write `@eol keep | lf | crlf | cr`)"),
        ("@literal", "`` is neither on nor off (write `@literal on | off`)"),
        ("@send", "there is nothing to send (write `@send TEXT`)"),
        ("@send \\q", r"unknown escape `\q` (known: \n \r \t \0 \s \\ \xHH)"),
        ("@fill 5K", "`5K` is no size (write 512, 64k or 5M, at most 1024M)"),
        ("@fill 65M", "`65M` is too large (at most 64M)"),
        ("@fill 5 ab", "filler is one byte, not `ab` (write `@fill SIZE [c]`)"),
        ("@fill 5 \\n", "filler is no line end (write `@fill SIZE [c]`)"),
        ("@chunk some", "`some` is no way to cut chunks (write `@chunk event | line | whole | N [every T]`)"),
        ("@chunk 0", "`0` is no way to cut chunks (write `@chunk event | line | whole | N [every T]`)"),
        (
            "@chunk 5 each 1s",
            "`each 1s` is too much here (write `@chunk event | line | whole | N [every T]`)",
        ),
        ("@chunk 5 every", "`every` needs a time (write 80ms, 1.5s, 2m or 1h)"),
        ("@status 200 a\x07", "the reason phrase holds a control byte, which no status line can (write `@status 503 [Reason]`)"),
        (
            "@header X: a\x07b",
            "the value of `X` holds a control byte, which no field line can (write `@header Name: v | +Name: v | -Name`)",
        ),
        ("@cut here", "`here` is too much here (write `@cut`)"),
        ("@wire", "there is nothing to send (write `@wire TEXT`)"),
        ("@trailer X", "a field line needs a colon (write `Name: value`)"),
        ("@sleep 1 s", "`1 s` is no time (write 80ms, 1.5s, 2m or 1h)"),
        ("@sleep 2s..1s", "`2s..1s` runs backwards (write the shorter time first)"),
        ("@pace x", "`x` is no time (write 80ms, 1.5s, 2m or 1h)"),
        ("@keepalive 0s", "a keep-alive needs a millisecond at least (write `@keepalive T [: text]`)"),
        ("@keepalive 1s x", "`x` does not begin with a colon (write `@keepalive T [: text]`)"),
        ("@keepalive 1s : a\\nb", "a comment is one line (write `@keepalive T [: text]`)"),
        ("@repeat 0", "`0` turns are none (write 1 or more)"),
        ("@repeat often", "`often` is no number (write `@repeat N | forever [every T]`)"),
        ("@clock now", "`now` is too much here (write `@clock`)"),
        ("@resume 7", "`7` is too much here (write `@resume`)"),
        ("@count ip", "`ip` is nothing to count by (write `@count by ip | query:K | header:K | cookie:K`)"),
        ("@end now", "`now` is too much here (write `@end`)"),
        ("@close now", "`now` is too much here (write `@close`)"),
        ("@drop it", "`it` is too much here (write `@drop [after SIZE]`)"),
        ("@drop after", "`` is no size (write 512, 64k or 5M, at most 1024M)"),
        ("@reset now", "`now` is too much here (write `@reset`)"),
        ("@hang on", "`on` is no time (write 80ms, 1.5s, 2m or 1h)"),
        ("@part", "a condition is missing (write `@part COND [and COND]`)"),
        ("@part conection 1", "unknown condition `conection` (did you mean `connection`?)"),
    ] {
        let name = text.split(' ').next().unwrap();
        assert_eq!(mistake(text), format!("1: {name}: {message}"));
    }
    assert!(
        mistake("@header X: {{elapsd}}").starts_with("1: @header: unknown placeholder `{{elapsd}}` (did you")
    );
}

#[test]
fn what_belongs_to_the_head_stands_above_the_body() {
    for direction in ["@status 200", "@header X: y", "@framing close"] {
        let name = direction.split(' ').next().unwrap();
        let what = format!("2: {name}: the head has left with line 1 (put this above it)");
        assert_eq!(mistake(&format!("a\n{direction}\n")), what);
        assert_eq!(mistake(&format!("@open\n{direction}\n")), what);
    }
}

#[test]
fn what_can_never_be_reached_is_a_mistake() {
    assert_eq!(mistake("a\n@hang\n\nb\n"), "4: never reached (line 2 ends the answer)");
    assert_eq!(mistake("@drop\n@sleep 1s\n"), "2: @sleep: never reached (line 1 ends the answer)");
    assert_eq!(mistake("@end\n@part otherwise\n"), "2: @part: never reached (line 1 ends every answer)");
    assert_eq!(
        mistake("@part otherwise\na\n@part method GET\nb\n"),
        "3: @part: never reached (the part in line 1 answers instead)"
    );
    assert_eq!(
        mistake("@part method GET\na\n@part method GET\nb\n"),
        "3: @part: never reached (the part in line 1 answers instead)"
    );
}

#[test]
fn what_is_never_reached_is_reported_beside_other_mistakes_and_after_endless_loops() {
    assert_eq!(
        parse("@slep\n@part otherwise\na\n@part method GET\nb\n").unwrap_err(),
        [
            "chat.sse:1: unknown direction `@slep` (did you mean `@sleep`?)",
            "chat.sse:4: @part: never reached (the part in line 2 answers instead)"
        ]
    );
    assert_eq!(mistake("@repeat forever\na\n@again\n\nb\n"), "5: never reached (line 3 ends the answer)");
}

#[test]
fn placeholders_have_no_value_in_trailers_and_comments() {
    let hint = "placeholders have no value here (write it out)";
    assert_eq!(mistake("@trailer X: {{i}}"), format!("1: @trailer: {hint}"));
    assert_eq!(mistake("@keepalive 1s : {{i}}"), format!("1: @keepalive: {hint}"));
}

#[test]
fn loops_that_do_not_fit_are_mistakes() {
    assert_eq!(
        mistake("@repeat 2\na\n"),
        "1: @repeat: the loop is not closed (put `@again` after what is to be repeated)"
    );
    assert_eq!(
        mistake("@repeat forever\n@again\n"),
        "2: @again: the loop neither sends nor waits (put something into it)"
    );
    assert_eq!(
        mistake("@repeat 2\na\n@drop\n@again\n"),
        "3: @drop: it would end the loop of line 1 in its first turn (put it after `@again`)"
    );
}

#[test]
fn framing_and_body_have_to_fit() {
    assert_eq!(
        mistake("@status 204\n\ndata\n"),
        "3: a 204 has no body (remove the lines, or choose another status)"
    );
    assert_eq!(
        mistake("@framing close\n@trailer X: y\na\n"),
        "2: @trailer: only chunks have a trailer section (remove line 1 or this)"
    );
    assert_eq!(
        mistake("@framing length\n{{i}}\n"),
        "1: @framing: the length is not known in advance (write the number of octets)"
    );
    assert_eq!(
        mistake("@framing length\n@keepalive 1s\na\n"),
        "1: @framing: the length is not known in advance (write the number of octets)"
    );
    for body in ["@send x", "@fill 5", "@wire x", "@keepalive 1s", "@trailer X: y"] {
        let what = "2: a 204 has no body (remove the lines, or choose another status)";
        assert_eq!(mistake(&format!("@status 204\n{body}\n")), what);
    }
    assert_eq!(parse("@framing length\n@repeat 3\nab\n@again\n").unwrap().parts[0].body_length(), Some(9));
}

#[test]
fn what_a_script_has_once_is_said_once() {
    assert_eq!(mistake("@on GET /a\n@on GET /b\n"), "2: @on: line 1 says so already (remove one)");
    assert_eq!(mistake("@count by ip\n@count by ip\n"), "2: @count: line 1 says so already (remove one)");
}

#[test]
fn a_mistake_in_what_all_parts_share_is_reported_once() {
    assert_eq!(
        parse("@slep\n@part method GET\n@part otherwise\n").unwrap_err(),
        ["chat.sse:1: unknown direction `@slep` (did you mean `@sleep`?)"]
    );
    assert_eq!(parse("@header X: y\na\n@part method GET\nb\n@part otherwise\nc\n").unwrap().parts.len(), 2);
}

#[test]
fn ids_count_only_with_resume() {
    let start = |text, id: &str| {
        let part = parse(text).unwrap().parts.remove(0);
        part.resume.map_or(Some(Position::default()), |table| table.after(id.as_bytes()))
    };
    assert_eq!(start("id: 1\n\nid: 2\n\n", "1"), Some(Position::default()));
    assert_eq!(start("id: 1\n\nid: 2\n\n@resume\n", "1"), Some(Position { step: 1, skip: 0 }));
    assert_eq!(start("id: 1\n\nid: 2\n\n@resume\n", "2"), None);
}
