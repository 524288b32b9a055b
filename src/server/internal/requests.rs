//! Sends the recorded requests: the body of `GET /-/requests`.

use super::super::journal::Journal;
use crate::http::chunk::ChunkedWriter;
use crate::http::AfterResponse;
use std::io::{self, BufWriter, Write};

/// Sends the recorded requests, one after the other, so that they are not all in memory a second time.
pub(crate) fn send(
    journal: &Journal,
    head: Vec<u8>,
    mut body: ChunkedWriter<impl Write>,
) -> io::Result<AfterResponse> {
    body.write_head(head)?;
    let mut lines = BufWriter::new(&mut body);
    journal.requests().try_for_each(|request| request.write_json(&mut lines))?;
    lines.flush()?;
    drop(lines);
    body.finish(b"")?;
    Ok(AfterResponse::KeepAlive)
}
