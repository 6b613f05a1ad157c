//! Keys, compared the way that detectors need it.

use super::text::{fold, words};

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

/// One key on the way to a value.
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
        let words: Vec<String> = words(text).iter().map(str::to_owned).collect();
        let core = words
            .iter()
            .map(String::as_str)
            .filter(|word| !QUALIFIERS.contains(word))
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
