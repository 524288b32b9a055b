//! Where chunks and events begin and end.

use super::*;
use crate::script::context::tests::TestRequest;
use crate::script::step::NextStep;

fn body(cut: Cut, text: &[u8]) -> Body {
    let mut body = Body::new(SharedBytes::default(), true);
    body.cut = cut;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        body.line(line);
    }
    body
}

/// The data of each chunk, with `*` for a placeholder, and the name of each other step.
fn steps(mut body: Body) -> Vec<String> {
    body.end();
    body.steps.iter().map(name).collect()
}

fn name(step: NextStep<'_>) -> String {
    let text = |segment: &Segment| match segment {
        Segment::Text(text) => text.escape_ascii().to_string(),
        Segment::Value(_) => "*".to_owned(),
    };
    match step {
        NextStep::Text(text) => text.escape_ascii().to_string(),
        NextStep::Other(Step::Chunk(Chunk::Rendered(template))) => template.0.iter().map(text).collect(),
        other => format!("{other:?}"),
    }
}

fn chunks(cut: Cut, text: &[u8]) -> Vec<String> {
    steps(body(cut, text))
}

#[test]
fn chunks_end_after_blank_lines_with_any_line_end() {
    assert_eq!(chunks(Cut::Event, b"a\n\nb\n\n"), [r"a\n\n", r"b\n\n"]);
    assert_eq!(chunks(Cut::Event, b"a\r\n\r\nb\r\n\r\n"), [r"a\r\n\r\n", r"b\r\n\r\n"]);
    assert_eq!(chunks(Cut::Event, b"a\r\rb\r\r"), [r"a\r\r", r"b\r\r"]);
    assert_eq!(chunks(Cut::Event, b"a\n\n\nb"), [r"a\n\n", r"\n", "b"]);
    assert!(chunks(Cut::Event, b"").is_empty());
}

#[test]
fn chunks_end_after_lines_or_not_at_all() {
    assert_eq!(chunks(Cut::Line, b"a\nb\r\n\r"), [r"a\n", r"b\r\n", r"\r"]);
    assert_eq!(chunks(Cut::Whole, b"a\n\nb\n\nc"), [r"a\n\nb\n\nc"]);
}

#[test]
fn a_line_of_one_placeholder_is_not_blank() {
    assert_eq!(chunks(Cut::Event, b"a\n{{elapsed}}\n\nb"), [r"a\n*\n\n", "b"]);
}

#[test]
fn an_unknown_name_in_braces_is_text() {
    assert_eq!(chunks(Cut::Whole, b"{{x}} {{}} {{elapsed} {{"), ["{{x}} {{}} {{elapsed} {{"]);
    assert_eq!(chunks(Cut::Whole, b"{{{elapsed}}}"), ["{*}"]);
    assert_eq!(chunks(Cut::Whole, b"{{a{{elapsed}}"), ["{{a*"]);
    let mut literal = Body::new(SharedBytes::default(), true);
    literal.literal = true;
    literal.line(b"{{elapsed}}\n");
    assert_eq!(steps(literal), [r"{{elapsed}}\n"]);
}

#[test]
fn each_step_has_the_lines_that_it_was_made_from() {
    let mut body = Body::new(SharedBytes::default(), true);
    body.set_pace(Some(Duration::from_secs(1)));
    for (number, line) in (1..).zip([&b"a\n"[..], b"{{i}}\n", b"\n", b"b\n", b"", b"c\n"]) {
        body.file_line = number;
        match line {
            b"" => body.send(Template(vec![Segment::Text(b"x".to_vec().into())])),
            line => body.line(line),
        }
    }
    body.end();
    let mut steps = body.steps.iter();
    let mut lines = Vec::new();
    while steps.next().is_some() {
        lines.push(steps.lines().map(|lines| (lines.first, lines.last)).unwrap());
    }
    // The wait and the event; the wait and the chunk that `@send` ends; `@send` with its two flushes; the rest.
    assert_eq!(lines, [(1, 1), (1, 3), (4, 4), (4, 4), (5, 5), (5, 5), (5, 5), (6, 6)]);
    assert_eq!(lines.len(), body.steps.len());
}

