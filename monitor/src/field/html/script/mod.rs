//! Inline scripts: which trackers they use, and with which values.
//!
//! In: the text of a script. Out: [`Mentions`], and the literal values in calls
//! of trackers as fields. The script is split into tokens, not parsed: strings
//! and comments are recognized, expressions are skipped.

use std::collections::BTreeSet;

use super::{super::ValueKind, Reader, entry::Resource, read_string};

/// Most tokens of one script that are read.
const MAX_TOKENS: usize = 200_000;
/// Most values of one call.
const MAX_CALL_TOKENS: usize = 4_000;
/// Most open brackets in one call that are followed.
const MAX_DEPTH: usize = 16;
/// Most addresses and ids of one page that are kept.
const MAX_MENTIONS: usize = 500;
/// Longest string that is searched for an address, in bytes.
const MAX_STRING: usize = 4_096;

/// The name through which a script uses a tracker.
pub type LoaderName = &'static str;

/// How a name must stand in a script to count.
#[derive(Clone, Copy)]
enum Need {
    /// Anywhere: no other program uses this name.
    Anywhere,
    /// Called with a string.
    Called,
    /// With one of these members.
    Member(&'static [&'static str]),
}

const MEMBERS: &[&str] = &[
    "addUserProperties",
    "config",
    "event",
    "getInstance",
    "group",
    "identify",
    "init",
    "initialize",
    "load",
    "logEvent",
    "page",
    "people",
    "push",
    "register",
    "set",
    "setUserId",
    "setUserVars",
    "track",
    "trackPageView",
];

/// Names of trackers in scripts.
const LOADERS: &[(LoaderName, Need)] = &[
    ("FS", Need::Member(MEMBERS)),
    ("GoogleAnalyticsObject", Need::Anywhere),
    ("Intercom", Need::Called),
    ("LogRocket", Need::Member(MEMBERS)),
    ("TTDUniversalPixelApi", Need::Anywhere),
    ("_cio", Need::Anywhere),
    ("_fbq", Need::Anywhere),
    ("_fs_org", Need::Anywhere),
    ("_gaq", Need::Anywhere),
    ("_hsq", Need::Anywhere),
    ("_learnq", Need::Anywhere),
    ("_linkedin_data_partner_ids", Need::Anywhere),
    ("_linkedin_partner_id", Need::Anywhere),
    ("_paq", Need::Anywhere),
    ("_satellite", Need::Anywhere),
    ("_tfa", Need::Anywhere),
    ("adroll_adv_id", Need::Anywhere),
    ("adroll_pix_id", Need::Anywhere),
    ("alloy", Need::Called),
    ("amplitude", Need::Member(MEMBERS)),
    ("amzn", Need::Called),
    ("analytics", Need::Member(MEMBERS)),
    ("braze", Need::Member(MEMBERS)),
    ("clarity", Need::Called),
    ("criteo_q", Need::Anywhere),
    ("dataLayer", Need::Anywhere),
    ("drift", Need::Member(MEMBERS)),
    ("fbq", Need::Anywhere),
    ("ga", Need::Called),
    ("gtag", Need::Anywhere),
    ("heap", Need::Member(MEMBERS)),
    ("hj", Need::Called),
    ("intercomSettings", Need::Anywhere),
    ("klaviyo", Need::Member(MEMBERS)),
    ("lintrk", Need::Called),
    ("mParticle", Need::Anywhere),
    ("mixpanel", Need::Member(MEMBERS)),
    ("ndp", Need::Called),
    ("obApi", Need::Anywhere),
    ("pintrk", Need::Anywhere),
    ("posthog", Need::Member(MEMBERS)),
    ("qp", Need::Called),
    ("rdt", Need::Called),
    ("rudderanalytics", Need::Anywhere),
    ("snaptr", Need::Anywhere),
    ("spdt", Need::Called),
    ("ttd_dom_ready", Need::Anywhere),
    ("ttq", Need::Anywhere),
    ("twq", Need::Anywhere),
    ("uetq", Need::Anywhere),
    ("utag_data", Need::Anywhere),
];

/// Whether a name is one through which scripts use trackers, or a member of
/// one.
pub(crate) fn is_tracker_word(word: &str) -> bool {
    MEMBERS.contains(&word)
        || LOADERS.iter().any(|(name, need)| {
            *name == word || matches!(need, Need::Member(members) if members.contains(&word))
        })
}

/// Prefixes of ids of Google's products, each with the length of the rest.
const IDS: &[(&str, usize)] = &[("GTM-", 4), ("G-", 6), ("AW-", 6), ("UA-", 6), ("DC-", 5)];

/// What the scripts of a page say about trackers.
#[derive(Default)]
pub struct Mentions {
    /// Names of trackers.
    pub names: BTreeSet<LoaderName>,
    /// Prefixes of the ids of Google's products.
    pub ids: BTreeSet<&'static str>,
    /// Addresses of other hosts in strings, in order.
    pub resources: Vec<Resource>,
}

