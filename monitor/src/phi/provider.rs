//! Care providers: numbers by key, names by key or title, professions.

use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Table, Term},
    sense::{self, Sense},
    subject::{Subject, Surroundings},
    trade::{Trade, Trades},
};

/// Professions and specialties of care.
pub(super) const TERMS: &[Table] = &[(
    Kind::Provider,
    &[
        "addiction specialist",
        "allergist",
        "anesthesiologist",
        "audiologist",
        "behavioral pediatrics",
        "cardiologist",
        "cardiology",
        "chiropractor",
        "clinical psychologist",
        "clinical social worker",
        "dermatologist",
        "dermatology",
        "dr",
        "endocrinologist",
        "endocrinology",
        "family medicine",
        "family physician",
        "gastroenterologist",
        "gastroenterology",
        "geriatrician",
        "gynaecologist",
        "gynecologist",
        "gynecology",
        "hematologist",
        "hematology",
        "hepatologist",
        "infectious disease specialist",
        "internal medicine",
        "internist",
        "lcsw",
        "licensed counselor",
        "licensed therapist",
        "lmft",
        "lmhc",
        "marriage and family therapist",
        "maternal fetal medicine",
        "mental health counselor",
        "midwife",
        "neonatologist",
        "nephrologist",
        "nephrology",
        "neurologist",
        "neurology",
        "neuropsychologist",
        "neurosurgeon",
        "nurse practitioner",
        "ob gyn",
        "obgyn",
        "obstetrician",
        "obstetrics",
        "occupational therapist",
        "oncologist",
        "oncology",
        "ophthalmologist",
        "optometrist",
        "orthodontist",
        "orthopedic surgeon",
        "orthopedics",
        "otolaryngologist",
        "pain management",
        "pediatrician",
        "pediatrics",
        "physical therapist",
        "physician assistant",
        "plastic surgeon",
        "pmhnp",
        "podiatrist",
        "primary care",
        "primary care physician",
        "proctologist",
        "psychiatric",
        "psychiatric nurse",
        "psychiatrist",
        "psychologist",
        "psyd",
        "pulmonologist",
        "pulmonology",
        "reproductive endocrinologist",
        "rheumatologist",
        "rheumatology",
        "sex therapist",
        "sleep specialist",
        "speech pathologist",
        "speech therapist",
        "therapist",
        "urogynecologist",
        "urologist",
        "urology",
    ],
)];

const SENSES: &[Sense] = &[
    Sense {
        phrases: &["therapist"],
        words: &["beauty", "massage", "spa", "skin", "hair"],
        trades: Trades::of(&[Trade::Beauty]),
    },
    Sense {
        phrases: &["primary care", "pain management"],
        words: &["car", "lawn", "plant", "skin"],
        trades: Trades::NONE,
    },
];

/// Who is looking for work or selling to care providers.
const WORK_WORDS: &[&str] = &[
    "career",
    "careers",
    "ehr",
    "emr",
    "hiring",
    "job",
    "jobs",
    "nursing",
    "recruiter",
    "residency",
    "salary",
    "scrubs",
    "software",
    "staffing",
    "textbook",
];

/// Words of keys that say what someone does for a living.
const WORK_KEYS: &[&str] = &[
    "industry",
    "job",
    "jobtitle",
    "occupation",
    "position",
    "profession",
    "role",
];

/// Who is called a doctor and is none.
const BRANDS: &[&str] = &[
    "brown",
    "bronner",
    "bronners",
    "dre",
    "evil",
    "jart",
    "martens",
    "oetker",
    "pepper",
    "scholl",
    "scholls",
    "seuss",
    "squatch",
    "strange",
    "strangelove",
    "teal",
    "who",
];

/// Keys whose text is a provider, whatever it says.
pub(super) const KEYS: &[&str] = &[
    "assignedprovider",
    "assignedtherapist",
    "attendingmd",
    "attendingphysician",
    "careprovider",
    "careteam",
    "clinician",
    "clinicianname",
    "counselor",
    "doctor",
    "doctorname",
    "healthcareprovider",
    "hospital",
    "hospitalname",
    "matchedtherapist",
    "pcp",
    "pcpname",
    "physician",
    "orderingmd",
    "physicianname",
    "prescriber",
    "prescribername",
    "prescribingprovider",
    "primarycarephysician",
    "primarycareprovider",
    "psychiatrist",
    "preferredtherapist",
    "psychologist",
    "referringphysician",
    "referringprovider",
    "renderingprovidername",
    "surgeon",
    "therapist",
    "therapistgender",
    "therapistname",
    "therapistpreference",
    "treatingphysician",
];

/// Keys that are beside evidence of health.
pub(super) const SHARED_KEYS: &[&str] = &[
    "clinic",
    "clinicname",
    "counselor",
    "facility",
    "facilityname",
    "hospital",
    "hospitalname",
    "practitioner",
    "providername",
];

/// `provider` is also who signs people in, so the text has to have a title.
pub(super) const WEAK_KEYS: &[&str] = &[
    "attending",
    "orderedby",
    "prescribedby",
    "provider",
    "providerfullname",
    "providerlastname",
    "providername",
    "referredby",
    "seenby",
    "with",
];

/// Keys under which a specialty is a statement about a person.
pub(super) const SPECIALTY_KEYS: &[&str] = &[
    "clinicianspecialty",
    "clinicaldepartment",
    "department",
    "doctorspecialty",
    "medicalspecialty",
    "physicianspecialty",
    "preferredprovider",
    "providerspecialty",
    "providertype",
    "speciality",
    "specialties",
    "specialty",
    "specialtytype",
];

