//! Keys, compared the way that detectors need it.

use super::text::{fold, words};
use crate::field::{Field, Part, Step};

/// Words of a key that say whose value it is or how it is written, not what
/// it is.
const QUALIFIERS: &[&str] = &[
    "applicant",
    "billing",
    "client",
    "contact",
    "customer",
    "enc",
    "guardian",
    "guest",
    "hash",
    "hashed",
    "home",
    "lead",
    "lower",
    "md5",
    "member",
    "my",
    "new",
    "normalized",
    "parent",
    "patient",
    "person",
    "personal",
    "plain",
    "primary",
    "raw",
    "recipient",
    "secondary",
    "sha",
    "sha1",
    "sha256",
    "shipping",
    "subscriber",
    "user",
    "work",
    "your",
];

/// Keys whose objects are about a person.
const PERSON_PARENTS: &[&str] = &[
    "addressinfo",
    "advancedmatching",
    "attributes",
    "client",
    "clients",
    "contact",
    "contacts",
    "customer",
    "customers",
    "identity",
    "lead",
    "leads",
    "member",
    "patient",
    "patients",
    "people",
    "person",
    "pid",
    "profile",
    "profiles",
    "set",
    "setonce",
    "subscriber",
    "traits",
    "ud",
    "user",
    "userdata",
    "userinfo",
    "userproperties",
    "users",
    "visitor",
];

/// Arrays whose elements are parts of one event, not events.
const PART_ARRAYS: &[&str] = &[
    "address",
    "addresses",
    "answers",
    "categories",
    "contents",
    "cookies",
    "email",
    "emails",
    "externalids",
    "fields",
    "identifiers",
    "ids",
    "items",
    "lineitems",
    "matchkeys",
    "phones",
    "products",
    "properties",
    "questions",
    "responses",
    "tags",
    "useridentifiers",
    "userids",
    "userproperties",
];

/// Arrays whose elements are events or people at any depth.
const EVENT_ARRAYS: &[&str] = &[
    "actions",
    "attributes",
    "batch",
    "conversions",
    "d",
    "data",
    "elements",
    "eventdata",
    "events",
    "hits",
    "inputs",
    "messages",
    "purchases",
    "requests",
    "users",
];

/// One key on the way to a value.
#[derive(Clone)]
pub(super) struct Key {
    /// Lower case, letters and digits only.
    pub(super) folded: String,
    /// Its words.
    pub(super) words: Vec<String>,
    core: String,
}

impl Key {
    /// The key that `text` spells.
    pub(super) fn new(text: &str) -> Self {
        let words = words(text);
        let core = words
            .iter()
            .filter(|word| !QUALIFIERS.contains(&word.as_str()))
            .map(String::as_str)
            .collect();
        Self {
            folded: fold(text),
            words,
            core,
        }
    }

    /// Whether it is one of `table`, as it is or without its qualifiers.
    pub(super) fn is_in(&self, table: &[&str]) -> bool {
        table.contains(&self.folded.as_str()) || table.contains(&self.core.as_str())
    }

    /// Whether one of its words is in `table`.
    pub(super) fn has_word(&self, table: &[&str]) -> bool {
        self.words.iter().any(|word| table.contains(&word.as_str()))
    }

    /// Whether objects under it are about a person.
    pub(super) fn is_person(&self) -> bool {
        PERSON_PARENTS.contains(&self.folded.as_str())
    }
}

/// The keys on the way to a field, outermost first. `ud[em]` and `ep.email` are
/// two keys each, as the trackers that write them mean it.
pub(super) fn keys(field: &Field) -> Vec<Key> {
    field
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(key.expose()),
            Step::Index(_) => None,
        })
        .flat_map(|key| key.split(['.', '[', ']']))
        .filter(|part| !part.is_empty())
        .map(Key::new)
        .collect()
}

/// The array element that a field belongs to, `None` where the field is shared
/// by the whole message: its part, and its path down to the element.
pub(crate) fn group(field: &Field) -> Option<(Part, &[Step])> {
    let mut keys_before = 0_usize;
    let mut last_key = String::new();
    for (index, step) in field.steps.iter().enumerate() {
        match step {
            Step::Key(key) => {
                keys_before += 1;
                last_key = fold(key.expose());
            }
            Step::Index(_) => {
                let end = index.saturating_add(1);
                let holds_object = field
                    .steps
                    .iter()
                    .skip(end)
                    .any(|step| matches!(step, Step::Key(_)));
                let name = last_key.as_str();
                let is_event = EVENT_ARRAYS.contains(&name)
                    || (keys_before <= 1 && !PART_ARRAYS.contains(&name));
                if holds_object && is_event && field.part != Part::Path {
                    return field.steps.get(..end).map(|steps| (field.part, steps));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phi::tests::field;

    #[test]
    fn keys_match_with_and_without_qualifiers() {
        for (key, table, expected) in [
            ("$email", &["email"][..], true),
            ("sha256_email_address", &["emailaddress"], true),
            ("hashedPhoneNumber", &["phonenumber"], true),
            ("patientEmail", &["email"], true),
            ("client_id", &["clientid"], true),
            ("emailTemplate", &["email"], false),
            ("user", &["email", "user"], true),
        ] {
            assert_eq!(Key::new(key).is_in(table), expected, "{key}");
        }
    }

    #[test]
    fn array_elements_are_events() {
        for (path, expected) in [
            ("data.0.user_data.em.0", Some(2)),
            ("0.event", Some(1)),
            ("events.3.params.x", Some(2)),
            ("data.events.3.user.email", Some(3)),
            ("user_data.address.0.first_name", None),
            ("user_data.em.0", None),
            ("contents.0.id", None),
            ("user.userIds.0.idValue", None),
            ("elements.2.user.userIds.0.idValue", Some(2)),
            ("email", None),
        ] {
            let field = field(path, "x");
            assert_eq!(
                group(&field).map(|(_, steps)| steps.len()),
                expected,
                "{path}"
            );
        }
    }
}
