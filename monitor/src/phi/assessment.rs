//! Self-assessments: names of questionnaires, wording of their questions and
//! answers, scores.

pub(super) use super::sets::assessment::{
    ANSWER_KEYS, BARE_WORDS, CODE_KEYS, NAME_KEYS, QUESTION_KEYS, RESULT_KEYS, TOTAL_KEYS,
};
use super::sets::assessment::{
    ASSESSING_WORDS, INTAKE_WORDS, OTHER_ASSESSMENTS, QUIZ_KEY_WORDS, QUIZ_WORDS, RESULT_WORDS,
    SCORE_WORDS, SEVERITY_WORDS, TEST_WORDS,
};
use super::{
    Health, Hits, Strength, condition,
    lexicon::Kind,
    sense,
    sets::{assessment_names, assessment_wording},
    subject::{Subject, Surroundings},
    text,
};
use crate::field::ValueKind;

/// Answers of one event that are a questionnaire's, if all are small numbers.
pub(super) const ANSWER_COUNTS: std::ops::RangeInclusive<usize> = 7..=63;

/// Whether the value or its key names a questionnaire.
pub(super) fn is_named(subject: &Subject<'_>) -> bool {
    subject.term(Kind::Item).is_some()
        || subject.key_term(Kind::Item).is_some()
        || assessing(subject, Surroundings::default()).is_some()
        || subject.key_term(Kind::Assessing).is_some()
        || instrument_in_key(subject).is_some()
        || instrument_in_value(subject).is_some()
        || has_code(subject)
}

/// Whether the value is one of several small numbers that answer something.
pub(super) fn is_small_answer(subject: &Subject<'_>) -> bool {
    subject.value.len() == 1
        && matches!(subject.value.as_bytes(), [b'0'..=b'6'])
        && is_answer_key(subject)
}

pub(super) fn detect(subject: &Subject<'_>, surroundings: Surroundings, hits: &mut Hits<'_>) {
    let mut push = |strength, rule, shown: &str| {
        hits.health(Health::Assessment, strength, rule, shown);
    };
    if let Some(item) = subject
        .term(Kind::Item)
        .or_else(|| subject.key_term(Kind::Item))
    {
        push(Strength::H3, "assessment.item", item.phrase);
    }
    if let Some(answer) = subject.term(Kind::Answer)
        && (surroundings.assessment
            || (answer.whole
                && (is_answer_key(subject)
                    || assessment_wording::PECULIAR_ANSWERS.has(answer.phrase))))
    {
        push(Strength::H3, "assessment.answer", answer.phrase);
    }
    if subject.leaf_in(QUESTION_KEYS) && !text::is_placeholder_text(subject.value) {
        push(Strength::H3, "assessment.key", subject.value);
    }
    if has_code(subject) {
        push(Strength::H3, "assessment.loinc", subject.value);
    }
    if let Some(name) = instrument_in_key(subject) {
        let answered = is_answer(subject);
        let strength = if answered { Strength::H3 } else { Strength::H2 };
        let shown = if answered { subject.value } else { name };
        if !sense::is_off(subject) || answered {
            push(strength, "assessment.key_name", shown);
        }
    }
    if let Some(name) = instrument_in_value(subject) {
        let stated = (!subject.is_context()
            && (subject.leaf_in(NAME_KEYS) || is_quiz_key(subject)))
            || subject.has_word(SEVERITY_WORDS)
            || has_score(subject, name);
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        push(strength, "assessment.name", name);
    }
    if let Some(phrase) = assessing(subject, surroundings) {
        let stated = sense::states(subject) && is_quiz_key(subject);
        let strength = if stated { Strength::H3 } else { Strength::H2 };
        push(strength, "assessment.term", phrase);
    } else if let Some(term) = subject.term(Kind::Condition)
        && sense::states(subject)
        && is_quiz_key(subject)
        && condition::is_of_mind(term.phrase)
        && (subject.has_word(SEVERITY_WORDS)
            || condition::in_value(subject, surroundings).is_some())
    {
        push(Strength::H3, "assessment.term", term.phrase);
    }
    let is_one_of_many = surroundings.answers
        && is_small_answer(subject)
        && (surroundings.health() || subject.under(INTAKE_WORDS));
    let is_of_named = surroundings.assessment && is_result(subject);
    if (is_of_named || is_one_of_many)
        && !text::is_placeholder_text(subject.value)
        && !is_acknowledgment(subject.value)
    {
        push(Strength::H3, "assessment.result", subject.value);
    }
}

