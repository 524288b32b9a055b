//! Sends nothing: reads what a script counts in. Times, `80ms`, `1.5s`, `2m`, `1h`, the speed at which they pass, and
//! sizes, `512`, `64k`, `5M`.

use super::words::shown;
use crate::text::error::{Error, ErrorKind};
use std::str::FromStr;
use std::time::Duration;

/// The longest time a script can name: a year. Anything longer is a slip of the pen.
const MAX_TIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Reads a number, whole or with a decimal point, followed by `ms`, `s`, `m` or `h`. What is less than a nanosecond is
/// dropped.
///
/// # Errors
/// A message that names the text and shows what would be right.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time (write 80ms, 1.5s, 2m or 1h)");
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let nanoseconds_of_a_millionth = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let time = parse_millionths(number).ok_or_else(wrong)?.saturating_mul(nanoseconds_of_a_millionth);
    match Duration::from_nanos(time) {
        time if time > MAX_TIME => Err(format!("`{text}` is longer than a year (8760h)")),
        time => Ok(time),
    }
}

/// Reads digits with a decimal point among them or not: how many millionths they are. Further digits are dropped.
fn parse_millionths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut digits = whole.bytes().chain(fraction.bytes());
    if !digits.clone().all(|byte| byte.is_ascii_digit()) || digits.next().is_none() {
        return None;
    }
    let add = |sum: u64, digit: u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    let fraction = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    Some(whole.bytes().chain(fraction).fold(0, add))
}

/// Reads a time, or two with `..` between them: the shortest and the longest.
///
/// # Errors
/// A message that names the text and shows what would be right.
pub fn parse_wait(text: &[u8]) -> Result<(Duration, Duration), String> {
    let text = shown(text);
    match text.split_once("..") {
        None => parse_time(&text).map(|time| (time, time)),
        Some((least, most)) => match (parse_time(least)?, parse_time(most)?) {
            (least, most) if least <= most => Ok((least, most)),
            _ => Err(format!("`{text}` runs backwards (write the shorter time first)")),
        },
    }
}

/// By how much the times of all scripts are divided: so many millionths, or `None` for no waiting at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed(Option<u64>);

impl Speed {
    /// Times as they are written.
    pub const NORMAL: Speed = Speed(Some(1_000_000));
    /// No waiting at all.
    pub const MAX: Speed = Speed(None);

    /// Reads `max` or a number from 0.001 to 1000000.
    ///
    /// # Errors
    /// A message that names the text and shows what would be right.
    pub fn parse(text: &str) -> Result<Speed, String> {
        match parse_millionths(text) {
            _ if text == "max" => Ok(Speed::MAX),
            Some(factor @ 1_000..=1_000_000_000_000) => Ok(Speed(Some(factor))),
            _ => Err(format!("`{text}` is no speed (write a number from 0.001 to 1000000, or max)")),
        }
    }

    /// How long `time` takes at this speed.
    pub fn scale(self, time: Duration) -> Duration {
        let scaled = |factor| time.as_nanos() * 1_000_000 / u128::from(factor);
        // A year at the lowest speed is more nanoseconds than fit; 500 years will do.
        Duration::from_nanos(self.0.map_or(0, |factor| u64::try_from(scaled(factor)).unwrap_or(u64::MAX)))
    }
}

impl FromStr for Speed {
    type Err = Error;

    /// Parses `max` or a number from 0.001 to 1000000.
    fn from_str(text: &str) -> Result<Speed, Error> {
        Speed::parse(text).map_err(|message| Error::new(ErrorKind::InvalidArgument, message))
    }
}

/// The largest size a script can name: 1 GiB.
const MAX_SIZE: u64 = 1 << 30;

/// Reads a number of octets, alone or followed by `k` (1,024) or `M` (1,048,576).
///
/// # Errors
/// A message that names the text and shows what would be right.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size (write 512, 64k or 5M, at most 1024M)");
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M') => (&text[..text.len() - 1], 1 << 20),
        _ => (text, 1),
    };
    let size = parse_number(digits).and_then(|number| number.checked_mul(unit));
    size.filter(|size| *size <= MAX_SIZE).ok_or_else(wrong)
}

/// Reads digits, one at least and nothing else (`parse` would take a sign before them); `None` above 2^64 - 1.
pub fn parse_number(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit() {
        for (text, milliseconds) in [
            ("80ms", 80),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("0s", 0),
            (".5s", 500),
            ("1.s", 1_000),
        ] {
            assert_eq!(parse_time(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in ["", "5", "s", ".s", "1.2.3s", "-1s", "+1s", "1 s", "1d", "1S", "1e3s", "infs"] {
            let what = format!("`{text}` is no time (write 80ms, 1.5s, 2m or 1h)");
            assert_eq!(parse_time(text), Err(what));
        }
        assert_eq!(parse_time("9000h"), Err("`9000h` is longer than a year (8760h)".to_owned()));
    }

    #[test]
    fn reads_sizes() {
        for (text, size) in [("0", 0), ("512", 512), ("64k", 65_536), ("5M", 5_242_880), ("1024M", 1 << 30)] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
        for text in ["", "k", "1K", "-1", "+1", "1.5k", "1025M", "99999999999999999999"] {
            let what = format!("`{text}` is no size (write 512, 64k or 5M, at most 1024M)");
            assert_eq!(parse_size(text), Err(what));
        }
    }

    #[test]
    fn speed_divides_and_max_leaves_nothing() {
        let second = Duration::from_secs(1);
        assert_eq!(Speed::NORMAL.scale(second), second);
        assert_eq!(Speed::parse("4").unwrap().scale(second), Duration::from_millis(250));
        assert_eq!(Speed::parse("0.5").unwrap().scale(second), Duration::from_secs(2));
        assert_eq!(Speed::parse("max").unwrap().scale(MAX_TIME), Duration::ZERO);
    }

    #[test]
    fn refuses_what_is_no_speed() {
        for text in
            ["", ".", "0", "0.0009", "-1", "+1", "1.2.3", "nan", "inf", "1e9", "1000001", "fast", "MAX"]
        {
            assert!(Speed::parse(text).is_err(), "{text}");
        }
    }
}
