//! Insurance and benefits: keys, and names of plans and insurers.

use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Table, Term},
    sense, shared,
    subject::{Subject, Surroundings},
    text,
    trade::{Trade, Trades},
};
use crate::field::ValueKind;

/// Health insurers, public plans and benefits of the United States.
pub(super) const TERMS: &[Table] = &[(
    Kind::Payer,
    &[
        "aetna",
        "affinity health",
        "ahcccs",
        "alliance health plan",
        "allwell",
        "ambetter",
        "amerigroup",
        "amerihealth",
        "anthem blue",
        "anthem",
        "avmed",
        "bcbs",
        "beacon health",
        "blue cross",
        "blue shield",
        "bluecross",
        "bluecard",
        "brand new day",
        "bright healthcare",
        "buckeye health",
        "caloptima",
        "capital blue",
        "capital bluecross",
        "careoregon",
        "carefirst",
        "caresource",
        "carelon",
        "cdphp",
        "centene",
        "champva",
        "cigna",
        "clover health",
        "community health plan",
        "connecticare",
        "devoted health",
        "dental insurance",
        "denti cal",
        "elevance",
        "emblemhealth",
        "employee assistance program",
        "empire blue",
        "evernorth",
        "express scripts",
        "fallon health",
        "fidelis care",
        "first health network",
        "florida blue",
        "geisinger health",
        "geha",
        "group health cooperative",
        "harvard pilgrim",
        "hawaii medical service",
        "health alliance plan",
        "health insurance",
        "health first plan",
        "health net",
        "health partners plan",
        "healthfirst",
        "healthpartners",
        "healthspring",
        "healthy blue",
        "hennepin health",
        "highmark",
        "hip health plan",
        "hmsa",
        "horizon blue",
        "horizon bcbs",
        "humana",
        "independence blue",
        "independent health",
        "kaiser permanente",
        "l a care",
        "lifewise health",
        "magellan health",
        "magnacare",
        "masshealth",
        "mass general brigham health plan",
        "medi cal",
        "medica health",
        "medicaid",
        "medical mutual",
        "medicare",
        "meridian health",
        "meritain",
        "mercy care",
        "metroplus",
        "moda health",
        "molina",
        "multiplan",
        "mutual of omaha medicare",
        "mvp health",
        "mynexus",
        "network health plan",
        "neighborhood health plan",
        "optima health",
        "optum",
        "optumrx",
        "oscar health",
        "oxford health",
        "pacificsource",
        "paramount health",
        "passport health plan",
        "peach state health",
        "physicians health plan",
        "preferred one",
        "premera",
        "presbyterian health plan",
        "priority health",
        "providence health plan",
        "quartz health",
        "regence",
        "scott and white health",
        "security health plan",
        "selecthealth",
        "sentara health",
        "sharp health plan",
        "simply healthcare",
        "sunshine health",
        "superior healthplan",
        "surest",
        "tricare",
        "triwest",
        "tufts health",
        "umr",
        "united healthcare",
        "unitedhealth",
        "unitedhealthcare",
        "unitedhealth care",
        "univera",
        "upmc health plan",
        "veterans affairs health",
        "vision insurance",
        "viva health",
        "wellcare",
        "wellpoint",
        "wellmark",
        "seguro médico",
        "seguro de salud",
        "medical claim",
        "medical insurance",
        "mental health benefits",
        "insurance eligibility",
        "insurance verification",
        "verify insurance",
        "out of network benefits",
        "prior authorization",
    ],
)];

/// Terms that name no insurer, and are no health insurance beside others.
const GENERIC: &[&str] = &[
    "dental insurance",
    "health insurance",
    "insurance eligibility",
    "insurance verification",
    "medical insurance",
    "verify insurance",
    "vision insurance",
];

/// Insurers whose names mean other things: they count beside words of
/// insurance, and under its keys.
const AMBIGUOUS: &[&str] = &[
    "anthem",
    "highmark",
    "premera",
    "regence",
    "surest",
    "univera",
    "umr",
    "brand new day",
    "optum",
    "centene",
    "molina",
    "geha",
    "community health plan",
];

/// Words beside which an ambiguous name is an insurer's.
const INSURANCE_WORDS: &[&str] = &[
    "benefit",
    "benefits",
    "bronze",
    "carrier",
    "copay",
    "coverage",
    "deductible",
    "epo",
    "gold",
    "hmo",
    "insurance",
    "insurer",
    "medicaid",
    "medicare",
    "network",
    "payer",
    "payor",
    "plan",
    "ppo",
    "silver",
];

