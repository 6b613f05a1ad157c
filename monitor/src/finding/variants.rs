//! The spellings of an identifier that platforms hash, and their hashes.
//!
//! Every platform folds a value in its own way before it hashes it, so a hash
//! can be joined with a plain value only by trying them all.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::{phi::Identifier, token::hex};

/// The spellings of a value of this class: `normalized` as the detectors have
/// it, `raw` as it was sent. Distinct, the most usual first.
pub(crate) fn variants(identifier: Identifier, normalized: &str, raw: &str) -> Vec<String> {
    let mut spellings = Vec::new();
    let mut add = |text: String| {
        if !text.is_empty() && !spellings.contains(&text) {
            spellings.push(text);
        }
    };
    let lower = raw.trim().to_lowercase();
    add(normalized.to_owned());
    add(lower.clone());
    add(raw.to_owned());
    match identifier {
        Identifier::Email => email(&lower, &mut add),
        Identifier::Phone | Identifier::Fax => phone(raw, &mut add),
        Identifier::BirthDate => date(raw, normalized, &mut add),
        Identifier::Zip => {
            add(lower
                .split('-')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned());
            add(kept(&lower, char::is_alphanumeric));
        }
        _ => {
            add(kept(&lower, |c| !c.is_whitespace()));
            add(kept(&lower, char::is_alphanumeric));
            add(kept(&lower, char::is_alphabetic));
        }
    }
    spellings
}

/// Its hashes with the functions that platforms take, in lower-case digits.
pub(crate) fn digests(spelling: &str) -> [String; 3] {
    let whole = |bytes: &[u8]| hex(bytes, bytes.len());
    [
        whole(&Sha256::digest(spelling)),
        whole(&Sha1::digest(spelling)),
        whole(&Md5::digest(spelling)),
    ]
}

/// Its hashes with functions that no platform asks for.
pub(crate) fn rare_digests(spelling: &str) -> [String; 3] {
    let whole = |bytes: &[u8]| hex(bytes, bytes.len());
    [
        whole(&Sha224::digest(spelling)),
        whole(&Sha384::digest(spelling)),
        whole(&Sha512::digest(spelling)),
    ]
}

fn email(lower: &str, add: &mut impl FnMut(String)) {
    let Some((local, domain)) = lower.split_once('@') else {
        return;
    };
    let untagged = local.split('+').next().unwrap_or(local);
    for local in [
        local.replace('.', ""),
        untagged.to_owned(),
        untagged.replace('.', ""),
        local.replacen('.', "", 1),
    ] {
        add(format!("{local}@{domain}"));
    }
}

fn phone(raw: &str, add: &mut impl FnMut(String)) {
    let digits = kept(raw, |c| c.is_ascii_digit());
    let digits = digits.trim_start_matches('0');
    // A number of ten digits is one of North America without its country code.
    let (national, full) = match digits.len() {
        10 => (digits.to_owned(), format!("1{digits}")),
        11 if digits.starts_with('1') => (
            digits.get(1..).unwrap_or_default().to_owned(),
            digits.to_owned(),
        ),
        _ => (String::new(), digits.to_owned()),
    };
    for spelling in [full.clone(), format!("+{full}"), national.clone()] {
        add(spelling);
    }
    if !national.is_empty() {
        add(format!("+{national}"));
    }
}

fn date(raw: &str, normalized: &str, add: &mut impl FnMut(String)) {
    for text in [raw, normalized] {
        let parts: Vec<&str> = text
            .split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .collect();
        let (year, month, day) = match *parts {
            [year, month, day] if year.len() == 4 => (year, month, day),
            [month, day, year] if year.len() == 4 => (year, month, day),
            [one] if one.len() == 8 => {
                let (Some(year), Some(month), Some(day)) =
                    (one.get(..4), one.get(4..6), one.get(6..))
                else {
                    continue;
                };
                (year, month, day)
            }
            _ => continue,
        };
        for spelling in date_spellings(year, month, day) {
            add(spelling);
        }
    }
}

/// The spellings of a date of four, two and two digits.
fn date_spellings(year: &str, month: &str, day: &str) -> Vec<String> {
    let (bare_month, bare_day) = (month.trim_start_matches('0'), day.trim_start_matches('0'));
    vec![
        format!("{year}{month:0>2}{day:0>2}"),
        format!("{year}-{month:0>2}-{day:0>2}"),
        format!("{year}/{month:0>2}/{day:0>2}"),
        format!("{month:0>2}/{day:0>2}/{year}"),
        format!("{month:0>2}-{day:0>2}-{year}"),
        format!("{month:0>2}{day:0>2}{year}"),
        format!("{bare_month}/{bare_day}/{year}"),
        format!("{day:0>2}/{month:0>2}/{year}"),
        format!("{day:0>2}.{month:0>2}.{year}"),
    ]
}

fn kept(text: &str, keep: impl Fn(char) -> bool) -> String {
    text.chars().filter(|c| keep(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spellings_that_platforms_hash() {
        for (identifier, raw, expected) in [
            (
                Identifier::Email,
                " Jane.A.Roe+x@Example.com ",
                &[
                    "jane.a.roe+x@example.com",
                    "janearoe+x@example.com",
                    "jane.a.roe@example.com",
                    "janearoe@example.com",
                    "janea.roe+x@example.com",
                ][..],
            ),
            (
                Identifier::Phone,
                "(415) 555-0132",
                &["14155550132", "+14155550132", "4155550132"],
            ),
            (
                Identifier::Phone,
                "+1 415 555 0132",
                &["14155550132", "+14155550132", "4155550132"],
            ),
            (
                Identifier::Phone,
                "0044 20 7946 0018",
                &["442079460018", "+442079460018"],
            ),
            (
                Identifier::Name,
                "Anne-Marie ",
                &["anne-marie", "annemarie"],
            ),
            (
                Identifier::BirthDate,
                "1987-03-14",
                &["19870314", "03/14/1987", "3/14/1987"],
            ),
            (
                Identifier::BirthDate,
                "3/14/1987",
                &["19870314", "1987-03-14"],
            ),
            (Identifier::Zip, "94110-1234", &["94110", "941101234"]),
            (
                Identifier::ExternalId,
                "Patient-7",
                &["patient-7", "Patient-7"],
            ),
        ] {
            let found = variants(identifier, &raw.trim().to_lowercase(), raw);
            for spelling in expected {
                assert!(
                    found.iter().any(|own| own == spelling),
                    "{spelling} of {raw}"
                );
            }
        }
        assert!(variants(Identifier::Email, "", "").is_empty());
    }

    #[test]
    fn digests_are_those_of_the_standards() {
        let [sha256, sha1, md5] = digests("abc");
        assert_eq!(sha256.get(..8), Some("ba7816bf"));
        assert_eq!(sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(md5, "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(
            rare_digests("abc").map(|digest| digest.len()),
            [56, 96, 128]
        );
    }
}
