//! The spellings under which a planted value can be sent.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use super::Planted;
use crate::phi::hashes::variants;

/// Shorter base64 and hexadecimal texts occur by accident.
const MIN_ENCODED_LENGTH: usize = 8;

/// The months, for dates in words.
pub(crate) const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The plain spellings of a value, which are also hashed.
pub(super) fn plain(planted: Planted, value: &str) -> Vec<String> {
    let mut spellings = Vec::new();
    let mut add = |text: String| {
        if text.chars().count() >= 2 && !spellings.contains(&text) {
            spellings.push(text);
        }
    };
    let lower = value.to_lowercase();
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    // What a platform leaves after stripping characters may be a common word.
    let least = match planted {
        Planted::Zip => 4,
        // A year alone is anyone's.
        Planted::BirthDate => 6,
        Planted::Phone => 7,
        _ => letters(value),
    };
    let normalized = normalized(planted, &lower);
    for text in [value, &lower, &value.to_uppercase()] {
        for spelling in variants(planted.identifier(), &normalized, text) {
            if letters(&spelling) >= least {
                add(spelling);
            }
        }
    }
    match planted {
        Planted::Phone => phone(value, &mut add),
        Planted::Ssn => grouped(value, &[3, 2, 4], &mut add),
        Planted::BirthDate => date(value, &mut add),
        _ => {}
    }
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .collect();
    if words.len() > 1 {
        for joint in [" ", "", "_", "-", ".", ", ", "+"] {
            add(words.join(joint));
        }
        if let (Planted::Name, Some((last, before))) = (planted, words.split_last()) {
            let before = before.join(" ");
            for joint in [" ", ", ", ",", "", "_", "-", "."] {
                add(format!("{last}{joint}{before}"));
            }
        }
    }
    spellings
}

/// The value as the detectors spell it.
fn normalized(planted: Planted, lower: &str) -> String {
    let digits = || lower.chars().filter(char::is_ascii_digit).collect();
    match planted {
        Planted::BirthDate => parts_of_date(lower).map_or_else(
            || lower.to_owned(),
            |(year, month, day)| format!("{year:04}-{month:02}-{day:02}"),
        ),
        Planted::Phone => {
            let digits: String = digits();
            // Ten digits are a North American number without its country code.
            let country = if digits.len() == 10 { "+1" } else { "+" };
            format!("{country}{}", digits.trim_start_matches('0'))
        }
        Planted::Ssn => digits(),
        _ => lower.to_owned(),
    }
}

/// Digits with a mark between groups.
fn grouped(value: &str, sizes: &[usize], add: &mut impl FnMut(String)) {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    if digits.len() != sizes.iter().sum::<usize>() {
        return;
    }
    for mark in ["-", " ", ".", ""] {
        let mut rest = digits.as_str();
        let groups: Vec<&str> = sizes
            .iter()
            .filter_map(|size| {
                let (group, behind) = rest.split_at_checked(*size)?;
                rest = behind;
                Some(group)
            })
            .collect();
        add(groups.join(mark));
    }
}

fn phone(value: &str, add: &mut impl FnMut(String)) {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let national = match digits.strip_prefix('1') {
        Some(rest) if rest.len() == 10 => rest,
        _ => &digits,
    };
    let (Some(area), Some(exchange), Some(line), 10) = (
        national.get(..3),
        national.get(3..6),
        national.get(6..),
        national.len(),
    ) else {
        return;
    };
    grouped(national, &[3, 3, 4], add);
    for open in [
        format!("({area}) {exchange}-{line}"),
        format!("({area}){exchange}-{line}"),
        format!("({area}) {exchange} {line}"),
    ] {
        add(format!("+1 {open}"));
        add(open);
    }
    for mark in ["-", " ", "."] {
        add(format!("+1{mark}{area}{mark}{exchange}{mark}{line}"));
        add(format!("1{mark}{area}{mark}{exchange}{mark}{line}"));
    }
}

/// Year, month and day.
fn parts_of_date(value: &str) -> Option<(u32, u32, u32)> {
    let parts: Vec<u32> = value
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect();
    match *parts {
        [year, month, day] if year >= 1_000 => Some((year, month, day)),
        [month, day, year] => Some((year, month, day)),
        [whole] if whole >= 10_000_000 => Some((whole / 10_000, whole / 100 % 100, whole % 100)),
        _ => None,
    }
}

fn date(value: &str, add: &mut impl FnMut(String)) {
    let Some((year, month, day)) = parts_of_date(value) else {
        return;
    };
    let index = usize::try_from(month.saturating_sub(1)).unwrap_or(usize::MAX);
    if let Some(name) = MONTHS.get(index) {
        let short = name.get(..3).unwrap_or(name);
        for name in [*name, short] {
            add(format!("{name} {day}, {year}"));
            add(format!("{day} {name} {year}"));
            add(format!("{name} {day} {year}"));
        }
    }
}

/// Encodings of a spelling that the field readers do not decode: percent
/// encoding within other texts, and base64 and hexadecimal digits of plain
/// text. The flag says that the case of letters matters.
pub(crate) fn encoded(spelling: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let percent = percent_encoding::utf8_percent_encode(spelling, UNRESERVED).to_string();
    if percent != spelling {
        found.push((percent.replace('%', "%25"), false));
        found.push((percent.replace("%20", "+"), false));
        found.push((percent, false));
    }
    let hex = base16ct::lower::encode_string(spelling.as_bytes());
    if hex.len() > MIN_ENCODED_LENGTH {
        found.push((hex, false));
    }
    // Base64 of a text that contains the spelling looks different at each of
    // three offsets; the characters that depend on the neighbors are left out.
    for offset in 0..3_usize {
        let mut bytes = vec![0; offset];
        bytes.extend_from_slice(spelling.as_bytes());
        let text = STANDARD_NO_PAD.encode(&bytes);
        let first = (offset * 8).div_ceil(6);
        let last = bytes.len() * 8 / 6;
        let Some(stem) = text.get(first..last) else {
            continue;
        };
        if stem.len() >= MIN_ENCODED_LENGTH {
            found.push((stem.to_owned(), true));
            let url_safe = stem.replace('+', "-").replace('/', "_");
            if url_safe != stem {
                found.push((url_safe, true));
            }
        }
    }
    found
}

/// What `encodeURIComponent` and its relatives leave as it is.
const UNRESERVED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
