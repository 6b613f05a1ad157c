//! One value to its pseudonym: of the same shape and length, equal for equal
//! values in whatever spelling, and of no use without the key.

use std::net::{IpAddr, Ipv4Addr};

use super::key::{Draws, RedactionKey};
use crate::phi::{Class, Form, Identifier};

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";
/// How often another row of draws is tried where a pseudonym is its value.
const MAX_ROUNDS: u8 = 8;
/// A text of only these digits is a hash or an id from this length on.
const MIN_HEX: usize = 16;
/// Digits of a telephone number of North America.
const NATIONAL: usize = 10;

/// What a value is replaced by.
pub(super) fn of(key: &RedactionKey, class: Class, form: Form, text: &str) -> String {
    if form != Form::Plain {
        return digest(key, text);
    }
    let shaped = match class {
        Class::Identifier(Identifier::Phone | Identifier::Fax) => phone(key, text),
        Class::Identifier(Identifier::BirthDate) => date(key, text, false),
        Class::Identifier(Identifier::ServiceDate) => date(key, text, true),
        Class::Identifier(Identifier::Ip) => address(key, text),
        _ => None,
    };
    shaped.unwrap_or_else(|| any(key, text))
}

/// What a value of no known class is replaced by.
pub(super) fn any(key: &RedactionKey, text: &str) -> String {
    if let Some(email) = email(key, text) {
        return email;
    }
    if is_hex(text) {
        return digest(key, text);
    }
    until_new(key, &seed(text), text, |draws| scrambled(text, draws))
}

/// A number of JSON: as long as it was, and still a number.
pub(super) fn number(key: &RedactionKey, text: &str) -> String {
    until_new(key, &seed(text), text, |draws| {
        let mut is_first = true;
        text.chars()
            .map(|c| {
                if !c.is_ascii_digit() {
                    // The digits behind an exponent begin anew as well.
                    is_first |= matches!(c, 'e' | 'E');
                    return c;
                }
                let is_leading = std::mem::replace(&mut is_first, false);
                let choices = if is_leading {
                    DIGITS.get(1..).unwrap_or(DIGITS)
                } else {
                    DIGITS
                };
                char::from(draws.one_of(choices))
            })
            .collect()
    })
}

/// What two spellings of one value have in common.
fn seed(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// What `make` makes of the first row of draws that does not give `text` back.
fn until_new(
    key: &RedactionKey,
    seed: &str,
    text: &str,
    make: impl Fn(&mut Draws<'_>) -> String,
) -> String {
    let mut made = String::new();
    for round in 0..MAX_ROUNDS {
        made = make(&mut key.draws(seed, round));
        if !made.eq_ignore_ascii_case(text) {
            return made;
        }
    }
    // Nothing in it can be replaced, or nearly nothing: a single digit.
    made
}

/// Letters to letters and digits to digits; everything else stays.
fn scrambled(text: &str, draws: &mut Draws<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            // An escape stands for a mark, or for a letter that it must not tell.
            '%' if let Some(escape) = escape(text, at) => {
                chars.next();
                chars.next();
                out.push_str(escape);
            }
            '0'..='9' => out.push(char::from(draws.one_of(DIGITS))),
            'a'..='z' => out.push(char::from(draws.one_of(LOWER))),
            'A'..='Z' => out.push(char::from(draws.one_of(LOWER).to_ascii_uppercase())),
            _ if c.is_alphanumeric() => out.push(other(c, draws)),
            _ => out.push(c),
        }
    }
    out
}

/// What is written for the percent escape at `at`, if there is one.
fn escape(text: &str, at: usize) -> Option<&str> {
    let own = text.get(at..at.checked_add(3)?)?;
    let byte = u8::from_str_radix(own.get(1..)?, 16).ok()?;
    let is_mark = byte.is_ascii() && !byte.is_ascii_alphanumeric();
    Some(if is_mark { own } else { "%7A" })
}

/// A letter of as many bytes.
fn other(c: char, draws: &mut Draws<'_>) -> char {
    let draw = u32::from(draws.below(23));
    let first = match c.len_utf8() {
        2 => 0xe0,
        3 => 0x3042,
        _ => 0x2_0000,
    };
    char::from_u32(first + draw).unwrap_or('x')
}

/// An address of the same shape whose last label stays.
fn email(key: &RedactionKey, text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@')?;
    let (_, top) = domain.rsplit_once('.')?;
    let is_word = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+'))
    };
    if !is_word(local) || !is_word(domain) {
        return None;
    }
    let stays = text.get(..text.len().checked_sub(top.len())?)?;
    let made = until_new(key, &seed(text), stays, |draws| scrambled(stays, draws));
    Some(made + top)
}

