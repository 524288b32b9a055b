//! What a script does with the values of a request: ids, queries, bodies.

use crate::support::{assert_takes, chunk, play, request, serve, Client, Exchange, PATIENCE};
use rust_sse_server::{Script, Server};
use std::time::Instant;

/// The body of the response to a request for this target, with these field lines.
fn body(script: &str, target: &str, fields: &str) -> String {
    let server = serve("max", &[("/a", script.as_bytes())]);
    let exchange = Exchange::new(server.address(), request("GET", target, fields), PATIENCE);
    String::from_utf8(exchange.data().0).unwrap()
}

#[test]
fn an_empty_last_event_id_does_not_hide_the_one_in_the_query() {
    let script = "@resume\nid: 1\ndata: a\n\nid: 2\ndata: b\n\n";
    let rest = "id: 2\ndata: b\n\n";
    assert_eq!(body(script, "/a?lastEventId=1", "Last-Event-ID:\r\n"), rest);
    assert_eq!(body(script, "/a?lastEventId=2", "Last-Event-ID: 1\r\n"), rest);
}

#[test]
fn a_plus_in_a_query_is_a_space_and_one_in_the_path_is_not() {
    let script = "{{query:name}} {{query:a b}}";
    assert_eq!(body(script, "/a?name=a+b%2Bc%20d&a+b=1", ""), "a b+c d 1");
    let server = serve("max", &[("/a+b", b"{{path}}")]);
    let exchange = Exchange::new(server.address(), request("GET", "/a+b", ""), PATIENCE);
    assert_eq!(exchange.data().0, b"/a+b");
}

#[test]
fn outside_of_a_loop_the_turn_is_absent() {
    assert_eq!(body("{{i|7}} {{i+1}} [{{i}}]\n@repeat 2\n{{i|7}}\n@again\n", "/a", ""), "7 1 []\n1\n2\n");
}

#[test]
fn another_port_is_there_only_for_test_cases() {
    let script = "[{{other-port}}] {{other-port|none}}\n";
    assert_eq!(body(script, "/a", ""), "[] none\n");
    let server =
        Server::new().judge().script(Script::parse("/a", script).unwrap()).start("127.0.0.1:0").unwrap();
    let exchange = Exchange::new(server.address(), request("GET", "/a", ""), PATIENCE);
    let body = String::from_utf8(exchange.data().0).unwrap();
    let port: u16 = body.split(' ').nth(1).unwrap().trim_end().parse().unwrap();
    assert_ne!(port, server.address().port());
    // The same scripts are played there.
    let exchange = Exchange::new((server.address().ip(), port).into(), request("GET", "/a", ""), PATIENCE);
    assert_eq!(String::from_utf8(exchange.data().0).unwrap(), body);
}

#[test]
fn an_id_with_control_characters_comes_back() {
    let script =
        "@part last-event-id a\\x01b\ndata: back\n\n@part otherwise\n@send id: a\\x01b\\ndata: x\\n\\n\n";
    assert_eq!(body(script, "/a", ""), "id: a\u{1}b\ndata: x\n\n");
    assert_eq!(body(script, "/a", "Last-Event-ID: a\u{1}b\r\n"), "data: back\n\n");
}

#[test]
fn a_nul_in_a_field_line_and_a_control_byte_in_the_request_line_are_400() {
    let server = serve("max", &[("/a", b"data: x\n\n")]);
    for (request, reason) in [
        ("GET /a HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\n", "a NUL in a field line"),
        ("\u{16}\u{3}\u{1}", "a control byte in the request line; is this TLS?"),
    ] {
        let mut client = Client::connect(server.address());
        client.send(request);
        let (_, body) = client.read_answer();
        assert_eq!(body, format!("400 Bad Request: {reason}\n"));
    }
}

