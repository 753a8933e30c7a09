//! Moments as GitHub writes them: `2026-11-23T09:00:00Z`.

use crate::clock::TimestampMs;

const DAY_S: i64 = 86_400;

/// A clock's reading, to the second.
pub(super) fn iso(at_ms: TimestampMs) -> String {
    iso_s(at_ms.div_euclid(1000))
}

/// Seconds since 1970-01-01T00:00:00Z.
pub(super) fn iso_s(at_s: i64) -> String {
    let (year, month, day) = date(at_s.div_euclid(DAY_S));
    let second = at_s.rem_euclid(DAY_S);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// A clock's reading as HTTP's `Date` writes it (RFC 9110, section 5.6.7): `Mon, 23 Nov 2026 09:00:00 GMT`.
pub(super) fn http(at_ms: TimestampMs) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let at_s = at_ms.div_euclid(1000);
    let days = at_s.div_euclid(DAY_S);
    let (year, month, day) = date(days);
    let second = at_s.rem_euclid(DAY_S);
    let weekday = DAYS[days.rem_euclid(7) as usize];
    let month = MONTHS[(month - 1) as usize];
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// The civil date of a day counted from 1970-01-01, in the proleptic Gregorian
/// calendar, with years that begin in March so that the leap day is a year's last.
fn date(days: i64) -> (i64, i64, i64) {
    const FROM_YEAR_ZERO: i64 = 719_468;
    const ERA: i64 = 146_097;
    let days = days + FROM_YEAR_ZERO;
    let era = days.div_euclid(ERA);
    let of_era = days.rem_euclid(ERA);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::http;
    use super::iso_s;

    #[test]
    fn a_date_of_http_names_the_day_of_the_week() {
        assert_eq!(http(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        // The example of RFC 9110.
        assert_eq!(http(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn leap_days_and_the_turn_of_a_year_are_right() {
        assert_eq!(iso_s(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso_s(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(iso_s(1_767_225_599), "2025-12-31T23:59:59Z");
        assert_eq!(iso_s(1_767_225_600), "2026-01-01T00:00:00Z");
    }
}
