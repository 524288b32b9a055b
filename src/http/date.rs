//! Formats times: the value of the `date` field, `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate; RFC 9110, section 5.6.7),
//! and timestamps for logs (RFC 3339).

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;
/// 9999-12-31 23:59:59 UTC, in seconds since 1970.
const LAST_SECOND: u64 = 253_402_300_799;

/// A time that is displayed as an IMF-fixdate.
///
/// The range is the years 1970 to 9999, because the format has four digits for the year. An earlier time gives the first
/// second of 1970, a later one the last second of 9999.
pub struct ImfFixdate(pub SystemTime);

impl fmt::Display for ImfFixdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (days, [hour, minute, second]) = days_and_time(self.0);
        let (year, month, day) = civil_date(days);
        let (weekday, month) = (WEEKDAYS[(days % 7) as usize], MONTHS[month as usize]);
        write!(f, "{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
    }
}

/// A time that is displayed as in RFC 3339, `1994-11-06T08:49:37.000Z`: always 24 bytes. The range is that of
/// [`ImfFixdate`].
pub struct Timestamp(pub SystemTime);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, [hour, minute, second]) = days_and_time(self.0);
        let (year, month, day) = civil_date(days);
        let milliseconds = self.0.duration_since(UNIX_EPOCH).unwrap_or_default().subsec_millis();
        let month = month + 1;
        write!(f, "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
    }
}

/// Days since 1970-01-01; hour, minute and second of the day.
fn days_and_time(time: SystemTime) -> (u64, [u64; 3]) {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().min(LAST_SECOND);
    let second = seconds % SECONDS_PER_DAY;
    (seconds / SECONDS_PER_DAY, [second / 3600, second / 60 % 60, second % 60])
}

/// Days since 1970-01-01 to year, month (0 = January) and day (from 1) of the Gregorian calendar.
///
/// Years are counted from March here, so that the leap day comes last, and in eras of 400 years, after which the
/// calendar repeats.
fn civil_date(days: u64) -> (u64, u64, u64) {
    const DAYS_FROM_MARCH_0000_TO_1970: u64 = 719_468;
    const DAYS_PER_ERA: u64 = 146_097;
    let days = days + DAYS_FROM_MARCH_0000_TO_1970;
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let leap_days = day_of_era / 1_460 + day_of_era / 146_096 - day_of_era / 36_524;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12;
    let year = era * 400 + year_of_era + u64::from(month < 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> String {
        ImfFixdate(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
    }

    #[test]
    fn the_example_of_rfc_9110_is_formatted_the_same() {
        assert_eq!(at(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_timestamp_has_milliseconds() {
        let time = UNIX_EPOCH + Duration::from_millis(784_111_777_042);
        assert_eq!(Timestamp(time).to_string(), "1994-11-06T08:49:37.042Z");
    }

    #[test]
    fn leap_years_and_the_limits_of_the_range_are_correct() {
        assert_eq!(at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(at(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(at(951_868_800), "Wed, 01 Mar 2000 00:00:00 GMT");
        assert_eq!(at(4_107_542_399), "Sun, 28 Feb 2100 23:59:59 GMT");
        assert_eq!(at(4_107_542_400), "Mon, 01 Mar 2100 00:00:00 GMT");
        assert_eq!(at(1_748_418_359), "Wed, 28 May 2025 07:45:59 GMT");
        assert_eq!(at(LAST_SECOND), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(at(LAST_SECOND + 1), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn a_clock_before_1970_gives_1970() {
        let before = ImfFixdate(UNIX_EPOCH - Duration::from_secs(1)).to_string();
        assert_eq!(before, "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn every_day_of_400_years_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 0, 1);
        for days in 0..146_097 {
            assert_eq!(civil_date(days), (year, month, day), "day {days}");
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                1 if leap => 29,
                1 => 28,
                3 | 5 | 8 | 10 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (day, month) = (1, month + 1);
            }
            if month == 12 {
                (month, year) = (0, year + 1);
            }
        }
    }
}
