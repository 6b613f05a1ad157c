//! Times as people write them.
//!
//! In: RFC 3339, or a prefix of it. Out: the [`Span`] of time that it denotes:
//! a day, a minute, a second or less. Without an offset it is UTC.

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;
/// Nanoseconds of a day.
const DAY: u64 = 86_400 * SECOND;
/// The last year that is accepted; nanoseconds of 64 bits end in 2554.
const MAX_YEAR: u64 = 2500;
/// Digits of a fraction that are read; more are ignored.
const MAX_FRACTION: usize = 9;

/// A span of time, in nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first nanosecond.
    pub first: u64,
    /// Its last nanosecond.
    pub last: u64,
}

impl Span {
    /// This span, `duration` later, or earlier.
    #[must_use]
    pub(super) const fn moved(self, duration: u64, is_later: bool) -> Self {
        if is_later {
            Self {
                first: self.first.saturating_add(duration),
                last: self.last.saturating_add(duration),
            }
        } else {
            Self {
                first: self.first.saturating_sub(duration),
                last: self.last.saturating_sub(duration),
            }
        }
    }
}

/// The span that `text` names: `2026-11-24`, `2026-11-24T02:41`,
/// `2026-11-24T02:41:03.5+01:00` and the like.
pub fn parse_time(text: &str) -> Option<Span> {
    let mut rest = text;
    let year = number(&mut rest, 4)?;
    mark(&mut rest, "-")?;
    let month = number(&mut rest, 2)?;
    mark(&mut rest, "-")?;
    let day = number(&mut rest, 2)?;
    let start = days(year, month, day)?.checked_mul(DAY)?;
    if rest.is_empty() {
        return span(start, DAY);
    }
    mark(&mut rest, "Tt ")?;
    let hour = number(&mut rest, 2).filter(|hour| *hour < 24)?;
    mark(&mut rest, ":")?;
    let minute = number(&mut rest, 2).filter(|minute| *minute < 60)?;
    let mut nanoseconds = (hour * 60 + minute) * 60 * SECOND;
    let mut width = 60 * SECOND;
    if mark(&mut rest, ":").is_some() {
        // A leap second is the second after.
        let second = number(&mut rest, 2).filter(|second| *second <= 60)?;
        nanoseconds += second * SECOND;
        width = SECOND;
        if mark(&mut rest, ".,").is_some() {
            let (fraction, unit) = fraction(&mut rest)?;
            nanoseconds += fraction;
            width = unit;
        }
    }
    let local = start.checked_add(nanoseconds)?;
    let utc = match rest {
        "" | "Z" | "z" => local,
        _ => {
            let is_east = mark(&mut rest, "+").is_some();
            if !is_east {
                mark(&mut rest, "-")?;
            }
            let hours = number(&mut rest, 2).filter(|hours| *hours < 24)?;
            // RFC 3339 wants the colon; the basic format of ISO 8601 has none.
            let _ = mark(&mut rest, ":");
            let minutes = number(&mut rest, 2).filter(|minutes| *minutes < 60)?;
            if !rest.is_empty() {
                return None;
            }
            let offset = (hours * 60 + minutes) * 60 * SECOND;
            if is_east {
                local.checked_sub(offset)?
            } else {
                local.checked_add(offset)?
            }
        }
    };
    span(utc, width)
}

/// Nanoseconds of a duration: `90s`, `30m`, `2h`, `7d`, `1h30m`.
pub fn parse_duration(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0_u64;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = match rest.get(..letters)? {
            "ms" => SECOND / 1_000,
            "s" => SECOND,
            "m" | "min" => 60 * SECOND,
            "h" => 3_600 * SECOND,
            "d" => DAY,
            "w" => 7 * DAY,
            _ => return None,
        };
        rest = rest.get(letters..)?;
        sum = sum.checked_add(count.checked_mul(unit)?)?;
        if rest.is_empty() {
            return Some(sum);
        }
    }
}

fn span(first: u64, width: u64) -> Option<Span> {
    Some(Span {
        first,
        last: first.checked_add(width)?.checked_sub(1)?,
    })
}

/// Takes exactly `length` digits.
fn number(rest: &mut &str, length: usize) -> Option<u64> {
    let digits = rest.get(..length)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *rest = rest.get(length..)?;
    digits.parse().ok()
}

