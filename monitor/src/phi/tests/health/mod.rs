//! Tests of the detectors of health information.

use super::*;

mod negatives;
mod positives;
mod spellings;
mod trades;

/// Fields of an event written in one line: `event=Purchase | value=19.99`.
fn event(line: &str) -> Vec<(&str, &str)> {
    line.split(" | ")
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect()
}

#[test]
fn conditions() {
    check(&[
        (
            "custom_data.diagnosis",
            "Major depressive disorder",
            "condition H3",
        ),
        ("custom_data.condition", "anxiety", "condition H3"),
        (
            "custom_data.content_name",
            "Depression quiz",
            "condition H2, assessment H2",
        ),
        (
            "event_name",
            "ADHDTestStarted",
            "condition H2, assessment H2",
        ),
        (
            "event_source_url",
            "https://clinic.example/care/bipolar-disorder",
            "condition H2",
        ),
        (
            "url",
            "https://clinic.example/quiz?condition=ptsd",
            "condition H3",
        ),
        ("properties.has_depression", "true", "condition H3"),
        ("properties.has_depression", "false", ""),
        ("diagnosis", "an unlisted one", ""),
        ("diagnosis", "M54.5", "condition H3"),
        ("diagnosis", "none", ""),
        ("chief_complaint", "an unlisted one", "condition H3"),
        ("condition", "no", ""),
        ("sku", "depression-glass", ""),
        ("content_ids.0", "anxiety-ring", ""),
        ("products.0.id", "lithium-depression", ""),
        ("products.0.name", "Depression workbook", "condition H2"),
        ("icd10", "F32.9", "condition H3"),
        ("icd_codes", "F41.1, F32.9", "condition H3"),
        ("icd10", "f32.9", "condition H3"),
        ("icd10", "F3.29", ""),
        ("icd10", "hello", ""),
        ("condition", "new", ""),
        ("title", "Tropical depression nears coast", ""),
        ("title", "Cancer horoscope", ""),
        ("user_agent", "Anxiety/1.0", ""),
        ("sku", "A320", ""),
        ("codec", "H264", ""),
        ("sku", "B12", ""),
        ("city_expression", "expression", ""),
    ]);
}

#[test]
fn medication_and_treatment() {
    check(&[
        ("content_name", "Zoloft 50mg", "medication H3"),
        ("properties.medication", "an unlisted one", "medication H3"),
        ("medication", "lithium", "medication H3"),
        ("item_name", "Lithium battery", ""),
        ("ndc", "0002-8215-01", "medication H3"),
        ("ndc", "12345", ""),
        ("product", "0002-8215-01", ""),
        ("dosage", "50mg", ""),
        ("refills", "2", ""),
        ("prescription.dose", "50mg", "medication H3"),
        ("pharmacy_name", "Corner Pharmacy", "medication H3"),
        ("treatment", "Cognitive Behavioral Therapy", "treatment H3"),
        ("therapy_type", "weekly", "treatment H3"),
        ("treatment", "control", ""),
        ("page_title", "Online therapy for couples", "treatment H2"),
        ("event_name", "Aromatherapy", ""),
    ]);
}

#[test]
fn assessments() {
    check(&[
        ("properties.phq9_score", "14", "assessment H3"),
        ("phq9.q1", "2", "assessment H3"),
        ("event_name", "PHQ-9 Completed", "assessment H2"),
        ("assessment", "GAD-7", "assessment H3"),
        (
            "properties.answer",
            "More than half the days",
            "assessment H3",
        ),
        (
            "q",
            "Little interest or pleasure in doing things",
            "assessment H3",
        ),
        ("suicidal_ideation", "no", "condition H2, assessment H3"),
        ("event", "Self-Assessment Started", "assessment H2"),
        ("audit", "passed", ""),
        ("ace", "3", ""),
        ("ace_score", "3", "assessment H3"),
        ("score", "14", ""),
        ("answers.0", "2", ""),
        ("event", "Skills assessment", ""),
    ]);
    assert_eq!(
        found(&[
            ("event", "GAD-7"),
            ("answers.0", "2"),
            ("answers.1", "0"),
            ("score", "14")
        ]),
        "assessment H2, assessment H3, assessment H3, assessment H3",
    );
    assert_eq!(
        found(&[
            ("a.0.question", "Feeling nervous, anxious or on edge"),
            ("a.0.answer", "2")
        ]),
        "condition H2, assessment H3, condition H3, assessment H3",
    );
}

