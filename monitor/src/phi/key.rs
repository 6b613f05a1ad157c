//! Keys, compared the way that detectors need it.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{
    named,
    text::{fold, words},
};

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
    "contactproperties",
    "contacts",
    "customer",
    "customerproperties",
    "customers",
    "identity",
    "lead",
    "leads",
    "member",
    "patient",
    "patients",
    "people",
    "person",
    "persons",
    "pid",
    "profile",
    "profiles",
    "set",
    "setonce",
    "subscriber",
    "subscribers",
    "traits",
    "ud",
    "user",
    "userdata",
    "userinfo",
    "userproperties",
    "users",
    "usr",
    "visitor",
    "visitordata",
];

/// One key on the way to a value.
pub(super) struct Key {
    /// Lower case, letters and digits only.
    pub(super) folded: String,
    /// Its words.
    pub(super) words: Vec<String>,
    core: String,
    /// What it says at its end, as [`named`] means it.
    endings: Vec<String>,
    answers: Answers,
}

/// What is asked about a key and a table.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Question {
    In = 0,
    Word = 1 << 1,
    Ends = 2 << 1,
    Folded = 3 << 1,
}

/// Answers that are kept of one key. Detectors ask the same of the same keys in
/// every message; a power of two.
const ANSWERS: usize = 64;

/// The last answers of a key: each the address and length of the table, the
/// question and the answer. Zero is none, since no table lies at address zero.
struct Answers([AtomicU64; ANSWERS]);

impl Answers {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; ANSWERS])
    }

    /// The answer to `question` about `table`, from `find` unless it is known.
    fn get(&self, question: Question, table: Spellings, find: impl FnOnce() -> bool) -> bool {
        // Tables are aligned to eight bytes and lie below 2^48, so what is left
        // of the address holds the length, the question and the answer.
        let address = table.as_ptr() as u64;
        let asked = (table.len() as u64) << 48 | address | question as u64;
        let mixed = asked.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let Some(place) = self.0.get(mixed as usize % ANSWERS) else {
            return find();
        };
        let known = place.load(Ordering::Relaxed);
        if known & !1 == asked {
            return known & 1 == 1;
        }
        let answer = find();
        if !table.is_empty() {
            place.store(asked | u64::from(answer), Ordering::Relaxed);
        }
        answer
    }
}

/// Folded keys or words, which stand in the program itself.
pub(super) type Spellings = &'static [&'static str];

impl Key {
    /// The key that `text` spells.
    pub(super) fn new(text: &str) -> Self {
        let words: Vec<String> = words(text).iter().map(str::to_owned).collect();
        let core = words
            .iter()
            .map(String::as_str)
            .filter(|word| !QUALIFIERS.contains(word))
            .collect();
        let folded = fold(text);
        Self {
            endings: named::endings(&folded, &words),
            folded,
            words,
            core,
            answers: Answers::new(),
        }
    }

    /// Whether it is one of `table`, as it is or without its qualifiers.
    pub(super) fn is_in(&self, table: Spellings) -> bool {
        self.answers.get(Question::In, table, || {
            table.contains(&self.folded.as_str()) || table.contains(&self.core.as_str())
        })
    }

    /// Whether it is one of `table`, qualifiers and all.
    pub(super) fn folds_to(&self, table: Spellings) -> bool {
        self.answers.get(Question::Folded, table, || {
            table.contains(&self.folded.as_str())
        })
    }

    /// Whether one of its words is in `table`.
    pub(super) fn has_word(&self, table: Spellings) -> bool {
        self.answers.get(Question::Word, table, || {
            self.words.iter().any(|word| table.contains(&word.as_str()))
        })
    }

    /// Whether it ends in a phrase of `table`, as [`named`] means it.
    pub(super) fn ends_in(&self, table: Spellings) -> bool {
        self.answers.get(Question::Ends, table, || {
            self.is_in(table)
                || (self.endings.iter()).any(|ending| table.contains(&ending.as_str()))
        })
    }

    /// Whether objects under it are about a person.
    pub(super) fn is_person(&self) -> bool {
        self.folds_to(PERSON_PARENTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_match_with_and_without_qualifiers() {
        for (key, table, expected) in [
            ("$email", &["email"] as Spellings, true),
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
