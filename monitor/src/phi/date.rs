//! Dates in the spellings that clients use.

use super::sets::date::MONTHS;
use crate::event::Timestamp;

/// A calendar date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: u16,
    pub(super) month: u8,
    pub(super) day: u8,
}

impl Date {
    /// `YYYY-MM-DD`.
    pub(super) fn iso(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        if !(1_900..=2_099).contains(&year) {
            return None;
        }
        let (y, m, d) = (year.try_into(), month.try_into(), day.try_into());
        jiff::civil::Date::new(y.ok()?, m.ok()?, d.ok()?).ok()?;
        Some(Self { year, month, day })
    }
}

/// The longest value in which a date is sought.
const MAX_LENGTH: usize = 80;

/// The date that `value` begins with: `2026-11-24`, `2026/11/24T10:00Z`,
/// `20261124`, `11/24/2026`, `24.11.2026`, `November 24, 2026`, `24 Nov 2026`.
/// Month first where both orders fit, except with points.
pub(super) fn parse(value: &str) -> Option<Date> {
    let first = value.bytes().next()?;
    if !first.is_ascii_digit() {
        return first.is_ascii_alphabetic().then(|| parse_words(value))?;
    }
    let date = value.split(['T', 't', ' ']).next()?;
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) {
        return Date::new(
            date.get(..4)?.parse().ok()?,
            date.get(4..6)?.parse().ok()?,
            date.get(6..)?.parse().ok()?,
        );
    }
    parse_groups(date).or_else(|| parse_words(value))
}

/// Three groups of digits between two equal separators.
fn parse_groups(date: &str) -> Option<Date> {
    let separator = date.chars().find(|c| !c.is_ascii_digit())?;
    if !"-/.".contains(separator) {
        return None;
    }
    let [first, second, third] = three(date, separator)?;
    if first.len() == 4 {
        return Date::new(
            first.parse().ok()?,
            second.parse().ok()?,
            third.parse().ok()?,
        );
    }
    if third.len() != 4 {
        return None;
    }
    either_order(separator, third.parse().ok()?, first, second)
}

/// Three parts of digits.
fn three(date: &str, separator: char) -> Option<[&str; 3]> {
    let mut parts = date.splitn(3, separator);
    let parts = [parts.next()?, parts.next()?, parts.next()?];
    parts
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        .then_some(parts)
}

fn either_order(separator: char, year: u16, first: &str, second: &str) -> Option<Date> {
    let (first, second) = (first.parse().ok()?, second.parse().ok()?);
    let month_first = || Date::new(year, first, second);
    let day_first = || Date::new(year, second, first);
    if separator == '.' {
        day_first().or_else(month_first)
    } else {
        month_first().or_else(day_first)
    }
}

/// A date with the name of its month: `Feb 29, 1984`, `29-feb-1984`,
/// `Wed, 29th February 1984 10:00`.
fn parse_words(value: &str) -> Option<Date> {
    if value.len() > MAX_LENGTH {
        return None;
    }
    let (mut month, mut day, mut year) = (None, None, None);
    for word in value
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(5)
    {
        let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let suffix = word.get(number.len()..)?;
        if number.is_empty() {
            let start = word.get(..3)?.to_ascii_lowercase();
            if let Some(index) = MONTHS.iter().position(|name| *name == start) {
                month = month.or(u8::try_from(index.saturating_add(1)).ok());
            }
        } else if number.len() == 4 && suffix.is_empty() {
            year = year.or(number.parse().ok());
        } else if number.len() <= 2 && matches!(suffix, "" | "st" | "nd" | "rd" | "th") {
            day = day.or(number.parse().ok());
        } else {
            return None;
        }
        if let (Some(month), Some(day), Some(year)) = (month, day, year) {
            return Date::new(year, month, day);
        }
    }
    None
}

/// What only the key of a date of birth makes a date: two digits of the year,
/// `MMDDYYYY`, and Unix seconds or milliseconds of any year.
pub(super) fn parse_birth(value: &str) -> Option<Date> {
    /// Two digits of years after this are of the century before.
    const PIVOT: u16 = 30;
    /// As many seconds are a thousand years.
    const MILLISECONDS: i64 = 31_000_000_000;
    /// Fewer seconds are a date without separators or a number.
    const MIN_SECONDS: i64 = 100_000_000;
    if let Some(date) = parse(value) {
        return Some(date);
    }
    let date = value.split(['T', 't', ' ']).next()?;
    if let Some(separator) = date.chars().find(|c| "-/.".contains(*c))
        && let Some([first, second, third]) = three(date, separator)
    {
        if third.len() != 2 {
            return None;
        }
        let year: u16 = third.parse().ok()?;
        let century = if year > PIVOT { 1_900 } else { 2_000 };
        return either_order(separator, century + year, first, second);
    }
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) {
        return either_order(
            '/',
            date.get(4..)?.parse().ok()?,
            date.get(..2)?,
            date.get(2..4)?,
        );
    }
    // Some clients write numbers with a fraction.
    let number = value.strip_suffix(".0").unwrap_or(value);
    let number: i64 = number.parse().ok()?;
    let is_negative = number < 0;
    let seconds = if number.checked_abs()? >= MILLISECONDS {
        number.div_euclid(1_000)
    } else {
        number
    };
    (is_negative || seconds >= MIN_SECONDS)
        .then(|| of_days(seconds.div_euclid(86_400)))
        .flatten()
}

