//! Street addresses, cities, postal codes and coordinates: by key.

use super::{
    Hits, Identifier, Strength,
    digest::digest,
    subject::{Subject, Surroundings},
    text,
};

/// Keys that hold a street address.
pub(super) const KEYS: &[&str] = &[
    "addr1",
    "address",
    "address1",
    "addressline1",
    "homeaddress",
    "mailingaddress",
    "street",
    "street1",
    "streetaddress",
];

/// Keys that hold a city.
pub(super) const CITY_KEYS: &[&str] = &["city", "hometown", "town"];

/// Keys that hold a postal code.
pub(super) const ZIP_KEYS: &[&str] = &["postal", "postalcode", "postcode", "zip", "zipcode"];

/// `ct` and `zp`, which mean a city and a postal code about a person only.
pub(super) const SHORT_KEYS: &[&str] = &["ct", "zp"];

/// Keys that hold coordinates.
pub(super) const GEO_KEYS: &[&str] = &[
    "lat",
    "latitude",
    "lng",
    "locationlat",
    "locationlng",
    "lon",
    "longitude",
];

/// Parents under which a place is not the person's.
const OTHER_PLACES: &[&str] = &[
    "clinic", "company", "facility", "location", "provider", "store",
];

/// Fewer decimals are a region.
const MIN_DECIMALS: usize = 3;

/// Longer values are no addresses.
const MAX_LENGTH: usize = 200;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    if subject.value.len() > MAX_LENGTH {
        return;
    }
    if subject.leaf_in(GEO_KEYS) {
        coordinate(subject, hits);
        return;
    }
    let is_short = subject.leaf_in(SHORT_KEYS);
    let is_ct = is_short && subject.leaf_in(&["ct"]);
    let (identifier, fits, rule, hash_rule) = if subject.leaf_in(KEYS) {
        (
            Identifier::Address,
            is_street(subject.value),
            "address.key",
            "address.key.hash",
        )
    } else if subject.leaf_in(CITY_KEYS) || is_ct {
        (
            Identifier::City,
            is_city(subject),
            "city.key",
            "city.key.hash",
        )
    } else if subject.leaf_in(ZIP_KEYS) || is_short {
        (
            Identifier::Zip,
            is_postal_code(subject.value),
            "zip.key",
            "zip.key.hash",
        )
    } else {
        return;
    };
    let is_direct = identifier == Identifier::Address;
    if let Some(digest) = digest(subject.value) {
        let strength = if is_direct {
            Strength::I2
        } else {
            Strength::I1
        };
        hits.hashed(identifier, strength, hash_rule, digest);
        return;
    }
    let elsewhere = subject
        .parent()
        .is_some_and(|parent| parent.has_word(OTHER_PLACES));
    if fits && !elsewhere && (!is_short || subject.in_person()) {
        let strength = if is_direct {
            Strength::I3
        } else {
            Strength::I1
        };
        hits.plain(
            identifier,
            strength,
            rule,
            text::words(subject.value).join(" "),
        );
    }
}

fn coordinate(subject: &Subject<'_>, hits: &mut Hits<'_>) {
    let decimals = subject
        .value
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let in_range = subject
        .value
        .parse()
        .is_ok_and(|degrees: f64| degrees.abs() <= 180.0);
    if in_range && decimals >= MIN_DECIMALS {
        hits.plain(
            Identifier::Geo,
            Strength::I1,
            "geo.key",
            subject.value.to_owned(),
        );
    }
}

/// Has a number and a word, and is neither a URL nor an email address.
fn is_street(value: &str) -> bool {
    value.len() >= 5
        && value.chars().any(|c| c.is_ascii_digit())
        && value.chars().any(char::is_alphabetic)
        && value.contains(' ')
        && !value.contains(['@', ':'])
}

fn is_city(subject: &Subject<'_>) -> bool {
    subject.is_text()
        && subject
            .value
            .chars()
            .all(|c| c.is_alphabetic() || " .'’-".contains(c))
}

/// Three to ten letters and digits, with a digit.
fn is_postal_code(value: &str) -> bool {
    (3..=10).contains(&value.len())
        && value.chars().any(|c| c.is_ascii_digit())
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " -".contains(c))
        && !text::is_placeholder(value)
}