/// Kinds of plans that only health insurance has.
const NETWORKS: &[&str] = &["epo", "hdhp", "hmo", "medigap", "ppo"];

/// Words of keys that are about insurance. An insured parcel is not.
pub(super) const WORDS: &[&str] = &["insurance", "insurer", "payer", "payor"];

/// Words beside which insurance is not of health.
const OTHER_WORDS: &[&str] = &[
    "accident",
    "auto",
    "boat",
    "bond",
    "business",
    "car",
    "condo",
    "crop",
    "cyber",
    "deposit",
    "device",
    "earthquake",
    "flight",
    "flood",
    "freight",
    "home",
    "homeowner",
    "homeowners",
    "landlord",
    "liability",
    "life",
    "motor",
    "motorcycle",
    "order",
    "package",
    "pet",
    "phone",
    "property",
    "protection",
    "purchase",
    "renter",
    "renters",
    "rental",
    "route",
    "screen",
    "shipment",
    "shipping",
    "ticket",
    "title",
    "travel",
    "trip",
    "umbrella",
    "vehicle",
    "warranty",
];

/// Who insures cars, homes, pets and journeys. Under a key of insurance these are
/// names of insurers; elsewhere they are words.
const OTHER_INSURERS: &[&str] = &[
    "admiral",
    "allianz",
    "allstate",
    "amica",
    "aviva",
    "axa",
    "chubb",
    "erie",
    "esurance",
    "farmers",
    "figo",
    "geico",
    "generali",
    "hiscox",
    "lemonade",
    "mapfre",
    "metromile",
    "nationwide",
    "nomads",
    "progressive",
    "safetywing",
    "travelers",
    "trupanion",
    "usaa",
    "zurich",
];

/// Words beside which even health insurance is not a person's.
const OTHER_KINDS: &[&str] = &["auto", "car", "pet", "travel", "vehicle"];

/// Trades in whose events insurance, deductibles and payers are theirs.
const OTHER_TRADES: Trades = Trades::of(&[Trade::OtherInsurance, Trade::Pet]);

/// Keys that are about health insurance by themselves.
pub(super) const KEYS: &[&str] = &[
    "benefitplan",
    "coinsurance",
    "copay",
    "copayamount",
    "copayment",
    "deductible",
    "deductibleamount",
    "deductiblemet",
    "deductibleremaining",
    "hasinsurance",
    "hashealthinsurance",
    "healthinsurance",
    "healthinsuranceprovider",
    "healthplan",
    "healthplanname",
    "innetwork",
    "insurance",
    "insurancecarrier",
    "insurancecompany",
    "insurancecoverage",
    "insuranceeligibility",
    "insurancename",
    "insurancenetwork",
    "insurancepayer",
    "insurancepayor",
    "insuranceplan",
    "insuranceplanname",
    "insuranceplantype",
    "insuranceprovider",
    "insurancestatus",
    "insurancetype",
    "insuranceverified",
    "insurer",
    "insurername",
    "medicaidplan",
    "medicalinsurance",
    "medicareplan",
    "outofpocketmax",
    "outofpocketmaximum",
    "pharmacybenefit",
    "pharmacyplan",
    "pharmacyplanname",
    "primaryinsurance",
    "priorauth",
    "priorauthorization",
    "priorauthnumber",
    "priorauthstatus",
    "rxbin",
    "rxgroup",
    "rxpcn",
    "secondaryinsurance",
    "secondarypayer",
];

/// Keys that are about it where the value or the message says so.
pub(super) const WEAK_KEYS: &[&str] = &[
    "benefit",
    "benefits",
    "benefitslevel",
    "carrier",
    "coverage",
    "coveragelevel",
    "coveragestatus",
    "coveragetype",
    "eligibility",
    "eligibilitystatus",
    "groupname",
    "metaltier",
    "payer",
    "payerid",
    "payername",
    "payor",
    "payorname",
    "plan",
    "planid",
    "planname",
    "plantype",
    "preauthorization",
    "tier",
];

/// Whether the event is about health insurance: `named` says that a value or a
/// key of it names insurance, `certain` that one names an insurer.
pub(super) fn is_of_health(named: bool, certain: bool, trades: Trades) -> bool {
    certain || (named && !trades.meets(OTHER_TRADES))
}

