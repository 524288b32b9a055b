//! Answers `GET /-/journal`: the entries from a given one on, or a single one. Waits for the entry if the query says
//! so.

use crate::http::chunk::ChunkedWriter;
use crate::http::short_response::Response;
use crate::http::status::Status;
use crate::http::uri::{form_decode, split_at};
use crate::http::AfterResponse;
use crate::script::play::clock::Clock;
use crate::script::units::{parse_number, parse_time};
use crate::server::journal::entry::JournalEntry;
use crate::server::journal::{Entries, Journal};
use crate::text::escape::escape;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a client can wait for an entry.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// The time between two checks whether the client that waits is still there.
const CHECK_TIME: Duration = Duration::from_secs(1);
/// JSON, one value on each line.
pub(super) const CONTENT_TYPE: &str = "application/x-ndjson";

/// What a client requests, and how long it waits for that.
pub(crate) struct Query {
    wanted: Wanted,
    wait: Duration,
}

#[derive(Clone, Copy)]
enum Wanted {
    /// All entries from this one on.
    From(usize),
    /// The request with this number.
    Request(usize),
    /// The end of the response to this request.
    End(usize),
}

/// What to answer.
pub(crate) enum Answer {
    /// The entries from the one with this number on.
    From(usize),
    /// A short response.
    Response(Response),
}

/// Waits for what the query says.
///
/// # Errors
/// The client has left, or the server stops.
pub(crate) fn answer(journal: &Journal, query: &Query, mut clock: impl Clock) -> io::Result<Answer> {
    let deadline = Instant::now() + query.wait;
    let mut find = |what, number, find: &dyn Fn(&Entries) -> Option<Arc<JournalEntry>>| loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let found = journal.wait_for(left.min(CHECK_TIME), find);
        if found.is_some() || left <= CHECK_TIME {
            return Ok(one(found, what, number));
        }
        clock.check()?;
    };
    match query.wanted {
        Wanted::From(number) => {
            find("entry", number, &|entries| entries.get(number)).map(|_| Answer::From(number))
        }
        Wanted::Request(number) => {
            find("request", number, &|entries| entries.request(number)).map(Answer::Response)
        }
        Wanted::End(number) => {
            find("end of response", number, &|entries| entries.end(number)).map(Answer::Response)
        }
    }
}

/// One entry, or 404.
fn one(entry: Option<Arc<JournalEntry>>, what: &str, number: usize) -> Response {
    match entry {
        Some(entry) => Response::new(Status::OK, entry.to_json()).content_type(CONTENT_TYPE),
        None => {
            Response::new(Status::NOT_FOUND, format!("404 Not Found: no {what} {number} in the journal\n"))
        }
    }
}

/// Parses `from=N`, `request=N` or `end=N`, and `wait=T`.
///
/// # Errors
/// A message about a parameter that is invalid or unknown.
pub(super) fn parse_query(query: &[u8]) -> Result<Query, String> {
    let (mut wanted, mut wait) = (Wanted::From(1), Duration::ZERO);
    for parameter in query.split(|&byte| byte == b'&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = split_at(parameter, b'=');
        let value = form_decode(value);
        let number = || {
            let number = parse_number(&value)
                .and_then(|number| usize::try_from(number).ok())
                .filter(|number| *number > 0);
            number.ok_or_else(|| format!("invalid number `{}` (expected 1 or more)", escape(&value)))
        };
        match name {
            b"from" => wanted = Wanted::From(number()?),
            b"request" => wanted = Wanted::Request(number()?),
            b"end" => wanted = Wanted::End(number()?),
            b"wait" => wait = parse_time(&value)?,
            _ => {
                let name = escape(name);
                return Err(format!("unknown parameter `{name}` (expected from, request, end or wait)"));
            }
        }
    }
    if wait > MAX_WAIT {
        return Err("the wait is too long (at most 60s)".to_owned());
    }
    Ok(Query { wanted, wait })
}

/// Sends entries one by one, so that they are not all in memory a second time.
pub(crate) fn send(
    mut entries: impl Iterator<Item = Arc<JournalEntry>>,
    head: Vec<u8>,
    mut body: ChunkedWriter<impl Write>,
) -> io::Result<AfterResponse> {
    body.write_head(head)?;
    let mut lines = BufWriter::new(&mut body);
    entries.try_for_each(|entry| entry.write_json(&mut lines))?;
    lines.flush()?;
    drop(lines);
    body.finish(b"")?;
    Ok(AfterResponse::KeepAlive)
}
