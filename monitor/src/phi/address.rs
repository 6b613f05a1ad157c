//! Street addresses, cities, postal codes and coordinates: by key, and whole
//! addresses of the United States by shape.

pub(super) use super::sets::address::{
    CITY_KEYS, GEO_KEYS, GEO_PAIR_KEYS, KEYS, SHORT_KEYS, ZIP_KEYS,
};
use super::sets::address::{
    COORDINATE_KEYS, ENVELOPE_WORDS, EVENT_WORDS, LINE_KEYS, OTHER_PLACES, SHORT_CITY_KEYS,
    SHORT_ZIP_KEYS, STREETS, VIRTUAL,
};
use super::{
    Hits, Identifier, Strength,
    digest::digest,
    key::Key,
    named,
    subject::{Subject, Surroundings, Vehicle},
    text,
};
use crate::field::ValueKind;

/// The states, districts and territories of the United States.
const STATES: &str = "AL AK AZ AR CA CO CT DE DC FL GA GU HI ID IL IN IA KS KY LA ME MD MA MI MN \
     MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA PR RI SC SD TN TX UT VT VA VI WA WV WI WY AP AE \
     AA AS MP FM MH PW";

/// Fewer decimals are a region.
const MIN_DECIMALS: usize = 3;

/// Shorter values hold no address.
const MIN_LENGTH: usize = 2;

/// Longer values are no addresses.
const MAX_LENGTH: usize = 200;

/// What a key says about a place.
struct Place {
    identifier: Identifier,
    rule: &'static str,
    hash_rule: &'static str,
}

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    if !(MIN_LENGTH..=MAX_LENGTH).contains(&value.len()) || subject.kind == ValueKind::Literal {
        return;
    }
    if coordinates(subject, hits) {
        return;
    }
    let is_short = subject.leaf_in(SHORT_KEYS);
    let Some(place) = place(subject, is_short) else {
        whole_address(subject, hits);
        return;
    };
    let is_direct = place.identifier == Identifier::Address;
    if let Some(digest) = digest(value) {
        let strength = if is_direct {
            Strength::I2
        } else {
            Strength::I1
        };
        hits.hashed(place.identifier, strength, place.hash_rule, digest);
    } else if !is_elsewhere(subject) && (!is_short || subject.in_person()) {
        let strength = if is_direct {
            Strength::I3
        } else {
            Strength::I1
        };
        let normalized = text::words(value).join(" ");
        hits.plain(place.identifier, strength, place.rule, normalized);
    }
}

fn place(subject: &Subject<'_>, is_short: bool) -> Option<Place> {
    let value = subject.value;
    // `sha256_email_address` is no place.
    if subject.leaf().is_some_and(|leaf| leaf.has_word(VIRTUAL)) {
        return None;
    }
    // The value first: most values are none of the three.
    let is_hash = digest(value).is_some();
    let is_line =
        || subject.leaf_in(LINE_KEYS) && subject.parent().is_some_and(|parent| parent.is_in(KEYS));
    if (is_hash || is_street(value)) && (is_line() || named::is(subject, KEYS)) {
        return Some(Place {
            identifier: Identifier::Address,
            rule: "address.key",
            hash_rule: "address.key.hash",
        });
    }
    if (is_hash || is_city(subject))
        && (is_short && subject.leaf_in(SHORT_CITY_KEYS) || named::is(subject, CITY_KEYS))
    {
        return Some(Place {
            identifier: Identifier::City,
            rule: "city.key",
            hash_rule: "city.key.hash",
        });
    }
    let is_zip = (is_hash || is_postal_code(value))
        && (is_short && subject.leaf_in(SHORT_ZIP_KEYS) || named::is(subject, ZIP_KEYS));
    is_zip.then_some(Place {
        identifier: Identifier::Zip,
        rule: "zip.key",
        hash_rule: "zip.key.hash",
    })
}

/// Whether the nearest object that has a place is another than a person. The
/// `location` of a person is the person's.
fn is_elsewhere(subject: &Subject<'_>) -> bool {
    if subject
        .leaf()
        .is_some_and(|leaf| leaf.has_word(OTHER_PLACES))
    {
        return true;
    }
    subject
        .keys
        .iter()
        .rev()
        .skip(1)
        .find_map(|key| {
            if key.is_person() {
                Some(false)
            } else if key.folded == "location" || is_envelope(subject, key) {
                None
            } else if key.has_word(OTHER_PLACES) {
                Some(true)
            } else {
                None
            }
        })
        .unwrap_or_else(|| {
            subject
                .parent()
                .is_some_and(|parent| parent.folded == "location" && !subject.leaf_in(GEO_KEYS))
        })
}

