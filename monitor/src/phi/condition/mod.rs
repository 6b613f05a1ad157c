//! Conditions and diagnoses: terms in any vehicle, values of diagnosis keys.

mod body;
mod mental;
mod other;

use super::{
    Health, Hits, Strength, icd10,
    lexicon::{Kind, Table, Term},
    sense, shared,
    subject::{Subject, Surroundings},
    text,
    trade::{Trade, Trades},
};

/// Names of conditions, symptoms and concerns.
pub(super) const TERMS: &[Table] = &[
    (Kind::Condition, mental::TERMS),
    (Kind::Condition, body::TERMS),
    (Kind::Condition, body::CANCER),
    (Kind::Condition, body::INFECTIOUS),
    (Kind::Condition, body::INTIMATE),
    (Kind::AmbiguousCondition, mental::AMBIGUOUS),
    (Kind::AmbiguousCondition, body::AMBIGUOUS),
];

/// Keys whose text is a diagnosis, if the message says something else about
/// health: mechanics and programs diagnose too.
pub(super) const DIAGNOSIS_KEYS: &[&str] = &[
    "admittingdiagnosis",
    "allergies",
    "allergyreaction",
    "chiefcomplaint",
    "comorbidities",
    "comorbidity",
    "diagnosedconditions",
    "diagnosedwith",
    "diagnoses",
    "diagnosis",
    "diagnosisdescription",
    "diagnosisname",
    "drugallergies",
    "dx",
    "familyhistory",
    "familymedicalhistory",
    "healthcondition",
    "healthconditions",
    "healthconcern",
    "healthconcerns",
    "healthhistory",
    "healthissue",
    "healthissues",
    "knownallergies",
    "maincomplaint",
    "medicalcondition",
    "medicalconditions",
    "medicalhistory",
    "medicalissue",
    "mentalhealthconcern",
    "mentalhealthhistory",
    "pastmedicalhistory",
    "preexistingcondition",
    "preexistingconditions",
    "presentingconcern",
    "presentingproblem",
    "primarydiagnosis",
    "primarydx",
    "psychiatrichistory",
    "reasonforcare",
    "reasonforseekingcare",
    "reasonforvisit",
    "therapyreason",
    "visitreason",
];

/// Keys under which a term is a statement about a person.
pub(super) const CONDITION_KEYS: &[&str] = &[
    "ailment",
    "areaofconcern",
    "challenge",
    "challenges",
    "complaint",
    "concern",
    "concerns",
    "condition",
    "conditionname",
    "conditions",
    "disease",
    "disorder",
    "focusarea",
    "goal",
    "goals",
    "healthgoal",
    "healthgoals",
    "helpwith",
    "illness",
    "indication",
    "issue",
    "issues",
    "lookingfor",
    "mainconcern",
    "need",
    "needs",
    "problem",
    "problems",
    "reason",
    "reasons",
    "seekinghelpfor",
    "struggle",
    "struggles",
    "strugglingwith",
    "symptom",
    "symptoms",
    "treatment",
    "treatmentfor",
    "whatbringsyouhere",
];

/// Words of keys under which even an everyday word is a complaint.
pub(super) const COMPLAINT_WORDS: &[&str] = &[
    "ailment",
    "complaint",
    "diagnosed",
    "diagnoses",
    "diagnosis",
    "disease",
    "disorder",
    "dx",
    "illness",
    "symptom",
    "symptoms",
];

/// Words of keys under which a specific everyday word is a complaint.
const CONCERN_WORDS: &[&str] = &[
    "concern",
    "concerns",
    "condition",
    "conditions",
    "indication",
    "struggle",
    "struggles",
    "struggling",
    "treatment",
];

/// Words of keys that hold a reason for care: a term in their value is one's own.
const REASON_WORDS: &[&str] = &[
    "brings",
    "concern",
    "concerns",
    "condition",
    "conditions",
    "indication",
    "problem",
    "problems",
    "reason",
    "seeking",
    "struggle",
    "struggling",
    "treated",
    "treating",
    "treatment",
];

/// Words of keys of allergies.
pub(super) const ALLERGY_WORDS: &[&str] = &["allergen", "allergens", "allergies", "allergy"];

/// Words beside which a specific everyday word is a complaint, besides those of
/// medicine.
const CARE_WORDS: &[&str] = &[
    "antibiotics",
    "clinic",
    "consult",
    "evaluation",
    "logged",
    "management",
    "meds",
    "program",
    "recorded",
    "specialist",
    "test",
    "tested",
    "testing",
    "tests",
    "visit",
];

/// Words of keys of diagnoses that only medicine has.
const MEDICAL_WORDS: &[&str] = &[
    "allergen",
    "allergens",
    "allergies",
    "allergy",
    "care",
    "comorbidities",
    "comorbidity",
    "health",
    "medical",
    "preexisting",
    "presenting",
    "psychiatric",
    "therapy",
];

/// Trades that ask what someone must not eat.
const HOSTS: Trades = Trades::of(&[Trade::Food, Trade::Pet, Trade::Travel]);

/// Abbreviations that are longer are words in capitals.
const MAX_ABBREVIATION: usize = 3;

/// Words of keys that hold diagnoses: `previous_diagnoses`.
pub(super) const DIAGNOSIS_WORDS: &[&str] = &[
    "comorbidities",
    "comorbidity",
    "diagnosed",
    "diagnoses",
    "diagnosis",
];