impl Mentions {
    /// Notes the ids of Google's products in `text`.
    pub fn note_ids(&mut self, text: &str) {
        for (prefix, rest) in IDS {
            let stands = text.match_indices(prefix).any(|(at, _)| {
                let free = text
                    .get(..at)
                    .and_then(|before| before.chars().next_back())
                    .is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-');
                let behind = text.get(at.saturating_add(prefix.len())..);
                let id = behind.unwrap_or_default();
                let length = id
                    .bytes()
                    .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
                    .count();
                free && length >= *rest && id.bytes().take(length).any(|b| b.is_ascii_digit())
            });
            if stands {
                self.ids.insert(prefix);
            }
        }
    }

    fn note_string(&mut self, text: &str) {
        let text = text
            .get(..text.floor_char_boundary(MAX_STRING))
            .unwrap_or_default();
        self.note_ids(text);
        let Some(at) = text.find("//") else { return };
        let scheme = text.get(..at).unwrap_or_default();
        let from = ["https:", "http:"]
            .iter()
            .find(|known| scheme.ends_with(**known))
            .map_or(at, |known| at.saturating_sub(known.len()));
        if let Some(resource) = text.get(from..).and_then(Resource::parse)
            && self.resources.len() < MAX_MENTIONS
            && !self.resources.contains(&resource)
        {
            self.resources.push(resource);
        }
    }
}

/// One token of a script.
enum Token<'a> {
    /// A name with its members: `window.dataLayer.push`.
    Name(&'a str),
    Text(String),
    Number(&'a str),
    Mark(u8),
}

/// Reads a script: names and addresses go to `mentions`, values to `reader`.
pub(super) fn read(text: &str, reader: &mut Reader, mentions: &mut Mentions) {
    let tokens = tokens(text);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at = at.saturating_add(1);
        match token {
            Token::Text(text) => mentions.note_string(text),
            Token::Name(chain) => {
                let after = tokens.get(at..).unwrap_or_default();
                if let Some((loader, members)) = loader(chain, after) {
                    mentions.names.insert(loader);
                    let values = opening(after);
                    if let Some(values) = values {
                        read_call(loader, members, values, reader);
                    }
                }
            }
            Token::Number(_) | Token::Mark(_) => {}
        }
    }
}

/// The loader that a name stands for, and the members behind it.
fn loader<'a>(chain: &'a str, after: &[Token<'_>]) -> Option<(LoaderName, &'a str)> {
    let mut rest = chain;
    // Snippets reach globals through `window` or a short parameter.
    for _ in 0..2 {
        let (first, behind) = rest.split_once('.').unwrap_or((rest, ""));
        if let Ok(index) = LOADERS.binary_search_by(|(name, _)| (*name).cmp(first)) {
            let (name, need) = LOADERS.get(index)?;
            let called = || {
                matches!(
                    (after.first(), after.get(1)),
                    (Some(Token::Mark(b'(')), Some(Token::Text(_)))
                )
            };
            let fits = match need {
                Need::Anywhere => true,
                Need::Called => behind.is_empty() && called(),
                Need::Member(members) => behind.split('.').any(|member| members.contains(&member)),
            };
            return fits.then_some((*name, behind));
        }
        let is_global = matches!(first, "window" | "self" | "globalThis") || first.len() == 1;
        if !is_global {
            return None;
        }
        rest = behind;
    }
    None
}

/// The tokens behind the bracket that opens a call, or an assigned object or
/// array.
fn opening<'a, 'b>(after: &'a [Token<'b>]) -> Option<&'a [Token<'b>]> {
    match after {
        [Token::Mark(b'('), rest @ ..] => Some(rest),
        // `= [{…}]`, `= window.x || [{…}]`.
        [Token::Mark(b'='), rest @ ..] => {
            let start = rest
                .iter()
                .take(6)
                .position(|token| matches!(token, Token::Mark(b'[' | b'{' | b';' | b'(' | b'=')))?;
            let opens = matches!(rest.get(start), Some(Token::Mark(b'[' | b'{')));
            opens.then(|| rest.get(start..)).flatten()
        }
        _ => None,
    }
}

/// One bracket that is open in a call.
struct Open {
    /// Whether it is an object's.
    object: bool,
    /// Steps of the path outside of it.
    path: usize,
    index: usize,
}

