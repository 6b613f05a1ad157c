//! Laboratory tests and results: LOINC codes by key, names of tests and analytes
//! in any vehicle, values of result keys.
//!
//! One random `dddd-d` in ten passes LOINC's check, so a code needs a key or a
//! neighbor that names the system.

use super::{
    Health, Hits, Strength,
    coding::{self, System},
    lexicon::{Kind, Table},
    subject::{Subject, Surroundings, Vehicle},
    text,
};
use crate::field::ValueKind;

/// Names of tests and of what they measure.
pub(super) const TERMS: &[Table] = &[
    (
        Kind::Lab,
        &[
            "abnormal pap",
            "alanine aminotransferase",
            "allergy blood test",
            "amh test",
            "antibody test",
            "antigen test",
            "beta hcg",
            "blood culture",
            "blood glucose",
            "blood lead level",
            "blood panel",
            "blood sugar level",
            "blood test",
            "blood tests",
            "blood work",
            "bloodwork",
            "brca gene",
            "brca1",
            "brca2",
            "c reactive protein",
            "cd4 count",
            "chlamydia test",
            "cholesterol level",
            "cholesterol test",
            "chorionic gonadotropin",
            "complete blood count",
            "comprehensive metabolic panel",
            "cortisol level",
            "covid result",
            "covid test",
            "covid 19 result",
            "covid 19 test",
            "creatinine",
            "dna paternity test",
            "drug panel",
            "drug screen",
            "drug screening",
            "drug test",
            "egfr",
            "estradiol level",
            "fasting glucose",
            "ferritin",
            "fertility test",
            "flu test",
            "food sensitivity test",
            "genetic carrier screening",
            "glucose level",
            "glucose tolerance test",
            "gonorrhea test",
            "h pylori test",
            "hb a1 c",
            "hba1 c",
            "hcg level",
            "hdl cholesterol",
            "hemoglobin a1 c",
            "hemoglobin level",
            "hepatitis panel",
            "hepatitis test",
            "herpes test",
            "hiv 1 rna",
            "hiv antibody",
            "hiv result",
            "hiv screening",
            "hiv test",
            "hiv viral load",
            "hormone level",
            "hormone panel",
            "hormone test",
            "hpv test",
            "ige test",
            "iron panel",
            "kidney function test",
            "lab report",
            "lab requisition",
            "lab result",
            "lab results",
            "lab test",
            "lab tests",
            "lab work",
            "laboratory result",
            "laboratory test",
            "ldl cholesterol",
            "lipid panel",
            "lipid profile",
            "liver enzymes",
            "liver function test",
            "lyme test",
            "menopause test",
            "meq l",
            "metabolic panel",
            "mg d l",
            "mg dl",
            "microalbumin",
            "miu l",
            "miu ml",
            "mmol l",
            "m iu l",
            "m iu m l",
            "ng d l",
            "ng dl",
            "ng m l",
            "ng ml",
            "nipt test",
            "ovarian reserve test",
            "ovulation test",
            "pap result",
            "pap test",
            "paternity test",
            "pcr test",
            "pg m l",
            "pg ml",
            "platelet count",
            "pregnancy test",
            "prenatal screening",
            "prolactin",
            "prostate specific antigen",
            "psa level",
            "psa test",
            "rapid plasma reagin",
            "red blood cell count",
            "rheumatoid factor",
            "semen analysis",
            "serum creatinine",
            "serum glucose",
            "sperm analysis",
            "sperm count",
            "sperm test",
            "std check",
            "std kit",
            "std panel",
            "std result",
            "std screening",
            "std test",
            "std testing",
            "sti panel",
            "sti result",
            "sti screening",
            "sti test",
            "sti testing",
            "stool test",
            "strep test",
            "syphilis test",
            "t4 free",
            "test for hiv",
            "testosterone level",
            "testosterone test",
            "thyroid function test",
            "thyroid panel",
            "thyroid stimulating hormone",
            "thyroid test",
            "toxicology screen",
            "triglycerides",
            "troponin",
            "tsh level",
            "tsh test",
            "tuberculosis test",
            "tumor marker",
            "urinalysis",
            "urine culture",
            "urine drug",
            "urine test",
            "viral load",
            "vitamin b12 level",
            "vitamin d level",
            "vitamin d test",
            "white blood cell count",
        ],
    ),
    (
        Kind::AmbiguousLab,
        &[
            "a1 c",
            "amh",
            "cbc",
            "cd4",
            "cholesterol",
            "glucose",
            "hcg",
            "hdl",
            "ldl",
            "psa",
            "triglyceride",
            "tsh",
        ],
    ),
];

/// Words that make an ambiguous name one of a test.
const TEST_WORDS: &[&str] = &[
    "blood",
    "count",
    "lab",
    "laboratory",
    "labs",
    "level",
    "levels",
    "result",
    "results",
    "screen",
    "screening",
    "serum",
    "test",
    "testing",
    "tests",
    "urine",
];

/// Words of keys of results.
const RESULT_WORDS: &[&str] = &["finding", "result", "results"];

/// Words of keys that hold LOINC codes.
pub(super) const LOINC_WORDS: &[&str] = &["loinc", "loincs"];

/// Keys that hold them too, if the check digit is right.
pub(super) const CODE_KEYS: &[&str] = &[
    "analytecode",
    "labcode",
    "labtestcode",
    "observationcode",
    "ordercode",
    "panelcode",
    "resultcode",
    "testcode",
];

