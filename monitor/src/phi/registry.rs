//! Every detector and what wakes it, in the order in which evidence of one value
//! is listed.

use super::sets::registry::{COOKIE_KEYS, IDENTIFIERS, LONG, NAME_ENDINGS, SSN_WORDS};
use super::{
    account, address, appointment, assessment, biometric, birth_date, coding, compound, condition,
    device_id, email, email_hash,
    engine::Rules,
    external_id, health_plan_id, icd10, insurance, ip, lab,
    lexicon::Kind,
    license, medication, mrn, name, online_id, phone, photo, procedure, provider, reproductive,
    service_date, sex,
    shape::{Bytes, Shape},
    ssn, substance_use,
    trade::{self, Trades},
    treatment, vehicle,
};

/// An address has an `@`.
const EMAIL: Shape = Shape {
    all: Bytes::AT,
    any: Bytes::NONE,
    lengths: (6, usize::MAX),
};

/// Letters and digits of a hash.
const HASH: Shape = Shape {
    all: Bytes::DIGIT.or(Bytes::LETTER),
    any: Bytes::NONE,
    lengths: (32, 64),
};

/// Ten digits and what separates them; digits may be those of any script.
const PHONE: Shape = Shape {
    all: Bytes::DIGIT,
    any: Bytes::DASH
        .or(Bytes::PLUS)
        .or(Bytes::POINT)
        .or(Bytes::SPACE)
        .or(Bytes::PARENTHESIS),
    lengths: (10, usize::MAX),
};

/// Nine digits and two dashes, which may stand in a text.
const SSN: Shape = Shape {
    all: Bytes::DIGIT.or(Bytes::DASH),
    any: Bytes::NONE,
    lengths: (11, usize::MAX),
};

/// Words and a number: a place, or a number that a word announces.
const TEXT: Shape = Shape {
    all: Bytes::DIGIT.or(Bytes::LETTER).or(Bytes::SPACE),
    any: Bytes::NONE,
    lengths: (8, usize::MAX),
};

/// The number of an account or a card: an IBAN, or four groups of digits.
const ACCOUNT: Shape = Shape {
    all: Bytes::DIGIT,
    any: Bytes::LETTER.or(Bytes::DASH).or(Bytes::SPACE),
    lengths: (15, 42),
};

/// The number of a vehicle.
const VIN: Shape = Shape {
    all: Bytes::DIGIT.or(Bytes::LETTER),
    any: Bytes::NONE,
    lengths: (17, 17),
};

/// The address of hardware, the number of a telephone or of a medical device.
const DEVICE: Shape = Shape {
    all: Bytes::DIGIT,
    any: Bytes::NONE,
    lengths: (17, 64),
};

/// The same with two dashes, in a text.
const DASHED_MBI: Shape = Shape {
    all: Bytes::DIGIT.or(Bytes::LETTER).or(Bytes::DASH),
    any: Bytes::NONE,
    lengths: (14, 4_096),
};

/// Eleven digits and letters, or two dashes more.
const MBI: Shape = Shape {
    all: Bytes::DIGIT.or(Bytes::LETTER),
    any: Bytes::NONE,
    lengths: (11, 13),
};

/// `fb.1.…` and `GA1.2.…`.
const COOKIE: Shape = Shape {
    all: Bytes::DIGIT.or(Bytes::LETTER).or(Bytes::POINT),
    any: Bytes::NONE,
    lengths: (16, 512),
};

/// A letter, digits and a point, anywhere.
const CODE: Shape = Shape {
    all: Bytes::LETTER.or(Bytes::DIGIT).or(Bytes::POINT),
    any: Bytes::NONE,
    lengths: (5, usize::MAX),
};

/// `loinc|4548-4` and the like.
const LOINC: Shape = Shape {
    all: Bytes::LETTER.or(Bytes::DIGIT).or(Bytes::DASH),
    any: Bytes::NONE,
    lengths: (9, 32),
};

/// One word.
const STEM: Shape = Shape {
    all: Bytes::LETTER,
    any: Bytes::NONE,
    lengths: (8, 28),
};

/// What wakes a detector that nothing wakes.
const NOTHING: Rules = Rules {
    detect: |_, _, _| {},
    keys: &[],
    words: &[],
    kinds: &[],
    shape: None,
    note: None,
    fits: |_| true,
    other: |_| false,
};

