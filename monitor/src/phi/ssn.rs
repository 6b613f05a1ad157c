//! Social security numbers: with dashes by shape, without by key.

use super::{
    Hits, Identifier, Strength,
    digest::digest,
    subject::{Subject, Surroundings},
};

/// Keys that hold one.
pub(super) const KEYS: &[&str] = &[
    "socialsecurity",
    "socialsecuritynumber",
    "ssn",
    "ssnumber",
    "taxid",
];

/// Keys that hold its last four digits.
pub(super) const LAST_FOUR_KEYS: &[&str] =
    &["last4ssn", "lastfourssn", "ssn4", "ssnlast4", "ssnlastfour"];

/// Numbers that were printed in advertisements and documentation.
const PUBLISHED: &[&str] = &["078051120", "219099999", "457555462", "123456789"];

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    let value = subject.value;
    if subject.leaf_in(LAST_FOUR_KEYS) {
        if value.len() == 4 && value.bytes().all(|byte| byte.is_ascii_digit()) {
            hits.plain(
                Identifier::Ssn,
                Strength::I1,
                "ssn.key.last_four",
                value.to_owned(),
            );
        }
        return;
    }
    let keyed = subject.leaf_in(KEYS);
    if let Some((number, dashed)) = number(value)
        && (keyed || dashed)
    {
        let rule = if keyed { "ssn.key" } else { "ssn.shape" };
        hits.plain(Identifier::Ssn, Strength::I3, rule, number);
    } else if keyed && let Some(digest) = digest(value) {
        hits.hashed(Identifier::Ssn, Strength::I2, "ssn.key.hash", digest);
    }
}

/// The nine digits, and whether dashes separate them.
fn number(value: &str) -> Option<(String, bool)> {
    let parts: Vec<&str> = value.split('-').collect();
    let dashed = parts.len() == 3;
    let lengths_fit = match parts.as_slice() {
        [area, group, serial] => (area.len(), group.len(), serial.len()) == (3, 2, 4),
        [all] => all.len() == 9,
        _ => false,
    };
    let digits: String = parts.concat();
    if !lengths_fit || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (area, group, serial) = (digits.get(..3)?, digits.get(3..5)?, digits.get(5..)?);
    let is_issued = area != "000"
        && area != "666"
        && !area.starts_with('9')
        && group != "00"
        && serial != "0000"
        && !PUBLISHED.contains(&digits.as_str());
    is_issued.then_some((digits, dashed))
}
