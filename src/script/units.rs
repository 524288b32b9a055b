//! Parses the quantities in scripts: times (`80ms`, `1.5s`, `2m`, `1h`), the speed at which they pass, and sizes (`512`,
//! `64k`, `5M`).

use super::words::invalid;
use crate::http::uri::split_at_first;
use crate::text::error::{Error, ErrorKind};
use std::str::FromStr;
use std::time::Duration;

/// The longest time that a script can name: a year. Anything longer is a typing error.
const MAX_TIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Parses a number, whole or with a decimal point, followed by `ms`, `s`, `m` or `h`. Fractions of a nanosecond are
/// dropped.
///
/// # Errors
/// A message that quotes the text and says what is expected.
pub fn parse_time(text: &[u8]) -> Result<Duration, String> {
    let invalid_time = || invalid("time", text, "a time such as 80ms, 1.5s, 2m or 1h");
    let unit_at = text.iter().position(u8::is_ascii_alphabetic).ok_or_else(invalid_time)?;
    let (number, unit) = text.split_at(unit_at);
    let nanoseconds_of_a_millionth = match unit {
        b"ms" => 1,
        b"s" => 1_000,
        b"m" => 60_000,
        b"h" => 3_600_000,
        _ => return Err(invalid_time()),
    };
    let millionths = parse_millionths(number).ok_or_else(invalid_time)?;
    let time = Duration::from_nanos(millionths.saturating_mul(nanoseconds_of_a_millionth));
    if time > MAX_TIME {
        return Err(invalid("time", text, "at most 8760h, which is a year"));
    }
    Ok(time)
}

/// Parses digits with or without a decimal point among them: how many millionths they are. Further digits are dropped.
fn parse_millionths(text: &[u8]) -> Option<u64> {
    let (whole, fraction) = split_at_first(text, b'.');
    let mut digits = whole.iter().chain(fraction);
    if !digits.clone().all(u8::is_ascii_digit) || digits.next().is_none() {
        return None;
    }
    let six_digits = fraction.iter().chain(std::iter::repeat(&b'0')).take(6);
    let add = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(whole.iter().chain(six_digits).fold(0, add))
}

/// Parses a time, or two with `..` between them: the shortest and the longest.
///
/// # Errors
/// A message that quotes the text and says what is expected.
pub fn parse_wait(text: &[u8]) -> Result<(Duration, Duration), String> {
    let (shortest, longest) = match text.windows(2).position(|pair| pair == b"..") {
        Some(dots) => (parse_time(&text[..dots])?, parse_time(&text[dots + 2..])?),
        None => {
            let time = parse_time(text)?;
            (time, time)
        }
    };
    if shortest > longest {
        return Err(invalid("range of times", text, "the shorter time first"));
    }
    Ok((shortest, longest))
}

/// The factor by which the times of all scripts are divided, in millionths; `None` for no waiting at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed(Option<u64>);

impl Speed {
    /// Times as they are written.
    pub const NORMAL: Speed = Speed(Some(1_000_000));
    /// No waiting at all.
    pub const MAX: Speed = Speed(None);

    /// Parses `max` or a number from 0.001 to 1000000.
    ///
    /// # Errors
    /// A message that quotes the text and says what is expected.
    pub fn parse(text: &str) -> Result<Speed, String> {
        if text == "max" {
            return Ok(Speed::MAX);
        }
        match parse_millionths(text.as_bytes()) {
            Some(factor @ 1_000..=1_000_000_000_000) => Ok(Speed(Some(factor))),
            _ => Err(invalid("speed", text.as_bytes(), "a number from 0.001 to 1000000, or max")),
        }
    }

    /// How long `time` takes at this speed.
    pub fn scale(self, time: Duration) -> Duration {
        let factor = match self.0 {
            Some(factor) => u128::from(factor),
            None => return Duration::ZERO,
        };
        let nanoseconds = time.as_nanos() * 1_000_000 / factor;
        // A year at the lowest speed has more nanoseconds than a u64 holds; 500 years are as good as forever.
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}

impl FromStr for Speed {
    type Err = Error;

