//! Insurance and benefits: keys, and names of plans and insurers.

use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Table, Term},
    subject::{Subject, Surroundings},
    text,
};

/// Health insurers and public plans of the United States.
pub(super) const TERMS: &[Table] = &[(
    Kind::Payer,
    &[
        "aetna",
        "ambetter",
        "anthem",
        "bcbs",
        "blue cross",
        "blue shield",
        "cigna",
        "emblemhealth",
        "health insurance",
        "healthfirst",
        "highmark",
        "humana",
        "kaiser permanente",
        "magellan health",
        "medicaid",
        "medicare",
        "molina",
        "optum",
        "oscar health",
        "tricare",
        "united healthcare",
        "unitedhealthcare",
        "wellcare",
    ],
)];

/// Words of keys that are about insurance. An insured parcel is not.
pub(super) const WORDS: &[&str] = &["insurance", "insurer", "payer"];

/// Words beside which insurance is not of health.
const OTHER_WORDS: &[&str] = &[
    "auto",
    "car",
    "device",
    "home",
    "life",
    "package",
    "pet",
    "protection",
    "shipping",
    "travel",
    "vehicle",
];

/// Words beside which even health insurance is not a person's.
const OTHER_KINDS: &[&str] = &["auto", "car", "pet", "travel", "vehicle"];

/// Keys that are about health insurance by themselves.
pub(super) const KEYS: &[&str] = &[
    "coinsurance",
    "copay",
    "copayamount",
    "copayment",
    "deductible",
    "healthinsurance",
    "healthplan",
    "healthplanname",
    "insurance",
    "insurancecarrier",
    "insurancecompany",
    "insurancename",
    "insurancepayer",
    "insuranceplan",
    "insuranceplanname",
    "insuranceprovider",
    "insurancetype",
    "insurer",
    "insurername",
    "outofpocketmax",
    "payername",
    "pharmacyplan",
    "pharmacyplanname",
    "priorauth",
    "priorauthorization",
    "rxbin",
    "rxgroup",
    "rxpcn",
];

/// Keys that are about it where the value or the message says so.
pub(super) const WEAK_KEYS: &[&str] = &[
    "benefits",
    "carrier",
    "coverage",
    "coveragetype",
    "eligibility",
    "payer",
    "payerid",
    "plan",
    "planid",
    "planname",
    "plantype",
];

/// Whether the value or its key names health insurance.
pub(super) fn is_named(subject: &Subject<'_>) -> bool {
    (is_key(subject) && !text::is_negative(subject.value)) || payer(subject).is_some()
}

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let has_value = !text::is_negative(subject.value);
    if is_key(subject) && has_value {
        hits.health(
            Health::Insurance,
            Strength::H3,
            "insurance.key",
            subject.value,
        );
    }
    let weak = subject.leaf_in(WEAK_KEYS);
    // Payment interfaces call a customer `payer` too, but not by a text.
    let is_payer = subject.leaf().is_some_and(|leaf| leaf.folded == "payer") && subject.is_text();
    let under_insurance = subject.under(WORDS) && !subject.under(OTHER_WORDS);
    let weak = weak && !is_of_other(subject);
    if has_value && (weak && (surroundings.insurance || under_insurance) || is_payer) {
        hits.health(
            Health::Insurance,
            Strength::H3,
            "insurance.key.context",
            subject.value,
        );
    }
    if let Some(term) = payer(subject) {
        let strength = if weak || is_key(subject) {
            Strength::H3
        } else {
            Strength::H2
        };
        hits.health(Health::Insurance, strength, "insurance.term", term.phrase);
    }
}

fn is_key(subject: &Subject<'_>) -> bool {
    subject.leaf_in(KEYS)
        && !is_of_other(subject)
        && !subject
            .leaf()
            .is_some_and(|leaf| leaf.has_word(OTHER_WORDS))
        && !subject.under(OTHER_WORDS)
}

/// Whether the value names insurance of something else.
fn is_of_other(subject: &Subject<'_>) -> bool {
    subject.has_word(OTHER_WORDS)
        && !subject.has_word(&["dental", "health", "medical", "vision"])
        && payer(subject).is_none()
        || subject.has_word(OTHER_KINDS)
}

/// The insurer or plan that the value names.
fn payer(subject: &Subject<'_>) -> Option<Term> {
    subject
        .term(Kind::Payer)
        .filter(|term| term.phrase != "health insurance" || !subject.has_word(OTHER_KINDS))
}
