//! Dates in the spellings that clients use.

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
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u8::from(leap),
            1..=12 => 31,
            _ => return None,
        };
        ((1_900..=2_099).contains(&year) && (1..=days).contains(&day)).then_some(Self {
            year,
            month,
            day,
        })
    }
}

/// The date that `value` begins with: `2026-11-24`, `2026/11/24T10:00Z`,
/// `20261124`, `11/24/2026`, `24.11.2026`. Month first where both orders fit,
/// except with points.
pub(super) fn parse(value: &str) -> Option<Date> {
    let date = value.split(['T', 't', ' ']).next()?;
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) {
        return Date::new(
            date.get(..4)?.parse().ok()?,
            date.get(4..6)?.parse().ok()?,
            date.get(6..)?.parse().ok()?,
        );
    }
    let separator = date.chars().find(|c| !c.is_ascii_digit())?;
    if !"-/.".contains(separator) {
        return None;
    }
    let mut parts = date.splitn(3, separator);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    let all_digits = [first, second, third]
        .iter()
        .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !all_digits {
        return None;
    }
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
    let year = third.parse().ok()?;
    let (first, second) = (first.parse().ok()?, second.parse().ok()?);
    let month_first = || Date::new(year, first, second);
    let day_first = || Date::new(year, second, first);
    if separator == '.' {
        day_first().or_else(month_first)
    } else {
        month_first().or_else(day_first)
    }
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
}