    /// Parses `max` or a number from 0.001 to 1000000.
    fn from_str(text: &str) -> Result<Speed, Error> {
        Speed::parse(text).map_err(|message| Error::new(ErrorKind::InvalidArgument, message))
    }
}

/// Bytes in `1M`, the largest unit of sizes.
pub const MIB: u64 = 1 << 20;

/// Parses a number of bytes, alone or followed by `k` (1,024) or `M` (1,048,576); `limit` is a multiple of `1M`.
///
/// # Errors
/// A message that quotes the text and says what is expected.
pub fn parse_size(text: &[u8], limit: u64) -> Result<u64, String> {
    let (digits, unit) = match text {
        [digits @ .., b'k'] => (digits, 1 << 10),
        [digits @ .., b'M'] => (digits, MIB),
        digits => (digits, 1),
    };
    let size = parse_number(digits).and_then(|number| number.checked_mul(unit));
    size.filter(|size| *size <= limit)
        .ok_or_else(|| invalid("size", text, &format!("512, 64k or 5M, at most {}M", limit / MIB)))
}

/// Parses one or more digits and nothing else; `None` above 2^64 - 1. (`str::parse` alone would accept a sign.)
pub fn parse_number(text: impl AsRef<[u8]>) -> Option<u64> {
    let text = text.as_ref();
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_four_units() {
        for (text, milliseconds) in [
            ("80ms", 80),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("0s", 0),
            (".5s", 500),
            ("1.s", 1_000),
        ] {
            assert_eq!(parse_time(text.as_bytes()), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn an_invalid_time_is_quoted_with_an_example() {
        for text in ["5", "s", ".s", "1.2.3s", "-1s", "+1s", "1 s", "1d", "1S", "1e3s", "infs"] {
            let message = format!("invalid time `{text}` (expected a time such as 80ms, 1.5s, 2m or 1h)");
            assert_eq!(parse_time(text.as_bytes()), Err(message));
        }
        let missing = "missing time (expected a time such as 80ms, 1.5s, 2m or 1h)";
        assert_eq!(parse_time(b"").unwrap_err(), missing);
        let too_long = "invalid time `9000h` (expected at most 8760h, which is a year)";
        assert_eq!(parse_time(b"9000h").unwrap_err(), too_long);
    }

    #[test]
    fn a_wait_is_one_time_or_a_range_of_times() {
        let seconds = Duration::from_secs;
        assert_eq!(parse_wait(b"2s"), Ok((seconds(2), seconds(2))));
        assert_eq!(parse_wait(b"1s..2s"), Ok((seconds(1), seconds(2))));
        assert!(parse_wait(b"1s..").is_err() && parse_wait(b"..").is_err() && parse_wait(b"2s..1s").is_err());
    }

    #[test]
    fn sizes_have_two_units_and_a_limit() {
        for (text, size) in [("0", 0), ("512", 512), ("64k", 65_536), ("5M", 5_242_880), ("64M", 1 << 26)] {
            assert_eq!(parse_size(text.as_bytes(), 64 * MIB), Ok(size), "{text}");
        }
        for text in ["k", "1K", "-1", "+1", "1.5k", "65M", "99999999999999999999"] {
            let message = format!("invalid size `{text}` (expected 512, 64k or 5M, at most 64M)");
            assert_eq!(parse_size(text.as_bytes(), 64 * MIB), Err(message));
        }
    }

    #[test]
    fn speed_divides_times_and_max_leaves_none() {
        let second = Duration::from_secs(1);
        assert_eq!(Speed::NORMAL.scale(second), second);
        assert_eq!(Speed::parse("4").unwrap().scale(second), Duration::from_millis(250));
        assert_eq!(Speed::parse("0.5").unwrap().scale(second), Duration::from_secs(2));
        assert_eq!(Speed::parse("max").unwrap().scale(MAX_TIME), Duration::ZERO);
    }

    #[test]
    fn a_speed_outside_of_its_range_is_invalid() {
        for text in
            ["", ".", "0", "0.0009", "-1", "+1", "1.2.3", "nan", "inf", "1e9", "1000001", "fast", "MAX"]
        {
            assert!(Speed::parse(text).is_err(), "{text}");
        }
    }
}
