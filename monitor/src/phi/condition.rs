//! Conditions and diagnoses: terms in any vehicle, values of diagnosis keys,
//! ICD-10 codes by key.

use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Table},
    subject::{Subject, Surroundings},
    text,
};

/// Names of conditions. Words that shops and software use as often (`cold`,
/// `stress`, `add`) are left out.
pub(super) const TERMS: &[Table] = &[(
    Kind::Condition,
    &[
        "acid reflux",
        "acne",
        "adhd",
        "agoraphobia",
        "aids",
        "alzheimer",
        "anemia",
        "angina",
        "anorexia",
        "anxiety",
        "anxious",
        "arrhythmia",
        "arthritis",
        "asthma",
        "autism",
        "autistic",
        "binge eating",
        "bipolar",
        "body dysmorphia",
        "borderline personality",
        "bulimia",
        "cancer",
        "carcinoma",
        "celiac",
        "chlamydia",
        "chronic pain",
        "cirrhosis",
        "copd",
        "covid",
        "crohn",
        "dementia",
        "depressed",
        "depression",
        "depressive",
        "dermatitis",
        "diabetes",
        "diabetic",
        "dysphoria",
        "eating disorder",
        "eczema",
        "endometriosis",
        "epilepsy",
        "epileptic",
        "erectile dysfunction",
        "fibromyalgia",
        "genital wart",
        "gonorrhea",
        "gout",
        "hair loss",
        "heart disease",
        "heart failure",
        "hepatitis",
        "herpes",
        "hiv",
        "hpv",
        "hyperlipidemia",
        "hypertension",
        "hyperthyroidism",
        "hypothyroidism",
        "insomnia",
        "kidney disease",
        "leukemia",
        "low libido",
        "lupus",
        "lymphoma",
        "major depressive",
        "manic episode",
        "melanoma",
        "mental illness",
        "migraine",
        "mood disorder",
        "multiple sclerosis",
        "narcolepsy",
        "neuropathy",
        "obesity",
        "ocd",
        "obsessive compulsive",
        "osteoporosis",
        "panic attack",
        "panic disorder",
        "paranoia",
        "parkinson",
        "pcos",
        "personality disorder",
        "phobia",
        "postpartum",
        "premature ejaculation",
        "psoriasis",
        "psychosis",
        "psychotic",
        "ptsd",
        "posttraumatic",
        "post traumatic stress",
        "rosacea",
        "schizoaffective",
        "schizophrenia",
        "seizure",
        "self harm",
        "sexual dysfunction",
        "sexually transmitted",
        "sickle cell",
        "sleep apnea",
        "suicidal",
        "suicide",
        "suicidal ideation",
        "syphilis",
        "trichomoniasis",
        "tuberculosis",
        "tumor",
        "ulcerative colitis",
        "urinary tract infection",
        "yeast infection",
    ],
)];

/// Words beside which a term means something else.
const UNLESS: &[(&str, &[&str])] = &[
    (
        "aids",
        &["band", "decision", "hearing", "teaching", "visual"],
    ),
    ("anxious", &["await"]),
    ("bipolar", &["junction", "transistor"]),
    (
        "cancer",
        &[
            "astrology",
            "constellation",
            "horoscope",
            "tropic",
            "zodiac",
        ],
    ),
    ("depressed", &["economy", "market", "price"]),
    (
        "depression",
        &[
            "atmospheric",
            "economic",
            "economy",
            "great",
            "tropical",
            "weather",
        ],
    ),
    ("migraine", &["band", "song"]),
    ("suicide", &["squad"]),
];

/// Keys whose text is a diagnosis, if the message says something else about
/// health: mechanics and programs diagnose too.
pub(super) const DIAGNOSIS_KEYS: &[&str] = &[
    "chiefcomplaint",
    "diagnoses",
    "diagnosis",
    "diagnosisname",
    "dx",
    "healthcondition",
    "medicalcondition",
    "presentingproblem",
    "primarydiagnosis",
    "primarydx",
    "reasonforvisit",
    "visitreason",
];

/// Keys under which a term is a statement about a person.
pub(super) const CONDITION_KEYS: &[&str] = &[
    "concern",
    "concerns",
    "condition",
    "conditions",
    "goal",
    "healthconcern",
    "indication",
    "issue",
    "issues",
    "problem",
    "problems",
    "reason",
    "symptom",
    "symptoms",
    "treatment",
    "treatmentfor",
];

/// Keys that hold ICD-10-CM codes.
pub(super) const CODE_KEYS: &[&str] = &[
    "diagnosiscode",
    "diagnosiscodes",
    "dx",
    "dxcode",
    "icd",
    "icd10",
    "icd10cm",
    "icd10code",
    "icdcode",
    "icdcodes",
    "primarydx",
];

/// Words of keys of diagnoses that only medicine has.
const MEDICAL_WORDS: &[&str] = &["complaint", "health", "medical", "presenting"];

/// Codes of one list beyond this are not read.
const MAX_CODES: usize = 32;

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    if subject.leaf_in(CODE_KEYS) {
        let codes = subject.value.split([',', ';', '|', ' ']).take(MAX_CODES);
        if let Some(code) = codes.map(str::trim).find(|code| is_icd10(code)) {
            hits.health(Health::Condition, Strength::H3, "condition.icd10", code);
        }
    }
    let is_diagnosis = subject.leaf_in(DIAGNOSIS_KEYS) && subject.is_text();
    let is_medical = surroundings.health()
        || (subject.terms.iter()).any(|term| !means_other(subject, term.phrase))
        || (subject.value.split([',', ';', '|', ' ']).take(MAX_CODES)).any(is_icd10)
        || subject
            .leaf()
            .is_some_and(|leaf| leaf.has_word(MEDICAL_WORDS));
    if is_diagnosis && is_medical {
        hits.health(
            Health::Condition,
            Strength::H3,
            "condition.key",
            subject.value,
        );
    }
    let term = subject
        .terms
        .iter()
        .find(|term| term.kind == Kind::Condition && !means_other(subject, term.phrase));
    if let Some(term) = term {
        let stated = !subject.is_context() && subject.leaf_in(CONDITION_KEYS);
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        let rule = if stated {
            "condition.key.term"
        } else {
            "condition.term"
        };
        hits.health(Health::Condition, strength, rule, term.phrase);
    }
    if let Some(term) = subject.key_term(Kind::Condition) {
        // An answer of no is still an answer, but says less.
        let affirmed = !text::is_negative(subject.value) && !subject.is_context();
        let strength = if affirmed { Strength::H3 } else { Strength::H2 };
        hits.health(
            Health::Condition,
            strength,
            "condition.key_name",
            term.phrase,
        );
    }
}

fn means_other(subject: &Subject<'_>, phrase: &str) -> bool {
    UNLESS
        .iter()
        .any(|(term, others)| *term == phrase && subject.has_word(others))
}

/// The shape of an ICD-10-CM code: a letter, a digit, a digit or `A` or `B`,
/// and up to four more after an optional point.
fn is_icd10(code: &str) -> bool {
    let bytes: Vec<u8> = code.bytes().filter(|byte| *byte != b'.').collect();
    let point_fits = match code.find('.') {
        Some(position) => position == 3 && bytes.len() > 3 && bytes.len() + 1 == code.len(),
        None => true,
    };
    let [letter, second, third, rest @ ..] = bytes.as_slice() else {
        return false;
    };
    point_fits
        && letter.is_ascii_uppercase()
        && second.is_ascii_digit()
        && (third.is_ascii_digit() || matches!(third, b'A' | b'B'))
        && rest.len() <= 4
        && rest
            .iter()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}
