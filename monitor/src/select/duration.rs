//! Durations as people write them.

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;
/// Nanoseconds of a day.
const DAY: u64 = 86_400 * SECOND;

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

#[cfg(test)]
mod tests {
    use super::*;

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
