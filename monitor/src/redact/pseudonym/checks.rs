//! Check digits: which ones a value has, and how a pseudonym gets the same.

/// A checksum that a value fulfills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Cards.
    Luhn,
    /// National provider identifiers: the checksum of payment cards, with the
    /// prefix `80840`.
    Npi,
    /// Banks of the United States.
    Routing,
    /// International bank accounts.
    Iban,
    /// Vehicles.
    Vin,
    /// Prescribers.
    Dea,
}

impl Check {
    const ALL: &'static [Self] = &[
        Self::Iban,
        Self::Vin,
        Self::Dea,
        Self::Npi,
        Self::Routing,
        Self::Luhn,
    ];

    /// The checksum that `value` fulfills, if any.
    pub(super) fn of(value: &str) -> Option<Self> {
        let plain = plain(value);
        Self::ALL.iter().copied().find(|check| check.holds(&plain))
    }

    fn holds(self, plain: &str) -> bool {
        let is_digits = plain.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::Luhn => is_digits && (13..=19).contains(&plain.len()) && luhn(plain),
            Self::Npi => is_digits && plain.len() == 10 && luhn(&format!("80840{plain}")),
            Self::Routing => is_digits && plain.len() == 9 && routing(plain),
            Self::Iban => iban(plain),
            Self::Vin => plain.len() == 17 && vin(plain).is_some_and(|check| check.1),
            Self::Dea => dea(plain).is_some_and(|check| check.1),
        }
    }

    /// `new`, which has the shape of a value that fulfills the checksum, with
    /// characters changed so that it does, too.
    pub(super) fn mend(self, new: &str) -> String {
        let places: &[usize] = match self {
            Self::Iban => &[2, 3],
            Self::Vin => &[8],
            Self::Luhn | Self::Npi | Self::Routing | Self::Dea => &[],
        };
        let spots: Vec<usize> = new
            .char_indices()
            .filter(|(_, c)| c.is_ascii_alphanumeric())
            .map(|(at, _)| at)
            .collect();
        let last = spots.last().copied();
        let spot = |place: usize| spots.get(place).copied();
        match (self, places) {
            (Self::Iban, [first, second]) => (0..97_u32)
                .map(|number| number + 2)
                .map(|number| {
                    let text = format!("{number:02}");
                    let (tens, ones) = text.split_at(1);
                    let made = replaced(new, spot(*first), tens);
                    replaced(&made, spot(*second), ones)
                })
                .find(|made| self.holds(&plain(made))),
            (Self::Vin, [place]) => "0123456789X"
                .split("")
                .filter(|digit| !digit.is_empty())
                .map(|digit| replaced(new, spot(*place), digit))
                .find(|made| self.holds(&plain(made))),
            _ => (0..10_u32)
                .map(|digit| replaced(new, last, &digit.to_string()))
                .find(|made| self.holds(&plain(made))),
        }
        .unwrap_or_else(|| new.to_owned())
    }
}

/// Without separators, in upper case.
fn plain(value: &str) -> String {
    value.replace([' ', '-'], "").to_ascii_uppercase()
}

/// `text` with the byte at `at` replaced.
fn replaced(text: &str, at: Option<usize>, by: &str) -> String {
    let Some(at) = at else {
        return text.to_owned();
    };
    let head = text.get(..at).unwrap_or_default();
    let tail = text.get(at.saturating_add(1)..).unwrap_or_default();
    [head, by, tail].concat()
}

fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> {
    text.bytes()
        .map(|byte| u32::from(byte.saturating_sub(b'0')))
}

fn luhn(text: &str) -> bool {
    let sum: u32 = digits(text)
        .rev()
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| match digit * weight {
            large @ 10.. => large - 9,
            small => small,
        })
        .sum();
    sum > 0 && sum.is_multiple_of(10)
}

fn routing(text: &str) -> bool {
    let sum: u32 = digits(text)
        .zip([3, 7, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .sum();
    sum > 0 && sum.is_multiple_of(10)
}

fn iban(plain: &str) -> bool {
    let Some((head, tail)) = plain.split_at_checked(4) else {
        return false;
    };
    let is_head = head.bytes().enumerate().all(|(at, byte)| match at {
        0 | 1 => byte.is_ascii_uppercase(),
        _ => byte.is_ascii_digit(),
    });
    if !is_head || !(15..=34).contains(&plain.len()) || !plain.is_ascii() {
        return false;
    }
    let mut remainder = 0_u32;
    for byte in tail.chars().chain(head.chars()) {
        let Some(digit) = byte.to_digit(36) else {
            return false;
        };
        remainder = (remainder * if digit < 10 { 10 } else { 100 } + digit) % 97;
    }
    remainder == 1
}

/// The check character of a vehicle's number, and whether it has it.
fn vin(plain: &str) -> Option<(char, bool)> {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let mut sum = 0;
    for (byte, weight) in plain.bytes().zip(WEIGHTS) {
        let number = match byte {
            digit @ b'0'..=b'9' => digit - b'0',
            b'I' | b'O' | b'Q' => return None,
            letter @ b'A'..=b'I' => letter - b'A' + 1,
            letter @ b'J'..=b'R' => letter - b'J' + 1,
            letter @ b'S'..=b'Z' => letter - b'S' + 2,
            _ => return None,
        };
        sum += u32::from(number) * weight;
    }
    let check = match sum % 11 {
        10 => 'X',
        digit => char::from_digit(digit, 10)?,
    };
    Some((check, plain.chars().nth(8) == Some(check)))
}

/// The check digit of a prescriber's number, and whether it has it.
fn dea(plain: &str) -> Option<(u32, bool)> {
    let (head, number) = plain.split_at_checked(2)?;
    let is_head = head.bytes().next().is_some_and(|b| b.is_ascii_uppercase())
        && head
            .as_bytes()
            .get(1)
            .copied()
            .is_some_and(|b| b.is_ascii_uppercase() || b == b'9');
    if !is_head || number.len() != 7 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let sum: u32 = digits(number)
        .take(6)
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .sum();
    let check = sum % 10;
    Some((check, digits(number).next_back() == Some(check)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_known_and_mended() {
        for (value, new, expected) in [
            ("4111 1111 1111 1111", "4321 9876 5432 1000", Check::Luhn),
            ("1234567893", "1987654321", Check::Npi),
            ("021000021", "123123123", Check::Routing),
            (
                "DE89 3704 0044 0532 0130 00",
                "DE11 1234 5678 9012 3456 78",
                Check::Iban,
            ),
            ("1M8GDM9AXKP042788", "1ABCDE2F3KP111111", Check::Vin),
            ("AB1234563", "FG7654321", Check::Dea),
        ] {
            assert_eq!(Check::of(value), Some(expected), "{value}");
            let made = expected.mend(new);
            assert_eq!(Check::of(&made), Some(expected), "{made}");
            assert_eq!(made.len(), new.len());
        }
        for value in ["", "1234567890", "abc", "4111111111111112", "XY"] {
            assert_eq!(Check::of(value), None, "{value}");
        }
    }
}
