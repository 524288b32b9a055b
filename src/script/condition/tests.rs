//! Tests of conditions.

use super::*;
use crate::script::context::tests::TestRequest;

fn holds(text: &str, request_number: u64) -> bool {
    let fields = "Accept: text/event-stream\r\nCookie: id=7\r\nLast-Event-ID: a b\r\n";
    let mut request = TestRequest::new("POST", "/a?type=2&flag", fields);
    request.body = "{\"stream\": true}";
    let context = RequestContext { request_number, ..request.context() };
    Conditions::parse(text.as_bytes()).unwrap().hold(context)
}

#[test]
fn a_connection_is_a_number_a_range_or_every_nth() {
    let which = |text: &str| (1..=7).filter(|number| holds(text, *number)).collect::<Vec<u64>>();
    assert_eq!(which("connection 2"), [2]);
    assert_eq!(which("connection 2-4"), [2, 3, 4]);
    assert_eq!(which("connection 5+"), [5, 6, 7]);
    assert_eq!(which("connection 1 of 3"), [1, 4, 7]);
    assert_eq!(which("connection 3 of 3"), [3, 6]);
    assert_eq!(which("no connection 2+"), [1]);
}

#[test]
fn conditions_compare_every_part_of_a_request() {
    for text in [
        "method POST",
        "query type",
        "query type=2",
        "query flag",
        "header accept",
        "header Accept=text/event-stream",
        "header accept~event",
        "cookie id",
        "cookie id=7",
        "last-event-id",
        "last-event-id \"a b\"",
        "last-event-id a\\sb",
        "body ~stream",
        "body ~\\x22stream\\x22:\\strue",
        "body ~\"stream\":",
        "body ~\"\\\"stream\\\": true\"",
        "json stream",
        "json stream=true",
        "query type={{connection+1}} and no query type={{connection}}",
        "header accept~\"{{cookie:none|event}}-stream\"",
        "json stream={{json:stream}}",
        "json stream~ru and no json none",
        "header accept~\"event-stream\"",
        "header accept~\"/event\" and query type=\"2\" and no header accept~\"a b\\\\\"",
        "no method GET and query type=2 and no cookie other",
        "no no method POST",
        "otherwise",
    ] {
        assert!(holds(text, 1), "{text}");
    }
    for text in [
        "method post",
        "query type=",
        "query none",
        "header accept=text",
        "body ~x",
        "method POST and cookie x",
        "json stream=false",
        "json messages",
        "json stream.0",
    ] {
        assert!(!holds(text, 1), "{text}");
    }
}

#[test]
fn an_error_names_the_condition_and_how_it_is_written() {
    for (text, message) in [
        ("conection 1", "unknown condition `conection` (did you mean `connection`?)"),
        ("", "missing condition"),
        ("no", "missing condition"),
        ("method GET and", "missing condition"),
        ("method", "invalid condition `method` (expected `method M`)"),
        ("body ~", "invalid condition `body ~` (expected `body ~V`)"),
        ("header a~", "invalid condition `header a~` (expected `header K[=V|~V]`)"),
        ("body x", "invalid condition `body x` (expected `body ~V`)"),
        ("query =x", "invalid condition `query =x` (expected `query K[=V]`)"),
        ("count a", "invalid condition `count a` (expected `count NAME=N`)"),
        ("count a=2+", "invalid condition `count a=2+` (expected `count NAME=N`)"),
        ("count a=02", "invalid condition `count a=02` (expected `count NAME=N`)"),
        ("count a=", "invalid condition `count a=` (expected `count NAME=N`)"),
        ("no count a~2", "invalid condition `count a~2` (expected `count NAME=N`)"),
        ("query page>1", "invalid condition `query page>1` (expected `query K[=V]`)"),
        ("header x!=1", "invalid condition `header x!=1` (expected `header K[=V|~V]`)"),
        ("body ~\\q", "unknown escape `\\q` (known: \\n \\r \\t \\0 \\s \\\\ \\\" \\xHH)"),
        ("otherwise and method GET", "`otherwise` always holds (remove it or the other conditions)"),
        ("no otherwise", "`no otherwise` never holds (write `never`)"),
        (
            "body ~\"a\": b",
            "invalid condition `body ~\"a\": b` (expected `body ~V`; \
             write a V with spaces as `\"a b\"`, and a quote in it as `\\\"`)",
        ),
    ] {
        assert_eq!(Conditions::parse(text.as_bytes()).unwrap_err(), message, "{text}");
    }
    for connection in ["0", "2-", "3-2", "+", "4 of 3", "0 of 3", "1 in 3", ""] {
        let text = format!("connection {connection}");
        let message = Conditions::parse(text.as_bytes()).unwrap_err();
        assert!(message.ends_with(" (expected `connection 1 | 2-3 | 4+ | 1 of 3`)"), "{message}");
    }
}

#[test]
fn some_conditions_hold_for_every_request() {
    let always = |text: &str| Conditions::parse(text.as_bytes()).unwrap().always_hold();
    assert!(always("otherwise") && always("connection 1+") && always("connection 1 of 1"));
    assert!(!always("connection 2+") && !always("no connection 1+") && !always("method GET"));
}

#[test]
fn a_chance_that_is_none_is_named_with_what_is_possible() {
    let error = |text: &str| Conditions::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error("chance 100%"), "invalid chance `100%` (expected 1% to 99%)");
    assert_eq!(error("chance x"), "invalid condition `chance x` (expected `chance N%`)");
}