#[test]
fn a_path_that_is_served_with_another_query_is_a_404_that_says_so() {
    let server = serve("max", &[("/b", b"@on POST /p?alt=sse\ndata: x\n\n")]);
    let mut client = Client::connect(server.address());
    client.send("POST /p?alt=sse&key=K HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let (head, body) = client.read_answer();
    assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
    assert_eq!(body, "404 Not Found: no script at this path with this query; available:\nPOST /p?alt=sse\n");
}

#[test]
fn an_interim_response_precedes_the_head() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    let script = "@wire HTTP/1.1 103 Early Hints\\r\\nLink: </x>\\r\\n\\r\\n\n@status 201\ndata: x\n\n";
    let exchange = play(script, "max");
    let wire = String::from_utf8([exchange.head.as_bytes(), &exchange.wire].concat()).unwrap();
    assert!(
        wire.starts_with(&format!("{interim}HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n")),
        "{wire}"
    );
    assert!(wire.ends_with(&format!("\r\n\r\n{}0\r\n\r\n", chunk("data: x\n\n"))), "{wire}");
}

#[test]
fn a_computed_length_does_not_count_an_interim_response() {
    let script = "@framing length\n@wire HTTP/1.1 103 A\\r\\n\\r\\nHTTP/1.1 102 B\\r\\n\\r\\n\ndata: x\n\n";
    let exchange = play(script, "max");
    let wire = String::from_utf8([exchange.head.as_bytes(), &exchange.wire].concat()).unwrap();
    assert!(wire.starts_with("HTTP/1.1 103 A\r\n\r\nHTTP/1.1 102 B\r\n\r\nHTTP/1.1 200 OK\r\n"), "{wire}");
    assert!(wire.contains("\r\ncontent-length: 9\r\n") && wire.ends_with("\r\n\r\ndata: x\n\n"), "{wire}");
}

#[test]
fn what_is_not_an_interim_response_is_sent_instead_of_the_head() {
    for head in [
        "HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n",
        "HTTP/1.1 103 A\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\n\\r\\n",
        "HTTP/1.1 1000 A\\r\\n\\r\\n",
        "HTTP/1.1 103 A\\r\\n",
        "HTTP/1.1 1\\xE9\\x80\\xE9\\r\\n\\r\\n",
    ] {
        let exchange = play(format!("@wire {head}\nx\n"), "max");
        let wire = String::from_utf8_lossy(&[exchange.head.as_bytes(), &exchange.wire].concat()).into_owned();
        assert!(wire.ends_with("\nx\n") && !wire.contains("date: "), "{wire}");
    }
}

#[test]
fn a_script_names_where_the_last_event_id_is() {
    let script = "@resume by query:after cookie:last\nid: 1\n\nid: 2\n\nid: 3\n\n";
    let all = "id: 1\n\nid: 2\n\nid: 3\n\n";
    for (target, fields, expected) in [
        ("/a?after=1", "", &all[7..]),
        ("/a?after=1", "Last-Event-ID: 2\r\n", &all[14..]),
        ("/a?after=2", "Cookie: last=1\r\n", &all[14..]),
        ("/a?after=", "Last-Event-ID:\r\nCookie: last=2\r\n", &all[14..]),
        ("/a?lastEventId=2", "", all),
        ("/a?after=3", "", ""),
    ] {
        assert_eq!(body(script, target, fields), expected, "{target} {fields}");
    }
}

#[test]
fn quotes_in_a_condition_are_part_of_its_value_unless_they_are_around_it() {
    let script =
        "@on POST /a\n@part body ~\"stream\":true and no body ~\"a b\"\ntight\n@part body ~\"\\\"stream\\\": true\"\nloose\n";
    let server = serve("max", &[("/a", script.as_bytes())]);
    for (json, expected) in [("{\"stream\":true}", "tight\n"), ("{\"stream\": true}", "loose\n")] {
        let fields = format!("Content-Length: {}\r\n", json.len());
        let exchange = Exchange::new(server.address(), request("POST", "/a", &fields) + json, PATIENCE);
        assert_eq!(exchange.data().0, expected.as_bytes(), "{json}");
    }
}

