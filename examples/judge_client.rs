//! A client to be judged: an EventSource that prints each event that it dispatches as a line of JSON.
//!
//! ```text
//! cargo build --example judge_client
//! cargo run -- --judge -- target/debug/examples/judge_client
//! cargo run --example judge_client      (takes a URL as its argument)
//! ```

use rust_sse_server::{Event, EventSource};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("expected a URL")?;
    let source = EventSource::new(&url)?;
    for event_type in ["message", "x"] {
        let listening = source.clone();
        source.add_event_listener(event_type, move |event| print(event, &listening.last_event_id()));
    }
    source.run();
    Ok(())
}

fn print(event: &Event, id: &str) {
    if let (Some(event_type), Some(data)) = (&event.event, &event.data) {
        println!("{}", to_json(event_type, data, id));
    }
}

fn to_json(event_type: &str, data: &str, id: &str) -> String {
    let string = |text: &str| {
        let escaped: String = text
            .chars()
            .map(|c| match c {
                '"' | '\\' => format!("\\{c}"),
                c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
                c => c.to_string(),
            })
            .collect();
        format!("\"{escaped}\"")
    };
    format!("{{\"type\":{},\"data\":{},\"id\":{}}}", string(event_type), string(data), string(id))
}
