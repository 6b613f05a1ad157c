//! Times as reports write and read them.
//!
//! In: times of findings, which are text, and nanoseconds. Out: one converted
//! to the other, and durations in words. Everything is UTC.

use crate::event::Timestamp;

/// Nanoseconds of a second.
pub(super) const SECOND: u64 = 1_000_000_000;

/// Parses a time as [`Timestamp`] writes it.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<u64> {
        let digits = bytes.get(from..to)?;
        digits.iter().all(u8::is_ascii_digit).then(|| {
            digits
                .iter()
                .fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'))
        })
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let nanosecond = number(20, 29)?;
    let is_valid = text.len() == 30
        && (1970..=2554).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_valid {
        return None;
    }
    // Years begin on 1 March, so that a leap day comes last.
    let shifted = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let days = (shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year)
        .checked_sub(719_468)?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    seconds
        .checked_mul(SECOND)?
        .checked_add(nanosecond)
        .map(Timestamp)
}

/// `2026-11-24 02:41:03 UTC`.
pub(super) fn to_second(time: Timestamp) -> String {
    let text = time.to_string();
    format!(
        "{} {} UTC",
        text.get(..10).unwrap_or_default(),
        text.get(11..19).unwrap_or_default()
    )
}

/// `2026-11-24`.
pub(super) fn day(time: Timestamp) -> String {
    time.to_string().get(..10).unwrap_or_default().to_owned()
}

/// `02:41`.
pub(super) fn minute(time: Timestamp) -> String {
    time.to_string().get(11..16).unwrap_or_default().to_owned()
}

/// A duration of `nanoseconds`, in its two largest units.
pub(super) fn lasting(nanoseconds: u64) -> String {
    const UNITS: &[(u64, &str)] = &[
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let mut seconds = nanoseconds / SECOND;
    if seconds == 0 {
        return if nanoseconds == 0 {
            "no time".to_owned()
        } else {
            "less than a second".to_owned()
        };
    }
    let mut parts = Vec::new();
    for (unit, name) in UNITS {
        let count = seconds / unit;
        seconds %= unit;
        if count > 0 {
            parts.push(super::text::counted(count, name, &format!("{name}s")));
        }
        if parts.len() == 2 || (!parts.is_empty() && count == 0) {
            break;
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for nanoseconds in [
            0,
            1,
            951_782_400 * SECOND,
            1_709_164_800 * SECOND + 5,
            1_764_038_463_123_456_789,
            4_102_444_799 * SECOND,
            u64::MAX,
        ] {
            let time = Timestamp(nanoseconds);
            assert_eq!(parse(&time.to_string()), Some(time), "{time}");
        }
        let text = Timestamp(1).to_string();
        for end in 0..text.len() {
            assert_eq!(parse(&text[..end]), None);
        }
        for wrong in [
            "2026-13-24T02:41:03.123456789Z",
            "2026-11-24T24:41:03.123456789Z",
            "x026-11-24T02:41:03.123456789Z",
            "9999-11-24T02:41:03.123456789Z",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations_are_words() {
        for (seconds, words) in [
            (0, "no time"),
            (1, "1 second"),
            (61, "1 minute 1 second"),
            (3_600, "1 hour"),
            (90_061, "1 day 1 hour"),
            (86_400 * 3, "3 days"),
            (7_320, "2 hours 2 minutes"),
        ] {
            assert_eq!(lasting(seconds * SECOND), words);
        }
        assert_eq!(lasting(5), "less than a second");
        assert_eq!(to_second(Timestamp(0)), "1970-01-01 00:00:00 UTC");
    }
}