#[test]
fn waits_that_a_request_sets_and_that_take_more_than_10_minutes_together_are_400() {
    // More turns than a floating-point number can count.
    let begin = format!("@repeat {}\n", u64::MAX).repeat(17);
    let many_turns = begin + "@sleep {{query:none|0s}}\n@sleep {{query:t}}\nx\n" + &"@again\n".repeat(17);
    for (script, longest, too_long) in [
        ("@sleep {{query:t}}\n@sleep {{query:t}}\nx\n", "5m", "301s"),
        ("@repeat 5\n@repeat 20\n@sleep {{query:t}}\nx\n@again\n@again\n", "6s", "6001ms"),
        ("@repeat 2\n@sleep 1ms..{{query:t}}\nx\n@again\n", "5m", "301s"),
        ("@sleep {{i|10}}m\n@sleep {{query:t}}\nx\n", "0ms", "1ms"),
        (&many_turns, "0ms", "1ms"),
    ] {
        let server = serve("max", &[("/a", script.as_bytes())]);
        let mut client = Client::connect(server.address());
        client.get(&format!("/a?t={longest}"), "");
        assert!(client.read_head().starts_with("HTTP/1.1 200 "), "{script}");
        let mut client = Client::connect(server.address());
        client.send(request("GET", &format!("/a?t={too_long}"), ""));
        let (head, body) = client.read_answer();
        assert!(head.starts_with("HTTP/1.1 400 "), "{script} {head}");
        assert_eq!(body, "400 Bad Request: the requested waits are too long (at most 10m together)\n");
    }
}

#[test]
fn waits_that_become_too_long_in_later_turns_are_cut() {
    let server = serve("1000", &[("/a", b"@repeat 4\n@sleep {{i}}00s\nx\n@again\n")]);
    assert_takes(600..950, || {
        let start = Instant::now();
        let exchange = Exchange::new(server.address(), request("GET", "/a", ""), PATIENCE);
        assert_eq!(exchange.data().0, b"x\nx\nx\nx\n");
        start.elapsed()
    });
}

#[test]
fn in_an_endless_loop_every_turn_can_wait() {
    let server = serve("10000", &[("/a", b"@repeat forever\n@sleep {{query:t}}\n{{i}}\n@again\n")]);
    assert_takes(300..1_000, || {
        let mut client = Client::connect(server.address());
        let start = Instant::now();
        client.get("/a?t=9m", "").read_head();
        client.read_until("6\n");
        start.elapsed()
    });
}

/// The body of the response to a POST request with this body.
fn posted(script: &str, json: &str) -> String {
    let server = serve("max", &[("/a", script.as_bytes())]);
    let fields = format!("Content-Length: {}\r\n", json.len());
    let exchange = Exchange::new(server.address(), request("POST", "/a", &fields) + json, PATIENCE);
    String::from_utf8(exchange.data().0).unwrap()
}

