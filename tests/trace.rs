//! `--trace` shows every byte on the wire, `--log` writes a line for each request and each end, and `/-/wire` shows
//! observers the bytes of both sides.
#![cfg(unix)]

mod support;

use rust_sse_server::{EventStream, Server};
use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use support::{eventually, request, Client, Exchange, Folder, Program, PATIENCE};

/// A program whose stderr goes to a file, because a pipe holds only 64 KiB.
fn traced(folder: &Folder, options: &[&str]) -> Program {
    let file = folder.0.join("trace").to_str().unwrap().to_owned();
    let script = format!("exec \"$0\" \"$@\" 2>'{file}'");
    let program = support::program_path();
    let wrapped: Vec<&str> = [&[program.to_str().unwrap(), "--trace"], options].concat();
    Program::start_under(&["sh", "-c", &script], std::path::Path::new(wrapped[0]), &wrapped[1..])
}

/// The trace, once the connections of this many clients are closed.
fn trace_of(folder: &Folder, clients: usize) -> String {
    let read = || fs::read_to_string(folder.0.join("trace")).unwrap();
    eventually(read, |trace| trace.matches(" * closed        by ").count() == clients)
}

/// The lines without their time, which follows the number of the connection, and without the length of waits.
fn without_times(trace: &str) -> String {
    let line = |line: &str| match line.find("* wait ") {
        Some(at) => format!("{}* wait          *{}\n", &line[..3], &line[at + 21..]),
        None => format!("{}{}\n", &line[..3], &line[12..]),
    };
    trace.lines().map(line).collect()
}

#[test]
fn an_event_that_follows_a_comment_in_one_piece_is_shown() {
    let folder = Folder::new("comment");
    let script = folder.file("cr.sse", "@send : c\\rdata: x\\r\\r\n");
    let program = traced(&folder, &["--script", &script]);
    Exchange::new(program.address, request("GET", "/cr", ""), PATIENCE);
    let trace = trace_of(&folder, 1);
    let remark = " ← dispatches `message`\n";
    assert!(trace.contains(remark) && !trace.contains("a comment"), "{trace}");
}

#[test]
fn a_trace_explains_a_request_and_its_response() {
    let folder = Folder::new("explains");
    let script = folder.file(
        "chat.sse",
        ": hello\n\nid: 7\ndata: 1\n\n@sleep 10ms\nevent: two\ndata: 2\r\n\r\n@trailer X: y\n",
    );
    let program = traced(&folder, &["--script", &script]);
    let exchange = Exchange::new(program.address, request("GET", "/chat", "Last-Event-ID: 3\r\n"), PATIENCE);
    let date = exchange.head.contains("date: *");
    let trace = without_times(&trace_of(&folder, 1));
    let (opened, rest) = trace.split_once('\n').unwrap();
    assert!(date && opened.starts_with("#1 * open          connection from 127.0.0.1:"), "{opened}");
    let dated = rest.find("date: ").unwrap() + 6;
    let rest = format!("{}*{}", &rest[..dated], &rest[rest[dated..].find("\\r\\n").unwrap() + dated..]);
    assert_eq!(
        rest,
        "\
#1 > request line  GET /chat HTTP/1.1\\r\\n
#1 > field line    Host: localhost\\r\\n
#1 > field line    Connection: close\\r\\n
#1 > field line    Last-Event-ID: 3\\r\\n
#1 > empty line    \\r\\n
#1 < status line   HTTP/1.1 200 OK\\r\\n
#1 < field line    transfer-encoding: chunked\\r\\n
#1 < field line    cache-control: no-cache\\r\\n
#1 < field line    content-type: text/event-stream\\r\\n
#1 < field line    date: *\\r\\n
#1 < field line    connection: close\\r\\n
#1 < empty line    \\r\\n
#1 < chunk-size    9\\r\\n ← 0x9 = 9 bytes of chunk-data follow
#1 < chunk-data    : hello\\n ← a comment: ignored by clients
#1 <               \\n
#1 < CRLF          \\r\\n ← the chunk ends
#1 < chunk-size    f\\r\\n ← 0xf = 15 bytes of chunk-data follow
#1 < chunk-data    id: 7\\n
#1 <               data: 1\\n
#1 <               \\n ← dispatches `message`, last ID `7`
#1 < CRLF          \\r\\n ← the chunk ends
#1 * wait          * s until the script continues
#1 < chunk-size    16\\r\\n ← 0x16 = 22 bytes of chunk-data follow
#1 < chunk-data    event: two\\n
#1 <               data: 2\\r\\n
#1 <               \\r\\n ← dispatches `two`, last ID `7`
#1 < CRLF          \\r\\n ← the chunk ends
#1 < last-chunk    0\\r\\n ← no more chunks follow
#1 < trailer field X: y\\r\\n
#1 < CRLF          \\r\\n ← the body is complete
#1 * end           46 bytes, 3 chunks, 2 events, complete, connection closed
#1 * closed        by the server
"
    );
}