/// The date so many days after 1970-01-01, in the Gregorian calendar.
fn of_days(days: i64) -> Option<Date> {
    let midnight = jiff::Timestamp::from_second(days.checked_mul(86_400)?).ok()?;
    let date = jiff::tz::Offset::UTC.to_datetime(midnight).date();
    Date::new(
        u16::try_from(date.year()).ok()?,
        u8::try_from(date.month()).ok()?,
        u8::try_from(date.day()).ok()?,
    )
}

/// The date of [`parse`], or of Unix seconds or milliseconds of this century.
pub(super) fn parse_moment(value: &str) -> Option<Date> {
    if let Some(date) = parse(value) {
        return Some(date);
    }
    let seconds = match value.len() {
        10 => value.parse::<u64>().ok()?,
        13 => value.parse::<u64>().ok()? / 1_000,
        _ => return None,
    };
    // From 2001-09-09, when Unix seconds got ten digits.
    let text = Timestamp(seconds.checked_mul(1_000_000_000)?).to_string();
    parse(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for (value, expected) in [
            ("1984-02-29", Some("1984-02-29")),
            ("1985-02-29", None),
            ("19840229", Some("1984-02-29")),
            ("19841329", None),
            ("2/29/1984", Some("1984-02-29")),
            ("29/2/1984", Some("1984-02-29")),
            ("29.02.1984", Some("1984-02-29")),
            ("03.02.1984", Some("1984-02-03")),
            ("03/02/1984", Some("1984-03-02")),
            ("1984-02-29T10:00:00Z", Some("1984-02-29")),
            ("1899-12-31", None),
            ("84-02-29", None),
            ("February 29, 1984", Some("1984-02-29")),
            ("feb 29 1984", Some("1984-02-29")),
            ("29-Feb-1984", Some("1984-02-29")),
            ("29th February 1984", Some("1984-02-29")),
            ("Wed, 29 Feb 1984 10:00:00 GMT", Some("1984-02-29")),
            ("Wed Feb 29 1984 00:00:00 GMT-0500", Some("1984-02-29")),
            ("19840229T100000", Some("1984-02-29")),
            ("Feb", None),
            ("é", None),
            ("29 é", None),
            ("Marching band", None),
            ("2.0.1", None),
            ("1.2.2024-rc1", None),
            ("jane", None),
            ("", None),
        ] {
            assert_eq!(parse(value).map(Date::iso).as_deref(), expected, "{value}");
        }
        assert_eq!(
            parse_moment("1764038463").map(Date::iso).as_deref(),
            Some("2025-11-25")
        );
        assert_eq!(
            parse_moment("1764038463123").map(Date::iso).as_deref(),
            Some("2025-11-25")
        );
        assert_eq!(parse_moment("9999999999999999999").map(Date::iso), None);
        assert_eq!(parse_moment("12345").map(Date::iso), None);
    }

    #[test]
    fn spellings_of_births() {
        for (value, expected) in [
            ("446860800", Some("1984-02-29")),
            ("446860800000", Some("1984-02-29")),
            ("446860800.0", Some("1984-02-29")),
            ("-315619200", Some("1960-01-01")),
            ("-315619200000", Some("1960-01-01")),
            ("-1", Some("1969-12-31")),
            ("02291984", Some("1984-02-29")),
            ("29021984", Some("1984-02-29")),
            ("2/29/84", Some("1984-02-29")),
            ("29.2.84", Some("1984-02-29")),
            ("1/2/04", Some("2004-01-02")),
            ("12345", None),
            ("2.0.1", None),
            ("-9223372036854775808", None),
            ("9223372036854775807", None),
            ("-", None),
            ("", None),
        ] {
            let found = parse_birth(value).map(Date::iso);
            assert_eq!(found.as_deref(), expected, "{value}");
        }
    }
}
