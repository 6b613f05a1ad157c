//! Treatments and therapies: terms in any vehicle, values of therapy keys.

use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Table},
    subject::{Subject, Surroundings},
};

/// Names of treatments.
pub(super) const TERMS: &[Table] = &[(
    Kind::Treatment,
    &[
        "acceptance and commitment therapy",
        "behavioral health",
        "behavioral therapy",
        "care plan",
        "cbt",
        "chemotherapy",
        "cognitive behavioral",
        "cognitive processing therapy",
        "couples therapy",
        "dbt",
        "dialectical behavior",
        "dialysis",
        "electroconvulsive",
        "emdr",
        "exposure therapy",
        "family therapy",
        "gender affirming",
        "group therapy",
        "hormone replacement",
        "hormone therapy",
        "individual therapy",
        "inpatient",
        "ketamine therapy",
        "medication management",
        "mental health",
        "online therapy",
        "outpatient",
        "psychiatry",
        "psychotherapy",
        "radiation therapy",
        "talk therapy",
        "telepsychiatry",
        "therapy plan",
        "transcranial magnetic",
        "treatment plan",
        "weight loss treatment",
    ],
)];

/// Keys whose text is a treatment, whatever it says.
pub(super) const KEYS: &[&str] = &[
    "careplan",
    "carepath",
    "currenttreatment",
    "servicetype",
    "therapy",
    "therapyplan",
    "therapytype",
    "treatmentid",
    "treatmentname",
    "treatmentplan",
    "treatmenttype",
    "treatments",
];

/// Keys under which a term is a statement about a person. `treatment` alone is
/// also the arm of an experiment, so its text has to be a term.
pub(super) const TERM_KEYS: &[&str] = &[
    "interest",
    "plan",
    "planname",
    "program",
    "service",
    "servicename",
    "servicetype",
    "treatment",
];

/// Keys of [`KEYS`] that other trades use too.
const SHARED_KEYS: &[&str] = &["servicetype", "treatmentid"];

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    let keyed = subject.leaf_in(KEYS) && !subject.leaf_in(SHARED_KEYS);
    if keyed && subject.is_text() {
        hits.health(
            Health::Treatment,
            Strength::H3,
            "treatment.key",
            subject.value,
        );
    }
    if let Some(term) = subject.term(Kind::Treatment) {
        let stated = !subject.is_context() && subject.leaf_in(TERM_KEYS);
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        hits.health(Health::Treatment, strength, "treatment.term", term.phrase);
    } else if let Some(term) = subject.key_term(Kind::Treatment) {
        hits.health(
            Health::Treatment,
            Strength::H2,
            "treatment.key_name",
            term.phrase,
        );
    }
}
