//! The search for planted values.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use aho_corasick::{AhoCorasick, BuildError, MatchKind};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{
    Canary, ENOUGH, MAX_CANARIES, Planted,
    spelling::{encoded, plain},
};
use crate::{
    field::{Fields, Step},
    phi::{Form, elements, hashes::digests},
    secret::Secret,
};

/// Hits of one message beyond this are not listed.
const MAX_HITS: usize = 256;

/// Lengths of hashes in hexadecimal digits.
const HEX_LENGTHS: &[usize] = &[32, 40, 56, 64, 96, 128];
/// Lengths of hashes in base64, without padding.
const BASE64_LENGTHS: &[usize] = &[22, 27, 38, 43, 64, 86];

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// A value of a canary. It holds nobody else's data, and is printed nowhere.
#[derive(Clone)]
struct Value {
    canary: usize,
    planted: Planted,
    points: u32,
    normalized: Secret<String>,
}

/// One text that is searched for.
#[derive(Clone)]
struct Pattern {
    value: usize,
    /// Letters must have the same case: it is base64.
    exact: Option<Secret<String>>,
}

/// All canaries, ready for the search.
#[derive(Clone, Default)]
pub struct Canaries {
    values: Vec<Value>,
    patterns: Vec<Pattern>,
    texts: Option<AhoCorasick>,
    digests: HashMap<Vec<u8>, (usize, Form)>,
}

/// Does not show the planted values.
impl fmt::Debug for Canaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canaries({} values)", self.values.len())
    }
}

/// A planted value in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Index of the field; `None` if the value is in a part of the body that
    /// the readers did not understand.
    pub field: Option<usize>,
    /// What was planted.
    pub planted: Planted,
    /// `plain`, or the hash.
    pub form: Form,
    /// The value in the spelling that equal values share.
    pub normalized: Secret<String>,
}

/// A canary that a message discloses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// Its number in the configuration, from 1.
    pub canary: usize,
    /// Where, in the order of the message.
    pub hits: Vec<Hit>,
}

impl Canaries {
    /// Prepares the search.
    pub fn new(canaries: &[Canary]) -> Result<Self, BuildError> {
        let mut made = Self::default();
        let mut texts: Vec<String> = Vec::new();
        for (canary, own) in canaries.iter().take(MAX_CANARIES).enumerate() {
            for (planted, value) in own.complete() {
                let index = made.values.len();
                made.values.push(Value {
                    canary,
                    planted,
                    points: planted.points(value),
                    normalized: Secret::new(value.to_lowercase()),
                });
                for spelling in plain(planted, value) {
                    made.add_digests(index, &spelling);
                    for (text, is_exact) in encoded(&spelling) {
                        made.patterns.push(Pattern {
                            value: index,
                            exact: is_exact.then(|| Secret::new(text.clone())),
                        });
                        texts.push(text);
                    }
                    made.patterns.push(Pattern {
                        value: index,
                        exact: None,
                    });
                    texts.push(spelling);
                }
            }
        }
        if !texts.is_empty() {
            let built = AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .build(&texts)?;
            made.texts = Some(built);
        }
        Ok(made)
    }

    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn add_digests(&mut self, value: usize, spelling: &str) {
        for (form, digest) in digests(spelling) {
            if let Ok(bytes) = base16ct::mixed::decode_vec(&digest) {
                self.digests.entry(bytes).or_insert((value, form));
            }
        }
    }

