//! The names of classes, categories and severities on the page.
//!
//! In: names as in records. Out: words for people who do not know those.

use crate::{
    finding::Severity,
    phi::{Health, Identifier},
};

/// What a class of data is called.
pub(super) fn class(name: &'static str) -> &'static str {
    let identifier = Identifier::ALL.iter().find(|own| own.as_str() == name);
    let health = Health::ALL.iter().find(|own| own.as_str() == name);
    match (identifier, health) {
        (Some(own), _) => identifier_label(*own),
        (_, Some(own)) => health_label(*own),
        _ => name,
    }
}

/// Whether the class is one of health information.
pub(super) fn is_health(name: &str) -> bool {
    Health::ALL.iter().any(|own| own.as_str() == name)
}

const fn identifier_label(identifier: Identifier) -> &'static str {
    match identifier {
        Identifier::Name => "name",
        Identifier::Email => "email address",
        Identifier::Phone => "telephone number",
        Identifier::Fax => "fax number",
        Identifier::Address => "street address",
        Identifier::City => "city",
        Identifier::Zip => "postal code",
        Identifier::Geo => "coordinates",
        Identifier::BirthDate => "date of birth",
        Identifier::ServiceDate => "date of service",
        Identifier::Ssn => "social security number",
        Identifier::Mrn => "medical record number",
        Identifier::HealthPlanId => "health plan number",
        Identifier::Account => "account number",
        Identifier::License => "license number",
        Identifier::Vehicle => "vehicle number",
        Identifier::DeviceId => "device ID",
        Identifier::OnlineId => "cookie or click ID",
        Identifier::ExternalId => "user ID of the sender",
        Identifier::Ip => "IP address",
        Identifier::Biometric => "biometric identifier",
        Identifier::Photo => "photo",
        Identifier::Sex => "sex or gender",
    }
}

const fn health_label(health: Health) -> &'static str {
    match health {
        Health::Condition => "condition or diagnosis",
        Health::Medication => "medication",
        Health::Procedure => "procedure",
        Health::Lab => "laboratory test",
        Health::Assessment => "self-assessment",
        Health::Appointment => "appointment",
        Health::Treatment => "treatment",
        Health::Insurance => "insurance or benefits",
        Health::Provider => "care provider",
        Health::Reproductive => "reproductive health",
        Health::SubstanceUse => "substance use",
        Health::Inherent => "use of a health service",
    }
}

/// What a category of recipients is called.
pub(super) fn category(name: &str) -> &str {
    match name {
        "ads" => "advertising",
        "dsp" => "programmatic advertising",
        "dmp" => "data marketplace",
        "identity" => "identity matching",
        "exchange" => "advertising exchange",
        "replay" => "session replay",
        "cdp" => "customer data platform",
        "tag_manager" => "tag manager",
        "call_tracking" => "call tracking",
        other => other,
    }
}

/// How a value was written.
pub(super) fn form(name: &'static str) -> String {
    if name == "plain" {
        "in clear".to_owned()
    } else {
        format!("hashed ({name})")
    }
}

/// A severity with a capital letter.
pub(super) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
    }
}
