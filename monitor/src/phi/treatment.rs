//! Treatments and therapies: terms in any vehicle, values of therapy keys.

use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Table, Term},
    sense::{self, Sense},
    shared,
    subject::{Subject, Surroundings},
    text,
    trade::{Trade, Trades},
};

/// Names of treatments.
pub(super) const TERMS: &[Table] = &[(
    Kind::Treatment,
    &[
        "aba therapy",
        "acceptance and commitment therapy",
        "addiction counseling",
        "allergy shots",
        "antidepressant",
        "applied behavior analysis",
        "art therapy",
        "bariatric surgery",
        "behavior therapy",
        "behavioral health",
        "behavioral therapy",
        "behavioural therapy",
        "biofeedback",
        "bone marrow transplant",
        "care plan",
        "cbt",
        "cbt i",
        "chemotherapy",
        "child therapy",
        "chiropractic",
        "cognitive behavioral",
        "cognitive behavioural",
        "cognitive processing therapy",
        "couples counseling",
        "couples therapy",
        "dbt",
        "dialectical behavior",
        "dialysis",
        "electroconvulsive",
        "emdr",
        "exposure therapy",
        "family counseling",
        "family therapy",
        "fertility treatment",
        "find a therapist",
        "gender affirming",
        "grief counseling",
        "group therapy",
        "hair loss treatment",
        "home health care",
        "hormone replacement",
        "hormone therapy",
        "hospice",
        "immunotherapy",
        "individual counseling",
        "individual therapy",
        "infusion therapy",
        "inpatient",
        "intensive outpatient",
        "iop program",
        "ketamine therapy",
        "ketamine treatment",
        "knee replacement",
        "marriage counseling",
        "medication management",
        "medication refill",
        "mental health",
        "mental healthcare",
        "mental wellness",
        "music therapy",
        "neurofeedback",
        "neuromodulation",
        "occupational therapy",
        "online counseling",
        "online psychiatry",
        "online therapy",
        "organ transplant",
        "outpatient",
        "palliative",
        "partial hospitalization",
        "physical therapy",
        "physiotherapy",
        "play therapy",
        "psychiatric care",
        "psychiatric treatment",
        "psychiatry",
        "psychoanalysis",
        "psychoeducation",
        "psychological counseling",
        "psychotherapy",
        "radiation therapy",
        "radiotherapy",
        "residential treatment",
        "salud mental",
        "speech therapy",
        "start therapy",
        "stem cell transplant",
        "suicide prevention",
        "talk therapy",
        "teen therapy",
        "telepsychiatry",
        "telehealth therapy",
        "terapia",
        "testosterone replacement",
        "testosterone therapy",
        "therapy",
        "therapy matching",
        "therapy plan",
        "tms therapy",
        "transcranial magnetic",
        "trauma counseling",
        "trauma therapy",
        "treatment plan",
        "urgent care",
        "weight loss medication",
        "weight loss program",
        "weight loss treatment",
    ],
)];

/// Terms that are brand words and abbreviations too: they count as the whole
/// text of a service or plan, or beside words of medicine.
const AMBIGUOUS: &[&str] = &["cbt", "dbt", "therapy", "terapia", "care plan"];

const SENSES: &[Sense] = &[
    Sense {
        phrases: &["therapy", "terapia"],
        words: &[
            "aroma", "color", "curl", "garden", "hair", "led", "light", "massage", "pool", "red",
            "retail", "scalp", "shopping", "skin", "spa", "water",
        ],
        trades: Trades::of(&[Trade::Beauty]),
    },
    Sense {
        phrases: &["care plan", "treatment plan"],
        words: &[
            "appliance",
            "applecare",
            "boat",
            "car",
            "device",
            "extended",
            "jewelry",
            "laptop",
            "lawn",
            "pest",
            "phone",
            "pool",
            "protection",
            "samsung",
            "tree",
            "warranty",
            "watch",
            "water",
        ],
        trades: Trades::of(&[Trade::Car]),
    },
    Sense {
        phrases: &["cbt"],
        words: &["computer", "exam", "test"],
        trades: Trades::NONE,
    },
    Sense {
        phrases: &["dbt"],
        words: &[
            "bigquery",
            "cloud",
            "core",
            "data",
            "labs",
            "model",
            "run",
            "snowflake",
            "sql",
        ],
        trades: Trades::of(&[Trade::Software]),
    },
    Sense {
        phrases: &["mental health", "mental wellness"],
        words: &["awareness", "blog", "day", "employer", "month", "news"],
        trades: Trades::NONE,
    },
];

/// Keys whose text is a treatment, whatever it says.
pub(super) const KEYS: &[&str] = &[
    "careplan",
    "careplanname",
    "carepath",
    "careprogram",
    "currenttreatment",
    "levelofcare",
    "currenttreatments",
    "pasttreatments",
    "previoustreatment",
    "previoustreatments",
    "servicetype",
    "therapies",
    "therapy",
    "therapyformat",
    "therapymodality",
    "therapyplan",
    "therapytype",
    "treatmentid",
    "treatmentmodality",
    "treatmentname",
    "treatmentplan",
    "treatmentprogram",
    "treatmenttype",
    "treatments",
    "typeoftherapy",
];

