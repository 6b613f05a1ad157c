//! Tests of the codes of conditions, procedures and laboratory tests.

use super::*;

#[test]
fn conditions_by_code() {
    check(&[
        // With its point a code speaks for itself, wherever it stands.
        ("properties.x", "F32.1", "condition H3"),
        ("custom_data.value2", "E11.9", "condition H3"),
        ("note", "seen for F32.1, stable", "condition H3"),
        ("note", "(Z79.4)", "condition H3"),
        ("event_name", "Viewed F33.41", "condition H2"),
        ("page_title", "F32.1 explained", "condition H2"),
        ("url", "https://clinic.example/icd/f32.1", "condition H2"),
        ("properties.x", "S01.00XA", "condition H3"),
        ("properties.x", "F32.19", ""),
        ("properties.x", "F321", ""),
        ("properties.x", "f32.1", ""),
        ("properties.x", "V16.5", ""),
        ("properties.x", "F32.1.2", ""),
        ("properties.x", "a-F32.1", ""),
        ("properties.x", "xF32.1", ""),
        ("properties.x", "F32.1-2", ""),
        ("properties.x", "F32.1%", ""),
        // Without it a key has to say so.
        ("icd10", "F32", "condition H3"),
        ("icd10_code", "f321", "condition H3"),
        ("ICD-10-CM", "F321", "condition H3"),
        ("primaryDxCode", "E119", "condition H3"),
        ("primary_dx", "F32", "condition H3"),
        ("admitting_diagnosis", "F321", "condition H3"),
        ("diagnosis.code", "E119", "condition H3"),
        ("diagnosis_codes.0", "B20", "condition H3"),
        ("icd.code", "B20", "condition H3"),
        ("icd_codes", "F41.1|F32.9", "condition H3"),
        ("diagnosis", "F32.1 - major depression", "condition H3"),
        ("condition_code", "B20", "condition H3"),
        ("problem", "E119", "condition H3"),
        ("problem", "B20", ""),
        ("condition", "B12", ""),
        // A shape that this year's list does not have.
        ("icd10", "U99.9", "condition H3"),
        ("dx", "U999", ""),
        ("icd10", "F3.29", ""),
        ("icd10", "none", ""),
        // Other systems.
        ("icd9", "296.20", "condition H3"),
        ("icd9_code", "29620", "condition H3"),
        ("icd9", "V58.69", "condition H3"),
        ("icd9", "E950.0", "condition H3"),
        ("dx_code", "296.2", "condition H3"),
        ("dx", "296.2", "condition H3"),
        ("icd9", "12", ""),
        ("price", "296.20", ""),
        ("icd11", "6A70.1", "condition H3"),
        ("icd11", "6A70", "condition H3"),
        ("icd11", "version", ""),
        ("snomed_code", "35489007", "condition H3"),
        ("snomedCt", "73211009", "condition H3"),
        ("snomed_code", "35489008", ""),
        ("order_id", "35489007", ""),
        ("dsm5_code", "F32.1", "condition H3"),
        ("dsm_code", "296.22", "condition H3"),
    ]);
    for code in ["F320", "B20"] {
        for system in [
            "http://hl7.org/fhir/sid/icd-10-cm",
            "ICD-10",
            "urn:oid:2.16.840.1.113883.6.90",
        ] {
            let pairs = [("coding.0.system", system), ("coding.0.code", code)];
            assert_eq!(found(&pairs), "condition H3", "{system} {code}");
        }
    }
    assert_eq!(
        found(&[("coding.0.system", "metric"), ("coding.0.code", "B20")]),
        ""
    );
    assert_eq!(
        found(&[("system", "http://snomed.info/sct"), ("code", "35489007")]),
        "condition H3"
    );
}

