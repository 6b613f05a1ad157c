//! Values of any content under the keys of one class: its validator. The class
//! is named by the variable `PHIWATCH_FUZZ_CLASS`; without it, all are.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use phiwatch::{
    field::{Fields, Part, Step, ValueKind},
    phi::{Detector, detect},
};

/// Paths of each class, with steps separated by points.
const CLASSES: &[(&str, &[&str])] = &[
    (
        "name",
        &[
            "user.name",
            "first_name",
            "user_data.fn",
            "hashed_first_name_sdx",
        ],
    ),
    ("email", &["email", "user_data.em", "note", "url"]),
    ("phone", &["phone", "user_data.ph", "fax", "note"]),
    ("address", &["address", "city", "zip", "lat", "geo", "note"]),
    ("birth_date", &["dob", "birth_year", "age", "user_data.db"]),
    (
        "service_date",
        &["appointment_date", "admission", "date_of_service"],
    ),
    ("ssn", &["ssn", "ssn_last4", "tin", "note"]),
    ("mrn", &["mrn", "patient_id", "patient.id", "chart_no"]),
    (
        "health_plan_id",
        &["member_id", "mbi", "rxbin", "policy_number"],
    ),
    (
        "account",
        &["iban", "account_number", "routing_number", "card"],
    ),
    ("license", &["dea", "license_no", "driver_license"]),
    ("vehicle", &["vin", "plate"]),
    ("device_id", &["idfa", "imei", "mac", "udi", "serial"]),
    (
        "online_id",
        &["fbp", "fbc", "_ga", "gclid", "cid", "cookie"],
    ),
    (
        "external_id",
        &["user_id", "external_id", "distinct_id", "uid"],
    ),
    ("ip", &["ip", "client_ip_address", "x-forwarded-for"]),
    ("biometric", &["fingerprint", "voiceprint"]),
    ("photo", &["photo", "patient.avatar"]),
    ("sex", &["gender", "user_data.ge"]),
    (
        "condition",
        &["condition", "diagnosis", "icd10", "has_depression", "code"],
    ),
    (
        "medication",
        &["medication", "ndc", "rxcui", "dosage", "drug_name"],
    ),
    ("procedure", &["cpt", "hcpcs", "procedure", "service_code"]),
    ("lab", &["loinc", "lab_result", "a1c", "test_name"]),
    (
        "assessment",
        &["phq9_score", "answers.0", "q3", "assessment", "severity"],
    ),
    (
        "appointment",
        &["appointment_type", "visit_reason", "event_name"],
    ),
    ("treatment", &["treatment", "therapy_type", "care_plan"]),
    ("insurance", &["copay", "insurer", "plan_name", "payer"]),
    ("provider", &["npi", "doctor_name", "specialty"]),
    ("reproductive", &["lmp", "due_date", "cycle_day", "event"]),
    (
        "substance_use",
        &["drinks_per_week", "substance", "sobriety_date"],
    ),
];

static CHOSEN: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let wanted = std::env::var("PHIWATCH_FUZZ_CLASS").ok();
    let paths: Vec<_> = CLASSES
        .iter()
        .filter(|(class, _)| wanted.as_deref().is_none_or(|wanted| wanted == *class))
        .flat_map(|(_, paths)| paths.iter().copied())
        .collect();
    assert!(!paths.is_empty(), "no such class");
    paths
});

fuzz_target!(|input: (u8, &str, u8, &str)| {
    let (first, value, second, beside) = input;
    let mut fields = Fields::default();
    for (index, value) in [(first, value), (second, beside)] {
        let path = CHOSEN[usize::from(index) % CHOSEN.len()];
        let steps: Vec<Step<'_>> = path
            .split('.')
            .map(|step| step.parse().map_or(Step::Key(step), Step::Index))
            .collect();
        let kind = if value.parse::<f64>().is_ok() {
            ValueKind::Number
        } else {
            ValueKind::Text
        };
        fields.push(Part::Body, &steps, value, kind, false);
    }
    // The results do not depend on what was learned before.
    let mut detector = Detector::default();
    let found = detector.detect(&fields);
    assert_eq!(found, detector.detect(&fields));
    assert_eq!(found, detect(&fields));
    for item in &found {
        let shown = item.masked.chars().count();
        assert!(shown <= 9, "{} shows {shown} characters", item.rule);
    }
});