/// Keys under which a term is a statement about a person. `treatment` alone is
/// also the arm of an experiment, so its text has to be a term.
pub(super) const TERM_KEYS: &[&str] = &[
    "caretype",
    "goal",
    "goals",
    "helpwith",
    "interest",
    "interests",
    "lookingfor",
    "modality",
    "need",
    "needs",
    "offering",
    "plan",
    "planname",
    "plantype",
    "product",
    "program",
    "programname",
    "selectedplan",
    "selectedservice",
    "service",
    "serviceline",
    "servicename",
    "services",
    "servicetype",
    "specialty",
    "subscription",
    "subscriptionplan",
    "subscriptiontype",
    "treatment",
    "visittype",
];

/// Words of keys under which it is one too.
const TERM_WORDS: &[&str] = &[
    "care",
    "counseling",
    "enrolled",
    "package",
    "plan",
    "program",
    "programs",
    "service",
    "services",
    "therapy",
    "treatment",
    "treatments",
];

/// Keys of [`KEYS`] that other trades use too.
const SHARED_KEYS: &[&str] = &["servicetype", "treatmentid", "treatments"];

/// Keys of [`KEYS`] whose text has to say something of medicine: hair, lawns and
/// wood are treated too.
const OPEN_KEYS: &[&str] = &[
    "careprogram",
    "treatmentmodality",
    "treatmentname",
    "treatmentplan",
    "treatmentprogram",
    "treatmenttype",
];

/// Trades that treat things.
const OTHER_TRADES: Trades = Trades::of(&[Trade::Beauty, Trade::Car, Trade::Pet, Trade::Property]);

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let mut push =
        |strength, rule, shown: &str| hits.health(Health::Treatment, strength, rule, shown);
    let is_shared = subject.leaf_in(SHARED_KEYS);
    let trades = surroundings.trades.or(Trades::of_subject(subject));
    let keyed = subject.leaf_in(KEYS)
        && !is_shared
        && !trades.meets(OTHER_TRADES)
        && !sense::is_of_goods(subject)
        && !sense::is_filler(subject.value);
    let is_of_care = || {
        let is_medical = |term: &Term| !matches!(term.kind, Kind::Trade(_));
        !subject.leaf_in(OPEN_KEYS)
            || subject.terms.iter().any(is_medical)
            || subject.words().iter().any(shared::is_of_health)
            || surroundings.health()
    };
    if keyed && subject.is_text() && !is_wares(subject) && is_of_care() {
        push(Strength::H3, "treatment.key", subject.value);
    }
    if sense::is_name(subject) {
        return;
    }
    let means_it = |term: &Term| {
        term.kind == Kind::Treatment
            && !subject.has_word(shared::WORK_WORDS)
            && !sense::means_other(subject, surroundings, *term, SENSES)
    };
    let keyed = subject.leaf_in(TERM_KEYS)
        || subject.leaf_in(KEYS)
        || (subject.leaf()).is_some_and(|leaf| leaf.has_word(TERM_WORDS));
    let counts = |term: &Term| {
        means_it(term)
            && (keyed || shared::counts(subject, surroundings, *term))
            && (!AMBIGUOUS.contains(&term.phrase)
                || keyed
                    && sense::states(subject)
                    && !subject.leaf_in(&["product"])
                    && shared::is_bare(subject, term.phrase, &[])
                || has_medicine(subject, term.phrase))
    };
    let in_keys = |term: &Term| {
        means_it(term)
            && shared::counts_in_key(subject, surroundings, *term)
            && (!AMBIGUOUS.contains(&term.phrase) || surroundings.health())
    };
    if let Some(term) = subject.terms.iter().copied().find(counts) {
        let stated = sense::states(subject) && keyed;
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        push(strength, "treatment.term", term.phrase);
    } else if let Some(term) = subject.key_terms.iter().copied().find(in_keys)
        && !sense::is_off(subject)
        && !text::is_negative(subject.value)
    {
        push(Strength::H2, "treatment.key_name", term.phrase);
    }
}

/// Whether a word of medicine other than those of the term stands beside it.
fn has_medicine(subject: &Subject<'_>, phrase: &str) -> bool {
    (subject.words().iter())
        .filter(|word| !phrase.split(' ').any(|own| own == *word))
        .any(|word| sense::HEALTH_WORDS.contains(&word))
}

/// Whether the value names a plan to care for a thing.
fn is_wares(subject: &Subject<'_>) -> bool {
    (SENSES.iter())
        .filter(|sense| sense.phrases.contains(&"care plan"))
        .any(|sense| subject.has_word(sense.words))
}