/// Every detector.
pub(super) static DETECTORS: &[Rules] = &[
    Rules {
        detect: email::detect,
        keys: &[email::KEYS, email::HASH_KEYS],
        shape: Some(EMAIL),
        ..NOTHING
    },
    Rules {
        detect: phone::detect,
        keys: &[phone::KEYS, phone::FAX_KEYS, phone::CALL_KEYS],
        shape: Some(PHONE),
        ..NOTHING
    },
    Rules {
        detect: name::detect,
        keys: &[
            name::KEYS,
            name::SHORT_KEYS,
            name::PART_KEYS,
            name::INITIAL_KEYS,
            name::WHO_KEYS,
            name::TYPE_KEYS,
        ],
        note: Some(|subject, names| names.group |= name::is_group(subject)),
        words: &[NAME_ENDINGS, name::PART_KEYS],
        ..NOTHING
    },
    Rules {
        detect: birth_date::detect,
        keys: &[
            birth_date::KEYS,
            birth_date::PART_KEYS,
            birth_date::AGE_KEYS,
        ],
        shape: Some(TEXT),
        ..NOTHING
    },
    Rules {
        detect: service_date::detect,
        keys: &[service_date::KEYS],
        words: &[service_date::CARE_WORDS],
        ..NOTHING
    },
    Rules {
        detect: address::detect,
        keys: &[
            address::KEYS,
            address::CITY_KEYS,
            address::ZIP_KEYS,
            address::SHORT_KEYS,
            address::GEO_KEYS,
            address::GEO_PAIR_KEYS,
            LONG,
        ],
        shape: Some(TEXT),
        ..NOTHING
    },
    Rules {
        detect: ssn::detect,
        keys: &[ssn::KEYS, ssn::LAST_FOUR_KEYS],
        words: &[SSN_WORDS],
        shape: Some(SSN),
        ..NOTHING
    },
    Rules {
        detect: mrn::detect,
        keys: &[mrn::KEYS, mrn::ID_KEYS, mrn::REFERENCE_KEYS, mrn::PATIENTS],
        shape: Some(TEXT),
        ..NOTHING
    },
    Rules {
        detect: health_plan_id::detect,
        keys: &[health_plan_id::KEYS, health_plan_id::WEAK_KEYS],
        shape: Some(MBI),
        ..NOTHING
    },
    Rules {
        detect: health_plan_id::detect_in_text,
        shape: Some(DASHED_MBI),
        ..NOTHING
    },
    Rules {
        detect: account::detect,
        keys: &[account::KEYS, account::ROUTING_KEYS, account::CARD_KEYS],
        shape: Some(ACCOUNT),
        ..NOTHING
    },
    Rules {
        detect: license::detect,
        keys: &[license::KEYS, license::DEA_KEYS],
        ..NOTHING
    },
    Rules {
        detect: vehicle::detect,
        keys: &[vehicle::KEYS, vehicle::PLATE_KEYS],
        shape: Some(VIN),
        ..NOTHING
    },
    Rules {
        detect: external_id::detect,
        keys: &[
            external_id::KEYS,
            external_id::SUFFIX_KEYS,
            external_id::BARE_KEYS,
            external_id::ID_PARENTS,
            IDENTIFIERS,
            external_id::COLLECTIONS,
        ],
        other: external_id::is_slot,
        ..NOTHING
    },
    Rules {
        detect: online_id::detect,
        keys: &[
            online_id::KEYS,
            online_id::WEAK_KEYS,
            online_id::VISITOR_KEYS,
            online_id::CLICK_IDS,
            COOKIE_KEYS,
            email_hash::SHARED_IDS,
        ],
        shape: Some(COOKIE),
        ..NOTHING
    },
    Rules {
        detect: device_id::detect,
        keys: &[
            device_id::KEYS,
            device_id::WEAK_KEYS,
            device_id::SERIAL_KEYS,
            device_id::DEVICES,
        ],
        shape: Some(DEVICE),
        ..NOTHING
    },
    Rules {
        detect: ip::detect,
        keys: &[ip::KEYS],
        ..NOTHING
    },
    Rules {
        detect: biometric::detect,
        keys: &[biometric::KEYS, biometric::WEAK_KEYS],
        ..NOTHING
    },
    Rules {
        detect: photo::detect,
        keys: &[photo::KEYS, photo::WEAK_KEYS],
        ..NOTHING
    },
    Rules {
        detect: sex::detect,
        keys: &[sex::KEYS, sex::SHORT_KEYS],
        ..NOTHING
    },
    Rules {
        detect: icd10::detect,
        keys: &[icd10::CODE_KEYS, coding::SYSTEM_KEYS, coding::CODE_KEYS],
        words: &[
            icd10::ICD_WORDS,
            icd10::ICD9_WORDS,
            icd10::ICD11_WORDS,
            icd10::SNOMED_WORDS,
            icd10::DIAGNOSIS_WORDS,
            icd10::SHARED_WORDS,
        ],
        shape: Some(CODE),
        note: Some(|subject, names| names.coding = names.coding.and(coding::named(subject))),
        fits: icd10::may_have,
        ..NOTHING
    },
    Rules {
        detect: condition::detect,
        keys: &[condition::DIAGNOSIS_KEYS, condition::CONDITION_KEYS],
        words: &[
            condition::ALLERGY_WORDS,
            condition::DIAGNOSIS_WORDS,
            condition::HISTORY_WORDS,
        ],
        kinds: &[Kind::Condition, Kind::AmbiguousCondition],
        ..NOTHING
    },
    Rules {
        detect: medication::detect,
        note: Some(|subject, names| names.medication |= medication::is_named(subject)),
        keys: &[
            medication::KEYS,
            medication::NDC_KEYS,
            medication::DETAIL_KEYS,
            medication::DOSE_KEYS,
            medication::RXNORM_KEYS,
            coding::SYSTEM_KEYS,
            coding::CODE_KEYS,
        ],
        words: &[
            medication::NDC_WORDS,
            medication::RXNORM_WORDS,
            medication::SIG_KEY_WORDS,
        ],
        kinds: &[Kind::Drug, Kind::AmbiguousDrug],
        shape: Some(STEM),
        fits: medication::may_have,
        ..NOTHING
    },
    Rules {
        detect: procedure::detect,
        keys: &[
            coding::SYSTEM_KEYS,
            coding::CODE_KEYS,
            procedure::KEYS,
            procedure::SHARED_KEYS,
            procedure::CODE_KEYS,
            procedure::SHARED_CODE_KEYS,
            procedure::BILL_KEYS,
            procedure::DENTAL_KEYS,
        ],
        words: &[procedure::CODE_WORDS, procedure::PCS_WORDS],
        kinds: &[Kind::Procedure],
        ..NOTHING
    },
    Rules {
        detect: lab::detect,
        keys: &[
            coding::SYSTEM_KEYS,
            coding::CODE_KEYS,
            lab::KEYS,
            lab::SHARED_KEYS,
            lab::CODE_KEYS,
        ],
        words: &[lab::LOINC_WORDS],
        kinds: &[Kind::Lab, Kind::AmbiguousLab],
        shape: Some(LOINC),
        fits: lab::may_have,
        ..NOTHING
    },
    Rules {
        detect: assessment::detect,
        note: Some(|subject, names| {
            names.assessment |= assessment::is_named(subject);
            names.answers += usize::from(assessment::is_small_answer(subject));
        }),
        keys: &[
            assessment::RESULT_KEYS,
            assessment::ANSWER_KEYS,
            assessment::TOTAL_KEYS,
            assessment::NAME_KEYS,
            assessment::QUESTION_KEYS,
            assessment::CODE_KEYS,
        ],
        words: &[assessment::BARE_WORDS],
        kinds: &[
            Kind::Instrument,
            Kind::AmbiguousInstrument,
            Kind::Item,
            Kind::Answer,
            Kind::Assessing,
            Kind::Condition,
        ],
        other: |keys| {
            let leaf = keys.last();
            leaf.is_some_and(|leaf| assessment::is_question(&leaf.folded))
        },
        ..NOTHING
    },
    Rules {
        detect: appointment::detect,
        note: Some(|subject, names| {
            names.trades = names.trades.or(appointment::trades(subject));
        }),
        keys: &[
            appointment::KEYS,
            appointment::SERVICE_KEYS,
            appointment::WEAK_KEYS,
            service_date::KEYS,
        ],
        words: &[service_date::CARE_WORDS],
        kinds: &[Kind::Appointment],
        ..NOTHING
    },
    Rules {
        detect: treatment::detect,
        keys: &[treatment::KEYS, treatment::TERM_KEYS],
        kinds: &[Kind::Treatment],
        ..NOTHING
    },
    Rules {
        detect: insurance::detect,
        note: Some(|subject, names| {
            names.insurance |= insurance::is_named(subject);
            names.insurer |= insurance::is_certain(subject);
        }),
        keys: &[insurance::KEYS, insurance::WEAK_KEYS],
        kinds: &[Kind::Payer],
        ..NOTHING
    },
    Rules {
        detect: provider::detect,
        keys: &[
            provider::KEYS,
            provider::SHARED_KEYS,
            provider::WEAK_KEYS,
            provider::SPECIALTY_KEYS,
            provider::NPI_KEYS,
        ],
        words: &[provider::NPI_WORDS],
        kinds: &[Kind::Provider],
        ..NOTHING
    },
    Rules {
        detect: reproductive::detect,
        note: Some(|subject, names| names.reproductive |= reproductive::is_named(subject)),
        keys: &[
            reproductive::KEYS,
            reproductive::LAST_PERIOD_KEYS,
            reproductive::WEAK_KEYS,
        ],
        kinds: &[Kind::Reproductive],
        ..NOTHING
    },
    Rules {
        detect: substance_use::detect,
        keys: &[substance_use::KEYS],
        words: &[substance_use::SUBSTANCE_WORDS],
        kinds: &[
            Kind::SubstanceUse,
            Kind::Instrument,
            Kind::AmbiguousInstrument,
        ],
        ..NOTHING
    },
    // Behind the classes, whose evidence it asks for.
    Rules {
        detect: compound::detect,
        words: &[compound::KEY_FIRSTS],
        kinds: &[
            Kind::Care,
            Kind::Condition,
            Kind::Drug,
            Kind::Provider,
            Kind::Reproductive,
            Kind::SubstanceUse,
            Kind::Treatment,
        ],
        ..NOTHING
    },
    Rules {
        note: Some(|subject, names| {
            names.trades = names.trades.or(Trades::of_subject(subject));
        }),
        kinds: trade::KINDS,
        ..NOTHING
    },
    // Only what no other detector knows.
    Rules {
        detect: email_hash::detect,
        keys: &[
            email_hash::KEYS,
            email_hash::JOINED_KEYS,
            email_hash::SHARED_IDS,
        ],
        shape: Some(HASH),
        fits: email_hash::may_have,
        ..NOTHING
    },
];
