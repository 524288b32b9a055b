//! A client to be judged: an EventSource that prints each event that it dispatches, and each of its states, as a line of JSON.
//!
//! ```text
//! cargo build --example judge_client
//! cargo run -- --judge -- target/debug/examples/judge_client
//! cargo run --example judge_client      (takes a URL as its argument)
//! ```

use rust_sse_server::EventSource;
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("expected a URL")?;
    let source = EventSource::new(&url)?;
    // One of the test cases is about this field.
    source.set_authorization("Bearer judge")?;
    for event_type in ["message", "x", "close"] {
        let listening = source.clone();
        source.add_event_listener(event_type, move |event| {
            let data = escape(event.data.as_deref().unwrap_or_default());
            let id = escape(&listening.last_event_id());
            println!(r#"{{"type":"{event_type}","data":"{data}","id":"{id}"}}"#);
        });
    }
    source.on_open(|| println!(r#"{{"state":"open"}}"#));
    source.add_event_listener("error", |event| {
        let message = escape(event.data.as_deref().unwrap_or_default());
        println!(r#"{{"state":"error","message":"{message}"}}"#);
    });
    let closing = source.clone();
    source.add_event_listener("close", move |_| {
        closing.close();
        println!(r#"{{"state":"closed"}}"#);
        // The end of the process would close the connection as well.
        thread::sleep(Duration::from_secs(3));
    });
    source.run();
    Ok(())
}

/// The text as it is written in a JSON string.
fn escape(text: &str) -> String {
    let is_special = |c: char| c == '"' || c == '\\' || c.is_control();
    let escaped = |c: char| if is_special(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    text.chars().map(escaped).collect()
}