/// The bytes that the lines of a trace with this arrow show.
fn bytes_of(trace: &str, arrow: &str) -> Vec<u8> {
    let mark = format!(" {arrow} ");
    let mut bytes = Vec::new();
    for line in trace.lines().filter(|line| line[..15].contains(&mark)) {
        let text = line.chars().skip(28).collect::<String>();
        let text = text.split(" ← ").next().unwrap();
        unescape(text, &mut bytes);
    }
    bytes
}

fn unescape(text: &str, bytes: &mut Vec<u8>) {
    let code = |digits: &str| u32::from_str_radix(digits, 16).unwrap();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend(c.to_string().into_bytes());
            continue;
        }
        match chars.next().unwrap() {
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            's' => bytes.push(b' '),
            'x' => bytes.push(code(&chars.by_ref().take(2).collect::<String>()) as u8),
            'u' => {
                let digits: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                bytes.extend(char::from_u32(code(&digits)).unwrap().to_string().into_bytes());
            }
            c => bytes.extend(c.to_string().into_bytes()),
        }
    }
}

#[test]
fn a_trace_shows_exactly_the_bytes_on_the_wire() {
    for path in
        ["/events", "/fields", "/line-ends", "/unicode", "/broken-chunk", "/drop", "/busy", "/slow", "/none"]
    {
        let folder = Folder::new("bytes");
        let echo = folder.file("echo.sse", "data: {{header:x}}\n\n");
        let program = traced(&folder, &["--speed", "max", "--script", &echo]);
        let request = request("GET", path, "X: \u{e9}\u{2190} \\n \t\r\n");
        let exchange = Exchange::new(program.address, &request, PATIENCE);
        let arrived: Vec<u8> = exchange.arrivals.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        let trace = trace_of(&folder, 1);
        assert_eq!(
            String::from_utf8_lossy(&bytes_of(&trace, "<")),
            String::from_utf8_lossy(&arrived),
            "{path}"
        );
        assert_eq!(String::from_utf8_lossy(&bytes_of(&trace, ">")), request, "{path}");
    }
}

#[test]
fn a_client_can_neither_move_the_cursor_nor_forge_a_line() {
    let folder = Folder::new("forged");
    let echo = folder.file("echo.sse", "data: {{query:x}}{{header:x}}\n\n");
    let program = traced(&folder, &["--speed", "max", "--log", "--script", &echo]);
    let requests = [
        "GET /\x1b[2J\r#1   0.000 < forged HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        request(
            "GET",
            "/echo?x=%1b%5b2J%0a%231%20%20%200.000%20*%20closed",
            "X: \u{9b}2J\u{202e}\u{2028} ← event\r\n",
        ),
        "\x16\x03\x01\n#9   0.000 * closed\n\n".to_owned(),
    ];
    for request in &requests {
        Exchange::new(program.address, request, PATIENCE);
    }
    let trace = trace_of(&folder, requests.len());
    for line in trace.lines() {
        let is_genuine = line.starts_with('#') && line[2..12].contains('.') && !line.starts_with("#9");
        assert!(is_genuine, "{line:?}");
        assert!(!line.contains(|c: char| c.is_control() || "\u{202e}\u{2028}\u{9b}".contains(c)), "{line:?}");
        assert!(!line.contains("← event\\r"), "{line:?}");
    }
}

