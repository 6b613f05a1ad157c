//! Conditions and diagnoses: terms in any vehicle, values of diagnosis keys.

use super::{
    Health, Hits, Strength, icd10,
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

/// Words of keys of diagnoses that only medicine has.
const MEDICAL_WORDS: &[&str] = &["complaint", "health", "medical", "presenting"];

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let is_diagnosis = subject.leaf_in(DIAGNOSIS_KEYS) && subject.is_text();
    let is_medical = surroundings.health()
        || (subject.terms.iter()).any(|term| !means_other(subject, term.phrase))
        || icd10::names_code(subject.value)
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
