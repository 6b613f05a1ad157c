//! Ids of browsers, clicks and cookies: Meta's and Google's by shape, others
//! by key.

use super::{
    Hits, Identifier, Strength,
    subject::{Subject, Surroundings},
    text,
};
use crate::field::ValueKind;

/// Keys that hold one.
pub(super) const KEYS: &[&str] = &[
    "anonid",
    "anonymousid",
    "clickid",
    "clientid",
    "cookieid",
    "ctwaclid",
    "dclid",
    "domainuserid",
    "duid",
    "epik",
    "fbc",
    "fbclid",
    "fbp",
    "ga",
    "gaclientid",
    "gbraid",
    "gclid",
    "lifatid",
    "matchid",
    "msclkid",
    "muid",
    "obclickid",
    "rdtcid",
    "sccid",
    "scclickid",
    "sccookie1",
    "tealiumvisitorid",
    "ttclid",
    "ttp",
    "twclid",
    "uuidc1",
    "visitorid",
    "wbraid",
];

/// Keys that hold one if the value has the shape, else a campaign or the like.
pub(super) const WEAK_KEYS: &[&str] = &["cid"];

/// Shorter values are flags.
const MIN_LENGTH: usize = 6;

/// Longer values are something else.
const MAX_LENGTH: usize = 512;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
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
    let keyed = subject.leaf().is_some_and(|leaf| {
        let key = leaf.folded.as_str();
        KEYS.contains(&key)
            || (WEAK_KEYS.contains(&key) && (is_google_client(value) || is_uuid(value)))
    });
    let fits = (MIN_LENGTH..=MAX_LENGTH).contains(&value.len())
        && subject.kind != ValueKind::Literal
        && !value.contains(char::is_whitespace)
        && !text::is_placeholder(value);
    if keyed && fits {
        hits.plain(
            Identifier::OnlineId,
            Strength::I1,
            "online_id.key",
            value.to_owned(),
        );
    }
}

fn is_number(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
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
    let lengths: Vec<usize> = value.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}