#[test]
fn procedures() {
    check(&[
        ("cpt", "99213", "procedure H3"),
        ("cptCode", "90834", "procedure H3"),
        ("cpt_codes.0", "0001U", "procedure H3"),
        ("cpt", "99213-25", "procedure H3"),
        ("hcpcs", "J0571", "procedure H3"),
        ("hcpcs_code", "G0463-95", "procedure H3"),
        ("procedure_code", "99213, 90834", "procedure H3"),
        ("icd10pcs", "0DTJ4ZZ", "procedure H3"),
        ("cpt", "9921", ""),
        ("cpt", "992133", ""),
        ("cpt", "W0001", ""),
        ("cpt", "0001X", ""),
        ("cpt", "free", ""),
        ("zip", "99213", "zip I1"),
        ("service_code", "99213", "procedure H3"),
        ("service_code", "12345", ""),
        ("billing_code", "44213", ""),
        ("procedure", "12345", ""),
        ("procedure_name", "getUser", ""),
        ("procedure_name", "sp_update_cart", ""),
        ("procedure_name", "Colonoscopy", "procedure H3"),
        ("surgery_type", "an unlisted one", "procedure H3"),
        (
            "event_name",
            "Vasectomy Consult Booked",
            "procedure H2, appointment H2, reproductive H2",
        ),
        (
            "page_title",
            "Egg retrieval: what to expect",
            "procedure H2",
        ),
        ("path:0", "mammogram", "procedure H2"),
        (
            "url",
            "https://clinic.example/iud-insertion",
            "procedure H2, reproductive H2",
        ),
        ("has_had_hysterectomy", "true", "procedure H3"),
        ("revenue_code", "0450", ""),
    ]);
    for (pairs, expected) in [
        (
            &[("service_code", "99213"), ("event", "PHQ-9")][..],
            "procedure H3, assessment H2",
        ),
        (
            &[("drg", "885"), ("event", "PHQ-9")],
            "procedure H3, assessment H2",
        ),
        (
            &[
                ("system", "http://www.ama-assn.org/go/cpt"),
                ("code", "90834"),
            ],
            "procedure H3",
        ),
        (
            &[("procedure", "an unlisted one"), ("event", "PHQ-9")],
            "procedure H3, assessment H2",
        ),
    ] {
        assert_eq!(found(pairs), expected, "{pairs:?}");
    }
}

#[test]
fn laboratory_tests() {
    check(&[
        ("loinc", "4548-4", "lab H3"),
        ("loinc_code", "44261-6", "lab H3, assessment H3"),
        ("observation.loinc", "718-7", "lab H3"),
        ("lab_code", "2345-7", "lab H3"),
        ("x", "http://loinc.org|4548-4", "lab H3"),
        ("x", "LOINC:4548-4", "lab H3"),
        ("loinc", "4548-5", ""),
        ("loinc", "12-3", ""),
        ("x", "4548-4", ""),
        ("range", "12-3", ""),
        ("score", "4548-4", ""),
        ("event_name", "HbA1c Test Ordered", "lab H2"),
        ("event_name", "A1C Test Ordered", "lab H2"),
        ("page_title", "At-home STD panel", "lab H2"),
        ("hba1c", "7.2", "lab H3"),
        ("a1c", "7.2", "lab H3"),
        ("psa_level", "4.1", "lab H3"),
        ("testosterone_level", "310", "lab H3"),
        ("lab_result", "positive", "lab H3"),
        ("lab_value", "7.2", "lab H3"),
        ("cd4_count", "350", "lab H3"),
        ("test_result", "positive", ""),
        ("test_result", "variant_b_wins", ""),
        ("test_name", "checkout_ab", ""),
        ("psa", "4.1", ""),
        ("title", "PSA grading for cards", ""),
        ("title", "A1 C", ""),
        ("lab", "skunkworks", ""),
    ]);
    for (pairs, expected) in [
        (
            &[("system", "http://loinc.org"), ("code", "4548-4")][..],
            "lab H3",
        ),
        (&[("code", "4548-4")], ""),
        (
            &[("test_result", "positive"), ("event", "PHQ-9")],
            "lab H3, assessment H2",
        ),
    ] {
        assert_eq!(found(pairs), expected, "{pairs:?}");
    }
}
