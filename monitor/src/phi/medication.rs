//! Drugs: names in any vehicle, values of medication keys, NDC codes by key.

use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Table},
    subject::{Subject, Surroundings},
    text,
};

/// Names of drugs, psychiatric ones first.
pub(super) const TERMS: &[Table] = &[
    (
        Kind::Drug,
        &[
            "sertraline",
            "escitalopram",
            "fluoxetine",
            "citalopram",
            "paroxetine",
            "fluvoxamine",
            "bupropion",
            "venlafaxine",
            "desvenlafaxine",
            "duloxetine",
            "trazodone",
            "mirtazapine",
            "vortioxetine",
            "vilazodone",
            "buspirone",
            "hydroxyzine",
            "propranolol",
            "lamotrigine",
            "quetiapine",
            "aripiprazole",
            "olanzapine",
            "risperidone",
            "lurasidone",
            "ziprasidone",
            "haloperidol",
            "clozapine",
            "valproate",
            "divalproex",
            "carbamazepine",
            "gabapentin",
            "clonazepam",
            "alprazolam",
            "lorazepam",
            "diazepam",
            "methylphenidate",
            "dextroamphetamine",
            "amphetamine",
            "lisdexamfetamine",
            "atomoxetine",
            "guanfacine",
            "clonidine",
            "viloxazine",
            "naltrexone",
            "buprenorphine",
            "naloxone",
            "methadone",
            "disulfiram",
            "acamprosate",
            "zolpidem",
            "eszopiclone",
            "prazosin",
            "esketamine",
            "ketamine",
            "amitriptyline",
            "nortriptyline",
            "zoloft",
            "lexapro",
            "prozac",
            "celexa",
            "paxil",
            "wellbutrin",
            "effexor",
            "pristiq",
            "cymbalta",
            "trintellix",
            "lamictal",
            "seroquel",
            "abilify",
            "zyprexa",
            "risperdal",
            "latuda",
            "adderall",
            "vyvanse",
            "ritalin",
            "strattera",
            "suboxone",
            "vivitrol",
            "xanax",
            "klonopin",
            "ativan",
            "valium",
            "ambien",
            "spravato",
            "semaglutide",
            "ozempic",
            "wegovy",
            "tirzepatide",
            "mounjaro",
            "zepbound",
            "metformin",
            "atorvastatin",
            "lisinopril",
            "levothyroxine",
            "sildenafil",
            "viagra",
            "tadalafil",
            "cialis",
            "finasteride",
            "minoxidil",
            "propecia",
            "valacyclovir",
            "valtrex",
            "acyclovir",
            "truvada",
            "descovy",
            "emtricitabine",
            "tenofovir",
            "mifepristone",
            "misoprostol",
            "levonorgestrel",
            "clomiphene",
            "letrozole",
            "tamoxifen",
            "methotrexate",
            "adalimumab",
            "humira",
            "oxycodone",
            "hydrocodone",
            "tramadol",
            "tretinoin",
            "spironolactone",
            "isotretinoin",
        ],
    ),
    (
        Kind::AmbiguousDrug,
        &[
            "concerta",
            "estradiol",
            "insulin",
            "lithium",
            "testosterone",
        ],
    ),
];

/// Keys whose text is a drug, whatever it says.
pub(super) const KEYS: &[&str] = &[
    "currentmedication",
    "currentmedications",
    "drug",
    "drugname",
    "med",
    "medication",
    "medicationname",
    "medications",
    "meds",
    "prescription",
    "prescriptionname",
    "prescriptions",
    "rx",
    "rxname",
];

/// Keys that hold a National Drug Code.
pub(super) const NDC_KEYS: &[&str] = &["drugcode", "ndc", "ndccode"];

/// Keys that hold other facts about a prescription.
pub(super) const DETAIL_KEYS: &[&str] = &["pharmacy", "pharmacyname", "rxcui"];

/// Keys that do where the message names a drug.
pub(super) const DOSE_KEYS: &[&str] = &["dosage", "dosagestrength", "dose", "refill", "refills"];

/// Whether the value or its key is about a drug.
pub(super) fn is_named(subject: &Subject<'_>) -> bool {
    subject.term(Kind::Drug).is_some()
        || subject.key_term(Kind::Drug).is_some()
        || (subject.leaf_in(KEYS) && subject.is_text())
        || (subject.leaf_in(NDC_KEYS) && is_ndc(subject.value))
        || (subject.leaf_in(DETAIL_KEYS) && !text::is_negative(subject.value))
}

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let keyed = subject.leaf_in(KEYS);
    if let Some(drug) = subject
        .term(Kind::Drug)
        .or_else(|| subject.key_term(Kind::Drug))
    {
        hits.health(
            Health::Medication,
            Strength::H3,
            "medication.name",
            drug.phrase,
        );
    }
    if let Some(drug) = subject.term(Kind::AmbiguousDrug)
        && (keyed || subject.under(KEYS))
    {
        hits.health(
            Health::Medication,
            Strength::H3,
            "medication.key.name",
            drug.phrase,
        );
    }
    if keyed && subject.is_text() {
        hits.health(
            Health::Medication,
            Strength::H3,
            "medication.key",
            subject.value,
        );
    }
    if subject.leaf_in(NDC_KEYS) && is_ndc(subject.value) {
        hits.health(
            Health::Medication,
            Strength::H3,
            "medication.ndc",
            subject.value,
        );
    }
    // Plants and machines have doses too.
    let is_dose = subject.leaf_in(DOSE_KEYS);
    let is_detail = subject.leaf_in(DETAIL_KEYS)
        || (is_dose && (surroundings.medication || subject.under(KEYS)));
    if is_detail && !text::is_negative(subject.value) {
        hits.health(
            Health::Medication,
            Strength::H3,
            "medication.key.detail",
            subject.value,
        );
    }
}

/// Eleven digits, or ten in three groups.
fn is_ndc(value: &str) -> bool {
    let groups: Vec<&str> = value.split('-').collect();
    let all_digits = groups
        .iter()
        .all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    all_digits
        && matches!(
            lengths.as_slice(),
            [11] | [4 | 5, 4, 2] | [5, 3, 2] | [5, 4, 1]
        )
}
