//! Self-assessments: names of questionnaires, wording of their questions and
//! answers, scores.

use std::sync::Arc;

use super::{
    Health, Hits, Strength,
    key::Key,
    lexicon::{Kind, Table},
    subject::{Subject, Surroundings},
    text,
};
use crate::field::ValueKind;

/// Names of questionnaires, and short pieces of their wording as match keys.
pub(super) const TERMS: &[Table] = &[
    (
        Kind::Instrument,
        &[
            "phq 2",
            "phq 4",
            "phq 8",
            "phq 9",
            "phq 15",
            "phq a",
            "gad 2",
            "gad 7",
            "asrs",
            "c ssrs",
            "cssrs",
            "dast 10",
            "pcl 5",
            "epds",
            "edinburgh postnatal",
            "y bocs",
            "ybocs",
            "psqi",
            "who 5",
            "dass 21",
            "scoff",
            "eat 26",
            "columbia suicide",
            "mood disorder questionnaire",
            "beck depression",
            "audit c",
        ],
    ),
    (
        Kind::AmbiguousInstrument,
        &["ace", "audit", "cage", "isi", "k 6", "k 10", "mdq"],
    ),
    (
        Kind::Item,
        &[
            "little interest or pleasure",
            "down depressed or hopeless",
            "better off dead",
            "nervous anxious or on edge",
            "stop or control worrying",
            "trouble relaxing",
            "afraid as if something awful",
            "wished you were dead",
            "wish you were dead",
            "wrapping up the final details",
            "difficulty getting things in order",
            "talked faster than usual",
            "much more self confident",
            "thoughts of killing yourself",
            "trouble falling or staying asleep",
            "feeling bad about yourself",
        ],
    ),
    (
        Kind::Answer,
        &[
            "several days",
            "more than half the days",
            "nearly every day",
            "over half the days",
        ],
    ),
    (
        Kind::Assessing,
        &[
            "adhd assessment",
            "adhd quiz",
            "adhd test",
            "anxiety quiz",
            "anxiety test",
            "clinical assessment",
            "depression quiz",
            "depression test",
            "health assessment",
            "health questionnaire",
            "intake assessment",
            "intake form",
            "intake questionnaire",
            "medical intake",
            "medical questionnaire",
            "mental health screening",
            "patient intake",
            "self assessment",
            "symptom assessment",
            "symptom checker",
            "symptom quiz",
        ],
    ),
];

/// Words that make an ambiguous name that of a questionnaire.
const ASSESSING_WORDS: &[&str] = &[
    "answer",
    "answers",
    "assessment",
    "questionnaire",
    "quiz",
    "score",
    "screener",
    "screening",
    "severity",
    "total",
];

/// Keys whose value is an answer or a result, where the message names a
/// questionnaire.
pub(super) const RESULT_KEYS: &[&str] = &[
    "answer",
    "answers",
    "response",
    "responses",
    "result",
    "results",
    "score",
    "scores",
    "severity",
    "totalscore",
];

/// Keys that name the questionnaire.
pub(super) const NAME_KEYS: &[&str] = &[
    "assessment",
    "assessmentname",
    "assessmenttype",
    "questionnaire",
    "questionnairename",
    "quiz",
    "quizname",
    "screener",
    "screening",
    "selfassessment",
    "survey",
    "test",
];

/// Keys that are questions themselves.
pub(super) const QUESTION_KEYS: &[&str] = &[
    "selfharm",
    "siflag",
    "suicidal",
    "suicidalideation",
    "suicidality",
    "suiciderisk",
];

/// Whether the value or its key names a questionnaire.
pub(super) fn is_named(subject: &Subject<'_>) -> bool {
    [Kind::Instrument, Kind::Item, Kind::Assessing]
        .into_iter()
        .any(|kind| subject.term(kind).is_some() || subject.key_term(kind).is_some())
}

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let answered = subject.kind == ValueKind::Number
        || (!subject.is_context()
            && !subject.value.is_empty()
            && subject
                .value
                .chars()
                .next()
                .is_some_and(|c| c.is_ascii_digit()));
    if let Some(item) = subject
        .term(Kind::Item)
        .or_else(|| subject.key_term(Kind::Item))
    {
        hits.health(
            Health::Assessment,
            Strength::H3,
            "assessment.item",
            item.phrase,
        );
    }
    if let Some(answer) = subject.term(Kind::Answer)
        && (answer.whole || surroundings.assessment)
    {
        hits.health(
            Health::Assessment,
            Strength::H3,
            "assessment.answer",
            answer.phrase,
        );
    }
    if subject.leaf_in(QUESTION_KEYS) {
        hits.health(
            Health::Assessment,
            Strength::H3,
            "assessment.key",
            subject.value,
        );
    }
    if let Some(name) = instrument_in_key(subject) {
        let strength = if answered { Strength::H3 } else { Strength::H2 };
        let shown = if answered { subject.value } else { name };
        hits.health(Health::Assessment, strength, "assessment.key_name", shown);
    }
    if let Some(name) = instrument_in_value(subject) {
        let stated = !subject.is_context() && subject.leaf_in(NAME_KEYS);
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        hits.health(Health::Assessment, strength, "assessment.name", name);
    }
    if let Some(term) = subject.term(Kind::Assessing) {
        hits.health(
            Health::Assessment,
            Strength::H2,
            "assessment.term",
            term.phrase,
        );
    }
    if surroundings.assessment && is_result(subject) && !text::is_placeholder_text(subject.value) {
        hits.health(
            Health::Assessment,
            Strength::H3,
            "assessment.result",
            subject.value,
        );
    }
}

fn instrument_in_key(subject: &Subject<'_>) -> Option<&'static str> {
    let ambiguous = || {
        let near = subject
            .keys
            .iter()
            .rev()
            .take(2)
            .any(|key| key.has_word(ASSESSING_WORDS));
        subject.key_term(Kind::AmbiguousInstrument).filter(|_| near)
    };
    subject
        .key_term(Kind::Instrument)
        .or_else(ambiguous)
        .map(|term| term.phrase)
}

fn instrument_in_value(subject: &Subject<'_>) -> Option<&'static str> {
    let ambiguous = || {
        let near = subject.has_word(ASSESSING_WORDS)
            || subject
                .keys
                .iter()
                .rev()
                .take(2)
                .any(|key| key.has_word(ASSESSING_WORDS));
        subject.term(Kind::AmbiguousInstrument).filter(|_| near)
    };
    subject
        .term(Kind::Instrument)
        .or_else(ambiguous)
        .map(|term| term.phrase)
}

/// `answers[3]`, `responses.q3`, `score`, `q3`.
fn is_result(subject: &Subject<'_>) -> bool {
    subject.leaf_in(RESULT_KEYS)
        || is_question(subject.keys)
        || subject
            .parent()
            .is_some_and(|parent| parent.is_in(RESULT_KEYS))
}

/// Whether the last key is `q3` or the like.
pub(super) fn is_question(keys: &[Arc<Key>]) -> bool {
    let number = keys.last().and_then(|leaf| leaf.folded.strip_prefix('q'));
    number.is_some_and(|number| {
        (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}