/// Words that do beside a word of medicine: `mental_health_conditions`.
pub(super) const HISTORY_WORDS: &[&str] = &[
    "complaint",
    "concern",
    "concerns",
    "condition",
    "conditions",
    "history",
    "issue",
    "issues",
    "problem",
    "problems",
];

/// Whether a phrase is the name of a condition of the mind.
pub(super) fn is_of_mind(phrase: &str) -> bool {
    mental::TERMS.contains(&phrase)
}

/// The first condition that the value names and means.
pub(super) fn in_value(subject: &Subject<'_>, surroundings: Surroundings<'_>) -> Option<Term> {
    let terms = subject.terms.iter().copied();
    terms
        .filter(|term| term.kind == Kind::Condition)
        .filter(|term| shared::counts(subject, surroundings, *term))
        .find(|term| !sense::means_other(subject, surroundings, *term, other::SENSES))
}

/// The first condition that the keys name and mean.
fn in_keys(subject: &Subject<'_>, surroundings: Surroundings<'_>) -> Option<Term> {
    let terms = subject.key_terms.iter().copied();
    terms
        .filter(|term| term.kind == Kind::Condition)
        .filter(|term| shared::counts_in_key(subject, surroundings, *term))
        .find(|term| !sense::means_other(subject, surroundings, *term, other::SENSES))
}

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    if sense::is_name(subject) {
        return;
    }
    detect_diagnosis(subject, surroundings, hits);
    if let Some(term) = in_value(subject, surroundings) {
        let keyed = subject.leaf_in(CONDITION_KEYS)
            || (subject.leaf())
                .is_some_and(|leaf| leaf.has_word(COMPLAINT_WORDS) || leaf.has_word(REASON_WORDS));
        let is_all = sense::is_element(subject, term.phrase);
        let stated =
            sense::states(subject) && (keyed || (is_all && shared::is_stated(subject, term)));
        let (strength, rule) = if stated {
            (Strength::H3, "condition.key.term")
        } else {
            (Strength::H2, "condition.term")
        };
        hits.health(Health::Condition, strength, rule, term.phrase);
    }
    detect_ambiguous(subject, surroundings, hits);
    if let Some(term) = in_keys(subject, surroundings)
        && !sense::is_off(subject)
    {
        // An answer of no is still an answer, but says less.
        let affirmed = !text::is_negative(subject.value)
            && !subject.is_context()
            && !sense::is_of_interface(subject);
        let strength = if affirmed { Strength::H3 } else { Strength::H2 };
        hits.health(
            Health::Condition,
            strength,
            "condition.key_name",
            term.phrase,
        );
    }
}

/// `diagnosis: …`, whatever it says.
fn detect_diagnosis(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let by_words = subject.leaf().is_some_and(|leaf| {
        leaf.has_word(DIAGNOSIS_WORDS)
            || (leaf.has_word(ALLERGY_WORDS) && !sense::is_of_goods(subject))
            || (leaf.has_word(HISTORY_WORDS)
                && leaf.has_word(&["health", "medical", "psychiatric"]))
    });
    let keyed = by_words || subject.leaf_in(DIAGNOSIS_KEYS);
    // Guests and pets have allergies too.
    let trades = surroundings.trades.or(Trades::of_subject(subject));
    if trades.meets(HOSTS) {
        return;
    }
    if !keyed || subject.is_context() || !subject.is_text() || sense::is_filler(subject.value) {
        return;
    }
    let leaf_is_medical = subject
        .leaf()
        .is_some_and(|leaf| leaf.has_word(MEDICAL_WORDS) || leaf.folded == "chiefcomplaint");
    let is_medical = leaf_is_medical
        || in_value(subject, surroundings).is_some()
        || icd10::names_code(subject.value)
        || surroundings.health();
    if is_medical {
        hits.health(
            Health::Condition,
            Strength::H3,
            "condition.key",
            subject.value,
        );
    }
}

/// Everyday words count under keys of complaints, and beside words of medicine.
fn detect_ambiguous(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let is_specific = |term: &Term| other::SPECIFIC.contains(&term.phrase);
    let is_bare = |term: &Term| sense::is_element(subject, term.phrase);
    let term = (subject.terms.iter())
        .filter(|term| term.kind == Kind::AmbiguousCondition)
        .filter(|term| is_specific(term) || is_bare(term))
        .find(|term| !sense::means_other(subject, surroundings, **term, other::SENSES));
    let Some(term) = term else { return };
    let (is_specific, is_bare) = (is_specific(term), is_bare(term));
    // `ED`, as clinics write it, and not the name.
    let is_abbreviation = is_bare
        && subject.value.len() <= MAX_ABBREVIATION
        && subject.value.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_complaint = (subject.leaf())
        .is_some_and(|leaf| leaf.has_word(COMPLAINT_WORDS) || leaf.has_word(MEDICAL_WORDS))
        || (subject.leaf_in(CONDITION_KEYS)
            && (((is_specific || is_abbreviation)
                && (subject.leaf()).is_some_and(|leaf| leaf.has_word(CONCERN_WORDS)))
                || surroundings.health()));
    let has_medicine =
        is_specific && (subject.has_word(sense::HEALTH_WORDS) || subject.has_word(CARE_WORDS));
    if is_complaint && sense::states(subject) {
        hits.health(
            Health::Condition,
            Strength::H3,
            "condition.key.term",
            term.phrase,
        );
    } else if has_medicine {
        hits.health(
            Health::Condition,
            Strength::H2,
            "condition.term",
            term.phrase,
        );
    }
}