/// That someone assesses their health: a phrase, or a condition and a word for
/// a questionnaire.
fn assessing(subject: &Subject<'_>, surroundings: Surroundings<'_>) -> Option<&'static str> {
    if let Some(term) = subject.term(Kind::Assessing) {
        let is_other =
            assessment_names::SHARED.has(term.phrase) && subject.has_word(OTHER_ASSESSMENTS);
        return (!is_other).then_some(term.phrase);
    }
    let condition = condition::in_value(subject, surroundings)?;
    // Its parts are fields of their own.
    if subject.value.contains("://") {
        return None;
    }
    let asks = subject.has_word(QUIZ_WORDS)
        || (subject.has_word(TEST_WORDS) && condition::is_of_mind(condition.phrase));
    asks.then_some(condition.phrase)
}

/// Whether an ambiguous name is one of a questionnaire here.
fn is_clear(subject: &Subject<'_>, phrase: &str) -> bool {
    let clear = sense::CLEAR_INSTRUMENT
        .iter()
        .find(|sense| sense.phrases.has(phrase))
        .map_or(ASSESSING_WORDS, |sense| sense.words);
    sense::beside(subject, clear)
        // `"instrument": "AUDIT"`, as clinicians spell it.
        || (subject.leaf_in(NAME_KEYS)
            && sense::is_element(subject, phrase)
            && !subject.value.chars().any(char::is_lowercase))
}

pub(super) fn instrument_in_key(subject: &Subject<'_>) -> Option<&'static str> {
    let ambiguous = || {
        subject
            .key_term(Kind::AmbiguousInstrument)
            .filter(|term| is_clear(subject, term.phrase))
    };
    subject
        .key_term(Kind::Instrument)
        .or_else(ambiguous)
        .map(|term| term.phrase)
        .or_else(|| {
            let is_bare = subject.leaf().is_some_and(|leaf| leaf.has_word(BARE_WORDS));
            is_bare.then_some("phq score")
        })
}

fn instrument_in_value(subject: &Subject<'_>) -> Option<&'static str> {
    let ambiguous = || {
        subject
            .term(Kind::AmbiguousInstrument)
            .filter(|term| is_clear(subject, term.phrase))
    };
    subject
        .term(Kind::Instrument)
        .or_else(ambiguous)
        .map(|term| term.phrase)
}

/// Whether the value is an answer or a result of what its key names.
fn is_answer(subject: &Subject<'_>) -> bool {
    if subject.is_context() {
        return false;
    }
    subject.kind == ValueKind::Number
        || subject.value.starts_with(|c: char| c.is_ascii_digit())
        || subject.has_word(SEVERITY_WORDS)
        || subject.term(Kind::Answer).is_some()
        || (subject.is_text()
            && !sense::is_filler(subject.value)
            && (is_result(subject)
                || (subject.leaf()).is_some_and(|leaf| leaf.has_word(RESULT_WORDS))))
}

/// Whether the key names a questionnaire or what came out of it.
fn is_quiz_key(subject: &Subject<'_>) -> bool {
    subject
        .leaf()
        .is_some_and(|leaf| leaf.has_word(QUIZ_KEY_WORDS))
}

/// Whether a number stands beside the name, and says that it is a score.
fn has_score(subject: &Subject<'_>, name: &str) -> bool {
    let is_number = |word: &&str| {
        word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty()
    };
    let given = subject.words().iter().filter(is_number);
    let of_name = name.split(' ').filter(is_number).count();
    given.count() > of_name && subject.has_word(SCORE_WORDS)
}

fn has_code(subject: &Subject<'_>) -> bool {
    subject.leaf_in(CODE_KEYS) && assessment_names::LOINC.has(subject.value.trim_matches('/'))
}

/// `answers[3]`, `responses.q3`, `q3`.
fn is_answer_key(subject: &Subject<'_>) -> bool {
    subject
        .leaf()
        .is_some_and(|leaf| leaf.is_in(ANSWER_KEYS) || is_question(&leaf.folded))
        || subject
            .parent()
            .is_some_and(|parent| parent.is_in(RESULT_KEYS))
}

/// `answers[3]`, `responses.q3`, `score`, `q3`.
fn is_result(subject: &Subject<'_>) -> bool {
    let leaf_is_result = subject
        .leaf()
        .is_some_and(|leaf| leaf.is_in(RESULT_KEYS) || is_question(&leaf.folded));
    let parent_is_result = subject
        .parent()
        .is_some_and(|parent| parent.is_in(RESULT_KEYS));
    let is_total = || {
        let is_small = subject.value.len() <= 3 && subject.value.parse::<u8>().is_ok();
        subject.leaf_in(TOTAL_KEYS) && (is_small || subject.has_word(SEVERITY_WORDS))
    };
    leaf_is_result || parent_is_result || is_total()
}

/// Whether the folded key is `q3`, `question12` or the like.
pub(super) fn is_question(folded: &str) -> bool {
    ["q", "question", "item", "answer", "a"]
        .iter()
        .filter_map(|prefix| folded.strip_prefix(prefix))
        .any(|number| {
            (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// Whether a response says only that a request went well.
fn is_acknowledgment(value: &str) -> bool {
    ["200", "ok", "success", "succeeded", "complete", "completed"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}
