//! What the forms of a page ask a visitor for.
//!
//! In: the inputs of a page. Out: classes of identifiers and of health
//! information. An input is recognized by its type, its name and its label;
//! nothing has been filled in yet, so there is no value.

use std::collections::BTreeSet;

use crate::{
    field::html::Input,
    phi::{Health, Identifier},
};

/// Longest label that is read: longer ones are terms to agree to.
const MAX_LABEL: usize = 300;

/// What forms ask for.
#[derive(Default)]
pub(super) struct FormClasses {
    pub(super) identifiers: BTreeSet<Identifier>,
    pub(super) health: BTreeSet<Health>,
}

impl FormClasses {
    /// Whether it is more than where to send a newsletter.
    pub(super) fn is_personal(&self) -> bool {
        !self.health.is_empty()
            || self
                .identifiers
                .iter()
                .any(|class| *class != Identifier::Email)
    }
}

/// Words for an identifier; several words must occur in this order.
const IDENTIFIERS: &[(Identifier, &[&[&str]])] = &[
    (Identifier::Email, &[&["email"], &["e", "mail"], &["mail"]]),
    (
        Identifier::Phone,
        &[&["phone"], &["mobile"], &["cell"], &["telephone"], &["tel"]],
    ),
    (
        Identifier::Name,
        &[
            &["first", "name"],
            &["last", "name"],
            &["full", "name"],
            &["your", "name"],
            &["patient", "name"],
            &["given", "name"],
            &["family", "name"],
            &["firstname"],
            &["lastname"],
            &["fullname"],
            &["surname"],
            &["fname"],
            &["lname"],
        ],
    ),
    (
        Identifier::BirthDate,
        &[
            &["dob"],
            &["birth"],
            &["birthdate"],
            &["birthday"],
            &["birthdate"],
            &["bday"],
            &["dateofbirth"],
        ],
    ),
    (
        Identifier::Address,
        &[
            &["street"],
            &["address", "line"],
            &["address1"],
            &["home", "address"],
        ],
    ),
    (
        Identifier::Zip,
        &[&["zip"], &["zipcode"], &["postal"], &["postcode"]],
    ),
    (Identifier::Ssn, &[&["ssn"], &["social", "security"]]),
    (Identifier::Mrn, &[&["mrn"], &["medical", "record"]]),
    (
        Identifier::HealthPlanId,
        &[
            &["member", "id"],
            &["member", "number"],
            &["policy", "number"],
            &["subscriber"],
            &["medicare", "number"],
            &["medicaid"],
        ],
    ),
    (Identifier::Sex, &[&["gender"], &["sex"]]),
];

/// Words of health information in forms, besides those of the lexicons.
const HEALTH: &[(Health, &[&[&str]])] = &[
    (
        Health::Condition,
        &[
            &["symptom"],
            &["symptoms"],
            &["diagnosis"],
            &["diagnosed"],
            &["medical", "condition"],
            &["health", "condition"],
            &["medical", "history"],
            &["health", "history"],
            &["reason", "for", "visit"],
            &["chief", "complaint"],
        ],
    ),
    (
        Health::Medication,
        &[
            &["medication"],
            &["medications"],
            &["prescription"],
            &["prescriptions"],
        ],
    ),
    (
        Health::Insurance,
        &[
            &["insurance"],
            &["health", "plan"],
            &["payer"],
            &["member", "id"],
        ],
    ),
    (
        Health::Appointment,
        &[&["appointment"], &["visit", "date"], &["preferred", "time"]],
    ),
    (Health::Reproductive, &[&["pregnant"], &["pregnancy"]]),
];

/// What `inputs` ask for.
pub(super) fn asked(inputs: &[Input]) -> FormClasses {
    let mut asked = FormClasses::default();
    for input in inputs {
        match input.kind.as_str() {
            "email" => _ = asked.identifiers.insert(Identifier::Email),
            "tel" => _ = asked.identifiers.insert(Identifier::Phone),
            _ => {}
        }
        for text in input.texts().filter(|text| text.len() <= MAX_LABEL) {
            let words = words(text);
            // Agreeing to terms, or to be mailed or called, discloses nothing.
            let consents = ["agree", "terms", "consent", "subscribe"];
            if words.iter().any(|word| consents.contains(&word.as_str())) {
                continue;
            }
            let says = |phrases: &[&[&str]]| phrases.iter().any(|phrase| holds(&words, phrase));
            for (class, phrases) in IDENTIFIERS {
                if says(phrases) {
                    asked.identifiers.insert(*class);
                }
            }
            for (class, phrases) in HEALTH {
                if says(phrases) {
                    asked.health.insert(*class);
                }
            }
        }
    }
    asked
}

fn holds(words: &[String], phrase: &[&str]) -> bool {
    words.windows(phrase.len().max(1)).any(|window| {
        window
            .iter()
            .zip(phrase)
            .all(|(word, wanted)| word == wanted)
    })
}

/// Lower-case words, split at marks and at `fooBar`.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower = false;
    for c in text.chars() {
        let starts = lower && c.is_uppercase();
        lower = c.is_lowercase();
        if (starts || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phi::Class;

    #[test]
    fn inputs_say_what_they_want() {
        for (kind, name, label, expected) in [
            ("email", "x", "", "email"),
            ("tel", "", "", "phone"),
            ("text", "firstName", "", "name"),
            ("text", "patient[dob]", "", "birth_date"),
            ("text", "q1", "Date of birth", "birth_date"),
            ("text", "member_id", "", "health_plan_id insurance"),
            ("select", "insurance-carrier", "", "insurance"),
            ("textarea", "q2", "What symptoms do you have?", "condition"),
            (
                "checkbox",
                "tos",
                "I agree to the terms and the insurance notice",
                "",
            ),
            ("text", "quantity", "How many", ""),
            ("text", "username", "", ""),
            ("text", "discount", "Code", ""),
        ] {
            let input = Input {
                kind: kind.to_owned(),
                names: vec![name.to_owned()],
                labels: vec![label.to_owned()],
            };
            let FormClasses {
                identifiers,
                health,
            } = asked(&[input]);
            let health = health.into_iter().map(Class::Health);
            let found = identifiers.into_iter().map(Class::Identifier).chain(health);
            let found: Vec<_> = found.map(Class::as_str).collect();
            assert_eq!(found.join(" "), expected, "{kind} {name} {label}");
        }
    }
}
