//! Sends nothing: a log for `grep`, on stdout, one line for each request and one for each end, in fields `name=value`.

use super::Exchange;
use crate::http::date::Timestamp;
use crate::http::field::is_token;
use crate::text::escape::escape;
use std::io::{self, Write};
use std::time::SystemTime;

/// A log on stdout.
#[derive(Debug)]
pub struct Log;

impl Log {
    /// A request's head has come.
    pub fn request(&self, exchange: &Exchange) {
        let id = exchange
            .last_event_id
            .as_ref()
            .map_or(String::new(), |id| format!(" last-event-id={}", quoted(id)));
        write(exchange, "request", &format!("from={}{id}", exchange.connection.address.ip()));
    }

    /// An answer has ended.
    pub fn end(&self, exchange: &Exchange, how: &str) {
        let status = match exchange.status() {
            b"" => "-".to_owned(),
            status => escape(status),
        };
        let time = exchange.began.elapsed();
        write(
            exchange,
            "end",
            &format!(
                "status={status} bytes={} events={} seconds={}.{:03} how={}",
                exchange.response.octets,
                exchange.events,
                time.as_secs(),
                time.subsec_millis(),
                quoted(how.as_bytes()),
            ),
        );
    }
}

/// Time, `request` or `end`, `client=N method=… target=…` and the rest, in one write, so that lines do not mix.
fn write(exchange: &Exchange, what: &str, rest: &str) {
    let line = format!(
        "{} {what} client={} method={} target={} {rest}\n",
        Timestamp(SystemTime::now()),
        exchange.connection.client,
        method(exchange.method()),
        quoted(exchange.target()),
    );
    let mut out = io::stdout().lock();
    // Whoever closed the pipe has read enough.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

/// A method as it is, and what is none between quotes.
fn method(bytes: &[u8]) -> String {
    match is_token(bytes) {
        true => escape(bytes),
        false => quoted(bytes),
    }
}

/// Text between quotes, which do not occur in it.
fn quoted(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for c in escape(bytes).chars() {
        if c == '"' {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted + "\""
}
