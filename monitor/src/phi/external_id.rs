//! The sender's own ids of its users: by key.

use super::{
    Form, Hits, Identifier, Strength,
    digest::digest,
    health_plan_id,
    subject::{Subject, Surroundings},
    text,
};
use crate::field::{Part, ValueKind};

/// Keys that hold one.
pub(super) const KEYS: &[&str] = &[
    "contactid",
    "customerid",
    "customeruserid",
    "customuserid",
    "developeridentity",
    "distinctid",
    "externalid",
    "externaluserid",
    "identity",
    "leadid",
    "memberid",
    "partnerid",
    "previousid",
    "profileid",
    "subscriptionid",
    "uid",
    "userid",
    "username",
];

/// Longer values are something else.
const MAX_LENGTH: usize = 128;

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let Some(leaf) = subject.leaf() else { return };
    let is_path = subject.part == Part::Path;
    let is_id = KEYS.contains(&leaf.folded.as_str())
        || (leaf.folded == "id" && subject.in_person())
        || is_path;
    // Where the message is about insurance, a member number is the plan's.
    let is_plan = surroundings.insurance && leaf.is_in(health_plan_id::WEAK_KEYS);
    let value = subject.value;
    let fits = subject.kind != ValueKind::Literal
        && value.len() <= MAX_LENGTH
        && !value.contains(char::is_whitespace)
        && !text::is_placeholder(value);
    if !is_id || is_plan || !fits {
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
