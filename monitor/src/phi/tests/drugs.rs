//! Tests of the names and codes of drugs.

use super::*;
use crate::phi::lexicon::{Kind, TABLES};

#[test]
fn names() {
    check(&[
        ("content_name", "Zoloft 50mg", "medication H3"),
        ("event_name", "Wegovy Refill Requested", "medication H3"),
        ("path:1", "semaglutide", "medication H2"),
        (
            "url",
            "https://pharmacy.example/prep/truvada",
            "medication H2",
        ),
        ("content_ids", "Ozempic", ""),
        ("properties.x", "Depo-Provera", "medication H3"),
        (
            "item_name",
            "lisdexamfetamine 30 mg capsules",
            "medication H3",
        ),
        ("takes_sertraline", "true", "medication H3"),
        // By the stem alone.
        ("properties.x", "Fictizumab", "medication H3"),
        ("properties.x", "newgliflozin", "medication H3"),
        ("properties.x", "a newgliflozin", ""),
        ("properties.x", "Spartan", ""),
        ("properties.x", "cholesterol", ""),
        // What means something else needs a key or a dose.
        ("drug", "Yaz", "medication H3"),
        ("medication", "lithium", "medication H3"),
        ("note", "Lithium 300 mg", "medication H3"),
        ("note", "Soma 350 mg tablets", "medication H3"),
        ("x", "Allegra", ""),
        ("x", "Plan B", ""),
        ("item_name", "Lithium battery pack", ""),
        ("first", "Camila", ""),
    ]);
    for (pairs, expected) in [
        (
            &[("x", "insulin"), ("condition", "diabetes")][..],
            "medication H3, condition H3",
        ),
        (&[("x", "Ella"), ("condition", "diabetes")], "condition H3"),
    ] {
        assert_eq!(found(pairs), expected);
    }
}

#[test]
fn codes_and_prescriptions() {
    check(&[
        ("ndc", "00093-7424-56", "medication H3"),
        ("ndc11", "00093742456", "medication H3"),
        ("product_ndc", "0093-7424", "medication H3"),
        ("ndc", "0093-742", ""),
        ("ndc", "00000000000", ""),
        ("x", "00093-7424-56", ""),
        ("upc", "00093742456", ""),
        ("rxcui", "312938", "medication H3"),
        ("rxcui", "none", ""),
        ("rxnorm.code", "312938", "medication H3"),
        ("sig", "Take 1 tablet by mouth daily", "medication H3"),
        ("sig", "ab12", ""),
        ("days_supply", "30", "medication H3"),
        ("rx_number", "7712345", "mrn I3, medication H3"),
        ("quantity", "30", ""),
        ("prescription.quantity", "30", "medication H3"),
        ("strength", "high", ""),
        ("brand_name", "Acme", ""),
    ]);
    for (pairs, expected) in [
        (
            &[("drug", "an unlisted one"), ("quantity", "30")][..],
            "medication H3",
        ),
        (
            &[("drug", "an unlisted one"), ("refills", "3")],
            "medication H3, medication H3",
        ),
        (
            &[
                ("system", "http://www.nlm.nih.gov/research/umls/rxnorm"),
                ("code", "312938"),
            ],
            "medication H3",
        ),
    ] {
        assert_eq!(found(pairs), expected);
    }
}

#[test]
fn every_name_is_listed_once() {
    let names: Vec<&str> = TABLES
        .iter()
        .filter(|(kind, _)| matches!(kind, Kind::Drug | Kind::AmbiguousDrug))
        .flat_map(|(_, names)| names.iter())
        .collect();
    let distinct: HashSet<_> = names.iter().collect();
    assert_eq!(names.len(), distinct.len());
    assert!(names.len() > 3_000, "{}", names.len());
    for name in names {
        assert!(name.len() >= 3, "{name}");
    }
}
