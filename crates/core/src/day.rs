//! Days of UTC, handed in by who has a clock: what ends on a day, ends with it.
//!
//! ```text
//! day := YYYY "-" MM "-" DD          RFC 3339, "full-date"
//! ```

use std::fmt;

const MS_PER_DAY: i64 = 86_400_000;
/// Days of the Gregorian calendar's full cycle of 400 years.
const DAYS_PER_CYCLE: i64 = 146_097;
/// 1970-01-01 counted from 0000-03-01.
const EPOCH: i64 = 719_468;

/// A day of the calendar, in UTC.
///
/// ```
/// # use fromguard_core::day::Day;
/// assert_eq!(Day::parse("2027-02-29"), None); // no leap year
/// let leap = Day::parse("2028-02-29").unwrap();
/// assert_eq!(leap.plus(1).to_string(), "2028-03-01");
/// assert_eq!(Day::from_unix_ms(86_399_999).to_string(), "1970-01-01");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// Days since 1970-01-01.
    since_epoch: i64,
}

impl Day {
    /// Reads `YYYY-MM-DD`; `None` when that is no day of the calendar.
    #[must_use]
    pub fn parse(text: &str) -> Option<Day> {
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !shape {
            return None;
        }
        let number =
            |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<i64>().ok());
        let day = Day::from_calendar(number(0..4)?, number(5..7)?, number(8..10)?);
        // What is not in the calendar comes out as another day.
        (day.to_string() == text).then_some(day)
    }

    /// The day of a moment, in milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn from_unix_ms(ms: i64) -> Day {
        Day { since_epoch: ms.div_euclid(MS_PER_DAY) }
    }

    /// The day this many days later.
    #[must_use]
    pub fn plus(self, days: u32) -> Day {
        Day { since_epoch: self.since_epoch.saturating_add(i64::from(days)) }
    }

    /// How many days this is after `earlier`, negative when it is before.
    #[must_use]
    pub fn days_since(self, earlier: Day) -> i64 {
        self.since_epoch.saturating_sub(earlier.since_epoch)
    }

    /// Years begin in March here, so that a leap day is the last of its year.
    fn from_calendar(year: i64, month: i64, day: i64) -> Day {
        let year = if month <= 2 { year - 1 } else { year };
        let cycle = year.div_euclid(400);
        let of_cycle = year.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year;
        Day { since_epoch: cycle * DAYS_PER_CYCLE + days - EPOCH }
    }

    fn calendar(self) -> (i64, i64, i64) {
        let days = self.since_epoch.saturating_add(EPOCH);
        let cycle = days.div_euclid(DAYS_PER_CYCLE);
        let days = days.rem_euclid(DAYS_PER_CYCLE);
        let year = (days - days / 1460 + days / 36_524 - days / 146_096) / 365;
        let of_year = days - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + cycle.saturating_mul(400) + i64::from(month <= 2);
        (year, month, day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.calendar();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_days() {
        for day in ["2028-02-29", "2000-02-29", "2027-01-31", "1970-01-01", "0000-01-01", "9999-12-31"] {
            assert_eq!(Day::parse(day).map(|day| day.to_string()).as_deref(), Some(day));
        }
        for wrong in [
            "2027-02-29",
            "1900-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-01-00",
            "2027-04-31",
            "2027-1-1",
            "27-01-01",
            "2027/01/01",
            "2027-01-31T00:00:00Z",
            " 2027-01-31",
            "tomorrow",
            "",
            "२०२७-०१-३१",
        ] {
            assert_eq!(Day::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_day_of_nine_centuries_follows_the_one_before() {
        let mut day = Day::parse("1599-12-31").expect("a day");
        for _ in 0..330_000 {
            let next = day.plus(1);
            assert_eq!(Day::parse(&next.to_string()), Some(next));
            assert_eq!(next.days_since(day), 1);
            day = next;
        }
        assert_eq!(day.to_string(), "2503-07-05");
    }

    #[test]
    fn a_day_ends_at_midnight_of_utc() {
        let at = |ms| Day::from_unix_ms(ms).to_string();
        assert_eq!(at(1_800_000_000_000), "2027-01-15");
        assert_eq!(at(1_799_971_200_000 - 1), "2027-01-14");
        assert_eq!(at(1_799_971_200_000), "2027-01-15");
        assert_eq!(at(-1), "1969-12-31");
    }
}