#[test]
fn the_values_of_a_json_body_choose_the_part_and_are_in_the_response() {
    let script = "@on POST /a\n@part json method=tools/call and json params.arguments.0\n\
        data: {\"id\": {{json:id as json}}, \"name\": {{json:params.name as json}}}\n@part json id\n{{json:id}}\n\
        @part otherwise\nno id\n";
    for (json, expected) in [
        (
            r#"{"id" : "a\u00e9\n", "method":"tools/call", "params":{"name":"x\"","arguments":[0]}}"#,
            "data: {\"id\": \"a\\u00e9\\n\", \"name\": \"x\\\"\"}\n",
        ),
        (r#"{"id":1.0,"params":{"arguments":[]},"method":"tools/call"}"#, "1.0\n"),
        (r#"{"id":1,"id":"\ud83d\ude00"}"#, "\u{1f600}\n"),
        (r#"{"id":null}"#, "no id\n"),
        (r#"{"id":1"#, "no id\n"),
        ("", "no id\n"),
    ] {
        assert_eq!(posted(script, json), expected, "{json}");
    }
}

#[test]
fn requests_are_counted_and_resumed_by_a_value_of_their_json_body() {
    let script =
        "@on POST /a\n@count by json:id\n@resume by json:last\nid: 1\ndata: {{connection}}\n\nid: 2\n\n";
    assert_eq!(posted(script, r#"{"id":"x"}"#), "id: 1\ndata: 1\n\nid: 2\n\n");
    assert_eq!(posted(script, r#"{"last":1}"#), "id: 2\n\n");
}

#[test]
fn a_star_in_a_path_stands_for_one_segment() {
    let server =
        serve("max", &[("/a", b"@on POST /v1/models/*\n{{path}}"), ("/b", b"@on POST /v1/models/b\nb")]);
    for (target, expected) in [("/v1/models/x%20y:z?alt=sse", "/v1/models/x%20y:z"), ("/v1/models/b", "b")] {
        let exchange = Exchange::new(server.address(), request("POST", target, ""), PATIENCE);
        assert_eq!(exchange.data().0, expected.as_bytes(), "{target}");
    }
    let exchange = Exchange::new(server.address(), request("POST", "/v1/models/x/y", ""), PATIENCE);
    assert!(exchange.head.starts_with("HTTP/1.1 404 "), "{}", exchange.head);
    let exchange = Exchange::new(server.address(), request("GET", "/v1/models/x", ""), PATIENCE);
    assert!(exchange.head.contains("\r\nallow: POST"), "{}", exchange.head);
}

/// The text of a body between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split(before).nth(1).unwrap().split(after).next().unwrap()
}

#[test]
fn the_date_and_the_host_are_those_of_the_request() {
    let text = body("{{host}} {{port}} [{{date}}]", "/a", "");
    assert!(text.starts_with("localhost 80 ["), "{text}");
    let date = between(&text, "[", "]");
    assert!(date.len() == 24 && date.starts_with("20") && date.ends_with('Z'), "{date}");
    let server = serve("max", &[("/a", b"{{host}} {{port}}")]);
    for (host, expected) in [("[::1]:8080", "[::1] 8080"), ("[::1]", "[::1] 80"), ("a.b:1", "a.b 1")] {
        let request = format!("GET /a HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let exchange = Exchange::new(server.address(), request, PATIENCE);
        assert_eq!(String::from_utf8(exchange.data().0).unwrap(), expected);
    }
}

/// What two servers with this seed send for two requests each.
fn random(seed: u64, script: &str) -> [String; 4] {
    let played = || {
        let server = Server::new().seed(seed).script(Script::parse("/a", script).unwrap());
        let server = server.start("127.0.0.1:0").unwrap();
        let get = || Exchange::new(server.address(), request("GET", "/a", ""), PATIENCE);
        [get(), get()].map(|exchange| exchange.head + &String::from_utf8_lossy(&exchange.wire))
    };
    let ([first, second], [again, second_again]) = (played(), played());
    [first, second, again, second_again]
}

#[test]
fn a_seed_makes_every_random_value_the_same() {
    let script = "@header X-Request-Id: {{uuid}}\n@repeat 20\n{{random:1..6}} {{uuid}}\n@again\n";
    let [first, second, again, second_again] = random(7, script);
    assert_eq!((&first, &second), (&again, &second_again));
    assert_ne!(first, second);
    assert_ne!(first, random(8, script)[0]);
    let id = between(&first, "X-Request-Id: ", "\r\n");
    assert_eq!((id.len(), first.matches(id).count()), (36, 1));
    assert!(Script::parse("/a", "@header X: {{random:2..1}}\n").is_err());
    assert!(Script::parse("/a", "@header X: {{random:x}}\n").is_err());
}

#[test]
fn a_part_with_a_chance_is_played_about_that_often() {
    let server = Server::new()
        .seed(1)
        .script(Script::parse("/a", "@part chance 20%\n@status 503\n@part otherwise\ndata: x\n\n").unwrap());
    let server = server.start("127.0.0.1:0").unwrap();
    let mut client = Client::connect(server.address());
    let is_503 = |_| {
        let head = client.get("/a", "").read_head();
        if head.contains("chunked") {
            client.read_until("0\r\n\r\n");
        }
        head.starts_with("HTTP/1.1 503 ")
    };
    let count = (0..500).map(is_503).filter(|is_503| *is_503).count();
    assert!((60..140).contains(&count), "{count} of 500");
    for percent in ["0%", "100%", "20", "x%", "-1%", "2 0%"] {
        assert!(Script::parse("/a", format!("@part chance {percent}\nx\n")).is_err(), "{percent}");
    }
}

#[test]
fn a_body_with_placeholders_has_a_length_if_nothing_in_it_waits() {
    let script = "@on GET,POST /a\n@framing length\n@header X: {{query:n}}\n{\"n\": {{query:n as json}}}\n\
        @repeat {{query:n}}\n{{i}} {{random:1..1000}} and more\n@again\n";
    let server = serve("max", &[("/a", script.as_bytes())]);
    let mut client = Client::connect(server.address());
    for n in ["1", "12"] {
        client.get(&format!("/a?n={n}"), "");
        let (head, body) = client.read_answer();
        assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
        assert!(body.starts_with(&format!("{{\"n\": \"{n}\"}}\n1 ")), "{body}");
        assert_eq!(body.lines().count(), 1 + n.parse::<usize>().unwrap());
    }
    for (target, message) in [
        ("/a?n=x", "query n: invalid number `x` (expected 1 to 100000)"),
        ("/a?n=100000", "the body is too long for `@framing length` (at most 1048576 bytes)"),
    ] {
        client.get(target, "");
        assert_eq!(client.read_answer().1, format!("400 Bad Request: {message}\n"));
    }
    for waits in
        ["@sleep 1s\n", "@pause x\n", "@keepalive 1s\n", "@repeat 2 every 1s\nx\n@again\n", "@resume\n"]
    {
        let script = format!("@framing length\n{waits}{{{{path}}}}\n");
        assert!(Script::parse("/a", script).is_err(), "{waits}");
    }
    let script = "@framing length\n@gzip end\n{{path}}\n@drop\n";
    let response = play(script, "max");
    assert!(response.head.contains("\r\ncontent-length: 31\r\n"), "{}", response.head);
    assert_eq!(response.wire.len(), 31);
}

#[test]
fn a_script_counts_only_some_requests_and_another_one_reads_the_number() {
    let login =
        b"@count by query:user when query password\n@part connection 3+ and query password\n@status 429\n\
        @part otherwise\n{{connection}}";
    let state = b"@part count login=0\nnobody\n@part count nothing=0\nnever\n@part otherwise\n{{count:login}} {{count:state}}";
    let server = serve("max", &[("/login", login), ("/state", state)]);
    let get = |target: &str| {
        let exchange = Exchange::new(server.address(), request("GET", target, ""), PATIENCE);
        String::from_utf8(exchange.data().0).unwrap()
    };
    assert_eq!(get("/state"), "nobody\n");
    assert_eq!(get("/login?user=a"), "0");
    assert_eq!(get("/login?user=a&password=x"), "1");
    assert_eq!(get("/login?user=a&password=y"), "2");
    assert_eq!(get("/login?user=b&password=y"), "1");
    assert_eq!(get("/login?user=a"), "2");
    assert_eq!(get("/login?user=a&password=z"), "");
    assert_eq!(get("/state"), "4 2");
}

#[test]
fn the_name_of_a_cookie_can_come_from_the_request() {
    let script =
        "@part cookie session-{{query:tab}}=open\nopen\n@part no cookie session-{{query:tab}}\nnone\n\
        @part otherwise\nother\n";
    let fields = "Cookie: session-1=open; session-2=closed\r\n";
    let sent = ["/a?tab=1", "/a?tab=2", "/a?tab=3", "/a"].map(|target| body(script, target, fields));
    assert_eq!(sent, ["open\n", "other\n", "none\n", "none\n"]);
}

#[test]
fn a_part_can_be_for_some_paths() {
    let script = b"@on GET /models/*\n@part path ~/a:\none\n@part otherwise\nother\n";
    let server = serve("max", &[("/x", script)]);
    let get = |target: &str| Exchange::new(server.address(), request("GET", target, ""), PATIENCE).data().0;
    assert_eq!(get("/models/a:x?b"), b"one\n");
    assert_eq!(get("/models/b:x?/a:"), b"other\n");
}
