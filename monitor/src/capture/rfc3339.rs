//! Times as HTTP archives and manifests write them: RFC 3339 with an offset, to
//! UTC.

use crate::event::Timestamp;

/// Parses a time such as `2026-11-24T02:41:03.123+01:00`. `None` if it is none,
/// or not between 1970 and 2554.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let at = |position: usize| text.as_bytes().get(position).copied();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let separators = [at(4)?, at(7)?, at(13)?, at(16)?];
    if separators != *b"--::" || !matches!(at(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        1..=12 => 31,
        _ => return None,
    };
    // A leap second is the last second but one more.
    if !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut nanoseconds = 0_i64;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let mut scale = 100_000_000;
        for digit in fraction.bytes().take(length) {
            nanoseconds += i64::from(digit - b'0') * scale;
            scale /= 10;
        }
        rest = fraction.get(length..)?;
    }
    let offset = offset_seconds(rest)?;
    // Years count from March, so that the leap day is the last.
    let (shifted, since_march) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let day_of_year = (153 * since_march + 2) / 5 + day - 1;
    let epoch_days =
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468;
    let seconds = epoch_days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    u64::try_from(total).ok().map(Timestamp)
}

/// Seconds east of UTC, from `Z`, `+01:00`, `+0100` or nothing: a local time
/// without offset is taken for UTC.
fn offset_seconds(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first() {
        None => return Some(0),
        Some(b'Z' | b'z') => return (text.len() == 1).then_some(0),
        Some(b'+') => (1, text.get(1..)?),
        Some(b'-') => (-1, text.get(1..)?),
        Some(_) => return None,
    };
    let digits = digits.replace(':', "");
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: i64 = digits.parse().ok()?;
    let (hours, minutes) = (value / 100, value % 100);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

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
                parse_time(text).map(|time| time.to_string()).as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
