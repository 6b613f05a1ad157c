//! Care providers: numbers by key, names by key or title, professions.

use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Table},
    subject::{Subject, Surroundings},
};

/// Professions and specialties of care.
pub(super) const TERMS: &[Table] = &[(
    Kind::Provider,
    &[
        "cardiologist",
        "cardiology",
        "dermatologist",
        "dermatology",
        "endocrinologist",
        "endocrinology",
        "gastroenterologist",
        "gynecologist",
        "gynecology",
        "nephrologist",
        "neurologist",
        "neurology",
        "nurse practitioner",
        "obstetrician",
        "oncologist",
        "oncology",
        "pediatrician",
        "psychiatric",
        "psychiatrist",
        "psychologist",
        "rheumatologist",
        "therapist",
        "urologist",
        "urology",
    ],
)];

/// Keys whose text is a provider, whatever it says.
pub(super) const KEYS: &[&str] = &[
    "attendingphysician",
    "clinician",
    "clinicianname",
    "doctor",
    "doctorname",
    "physician",
    "physicianname",
    "prescriber",
    "prescribername",
    "providername",
    "psychiatrist",
    "therapist",
    "therapistname",
];

/// `provider` is also who signs people in, so the text has to have a title.
pub(super) const WEAK_KEYS: &[&str] = &["provider", "with"];

/// Keys under which a specialty is a statement about a person.
pub(super) const SPECIALTY_KEYS: &[&str] = &[
    "department",
    "providerspecialty",
    "providertype",
    "specialty",
    "speciality",
];

/// Keys that hold a National Provider Identifier.
pub(super) const NPI_KEYS: &[&str] = &[
    "nationalprovider",
    "npi",
    "npinumber",
    "providernpi",
    "renderingprovider",
];

/// Titles before or after a name.
const TITLES: &[&str] = &[
    "do", "dr", "lcsw", "lmft", "lmhc", "lpc", "md", "np", "phd", "pmhnp", "psyd",
];

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    if subject.leaf_in(NPI_KEYS) && is_npi(subject.value) {
        hits.health(
            Health::Provider,
            Strength::H3,
            "provider.npi",
            subject.value,
        );
    }
    if subject.leaf_in(KEYS) && subject.is_text() {
        hits.health(
            Health::Provider,
            Strength::H3,
            "provider.key",
            subject.value,
        );
    }
    let has_title = [subject.words().get(0), subject.words().last()]
        .into_iter()
        .flatten()
        .any(|word| TITLES.contains(&word));
    if subject.leaf_in(WEAK_KEYS) && subject.words().len() > 1 && has_title {
        hits.health(
            Health::Provider,
            Strength::H3,
            "provider.key.title",
            subject.value,
        );
    }
    if let Some(term) = subject.term(Kind::Provider) {
        let stated = !subject.is_context() && subject.leaf_in(SPECIALTY_KEYS);
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        hits.health(Health::Provider, strength, "provider.term", term.phrase);
    }
}

/// Ten digits that begin with 1 or 2 and pass the Luhn check with the prefix
/// 80840. One Unix time in ten passes too, so the key is required.
fn is_npi(value: &str) -> bool {
    /// What the prefix adds to the sum.
    const PREFIX_SUM: u32 = 24;
    if value.len() != 10 || !value.starts_with(['1', '2']) {
        return false;
    }
    let mut sum = PREFIX_SUM;
    for (index, c) in value.chars().enumerate() {
        let Some(digit) = c.to_digit(10) else {
            return false;
        };
        let doubled = digit * 2;
        sum += if index % 2 == 0 {
            doubled / 10 + doubled % 10
        } else {
            digit
        };
    }
    sum.is_multiple_of(10)
}
