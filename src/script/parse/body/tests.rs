//! Tests of `body`.

use super::*;

fn body(cut: Cut, text: &[u8]) -> Body {
    let mut body = Body::new();
    body.cut = cut;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        body.line(line);
    }
    body
}

/// Every step: the data of a chunk with `*` for a placeholder, or the step's name.
fn steps(body: Body) -> Vec<String> {
    body.finish().0.iter().map(shown).collect()
}

fn shown(step: &Step) -> String {
    let text = |segment: &Segment| match segment {
        Segment::Text(text) => text.escape_ascii().to_string(),
        Segment::Fill(byte, count) => format!("{count}*{}", *byte as char),
        Segment::Value(_) => "*".to_owned(),
    };
    match step {
        Step::Chunk(Chunk::Framed(chunk)) => chunk.data().escape_ascii().to_string(),
        Step::Chunk(Chunk::Template { segments, .. }) => segments.iter().map(text).collect(),
        other => format!("{other:?}"),
    }
}

fn chunks(cut: Cut, text: &[u8]) -> Vec<String> {
    steps(body(cut, text))
}

#[test]
fn cuts_after_blank_lines_whatever_ends_them() {
    assert_eq!(chunks(Cut::Event, b"a\n\nb\n\n"), [r"a\n\n", r"b\n\n"]);
    assert_eq!(chunks(Cut::Event, b"a\r\n\r\nb\r\n\r\n"), [r"a\r\n\r\n", r"b\r\n\r\n"]);
    assert_eq!(chunks(Cut::Event, b"a\r\rb\r\r"), [r"a\r\r", r"b\r\r"]);
    assert_eq!(chunks(Cut::Event, b"a\n\n\nb"), [r"a\n\n", r"\n", "b"]);
    assert!(chunks(Cut::Event, b"").is_empty());
}

#[test]
fn cuts_after_lines_or_not_at_all() {
    assert_eq!(chunks(Cut::Line, b"a\nb\r\n\r"), [r"a\n", r"b\r\n", r"\r"]);
    assert_eq!(chunks(Cut::Whole, b"a\n\nb\n\nc"), [r"a\n\nb\n\nc"]);
}

#[test]
fn a_line_with_a_placeholder_alone_is_not_blank() {
    assert_eq!(chunks(Cut::Event, b"a\n{{elapsed}}\n\nb"), [r"a\n*\n\n", "b"]);
}

#[test]
fn an_unknown_name_in_braces_is_text() {
    assert_eq!(chunks(Cut::Whole, b"{{x}} {{}} {{elapsed} {{"), ["{{x}} {{}} {{elapsed} {{"]);
    assert_eq!(chunks(Cut::Whole, b"{{{elapsed}}}"), ["{*}"]);
    assert_eq!(chunks(Cut::Whole, b"{{a{{elapsed}}"), ["{{a*"]);
    let mut literal = Body::new();
    literal.literal = true;
    literal.line(b"{{elapsed}}\n");
    assert_eq!(steps(literal), [r"{{elapsed}}\n"]);
}

#[test]
fn line_ends_are_replaced_but_not_those_of_sent_text() {
    let mut body = Body::new();
    body.line_end = Some(b"\r");
    body.line(b"a\r\n");
    body.line(b"\n");
    body.line(b"b");
    body.send(Template(vec![Segment::Text(b"c\n".to_vec())]));
    assert_eq!(steps(body), [r"a\r\r", "b", "Flush", r"c\n", "Flush"]);
}

#[test]
fn an_lf_after_a_cr_is_the_rest_of_one_line_end() {
    let mut body = Body::new();
    body.send(Template(vec![Segment::Text(b"id: 1\r\n\r".to_vec())]));
    body.line(b"\n");
    body.line(b"a\n");
    body.line(b"\n");
    assert_eq!(steps(body), ["Flush", r"id: 1\r\n\r", "Flush", r"\na\n\n"]);
}

#[test]
fn filler_joins_the_text_around_it_and_is_written_out_when_it_is_short() {
    let mut body = body(Cut::Event, b"data: ");
    body.fill(b'x', 3);
    body.line(b"\n");
    body.fill(b'y', 5_000);
    body.line(b"\n");
    body.line(b"\n");
    assert_eq!(steps(body), [r"data: xxx\n5000*y\n\n"]);
}

#[test]
fn a_pace_waits_before_every_event() {
    let mut body = Body::new();
    body.pace = Some(Duration::from_secs(1));
    for line in [&b"a\n"[..], b"b\n", b"\n", b"\n", b"{{i}}\n", b"\n"] {
        body.line(line);
    }
    assert_eq!(
        steps(body),
        ["Sleep(Between(1s, 1s))", r"a\nb\n\n", r"\n", "Sleep(Between(1s, 1s))", r"*\n\n"]
    );
}

#[test]
fn the_place_after_an_id_is_a_step_or_inside_one() {
    let place =
        |cut, id: &[u8]| body(cut, b"\xEF\xBB\xBFid: 1\n\ndata\nid: 2\n\nid: 3\n\n").finish().1.after(id);
    assert_eq!(place(Cut::Event, b"1"), Some(Position { step: 1, skip: 0 }));
    assert_eq!(place(Cut::Event, b"2"), Some(Position { step: 2, skip: 0 }));
    assert_eq!(place(Cut::Line, b"2"), Some(Position { step: 5, skip: 0 }));
    assert_eq!(place(Cut::Whole, b"1"), Some(Position { step: 0, skip: 10 }));
    assert_eq!(place(Cut::Whole, b"3"), None);
}
