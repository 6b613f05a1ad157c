//! The final search: no replaced value may be left, however it is written.
//!
//! In: rewritten bytes. Out: the same bytes without the values, in plain,
//! percent, JSON, hexadecimal and base64 form. In a match, letters and digits
//! are changed; what cannot be cleared is dropped.

use super::{
    BodyState,
    key::RedactionKey,
    known::{Known, MIN_SEARCHED},
    scramble,
};
use crate::{canary::spelling, finding::is_vocabulary, http::Header, secret::Secret};

/// How often a text is searched and cleared before it is dropped.
const ROUNDS: usize = 4;
/// A shorter match that is part of a longer word of interfaces is no value.
const MIN_INSIDE: usize = 8;
/// The longest word that is looked up, in bytes.
const MAX_WORD: usize = 64;

/// One spelling of a value.
struct Pattern {
    text: Vec<u8>,
    /// The case of letters matters: it is base64.
    exact: bool,
    /// It is the value itself.
    plain: bool,
}

/// All spellings of the values of one message.
pub(super) struct LeftoverSearch<'a> {
    key: &'a RedactionKey,
    patterns: Vec<Pattern>,
}

impl<'a> LeftoverSearch<'a> {
    pub(super) fn new(known: &Known<'a>) -> Self {
        let mut patterns: Vec<Pattern> = Vec::new();
        let mut add = |text: &str, exact: bool, plain: bool| {
            let text = if exact {
                text.as_bytes().to_vec()
            } else {
                text.to_lowercase().into_bytes()
            };
            if text.len() >= MIN_SEARCHED {
                patterns.push(Pattern { text, exact, plain });
            }
        };
        for value in &known.sought {
            add(value, false, true);
            for (text, exact) in spelling::encoded(value) {
                add(&text, exact, false);
            }
            let json = escaped(value);
            if json != *value {
                add(&json, false, false);
                add(&json.replace('\\', "\\\\"), false, false);
            }
            if value.contains('/') {
                add(&value.replace('/', "\\/"), false, false);
            }
        }
        Self {
            key: known.key,
            patterns,
        }
    }

    /// Where a value stands in `text`.
    fn find(&self, text: &[u8]) -> Vec<(usize, usize)> {
        let lower = text.to_ascii_lowercase();
        let mut found = Vec::new();
        for pattern in &self.patterns {
            let searched = if pattern.exact { text } else { &lower };
            for at in memchr::memmem::find_iter(searched, &pattern.text) {
                let end = at.saturating_add(pattern.text.len());
                if !pattern.plain || !is_inside_word(text, at, end) {
                    found.push((at, end));
                }
            }
        }
        found
    }

    /// Clears `text`; false if a value is still there.
    fn clear(&self, text: &mut [u8]) -> bool {
        if self.patterns.is_empty() {
            return true;
        }
        for _ in 0..ROUNDS {
            let found = self.find(text);
            if found.is_empty() {
                return true;
            }
            for (start, end) in found {
                if let Some(place) = text.get_mut(start..end) {
                    let new = scramble::bytes(self.key, place);
                    place.copy_from_slice(&new);
                }
            }
        }
        false
    }

    pub(super) fn clear_target(&self, target: &mut Vec<u8>) {
        if !self.clear(target) {
            *target = b"/".to_vec();
        }
    }

    pub(super) fn clear_headers(&self, headers: &mut [Header]) {
        // Host names are no payload.
        for header in headers.iter_mut().filter(|header| header.name != "host") {
            let mut value = header.value.expose().to_vec();
            if !self.clear(&mut value) {
                value.clear();
            }
            if value != **header.value.expose() {
                header.value = Secret::new(value.into());
            }
            let mut name = header.name.clone().into_bytes();
            if !self.clear(&mut name) {
                name = b"x-redacted".to_vec();
            }
            if let Ok(name) = String::from_utf8(name) {
                header.name = name;
            }
        }
    }

    /// Clears the body. Returns the body and its state if it could not stay in
    /// its own encoding: rebuilt by `told`, or dropped.
    pub(super) fn clear_body(
        &self,
        mut body: Vec<u8>,
        told: impl FnOnce() -> Vec<u8>,
    ) -> (Vec<u8>, Option<BodyState>) {
        // Data that no reader understands was blanked, and is of no use.
        let is_blank = !body.is_empty() && body.iter().all(|byte| *byte == 0);
        if !is_blank && self.clear(&mut body) {
            return (body, None);
        }
        let mut told = told();
        // A pseudonym may equal another value by chance, here as well.
        if !told.is_empty() && self.clear(&mut told) {
            return (told, Some(BodyState::Rebuilt));
        }
        told.clear();
        (told, Some(BodyState::Dropped))
    }
}

/// `value` as JSON writes it in ASCII.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut buffer = [0; 2];
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            c if c.is_ascii() => text.push(c),
            c => {
                for unit in c.encode_utf16(&mut buffer) {
                    text.push_str("\\u");
                    text.push_str(&base16ct::lower::encode_string(&unit.to_be_bytes()));
                }
            }
        }
    }
    text
}

/// Whether a match is a short part of a longer word of interfaces: `lead` in
/// `leader`.
fn is_inside_word(text: &[u8], start: usize, end: usize) -> bool {
    if end.saturating_sub(start) >= MIN_INSIDE {
        return false;
    }
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let before = text.get(..start).unwrap_or_default();
    let after = text.get(end..).unwrap_or_default();
    let from = start
        - before
            .iter()
            .rev()
            .take(MAX_WORD)
            .take_while(|b| is_word(b))
            .count();
    let to = end
        + after
            .iter()
            .take(MAX_WORD)
            .take_while(|b| is_word(b))
            .count();
    (from < start || end < to)
        && text
            .get(from..to)
            .and_then(|word| std::str::from_utf8(word).ok())
            .is_some_and(is_vocabulary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Timestamp, field::Fields, redact::RedactionKey};

    const PLANTED: &str = "jane.roe@example.com";

    /// What happens to `body` if its rebuilt form is `told`: its state, and
    /// whether anything is left.
    fn check(body: &[u8], told: &str, expected: (Option<BodyState>, bool)) {
        let key = RedactionKey::from_bytes([3; 32]);
        let fields = Fields::default();
        let known = Known::new(&key, &fields, &[], &[PLANTED], Timestamp(0));
        let leftovers = LeftoverSearch::new(&known);
        let (new, state) = leftovers.clear_body(body.to_vec(), || told.as_bytes().to_vec());
        assert_eq!((state, !new.is_empty()), expected, "{told}");
        let text = String::from_utf8_lossy(&new).to_lowercase();
        assert!(!text.contains(PLANTED), "{told}");
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_fields_without_a_value() {
        check(b"{\"a\":1}", "", (None, true));
        check(b"{\"a\":\"jane.roe@example.com\"}", "", (None, true));
        let told = "{\"fields\":[{\"path\":\"body.a\",\"value\":\"jane.roe@example.com\"}]}";
        check(&[0; 8], told, (Some(BodyState::Rebuilt), true));
        check(&[0; 8], "", (Some(BodyState::Dropped), false));
    }
}
