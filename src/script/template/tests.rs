//! Placeholders and their values, and escapes.

use super::*;
use crate::script::context::tests::TestRequest;
use std::sync::atomic::AtomicUsize;

fn render(text: &str) -> String {
    let fields = "Last-Event-ID: 7\r\nX: y\r\nCookie: c=d\r\n";
    let request = TestRequest {
        body: "hello",
        open_clients: AtomicUsize::new(9),
        ..TestRequest::get("/a?n=41&s=x%0Ay", fields)
    };
    let request = RequestContext { request_number: 3, ..request.context() };
    let context = RenderContext { request, elapsed: 5, time: 1_700_000_000_000, turn: 2 };
    String::from_utf8(Template::parse(text.as_bytes()).unwrap().render(&context).into_owned()).unwrap()
}

#[test]
fn every_placeholder_has_a_value() {
    assert_eq!(render("{{elapsed}} {{time}} {{i}} {{connection}} {{open}}"), "5 1700000000000 2 3 9");
    let headers = r#"{"host":["test"],"last-event-id":["7"],"x":["y"],"cookie":["c=d"]}"#;
    assert_eq!(render("{{headers}}"), headers);
    assert_eq!(render("{{method}} {{target}} {{path}}"), "GET /a?n=41&s=x%0Ay /a");
    assert_eq!(
        render("{{last-event-id}} {{query:s}} {{header:x}} {{cookie:c}} {{body}}"),
        "7 x\ny y d hello"
    );
}

#[test]
fn numbers_are_added_and_absent_ones_count_as_0() {
    assert_eq!(render("{{query:n+1}} {{last-event-id+i}} {{query:none+5}} {{header:x+2}}"), "42 9 5 2");
    assert_eq!(render("{{i+18446744073709551615}}"), "18446744073709551615");
}

#[test]
fn a_default_replaces_an_absent_value() {
    assert_eq!(
        render("{{query:none||header:x|z}} {{query:n||header:x}} {{query:none||cookie:none|z}}"),
        "y 41 z"
    );
    assert_eq!(render("{{query:none as json||cookie:c}} [{{query:none||cookie:none}}]"), "\"d\" []");
    assert!(Template::parse(b"{{query:n||nobody}}").is_err());
    assert_eq!(render("{{query:none|a b}}{{query:n|0}}{{cookie:none}}{{query:none+1|z}}"), "a b41z");
}

#[test]
fn values_of_a_json_body_are_found_by_their_paths() {
    let render = |text: &str| {
        let body =
            r#"{"id": "a\n\"b", "n": 1.50, "list": [{"x": true}, null], "none": null, "id2": {"a" : []}}"#;
        let request = TestRequest { body, ..TestRequest::get("/a?q=%22%0a%ff+%2F", "") };
        let context = RenderContext::of_head(request.context());
        String::from_utf8(Template::parse(text.as_bytes()).unwrap().render(&context).into_owned()).unwrap()
    };
    assert_eq!(
        render("{{json:id}} {{json:n}} {{json:list.0.x}} {{json:id2}}"),
        "a\n\"b 1.50 true {\"a\" : []}"
    );
    assert_eq!(render("[{{json:none}}{{json:list.1}}{{json:x.y}}{{json:list.x}}] {{json:x|7}}"), "[] 7");
    assert_eq!(
        render("{{json:id as json}} {{json:n as json}} {{json:none as json}} {{json:x as json|y}}"),
        "\"a\\n\\\"b\" 1.50 null \"y\""
    );
    assert_eq!(
        render("{{query:q as json}} {{query:none as json}} {{query:none+1 as json}}"),
        "\"\\\"\\n\u{fffd} /\" null \"1\""
    );
    assert_eq!(
        render("{{query:q as url}} {{query:none as url}} {{query:none as url|a b}}"),
        "%22%0A%FF%20%2F  a%20b"
    );
    assert_eq!(
        render("\"got {{json:id as escaped}} {{json:id2 as escaped}} {{json:x as escaped}} {{json:x as escaped|\"}}\""),
        r#""got a\n\"b {\"a\" : []}  \"""#
    );
    let chain = "{{json:x as json||json:n}} {{json:x as json||json:y}} {{json:x as json||query:none|z}}";
    assert_eq!(render(chain), "1.50 null \"z\"");
    assert!(Template::parse(b"{{query:a b}}").is_ok() && Template::parse(b"{{query:q as xml}}").is_err());
    assert!(Template::parse(b"{{path as xml}}").is_err());
}

