//! What the path of a field says: how findings name it, which key decides what
//! it is, and to which of the events in one message it belongs.

use std::fmt;

use super::{Field, Part, Step};

/// What stands for a key that could be payload.
const HIDDEN_KEY: &str = "{key}";
/// The longest key that is shown, in bytes.
const LONGEST_KEY: usize = 40;
/// The most digits of a key that is shown: a date, a number or an identifier
/// has more.
const MOST_DIGITS: usize = 4;
/// The most hyphens of a key that is shown; a UUID has four.
const MOST_HYPHENS: usize = 3;
/// The shortest hexadecimal key that is taken for a hash, in characters.
const SHORTEST_HEX: usize = 16;
/// The shortest key of mixed characters that is taken for an encoded hash.
const SHORTEST_MIXED: usize = 20;

/// Keys, folded, below which everything is about one event: an array of
/// products or of a person's addresses is no batch of events.
const ONE_EVENT: &[&str] = &[
    "address",
    "addresses",
    "answers",
    "contentitems",
    "contents",
    "context",
    "contexts",
    "customdata",
    "customvariables",
    "ecommerce",
    "emails",
    "eventproperties",
    "eventvalue",
    "externalids",
    "identifiers",
    "identities",
    "identitymap",
    "lineitems",
    "matchkeys",
    "metadata",
    "page",
    "params",
    "phonenumbers",
    "phones",
    "products",
    "properties",
    "questions",
    "responses",
    "traits",
    "user",
    "userdata",
    "userids",
    "useridentifiers",
    "userproperties",
];

/// Which of several events in one message a field belongs to: the path down to
/// an element of the outermost array of events. Fields outside of such arrays
/// are shared by all events of their message.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventIndex<'a> {
    part: Part,
    steps: &'a [Step],
}

impl fmt::Debug for EventIndex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = match self.steps.last() {
            Some(Step::Index(index)) => Some(*index),
            _ => None,
        };
        f.debug_struct("EventIndex")
            .field("part", &self.part)
            .field("steps", &self.steps.len())
            .field("index", &index)
            .finish()
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field")
            .field("part", &self.part)
            .field("steps", &self.steps.len())
            .field("value", &self.value)
            .field("kind", &self.kind)
            .field("truncated", &self.truncated)
            .finish()
    }
}

impl Field {
    /// The path as findings show it, such as `body.data[0].user_data.em[0]`. A
    /// key that could be payload by its shape is `{key}`.
    pub fn display_path(&self) -> String {
        let mut path = self.part.as_str().to_owned();
        for step in &self.steps {
            match step {
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Key(key) => {
                    let key = key.expose();
                    path.push('.');
                    path.push_str(if is_name(key) { key } else { HIDDEN_KEY });
                }
            }
        }
        path
    }

    /// The innermost key, which says what the value is.
    pub fn last_key(&self) -> Option<&str> {
        self.keys().next_back()
    }

    /// The keys, outermost first, in lower case and without `_`, `-`, `$`, `.`,
    /// spaces and brackets, so that `phone_number` and `phoneNumber` are equal.
    pub fn folded_keys(&self) -> impl Iterator<Item = String> {
        self.keys().map(fold)
    }

    /// The event that the field belongs to, or nothing if it is shared by all
    /// events of its message.
    ///
    /// That is the first element with something below it (so `em[0]` is none)
    /// of an array that may be one of events: not below keys such as `contents`
    /// or `user_data`, which describe one event.
    pub fn event(&self) -> Option<EventIndex<'_>> {
        if matches!(self.part, Part::Path | Part::Header) {
            return None;
        }
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Key(key) if ONE_EVENT.contains(&fold(key.expose()).as_str()) => return None,
                Step::Key(_) => {}
                Step::Index(_) => {
                    let end = at.checked_add(1).filter(|end| *end < self.steps.len())?;
                    let steps = self.steps.get(..end)?;
                    return Some(EventIndex {
                        part: self.part,
                        steps,
                    });
                }
            }
        }
        None
    }

    fn keys(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.expose().as_str()),
            Step::Index(_) => None,
        })
    }
}

