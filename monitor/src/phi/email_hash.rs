//! Hashes of email addresses under keys that do not say so: one letter of a
//! pixel, a custom variable, a list of shared ids.
//!
//! The matching keys of advertising are hashes of addresses almost always, and
//! platforms take them in parameters of their own naming (`he`, `u3`, `_mchHe`).
//! A hash of that length under a key that means nothing else is reported as one.

use super::sets::email_hash::{CUSTOM_KEYS, MD5_KEYS, OTHER_KEYS};
pub(super) use super::sets::email_hash::{JOINED_KEYS, KEYS, SHARED_IDS};
use super::{
    Form, Hits, Identifier, Strength,
    digest::{Digest, digest},
    key::Key,
    subject::{Subject, Surroundings},
};
use crate::field::Part;

/// Letters of a key that says nothing.
const MAX_LETTERS: usize = 3;

/// Shortest and longest spelling: MD5 and SHA-256 in hexadecimal digits.
const LENGTHS: std::ops::RangeInclusive<usize> = 32..=64;

/// Whether a text may be such a hash.
pub(super) fn may_have(value: &str) -> bool {
    LENGTHS.contains(&value.len())
        && !value.contains([' ', '.'])
        && value.bytes().any(|byte| byte.is_ascii_digit())
}

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings<'_>, hits: &mut Hits<'_>) {
    let Some(leaf) = subject.leaf() else { return };
    let value = subject.value;
    if hits.has_some() {
        return;
    }
    if leaf.folds_to(JOINED_KEYS) {
        let mut parts = value.split(['\u{1}', '|']);
        if let Some(digest) = parts.find_map(digest) {
            report("email.joined.hash", digest, hits);
        }
        return;
    }
    if !may_have(value) {
        return;
    }
    let Some(digest) = digest(value) else { return };
    let is_shared =
        leaf.folded == "id" && subject.parent().is_some_and(|key| key.folds_to(SHARED_IDS));
    if is_shared || leaf.folds_to(KEYS) {
        report("email.id.hash", digest, hits);
    } else if is_unnamed(leaf, subject.part, digest.form) {
        report("email.unnamed.hash", digest, hits);
    }
}

/// Whether a key says nothing, in a place where platforms want hashes.
fn is_unnamed(leaf: &Key, part: Part, form: Form) -> bool {
    let is_pixel = part == Part::Query;
    let fits = match form {
        Form::Sha256 => is_pixel || part == Part::Body,
        Form::Sha1 => is_pixel,
        Form::Md5 => return is_pixel && leaf.folds_to(MD5_KEYS),
        _ => false,
    };
    let name = leaf.folded.trim_end_matches(|c: char| c.is_ascii_digit());
    fits && !leaf.folds_to(OTHER_KEYS)
        && ((1..=MAX_LETTERS).contains(&name.len()) || CUSTOM_KEYS.has(name))
        // `uid`, `gid` and the like are ids, not addresses.
        && !name.ends_with("id")
}

fn report(rule: &'static str, digest: Digest, hits: &mut Hits<'_>) {
    hits.hashed(Identifier::Email, Strength::I2, rule, digest);
}

#[cfg(test)]
mod tests {
    use crate::phi::{rules, tests::fields};

    const SHA256: &str = "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976";
    const BASE64: &str = "/42YGfwOEr8NJIkuRZh+JJoo3Og2qFytYOKOqqjG2XY=";
    const SHA1: &str = "ff8d9819fc0e12bf0d24892e45987e249a28dce8";
    const MD5: &str = "ff8d9819fc0e12bf0d24892e45987e24";

    fn check(path: &str, value: &str, expected: &str) {
        let found: Vec<_> = rules(&fields(&[(path, value)]))
            .iter()
            .map(|item| format!("{} {}", item.class.as_str(), item.form.as_str()))
            .collect();
        assert_eq!(found.join(", "), expected, "{path}");
    }

    #[test]
    fn a_hash_in_an_address_is_of_something_else() {
        let url = format!("https://www.example.com/commit/{SHA1}");
        let found = rules(&fields(&[
            ("query:u", &url),
            ("query:u.0", "commit"),
            ("query:u.1", SHA1),
        ]));
        assert!(found.is_empty());
    }

    #[test]
    fn keys_that_say_nothing_hold_hashes_of_addresses() {
        for (path, value, expected) in [
            ("query:u3", SHA256, "email sha256"),
            ("query:s", SHA1, "email sha1"),
            ("query:_mchHe", SHA1, "email sha1"),
            ("query:p2.m", MD5, "email md5"),
            ("query:dimension4", SHA256, "email sha256"),
            (
                "query:d_cid_ic",
                &format!("crm\u{1}{SHA256}\u{1}1"),
                "email sha256",
            ),
            ("user.eids.0.uids.0.id", BASE64, "email sha256"),
            ("data.0.urn", SHA256, "email sha256"),
            ("v7", SHA256, "email sha256"),
            ("query:sig", SHA256, ""),
            ("query:v", SHA1, ""),
            ("query:r", MD5, ""),
            ("sha", SHA1, ""),
            ("s", SHA1, ""),
            ("build_digest", SHA256, ""),
            ("query:u3", "0000000000", ""),
        ] {
            check(path, value, expected);
        }
    }
}
