//! The directions of test cases for clients.

use crate::script::case::{Case, Level, Start};
use crate::script::expectation::{Expectation, Skip};
use crate::script::parse::error::Located;
use crate::script::parse::part::PartParser;
use crate::script::units::parse_time;
use crate::script::words::{invalid, invalid_argument, word};
use crate::script::MAX_DOWNTIME;
use crate::text::escape::{escape, for_terminal};
use std::time::Duration;

pub(super) fn expect(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    let expectation = Expectation::parse(part.line(), argument)?;
    part.body.needs.add(part.line(), expectation.names());
    part.expectations.push(expectation);
    Ok(())
}

pub(super) fn skip(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.check_is_single_in_part("skip")?;
    if argument.is_empty() {
        return Err(invalid_argument(argument));
    }
    let reason = for_terminal(&String::from_utf8_lossy(argument));
    part.skip = Some(Skip { line: part.line(), reason });
    Ok(())
}

pub(super) fn case(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.check_is_single("case")?;
    let (level, rest) = word(argument);
    let (section, text) = word(rest);
    let named = Level::ALL.iter().find(|known| known.as_str().as_bytes() == level);
    let level = match named {
        Some(level) if !text.is_empty() => *level,
        _ => return Err(invalid_argument(argument)),
    };
    let text = for_terminal(&String::from_utf8_lossy(text));
    let case = Case { level, section: escape(section), text };
    part.script.case = Some(Located { line: part.line(), value: case });
    Ok(())
}

pub(super) fn start(part: &mut PartParser, argument: &[u8]) -> Result<(), String> {
    part.check_is_single("start")?;
    let value = match word(argument) {
        (b"other-origin", b"") => Start::OtherOrigin { with_credentials: false },
        (b"other-origin", b"with-credentials") => Start::OtherOrigin { with_credentials: true },
        (b"down", time) => Start::Down(downtime(time)?),
        _ => return Err(invalid_argument(argument)),
    };
    part.script.start = Some(Located { line: part.line(), value });
    Ok(())
}

/// A time for which connections are refused.
pub(super) fn downtime(text: &[u8]) -> Result<Duration, String> {
    let time = parse_time(text)?;
    if time > MAX_DOWNTIME {
        return Err(invalid("time", text, "at most 10m"));
    }
    Ok(time)
}
