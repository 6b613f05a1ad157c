//! Every rule is registered, and every registered rule exists.

use std::{collections::BTreeSet, fs, path::Path};

use super::*;
use crate::phi::{Health, Identifier};

/// The string literals of the source that are ids of rules: a class, then words
/// separated by points.
fn ids_in_source() -> BTreeSet<String> {
    let classes: BTreeSet<&str> = Identifier::ALL
        .iter()
        .map(|class| class.as_str())
        .chain(Health::ALL.iter().map(|class| class.as_str()))
        .chain(["page", "canary"])
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    for folder in ["phi", "finding", "canary"] {
        read(&root.join(folder), &classes, &mut found);
    }
    found
}

fn read(path: &Path, classes: &BTreeSet<&str>, found: &mut BTreeSet<String>) {
    if path.file_stem().is_some_and(|stem| stem == "tests") {
        return;
    }
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            read(&entry.unwrap().path(), classes, found);
        }
        return;
    }
    if path.extension().is_none_or(|extension| extension != "rs") {
        return;
    }
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    for line in code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        for literal in line.split('"').skip(1).step_by(2) {
            let mut words = literal.split('.');
            let is_rule = words.next().is_some_and(|class| classes.contains(class))
                && literal.contains('.')
                && words.all(|word| {
                    !word.is_empty()
                        && word.bytes().all(|byte| {
                            byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit()
                        })
                });
            if is_rule {
                found.insert(literal.to_owned());
            }
        }
    }
}

fn registered() -> BTreeSet<String> {
    topics()
        .flat_map(|topic| topic.rules)
        .map(|(id, _)| (*id).to_owned())
        .collect()
}

#[test]
fn every_rule_of_the_source_is_explained() {
    let missing: Vec<_> = ids_in_source().difference(&registered()).cloned().collect();
    assert!(missing.is_empty(), "not registered: {missing:#?}");
}

#[test]
fn every_explained_rule_is_in_the_source() {
    let stale: Vec<_> = registered().difference(&ids_in_source()).cloned().collect();
    assert!(stale.is_empty(), "not in the source: {stale:#?}");
}

#[test]
fn ids_are_distinct_and_belong_to_their_class() {
    let mut seen = BTreeSet::new();
    for topic in topics() {
        for (id, matches) in topic.rules {
            assert!(seen.insert(*id), "{id} twice");
            assert_eq!(id.split('.').next(), Some(topic.class));
            assert!(matches.ends_with('.'), "{id}");
        }
        for text in [topic.why, topic.hazards, topic.advice] {
            assert!(text.ends_with('.'), "{}", topic.class);
        }
    }
}

#[test]
fn every_class_has_a_topic() {
    let classes: BTreeSet<&str> = topics().map(|topic| topic.class).collect();
    for class in Identifier::ALL.iter().map(|class| class.as_str()) {
        assert!(classes.contains(class) || class == "fax", "{class}");
    }
    for class in Health::ALL.iter().map(|class| class.as_str()) {
        assert!(classes.contains(class), "{class}");
    }
}

#[test]
fn a_rule_is_found_by_its_id() {
    assert_eq!(
        find("email.key").map(|(topic, _)| topic.class),
        Some("email")
    );
    assert_eq!(find("email"), None);
}
