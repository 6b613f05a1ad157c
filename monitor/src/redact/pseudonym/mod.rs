//! Values of a known class to other values of that class.
//!
//! In: a class, a form and a value as it was written. Out: a value of that
//! class, of as many bytes where the class allows it, that depends on the key
//! and on the spelling that equal values share: the same person gets the same
//! pseudonym in upper case, with other punctuation, or in a batch.

mod checks;
mod date;
mod digest;
mod health;
mod number;
mod place;

pub(super) use date::shift;

use super::{
    key::{RedactionKey, Stream},
    scramble::{Letters, different, scramble},
};
use crate::phi::{Class, Form, Identifier};

/// Tokens of identifiers that name a format rather than a person.
const MARKS: &[&str] = &[
    "acct", "amzn", "anon", "cid", "contact", "cookie", "crm", "cus", "cust", "customer", "dev",
    "device", "dob", "ext", "fb", "fax", "ga1", "gcl", "gid", "gs1", "gs2", "guest", "id", "lead",
    "mailto", "mem", "member", "mrn", "npi", "pat", "patient", "phone", "pid", "pt", "sid", "ssn",
    "tel", "uid", "urn", "user", "usr", "uuid", "visitor", "zip",
];

/// The pseudonym of `value`, which is of `class` and written in `form`.
pub(super) fn of(key: &RedactionKey, class: Class, form: Form, value: &str) -> String {
    let identifier = match class {
        Class::Health(health) => return health::of(key, health, value),
        Class::Identifier(identifier) => identifier,
    };
    if !matches!(form, Form::Plain | Form::Soundex) {
        return digest::of(key, value);
    }
    let name = identifier.as_str();
    match identifier {
        Identifier::Email => email(key, value),
        Identifier::Phone | Identifier::Fax => number::phone(key, value),
        Identifier::Ssn => number::ssn(key, value),
        Identifier::BirthDate => date::birth(key, value),
        Identifier::ServiceDate => date::service(key, value),
        Identifier::Ip => place::ip(key, value),
        Identifier::Geo => place::geo(key, value),
        Identifier::Zip => place::zip(key, value),
        Identifier::Address => place::address(key, value),
        Identifier::Name | Identifier::City => words(key, name, value),
        Identifier::Sex => sex(value),
        Identifier::Photo
        | Identifier::Mrn
        | Identifier::HealthPlanId
        | Identifier::Account
        | Identifier::License
        | Identifier::Vehicle
        | Identifier::DeviceId
        | Identifier::OnlineId
        | Identifier::ExternalId
        | Identifier::Biometric => id(key, name, value),
    }
}

/// Letters and digits, in lower case.
fn fold(value: &str) -> String {
    value
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// `jane.roe@example.com`: other letters, the same top-level domain.
fn email(key: &RedactionKey, value: &str) -> String {
    let lower = value.to_lowercase();
    let Some((local, domain)) = value.rsplit_once('@') else {
        let mut stream = key.stream("email", lower.as_bytes());
        return different(value, |_| scramble(value, Letters::Any, &mut stream));
    };
    let mut stream = key.stream("email", lower.as_bytes());
    let local = different(local, |_| scramble(local, Letters::Any, &mut stream));
    let (name, ending) = domain.rsplit_once('.').unwrap_or((domain, ""));
    let mut stream = key.stream("domain", domain.to_lowercase().as_bytes());
    let name = different(name, |_| scramble(name, Letters::Any, &mut stream));
    let point = if ending.is_empty() { "" } else { "." };
    [&local, "@", &name, point, ending].concat()
}

/// Each word is replaced by a pronounceable one: a full name and its parts
/// agree.
fn words(key: &RedactionKey, kind: &str, value: &str) -> String {
    by_word(value, |word| spoken(key, kind, word))
}

fn spoken(key: &RedactionKey, kind: &str, word: &str) -> String {
    let mut stream = key.stream(kind, word.to_lowercase().as_bytes());
    different(word, |_| scramble(word, Letters::Spoken, &mut stream))
}

/// `value` with every run of letters and digits changed.
fn by_word(value: &str, mut change: impl FnMut(&str) -> String) -> String {
    let mut changed = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(start) = rest.find(char::is_alphanumeric) {
        let (between, word) = rest.split_at(start);
        changed.push_str(between);
        let end = word
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(word.len());
        let (word, behind) = word.split_at(end);
        changed.push_str(&change(word));
        rest = behind;
    }
    changed + rest
}

/// An identifier: letters become letters, digits become digits, check digits
/// stay right, and parts that name its format stay as they are.
fn id(key: &RedactionKey, kind: &str, value: &str) -> String {
    let mut stream = key.stream(kind, fold(value).as_bytes());
    let letters = match Letters::of(value) {
        Letters::Any => Letters::Plain,
        other => other,
    };
    let check = checks::Check::of(value);
    different(value, |_| {
        let new = if letters == Letters::Hex {
            scramble(value, letters, &mut stream)
        } else {
            by_token(value, &mut stream)
        };
        check.map_or(new.clone(), |check| check.mend(&new))
    })
}

/// The tokens of an identifier, except those that name a format.
fn by_token(value: &str, stream: &mut Stream) -> String {
    let count = value.split(|c: char| !c.is_alphanumeric()).count();
    let changed = by_word(value, |token| {
        let is_version = token.len() == 1 && token.bytes().all(|byte| byte.is_ascii_digit());
        let lower = token.to_ascii_lowercase();
        if count > 1 && (is_version || MARKS.contains(&lower.as_str())) {
            return token.to_owned();
        }
        let letters = match Letters::of(token) {
            Letters::Any => Letters::Plain,
            other => other,
        };
        scramble(token, letters, stream)
    });
    if changed == value {
        return scramble(value, Letters::Plain, stream);
    }
    changed
}

/// One word for every sex of its length: there are too few values to hide one
/// among others.
fn sex(value: &str) -> String {
    let word = match value.chars().count() {
        1 => "x",
        2 => "nb",
        3 | 4 => "enby",
        5 | 6 => "other",
        7 | 8 => "intersex",
        _ => "genderqueer",
    };
    if value.chars().next().is_some_and(char::is_uppercase) {
        let (first, rest) = word.split_at(1);
        return first.to_ascii_uppercase() + rest;
    }
    word.to_owned()
}

#[cfg(test)]
mod tests;
