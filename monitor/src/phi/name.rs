//! Names of people: by key only, since everything has a name.

use super::{
    Form, Hits, Identifier, Strength,
    digest::{Digest, digest},
    key::Key,
    named,
    subject::{Subject, Surroundings},
    text,
};

/// Keys that hold a name or a part of one.
pub(super) const KEYS: &[&str] = &[
    "apellido",
    "apellidos",
    "f5first",
    "f5last",
    "familyname",
    "firstname",
    "firstnm",
    "fname",
    "forename",
    "fullname",
    "givenname",
    "givennames",
    "lastname",
    "lastnm",
    "legalname",
    "lname",
    "maidenname",
    "middlename",
    "mname",
    "namefirst",
    "namefull",
    "namelast",
    "nombrecompleto",
    "personname",
    "preferredname",
    "secondname",
    "surname",
];

/// Keys that hold one where the object is about a person or the value is hashed.
pub(super) const SHORT_KEYS: &[&str] = &["fi", "fn", "ln"];

/// Keys that hold a part of one about a person or in an object `name`.
pub(super) const PART_KEYS: &[&str] = &["family", "first", "given", "last", "middle"];

/// Keys that hold an initial.
pub(super) const INITIAL_KEYS: &[&str] = &["fi", "initials", "mi", "middleinitial"];

/// Words that make `…name` the name of a person.
const PERSON_WORDS: &[&str] = &[
    "applicant",
    "attendee",
    "beneficiary",
    "billing",
    "buyer",
    "caller",
    "cardholder",
    "caregiver",
    "child",
    "contact",
    "customer",
    "dependent",
    "donor",
    "father",
    "guardian",
    "guest",
    "holder",
    "insured",
    "kin",
    "lead",
    "member",
    "mother",
    "parent",
    "party",
    "patient",
    "payee",
    "person",
    "policyholder",
    "recipient",
    "spouse",
    "student",
    "subscriber",
    "visitor",
    "your",
];

/// Words that make it the name of something else.
const OTHER_WORDS: &[&str] = &[
    "agency",
    "app",
    "brand",
    "campaign",
    "category",
    "clinic",
    "company",
    "department",
    "device",
    "doctor",
    "domain",
    "employer",
    "event",
    "facility",
    "file",
    "form",
    "group",
    "host",
    "hospital",
    "list",
    "organization",
    "page",
    "pharmacy",
    "physician",
    "plan",
    "practice",
    "product",
    "program",
    "provider",
    "school",
    "screen",
    "segment",
    "service",
    "site",
    "store",
    "team",
    "template",
    "tier",
    "type",
    "user",
];

/// Objects whose `name` is a person's, besides those that every detector takes
/// for a person. `parent` and `child` are places in a tree more often.
const PERSON_PARENTS: &[&str] = &[
    "applicant",
    "attendee",
    "beneficiary",
    "billing",
    "billingaddress",
    "billingdetails",
    "caller",
    "cardholder",
    "customerinfo",
    "dependent",
    "dependents",
    "emergencycontact",
    "guardian",
    "guest",
    "insured",
    "invitee",
    "mergefields",
    "patientinfo",
    "persondata",
    "personproperties",
    "policyholder",
    "profiledata",
    "recipient",
    "recipients",
    "shipping",
    "shippingaddress",
    "spouse",
    "subject",
    "userattributes",
    "userprofile",
];

/// Objects above it that make a name one of goods or of a campaign.
const OTHER_OBJECTS: &[&str] = &[
    "account",
    "campaign",
    "catalog",
    "company",
    "event",
    "group",
    "groups",
    "item",
    "items",
    "library",
    "metric",
    "organization",
    "plan",
    "product",
    "products",
    "screen",
    "segment",
    "template",
];

/// Words of the names of companies.
const COMPANIES: &[&str] = &[
    "clinic",
    "corp",
    "corporation",
    "gmbh",
    "hospital",
    "inc",
    "llc",
    "llp",
    "ltd",
    "plc",
];

/// Longer values are sentences.
const MAX_LENGTH: usize = 80;

/// Names have no more words.
const MAX_WORDS: usize = 6;

/// How a key says that it holds a name.
#[derive(Clone, Copy, PartialEq)]
enum Naming {
    /// In words.
    Full,
    /// In two letters.
    Short,
    /// It holds an initial.
    Initial,
}

/// Keys that tell what a message is.
pub(super) const TYPE_KEYS: &[&str] = &["type"];

/// Whether the message describes a group of users: a company, a clinic.
pub(super) fn is_group(subject: &Subject<'_>) -> bool {
    subject.value.eq_ignore_ascii_case("group") && subject.leaf_in(TYPE_KEYS)
}

pub(super) fn detect(subject: &Subject<'_>, around: Surroundings<'_>, hits: &mut Hits<'_>) {
    let Some(leaf) = named::key(subject) else {
        return;
    };
    let value = subject.value;
    // `hashed_first_name_sdx` is the soundex code of a name.
    if is_soundex_code(value)
        && leaf.has_word(&["sdx", "soundex"])
        && leaf.has_word(&["name", "fn", "ln", "first", "last"])
    {
        let code = Digest {
            form: Form::Soundex,
            hex: value.to_ascii_lowercase(),
        };
        hits.hashed(Identifier::Name, Strength::I1, "name.key.soundex", code);
        return;
    }
    // A neighbor's guess: words of health are the name of something else.
    if leaf.folded == "personname" && !subject.terms.is_empty() {
        return;
    }
    let digest = digest(value);
    if digest.is_none() && !is_name(subject) {
        return;
    }
    if around.group && leaf.folded == "name" {
        return;
    }
    let Some(naming) = naming(subject, leaf) else {
        return;
    };
    if let Some(digest) = digest {
        hits.hashed(Identifier::Name, Strength::I2, "name.key.hash", digest);
    } else if naming == Naming::Full || in_person(subject) {
        let strength = if naming == Naming::Initial {
            Strength::I1
        } else {
            Strength::I3
        };
        let normalized = text::words(value).join(" ");
        hits.plain(Identifier::Name, strength, "name.key", normalized);
    }
}

