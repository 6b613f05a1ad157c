//! Reproductive health: terms in any vehicle, and keys.

use super::{
    Health, Hits, Strength, condition, date,
    lexicon::{Kind, Table, Term},
    sense::{self, Sense},
    shared,
    subject::{Subject, Surroundings},
    text,
    trade::{Trade, Trades},
};

/// Terms. `period` and `cycle` alone are about time.
pub(super) const TERMS: &[Table] = &[(
    Kind::Reproductive,
    &[
        "aborto",
        "abortion",
        "artificial insemination",
        "basal body temperature",
        "birth control",
        "breastfeeding",
        "c section",
        "cervical mucus",
        "contraception",
        "contraceptive",
        "cycle day",
        "cycle tracking",
        "early pregnancy",
        "ectopic",
        "egg donor",
        "egg freezing",
        "embarazada",
        "embarazo",
        "embryo transfer",
        "emergency contraception",
        "expecting mother",
        "family planning",
        "fertile window",
        "fertility",
        "fertility treatment",
        "gestational age",
        "hot flashes",
        "in vitro",
        "infertility",
        "intrauterine",
        "iud",
        "iui",
        "ivf",
        "last menstrual period",
        "late period",
        "lmp date",
        "log period",
        "male infertility",
        "maternity care",
        "maternity ward",
        "menopausal",
        "menopause",
        "menstrual",
        "menstruation",
        "miscarriage",
        "missed period",
        "morning after pill",
        "morning sickness",
        "ovarian reserve",
        "ovulating",
        "ovulation",
        "perimenopause",
        "period cramps",
        "period end",
        "period flow",
        "period log",
        "period logged",
        "period pain",
        "period started",
        "period symptom",
        "period tracker",
        "period tracking",
        "plan b pill",
        "planned parenthood",
        "pregnancy",
        "pregnancy test",
        "pregnant",
        "preeclampsia",
        "premenstrual",
        "prenatal",
        "semen analysis",
        "sperm count",
        "stillbirth",
        "surrogacy",
        "terminate pregnancy",
        "trimester",
        "trying to conceive",
        "tubal ligation",
        "vasectomy",
        "weeks pregnant",
    ],
)];

const SENSES: &[Sense] = &[
    Sense {
        phrases: &[
            "abortion",
            "aborto",
            "planned parenthood",
            "contraception",
            "birth control",
        ],
        words: &[
            "ballot",
            "ban",
            "bill",
            "congress",
            "court",
            "debate",
            "election",
            "law",
            "laws",
            "legislation",
            "petition",
            "policy",
            "politics",
            "poll",
            "rights",
            "ruling",
            "senate",
            "supreme",
            "vote",
        ],
        trades: Trades::NONE,
    },
    Sense {
        phrases: &["fertility", "fertile window"],
        words: &["crop", "farm", "lawn", "plant", "rate", "soil", "garden"],
        trades: Trades::NONE,
    },
    Sense {
        phrases: &[
            "pregnancy",
            "pregnant",
            "prenatal",
            "breastfeeding",
            "trimester",
        ],
        words: &[
            "bra",
            "clothes",
            "clothing",
            "discrimination",
            "insurance",
            "leave",
            "photoshoot",
            "teas",
            "video",
            "yoga",
        ],
        trades: Trades::of(&[Trade::Pet]),
    },
    // Accounts have periods.
    Sense {
        phrases: &[
            "period end",
            "period started",
            "late period",
            "missed period",
        ],
        words: &[
            "accounting",
            "billing",
            "current",
            "fiscal",
            "grace",
            "invoice",
            "notice",
            "pay",
            "payroll",
            "reporting",
            "subscription",
            "tax",
            "trial",
        ],
        trades: Trades::of(&[Trade::Economy, Trade::Game]),
    },
];

/// Terms that a subscription has too: its keys do not count.
const TIME_TERMS: &[&str] = &["period end", "period started", "cycle day", "late period"];

/// Keys whose value is about it, whatever it says.
pub(super) const KEYS: &[&str] = &[
    "basalbodytemperature",
    "birthcontrol",
    "birthcontrolmethod",
    "cervicalmucus",
    "contraceptionmethod",
    "contraceptivemethod",
    "fertilewindow",
    "fertilewindowstart",
    "gestationalage",
    "gestationalweek",
    "gravida",
    "ispregnant",
    "lastmenstrualperiod",
    "menstrualphase",
    "numberofpregnancies",
    "ovulationdate",
    "ovulationday",
    "periodflow",
    "periodsymptoms",
    "pregnancyduedate",
    "pregnancystatus",
    "pregnancyweek",
    "pregnant",
    "sexuallyactive",
    "tryingtoconceive",
    "weekspregnant",
];

/// Keys of the date of the last period. Reports compare with a last period, but
/// give its end too.
pub(super) const LAST_PERIOD_KEYS: &[&str] = &[
    "dateoflastperiod",
    "firstdayoflastperiod",
    "lastperiodbegan",
    "lastperioddate",
    "lastperiodstart",
    "lastperiodstartdate",
    "lmp",
    "lmpdate",
    "startoflastperiod",
];

/// Keys that are about it beside other evidence of health: accounts have
/// periods, invoices a due date.
pub(super) const WEAK_KEYS: &[&str] = &[
    "babyduedate",
    "cycleday",
    "cyclelength",
    "cyclephase",
    "duedate",
    "lastperiod",
    "lastperioddate",
    "lmp",
    "lmpdate",
    "perioddate",
    "periodend",
    "periodlength",
    "periodstart",
    "periodstartdate",
    "ttc",
];

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let has_value = !text::is_negative(subject.value);
    let mut push =
        |strength, rule, shown: &str| hits.health(Health::Reproductive, strength, rule, shown);
    let is_lmp = subject.leaf_in(LAST_PERIOD_KEYS) && date::parse(subject.value).is_some();
    let keyed = subject.leaf_in(KEYS)
        || is_lmp
        || (subject.leaf_in(WEAK_KEYS) && surroundings.reproductive && surroundings.health());
    if keyed && has_value && !sense::is_of_goods(subject) {
        push(Strength::H3, "reproductive.key", subject.value);
    }
    if sense::is_name(subject) {
        return;
    }
    let means_it = |term: &Term| {
        term.kind == Kind::Reproductive && !sense::means_other(subject, surroundings, *term, SENSES)
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
        push(strength, "reproductive.term", term.phrase);
    }
    let key_term = (subject.key_terms.iter().copied())
        .filter(means_it)
        .filter(|term| shared::counts_in_key(subject, surroundings, *term))
        .find(|term| !TIME_TERMS.contains(&term.phrase));
    if let Some(term) = key_term
        && !sense::is_off(subject)
    {
        let affirmed = has_value && !subject.is_context() && !sense::is_of_interface(subject);
        let strength = if affirmed { Strength::H3 } else { Strength::H2 };
        push(strength, "reproductive.key_name", term.phrase);
    }
}

/// Whether the value or its key is about reproduction.
pub(super) fn is_named(subject: &Subject<'_>) -> bool {
    subject.term(Kind::Reproductive).is_some() || subject.key_term(Kind::Reproductive).is_some()
}