#[test]
fn the_lines_of_many_clients_do_not_mix() {
    let folder = Folder::new("many");
    let program = traced(&folder, &["--speed", "max", "--color", "always"]);
    let address = program.address;
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(move || Exchange::new(address, request("GET", "/fields", ""), PATIENCE));
        }
    });
    let trace = fs::read_to_string(folder.0.join("trace")).unwrap();
    let uncolored: String = trace
        .split("\x1b[")
        .enumerate()
        .map(|(n, part)| if n == 0 { part } else { part.split_once('m').unwrap().1 })
        .collect();
    assert_ne!(trace, uncolored);
    let mut first: Vec<u8> = Vec::new();
    for client in 1..=20 {
        let mark = format!("#{client} ");
        let lines: String = uncolored
            .lines()
            .filter(|line| line.starts_with(&mark))
            .map(|line| format!("{line}\n"))
            .collect();
        let bytes = bytes_of(&lines, "<");
        let body = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        if first.is_empty() {
            first = bytes[body..].to_vec();
        }
        assert_eq!(bytes[body..], first, "client {client}");
    }
}

#[test]
fn a_log_has_a_line_for_each_request_and_one_for_each_end() {
    let mut program = Program::start(&["--speed", "max", "--log"]);
    Exchange::new(program.address, "\x16\x03 \n", PATIENCE);
    Exchange::new(program.address, request("GET", "/events?\"q\"", "Last-Event-ID: 14\r\n"), PATIENCE);
    Exchange::new(program.address, request("HEAD", "/none", ""), PATIENCE);
    Exchange::new(program.address, request("GET", "/drop", ""), PATIENCE);
    let mut next = || {
        let line = program.line();
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.len() == 24 && time.ends_with('Z'), "{line}");
        let seconds = rest.find("seconds=").map(|at| &rest[at..at + 13]);
        seconds.map_or(rest.to_owned(), |seconds| rest.replace(seconds, "seconds=*"))
    };
    // Bytes that are not a request have only an end.
    assert_eq!(
        next(),
        "end client=1 method=- target=- status=400 bytes=66 events=0 seconds=* \
         how=\"rejected: a control byte in the request line; is this TLS?\""
    );
    let fields = "client=2 method=GET target=\"/events?\\\"q\\\"\"";
    assert_eq!(next(), format!("request {fields} from=127.0.0.1 last-event-id=\"14\""));
    assert_eq!(
        next(),
        format!("end {fields} status=200 bytes=144 events=2 seconds=* how=\"complete, connection closed\"")
    );
    assert_eq!(next(), "request client=3 method=HEAD target=\"/none\" from=127.0.0.1");
    assert!(next().contains(" status=404 bytes=0 events=0 "));
    next();
    assert!(next().ends_with(" how=\"connection closed before the body was complete\""));
}

#[test]
fn a_rejected_client_is_logged_and_traced() {
    let mut program = Program::start(&["--max-clients", "1", "--log", "--trace"]);
    let mut first = Client::connect(program.address);
    first.get("/events", "").read_head();
    Client::connect(program.address).read_answer();
    assert!(program.line().contains(" request client=1 "));
    let line = program.line();
    assert!(line.contains(" end client=2 ") && line.contains(" status=503 bytes=0 events=0 "), "{line}");
    assert!(line.ends_with(" how=\"rejected: too many clients\""), "{line}");
    assert!(program.end().contains(" * end           rejected: too many clients\n"));
}

#[test]
fn an_observer_sees_no_secrets_and_whole_lines_however_they_are_cut() {
    let mut program = Program::start(&["--speed", "max", "--log"]);
    let mut observer = observe(&program, "/fields");
    let mut client = Client::connect(program.address);
    client.send("GET /fields HTTP/1.1\r\nHost: x\r\nCookie: SEC");
    std::thread::sleep(std::time::Duration::from_millis(30));
    client.send("RET\r\nLast-Event-ID: 1");
    std::thread::sleep(std::time::Duration::from_millis(30));
    client.send("4\r\n\r\n").read_head();
    // The first line is the request of the observer.
    let lines = [program.line(), program.line()];
    assert!(lines[1].ends_with(" last-event-id=\"14\""), "{lines:?}");
    let events = observer.read_until("\"status line\"");
    assert!(
        !events.contains("SEC") && !events.contains("RET") && events.contains("Cookie: (not shown)\\r\\n"),
        "{events}"
    );
    assert!(events.contains("\"Last-Event-ID: 14\\r\\n\""), "{events}");
}