fn naming(subject: &Subject<'_>, leaf: &Key) -> Option<Naming> {
    if leaf.is_in(INITIAL_KEYS) {
        return Some(Naming::Initial);
    }
    if leaf.is_in(SHORT_KEYS) {
        return Some(Naming::Short);
    }
    let under_name = || {
        named::parent(subject)
            .is_some_and(|parent| matches!(parent.folded.as_str(), "name" | "names" | "fullname"))
    };
    let last_word = leaf.words.last().map(String::as_str);
    // Features and pages have a name on display too.
    let is_display =
        leaf.folded == "displayname" && (in_person(subject) || subject.keys.len() == 1);
    let is_full = is_display || named::is(subject, KEYS) && !leaf.has_word(NOT_PEOPLE)
        || last_word == Some("name") && is_person_name(subject, leaf)
        || last_word.is_some_and(|word| PART_KEYS.contains(&word)) && (
            leaf.words.len() == 1 && (under_name() || in_person(subject))
            || leaf.words.len() > 1 && leaf.has_word(PERSON_WORDS)
        )
        || is_who(subject, leaf)
        // `sha256_first_name`, `hashed_name`.
        || leaf.has_word(&["hashed", "sha", "sha256"]) && leaf.has_word(&["name"]);
    is_full.then_some(Naming::Full)
}

/// Whether a key that says who someone is holds a first and a last name.
fn is_who(subject: &Subject<'_>, leaf: &Key) -> bool {
    let keyed = leaf.folds_to(WHO_KEYS);
    let starts_upper = |word: &str| word.chars().next().is_some_and(char::is_uppercase);
    keyed
        && (2..=MAX_WORDS).contains(&subject.value.split_whitespace().count())
        && subject
            .value
            .split_whitespace()
            .all(|word| starts_upper(word) || PARTICLES.contains(&word))
        && !subject.has_word(NO_NAMES)
}

/// Keys that hold the name of a person, a kind of person or of software.
pub(super) const WHO_KEYS: &[&str] = &[
    "beneficiary",
    "caregiver",
    "clientname",
    "emergencycontact",
    "guardian",
    "insured",
    "nextofkin",
    "patient",
    "policyholder",
    "responsibleparty",
    "spouse",
    "user",
    "username",
];

/// Small words in the names of families.
const PARTICLES: &[&str] = &[
    "al", "bin", "da", "de", "del", "della", "den", "der", "di", "dos", "du", "el", "la", "le",
    "ten", "ter", "van", "von", "y", "zu",
];

/// Words of kinds of people, organizations and software.
const NO_NAMES: &[&str] = &[
    "account",
    "adult",
    "android",
    "api",
    "app",
    "client",
    "corp",
    "customer",
    "dependent",
    "established",
    "existing",
    "family",
    "female",
    "first",
    "inc",
    "ios",
    "legal",
    "llc",
    "ltd",
    "male",
    "member",
    "mobile",
    "new",
    "no",
    "not",
    "old",
    "other",
    "parent",
    "patient",
    "plan",
    "portal",
    "pro",
    "returning",
    "sdk",
    "self",
    "server",
    "service",
    "spouse",
    "the",
    "time",
    "under",
    "web",
    "yes",
];

/// Words of keys that are a full name of goods or of a place.
const NOT_PEOPLE: &[&str] = &[
    "app",
    "brand",
    "channel",
    "company",
    "device",
    "doctor",
    "file",
    "group",
    "item",
    "physician",
    "product",
    "provider",
    "role",
    "store",
];

/// Whether a key that ends in `name` names a person.
fn is_person_name(subject: &Subject<'_>, leaf: &Key) -> bool {
    if leaf.folded == "name" {
        return in_person(subject) && !subject.under(OTHER_OBJECTS);
    }
    leaf.has_word(PERSON_WORDS) && !leaf.has_word(OTHER_WORDS)
}

fn in_person(subject: &Subject<'_>) -> bool {
    let Some(parent) = named::parent(subject) else {
        return false;
    };
    if parent.folded == "attributes" {
        // Goods and events have attributes too.
        let mut above = subject.keys.iter().rev().skip(2);
        return subject.keys.len() == 2 && subject.value.contains(' ')
            || above.any(|key| key.folded != "attributes" && key.is_person());
    }
    parent.is_person() || parent.is_in(PERSON_PARENTS)
}

fn is_soundex_code(value: &str) -> bool {
    value.len() == 4
        && value.bytes().enumerate().all(|(index, byte)| {
            if index == 0 {
                byte.is_ascii_alphabetic()
            } else {
                byte.is_ascii_digit()
            }
        })
}

fn is_name(subject: &Subject<'_>) -> bool {
    let value = subject.value;
    (1..=MAX_LENGTH).contains(&value.len())
        && value
            .chars()
            .all(|c| c.is_alphabetic() || " .,'’ʼ`\"()-‐\u{300}\u{301}\u{308}".contains(c))
        && value.split_whitespace().count() <= MAX_WORDS
        && subject.is_text()
        && !subject.has_word(COMPANIES)
}
