//! The sender's own ids of its users: by key.

use super::sets::external_id::SLOTS;
pub(super) use super::sets::external_id::{BARE_KEYS, COLLECTIONS, ID_PARENTS, KEYS, SUFFIX_KEYS};
use std::sync::Arc;

use super::{
    Form, Hits, Identifier, Strength,
    digest::{digest, is_of_nothing},
    email, health_plan_id, insurance,
    key::Key,
    mrn, named,
    online_id::{is_opaque, is_person_id, is_uuid},
    subject::{Subject, Surroundings},
    text,
};
use crate::field::{Part, ValueKind};

/// Whether a path ends in such a variable.
pub(super) fn is_slot(keys: &[Arc<Key>]) -> bool {
    /// Platforms number at most hundreds.
    const MAX_DIGITS: usize = 3;
    let Some(leaf) = keys.last() else {
        return false;
    };
    let key = leaf.folded.as_str();
    let name = key.trim_end_matches(|c: char| c.is_ascii_digit());
    (1..=MAX_DIGITS).contains(&(key.len() - name.len())) && SLOTS.has(name)
}

/// Whether a value is an id that does not count up: a number in a variable may
/// be anything.
fn is_slot_id(value: &str) -> bool {
    /// As long as the ids of document stores.
    const HEX: usize = 24;
    is_uuid(value)
        || is_person_id(value)
        || value.len() == HEX && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Longer values are something else.
const MAX_LENGTH: usize = 128;

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings<'_>, hits: &mut Hits<'_>) {
    let Some(leaf) = subject.leaf() else { return };
    let value = subject.value;
    let fits = subject.kind != ValueKind::Literal
        && (1..=MAX_LENGTH).contains(&value.len())
        && !value.contains(char::is_whitespace);
    if !fits {
        return;
    }
    // What follows the name of a collection.
    let is_path = subject.part == Part::Path && leaf.folds_to(COLLECTIONS);
    let is_id = leaf.folds_to(KEYS)
        || (matches!(leaf.folded.as_str(), "id" | "uuid")
            && subject.in_person()
            && !subject.parent().is_some_and(mrn::is_patient))
        || is_path
        || leaf.words.len() > 2 && named::ends_in(leaf, SUFFIX_KEYS)
        || leaf.folds_to(BARE_KEYS) && is_opaque(value)
        // `customer_ids.registered`, `user.identifier`.
        || subject.parent().is_some_and(|parent| parent.folds_to(ID_PARENTS)) && is_opaque(value)
        || leaf.folded == "identifier" && subject.in_person() && is_opaque(value)
        || is_slot(subject.keys) && is_slot_id(value)
        || leaf.folded == "id" && subject.parent().is_some_and(|parent| parent.is_in(KEYS));
    // An address as id is an address; `batch` and `find` are no members.
    let is_other = email::is_address(value)
        || is_path && !value.contains('@') && !value.bytes().any(|byte| byte.is_ascii_digit())
        || value.contains(':') && is_path;
    if !is_id || is_other || text::is_placeholder(value) || is_of_nothing(value) {
        return;
    }
    // Where the message is about insurance, a member number is the plan's.
    let is_plan = named::ends_in(leaf, health_plan_id::KEYS)
        || named::ends_in(leaf, health_plan_id::WEAK_KEYS)
            && (surroundings.insurance
                || subject.under(insurance::WORDS)
                || health_plan_id::is_prefixed(value) && surroundings.health());
    if is_plan {
        return;
    }
    match digest(value) {
        // 32 hexadecimal digits are more often a UUID than an MD5 hash, except
        // where a mailing list's members are addressed by it.
        Some(digest) if is_path && leaf.folded == "members" && digest.form == Form::Md5 => {
            hits.hashed(
                Identifier::Email,
                Strength::I2,
                "external_id.path.email_hash",
                digest,
            );
        }
        Some(digest) if digest.form != Form::Md5 => {
            hits.hashed(
                Identifier::ExternalId,
                Strength::I1,
                "external_id.key.hash",
                digest,
            );
        }
        _ => {
            let rule = if is_path {
                "external_id.path"
            } else {
                "external_id.key"
            };
            hits.plain(
                Identifier::ExternalId,
                Strength::I1,
                rule,
                value.to_lowercase(),
            );
        }
    }
}