fn is_hex(text: &str) -> bool {
    text.len() >= MIN_HEX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// A hash, or an id in hexadecimal digits. Of an UUID the version stays.
fn digest(key: &RedactionKey, text: &str) -> String {
    if !is_hex(text) {
        return until_new(key, text, text, |draws| scrambled(text, draws));
    }
    let is_upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    let is_uuid = groups == [8, 4, 4, 4, 12];
    until_new(key, &seed(text), text, |draws| {
        text.char_indices()
            .map(|(at, c)| {
                if c == '-' || is_uuid && matches!(at, 14 | 19) {
                    return c;
                }
                let digit = char::from(draws.one_of(HEX));
                if is_upper {
                    digit.to_ascii_uppercase()
                } else {
                    digit
                }
            })
            .collect()
    })
}

/// A telephone number whose country code stays.
fn phone(key: &RedactionKey, text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 7 || text.chars().any(char::is_alphabetic) {
        return None;
    }
    let kept = digits.len().saturating_sub(NATIONAL);
    let national = digits.get(kept..)?;
    // An area code and an exchange begin with 2 to 9.
    let made = until_new(key, national, national, |draws| {
        (0..national.len())
            .map(|at| {
                let choices = if (national.len() - at).is_multiple_of(3) || at == 3 || at == 0 {
                    b"23456789".as_slice()
                } else {
                    DIGITS
                };
                char::from(draws.one_of(choices))
            })
            .collect()
    });
    let mut fresh = digits.get(..kept)?.chars().chain(made.chars());
    text.chars()
        .map(|c| {
            if c.is_ascii_digit() {
                fresh.next()
            } else {
                Some(c)
            }
        })
        .collect()
}

/// A date in the same spelling; with `keep_year` of the same year.
fn date(key: &RedactionKey, text: &str, keep_year: bool) -> Option<String> {
    let groups = digit_groups(text);
    let lengths: Vec<usize> = groups.iter().map(|(from, to)| to - from).collect();
    // Where year, month and day are, and how long each is.
    let order: &[(usize, usize)] = match lengths.as_slice() {
        [8] => &[(0, 4), (4, 2), (6, 2)],
        [4, 1..=2, 1..=2, ..] => &[],
        [1..=2, 1..=2, 4] => &[],
        _ => return None,
    };
    let spelled: String = groups
        .iter()
        .filter_map(|(from, to)| text.get(*from..*to))
        .collect();
    let made = until_new(key, &spelled, text, |draws| {
        let decade = 4 + draws.below(6);
        let year = format!("19{decade}{}", draws.below(10));
        let month = 1 + draws.below(12);
        let day = 1 + draws.below(28);
        let mut bytes = text.as_bytes().to_vec();
        let mut put = |from: usize, to: usize, value: &str| {
            if let Some(slot) = bytes.get_mut(from..to)
                && slot.len() == value.len()
            {
                slot.copy_from_slice(value.as_bytes());
            }
        };
        let number = |value: u8, length: usize| {
            // A month or day of one digit stays one of one digit.
            if length == 1 {
                format!("{}", 1 + value % 9)
            } else {
                format!("{value:02}")
            }
        };
        if let (Some((from, _)), [8]) = (groups.first(), lengths.as_slice()) {
            for ((at, length), value) in order.iter().zip([0, month, day]) {
                let (from, to) = (from + at, from + at + length);
                if *length == 4 {
                    if !keep_year {
                        put(from, to, &year);
                    }
                } else {
                    put(from, to, &number(value, *length));
                }
            }
        } else {
            let mut parts = [month, day].into_iter();
            for (from, to) in groups.iter().take(3) {
                if to - from == 4 {
                    if !keep_year {
                        put(*from, *to, &year);
                    }
                } else if let Some(value) = parts.next() {
                    put(*from, *to, &number(value, to - from));
                }
            }
            // A time of day behind the date.
            for (from, to) in groups.iter().skip(3) {
                let value: String = (*from..*to)
                    .map(|_| char::from(draws.one_of(b"012345")))
                    .collect();
                put(*from, *to, &value);
            }
        }
        String::from_utf8(bytes).unwrap_or_else(|_| "x".repeat(text.len()))
    });
    Some(made)
}

/// Where the runs of digits are.
fn digit_groups(text: &str) -> Vec<(usize, usize)> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        if !byte.is_ascii_digit() {
            continue;
        }
        match groups.last_mut() {
            Some((_, to)) if *to == at => *to = at + 1,
            _ => groups.push((at, at + 1)),
        }
    }
    groups
}

