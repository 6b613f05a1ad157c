//! Email addresses: by key, and by shape with a public suffix.

use percent_encoding::percent_decode_str;

use super::{
    Hits, Identifier, Strength,
    digest::digest,
    subject::{Subject, Surroundings, Vehicle},
};

/// Keys that hold an email address.
pub(super) const KEYS: &[&str] = &[
    "customeremails",
    "em",
    "email",
    "emailaddress",
    "emailaddresses",
    "emailhash",
    "emails",
    "emailsha256",
    "hem",
    "mail",
    "useremail",
];

/// Mailboxes of organizations and programs.
const ROLES: &[&str] = &[
    "abuse",
    "admin",
    "billing",
    "care",
    "contact",
    "git",
    "hello",
    "help",
    "hr",
    "info",
    "legal",
    "marketing",
    "news",
    "newsletter",
    "notifications",
    "office",
    "postmaster",
    "press",
    "privacy",
    "root",
    "sales",
    "security",
    "service",
    "support",
    "team",
    "webmaster",
];

/// Mailboxes that nobody reads.
const MACHINES: &[&str] = &["bounce", "donotreply", "mailerdaemon", "nobody", "noreply"];

/// Addresses of one value beyond this are not sought.
const MAX_CANDIDATES: usize = 16;

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    let keyed = subject.leaf_in(KEYS);
    if keyed {
        if let Some(digest) = digest(subject.value) {
            hits.hashed(Identifier::Email, Strength::I2, "email.key.hash", digest);
            return;
        }
        if let Some(address) = address(subject.value, Suffix::Any) {
            if !MACHINES.contains(&folded_local(&address).as_str()) {
                hits.plain(Identifier::Email, Strength::I3, "email.key", address);
            }
            return;
        }
        google_tag(subject.value, hits);
    }
    for address in addresses(subject) {
        let local = folded_local(&address);
        if !MACHINES.contains(&local.as_str()) && (keyed || !ROLES.contains(&local.as_str())) {
            hits.plain(Identifier::Email, Strength::I3, "email.shape", address);
        }
    }
}

/// The tagged list of hashes that Google's web tags send: `tv.1~em.<base64url>`.
fn google_tag(value: &str, hits: &mut Hits<'_>) {
    let Some(list) = value.strip_prefix("tv.1~") else {
        return;
    };
    for (tag, value) in list.split('~').filter_map(|entry| entry.split_once('.')) {
        let identifier = match tag.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "em" => Identifier::Email,
            "pn" => Identifier::Phone,
            "fn" | "ln" => Identifier::Name,
            _ => continue,
        };
        if let Some(digest) = digest(value) {
            hits.hashed(identifier, Strength::I2, "email.google_tag.hash", digest);
        }
    }
}

/// The addresses with a public suffix that stand in the value.
fn addresses(subject: &Subject<'_>) -> Vec<String> {
    let value = subject.value;
    if !value.contains('@') && !value.contains("%40") {
        return Vec::new();
    }
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
        .filter_map(|word| address(word.trim_matches(['.', '\'', '-']), Suffix::Public))
        .collect()
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
