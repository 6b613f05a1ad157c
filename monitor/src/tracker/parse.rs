//! Catalog files: TOML text in, entries out.
//!
//! The embedded catalog and an operator's own file have the same format;
//! `catalog/ads.toml` shows it.

use std::{fmt, sync::Arc};

use serde::Deserialize;
use toml::Spanned;

use super::{
    BodyShape, Category, Confidence, Host, IMPORTED, PathRule, Role, Tracker, normalize_host,
};
use crate::phi::Identifier;

/// The longest id, in bytes; ids are labels of metrics.
const MAX_ID: usize = 40;
/// The most rules that the braces of one pattern may expand to.
const MAX_ALTERNATIVES: usize = 64;
/// The most hosts, or rules, of one entry.
const MAX_ITEMS: usize = 4_096;

/// Why a file is no catalog.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct CatalogError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.reason)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    tracker: Vec<Entry>,
}

/// One entry as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Spanned<String>,
    owner: String,
    category: Spanned<String>,
    confidence: Option<Spanned<String>>,
    #[serde(default)]
    hosts: Vec<Spanned<String>>,
    #[serde(default)]
    shared: Vec<Spanned<String>>,
    #[serde(default)]
    events: Vec<Spanned<String>>,
    #[serde(default)]
    housekeeping: Vec<Spanned<String>>,
    #[serde(default)]
    protocol: Vec<Spanned<String>>,
    #[serde(default)]
    hashed: Vec<Spanned<String>>,
}

/// The entries that `text` describes, in its order.
pub fn parse_catalog(text: &str) -> Result<Vec<Tracker>, CatalogError> {
    let line = |offset: usize| {
        let before = text.get(..offset).unwrap_or(text);
        before.matches('\n').count() + 1
    };
    let document: Document = toml::from_str(text).map_err(|error| CatalogError {
        line: line(error.span().unwrap_or_default().start),
        reason: error.message().to_owned(),
    })?;
    let mut found: Vec<Tracker> = Vec::with_capacity(document.tracker.len());
    for entry in document.tracker {
        let place = entry.id.span().start;
        let tracker = tracker(entry).map_err(|(offset, reason)| CatalogError {
            line: line(offset),
            reason,
        })?;
        if found.iter().any(|other| other.id == tracker.id) {
            return Err(CatalogError {
                line: line(place),
                reason: "another entry has this id".to_owned(),
            });
        }
        found.push(tracker);
    }
    Ok(found)
}

/// The problem, and its position in the file in bytes.
type Fault = (usize, String);

fn fault<T>(at: &Spanned<String>, reason: impl Into<String>) -> Result<T, Fault> {
    Err((at.span().start, reason.into()))
}

fn tracker(entry: Entry) -> Result<Tracker, Fault> {
    let Entry {
        id,
        owner,
        category,
        confidence,
        hosts,
        shared,
        events,
        housekeeping,
        protocol,
        hashed,
    } = entry;
    if !is_id(id.get_ref()) {
        return fault(
            &id,
            "an id is 1 to 40 of a-z, 0-9 and _, and not `imported`",
        );
    }
    for list in [&hosts, &shared, &events, &housekeeping, &protocol] {
        if list.len() > MAX_ITEMS {
            return fault(&id, format!("a list has more than {MAX_ITEMS} items"));
        }
    }
    let Some(kind) = Category::from_name(category.get_ref()) else {
        let known: Vec<_> = Category::ALL.iter().map(|known| known.as_str()).collect();
        return fault(
            &category,
            format!("a category is one of {}", known.join(", ")),
        );
    };
    let sure = match &confidence {
        None => Confidence::High,
        Some(name) => match Confidence::from_name(name.get_ref()) {
            Some(sure) => sure,
            None => return fault(name, "a confidence is high, medium or low"),
        },
    };
    let mut names = Vec::with_capacity(hosts.len() + shared.len());
    for (list, alone) in [(&hosts, true), (&shared, false)] {
        for text in list {
            names.push(host(text, alone)?);
        }
    }
    let mut paths = Vec::new();
    for (list, role) in [(&housekeeping, Role::Housekeeping), (&events, Role::Event)] {
        for text in list {
            rules(text, role, &names, &mut paths)?;
        }
    }
    // The sort is stable, so that housekeeping stays first among equals.
    paths.sort_by_key(|rule| std::cmp::Reverse(rule.specificity()));
    let mut fingerprints = Vec::new();
    for text in &protocol {
        fingerprint(text, &mut fingerprints)?;
    }
    let mut classes = Vec::new();
    for class in &hashed {
        let mut known = Identifier::ALL.iter().map(|known| known.as_str());
        match known.find(|known| known == class.get_ref()) {
            Some(name) => classes.push(name),
            None => return fault(class, "this is no class of identifiers"),
        }
    }
    Ok(Tracker {
        id: Arc::from(id.into_inner()),
        owner: Arc::from(owner),
        category: kind,
        confidence: sure,
        hosts: names,
        paths,
        protocol: fingerprints,
        hashed: classes,
    })
}