/// Whether a key holds what an event says (`eventData`), not where one is.
fn is_envelope(subject: &Subject<'_>, key: &Key) -> bool {
    let is_direct = subject
        .parent()
        .is_some_and(|parent| std::ptr::eq(parent, key));
    matches!(key.folded.as_str(), "event" | "events") && !is_direct
        || key.has_word(EVENT_WORDS) && key.has_word(ENVELOPE_WORDS)
}

/// Whether the value was coordinates or a pair of them.
fn coordinates(subject: &Subject<'_>, hits: &mut Hits<'_>) -> bool {
    let value = subject.value;
    if !value.bytes().any(|byte| byte == b'.') || value.len() > 64 {
        return false;
    }
    if let Some(degrees) = degrees(value) {
        let keyed = named::is(subject, GEO_KEYS) || subject.leaf_in(COORDINATE_KEYS);
        if keyed && !is_elsewhere(subject) {
            hits.plain(Identifier::Geo, Strength::I1, "geo.key", degrees.to_owned());
        }
        return keyed;
    }
    let value = value
        .trim_start_matches("geo:")
        .trim_matches(['(', ')', '[', ']']);
    let Some((first, second)) = value.split_once([',', ';', ' ']) else {
        return false;
    };
    let (Some(first), Some(second)) = (degrees(first.trim()), degrees(second.trim())) else {
        return false;
    };
    let keyed = named::is(subject, GEO_PAIR_KEYS);
    if keyed && !is_elsewhere(subject) {
        hits.plain(
            Identifier::Geo,
            Strength::I1,
            "geo.key.pair",
            format!("{first},{second}"),
        );
    }
    keyed
}

/// Degrees that are more precise than a region.
fn degrees(text: &str) -> Option<&str> {
    let (_, decimals) = text.split_once('.')?;
    let in_range = text
        .parse()
        .is_ok_and(|degrees: f64| degrees.abs() <= 180.0);
    (in_range && decimals.len() >= MIN_DECIMALS).then_some(text)
}

/// Has a number and a word, and is neither a URL nor an email address.
fn is_street(value: &str) -> bool {
    let is_named = || {
        text::words(value)
            .last()
            .is_some_and(|word| STREETS.has(word))
    };
    value.len() >= 5
        && value.chars().any(char::is_alphabetic)
        && value.contains(' ')
        && !value.contains(['@', ':'])
        && (value.bytes().any(|byte| byte.is_ascii_digit()) || is_named())
}

/// `12 Elm Street, Springfield, IL 62704` without a key that says so: begins
/// with a number or a box and ends with a state and a code.
fn whole_address(subject: &Subject<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    let begins = value.as_bytes().first().is_some_and(u8::is_ascii_digit)
        || value
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case("po"))
        || value
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("p.o."));
    if !begins || !value.contains(' ') || subject.kind != ValueKind::Text {
        return;
    }
    let value = value
        .trim_end_matches("USA")
        .trim_end_matches("United States")
        .trim_end_matches([',', ' ', '.']);
    let mut parts = value
        .rsplit([' ', ',', '\n'])
        .filter(|part| !part.is_empty());
    let (Some(code), Some(state)) = (parts.next(), parts.next()) else {
        return;
    };
    if !is_us_code(code) || !STATES.split(' ').any(|known| known == state) {
        return;
    }
    let words = text::words(value);
    let has_street =
        words.iter().any(|word| STREETS.has(word)) || words.iter().any(|word| word == "box");
    if has_street
        && matches!(subject.vehicle, Vehicle::Property | Vehicle::Title)
        && !is_elsewhere(subject)
        && !named::is_organization(subject)
    {
        hits.plain(
            Identifier::Address,
            Strength::I3,
            "address.shape",
            words.join(" "),
        );
    }
}

/// Five digits, or five and four.
fn is_us_code(text: &str) -> bool {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('-') {
        Some((code, rest)) => {
            code.len() == 5 && rest.len() == 4 && is_digits(code) && is_digits(rest)
        }
        None => text.len() == 5 && is_digits(text),
    }
}

fn is_city(subject: &Subject<'_>) -> bool {
    subject.is_text()
        && subject
            .value
            .chars()
            .all(|c| c.is_alphabetic() || " .,'’()-".contains(c))
}

/// Three to ten letters and digits, with a digit.
fn is_postal_code(value: &str) -> bool {
    (3..=10).contains(&value.len())
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " -".contains(c))
        && !text::is_placeholder(value)
}
