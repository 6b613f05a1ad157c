//! What is known about the values of one message: which are evidence, and what
//! replaces them.
//!
//! In: the fields of a message, the evidence in them, the values that must be
//! hidden in any case. Out: the replacement of every text.

use std::collections::HashMap;

use jiff::{
    civil::{Date, Time},
    tz::Offset,
};

use super::{
    key::RedactionKey,
    pseudonym,
    scramble::{self, Letters},
    vocabulary,
};
use crate::{
    event::Timestamp,
    field::Fields,
    finding::Values,
    phi::{Class, Evidence, Form, Identifier},
};

/// How many texts are searched for within others; further ones are only
/// replaced as whole values.
const MAX_SPANS: usize = 512;
/// The shortest text that is sought inside of words.
const MIN_PART: usize = 4;
/// The longest value that is replaced as a whole by one of its class.
const MAX_WHOLE: usize = 128;
/// Values of at least this many bytes must not remain anywhere.
pub(super) const MIN_SEARCHED: usize = 4;
/// Event times lie at most this far before their message, in seconds.
const PAST: u64 = 31 * 86_400;
/// And at most this far behind it: clocks differ.
const FUTURE: u64 = 86_400;

/// A text that is replaced wherever it occurs.
struct Span {
    /// Letters and digits in lower case.
    folded: Vec<char>,
    class: Class,
    form: Form,
}

/// Everything known about one message.
pub(super) struct Known<'a> {
    pub(super) key: &'a RedactionKey,
    /// By whole value.
    exact: HashMap<&'a str, String>,
    /// Longest first.
    spans: Vec<Span>,
    /// What no key may hold.
    pub(super) hidden: Values,
    /// What must be found nowhere.
    pub(super) sought: Vec<String>,
    /// Seconds since 1970.
    now: u64,
}

