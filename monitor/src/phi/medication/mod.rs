//! Drugs: names in any vehicle, names by their stem, values of medication keys,
//! codes by key.
//!
//! A name that is also a first name, a city or a battery needs a key, a dose, or
//! other evidence beside it.

mod ambiguous;
mod cancer;
mod heart;
mod hormone;
mod immune;
mod infection;
mod lungs_and_gut;
mod metabolic;
mod neurology;
mod pain;
mod psychiatric;
mod skin_and_eyes;
mod substance;
mod vaccine;

use super::{
    Health, Hits, Strength,
    coding::{self, System},
    key::Key,
    lexicon::{Kind, Table, Term},
    sense, shared,
    subject::{Subject, Surroundings, Vehicle},
    text,
    trade::{Trade, Trades},
};

/// Names of drugs.
pub(super) const TERMS: &[Table] = &[
    (Kind::Drug, psychiatric::NAMES),
    (Kind::Drug, substance::NAMES),
    (Kind::Drug, hormone::NAMES),
    (Kind::Drug, infection::NAMES),
    (Kind::Drug, metabolic::NAMES),
    (Kind::Drug, pain::NAMES),
    (Kind::Drug, neurology::NAMES),
    (Kind::Drug, heart::NAMES),
    (Kind::Drug, cancer::NAMES),
    (Kind::Drug, immune::NAMES),
    (Kind::Drug, lungs_and_gut::NAMES),
    (Kind::Drug, skin_and_eyes::NAMES),
    (Kind::Drug, vaccine::NAMES),
    (Kind::AmbiguousDrug, ambiguous::SUBSTANCES),
    (Kind::AmbiguousDrug, ambiguous::WORDS),
];

/// Keys whose text is a drug, whatever it says.
pub(super) const KEYS: &[&str] = &[
    "brandname",
    "currentmedication",
    "currentmedications",
    "currentmeds",
    "currentprescriptions",
    "drug",
    "drugname",
    "drugs",
    "genericname",
    "med",
    "medication",
    "medicationdisplay",
    "medicationlist",
    "medicationname",
    "medicationrequest",
    "medications",
    "medname",
    "meds",
    "preferredmed",
    "prescribeddrug",
    "requestedmed",
    "prescribedmedication",
    "prescription",
    "prescriptionname",
    "prescriptions",
    "rx",
    "rxdrug",
    "rxname",
    "takingmedication",
];

/// Keys of [`KEYS`] that other trades use too: there the text is a drug, or the
/// event says something else about drugs.
const SHARED_KEYS: &[&str] = &["brandname", "genericname"];

/// Keys of [`KEYS`] that opticians have too.
const OPTICAL_KEYS: &[&str] = &[
    "currentprescriptions",
    "prescription",
    "prescriptionname",
    "prescriptions",
];

/// Words of glasses and lenses.
#[rustfmt::skip]
const OPTICAL_WORDS: &[&str] = &[
    "axis", "bifocal", "cyl", "frame", "frames", "glasses", "lens", "lenses", "od", "os",
    "progressive", "readers", "reading", "single", "sph", "sunglasses", "varifocal", "vision",
];

/// Keys of [`KEYS`] that are so short that others have them: a medium, what a
/// receiver got.
const SHORT_KEYS: &[&str] = &["med", "rx"];

/// Words of keys that hold a National Drug Code.
pub(super) const NDC_WORDS: &[&str] = &["ndc", "ndc10", "ndc11", "ndc9", "ndcs"];

/// Keys that hold one too.
pub(super) const NDC_KEYS: &[&str] = &[
    "drugcode",
    "medicationcode",
    "nationaldrugcode",
    "nationaldrugcodes",
];

/// Words of keys that hold a number of `RxNorm`.
pub(super) const RXNORM_WORDS: &[&str] = &["rxcui", "rxcuis", "rxnorm"];

/// Keys that do.
pub(super) const RXNORM_KEYS: &[&str] = &[
    "rxconceptid",
    "rxcui",
    "rxnorm",
    "rxnormcode",
    "rxnormconceptid",
    "rxnormid",
];

