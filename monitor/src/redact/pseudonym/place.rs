//! Addresses of places and of machines.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    super::{
        key::RedactionKey,
        scramble::{Letters, different, scramble},
    },
    by_word, fold, spoken,
};

/// Words of street addresses that name no street.
const STREET_WORDS: &[&str] = &[
    "alley",
    "apartment",
    "apt",
    "ave",
    "avenue",
    "bldg",
    "blvd",
    "boulevard",
    "box",
    "building",
    "cir",
    "circle",
    "court",
    "ct",
    "dr",
    "drive",
    "e",
    "east",
    "floor",
    "highway",
    "hwy",
    "lane",
    "ln",
    "loop",
    "n",
    "ne",
    "north",
    "nw",
    "o",
    "p",
    "parkway",
    "pkwy",
    "pl",
    "place",
    "plaza",
    "po",
    "rd",
    "road",
    "room",
    "row",
    "s",
    "se",
    "south",
    "sq",
    "square",
    "st",
    "ste",
    "street",
    "suite",
    "sw",
    "ter",
    "terrace",
    "trail",
    "unit",
    "w",
    "way",
    "west",
];

/// Tries to find an address of the same length.
const TRIES: u32 = 64;

/// House number and street are replaced; the word for the kind of street stays.
pub(super) fn address(key: &RedactionKey, value: &str) -> String {
    let mut index = 0_u32;
    let whole = fold(value);
    by_word(value, |word| {
        index = index.wrapping_add(1);
        let lower = word.to_lowercase();
        if STREET_WORDS.contains(&lower.as_str()) {
            return word.to_owned();
        }
        if word.bytes().any(|byte| byte.is_ascii_digit()) {
            let mut stream = key.stream("address", format!("{index} {whole}").as_bytes());
            return different(word, |_| scramble(word, Letters::Plain, &mut stream));
        }
        spoken(key, "address", word)
    })
}

/// A postal code of the same shape.
pub(super) fn zip(key: &RedactionKey, value: &str) -> String {
    let first: String = value.chars().take(5).collect();
    let is_us = first.len() == 5 && first.bytes().all(|byte| byte.is_ascii_digit());
    if !is_us {
        let mut stream = key.stream("zip", fold(value).as_bytes());
        return different(value, |_| scramble(value, Letters::Plain, &mut stream));
    }
    let mut stream = key.stream("zip", first.as_bytes());
    let made = different(&first, |_| stream.between(10_001, 99_950).to_string());
    let rest = value.get(5..).unwrap_or_default();
    let mut stream = key.stream("zip", value.as_bytes());
    made + &scramble(rest, Letters::Plain, &mut stream)
}

/// Coordinates within the globe, with as many digits.
pub(super) fn geo(key: &RedactionKey, value: &str) -> String {
    let mut stream = key.stream("geo", value.as_bytes());
    let mut is_fraction = false;
    let mut made = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(start) = rest.find(|c: char| c.is_alphanumeric()) {
        let (between, run) = rest.split_at(start);
        made.push_str(between);
        is_fraction = between.ends_with('.') && made.len() > 1 && !is_fraction;
        let end = run
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(run.len());
        let (run, behind) = run.split_at(end);
        rest = behind;
        let is_number = run.bytes().all(|byte| byte.is_ascii_digit());
        let new = different(run, |_| match run.len() {
            _ if !is_number || is_fraction => scramble(run, Letters::Plain, &mut stream),
            1 => stream.between(1, 9).to_string(),
            2 => stream.between(10, 89).to_string(),
            3 => stream.between(100, 179).to_string(),
            _ => scramble(run, Letters::Plain, &mut stream),
        });
        made.push_str(&new);
    }
    made + rest
}

/// An address of the ranges for documentation and benchmarks.
pub(super) fn ip(key: &RedactionKey, value: &str) -> String {
    let (head, text) = match value.find(|c: char| c.is_ascii_hexdigit() || c == ':') {
        Some(at) => value.split_at(at),
        None => ("", value),
    };
    let end = text
        .find(|c: char| !(c.is_ascii_hexdigit() || c == ':' || c == '.'))
        .unwrap_or(text.len());
    let (whole, rest) = text.split_at(end);
    // A port may follow.
    let (text, port) = match (whole.parse::<IpAddr>(), whole.rsplit_once(':')) {
        (Err(_), Some((address, _))) if address.contains('.') => {
            whole.split_at_checked(address.len()).unwrap_or((whole, ""))
        }
        _ => (whole, ""),
    };
    let Ok(address) = text.parse::<IpAddr>() else {
        let mut stream = key.stream("ip", fold(value).as_bytes());
        return different(value, |_| scramble(value, Letters::of(value), &mut stream));
    };
    let canonical = address.to_canonical().to_string();
    let mut stream = key.stream("ip", canonical.as_bytes());
    let mut best = String::new();
    for _ in 0..TRIES {
        let made = match address {
            IpAddr::V4(_) => {
                let [_, _, third, fourth] = stream.between(1, 0x1_fffe).to_be_bytes();
                let second = 18 + u8::from(stream.below(2) == 1);
                Ipv4Addr::new(198, second, third, fourth).to_string()
            }
            IpAddr::V6(_) => {
                let low = u128::from(stream.next());
                let high = u128::from(stream.next() & 0xffff_ffff);
                let network = 0x2001_0db8_u128 << 96;
                let host = if text.len() > 24 {
                    high << 64 | low
                } else {
                    low & 0xffff_ffff
                };
                Ipv6Addr::from(network | host).to_string()
            }
        };
        let is_better = made.len().abs_diff(text.len()) < best.len().abs_diff(text.len());
        if best.is_empty() || is_better {
            best = made;
        }
        if best.len() == text.len() {
            break;
        }
    }
    [head, &best, port, rest].concat()
}
