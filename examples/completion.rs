//! A client of a stream of tokens, with the standard library alone: sends a POST request and prints the words as they
//! arrive. An EventSource cannot do this, because its requests have no body.
//!
//! ```text
//! cargo run                             (in one terminal)
//! cargo run --example completion        (in another)
//! ```

use std::io::{self, BufRead, BufReader, Error, ErrorKind, Write};
use std::net::TcpStream;

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let mut stream = TcpStream::connect(&address)?;

    // Shortcut: with HTTP/1.0 the response has no chunks, so its lines are the lines of the event stream. `events`
    // decodes chunks.
    let body = r#"{"model": "scripted", "stream": true, "messages": [{"role": "user", "content": "Hello"}]}"#;
    let length = body.len();
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.0\r\n\
         Host: {address}\r\n\
         Content-Type: application/json\r\n\
         Content-Length: {length}\r\n\
         \r\n\
         {body}"
    )?;

    let mut lines = BufReader::new(stream).lines();
    let status_line = lines.next().unwrap_or_else(|| Err(ErrorKind::UnexpectedEof.into()))?;
    if !status_line.contains(" 200 ") {
        return Err(Error::new(ErrorKind::Other, status_line));
    }
    for line in lines {
        match line?.strip_prefix("data: ") {
            Some("[DONE]") => return print("\n"),
            Some(data) => print(content(data))?,
            // Shortcut: field lines of the head are skipped like empty lines and other fields.
            None => {}
        }
    }
    // The end of the stream alone does not mean that the answer is complete.
    Err(Error::new(ErrorKind::UnexpectedEof, "the answer is incomplete: the stream has no [DONE]"))
}

/// The text in an event's data.
///
/// Shortcut: this is not a JSON parser, and does not decode escapes such as `\n`.
fn content(data: &str) -> &str {
    let after_name = data.split_once(r#""content":""#).map_or("", |(_, rest)| rest);
    after_name.split('"').next().unwrap_or_default()
}

/// Prints without waiting for the end of the line.
fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
