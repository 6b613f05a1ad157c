//! Telephone and social security numbers.

use super::super::{
    key::{RedactionKey, Stream},
    scramble::different,
};

/// Toll-free area codes belong to no person.
const TOLL_FREE: &[&str] = &["800", "833", "844", "855", "866", "877", "888"];
/// Digits of a North American number, without its country code.
const NATIONAL: usize = 10;

/// `value` with its digits replaced by `digits`, from the first on.
fn spell(value: &str, digits: &str) -> String {
    let mut digits = digits.chars();
    value
        .chars()
        .map(|c| {
            if c.is_ascii_digit() {
                digits.next().unwrap_or(c)
            } else {
                c
            }
        })
        .collect()
}

fn digits_of(value: &str) -> String {
    value.chars().filter(char::is_ascii_digit).collect()
}

/// Another number in the same spelling, of the same country.
pub(super) fn phone(key: &RedactionKey, value: &str) -> String {
    let digits = digits_of(value);
    let national_at = match digits.len() {
        11 if digits.starts_with('1') => 1,
        13 if digits.starts_with("001") => 3,
        NATIONAL | 7 => 0,
        // The country code, which many share.
        12.. => 2,
        _ => usize::from(digits.len() > 7 && value.trim_start().starts_with('+')) * 2,
    };
    let (country, national) = digits
        .split_at_checked(national_at)
        .unwrap_or(("", &digits));
    let mut stream = key.stream("phone", national.as_bytes());
    let made = different(national, |_| match national.len() {
        NATIONAL if country.is_empty() || country.ends_with('1') => {
            let area = area(&mut stream);
            area + &subscriber(&mut stream)
        }
        7 => subscriber(&mut stream),
        length => (0..length)
            .map(|at| char::from(stream.digit(at == 0)))
            .collect(),
    });
    spell(value, &(country.to_owned() + &made))
}

fn area(stream: &mut Stream) -> String {
    loop {
        let area = stream.between(201, 989);
        let text = area.to_string();
        // Area codes with a nine in the middle are reserved, and those ending
        // in 11 are services.
        let is_area = area / 10 % 10 != 9 && area % 100 != 11;
        if is_area && !TOLL_FREE.contains(&text.as_str()) {
            return text;
        }
    }
}

/// Seven digits.
fn subscriber(stream: &mut Stream) -> String {
    let exchange = loop {
        let exchange = stream.between(200, 999);
        if exchange % 100 != 11 {
            break exchange;
        }
    };
    format!("{exchange}{:04}", stream.between(0, 9_999))
}

/// Another number that could have been issued, in the same spelling.
pub(super) fn ssn(key: &RedactionKey, value: &str) -> String {
    let digits = digits_of(value);
    let mut stream = key.stream("ssn", digits.as_bytes());
    let made = different(&digits, |_| match digits.len() {
        // A taxpayer number begins with a nine and has its group in a range.
        9 if digits.starts_with('9') => {
            let (area, group) = (stream.between(900, 999), stream.between(70, 88));
            format!("{area}{group}{:04}", stream.between(1, 9_999))
        }
        9 => {
            let area = match stream.between(1, 898) {
                beast @ 666.. => beast + 1,
                area => area,
            };
            let group = stream.between(1, 99);
            format!("{area:03}{group:02}{:04}", stream.between(1, 9_999))
        }
        length => (0..length)
            .map(|at| char::from(stream.digit(at == 0)))
            .collect(),
    });
    spell(value, &made)
}
