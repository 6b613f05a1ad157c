//! Use of substances and its treatment: terms in any vehicle, and keys.

use super::{
    Health, Hits, Strength, assessment, condition,
    lexicon::{Kind, Table, Term},
    sense::{self, Sense},
    shared,
    subject::{Subject, Surroundings},
    text,
    trade::Trades,
};
use crate::field::ValueKind;

/// Terms. `alcohol`, `drug` and `recovery` alone have other uses.
pub(super) const TERMS: &[Table] = &[(
    Kind::SubstanceUse,
    &[
        "adicción",
        "addicted to",
        "addiction",
        "alcohol abuse",
        "alcohol addiction",
        "alcohol cravings",
        "alcohol dependence",
        "alcohol rehab",
        "alcohol treatment",
        "alcohol use",
        "alcohol withdrawal",
        "alcoholic anonymous",
        "alcoholics anonymous",
        "alcoholism",
        "alcoholismo",
        "binge drinking",
        "cannabis use",
        "cocaine",
        "crystal meth",
        "cut down drinking",
        "cut back drinking",
        "days sober",
        "detox",
        "drinking habits",
        "drinking problem",
        "drug abuse",
        "drug dependence",
        "drug rehab",
        "drug use",
        "gambling disorder",
        "harm reduction",
        "heroin",
        "marijuana use",
        "medication assisted treatment",
        "methadone clinic",
        "methamphetamine",
        "narcotics anonymous",
        "needle exchange",
        "nicotine dependence",
        "opiate",
        "opioid",
        "oud",
        "overdose",
        "problem drinking",
        "quit drinking",
        "quit smoking",
        "recovery meeting",
        "rehab center",
        "smoking cessation",
        "sober coach",
        "sober living",
        "sobriety",
        "stop drinking",
        "stop smoking",
        "substance abuse",
        "substance misuse",
        "substance use",
        "substance use disorder",
        "sud treatment",
        "tobacco use",
        "vaping cessation",
    ],
)];

/// Words beside which a term means something else.
const SENSES: &[Sense] = &[
    Sense {
        phrases: &["detox"],
        words: &[
            "bath", "charcoal", "cleanse", "clay", "colon", "digital", "face", "facial", "foot",
            "hair", "juice", "mask", "perfume", "scalp", "scrub", "shampoo", "skin", "smoothie",
            "tea", "water",
        ],
        trades: Trades::NONE,
    },
    Sense {
        phrases: &["addiction", "addicted to", "overdose", "heroin", "cocaine"],
        words: &[
            "album",
            "boutique",
            "chic",
            "chocolate",
            "coffee",
            "dior",
            "fashion",
            "fragrance",
            "game",
            "gaming",
            "jewelry",
            "lipstick",
            "movie",
            "music",
            "perfume",
            "seizure",
            "shoe",
            "shoes",
            "shopping",
            "sneaker",
            "song",
            "sugar",
            "vinyl",
            "pug",
        ],
        trades: Trades::NONE,
    },
    Sense {
        phrases: &["oud"],
        words: &[
            "cologne",
            "eau",
            "fragrance",
            "ford",
            "incense",
            "oil",
            "parfum",
            "perfume",
            "rose",
            "wood",
            "instrument",
        ],
        trades: Trades::NONE,
    },
    Sense {
        phrases: &["drug use", "drug abuse", "opioid"],
        words: &["lawsuit", "policy", "settlement"],
        trades: Trades::NONE,
    },
];

/// Terms that count only beside evidence of health.
const AMBIGUOUS: &[&str] = &["oud", "addicted to"];

/// Questionnaires about it.
const INSTRUMENTS: &[&str] = &[
    "alcohol use disorders identification",
    "audit",
    "audit c",
    "cage",
    "crafft",
    "cudit",
    "cudit r",
    "dast",
    "dast 10",
    "drug abuse screening",
    "fagerstrom",
];

/// Words of keys of substances and of habits.
pub(super) const SUBSTANCE_WORDS: &[&str] = &[
    "addiction",
    "addictions",
    "dependence",
    "substance",
    "substances",
];

/// Substances that are goods under other keys.
const SUBSTANCES: &[&str] = &[
    "alcohol",
    "amphetamines",
    "benzodiazepines",
    "benzos",
    "cannabis",
    "drugs",
    "fentanyl",
    "gambling",
    "ketamine",
    "marijuana",
    "meth",
    "nicotine",
    "opiates",
    "opioids",
    "stimulants",
    "tobacco",
    "vaping",
];

/// Keys whose value is about it, whatever it says.
pub(super) const KEYS: &[&str] = &[
    "alcoholconsumption",
    "alcoholfrequency",
    "alcoholuse",
    "cannabisuse",
    "dayssober",
    "drinkingfrequency",
    "drinksperday",
    "drinksperweek",
    "drugofchoice",
    "drugsofchoice",
    "druguse",
    "marijuanause",
    "nicotineuse",
    "opioiduse",
    "cigarettesperday",
    "cravings",
    "lastdrink",
    "relapsecount",
    "smokingstatus",
    "sobersince",
    "sobrietydate",
    "substanceuse",
    "tobaccouse",
];

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let has_value = !text::is_negative(subject.value);
    let mut push =
        |strength, rule, shown: &str| hits.health(Health::SubstanceUse, strength, rule, shown);
    if subject.leaf_in(KEYS) && has_value {
        push(Strength::H3, "substance_use.key", subject.value);
    }
    if let Some(name) = assessment::instrument_in_key(subject)
        && INSTRUMENTS.contains(&name)
        && !subject.is_context()
        && (subject.kind == ValueKind::Number || has_value)
    {
        push(Strength::H3, "substance_use.key", subject.value);
    }
    let of_substances = (subject.leaf()).is_some_and(|leaf| leaf.has_word(SUBSTANCE_WORDS));
    if of_substances && sense::states(subject) && subject.has_word(SUBSTANCES) {
        push(Strength::H3, "substance_use.key", subject.value);
    }
    if sense::is_name(subject) {
        return;
    }
    let means_it = |term: &Term| {
        term.kind == Kind::SubstanceUse
            && !sense::means_other(subject, surroundings, *term, SENSES)
            && (!AMBIGUOUS.contains(&term.phrase) || surroundings.health())
    };
    if let Some(term) = (subject.terms.iter().copied())
        .filter(|term| shared::counts(subject, surroundings, *term))
        .find(means_it)
    {
        let keyed = subject.leaf_in(condition::CONDITION_KEYS)
            || subject.leaf_in(condition::DIAGNOSIS_KEYS);
        let is_all = sense::is_element(subject, term.phrase);
        let stated =
            sense::states(subject) && (keyed || (is_all && shared::is_stated(subject, term)));
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        push(strength, "substance_use.term", term.phrase);
    }
    if let Some(term) = (subject.key_terms.iter().copied())
        .filter(|term| shared::counts_in_key(subject, surroundings, *term))
        .find(means_it)
        && !sense::is_off(subject)
    {
        let affirmed = has_value && !subject.is_context() && !sense::is_of_interface(subject);
        let strength = if affirmed { Strength::H3 } else { Strength::H2 };
        push(strength, "substance_use.key_name", term.phrase);
    }
}