/// An address of the network kept for benchmarks (RFC 2544) or for documentation
/// (RFC 3849), as long as the original where one of the range is.
fn address(key: &RedactionKey, text: &str) -> Option<String> {
    match text.trim().parse().ok()? {
        IpAddr::V4(v4) => {
            let own = v4.to_string();
            Some(until_new(key, &own, &own, |draws| {
                let candidates = (0..32).map(|_| {
                    Ipv4Addr::new(198, 18 + draws.below(2), draws.below(256), draws.below(256))
                        .to_string()
                });
                let mut candidates: Vec<_> = candidates.collect();
                let fitting = candidates.iter().position(|made| made.len() == own.len());
                candidates.swap_remove(fitting.unwrap_or_default())
            }))
        }
        IpAddr::V6(_) => {
            let stays = text.trim();
            Some(until_new(key, &seed(stays), stays, |draws| {
                stays
                    .chars()
                    .enumerate()
                    .map(|(at, c)| {
                        let kept = "2001:db8".chars().nth(at).filter(|_| stays.len() > 12);
                        match c {
                            _ if kept == Some(c) => c,
                            c if c.is_ascii_hexdigit() => {
                                char::from(draws.one_of(b"123456789abcdef"))
                            }
                            c => c,
                        }
                    })
                    .collect()
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> RedactionKey {
        RedactionKey::from_bytes([5; 32])
    }

    fn identifier(own: Identifier, text: &str) -> String {
        of(&key(), Class::Identifier(own), Form::Plain, text)
    }

    /// The shape of a text: `a` for letters, `9` for digits.
    fn shape(text: &str) -> String {
        text.chars()
            .map(|c| match c {
                '0'..='9' => '9',
                'a'..='z' => 'a',
                'A'..='Z' => 'A',
                c => c,
            })
            .collect()
    }

    #[test]
    fn pseudonyms_have_the_shape_of_their_values() {
        for (own, text) in [
            (Identifier::Email, "Jane.Roe@Example.com"),
            (Identifier::Phone, "+1 (202) 555-0143"),
            (Identifier::Phone, "2025550143"),
            (Identifier::BirthDate, "1987-03-14"),
            (Identifier::BirthDate, "19870314"),
            (Identifier::BirthDate, "3/14/1987"),
            (Identifier::ServiceDate, "2026-11-24T10:30:00Z"),
            (Identifier::Ssn, "219-09-9999"),
            (Identifier::Name, "Averylla Testcasewell"),
            (Identifier::Zip, "94110"),
        ] {
            let made = identifier(own, text);
            assert_eq!(shape(&made), shape(text), "{text}: {made}");
            assert_ne!(made.to_lowercase(), text.to_lowercase());
            assert_eq!(made, identifier(own, text));
        }
    }

    #[test]
    fn spellings_of_one_value_are_spellings_of_one_pseudonym() {
        let fold = |text: String| text.to_lowercase().replace(['(', ')', ' ', '-', '+'], "");
        for (own, one, two) in [
            (
                Identifier::Email,
                "Jane.Roe@Example.com",
                "jane.roe@example.com",
            ),
            (Identifier::Phone, "(202) 555-0143", "202-555-0143"),
            (Identifier::Name, "JANE ROE", "Jane Roe"),
            (Identifier::Ssn, "219-09-9999", "219099999"),
        ] {
            assert_eq!(fold(identifier(own, one)), fold(identifier(own, two)));
        }
        let national = fold(identifier(Identifier::Phone, "2025550143"));
        assert_eq!(
            fold(identifier(Identifier::Phone, "+12025550143")),
            format!("1{national}")
        );
        assert_ne!(
            identifier(Identifier::Name, "Jane"),
            identifier(Identifier::Name, "June")
        );
        let other = RedactionKey::from_bytes([6; 32]);
        assert_ne!(any(&key(), "Averylla"), any(&other, "Averylla"));
    }

    #[test]
    fn years_of_service_stay_and_those_of_birth_do_not() {
        for number in 1..20 {
            let text = format!("2026-11-{number:02}");
            assert!(identifier(Identifier::ServiceDate, &text).starts_with("2026-"));
            assert!(identifier(Identifier::BirthDate, &text).starts_with("19"));
        }
    }

    #[test]
    fn addresses_are_of_ranges_that_nobody_has() {
        for text in ["203.0.113.77", "8.8.8.8", "172.217.16.142"] {
            let made = identifier(Identifier::Ip, text);
            assert!(
                made.starts_with("198.18.") || made.starts_with("198.19."),
                "{made}"
            );
            assert!(made.parse::<IpAddr>().is_ok());
        }
        let made = identifier(Identifier::Ip, "2a00:1450:4001:82f::200e");
        assert!(made.parse::<IpAddr>().is_ok(), "{made}");
    }

    #[test]
    fn hashes_stay_hashes() {
        let text = "c4d124a64fbaa9a16315564b5cf2d69a6df0c787069a8d1b1cdba5c8bf840848";
        let made = any(&key(), text);
        assert!(made.len() == 64 && made.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let uuid = "0b7e9c1e-4d3a-4f6b-9a2c-1d2e3f405162";
        let made = any(&key(), uuid);
        assert_eq!((made.get(14..15), made.get(19..20)), (Some("4"), Some("9")));
    }

    #[test]
    fn numbers_stay_numbers() {
        for text in ["18", "-3.25e10", "1234567890123", "0.5", "7"] {
            let made = number(&key(), text);
            assert_eq!(made.len(), text.len());
            assert!(
                serde_json::from_str::<serde_json::Number>(&made).is_ok(),
                "{made}"
            );
        }
    }
}