/// Words of keys that hold directions and doses.
pub(super) const SIG_KEY_WORDS: &[&str] = &[
    "directions",
    "dosage",
    "dose",
    "dosing",
    "instructions",
    "sig",
];

/// Ways to take a drug.
const ROUTES: &[&str] = &[
    "apply", "inhale", "inject", "instill", "swallow", "take", "tab", "tabs", "taken", "tome",
];

/// Units of drugs; plants and pools are dosed by volume.
const DOSE_UNITS: &[&str] = &[
    "capsule", "capsules", "iu", "mcg", "mg", "tablet", "tablets",
];

/// Keys that hold other facts about a prescription.
pub(super) const DETAIL_KEYS: &[&str] = &[
    "daysupply",
    "dayssupply",
    "medicationdosage",
    "medicationdose",
    "medicationstrength",
    "pharmacy",
    "pharmacyname",
    "pharmacyncpdp",
    "preferredpharmacy",
    "prescriptionid",
    "prescriptionnumber",
    "prescriptionstatus",
    "refillsremaining",
    "rxid",
    "rxnumber",
    "rxstatus",
];

/// Keys that do where the event names a drug.
pub(super) const DOSE_KEYS: &[&str] = &[
    "dispensed",
    "dispensequantity",
    "dosage",
    "dosageform",
    "dosageinstruction",
    "dosageinstructions",
    "dosagestrength",
    "dose",
    "doses",
    "formulation",
    "frequency",
    "quantity",
    "refill",
    "refills",
    "sig",
    "signatura",
    "strength",
];

/// Keys of [`DOSE_KEYS`] that any cart has: only an object of a drug has them.
const CART_KEYS: &[&str] = &["frequency", "formulation", "quantity", "strength"];

/// Words of objects of a drug.
const OBJECT_WORDS: &[&str] = &[
    "drug",
    "drugs",
    "medication",
    "medications",
    "meds",
    "prescription",
    "prescriptions",
    "rx",
];

/// Words that make an ambiguous name one of a drug.
const DOSE_WORDS: &[&str] = &[
    "capsule",
    "capsules",
    "dosage",
    "dose",
    "injection",
    "injections",
    "mcg",
    "mg",
    "pill",
    "pills",
    "prescribed",
    "prescription",
    "refill",
    "rx",
    "tablet",
    "tablets",
];

/// Words of a prescription's directions.
const SIG_WORDS: &[&str] = &[
    "bedtime", "bid", "capsule", "capsules", "daily", "inhale", "inject", "mouth", "po", "prn",
    "qd", "qhs", "qid", "tablet", "tablets", "tid",
];

/// Whether the value or its key is about a drug.
pub(super) fn is_named(subject: &Subject<'_>) -> bool {
    subject.term(Kind::Drug).is_some()
        || subject.key_term(Kind::Drug).is_some()
        || (is_key(subject) && subject.is_text())
        || (is_ndc_key(subject) && is_ndc(subject.value))
        || (subject.leaf_in(DETAIL_KEYS) && !text::is_negative(subject.value))
}

pub(super) fn detect(subject: &Subject<'_>, around: Surroundings<'_>, hits: &mut Hits<'_>) {
    if subject.vehicle == Vehicle::Opaque {
        return;
    }
    // A page or an event about a drug says less than a property that names it,
    // and than one that says how much of it.
    let in_context = (subject.is_context() || sense::is_of_goods(subject))
        && !subject.has_word(DOSE_WORDS)
        && !subject.has_word(&["supply"]);
    let mut hit = |rule: &'static str, normalized: &str| {
        let strength = if in_context && matches!(rule, "medication.name" | "medication.stem") {
            Strength::H2
        } else {
            Strength::H3
        };
        hits.health(Health::Medication, strength, rule, normalized);
    };
    let named = subject
        .term(Kind::Drug)
        .or_else(|| subject.key_term(Kind::Drug));
    // What someone does not take.
    let is_allergy = subject
        .leaf()
        .is_some_and(|leaf| leaf.has_word(ALLERGY_WORDS));
    let is_title = is_allergy || is_title(subject, around);
    if let Some(drug) = named.filter(|drug| !is_title && is_meant(subject, around, *drug)) {
        hit("medication.name", drug.phrase);
    } else if let Some(drug) = ambiguous(subject, around) {
        hit("medication.key.name", drug.phrase);
    } else if may_have(subject.value) {
        hit("medication.stem", subject.value);
    }
    let is_animal = around.trades.meets(ANIMALS);
    if !is_animal
        && (is_key(subject) || (subject.leaf_in(SHORT_KEYS) && around.medication))
        && subject.is_text()
    {
        hit("medication.key", subject.value);
    }
    if let Some((rule, code)) = code(subject, around) {
        hit(rule, code);
    }
    if is_detail(subject, around) && !text::is_negative(subject.value) {
        hit("medication.key.detail", subject.value);
    }
}

