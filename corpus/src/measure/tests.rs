//! Findings against labels, one way to be wrong at a time.

use super::*;
use crate::label::Level;

fn note(class: &str, level: Level) -> Note {
    Note {
        class: class.to_owned(),
        or: vec![],
        also: vec![],
        level,
        health: level >= Level::Context,
        template: class.to_owned(),
    }
}

fn label(kind: Kind, events: &[&[(&str, Level)]]) -> Label {
    Label {
        packet: 3,
        template: "test".to_owned(),
        platform: "meta".to_owned(),
        weight: 3,
        kind,
        events: events
            .iter()
            .map(|notes| EventLabel {
                notes: notes
                    .iter()
                    .map(|(class, level)| note(class, *level))
                    .collect(),
                said: vec![],
            })
            .collect(),
    }
}

fn finding(severity: Severity, identifiers: &[&str], health: &[&str]) -> Finding {
    let own = |classes: &[&str]| classes.iter().map(|class| (*class).to_owned()).collect();
    Finding {
        severity,
        recipient: Recipient {
            tracker: "meta".to_owned(),
        },
        identifiers: own(identifiers),
        health: own(health),
        fields: vec![],
        evidence: Some(Evidence { packet: 3 }),
    }
}

/// Kinds of fault, with how often each.
fn check(label: &Label, findings: &[Finding], expected: &[(&str, u64)]) {
    let mut measure = Measure::default();
    measure.add("part", std::slice::from_ref(label), findings, &|label| {
        label.platform.clone()
    });
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for (fault, tally) in &measure.faults {
        *kinds.entry(fault.kind).or_default() += tally.count;
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_found_is_no_fault() {
    use Level::{Direct, Explicit};
    let event = [("email", Direct), ("lab", Explicit)];
    check(
        &label(Kind::Phi, &[&event]),
        &[finding(Severity::Critical, &["email"], &["lab"])],
        &[],
    );
}

#[test]
fn each_way_to_be_wrong_has_its_name() {
    use Level::{Direct, Explicit};
    let event: &[(&str, Level)] = &[("email", Direct), ("lab", Explicit)];
    let phi = label(Kind::Phi, &[event]);
    check(&phi, &[], &[("missed class", 2), ("missed event", 1)]);
    check(
        &phi,
        &[finding(Severity::Low, &["email"], &[])],
        &[("missed class", 1), ("missed event", 1)],
    );
    check(
        &phi,
        &[finding(Severity::Critical, &["email", "phone"], &["lab"])],
        &[("wrong class", 1)],
    );
    check(
        &phi,
        &[
            finding(Severity::Critical, &["email"], &["lab"]),
            finding(Severity::High, &["email"], &["condition"]),
        ],
        &[("wrong class", 1)],
    );
}

#[test]
fn an_identifier_alone_is_no_false_alarm() {
    use Level::Direct;
    let shop = label(Kind::Shop, &[&[("email", Direct)]]);
    check(&shop, &[finding(Severity::Medium, &["email"], &[])], &[]);
    check(
        &shop,
        &[finding(Severity::High, &["email"], &["condition"])],
        &[("false alarm", 1), ("wrong class", 1)],
    );
    let elsewhere = label(Kind::Elsewhere, &[&[]]);
    check(&elsewhere, &[], &[]);
    check(
        &elsewhere,
        &[finding(Severity::Info, &[], &[])],
        &[("false alarm", 1)],
    );
}

#[test]
fn each_event_of_a_batch_has_its_own_finding() {
    use Level::{Explicit, Hashed};
    let one: &[(&str, Level)] = &[("email", Hashed), ("lab", Explicit)];
    let other: &[(&str, Level)] = &[("email", Hashed), ("medication", Explicit)];
    let phi = label(Kind::Phi, &[one, other]);
    let medication = finding(Severity::Critical, &["email"], &["medication"]);
    let lab = finding(Severity::Critical, &["email"], &["lab"]);
    check(&phi, &[medication.clone(), lab], &[]);
    check(
        &phi,
        &[medication],
        &[("missed class", 2), ("missed event", 1)],
    );
}