/// Whether `id` may be a label of metrics.
fn is_id(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(fits) && !matches!(id, IMPORTED | "other")
}

/// `.example.com`, or `example.com` for that host alone.
fn host(text: &Spanned<String>, alone: bool) -> Result<Host, Fault> {
    let name = text.get_ref();
    let (name, below) = match name.strip_prefix('.') {
        Some(name) => (name, true),
        None => (name.as_str(), false),
    };
    match normalize_host(name) {
        Some(normal) if name.contains('.') && !name.starts_with('.') && normal == name => {
            Ok(Host {
                name: name.into(),
                below,
                alone,
            })
        }
        _ => fault(
            text,
            "a host is written example.com, or .example.com with all below",
        ),
    }
}

/// `METHODS HOST PATH`; the host `*` is every host of the entry.
fn rules(
    text: &Spanned<String>,
    role: Role,
    hosts: &[Host],
    into: &mut Vec<PathRule>,
) -> Result<(), Fault> {
    let words: Vec<&str> = text.get_ref().split(' ').collect();
    let [methods, host, path] = *words else {
        return fault(
            text,
            "a rule is written METHODS HOST PATH, with * for every host",
        );
    };
    let host = if host == "*" { "" } else { host };
    let apex = host.trim_start_matches('.');
    let own = host.is_empty()
        || hosts.iter().any(|known| {
            known.matches(apex)
                || (host.starts_with('.') && super::entry::is_below(&known.name, apex))
        });
    if !own {
        return fault(text, "the rule's host is none of the entry's");
    }
    for path in paths(text, methods, path)? {
        into.push(PathRule::new(methods, host, &path, role, None));
    }
    Ok(())
}

/// `METHODS PATH`, and the shape of the body if the path is not specific
/// enough.
fn fingerprint(text: &Spanned<String>, into: &mut Vec<PathRule>) -> Result<(), Fault> {
    let words: Vec<&str> = text.get_ref().split(' ').collect();
    let (methods, path, shape) = match *words {
        [methods, path] => (methods, path, None),
        [methods, path, shape] => match BodyShape::from_name(shape) {
            Some(known) => (methods, path, Some(known)),
            None => return fault(text, "this shape of a body is not known"),
        },
        _ => {
            return fault(
                text,
                "a protocol is written METHODS PATH, or METHODS PATH SHAPE",
            );
        }
    };
    for path in paths(text, methods, path)? {
        into.push(PathRule::new(methods, "", &path, Role::Event, shape));
    }
    Ok(())
}

/// What the braces of `path` stand for.
fn paths(text: &Spanned<String>, methods: &str, path: &str) -> Result<Vec<String>, Fault> {
    let are_methods = methods == "*"
        || methods
            .split('|')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase()));
    if !are_methods {
        return fault(text, "methods are written GET, GET|POST or *");
    }
    if !path.starts_with('/') {
        return fault(text, "a path begins with /");
    }
    let mut done = vec![String::new()];
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((inside, after)) = after.split_once('}') else {
            return fault(text, "a brace is not closed");
        };
        let words: Vec<&str> = inside.split(',').collect();
        if words.len().saturating_mul(done.len()) > MAX_ALTERNATIVES {
            return fault(
                text,
                format!("braces for more than {MAX_ALTERNATIVES} paths"),
            );
        }
        done = done
            .iter()
            .flat_map(|start| {
                words
                    .iter()
                    .map(move |word| format!("{start}{before}{word}"))
            })
            .collect();
        rest = after;
    }
    for path in &mut done {
        path.push_str(rest);
    }
    Ok(done)
}