    /// The canaries that a message discloses, each once.
    pub fn find(&self, fields: &Fields, body: &[u8]) -> Vec<Disclosure> {
        let Some(texts) = &self.texts else {
            return Vec::new();
        };
        let mut found: Vec<(Option<usize>, usize, Form)> = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            self.search(texts, field.value(), Some(index), &mut found);
        }
        for (_, _, step) in fields.steps() {
            let Step::Key(key) = step else { continue };
            let known = found.len();
            self.search(texts, key, None, &mut found);
            if found.len() > known {
                let at = fields
                    .iter()
                    .position(|field| field.steps_up().any(|own| own == step));
                for (field, ..) in found.iter_mut().skip(known) {
                    *field = at;
                }
            }
        }
        if found.is_empty() {
            self.search(texts, &String::from_utf8_lossy(body), None, &mut found);
        }
        self.judge(fields, &found)
    }

    fn search(
        &self,
        texts: &AhoCorasick,
        text: &str,
        field: Option<usize>,
        found: &mut Vec<(Option<usize>, usize, Form)>,
    ) {
        let mut spans: Vec<(usize, usize, usize)> = Vec::new();
        for hit in texts.find_overlapping_iter(text) {
            let Some(pattern) = self.patterns.get(hit.pattern().as_usize()) else {
                continue;
            };
            let is_it = match &pattern.exact {
                Some(exact) => text.get(hit.start()..hit.end()) == Some(exact.expose()),
                None => stands_alone(text, hit.start(), hit.end()),
            };
            if is_it && spans.len() < MAX_HITS {
                spans.push((hit.start(), hit.end(), pattern.value));
            }
        }
        let mut add = |value: usize, form: Form| {
            let hit = (field, value, form);
            if found.len() < MAX_HITS && !found.contains(&hit) {
                found.push(hit);
            }
        };
        for (start, end, value) in &spans {
            // A name within an email address is no separate value.
            let is_part = spans.iter().any(|(from, to, _)| {
                from <= start && end <= to && end.abs_diff(*start) < to.abs_diff(*from)
            });
            if !is_part {
                add(*value, Form::Plain);
            }
        }
        for bytes in hashes(text) {
            if let Some((value, form)) = self.digests.get(&bytes) {
                add(*value, *form);
            }
        }
    }

    /// Keeps the canaries of which enough values are in one event.
    fn judge(&self, fields: &Fields, found: &[(Option<usize>, usize, Form)]) -> Vec<Disclosure> {
        let mut by_canary: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for hit in found {
            if let Some(value) = self.values.get(hit.1) {
                by_canary.entry(value.canary).or_default().push(hit);
            }
        }
        by_canary
            .into_iter()
            .filter(|(_, hits)| self.is_enough(fields, hits))
            .map(|(canary, hits)| Disclosure {
                canary: canary + 1,
                hits: hits
                    .into_iter()
                    .filter_map(|(field, value, form)| {
                        let value = self.values.get(*value)?;
                        Some(Hit {
                            field: *field,
                            planted: value.planted,
                            form: *form,
                            normalized: value.normalized.clone(),
                        })
                    })
                    .collect(),
            })
            .collect()
    }

    /// Whether the values in one event, or outside of all events, are enough.
    fn is_enough(&self, fields: &Fields, hits: &[&(Option<usize>, usize, Form)]) -> bool {
        let elements = elements(fields);
        let event = |field: Option<usize>| elements.get(field?).copied().flatten();
        let events: Vec<_> = hits.iter().map(|(field, ..)| event(*field)).collect();
        events.iter().any(|own| {
            let mut values: Vec<usize> = hits
                .iter()
                .zip(&events)
                .filter(|(_, other)| other.is_none() || *other == own)
                .map(|((_, value, _), _)| *value)
                .collect();
            values.sort_unstable();
            values.dedup();
            values
                .iter()
                .filter_map(|value| self.values.get(*value))
                .fold(0, |sum: u32, value| sum.saturating_add(value.points))
                >= ENOUGH
        })
    }
}

/// Whether a part of a text is a whole word.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let (Some(before), Some(own), Some(after)) =
        (text.get(..start), text.get(start..end), text.get(end..))
    else {
        return false;
    };
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    // The letters of a percent code belong to the mark that it stands for.
    let behind_code = before
        .len()
        .checked_sub(3)
        .and_then(|at| before.get(at..))
        .is_some_and(|code| {
            code.strip_prefix('%')
                .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        });
    let begins =
        !is_word(own.chars().next()) || !is_word(before.chars().next_back()) || behind_code;
    let ends = !is_word(own.chars().next_back()) || !is_word(after.chars().next());
    begins && ends
}

/// The hashes in a text, as bytes.
fn hashes(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let is_long = text.len() >= 22;
    let hex = text
        .split(|c: char| !c.is_ascii_hexdigit())
        .filter(move |run| is_long && HEX_LENGTHS.contains(&run.len()))
        .filter_map(|run| base16ct::mixed::decode_vec(run).ok());
    let base64 = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || "+/-_".contains(c)))
        .filter(move |run| is_long && BASE64_LENGTHS.contains(&run.len()))
        .filter_map(|run| {
            let standard = run.replace('-', "+").replace('_', "/");
            STANDARD.decode(standard).ok()
        });
    hex.chain(base64)
}