#[test]
fn a_value_as_json_stays_on_one_line() {
    let body = "{\"list\": [1,\r\n  {\"a\":\n\"x\\n\"}]}";
    let request = TestRequest { body, ..TestRequest::get("/a", "") };
    let template = Template::parse(b"data: {{json:list as json}}").unwrap();
    let context = RenderContext::of_head(request.context());
    assert_eq!(&*template.render(&context), b"data: [1,    {\"a\": \"x\\n\"}]");
}

#[test]
fn a_value_as_data_has_a_field_for_each_line() {
    let body = "a\nb\r\n\rc\n";
    let request = TestRequest { body, ..TestRequest::get("/a?q=one%20line", "") };
    let context = RenderContext::of_head(request.context());
    let render = |text: &str| Template::parse(text.as_bytes()).unwrap().render(&context).into_owned();
    assert_eq!(render("data: {{body as data}}"), b"data: a\ndata: b\ndata: \ndata: c\ndata: ");
    assert_eq!(render("{{query:q as data}} {{query:x as data|-}}"), b"one line -");
}

#[test]
fn a_placeholder_has_at_most_eight_values() {
    let values = |count| format!("{{{{{}}}}}", vec!["query:q"; count].join("||"));
    assert!(Template::parse(values(8).as_bytes()).is_ok());
    let error = Template::parse(values(9).as_bytes()).unwrap_err();
    assert!(error.starts_with("too many values in the placeholder `query:q||query:q||"), "{error}");
    assert!(error.ends_with("` (at most 8)"), "{error}");
    // More would not fit into the stack of a client's thread.
    assert!(Template::parse(values(100).as_bytes()).is_err());
}

#[test]
fn an_unknown_placeholder_is_an_error_outside_of_the_body() {
    let error = |text: &str| Template::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error("{{elapsd}}"), "unknown placeholder `elapsd` (did you mean `elapsed`?)");
    assert_eq!(error("{{query:}}"), "unknown placeholder `query:` (did you mean `query:K`?)");
    for (text, similar) in [
        ("jsonn:id", "json:PATH"),
        ("json:", "json:PATH"),
        ("qurey:a|b", "query:K"),
        ("date:iso", "date"),
        ("random:1-6", "random:A..B"),
        ("random:6..1", "random:A..B"),
    ] {
        let message = format!("unknown placeholder `{text}` (did you mean `{similar}`?)");
        assert_eq!(error(&format!("{{{{{text}}}}}")), message);
    }
    assert_eq!(
        error("{{query:a as xml|b}}"),
        "unknown form `xml` in the placeholder `query:a as xml|b` (known: json, escaped, url, data)"
    );
    assert_eq!(
        error("{{query:a|x-{{query:b}}}}"),
        "nested placeholder `query:a|x-{{query:b` (for another value as the default, write `{{query:a||query:b}}`)"
    );
    assert!(error("{{nothing}}")
        .starts_with("unknown placeholder `nothing` (known: elapsed, time, date, uuid, random:A..B, i, "));
    assert!(Template::parse(b"{{ and }} and }}{{").is_err());
    assert!(Template::parse(b"{{elapsed} {{").is_ok());
}

#[test]
fn a_message_about_values_names_them_in_the_order_in_which_they_are_written() {
    let template = Template::parse(b"{{query:a+i|1}} {{header:b||cookie:c||json:d}}").unwrap();
    assert_eq!(template.explain("too long"), "query a, i, header b, cookie c, json d: too long");
}

#[test]
fn escapes_are_undone_in_text_but_not_in_values() {
    assert_eq!(unescape(br"a\n\r\t\0\s\\\xE2\x7b").unwrap(), b"a\n\r\t\0 \\\xE2{");
    assert_eq!(unescape(br"a\q").unwrap_err(), r#"unknown escape `\q` (known: \n \r \t \0 \s \\ \" \xHH)"#);
    assert_eq!(unescape(br"a\xZ").unwrap_err(), r#"unknown escape `\xZ` (known: \n \r \t \0 \s \\ \" \xHH)"#);
    assert!(unescape(b"a\\").is_err());
    let template = Template::parse_escaped(br"\x7b\x7bi}} {{i}}").unwrap();
    assert_eq!(template.0.len(), 2);
}
