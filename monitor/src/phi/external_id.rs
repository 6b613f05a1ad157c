//! The sender's own ids of its users: by key.

use super::{
    Form, Hits, Identifier, Strength,
    digest::{digest, is_of_nothing},
    health_plan_id, insurance, mrn, named,
    subject::{Subject, Surroundings},
    text,
};
use crate::field::{Part, ValueKind};

/// Keys that hold one.
pub(super) const KEYS: &[&str] = &[
    "contactid",
    "contactkey",
    "crmid",
    "customerid",
    "customerkey",
    "customerno",
    "customernumber",
    "customeruserid",
    "customuserid",
    "developeridentity",
    "distinctid",
    "employeeid",
    "enduserid",
    "externalcustomerid",
    "externalid",
    "externalids",
    "externaluserid",
    "identity",
    "leadid",
    "login",
    "loginid",
    "loyaltyid",
    "memberid",
    "memberuuid",
    "mpid",
    "partnerid",
    "personid",
    "previousid",
    "profileid",
    "studentid",
    "subjectid",
    "subscriberid",
    "subscriberkey",
    "subscriptionid",
    "uid",
    "userguid",
    "userid",
    "userids",
    "useridentifier",
    "userkey",
    "username",
    "usernumber",
    "useruuid",
    "userpseudoid",
];

/// Keys of [`KEYS`] that mean the same behind any word (`shopify_customer_id`).
pub(super) const SUFFIX_KEYS: &[&str] = &[
    "contactid",
    "customerid",
    "distinctid",
    "externalid",
    "externaluserid",
    "memberid",
    "personid",
    "profileid",
    "subscriberid",
    "userid",
    "username",
    "useruuid",
];

/// Collections whose members are addressed in a path.
pub(super) const COLLECTIONS: &[&str] = &[
    "clients",
    "contacts",
    "customers",
    "members",
    "people",
    "profiles",
    "subscribers",
    "users",
];

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
        || leaf.folded == "id" && subject.parent().is_some_and(|parent| parent.is_in(KEYS));
    if !is_id || text::is_placeholder(value) || is_of_nothing(value) {
        return;
    }
    // Where the message is about insurance, a member number is the plan's.
    let is_plan = named::ends_in(leaf, health_plan_id::KEYS)
        || named::ends_in(leaf, health_plan_id::WEAK_KEYS)
            && (surroundings.insurance || subject.under(insurance::WORDS));
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