/// Whether the key says that the text is a drug, whatever it is.
fn is_key(subject: &Subject<'_>) -> bool {
    subject.leaf_in(KEYS)
        && !subject.leaf_in(SHARED_KEYS)
        && !(subject.leaf_in(OPTICAL_KEYS) && subject.has_word(OPTICAL_WORDS))
        && (!subject.leaf_in(SHORT_KEYS)
            || subject.words().len() > 1
            || subject.has_word(DOSE_WORDS))
}

/// Whether a name that everyone knows is that of a drug here.
fn is_meant(subject: &Subject<'_>, around: Surroundings<'_>, drug: Term) -> bool {
    if subject.term(Kind::Drug) == Some(drug) {
        subject.has_word(DOSE_WORDS) || shared::counts(subject, around, drug)
    } else {
        shared::counts_in_key(subject, around, drug)
    }
}

/// Words of keys of what someone cannot bear.
const ALLERGY_WORDS: &[&str] = &["allergies", "allergy", "intolerances"];

/// Trades that give their songs, heroes and animals the names of drugs.
const NAMING: Trades = Trades::of(&[Trade::Game, Trade::Media]);
const ANIMALS: Trades = Trades::of(&[Trade::Pet]);

/// Whether a drug in the value is the name of a work or an animal.
fn is_title(subject: &Subject<'_>, around: Surroundings<'_>) -> bool {
    let is_of_trade = Trades::of_subject(subject).meets(NAMING) || around.trades.meets(ANIMALS);
    is_of_trade
        && !subject.leaf_in(KEYS)
        && !subject.under(OBJECT_WORDS)
        && !subject.has_word(DOSE_WORDS)
}

/// An ambiguous name that something makes one of a drug.
fn ambiguous(subject: &Subject<'_>, around: Surroundings<'_>) -> Option<Term> {
    let of_kind = |terms: &[Term]| {
        let drugs = terms.iter().copied();
        drugs
            .filter(|term| term.kind == Kind::AmbiguousDrug)
            .collect::<Vec<_>>()
    };
    let terms = of_kind(&subject.terms);
    if let Some(first) = terms.first() {
        let is_keyed = subject.leaf_in(KEYS) || subject.under(OBJECT_WORDS);
        if is_keyed || subject.has_word(DOSE_WORDS) {
            return Some(*first);
        }
    }
    // Of a hormone there are levels too.
    if subject.term(Kind::Lab).is_some() || subject.key_term(Kind::Lab).is_some() {
        return None;
    }
    let substance = of_kind(subject.key_terms)
        .into_iter()
        .chain(terms)
        .find(|term| ambiguous::SUBSTANCES.contains(&term.phrase))?;
    around.health().then_some(substance)
}

/// Plants and machines have doses too, and carts have quantities.
fn is_detail(subject: &Subject<'_>, around: Surroundings<'_>) -> bool {
    if subject.leaf_in(DETAIL_KEYS) || is_direction(subject) {
        return true;
    }
    if !subject.leaf_in(DOSE_KEYS) {
        return false;
    }
    let in_object = subject.under(OBJECT_WORDS);
    let is_sig = || subject.leaf_in(&["sig", "signatura"]) && subject.has_word(SIG_WORDS);
    in_object || is_sig() || (around.medication && !subject.leaf_in(CART_KEYS))
}