/// Whether the value or its key names insurance.
pub(super) fn is_named(subject: &Subject<'_>) -> bool {
    is_key(subject, Surroundings::default()) && has_value(subject)
}

/// Whether the value names health insurance or an insurer.
pub(super) fn is_certain(subject: &Subject<'_>) -> bool {
    payer(subject, Surroundings::default()).is_some()
}

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let mut push =
        |strength, rule, shown: &str| hits.health(Health::Insurance, strength, rule, shown);
    let has_value = has_value(subject);
    let keyed = is_key(subject, surroundings);
    if keyed && has_value {
        push(Strength::H3, "insurance.key", subject.value);
    }
    // Payment interfaces call a customer `payer` too, but not by a text.
    let is_payer = subject
        .leaf()
        .is_some_and(|leaf| matches!(leaf.folded.as_str(), "payer" | "payor"))
        && subject.is_text()
        && subject.value.contains(' ')
        && (subject.has_word(INSURANCE_WORDS) || subject.words().iter().any(shared::is_of_health));
    let under_insurance = subject.under(WORDS) && !subject.under(OTHER_WORDS);
    let is_other = is_of_other(subject) || is_of_other_trade(subject, surroundings);
    let weak = subject.leaf_in(WEAK_KEYS) && !is_other;
    let is_network = subject.has_word(NETWORKS);
    if has_value
        && (weak && (surroundings.insurance || under_insurance || is_network)
            || is_payer && !is_other)
    {
        push(Strength::H3, "insurance.key.context", subject.value);
    }
    if let Some(term) = payer(subject, surroundings) {
        let stated = (weak || keyed) && has_value;
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        push(strength, "insurance.term", term.phrase);
    }
}

/// Whether the value says more than that there is none.
fn has_value(subject: &Subject<'_>) -> bool {
    !text::is_negative(subject.value) && !sense::is_off(subject)
}

fn is_key(subject: &Subject<'_>, surroundings: Surroundings) -> bool {
    // Parcels are insured or not.
    let is_flag = subject.leaf_in(&["insurance"])
        && (subject.kind == ValueKind::Literal || subject.value.eq_ignore_ascii_case("yes"));
    subject.leaf_in(KEYS)
        && !is_flag
        && !is_of_other(subject)
        && !is_of_other_trade(subject, surroundings)
        && !sense::is_of_interface(subject)
        && !subject
            .leaf()
            .is_some_and(|leaf| leaf.has_word(OTHER_WORDS))
        && !subject.under(OTHER_WORDS)
}

/// Whether the value names insurance of something else.
pub(super) fn is_of_other(subject: &Subject<'_>) -> bool {
    subject.has_word(OTHER_WORDS)
        && !subject.has_word(&["dental", "health", "medical", "vision"])
        && payer(subject, Surroundings::default()).is_none()
        || subject.has_word(OTHER_KINDS)
        || subject.has_word(OTHER_INSURERS)
}

/// Whether the event is about insurance of something else, and the value does
/// not say otherwise.
fn is_of_other_trade(subject: &Subject<'_>, surroundings: Surroundings) -> bool {
    surroundings.trades.meets(OTHER_TRADES)
        && !subject.has_word(&["dental", "health", "medical", "vision"])
        && !subject
            .leaf()
            .is_some_and(|leaf| leaf.has_word(&["health", "medical", "rx", "copay", "medicare"]))
        && subject
            .term(Kind::Payer)
            .is_none_or(|term| AMBIGUOUS.contains(&term.phrase))
}

/// The insurer or plan that the value names.
fn payer(subject: &Subject<'_>, surroundings: Surroundings) -> Option<Term> {
    if sense::is_name(subject) && !subject.leaf_in(KEYS) {
        return None;
    }
    let is_generic = |term: &Term| GENERIC.contains(&term.phrase);
    let is_ambiguous = |term: &Term| AMBIGUOUS.contains(&term.phrase);
    (subject.terms.iter().copied())
        .filter(|term| term.kind == Kind::Payer)
        .find(|term| {
            let other = is_generic(term)
                && (subject.has_word(OTHER_KINDS) || is_of_other_trade(subject, surroundings));
            let clear = !is_ambiguous(term)
                || sense::beside(subject, INSURANCE_WORDS)
                || surroundings.insurance && sense::is_element(subject, term.phrase);
            !other && clear
        })
}