/// Keys whose value is a test or a result, whatever it says.
pub(super) const KEYS: &[&str] = &[
    "analyte",
    "bloodtest",
    "bloodtestresult",
    "laborder",
    "laborders",
    "labpanel",
    "labreport",
    "labresult",
    "labresults",
    "labtest",
    "labtestname",
    "labtests",
    "labvalue",
    "labvalues",
    "laboratoryresult",
    "laboratorytest",
];

/// Keys that do where the event says something else about health: experiments
/// and programs have test results too.
pub(super) const SHARED_KEYS: &[&str] = &[
    "abnormalflag",
    "labname",
    "labs",
    "labtype",
    "observation",
    "observationvalue",
    "referencerange",
    "resultvalue",
    "specimen",
    "specimentype",
    "testname",
    "testresult",
    "testresults",
    "testtype",
];

/// Codes of one list beyond this are not read.
const MAX_CODES: usize = 32;

pub(super) fn detect(subject: &Subject<'_>, around: Surroundings<'_>, hits: &mut Hits<'_>) {
    if subject.vehicle == Vehicle::Opaque {
        return;
    }
    if let Some(code) = code(subject, around) {
        hits.health(Health::Lab, Strength::H3, "lab.loinc", code);
    }
    let has_value = !text::is_placeholder_text(subject.value) && subject.kind != ValueKind::Literal;
    let shared = || subject.leaf_in(SHARED_KEYS) && around.health();
    let keyed = subject.leaf_in(KEYS) && has_value;
    if keyed || (has_value && shared()) {
        hits.health(Health::Lab, Strength::H3, "lab.key", subject.value);
    }
    // `test_result: A1C 7.2%`.
    let is_result = (subject.leaf()).is_some_and(|leaf| leaf.has_word(RESULT_WORDS))
        && super::sense::states(subject);
    let ambiguous = || {
        let term = subject.term(Kind::AmbiguousLab)?;
        // A word of a test must not be the term itself.
        let is_test = subject.has_word(TEST_WORDS) || is_result;
        (is_test && subject.words().len() > 1).then_some(term)
    };
    if let Some(term) = subject.term(Kind::Lab).or_else(ambiguous) {
        let strength = if is_result {
            Strength::H3
        } else {
            Strength::H2
        };
        hits.health(Health::Lab, strength, "lab.term", term.phrase);
    }
    if let Some(term) = key_term(subject, around) {
        let affirmed = !text::is_negative(subject.value) && !subject.is_context();
        let strength = if affirmed { Strength::H3 } else { Strength::H2 };
        hits.health(Health::Lab, strength, "lab.key_name", term);
    }
}

/// The test that the key names. An ambiguous name counts with a word of a test
/// beside it, or beside other evidence.
fn key_term(subject: &Subject<'_>, around: Surroundings<'_>) -> Option<&'static str> {
    if let Some(term) = subject.key_term(Kind::Lab) {
        return Some(term.phrase);
    }
    let term = subject.key_term(Kind::AmbiguousLab)?;
    let beside = |key: &super::key::Key| key.has_word(TEST_WORDS);
    let is_test = [subject.leaf(), subject.parent()]
        .into_iter()
        .flatten()
        .any(beside);
    // Only A1C is spelled like nothing else.
    let is_own = term.phrase == "a1 c"
        && subject
            .leaf()
            .is_some_and(|leaf| leaf.folded.contains("a1c"))
        && subject.value.parse::<f64>().is_ok();
    (is_own || is_test || around.health()).then_some(term.phrase)
}

fn code<'a>(subject: &Subject<'a>, around: Surroundings<'_>) -> Option<&'a str> {
    let has_word = [subject.leaf(), subject.parent()]
        .into_iter()
        .flatten()
        .any(|key| key.has_word(LOINC_WORDS));
    let named = subject.leaf_in(coding::CODE_KEYS) && around.coding.has(System::Loinc);
    if has_word || named || subject.leaf_in(CODE_KEYS) {
        return subject
            .value
            .split([',', ';', '|', ' ', '"', '[', ']'])
            .filter(|code| !code.is_empty())
            .take(MAX_CODES)
            .find(|code| is_loinc(code));
    }
    token(subject.value)
}

/// Whether a text without a key may be a code.
pub(super) fn may_have(value: &str) -> bool {
    token(value).is_some()
}

/// The code of a search: `http://loinc.org|4548-4`.
fn token(value: &str) -> Option<&str> {
    let (system, code) = value.split_once(['|', ':'])?;
    let (system, code) = if code.starts_with("//") {
        value.split_once('|')?
    } else {
        (system, code.trim_start())
    };
    let is_named = system.eq_ignore_ascii_case("loinc")
        || matches!(system, "http://loinc.org" | "https://loinc.org");
    (is_named && is_loinc(code)).then_some(code)
}

/// One to seven digits, a dash and the digit that checks them: the sum of the
/// digits, every other one from the last on doubled, is a multiple of ten.
fn is_loinc(code: &str) -> bool {
    let Some((number, check)) = code.split_once('-') else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=7).contains(&number.len()) || check.len() != 1 || !digits(number) || !digits(check) {
        return false;
    }
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte - b'0');
            let doubled = digit * 2;
            if index % 2 == 0 {
                doubled / 10 + doubled % 10
            } else {
                digit
            }
        })
        .sum();
    let last = check
        .bytes()
        .next()
        .map_or(0, |byte| u32::from(byte - b'0'));
    (sum + last).is_multiple_of(10)
}