/// Whether the value says how or how much of a drug to take.
fn is_direction(subject: &Subject<'_>) -> bool {
    let is_keyed = (subject.leaf()).is_some_and(|leaf| leaf.has_word(SIG_KEY_WORDS));
    let has_form = subject.has_word(SIG_WORDS) || subject.has_word(DOSE_UNITS);
    is_keyed && subject.is_text() && has_form && subject.has_word(ROUTES)
}

fn is_ndc_key(subject: &Subject<'_>) -> bool {
    let has_word = |key: &Key| key.has_word(NDC_WORDS);
    subject.leaf_in(NDC_KEYS)
        || [subject.leaf(), subject.parent()]
            .into_iter()
            .flatten()
            .any(has_word)
}

/// The code in the value and the rule by which it counts.
fn code<'a>(subject: &Subject<'a>, around: Surroundings<'_>) -> Option<(&'static str, &'a str)> {
    let named = subject.leaf_in(coding::CODE_KEYS) && around.coding.has(System::Drug);
    if (named || is_ndc_key(subject)) && is_ndc(subject.value) {
        return Some(("medication.ndc", subject.value));
    }
    let has_word = |key: &Key| key.has_word(RXNORM_WORDS);
    let is_keyed = [subject.leaf(), subject.parent()]
        .into_iter()
        .flatten()
        .any(has_word);
    let is_keyed = is_keyed || subject.leaf_in(RXNORM_KEYS);
    ((named || is_keyed) && is_rxcui(subject.value)).then_some(("medication.rxcui", subject.value))
}

/// Two to eight digits.
fn is_rxcui(value: &str) -> bool {
    (2..=8).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Eleven digits, or ten or eleven in three groups (package) or two (product).
fn is_ndc(value: &str) -> bool {
    /// Lengths of the groups; a product has no third.
    const SHAPES: &[[usize; 3]] = &[
        [4, 4, 2],
        [5, 3, 2],
        [5, 4, 1],
        [5, 4, 2],
        [4, 4, 0],
        [5, 3, 0],
        [5, 4, 0],
        [11, 0, 0],
    ];
    let mut lengths = [0; 3];
    let mut groups = value.split('-');
    for length in &mut lengths {
        let group = groups.next().unwrap_or_default();
        if !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        *length = group.len();
    }
    groups.next().is_none() && value != "00000000000" && SHAPES.contains(&lengths)
}

/// Letters of a name by its stem, both inclusive.
const STEM_LENGTHS: std::ops::RangeInclusive<usize> = 8..=28;

/// Whether a text is one word that ends like only drugs do, as the World Health
/// Organization gives out names: no other word of an English dictionary of
/// 160,000 words does.
pub(super) fn may_have(value: &str) -> bool {
    let bytes = value.as_bytes();
    let Some(last) = bytes.last() else {
        return false;
    };
    let stems: &[&str] = match last.to_ascii_lowercase() {
        b'b' => &[
            "ciclib", "coxib", "degib", "denib", "fenib", "lisib", "mab", "parib", "tinib", "zomib",
        ],
        b'e' => &[
            "azepine",
            "citabine",
            "conazole",
            "dipine",
            "dronate",
            "fibrate",
            "glitazone",
            "glutide",
            "lafaxine",
            "mustine",
            "nidazole",
            "oxetine",
            "peridone",
            "prazole",
            "semide",
            "thiazide",
            "triptyline",
        ],
        b'l' => &["barbital", "olol", "opril", "taxel"],
        b'm' => &["azepam", "grastim", "zolam"],
        b'n' => &[
            "azosin",
            "floxacin",
            "gliflozin",
            "gliptin",
            "oplatin",
            "poetin",
            "rubicin",
            "sartan",
            "setron",
            "triptan",
            "vastatin",
            "xaban",
        ],
        b'r' => &["asvir", "buvir", "clovir", "navir", "previr", "tegravir"],
        b't' => &["gepant", "lukast", "orexant"],
        _ => return false,
    };
    STEM_LENGTHS.contains(&bytes.len())
        && bytes.iter().all(u8::is_ascii_alphabetic)
        && stems.iter().any(|stem| {
            let start = bytes.len().saturating_sub(stem.len());
            bytes
                .get(start..)
                .is_some_and(|end| end.eq_ignore_ascii_case(stem.as_bytes()))
        })
}