/// A key in lower case, without what separates words.
fn fold(key: &str) -> String {
    key.chars()
        .filter(|character| !"_-$. []".contains(*character))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a key has the shape of a name that a programmer chose.
fn is_name(key: &str) -> bool {
    let count = |counted: fn(&char) -> bool| key.chars().filter(counted).count();
    key.len() <= LONGEST_KEY
        && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.$:".contains(c))
        && key.chars().any(|c| c.is_ascii_alphabetic())
        && count(char::is_ascii_digit) <= MOST_DIGITS
        && count(|c| *c == '-') <= MOST_HYPHENS
        // Two colons are an address, not a namespace.
        && count(|c| *c == ':') <= 1
        && !is_hash(key)
}

/// Whether a key could be a hash in hexadecimal or base64url.
fn is_hash(key: &str) -> bool {
    let is_hex = key.len() >= SHORTEST_HEX && key.chars().all(|c| c.is_ascii_hexdigit());
    let digit_runs = key
        .as_bytes()
        .split(|byte| !byte.is_ascii_digit())
        .filter(|run| !run.is_empty())
        .count();
    let is_mixed = key.len() >= SHORTEST_MIXED
        && digit_runs >= 3
        && key.chars().any(|c| c.is_ascii_uppercase())
        && key.chars().any(|c| c.is_ascii_lowercase());
    is_hex || is_mixed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{field::ValueKind, secret::Secret};

    /// A field whose path is written `key/0/key`.
    fn field(part: Part, path: &str) -> Field {
        let steps = path
            .split('/')
            .filter(|step| !step.is_empty())
            .map(|step| match step.parse() {
                Ok(index) => Step::Index(index),
                Err(_) => Step::Key(Secret::new(step.to_owned())),
            })
            .collect();
        let value = Secret::new("jane.roe@example.com".to_owned());
        Field {
            part,
            steps,
            value,
            kind: ValueKind::Text,
            truncated: false,
        }
    }

    #[test]
    fn display_path_hides_what_could_be_payload() {
        let check = |part, path: &str, expected: &str| {
            assert_eq!(field(part, path).display_path(), expected, "{path}");
        };
        check(
            Part::Body,
            "data/0/user_data/em/0",
            "body.data[0].user_data.em[0]",
        );
        check(Part::Query, "ud/em", "query.ud.em");
        check(Part::Header, "cookie/_fbp", "header.cookie._fbp");
        check(Part::Path, "3", "path[3]");
        check(Part::Body, "", "body");
        check(
            Part::Body,
            "$set/ep.email/sha256_email_address",
            "body.$set.ep.email.sha256_email_address",
        );
        check(
            Part::Header,
            "x-cluster-client-ip",
            "header.x-cluster-client-ip",
        );
        for hidden in [
            "jane.roe@example.com",
            "Jane Roe",
            "1980-02-03",
            "555-0142",
            "10.1.2.3",
            "2001:db8::1",
            "1EG4-TE5-MK73",
            "deadbeefcafebabe",
            "5d41402abc4b2a76b9719d911017c592",
            "aDk2bQzrXt7mWpLsq9eYvU",
            "01890a5d-ac96-774b-bcce-b302099a8057",
            "an_underscored_name_that_is_far_too_long_for_one",
            "größe",
        ] {
            check(Part::Body, &format!("people/{hidden}"), "body.people.{key}");
        }
    }

    #[test]
    fn keys() {
        let field = field(Part::Body, "data/0/user.Data/$phone_Number/0");
        assert_eq!(field.last_key(), Some("$phone_Number"));
        assert_eq!(
            field.folded_keys().collect::<Vec<_>>(),
            ["data", "userdata", "phonenumber"]
        );
        assert_eq!(super::tests::field(Part::Path, "1").last_key(), None);
    }

    #[test]
    fn event_is_the_outermost_element_of_a_batch() {
        let check = |part, path: &str, expected: Option<&str>| {
            let field = field(part, path);
            let expected = expected.map(|path| super::tests::field(part, path));
            let expected = expected.as_ref().map(|field| EventIndex {
                part,
                steps: &field.steps,
            });
            assert_eq!(field.event(), expected, "{path}");
        };
        check(Part::Body, "data/0/user_data/em/0", Some("data/0"));
        check(Part::Body, "data/1/event_name", Some("data/1"));
        check(Part::Body, "client_id", None);
        check(Part::Body, "events/0/params/page_title", Some("events/0"));
        check(Part::Body, "user_data/address/0/city", None);
        check(
            Part::Body,
            "conversions/0/identifiers/0/hashed_email",
            Some("conversions/0"),
        );
        check(
            Part::Body,
            "data/events/2/user/email",
            Some("data/events/2"),
        );
        check(Part::Body, "2/cid", Some("2"));
        check(Part::Body, "0/1/cid", Some("0"));
        check(Part::Body, "em/0", None);
        check(Part::Body, "properties/products/0/name", None);
        check(Part::Body, "event/xdm/identityMap/Email/0/id", None);
        check(Part::Query, "data/0/properties/$email", Some("data/0"));
        check(Part::Path, "0/1", None);
        check(Part::Header, "forwarded/0/for", None);
    }

    #[test]
    fn debug_shows_neither_value_nor_keys() {
        let field = field(Part::Body, "people/0/jane.roe@example.com/em");
        let shown = format!("{field:?} {:?}", field.event());
        assert!(
            shown.contains("steps: 4") && shown.contains("20 bytes"),
            "{shown}"
        );
        assert!(
            !shown.contains("jane") && !shown.contains("people"),
            "{shown}"
        );
    }
}
