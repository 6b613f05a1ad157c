//! The explanation of a finding, in words for a privacy officer.
//!
//! Composed only of classes, levels and the recipient's name: no payload.

use std::collections::BTreeMap;

use super::{HealthLevel, IdentifierLevel, judge::Judgment, proof::Proof};
use crate::{
    phi::{Class, Form, Health, Identifier, Strength},
    tracker::{Category, Weight},
};

/// Kinds that one sentence names; more are counted.
const MAX_NAMED: usize = 6;

/// Two sentences: what happened, and what its severity follows from.
pub(super) fn why(
    event: &[&Proof],
    owner: &str,
    category: Category,
    status: Option<u16>,
    judgment: Judgment,
) -> String {
    let identifiers = identifiers(event);
    let health = health(event, judgment.health);
    let what = match (identifiers.is_empty(), health.is_empty()) {
        (false, false) => format!(
            "{}, together with {}, of the same person",
            list(&identifiers),
            list(&health)
        ),
        (false, true) => format!("{} without health information", list(&identifiers)),
        (true, _) => format!("{}, and nothing that identifies a person", list(&health)),
    };
    let answer = match status {
        Some(status) if judgment.attempted => {
            format!("the request was refused with {status}, so this is an attempt")
        }
        Some(status) => format!("the request was answered with {status}"),
        None => "no answer was seen".to_owned(),
    };
    let verb = if judgment.attempted {
        "was sent"
    } else {
        "received"
    };
    format!(
        "{owner} ({}) {verb} {what}; {answer}. {}",
        trade(category),
        reason(judgment)
    )
}

/// What the severity comes from.
fn reason(judgment: Judgment) -> String {
    let identifier = match judgment.identifier {
        IdentifierLevel::I3 => "direct identifiers in clear",
        IdentifierLevel::I2 => "direct identifiers as hashes, which the recipient can match",
        IdentifierLevel::I1 => "a pseudonym that stays the same",
        IdentifierLevel::I0 => "no identifier",
    };
    let health = match judgment.health {
        HealthLevel::H3 => "an explicit statement about health",
        HealthLevel::H2 => "a context that tells about health",
        HealthLevel::H1 => "a sender that is a health service",
        HealthLevel::H0 => "no statement about health",
    };
    let recipient = match judgment.weight {
        Weight::R3 => "an advertising company",
        Weight::R2 => "a third party",
        Weight::R1 => "a third party with a declared agreement (two levels lower)",
    };
    let mut text = format!(
        "Severity {}: {identifier}, {health}, {recipient}",
        judgment.severity.as_str()
    );
    if judgment.ip_only {
        text.push_str("; an address on the network and a public page alone count as low");
    }
    if judgment.attempted {
        text.push_str("; one level lower because it was refused");
    }
    text.push('.');
    text
}

/// What a recipient is in business for.
pub(super) const fn trade(category: Category) -> &'static str {
    match category {
        Category::Ads => "advertising",
        Category::Dsp => "programmatic advertising",
        Category::Replay => "session replay",
        Category::Cdp => "customer-data platform",
        Category::TagManager => "tag manager",
        other => other.as_str(),
    }
}

fn identifiers(event: &[&Proof]) -> Vec<String> {
    // Plain is worse than hashed: if both occur, the plain one is mentioned.
    let mut in_clear = BTreeMap::new();
    for item in event {
        if let Class::Identifier(identifier) = item.class {
            *in_clear.entry(identifier).or_insert(false) |= item.form == Form::Plain;
        }
    }
    in_clear
        .iter()
        .map(|(identifier, in_clear)| {
            let name = identifier_name(*identifier);
            let is_direct = !matches!(
                identifier,
                Identifier::OnlineId
                    | Identifier::DeviceId
                    | Identifier::ExternalId
                    | Identifier::Ip
            );
            match (in_clear, is_direct) {
                (true, true) => format!("{name} in clear"),
                (true, false) => name.to_owned(),
                (false, _) => format!("{name} as a hash"),
            }
        })
        .collect()
}

fn health(event: &[&Proof], level: HealthLevel) -> Vec<String> {
    let mut strongest = BTreeMap::new();
    for item in event {
        if let Class::Health(health) = item.class {
            let own = strongest.entry(health).or_insert(item.strength);
            *own = (*own).max(item.strength);
        }
    }
    let mut said: Vec<String> = strongest
        .iter()
        .map(|(health, strength)| {
            let name = health_name(*health);
            if *strength == Strength::H3 {
                name.to_owned()
            } else {
                format!("the context of {name}")
            }
        })
        .collect();
    if said.is_empty() && level == HealthLevel::H1 {
        said.push(health_name(Health::Inherent).to_owned());
    }
    said
}

/// `a`, `a and b`, `a, b and c`, at most [`MAX_NAMED`] of them.
fn list(items: &[String]) -> String {
    let more = items.len().saturating_sub(MAX_NAMED);
    let mut named: Vec<&str> = items.iter().take(MAX_NAMED).map(String::as_str).collect();
    let rest = format!("{more} more kinds");
    if more > 0 {
        named.push(&rest);
    }
    match named.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

const fn identifier_name(identifier: Identifier) -> &'static str {
    match identifier {
        Identifier::Name => "a name",
        Identifier::Email => "an email address",
        Identifier::Phone => "a telephone number",
        Identifier::Fax => "a fax number",
        Identifier::Address => "a street address",
        Identifier::City => "a city",
        Identifier::Zip => "a postal code",
        Identifier::Geo => "coordinates",
        Identifier::BirthDate => "a date of birth",
        Identifier::ServiceDate => "a date of service",
        Identifier::Ssn => "a social security number",
        Identifier::Mrn => "a medical record number",
        Identifier::HealthPlanId => "a health plan number",
        Identifier::Account => "an account number",
        Identifier::License => "a license number",
        Identifier::Vehicle => "a vehicle number",
        Identifier::DeviceId => "a device id",
        Identifier::OnlineId => "a cookie or click id",
        Identifier::ExternalId => "the sender's own id of a user",
        Identifier::Ip => "an IP address",
        Identifier::Biometric => "a biometric identifier",
        Identifier::Photo => "a photo",
        Identifier::Sex => "a sex or gender",
    }
}

const fn health_name(health: Health) -> &'static str {
    match health {
        Health::Condition => "a condition or diagnosis",
        Health::Medication => "a medication",
        Health::Procedure => "a medical procedure",
        Health::Lab => "a laboratory test or result",
        Health::Assessment => "answers or the result of a self-assessment",
        Health::Appointment => "an appointment",
        Health::Treatment => "a treatment",
        Health::Insurance => "insurance or benefits",
        Health::Provider => "a care provider",
        Health::Reproductive => "reproductive health",
        Health::SubstanceUse => "substance use",
        Health::Inherent => "the use of a health service",
    }
}
