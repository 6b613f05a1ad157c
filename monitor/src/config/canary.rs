//! The section `[[canary]]`: synthetic patients whose values are searched for.
//!
//! The values are secrets: they tell canaries from patients. No error repeats
//! one.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{
    canary::{Canary, MAX_CANARIES, MAX_VALUE_LENGTH, MAX_VALUES, Planted},
    secret::Secret,
};

/// One synthetic patient, as written in the file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Section {
    name: Option<Text>,
    first_name: Option<Text>,
    last_name: Option<Text>,
    email: Option<Text>,
    phone: Option<Text>,
    birth_date: Option<Text>,
    address: Option<Text>,
    zip: Option<Text>,
    member_id: Option<Text>,
    ssn: Option<Text>,
    mrn: Option<Text>,
    values: Vec<Text>,
}

/// A planted value: a text or a whole number.
struct Text(Secret<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

/// Unlike serde's own visitor, does not repeat the value in an error.
struct TextVisitor;

impl TextVisitor {
    fn refuse<T, E: Error>() -> Result<T, E> {
        Err(E::custom("must be a text in quotes"))
    }

    fn take<E: Error>(text: &str) -> Result<Text, E> {
        let text = text.trim();
        if text.is_empty() {
            return Err(E::custom("must not be empty"));
        }
        if text.len() > MAX_VALUE_LENGTH {
            return Err(E::custom(format!(
                "must have at most {MAX_VALUE_LENGTH} bytes"
            )));
        }
        Ok(Text(Secret::new(text.to_owned())))
    }
}

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Self::take(text)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Text, E> {
        Self::take(&number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Text, E> {
        Self::take(&number.to_string())
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Text, E> {
        Self::refuse()
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Text, E> {
        Self::refuse()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Text, E> {
        Self::refuse()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Text, E> {
        Self::refuse()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Self::refuse()
    }

    // A date without quotes is a table to the parser.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Self::refuse()
    }
}

impl From<Section> for Canary {
    fn from(section: Section) -> Self {
        let named = [
            (Planted::Name, section.name),
            (Planted::FirstName, section.first_name),
            (Planted::LastName, section.last_name),
            (Planted::Email, section.email),
            (Planted::Phone, section.phone),
            (Planted::BirthDate, section.birth_date),
            (Planted::Address, section.address),
            (Planted::Zip, section.zip),
            (Planted::MemberId, section.member_id),
            (Planted::Ssn, section.ssn),
            (Planted::Mrn, section.mrn),
        ];
        let named = named
            .into_iter()
            .filter_map(|(planted, text)| Some((planted, text?.0)));
        let others = section
            .values
            .into_iter()
            .map(|text| (Planted::Value, text.0));
        Self {
            values: named.chain(others).collect(),
        }
    }
}

/// Reads every `[[canary]]`.
pub(super) fn canaries<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Canary>, D::Error> {
    let sections = Vec::<Section>::deserialize(deserializer)?;
    if sections.len() > MAX_CANARIES {
        return Err(D::Error::custom(format!(
            "must be at most {MAX_CANARIES} canaries"
        )));
    }
    sections
        .into_iter()
        .enumerate()
        .map(|(index, section)| {
            let number = index + 1;
            let canary = Canary::from(section);
            if canary.values.len() > MAX_VALUES {
                return Err(D::Error::custom(format!(
                    "canary {number} must have at most {MAX_VALUES} values"
                )));
            }
            if !canary.is_enough() {
                return Err(D::Error::custom(format!(
                    "canary {number} has only values that many people share: give it an email \
                     address, a phone number, a full name or another value of 6 characters or more"
                )));
            }
            Ok(canary)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    const SECRETS: &[&str] = &["Quillon", "quillon@example.com", "94110", "19870314"];

    #[test]
    fn canaries_are_read_and_never_shown() {
        let config = Config::parse(
            "[[canary]]\nname = \"Quillon Vex\"\nemail = \"quillon@example.com\"\nzip = 94110\n\
             values = [\"QX-77120-A\", 19870314]\n[[canary]]\nphone = \"+1 415 555 0132\"\n",
            Path::new("p.toml"),
        )
        .unwrap();
        let counts: Vec<_> = config
            .canary
            .iter()
            .map(|canary| canary.values.len())
            .collect();
        assert_eq!(counts, [5, 1]);
        let shown = format!("{config:?} {config:#?}");
        for secret in SECRETS {
            assert!(!shown.contains(secret));
        }
    }

    #[test]
    fn errors_say_what_is_wrong_and_no_value() {
        for (text, expected) in [
            ("birth_date = 1987-03-14", "must be a text in quotes"),
            ("email = 9.4110", "must be a text in quotes"),
            (
                "email = [\"quillon@example.com\"]",
                "must be a text in quotes",
            ),
            ("email = \" \"", "must not be empty"),
            ("values = \"Quillon\"", "expected a sequence"),
            ("values = 19870314", "expected a sequence"),
            ("values = 1987.0314", "expected a sequence"),
            ("ssn = 19870314198703141987", "p.toml:2"),
            ("\"quillon@example.com\" = 1", "not known here"),
            (
                "first_name = \"Quillon\"",
                "canary 1 has only values that many people share",
            ),
            (
                "zip = 94110",
                "canary 1 has only values that many people share",
            ),
            ("emial = \"quillon@example.com\"", "did you mean email?"),
            ("", "canary 1 has only values"),
        ] {
            let text = format!("[[canary]]\n{text}\n");
            let error = Config::parse(&text, Path::new("p.toml")).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(expected), "{shown}");
            for secret in SECRETS {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
        }
    }
}
