//! The names of classes, categories and severities on the page.
//!
//! In: the closed sets of findings. Out: words for people who do not know their
//! names in records.

use crate::{
    finding::{Severity, category_name, form_name},
    phi::{Class, Form, Health, Identifier},
    tracker::Category,
};

/// What a class of data is called.
pub(super) const fn class(class: Class) -> &'static str {
    match class {
        Class::Identifier(own) => identifier(own),
        Class::Health(own) => health(own),
    }
}

/// What a class of identifiers is called.
pub(super) const fn identifier(identifier: Identifier) -> &'static str {
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

/// What a class of health information is called.
pub(super) const fn health(health: Health) -> &'static str {
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
pub(super) fn category(category: Option<Category>) -> &'static str {
    match category {
        Some(Category::Ads) => "advertising",
        Some(Category::Dsp) => "programmatic advertising",
        Some(Category::Dmp) => "data marketplace",
        Some(Category::Identity) => "identity matching",
        Some(Category::Exchange) => "advertising exchange",
        Some(Category::Replay) => "session replay",
        Some(Category::Cdp) => "customer data platform",
        Some(Category::TagManager) => "tag manager",
        Some(Category::CallTracking) => "call tracking",
        other => category_name(other),
    }
}

/// How a value was written.
pub(super) fn form(form: Option<Form>) -> String {
    if form == Some(Form::Plain) {
        "in clear".to_owned()
    } else {
        format!("hashed ({})", form_name(form))
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
