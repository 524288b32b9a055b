//! Writes a log for `grep`: one line for each request and one for each end of a response, in fields `name=value`.

use super::exchange::Exchange;
use super::secrets::without_secret_parameters;
use crate::http::date::Timestamp;
use crate::text::escape::escape;
use crate::text::lock::lock;
use std::fmt;
use std::io::Write;
use std::sync::Mutex;
use std::time::SystemTime;

/// A log.
pub struct Log(Mutex<Box<dyn Write + Send>>);

impl Log {
    /// A log that goes to `writer`, each line in one write.
    pub fn new(writer: impl Write + Send + 'static) -> Log {
        Log(Mutex::new(Box::new(writer)))
    }

    /// Logs a request whose head is complete.
    pub fn request(&self, exchange: &Exchange) {
        let mut fields = format!("from={}", exchange.connection.address.ip());
        if let Some(id) = &exchange.last_event_id {
            fields += &format!(" last-event-id={}", quote(id));
        }
        self.write(exchange, "request", &fields);
    }

    /// Logs the outcome of an expectation of the script.
    pub fn expectation(&self, exchange: &Exchange, outcome: &str) {
        self.write(exchange, "expect", &format!("outcome={}", quote(outcome.as_bytes())));
    }

    /// Logs the end of a response.
    pub fn end(&self, exchange: &Exchange, how: &str) {
        let time = exchange.connection.request_began.elapsed();
        let fields = format!(
            "status={} bytes={} events={} seconds={}.{:03} how={}",
            or_dash(exchange.status(), |status| escape(status)),
            exchange.response.body_bytes,
            exchange.events.count,
            time.as_secs(),
            time.subsec_millis(),
            quote(how.as_bytes()),
        );
        self.write(exchange, "end", &fields);
    }

    /// Writes the time, `request`, `expect` or `end`, `client=N method=… target=…` and further fields.
    fn write(&self, exchange: &Exchange, what: &str, fields: &str) {
        let line = format!(
            "{} {what} client={} method={} target={} {fields}\n",
            Timestamp(SystemTime::now()),
            exchange.connection.number,
            or_dash(exchange.method(), |method| escape(method)),
            or_dash(exchange.target(), |target| quote(&without_secret_parameters(target))),
        );
        let mut writer = lock(&self.0);
        // An error is ignored: clients are served even when nobody reads the log any more.
        let _ = writer.write_all(line.as_bytes()).and_then(|()| writer.flush());
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

/// The bytes in this format, or `-` for none, because there was no start line.
fn or_dash(bytes: &[u8], format: impl FnOnce(&[u8]) -> String) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    format(bytes)
}

/// The text between quotation marks; those in it are escaped.
fn quote(bytes: &[u8]) -> String {
    format!("\"{}\"", escape(bytes).replace('"', "\\\""))
}
