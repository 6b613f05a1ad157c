//! Email addresses: by key, and by shape with a public suffix.

pub(super) use super::sets::email::{HASH_KEYS, KEYS};
use super::sets::email::{MACHINE_DOMAINS, MACHINES, ROLES, SOFTWARE_KEYS};
use percent_encoding::percent_decode_str;

use super::{
    Form, Hits, Identifier, Strength,
    digest::digest,
    named,
    subject::{Subject, Surroundings, Vehicle},
};
use crate::field::Part;

/// Addresses of one value beyond this are not sought.
const MAX_CANDIDATES: usize = 16;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let value = subject.value;
    let has_at = memchr::memchr(b'@', value.as_bytes()).is_some() || value.contains("%40");
    if has_at {
        plain(subject, hits);
    } else if let Some(digest) = digest(value)
        && (named::is(subject, KEYS) || is_hash_key(subject, digest.form))
    {
        hits.hashed(Identifier::Email, Strength::I2, "email.key.hash", digest);
    }
}

/// Addresses as they are: the whole value under a key, any in a text.
fn plain(subject: &Subject<'_>, hits: &mut Hits<'_>) {
    let keyed = named::is(subject, KEYS);
    if keyed && let Some(address) = address(subject.value, Suffix::Any) {
        if !is_machine(&address) {
            hits.plain(Identifier::Email, Strength::I3, "email.key", address);
        }
        return;
    }
    if subject.leaf_in(SOFTWARE_KEYS) {
        return;
    }
    for address in addresses(subject) {
        let is_role = ROLES.has(folded_local(&address).as_str());
        if !is_machine(&address) && (keyed || !is_role) {
            hits.plain(Identifier::Email, Strength::I3, "email.shape", address);
        }
    }
}

/// `iv` is an initialization vector too, which has the length of an MD5 hash. A
/// raw UID2 is a hash of the address's hash, and as long as SHA-256.
fn is_hash_key(subject: &Subject<'_>, form: Form) -> bool {
    subject.leaf().is_some_and(|leaf| {
        leaf.folds_to(HASH_KEYS)
            && match leaf.folded.as_str() {
                "iv" => form != Form::Md5 || subject.part == Part::Query,
                "uid2" | "euid" => form == Form::Sha256,
                _ => true,
            }
    })
}

/// Whether the whole value is an address.
pub(super) fn is_address(value: &str) -> bool {
    memchr::memchr(b'@', value.as_bytes()).is_some() && address(value, Suffix::Public).is_some()
}

fn is_machine(address: &str) -> bool {
    let local = folded_local(address);
    MACHINES.has(local.as_str())
        || local.starts_with("noreply")
        || local.ends_with("noreply")
        || MACHINE_DOMAINS
            .iter()
            .any(|domain| address.ends_with(domain))
}

/// The addresses with a public suffix that stand in the value.
fn addresses(subject: &Subject<'_>) -> Vec<String> {
    let value = subject.value;
    let decoded = percent_decode_str(value).decode_utf8_lossy();
    // The authority of a URL may hold `key@host`, which is no address.
    let text = match decoded.split_once("://") {
        Some((_, rest)) if subject.vehicle == Vehicle::Url || !decoded.contains(' ') => rest
            .split_once(['/', '?', '#'])
            .map_or("", |(_, rest)| rest),
        _ => &decoded,
    };
    text.split(|c: char| !(c.is_alphanumeric() || "@.+-_%'".contains(c)))
        .filter(|word| word.contains('@'))
        .take(MAX_CANDIDATES)
        .filter_map(|word| address(word.trim_matches(['.', '\'', '-', '_']), Suffix::Public))
        .filter(|address| !is_image(address))
        .collect()
}

/// `logo@2x.zip` is a picture for dense screens.
fn is_image(address: &str) -> bool {
    let label = address
        .split_once('@')
        .and_then(|(_, domain)| domain.split('.').next())
        .and_then(|label| label.strip_suffix('x'));
    label.is_some_and(|density| density.bytes().all(|byte| byte.is_ascii_digit()))
}

#[derive(Clone, Copy, PartialEq)]
enum Suffix {
    /// Any top-level label of letters.
    Any,
    /// One of the public suffix list.
    Public,
}

/// `text` in lower case, if it is one address.
fn address(text: &str, suffix: Suffix) -> Option<String> {
    let text = text.trim().to_lowercase();
    let text = text.strip_prefix("mailto:").unwrap_or(&text);
    let text = if text.contains('@') {
        text.to_owned()
    } else {
        text.replace("%40", "@")
    };
    let (local, domain) = text.split_once('@')?;
    let local_fits = (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local
            .chars()
            .all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    let labels: Vec<&str> = domain.split('.').collect();
    let domain_fits = domain.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
        && labels.last()?.chars().all(char::is_alphabetic);
    let suffix_fits = suffix == Suffix::Any
        || (psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known())
            && psl::domain(domain.as_bytes()).is_some());
    (local_fits && domain_fits && suffix_fits).then_some(text)
}

/// The local part without tag, as the role lists spell it.
fn folded_local(address: &str) -> String {
    let local = address.split(['@', '+']).next().unwrap_or_default();
    local.chars().filter(|c| c.is_alphanumeric()).collect()
}