impl<'a> Known<'a> {
    pub(super) fn new(
        key: &'a RedactionKey,
        fields: &'a Fields,
        evidence: &[Evidence],
        planted: &[&'a str],
        time: Timestamp,
    ) -> Self {
        let mut by_field: HashMap<usize, Vec<&Evidence>> = HashMap::new();
        for item in evidence {
            by_field.entry(item.field).or_default().push(item);
        }
        let value_of = |item: &Evidence| {
            let field = fields.get(item.field)?;
            Some(field.value()).filter(|value| !is_bare(value))
        };
        let values = || evidence.iter().filter_map(value_of);
        let mut known = Self {
            key,
            exact: HashMap::new(),
            spans: Vec::new(),
            hidden: Values::of(
                values()
                    .filter(|value| value.len() <= MAX_WHOLE)
                    .chain(planted.iter().copied()),
            ),
            sought: Vec::new(),
            now: time.0 / 1_000_000_000,
        };
        for item in evidence {
            let Some(value) = value_of(item) else {
                continue;
            };
            let normalized = item.normalized.expose();
            known.add_span(normalized, item.class, item.form, value);
        }
        for value in planted {
            let class = Class::Identifier(Identifier::ExternalId);
            known.add_span(value, class, Form::Plain, value);
        }
        known
            .spans
            .sort_by_key(|span| std::cmp::Reverse(span.folded.len()));
        for (index, items) in &by_field {
            let Some(value) = fields.get(*index).map(|field| field.value()) else {
                continue;
            };
            if is_bare(value) {
                continue;
            }
            let replaced = known.replace(value, items.first().copied());
            known.exact.insert(value, replaced);
            known.seek(value);
        }
        for value in planted {
            known.seek(value);
        }
        known
    }

    fn seek(&mut self, value: &str) {
        let is_word = value.chars().filter(|c| c.is_alphanumeric()).count() >= MIN_SEARCHED;
        if is_word && value.len() <= MAX_WHOLE && self.sought.len() < MAX_SPANS {
            self.sought.push(value.to_owned());
        }
    }

    /// Notes a text to be searched for within others, if it occurs in `value`.
    fn add_span(&mut self, normalized: &str, class: Class, form: Form, value: &str) {
        if self.spans.len() >= MAX_SPANS {
            return;
        }
        let folded = fold(normalized);
        let same = |span: &Span| span.folded == folded && span.class == class;
        if folded.len() < 2 || is_bare(normalized) || self.spans.iter().any(same) {
            return;
        }
        // A few digits occur everywhere: a score is replaced only as a whole
        // value.
        let is_telling = folded.len() >= MIN_PART
            && (folded.len() > MIN_PART || folded.iter().any(|c| c.is_alphabetic()));
        let is_word = folded.iter().all(|c| c.is_alphabetic());
        if is_telling || (is_word && Folded::of(value).find(&folded, 0).is_some()) {
            self.spans.push(Span {
                folded,
                class,
                form,
            });
        }
    }

    /// The replacement of `value`, which has the key `key`.
    pub(super) fn text(&self, value: &str, key: Option<&str>) -> String {
        if let Some(replaced) = self.exact.get(value) {
            return replaced.clone();
        }
        if !self.spans.is_empty()
            && let Some(replaced) = self.replace_spans(value)
        {
            return replaced;
        }
        if vocabulary::is_harmless(value, key, &self.hidden) || self.is_event_time(value) {
            return value.to_owned();
        }
        pseudonym::shift(self.key, value).unwrap_or_else(|| scramble::unknown(self.key, value))
    }

    /// What stands in for a number.
    pub(super) fn number(&self, value: &str, key: Option<&str>) -> String {
        let replaced = self.text(value, key);
        if replaced != value && !is_number(&replaced) {
            return scramble::number(self.key, value);
        }
        if replaced != value && !self.exact.contains_key(value) {
            return scramble::number(self.key, value);
        }
        replaced
    }

    /// Whether there is evidence in exactly this value.
    pub(super) fn has(&self, value: &str) -> bool {
        self.exact.contains_key(value)
    }

    /// Whether a hidden value occurs in `text`, which would otherwise stay.
    pub(super) fn hides(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        self.exact.contains_key(text)
            || self
                .sought
                .iter()
                .any(|value| lower.contains(&value.to_lowercase()))
    }

    /// What replaces a value that is evidence.
    fn replace(&self, value: &str, first: Option<&Evidence>) -> String {
        if let Some(replaced) = self.replace_spans(value) {
            return replaced;
        }
        match first {
            Some(item) if value.len() <= MAX_WHOLE => {
                pseudonym::of(self.key, item.class, item.form, value)
            }
            _ => scramble::unknown(self.key, value),
        }
    }

    /// `value` with every span replaced and the rest scrambled; `None` if there
    /// is no span.
    fn replace_spans(&self, value: &str) -> Option<String> {
        let text = Folded::of(value);
        let mut taken: Vec<(usize, usize, &Span)> = Vec::new();
        for span in &self.spans {
            let mut from = 0;
            while let Some(at) = text.find(&span.folded, from) {
                let end = at.saturating_add(span.folded.len());
                from = end;
                let is_free = taken
                    .iter()
                    .all(|(start, stop, _)| end <= *start || *stop <= at);
                let is_part = span.folded.len() >= MIN_PART || text.stands_alone(at, end);
                if is_free && is_part {
                    taken.push((at, end, span));
                }
            }
        }
        if taken.is_empty() {
            return None;
        }
        taken.sort_by_key(|(start, ..)| *start);
        let mut made = String::with_capacity(value.len());
        let mut position = 0;
        for (start, end, span) in taken {
            let (start, end) = text.bytes(start, end)?;
            made.push_str(&self.between(value.get(position..start)?));
            let own = value.get(start..end)?;
            made.push_str(&pseudonym::of(self.key, span.class, span.form, own));
            position = end;
        }
        made.push_str(&self.between(value.get(position..)?));
        Some(made)
    }

    /// What stands between spans.
    fn between(&self, text: &str) -> String {
        let word = text.trim_matches(|c: char| !c.is_alphanumeric());
        if word.is_empty() || vocabulary::is_harmless(word, None, &self.hidden) {
            return text.to_owned();
        }
        let mut stream = self.key.stream("between", text.to_lowercase().as_bytes());
        scramble::different(text, |_| {
            scramble::scramble(text, Letters::of(text), &mut stream)
        })
    }

    /// Whether a value is a time near that of the message: when an event
    /// happened, which is evidence only if it says something about a person.
    fn is_event_time(&self, value: &str) -> bool {
        let seconds = if value.len() >= 10 && value.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        {
            let digits = value.split('.').next().unwrap_or_default();
            let scale = match digits.len() {
                10 => 1,
                13 => 1_000,
                16 => 1_000_000,
                19 => 1_000_000_000,
                _ => return false,
            };
            let Ok(number) = digits.parse::<u64>() else {
                return false;
            };
            number / scale
        } else if value
            .get(10..11)
            .is_some_and(|mark| mark == "T" || mark == " ")
        {
            let Some(seconds) = seconds_of(value) else {
                return false;
            };
            seconds
        } else {
            return false;
        };
        self.now.saturating_sub(PAST) <= seconds && seconds <= self.now.saturating_add(FUTURE)
    }

    /// What stands in for a key.
    pub(super) fn key_name(&self, key: &str) -> String {
        if vocabulary::is_kept_key(key, &self.hidden) {
            return key.to_owned();
        }
        if let Some(replaced) = self.exact.get(key) {
            return replaced.clone();
        }
        if !self.spans.is_empty()
            && let Some(replaced) = self.replace_key(key)
        {
            return replaced;
        }
        let mut stream = self.key.stream("key", key.as_bytes());
        scramble::different(key, |_| {
            scramble::scramble(key, Letters::of(key), &mut stream)
        })
    }

    /// A key that combines words of interfaces and values: the words stay.
    fn replace_key(&self, key: &str) -> Option<String> {
        let replaced = self.replace_spans(key)?;
        // Whatever is between the values, only words may be kept.
        Some(replaced)
    }
}

/// Whether a value is too trivial to be anyone's: a literal, a single digit.
fn is_bare(value: &str) -> bool {
    let folded = value.trim();
    folded.is_empty()
        || folded.len() == 1 && folded.bytes().all(|byte| byte.is_ascii_digit())
        || [
            "true",
            "false",
            "null",
            "none",
            "undefined",
            "nan",
            "yes",
            "no",
        ]
        .iter()
        .any(|literal| literal.eq_ignore_ascii_case(folded))
}

fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches('-');
    text.parse::<f64>().is_ok()
        && !(digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."))
}

/// Seconds since 1970 of `2026-11-24T10:30…`, without its zone.
fn seconds_of(value: &str) -> Option<u64> {
    let date = Date::new(
        value.get(..4)?.parse().ok()?,
        value.get(5..7)?.parse().ok()?,
        value.get(8..10)?.parse().ok()?,
    );
    let midnight = date.ok()?.to_datetime(Time::midnight());
    let seconds = Offset::UTC.to_timestamp(midnight).ok()?.as_second();
    u64::try_from(seconds).ok()
}

fn fold(text: &str) -> Vec<char> {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Letters and digits of a text in lower case, with their positions.
struct Folded {
    characters: Vec<char>,
    /// Start and end of each in the text.
    places: Vec<(usize, usize)>,
}

impl Folded {
    fn of(text: &str) -> Self {
        let mut folded = Self {
            characters: Vec::with_capacity(text.len()),
            places: Vec::with_capacity(text.len()),
        };
        for (at, c) in text.char_indices() {
            if c.is_alphanumeric() {
                for lower in c.to_lowercase() {
                    folded.characters.push(lower);
                    folded.places.push((at, at.saturating_add(c.len_utf8())));
                }
            }
        }
        folded
    }

    /// The first place of `wanted` from `from` on.
    fn find(&self, wanted: &[char], from: usize) -> Option<usize> {
        let first = wanted.first()?;
        let last = self.characters.len().checked_sub(wanted.len())?;
        (from..=last).find(|at| {
            self.characters.get(*at) == Some(first)
                && self
                    .characters
                    .get(*at..at.saturating_add(wanted.len()))
                    .is_some_and(|own| own == wanted)
        })
    }

    fn bytes(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let first = self.places.get(start)?.0;
        let last = self.places.get(end.checked_sub(1)?)?.1;
        Some((first, last))
    }

    /// Whether no letter or digit is adjacent on either side.
    fn stands_alone(&self, start: usize, end: usize) -> bool {
        let touches = |one: usize, two: usize| match (self.places.get(one), self.places.get(two)) {
            (Some((_, stop)), Some((begin, _))) => stop == begin,
            _ => false,
        };
        let before = start
            .checked_sub(1)
            .is_some_and(|before| touches(before, start));
        let after = end.checked_sub(1).is_some_and(|last| touches(last, end));
        !before && !after
    }
}
