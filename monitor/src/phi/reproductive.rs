//! Reproductive health: terms in any vehicle, and keys.

use super::{
    Health, Hits, Strength,
    lexicon::{Kind, Table},
    subject::{Subject, Surroundings},
    text,
};

/// Terms. `period` and `cycle` alone are about time.
pub(super) const TERMS: &[Table] = &[(
    Kind::Reproductive,
    &[
        "abortion",
        "birth control",
        "contraception",
        "contraceptive",
        "emergency contraception",
        "fertility",
        "infertility",
        "in vitro",
        "ivf",
        "iud",
        "last menstrual period",
        "log period",
        "menopause",
        "menstrual",
        "menstruation",
        "miscarriage",
        "morning after pill",
        "ovulation",
        "period log",
        "period tracker",
        "pregnancy",
        "pregnant",
        "prenatal",
        "trimester",
    ],
)];

/// Keys whose value is about it, whatever it says.
pub(super) const KEYS: &[&str] = &[
    "cyclelength",
    "ispregnant",
    "lastmenstrualperiod",
    "lastperiod",
    "lmp",
    "ovulationdate",
    "perioddate",
    "periodstart",
    "pregnancyduedate",
    "pregnancystatus",
    "pregnancyweek",
    "pregnant",
];

pub(super) fn detect(subject: &Subject<'_>, _: Surroundings, hits: &mut Hits<'_>) {
    let has_value = !text::is_negative(subject.value);
    if subject.leaf_in(KEYS) && has_value {
        hits.health(
            Health::Reproductive,
            Strength::H3,
            "reproductive.key",
            subject.value,
        );
    }
    if let Some(term) = subject.term(Kind::Reproductive) {
        let stated = !subject.is_context()
            && (subject.leaf_in(super::condition::CONDITION_KEYS)
                || subject.leaf_in(super::condition::DIAGNOSIS_KEYS));
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        hits.health(
            Health::Reproductive,
            strength,
            "reproductive.term",
            term.phrase,
        );
    }
    if let Some(term) = subject.key_term(Kind::Reproductive) {
        let strength = if has_value {
            Strength::H3
        } else {
            Strength::H2
        };
        hits.health(
            Health::Reproductive,
            strength,
            "reproductive.key_name",
            term.phrase,
        );
    }
}
