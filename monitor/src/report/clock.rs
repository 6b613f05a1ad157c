//! Times as reports write them.
//!
//! In: times and durations. Out: their text. Everything is UTC.

use crate::event::Timestamp;

/// Nanoseconds of a second.
pub(super) const SECOND: u64 = 1_000_000_000;

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
