//! Answers `GET /-/journal`: the entries from a given one on, or a single one. Waits for the entry if the query says
//! so.

use super::reply::Reply;
use crate::http::chunk::ChunkedWriter;
use crate::http::response::StreamHead;
use crate::http::short_response::Response;
use crate::http::status::Status;
use crate::http::uri::{form_decode, split_at_first};
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
pub(super) struct Query {
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

/// Waits for what the query asks for, and replies with it, or with 404 if it has not come.
///
/// # Errors
/// The client has left, or the server stops.
pub(super) fn reply(
    journal: &Journal,
    Query { wanted, wait }: Query,
    head: StreamHead,
    clock: impl Clock,
) -> io::Result<Reply<'_>> {
    Ok(match wanted {
        Wanted::From(number) => {
            wait_for(journal, wait, clock, |entries| entries.get(number))?;
            let entries = journal.entries(number);
            Reply::Stream(head, Box::new(move |head, body, _| send(entries, head, body)))
        }
        Wanted::Request(number) => {
            one(wait_for(journal, wait, clock, |entries| entries.request(number))?, "request", number)
        }
        Wanted::End(number) => {
            one(wait_for(journal, wait, clock, |entries| entries.end(number))?, "end of response", number)
        }
    })
}

/// Waits until `find` finds an entry, for `time` at most, while the client is there.
fn wait_for(
    journal: &Journal,
    time: Duration,
    mut clock: impl Clock,
    find: impl Fn(&Entries) -> Option<Arc<JournalEntry>>,
) -> io::Result<Option<Arc<JournalEntry>>> {
    let deadline = Instant::now() + time;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let found = journal.wait_for(left.min(CHECK_TIME), &find);
        if found.is_some() || left <= CHECK_TIME {
            return Ok(found);
        }
        clock.check()?;
    }
}

/// One entry, or 404.
fn one<'a>(entry: Option<Arc<JournalEntry>>, what: &str, number: usize) -> Reply<'a> {
    Reply::Response(match entry {
        Some(entry) => Response::new(Status::OK, entry.to_json()).content_type(CONTENT_TYPE),
        None => {
            Response::new(Status::NOT_FOUND, format!("404 Not Found: no {what} {number} in the journal\n"))
        }
    })
}

/// Parses `from=N`, `request=N` or `end=N`, and `wait=T`.
///
/// # Errors
/// A message about a parameter that is invalid or unknown.
pub(super) fn parse_query(query: &[u8]) -> Result<Query, String> {
    let (mut wanted, mut wait) = (Wanted::From(1), Duration::ZERO);
    for parameter in query.split(|&byte| byte == b'&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = split_at_first(parameter, b'=');
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
fn send(
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