/// Keys that hold a National Provider Identifier.
pub(super) const NPI_KEYS: &[&str] = &[
    "billingprovidernpi",
    "nationalprovider",
    "nationalprovideridentifier",
    "npi",
    "npiid",
    "npinumber",
    "prescribernpi",
    "providernpi",
    "renderingprovider",
    "renderingprovidernpi",
];

/// Words of keys that do.
pub(super) const NPI_WORDS: &[&str] = &["npi", "npi1", "npi2", "npis"];

/// Words of keys of specialties.
pub(super) const SPECIALTY_WORDS: &[&str] = &[
    "discipline",
    "specialist",
    "speciality",
    "specialties",
    "specialty",
];

/// Titles before or after a name.
const TITLES: &[&str] = &[
    "arnp", "aprn", "crnp", "dc", "dds", "dmd", "do", "doctor", "dpm", "dpt", "dr", "fnp", "lcsw",
    "licsw", "lmft", "lmhc", "lpc", "lpcc", "md", "np", "pa", "phd", "pmhnp", "psyd", "rn",
];

/// Titles that are states and words too.
const STATES: &[&str] = &["dc", "do", "md", "pa"];

/// Who signs people in, sends mail or takes money.
const OTHER_PROVIDERS: &[&str] = &[
    "apple", "aws", "azure", "cloud", "email", "github", "google", "identity", "oauth", "okta",
    "payment", "paypal", "s3", "saml", "ses", "sms", "sso", "stripe", "twilio",
];

/// Trades whose doctors, therapists and clinics heal no people.
const OTHER_TRADES: Trades = Trades::of(&[Trade::Car, Trade::Pet, Trade::Game, Trade::Media]);

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let mut push =
        |strength, rule, shown: &str| hits.health(Health::Provider, strength, rule, shown);
    let is_number = subject.leaf_in(NPI_KEYS)
        || [subject.leaf(), subject.parent()]
            .into_iter()
            .flatten()
            .any(|key| key.has_word(NPI_WORDS));
    if is_number && is_npi(subject.value) {
        push(Strength::H3, "provider.npi", subject.value);
    }
    let trades = surroundings.trades.or(Trades::of_subject(subject));
    let is_other = trades.meets(OTHER_TRADES)
        || subject.has_word(BRANDS)
        || subject.has_word(OTHER_PROVIDERS)
        || sense::is_filler(subject.value);
    let is_shared = subject.leaf_in(SHARED_KEYS);
    let keyed = (subject.leaf_in(KEYS) && !is_shared) || (is_shared && surroundings.health());
    // `flutter doctor`.
    let is_command = subject.leaf_in(&["doctor"])
        && !subject.value.contains(' ')
        && !subject.value.starts_with(char::is_uppercase);
    if keyed && subject.is_text() && !is_other && !is_command {
        push(Strength::H3, "provider.key", subject.value);
    }
    // Companies end in a state too.
    let may_be_state = subject.leaf_in(&["provider", "with"]) && !subject.value.contains(',');
    let has_title = [subject.words().get(0), subject.words().last()]
        .into_iter()
        .flatten()
        .any(|word| TITLES.contains(&word) && !(may_be_state && STATES.contains(&word)));
    if subject.leaf_in(WEAK_KEYS) && subject.words().len() > 1 && has_title && !is_other {
        push(Strength::H3, "provider.key.title", subject.value);
    }
    let is_school = trades.meets(Trades::of(&[Trade::School]));
    let is_work = is_school || subject.leaf().is_some_and(|leaf| leaf.has_word(WORK_KEYS));
    if sense::is_name(subject) || is_work || subject.has_word(WORK_WORDS) {
        return;
    }
    let means_it = |term: &Term| {
        term.kind == Kind::Provider
            && !sense::means_other(subject, surroundings, *term, SENSES)
            && (term.phrase != "dr" || (is_title(subject) && surroundings.health()))
    };
    if let Some(term) = subject.terms.iter().copied().find(means_it) {
        let is_specialty = subject.leaf_in(SPECIALTY_KEYS)
            || (subject.leaf()).is_some_and(|leaf| leaf.has_word(SPECIALTY_WORDS));
        let stated = sense::states(subject) && is_specialty;
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        push(strength, "provider.term", term.phrase);
    } else if subject.leaf_in(SPECIALTY_KEYS)
        && sense::states(subject)
        && let Some(term) = subject.term(Kind::Treatment)
    {
        push(Strength::H3, "provider.key.term", term.phrase);
    }
}

/// Whether `dr` stands before a name: a drive stands behind one.
fn is_title(subject: &Subject<'_>) -> bool {
    let mut words = subject
        .words()
        .iter()
        .skip_while(|word| *word != "dr")
        .skip(1);
    words.next().is_some_and(|name| {
        name.chars().count() > 1 && name.chars().all(char::is_alphabetic) && !BRANDS.contains(&name)
    })
}

/// Ten digits that begin with 1 or 2 and pass the Luhn check with the prefix
/// 80840. One Unix time in ten passes too, so the key is required.
fn is_npi(value: &str) -> bool {
    /// What the prefix adds to the sum.
    const PREFIX_SUM: u32 = 24;
    if value.len() != 10 || !value.starts_with(['1', '2']) {
        return false;
    }
    // Ten times the same digit is what people type to go on.
    let mut digits = value.bytes();
    let first = digits.next();
    if digits.all(|digit| Some(digit) == first) {
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
