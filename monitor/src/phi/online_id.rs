//! Ids of browsers, clicks and cookies: Meta's and Google's by shape, others
//! by key.

use super::sets::online_id::{CERTIFICATES, COOKIES, PEOPLE, UUID_KEYS};
pub(super) use super::sets::online_id::{CLICK_IDS, KEYS, VISITOR_KEYS, WEAK_KEYS};
use super::{
    Form, Hits, Identifier, Strength,
    digest::{digest, is_of_nothing},
    email_hash, named,
    subject::{Subject, Surroundings},
    text,
};
use crate::field::{Part, ValueKind};

/// Shorter values are flags.
const MIN_LENGTH: usize = 6;

/// Longer values are something else.
const MAX_LENGTH: usize = 512;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    if is_meta_cookie(value) || is_google_cookie(value) {
        hits.plain(
            Identifier::OnlineId,
            Strength::I1,
            "online_id.shape",
            value.to_owned(),
        );
        return;
    }
    let fits = (MIN_LENGTH..=MAX_LENGTH).contains(&value.len())
        && subject.kind != ValueKind::Literal
        && !value.contains(char::is_whitespace)
        && !value.contains('@');
    if !fits {
        return;
    }
    let Some(leaf) = subject.leaf() else { return };
    let key = leaf.folded.as_str();
    let is_cookie = || subject.part == Part::Header && COOKIES.iter().any(|c| key.starts_with(c));
    // A raw UID2 is a hash of an address, which is the stronger statement.
    let is_raw = matches!(key, "uid2" | "euid")
        && digest(value).is_some_and(|digest| digest.form == Form::Sha256);
    let keyed = KEYS.has(key) && !is_raw
        || WEAK_KEYS.has(key) && !is_raw && is_id(subject)
        || leaf.folds_to(VISITOR_KEYS) && is_opaque(value)
        || is_cookie()
        || key == "id" && is_matomo_visitor(subject)
        // Ids of exchanges: `user.eids.0.uids.0.id`.
        || key == "id"
            && subject.parent().is_some_and(|parent| parent.folds_to(email_hash::SHARED_IDS))
            && digest(value).is_none()
        // Words before it say whose it is: `user_data.meta_fbp`, `utm_gclid`.
        || key.len() > 4 && named::ends_in(leaf, CLICK_IDS);
    if keyed && !text::is_placeholder(value) && !is_of_nothing(value) {
        hits.plain(
            Identifier::OnlineId,
            Strength::I1,
            "online_id.key",
            value.to_owned(),
        );
    }
}

/// Whether a value is an id that one browser has.
fn is_id(subject: &Subject<'_>) -> bool {
    let value = subject.value;
    let is_hex = value.len() >= 16 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let under_browser = || {
        !subject.leaf_in(UUID_KEYS) && !subject.under(CERTIFICATES)
            || subject.in_person()
            // Events have one too, in bodies.
            || subject.part == Part::Query
    };
    is_google_client(value)
        || is_person_id(value)
        || is_uuid(value) && under_browser()
        || is_number(value, 38..=38)
        || (is_hex || digest(value).is_some()) && under_browser()
}

fn is_number(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The `_id` of a request to Matomo, alone or in its list of requests: 16 digits.
fn is_matomo_visitor(subject: &Subject<'_>) -> bool {
    let value = subject.value.as_bytes();
    value.len() == 16
        && value.iter().all(u8::is_ascii_hexdigit)
        && value.iter().any(u8::is_ascii_lowercase)
        && value.iter().any(u8::is_ascii_digit)
        && subject
            .parent()
            .is_none_or(|parent| parent.folded == "requests")
}

/// Whether a value is an id and nothing that people read: a UUID, 16 or more
/// hexadecimal digits, a long number, or one with the kind of person before it.
pub(super) fn is_opaque(value: &str) -> bool {
    /// Shorter numbers are counts and years.
    const MIN_DIGITS: usize = 8;
    let is_hex = (16..=64).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_hexdigit())
        && value.bytes().any(|byte| byte.is_ascii_digit());
    is_uuid(value)
        || is_hex
        || is_number(value, MIN_DIGITS..=40)
        || is_google_client(value)
        || is_person_id(value)
}

/// `usr_4f2a…`, `PT-1234567`: who someone is, whatever the key says.
pub(super) fn is_person_id(value: &str) -> bool {
    const MIN_REST: usize = 4;
    value
        .split_once(['_', '-', ':', '|'])
        .is_some_and(|(kind, rest)| {
            kind.len() <= 10
                && PEOPLE.iter().any(|own| kind.eq_ignore_ascii_case(own))
                && (MIN_REST..=64).contains(&rest.len())
                && rest.bytes().filter(u8::is_ascii_digit).count() >= 2
                && rest
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        })
}

/// `fb.1.1764038463123.1098115397`, or a click id in the last place.
fn is_meta_cookie(value: &str) -> bool {
    let Some(rest) = value.strip_prefix("fb.") else {
        return false;
    };
    let mut parts = rest.splitn(3, '.');
    let (Some(level), Some(time), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    is_number(level, 1..=1) && is_number(time, 10..=13) && id.len() >= MIN_LENGTH
}

/// `GA1.2.1033501218.1764038463`.
fn is_google_cookie(value: &str) -> bool {
    let Some(rest) = value.strip_prefix("GA1.") else {
        return false;
    };
    rest.split_once('.')
        .is_some_and(|(depth, id)| depth.len() <= 3 && is_google_client(id))
}

/// `1033501218.1764038463`.
fn is_google_client(value: &str) -> bool {
    value
        .split_once('.')
        .is_some_and(|(random, time)| is_number(random, 6..=10) && is_number(time, 10..=10))
}

/// Eight, four, four, four and twelve hexadecimal digits.
pub(super) fn is_uuid(value: &str) -> bool {
    /// Length with dashes.
    const LENGTH: usize = 36;
    value.len() == LENGTH
        && value.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
