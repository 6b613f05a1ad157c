//! Every detector and what wakes it, in the order in which evidence of one value
//! is listed.

use super::{
    account, address, appointment, assessment, biometric, birth_date, condition, device_id, email,
    engine::Rules,
    external_id, health_plan_id, insurance, ip,
    lexicon::Kind,
    license, medication, mrn, name, online_id, phone, photo, provider, reproductive, service_date,
    sex,
    shape::{Bytes, Shape},
    ssn, substance_use, treatment, vehicle,
};

/// An address has an `@`.
const EMAIL: Shape = Shape {
    all: Bytes::AT,
    any: Bytes::NONE,
    lengths: (6, usize::MAX),
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

/// Collections whose members are addressed in a path.
const COLLECTIONS: &[&str] = &[
    "contacts",
    "customers",
    "members",
    "people",
    "profiles",
    "users",
];

/// What wakes a detector that nothing wakes.
const NOTHING: Rules = Rules {
    detect: |_, _, _| {},
    keys: &[],
    words: &[],
    kinds: &[],
    shape: None,
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
        ],
        words: &[&["name", "displayname", "sdx", "soundex"], name::PART_KEYS],
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
            &["long"],
        ],
        shape: Some(TEXT),
        ..NOTHING
    },
    Rules {
        detect: ssn::detect,
        keys: &[ssn::KEYS, ssn::LAST_FOUR_KEYS],
        words: &[&["ssn"]],
        shape: Some(SSN),
        ..NOTHING
    },
    Rules {
        detect: mrn::detect,
        keys: &[mrn::KEYS, mrn::ID_KEYS, mrn::REFERENCE_KEYS],
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
            &["id", "uuid"],
            COLLECTIONS,
        ],
        ..NOTHING
    },
    Rules {
        detect: online_id::detect,
        keys: &[
            online_id::KEYS,
            online_id::WEAK_KEYS,
            online_id::CLICK_IDS,
            &["cookie", "eids", "uids"],
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
        detect: condition::detect,
        keys: &[
            condition::CODE_KEYS,
            condition::DIAGNOSIS_KEYS,
            condition::CONDITION_KEYS,
        ],
        kinds: &[Kind::Condition],
        ..NOTHING
    },
    Rules {
        detect: medication::detect,
        keys: &[
            medication::KEYS,
            medication::NDC_KEYS,
            medication::DETAIL_KEYS,
            medication::DOSE_KEYS,
        ],
        kinds: &[Kind::Drug, Kind::AmbiguousDrug],
        ..NOTHING
    },
    Rules {
        detect: assessment::detect,
        keys: &[
            assessment::RESULT_KEYS,
            assessment::NAME_KEYS,
            assessment::QUESTION_KEYS,
        ],
        kinds: &[
            Kind::Instrument,
            Kind::AmbiguousInstrument,
            Kind::Item,
            Kind::Answer,
            Kind::Assessing,
        ],
        other: assessment::is_question,
        ..NOTHING
    },
    Rules {
        detect: appointment::detect,
        keys: &[appointment::KEYS, service_date::KEYS],
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
        keys: &[insurance::KEYS, insurance::WEAK_KEYS],
        kinds: &[Kind::Payer],
        ..NOTHING
    },
    Rules {
        detect: provider::detect,
        keys: &[
            provider::KEYS,
            provider::WEAK_KEYS,
            provider::SPECIALTY_KEYS,
            provider::NPI_KEYS,
        ],
        kinds: &[Kind::Provider],
        ..NOTHING
    },
    Rules {
        detect: reproductive::detect,
        keys: &[reproductive::KEYS],
        kinds: &[Kind::Reproductive],
        ..NOTHING
    },
    Rules {
        detect: substance_use::detect,
        keys: &[substance_use::KEYS],
        kinds: &[Kind::SubstanceUse],
        ..NOTHING
    },
];