/// Takes one of `marks`.
fn mark(rest: &mut &str, marks: &str) -> Option<()> {
    let first = rest.chars().next()?;
    *rest = rest.strip_prefix(first).filter(|_| marks.contains(first))?;
    Some(())
}

/// Reads the digits of a fraction of a second. Returns nanoseconds, and the
/// unit of its last digit.
fn fraction(rest: &mut &str) -> Option<(u64, u64)> {
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let digits = rest.get(..length.min(MAX_FRACTION))?;
    let mut unit = SECOND;
    let mut nanoseconds = 0;
    for digit in digits.bytes() {
        unit /= 10;
        nanoseconds += u64::from(digit.wrapping_sub(b'0')) * unit;
    }
    *rest = rest.get(length..)?;
    (length > 0).then_some((nanoseconds, unit))
}

/// Days from the Unix epoch to this date of the Gregorian calendar.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1970..=MAX_YEAR).contains(&year) || day == 0 || day > length {
        return None;
    }
    // Years that begin in March, so that the leap day is the last of them.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    days.checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    fn check(text: &str, expected: Option<(&str, &str)>) {
        let span = parse_time(text).map(|span| {
            (
                Timestamp(span.first).to_string(),
                Timestamp(span.last).to_string(),
            )
        });
        let span = span.as_ref().map(|(one, two)| (one.as_str(), two.as_str()));
        assert_eq!(span, expected, "{text}");
    }

    #[test]
    fn times_are_spans() {
        let day = Some((
            "2026-11-24T00:00:00.000000000Z",
            "2026-11-24T23:59:59.999999999Z",
        ));
        check("2026-11-24", day);
        let minute = Some((
            "2026-11-24T02:41:00.000000000Z",
            "2026-11-24T02:41:59.999999999Z",
        ));
        for text in [
            "2026-11-24T02:41Z",
            "2026-11-24T02:41",
            "2026-11-24 02:41z",
            "2026-11-24T03:41+01:00",
            "2026-11-23T21:11-0530",
        ] {
            check(text, minute);
        }
        let second = Some((
            "2026-11-24T02:41:03.000000000Z",
            "2026-11-24T02:41:03.999999999Z",
        ));
        check("2026-11-24T02:41:03Z", second);
        let nanosecond = Some((
            "2026-11-24T02:41:03.123456789Z",
            "2026-11-24T02:41:03.123456789Z",
        ));
        check("2026-11-24T02:41:03.123456789Z", nanosecond);
        check("2026-11-24T02:41:03.1234567891234Z", nanosecond);
        check("2026-11-24T04:41:03.123456789+02:00", nanosecond);
        let tenth = Some((
            "2024-02-29T23:59:59.500000000Z",
            "2024-02-29T23:59:59.599999999Z",
        ));
        check("2024-02-29T23:59:59.5Z", tenth);
        for text in [
            "",
            "2026",
            "2026-11",
            "2026-13-01",
            "2026-02-29",
            "2026-11-24T",
            "2026-11-24T25:00Z",
            "2026-11-24T02:60Z",
            "2026-11-24T02:41:61Z",
            "2026-11-24T02:41:03.Z",
            "2026-11-24T02:41Zx",
            "2026-11-24T02:41+1",
            "1969-12-31",
            "9999-01-01",
            "1970-01-01T00:00+01:00",
            "2026-11-24€",
            "٢٠٢٦-11-24",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn every_timestamp_that_is_printed_is_read() {
        for nanoseconds in [
            0,
            951_827_696_000_000_007,
            1_709_164_799_999_999_999,
            4_107_542_400_000_000_000,
            16_725_225_599_999_999_999,
        ] {
            let text = Timestamp(nanoseconds).to_string();
            let expected = Some(Span {
                first: nanoseconds,
                last: nanoseconds,
            });
            assert_eq!(parse_time(&text), expected, "{text}");
            for end in 0..text.len() {
                let _ = parse_time(&text[..end]);
            }
        }
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("90s", Some(90 * SECOND)),
            ("30m", Some(1_800 * SECOND)),
            ("30min", Some(1_800 * SECOND)),
            ("2h", Some(7_200 * SECOND)),
            ("7d", Some(7 * DAY)),
            ("1w", Some(7 * DAY)),
            ("1h30m", Some(5_400 * SECOND)),
            ("250ms", Some(SECOND / 4)),
            ("", None),
            ("h", None),
            ("2", None),
            ("2x", None),
            ("2h ", None),
            ("99999999999999999999d", None),
            ("999999999999d", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }
}