/// Subscribes to the events of `/-/wire` for this path.
fn observe(program: &Program, path: &str) -> Client {
    let mut observer = Client::connect(program.address);
    let head = observer.get(&format!("/-/wire{path}"), "").read_head();
    assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
    assert_eq!(observer.read_chunk(), "retry: 100\n: what goes over the wire\n\n");
    observer
}

#[test]
fn an_observer_sees_the_bytes_of_both_sides_and_the_end() {
    let program = Program::start(&["--speed", "100"]);
    let mut observer = observe(&program, "/fields");
    Exchange::new(program.address, request("GET", "/events", ""), PATIENCE);
    let request = request("GET", "/fields?q", "");
    let exchange = Exchange::new(program.address, &request, PATIENCE);
    let mut stream = EventStream::default();
    let (mut sent, mut received, mut ended) = (Vec::new(), Vec::new(), String::new());
    while ended.is_empty() {
        stream.push(observer.read_chunk().as_bytes(), |_, event| {
            let data = event.data.unwrap();
            let bytes = || data.split("\"bytes\":\"").nth(1).unwrap().strip_suffix("\"}").unwrap();
            match event.event.as_deref() {
                Some("piece") if data.contains("\"from\":\"client\"") => unescape_json(bytes(), &mut sent),
                Some("piece") => unescape_json(bytes(), &mut received),
                Some("end") => ended = data,
                other => assert_eq!(other, Some("wait")),
            }
        });
    }
    assert_eq!(String::from_utf8_lossy(&sent), request);
    let arrived: Vec<u8> = exchange.arrivals.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert_eq!(String::from_utf8_lossy(&received), String::from_utf8_lossy(&arrived));
    assert!(ended.ends_with("\"how\":\"complete, connection closed\"}"), "{ended}");
}

/// Adds the bytes of a JSON string that has one character for each byte.
fn unescape_json(text: &str, bytes: &mut Vec<u8>) {
    let byte = |code: u32| u8::try_from(code).unwrap();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.push(byte(c.into()));
            continue;
        }
        match chars.next().unwrap() {
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            'u' => {
                let digits: String = chars.by_ref().take(4).collect();
                bytes.push(byte(u32::from_str_radix(&digits, 16).unwrap()));
            }
            c => bytes.push(byte(c.into())),
        }
    }
}

#[test]
fn observers_are_limited_and_one_that_leaves_makes_room() {
    let program = Program::start(&[]);
    let mut observers: Vec<Client> = (0..64).map(|_| observe(&program, "/events")).collect();
    let mut late = Client::connect(program.address);
    let (head, body) = late.get("/-/wire/events", "").read_answer();
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: 2\r\n"), "{head}");
    assert_eq!(body, "503 Service Unavailable: too many observers (limit 64)\n");
    drop(observers.pop());
    let status_line = || Client::connect(program.address).get("/-/wire/events", "").read_until("\r\n");
    eventually(status_line, |line| line == "HTTP/1.1 200 OK\r\n");
}

/// A writer whose bytes a test can read.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_program_can_capture_the_trace_and_the_log() {
    let (trace, log) = (Buffer::default(), Buffer::default());
    let server = Server::new().trace(trace.clone()).log(log.clone()).start("127.0.0.1:0").unwrap();
    Exchange::new(server.address(), request("GET", "/nothing", ""), PATIENCE);
    let trace = eventually(|| trace.text(), |trace| trace.contains("* closed "));
    assert!(trace.contains(" > request line  GET /nothing HTTP/1.1\\r\\n\n"), "{trace}");
    assert!(trace.contains(" < status line   HTTP/1.1 404 Not Found\\r\\n\n"), "{trace}");
    let log = log.text();
    assert_eq!(log.lines().count(), 2, "{log}");
    assert!(log.contains(" status=404 ") && log.ends_with(" how=\"complete, connection closed\"\n"), "{log}");
}