#[test]
fn appointments_insurance_and_providers() {
    check(&[
        ("event_name", "Appointment Booked", "appointment H2"),
        ("event_name", "Demo appointment", ""),
        ("event_name", "Schedule", ""),
        ("appointment_type", "initial evaluation", "appointment H3"),
        ("appointment_booked", "true", "appointment H2"),
        ("insurer", "Example Health PPO", "insurance H3"),
        ("payer", "Example Health PPO", "insurance H3"),
        ("plan", "Aetna Silver", "insurance H3"),
        ("plan", "pro", ""),
        ("traits.plan", "Enterprise", ""),
        ("copay", "25", "insurance H3"),
        ("car_insurance", "yes", ""),
        ("insurance", "false", ""),
        ("insurance", "n", ""),
        ("insurance", "", ""),
        ("insurance_type", "auto", ""),
        ("insurance_type", "Vehicle", ""),
        ("insurance_type", "PPO", "insurance H3"),
        ("insurance_name", "Home Example Health", "insurance H3"),
        ("page_title", "Pet health insurance", ""),
        ("page_title", "Health insurance", "insurance H2"),
        ("doctor", "no", ""),
        ("doctor", "none", ""),
        ("provider", "n", ""),
        ("shipping_insurance", "2.99", ""),
        ("coverage", "87", ""),
        ("npi", "1234567893", "provider H3"),
        ("npi", "1234567890", ""),
        ("event_time", "1764038467", ""),
        ("doctor_name", "Ann Smith", "provider H3"),
        ("provider", "Ann Smith, PMHNP", "provider H3"),
        ("provider", "google", ""),
        ("specialty", "Psychiatry", "treatment H3, provider H3"),
        ("specialty", "Oncology", "provider H3"),
    ]);
    assert_eq!(
        found(&[("insurer", "Example Health"), ("plan", "Silver 70")]),
        "insurance H3, insurance H3",
    );
}

#[test]
fn keys_of_other_trades_need_health_beside() {
    for (pairs, expected) in [
        (
            &[("diagnosis", "an unlisted one"), ("event", "PHQ-9")][..],
            "condition H3, assessment H2",
        ),
        (
            &[("dosage", "50mg"), ("drug", "an unlisted one")],
            "medication H3, medication H3",
        ),
        (
            &[("appointment_date", "2026-12-01"), ("event", "Booked")],
            "service_date I1, appointment H3, appointment H2",
        ),
        (
            &[("appointment_date", "2026-12-01"), ("title", "Telehealth")],
            "service_date I1, appointment H3, appointment H2",
        ),
        (
            &[
                ("events.0.diagnosis", "an unlisted one"),
                ("events.1.condition", "anxiety"),
            ],
            "condition H3",
        ),
        (&[("insurance", "no"), ("plan", "gold")], ""),
        (&[("insurance_type", "auto"), ("plan", "gold")], ""),
    ] {
        assert_eq!(found(pairs), expected);
    }
}

#[test]
fn reproduction_and_substances() {
    check(&[
        ("event_name", "Log period-save", "reproductive H2"),
        ("search_string", "pregnancy termination", "reproductive H2"),
        ("pregnancy_status", "yes", "reproductive H3"),
        ("billing_period", "monthly", ""),
        (
            "event_name",
            "Alcohol Treatment Tier Paid",
            "substance_use H2",
        ),
        ("drinks_per_week", "20", "substance_use H3"),
        ("category", "Alcohol", ""),
        ("title", "Addiction: the video game", ""),
    ]);
}
