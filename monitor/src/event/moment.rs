//! Times as people and other programs write them.
//!
//! In: RFC 3339, or a prefix of it. Out: the [`Span`] of time that it denotes:
//! a day, a minute, a second or less. Without an offset it is UTC.

use std::str::FromStr;

use jiff::{
    civil::{Date, Time},
    tz::Offset,
};

use super::Timestamp;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;
/// Nanoseconds of a day.
const DAY: u64 = 86_400 * SECOND;
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
    fn new(first: u64, width: u64) -> Option<Self> {
        Some(Self {
            first,
            last: first.checked_add(width.checked_sub(1)?)?,
        })
    }

    /// This span, `duration` later, or earlier.
    #[must_use]
    pub(crate) const fn moved(self, duration: u64, is_later: bool) -> Self {
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

impl Timestamp {
    /// The time that `text` names to the second or better:
    /// `2026-11-24T02:41:03.5+01:00` and the like.
    pub fn parse(text: &str) -> Option<Self> {
        let Span { first, last } = parse_time(text)?;
        (last - first < SECOND).then_some(Self(first))
    }
}

/// The span that `text` names: `2026-11-24`, `2026-11-24T02:41`,
/// `2026-11-24T02:41:03.5+01:00` and the like. `None` if it is no time, or
/// not between 1970 and 2554.
pub fn parse_time(text: &str) -> Option<Span> {
    let mut rest = text;
    let year = number(&mut rest, 4)?;
    mark(&mut rest, "-")?;
    let month = number(&mut rest, 2)?;
    mark(&mut rest, "-")?;
    let date = Date::new(year, month, number(&mut rest, 2)?).ok()?;
    let (mut time, mut nanoseconds, mut width) = (Time::midnight(), 0, DAY);
    let mut offset = Offset::UTC;
    if !rest.is_empty() {
        mark(&mut rest, "Tt ")?;
        let hour = number(&mut rest, 2)?;
        mark(&mut rest, ":")?;
        time = Time::new(hour, number(&mut rest, 2)?, 0, 0).ok()?;
        width = 60 * SECOND;
        if mark(&mut rest, ":").is_some() {
            // A leap second is the second after.
            let second: u64 = number(&mut rest, 2).filter(|second| *second <= 60)?;
            nanoseconds = second * SECOND;
            width = SECOND;
            if mark(&mut rest, ".,").is_some() {
                let (fraction, unit) = fraction(&mut rest)?;
                nanoseconds += fraction;
                width = unit;
            }
        }
        offset = offset_of(rest)?;
    }
    let minute = offset.to_timestamp(date.to_datetime(time)).ok()?;
    // The seconds can be what brings a local time of 1969 into 1970.
    let first = i128::from(minute.as_second()) * i128::from(SECOND) + i128::from(nanoseconds);
    Span::new(u64::try_from(first).ok()?, width)
}

/// The offset from UTC that `text` names: `Z`, `+01:00`, or nothing.
fn offset_of(text: &str) -> Option<Offset> {
    let mut rest = text;
    if matches!(rest, "" | "Z" | "z") {
        return Some(Offset::UTC);
    }
    let is_east = mark(&mut rest, "+").is_some();
    if !is_east {
        mark(&mut rest, "-")?;
    }
    let hours: i32 = number(&mut rest, 2).filter(|hours| *hours < 24)?;
    // RFC 3339 wants the colon; the basic format of ISO 8601 has none.
    let _ = mark(&mut rest, ":");
    let minutes: i32 = number(&mut rest, 2).filter(|minutes| *minutes < 60)?;
    if !rest.is_empty() {
        return None;
    }
    let seconds = (hours * 60 + minutes) * 60;
    Offset::from_seconds(if is_east { seconds } else { -seconds }).ok()
}

/// Takes exactly `length` digits.
fn number<T: FromStr>(rest: &mut &str, length: usize) -> Option<T> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn times_with_offsets_become_utc() {
        for (text, expected) in [
            (
                "2025-11-25T02:41:03.123456789Z",
                Some("2025-11-25T02:41:03.123456789Z"),
            ),
            (
                "2025-11-25T02:41:03.5+01:00",
                Some("2025-11-25T01:41:03.500000000Z"),
            ),
            (
                "2024-02-28T23:30:00.1234567891-0130",
                Some("2024-02-29T01:00:00.123456789Z"),
            ),
            (
                "2000-02-29t12:34:56",
                Some("2000-02-29T12:34:56.000000000Z"),
            ),
            (
                "2554-07-21T23:34:33.709551615Z",
                Some("2554-07-21T23:34:33.709551615Z"),
            ),
            ("2554-07-21T23:34:33.709551616Z", None),
            ("1970-01-01T00:00:00+00:01", None),
            ("2023-02-29T00:00:00Z", None),
            ("2025-13-01T00:00:00Z", None),
            ("2025-11-25T24:00:00Z", None),
            ("2025-11-25T02:41:03Zulu", None),
            ("2025-11-25T02:41:03+1:00", None),
            ("2025-11-25", None),
            ("", None),
            ("20é5-11-25T02:41:03Z", None),
        ] {
            assert_eq!(
                Timestamp::parse(text)
                    .map(|time| time.to_string())
                    .as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