#[test]
fn line_ends_are_replaced_except_in_sent_text() {
    let mut body = Body::new(SharedBytes::default(), true);
    body.line_end = Some(b"\r");
    body.line(b"a\r\n");
    body.line(b"\n");
    body.line(b"b");
    body.send(Template(vec![Segment::Text(b"c\n".to_vec().into())]));
    assert_eq!(steps(body), [r"a\r\r", "b", "Flush", r"c\n", "Flush"]);
}

#[test]
fn cr_lf_is_one_line_end_even_when_it_is_cut() {
    let mut body = Body::new(SharedBytes::default(), true);
    body.send(Template(vec![Segment::Text(b"id: 1\r\n\r".to_vec().into())]));
    body.line(b"\n");
    body.line(b"a\n");
    body.line(b"\n");
    assert_eq!(steps(body), ["Flush", r"id: 1\r\n\r", "Flush", r"\na\n\n"]);
}

#[test]
fn filler_joins_the_text_around_it() {
    let mut body = body(Cut::Event, b"data: ");
    body.fill(b'x', 3);
    body.line(b"\n");
    body.fill(b'y', 2);
    body.line(b"\n");
    body.line(b"\n");
    assert_eq!(steps(body), [r"data: xxx\nyy\n\n"]);
}

#[test]
fn a_pace_waits_before_every_event() {
    let mut body = Body::new(SharedBytes::default(), true);
    body.set_pace(Some(Duration::from_secs(1)));
    for line in [&b"a\n"[..], b"b\n", b"\n", b"\n", b"{{i}}\n", b"\n"] {
        body.line(line);
    }
    assert_eq!(steps(body), ["Sleep(1s)", r"a\nb\n\n", r"\n", "Sleep(1s)", r"*\n\n"]);
}

#[test]
fn a_pace_waits_before_every_line_that_is_a_chunk() {
    let mut body = body(Cut::Line, b"a\n");
    body.set_pace(Some(Duration::from_secs(1)));
    body.line(b"{{i}}b\n");
    body.line(b"\n");
    let sleep = "Sleep(1s)";
    assert_eq!(steps(body), [r"a\n", sleep, r"*b\n", sleep, r"\n"]);
}

#[test]
fn a_pace_waits_before_text_that_is_sent_in_one_write_and_not_in_it() {
    let mut body = Body::new(SharedBytes::default(), true);
    body.set_pace(Some(Duration::from_secs(1)));
    for text in [&b"a\n\nb"[..], b"c\n\n"] {
        body.send(Template(vec![Segment::Text(text.to_vec().into())]));
    }
    assert_eq!(steps(body), ["Sleep(1s)", "Flush", r"a\n\nb", "Flush", "Flush", r"c\n\n", "Flush"]);
}

#[test]
fn a_client_resumes_at_a_step_or_inside_one() {
    let place = |cut, id: &[u8]| {
        body(cut, b"\xEF\xBB\xBFid: 1\n\ndata\nid: 2\n\nid: 3\n\n")
            .resume
            .after(id, TestRequest::get("/", "").context())
    };
    assert_eq!(place(Cut::Event, b"1"), Some(Position { step: 1, skip: 0, turn: None }));
    assert_eq!(place(Cut::Event, b"2"), Some(Position { step: 2, skip: 0, turn: None }));
    assert_eq!(place(Cut::Line, b"2"), Some(Position { step: 5, skip: 0, turn: None }));
    assert_eq!(place(Cut::Whole, b"1"), Some(Position { step: 0, skip: 10, turn: None }));
    assert_eq!(place(Cut::Whole, b"3"), None);
}

/// A capture has two steps for each event.
#[test]
fn a_step_takes_little_memory() {
    assert!(std::mem::size_of::<Step>() <= 40);
}
