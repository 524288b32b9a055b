//! Reads the list of cases that a client is known to fail, and applies it to the results.

use rust_sse_server::{CaseResult, CaseVerdict};
use std::fs;
use std::path::Path;

/// A case that the client may fail.
#[derive(Debug, PartialEq)]
pub struct Known {
    id: String,
    reason: String,
}

/// Reads a file with a line `ID REASON` for each case. Empty lines and lines that begin with `#` are ignored.
///
/// # Errors
/// A message about the first line that is neither, or that the file cannot be read.
pub fn read(file: &Path) -> Result<Vec<Known>, String> {
    let name = file.to_string_lossy();
    let text = fs::read_to_string(file).map_err(|error| format!("cannot read {name}: {error}"))?;
    parse(&text).map_err(|(line, message)| format!("{name}:{line}: {message}"))
}

fn parse(text: &str) -> Result<Vec<Known>, (usize, &'static str)> {
    let mut all = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (id, reason) = line.split_once(' ').ok_or((number, "expected `ID REASON`"))?;
        all.push(Known { id: id.to_owned(), reason: reason.trim().to_owned() });
    }
    Ok(all)
}

/// The reason why the client may fail the case, if it is known to. A client that fails `P06` fails its variants too, such as
/// `P06-1`.
pub fn reason<'a>(known: &'a [Known], result: &CaseResult) -> Option<&'a str> {
    let written = result.id.split('-').next();
    known
        .iter()
        .find(|known| known.id == result.id || Some(known.id.as_str()) == written)
        .map(|known| known.reason.as_str())
}

/// Cases that are known to fail and pass: their lines have to be removed.
pub fn outdated<'a>(known: &'a [Known], results: &[CaseResult]) -> Vec<&'a str> {
    let passes = |known: &&Known| {
        results.iter().any(|result| result.id == known.id && result.verdict == CaseVerdict::Pass)
    };
    known.iter().filter(passes).map(|known| known.id.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_id_and_a_reason() {
        let known = Known { id: "P06".to_owned(), reason: "takes CR LF for two".to_owned() };
        assert_eq!(parse("# a remark\n\nP06  takes CR LF for two\n"), Ok(vec![known]));
        assert_eq!(parse("P06 x\nP07\n"), Err((2, "expected `ID REASON`")));
    }
}
