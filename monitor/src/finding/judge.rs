//! The evidence of one person-event to the levels of the severity matrix, and
//! the circumstances that shift the result.

use super::{HealthLevel, IdentifierLevel, Label, Severity, proof::Proof, severity};
use crate::{
    field::{Field, Part},
    phi::{Class, Form, Identifier, Strength},
    tracker::{Match, Weight},
};

/// A recipient that refused may still have received the data: this many levels
/// milder.
const REFUSED_LEVELS: usize = 1;

/// Status codes from here on are refusals and failures.
const FIRST_REFUSAL: u16 = 400;

/// Words of addresses for which one has to be signed in.
const PRIVATE_WORDS: &[&str] = &[
    "account",
    "appointment",
    "auth",
    "book",
    "chart",
    "checkout",
    "dashboard",
    "intake",
    "log-in",
    "login",
    "member",
    "my-",
    "/my/",
    "mychart",
    "patient",
    "portal",
    "quiz",
    "schedul",
    "session",
    "sign",
    "user",
];

/// How bad one person-event is, and why.
#[derive(Clone, Copy)]
pub(super) struct Judgment {
    pub(super) severity: Severity,
    pub(super) identifier: IdentifierLevel,
    pub(super) health: HealthLevel,
    pub(super) weight: Weight,
    /// The recipient refused the request.
    pub(super) attempted: bool,
    /// Only an IP address and the address of a public page: courts disagree on
    /// whether this is protected, so it is milder.
    pub(super) ip_only: bool,
}

impl Judgment {
    /// The labels of the finding.
    pub(super) fn labels(self) -> Vec<Label> {
        [
            (self.attempted, Label::Attempted),
            (self.weight == Weight::R1, Label::Agreement),
            (self.ip_only, Label::IpOnlyUnauth),
        ]
        .iter()
        .filter_map(|(holds, label)| holds.then_some(*label))
        .collect()
    }
}

/// The judgment of one event; `None` if there is nothing to report. `inherent`
/// means that the sender is a health service.
pub(super) fn judge(
    event: &[&Proof],
    matched: &Match,
    status: Option<u16>,
    inherent: bool,
) -> Option<Judgment> {
    let identifier = identifier_level(event);
    let stated = health_level(event);
    // Reading settings with a user's id is ordinary housekeeping.
    if matched.housekeeping && identifier < IdentifierLevel::I2 && stated < HealthLevel::H3 {
        return None;
    }
    let health = if inherent {
        stated.max(HealthLevel::H1)
    } else {
        stated
    };
    let mut result = severity(identifier, health, matched.weight)?;
    let ip_only = identifier == IdentifierLevel::I1
        && health == HealthLevel::H2
        && is_ip_only(event)
        && is_public(event);
    if ip_only {
        result = result.min(Severity::Low);
    }
    let attempted = status.is_some_and(|status| status >= FIRST_REFUSAL);
    if attempted {
        result = result.milder(REFUSED_LEVELS);
    }
    Some(Judgment {
        severity: result,
        identifier,
        health,
        weight: matched.weight,
        attempted,
        ip_only,
    })
}

pub(super) fn identifier_level(event: &[&Proof]) -> IdentifierLevel {
    let mut level = IdentifierLevel::I0;
    let mut name_level = IdentifierLevel::I0;
    for item in event {
        let own = match item.strength {
            Strength::I1 => IdentifierLevel::I1,
            Strength::I2 => IdentifierLevel::I2,
            Strength::I3 => IdentifierLevel::I3,
            Strength::H2 | Strength::H3 => continue,
        };
        match item.class {
            Class::Identifier(Identifier::Name) => name_level = name_level.max(own),
            // Shared by too many people to point at one.
            Class::Identifier(Identifier::City | Identifier::ServiceDate | Identifier::Sex) => {}
            _ => level = level.max(own),
        }
    }
    // Many people share a name: it is direct only together with another
    // identifier.
    let alone = level == IdentifierLevel::I0;
    level.max(if alone {
        name_level.min(IdentifierLevel::I1)
    } else {
        name_level
    })
}

pub(super) fn health_level(event: &[&Proof]) -> HealthLevel {
    let levels = event.iter().filter_map(|item| match item.strength {
        Strength::H2 => Some(HealthLevel::H2),
        Strength::H3 => Some(HealthLevel::H3),
        Strength::I1 | Strength::I2 | Strength::I3 => None,
    });
    levels.max().unwrap_or(HealthLevel::H0)
}

/// Whether the client's plain IP address is the only identifier.
fn is_ip_only(event: &[&Proof]) -> bool {
    event.iter().all(|item| match item.class {
        Class::Identifier(Identifier::Ip) => item.form == Form::Plain,
        Class::Identifier(Identifier::City | Identifier::Sex) | Class::Health(_) => true,
        Class::Identifier(_) => false,
    })
}

/// Whether the address of a public page is all that is said about health.
fn is_public(event: &[&Proof]) -> bool {
    event
        .iter()
        .filter(|item| matches!(item.class, Class::Health(_)))
        .all(|item| item.is_public_page)
}

/// Whether a field is the address of a page that anyone can open.
pub(super) fn is_public_page(field: &Field<'_>) -> bool {
    if field.part() == Part::Path {
        return false;
    }
    let value = field.value().trim();
    let begins = ["http://", "https://", "/"].iter().any(|start| {
        value
            .get(..start.len())
            .is_some_and(|own| own.eq_ignore_ascii_case(start))
    });
    if !begins || value.contains('?') {
        return false;
    }
    let value = value.to_ascii_lowercase();
    !PRIVATE_WORDS.iter().any(|word| value.contains(word))
}
