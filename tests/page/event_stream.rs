//! The page's model of an event stream, run by Node: it finds the events that the library's parser finds, however a
//! stream is cut.

use crate::support::{has_tool, request, serve, Exchange, Random, PATIENCE};
use rust_sse_server::EventStream;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What random streams are made of.
const PARTS: &[&str] = &[
    "data", "data: x", "data:  y", "event: a", "event", "id: 1", "id", "id: \0", "retry: 5", ": c",
    "\u{feff}", "é", "\u{2028}", ":", " ", "\n", "\n", "\n", "\r", "\r\n", "\n\n",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The streams of the test cases on parsing and of the built-in scripts.
fn streams_of_scripts() -> Vec<Vec<u8>> {
    let mut scripts = Vec::new();
    for (folder, start) in [("src/cases", "P"), ("src/scripts", "")] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let is_short = !["big", "hang", "clock"].contains(&name.as_str()) && !name.starts_with("P37");
            if name.starts_with(start) && is_short {
                scripts.push((format!("/{name}"), fs::read(path).unwrap()));
            }
        }
    }
    let scripts: Vec<_> = scripts.iter().map(|(path, text)| (path.as_str(), text.as_slice())).collect();
    let server = serve("max", &scripts);
    let stream =
        |(path, _): &(&str, _)| Exchange::new(server.address(), request("GET", path, ""), PATIENCE).data().0;
    scripts.iter().map(stream).collect()
}

fn random_stream(random: &mut Random) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..random.below(40) {
        stream.extend(PARTS[random.below(PARTS.len())].as_bytes());
        if random.below(20) == 0 {
            stream.push(0xE2);
        }
    }
    stream
}

/// The events that the library finds, as JSON.
fn events(bytes: &[u8]) -> String {
    let mut events = Vec::new();
    EventStream::default().push(bytes, |stream, event| {
        let values = [event.event.unwrap(), event.data.unwrap(), stream.last_event_id().to_owned()];
        events.push(format!("[{}]", values.map(|value| json(&value)).join(",")));
    });
    format!("[{}]", events.join(","))
}

/// A JSON string as `JSON.stringify` writes it.
fn json(text: &str) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\n' => json += "\\n",
            '\r' => json += "\\r",
            '\t' => json += "\\t",
            '\x08' => json += "\\b",
            '\x0c' => json += "\\f",
            '\0'..='\x1f' => json += &format!("\\u{:04x}", character as u32),
            _ => json.push(character),
        }
    }
    json + "\""
}

#[test]
fn the_model_finds_the_events_of_the_library_however_a_stream_is_cut() {
    if !has_tool("node") {
        return;
    }
    let mut streams = streams_of_scripts();
    let mut random = Random(14);
    streams.extend((0..1000).map(|_| random_stream(&mut random)));
    streams.retain(|stream| !stream.is_empty());
    let hex = |stream: &Vec<u8>| stream.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
    let input: String = streams.iter().map(hex).collect();

    let mut node = Command::new("node")
        .args([root().join("tests/page/event_stream.js"), root().join("src/server/pages")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = String::from_utf8(node.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(output.lines().count(), streams.len());
    for (found, stream) in output.lines().zip(&streams) {
        assert_eq!(found, events(stream), "{}", stream.escape_ascii());
    }
    let count = output.matches("[\"").count();
    assert!(count > 500, "only {count} events");
}