/// Yields the literal values of a call or an assignment, up to its end.
fn read_call(loader: LoaderName, members: &str, tokens: &[Token<'_>], reader: &mut Reader) {
    let identifies = members
        .split('.')
        .any(|member| matches!(member, "identify" | "setUserId" | "alias"));
    reader.start_part(super::Part::Body);
    reader.go_key(loader.as_bytes());
    let base = reader.path_length();
    let mut open: Vec<Open> = Vec::new();
    let mut round = 0_usize;
    let mut tokens = tokens.iter().take(MAX_CALL_TOKENS).peekable();
    let mut key: Option<String> = None;
    while let Some(token) = tokens.next() {
        let in_object = open.last().is_some_and(|open| open.object);
        let before_colon = matches!(tokens.peek(), Some(Token::Mark(b':')));
        match token {
            Token::Mark(b'(') => round = round.saturating_add(1),
            Token::Mark(b')') if round == 0 => return,
            Token::Mark(b')') => round = round.saturating_sub(1),
            Token::Mark(b';') if open.is_empty() => return,
            Token::Mark(bracket @ (b'{' | b'[')) => {
                if open.len() >= MAX_DEPTH {
                    return;
                }
                let path = reader.path_length();
                go(reader, key.take(), open.last());
                open.push(Open {
                    object: *bracket == b'{',
                    path,
                    index: 0,
                });
            }
            Token::Mark(b'}' | b']') => {
                let Some(closed) = open.pop() else { return };
                reader.go_back(closed.path);
                key = None;
            }
            Token::Mark(b',') => {
                key = None;
                if let Some(open) = open.last_mut() {
                    open.index = open.index.saturating_add(1);
                }
            }
            Token::Text(name) if in_object && before_colon => key = Some(name.clone()),
            Token::Name(name) | Token::Number(name) if in_object && before_colon => {
                key = Some((*name).to_owned());
            }
            Token::Text(text) if round == 0 => {
                let path = reader.path_length();
                if open.is_empty() {
                    reader.go_key(if identifies { b"user_id" } else { b"event" });
                } else if !in_object || key.is_some() {
                    go(reader, key.take(), open.last());
                }
                read_string(reader, text);
                reader.go_back(path.max(base));
            }
            Token::Number(number) if round == 0 && in_object && key.is_some() => {
                let path = reader.path_length();
                go(reader, key.take(), open.last());
                reader.emit(number.as_bytes(), ValueKind::Number, false);
                reader.go_back(path);
            }
            Token::Text(_) | Token::Name(_) | Token::Number(_) | Token::Mark(_) => {}
        }
    }
}

/// Descends to the place of a value in the innermost open bracket.
fn go(reader: &mut Reader, key: Option<String>, open: Option<&Open>) {
    match (key, open) {
        (Some(key), _) => reader.go_key(key.as_bytes()),
        // Neither arguments nor a list of them get an index: a page is one
        // event.
        (None, Some(open)) if !open.object && open.path > 1 => reader.go_index(open.index),
        (None, _) => {}
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while tokens.len() < MAX_TOKENS
        && let Some(byte) = bytes.get(at).copied()
    {
        let rest = bytes.get(at..).unwrap_or_default();
        match byte {
            b'/' if rest.starts_with(b"//") => {
                at = at.saturating_add(memchr::memchr(b'\n', rest).unwrap_or(rest.len()));
            }
            b'/' if rest.starts_with(b"/*") => {
                let inner = rest.get(2..).unwrap_or_default();
                let end = memchr::memmem::find(inner, b"*/");
                at = end.map_or(bytes.len(), |end| at.saturating_add(end).saturating_add(4));
            }
            b'"' | b'\'' | b'`' => {
                let (string, length) = string(text.get(at..).unwrap_or_default(), byte);
                tokens.push(Token::Text(string));
                at = at.saturating_add(length);
            }
            b'0'..=b'9' => {
                let length = rest
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'.')
                    .count();
                let end = at.saturating_add(length);
                tokens.push(Token::Number(text.get(at..end).unwrap_or_default()));
                at = end;
            }
            _ if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$') => {
                let length = rest
                    .iter()
                    .take_while(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.')
                    })
                    .count();
                let end = at.saturating_add(length);
                tokens.push(Token::Name(text.get(at..end).unwrap_or_default()));
                at = end;
            }
            _ => {
                if !byte.is_ascii_whitespace() {
                    tokens.push(Token::Mark(byte));
                }
                at = at.saturating_add(1);
            }
        }
    }
    tokens
}

/// The string at the beginning of `text`, and its length with both quotes. A
/// quote without a partner in its line began no string: it ends there, and
/// reading continues.
fn string(text: &str, quote: u8) -> (String, usize) {
    let mut content = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' if quote != b'`' => return (content, at),
            '\\' => match chars.next() {
                Some((_, 'n' | 'r' | 't')) => content.push(' '),
                Some((_, kind @ ('x' | 'u'))) => {
                    let digits = if kind == 'x' { 2 } else { 4 };
                    let code = chars
                        .by_ref()
                        .take(digits)
                        .try_fold(0, |code: u32, (_, digit)| {
                            Some(code << 4 | digit.to_digit(16)?)
                        });
                    content.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
                }
                Some((_, '\n')) | None => {}
                Some((_, other)) => content.push(other),
            },
            c if c as u32 == u32::from(quote) => return (content, at.saturating_add(1)),
            c => content.push(c),
        }
    }
    (content, text.len())
}

#[cfg(test)]
mod tests;
