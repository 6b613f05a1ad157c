//! Tests of values that a neighbor names.

use super::found;

/// What a message (`path=value`, joined by ` | `) is evidence of.
fn check(message: &str, expected: &str) {
    let pairs: Vec<_> = message
        .split(" | ")
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    assert_eq!(found(&pairs), expected, "{message}");
}

#[test]
fn the_system_of_a_health_record_names_the_value() {
    check(
        "telecom.0.system=phone | telecom.0.value=415-562-0132 | telecom.0.use=home",
        "phone I3",
    );
    check(
        "telecom.0.value=4155620132 | telecom.0.system=phone",
        "phone I3",
    );
    check(
        "identifier.0.type=MR | identifier.0.system=https://clinic.example/mrn | \
         identifier.0.value=A0012345",
        "mrn I3",
    );
    check("system=phone | value=12", "");
}

#[test]
fn a_type_names_an_identity() {
    for message in [
        "identities.0.type=email | identities.0.id=jane@example.com",
        "known_identities.0.identity_type=email | known_identities.0.identity=jane@example.com",
        "identity_changes.0.identity_type=email | identity_changes.0.identity_value=jane@example.com",
    ] {
        check(message, "email I3");
    }
    check(
        "identities.0.type=phone | identities.0.id=4155620132",
        "phone I3",
    );
    check(
        "identity_type=customer_id | identity_value=8812",
        "external_id I1",
    );
    check("items.0.type=phone | items.0.id=4155620132", "");
}

#[test]
fn a_collection_names_the_segment_behind_it() {
    for (message, expected) in [
        ("path:0=users | path:1=u-8812", "external_id I1"),
        ("path:0=users | path:1=track", ""),
        ("path:0=members | path:1=8812", "external_id I1"),
        ("path:0=patients | path:1=A0012345", "mrn I3"),
        ("path:0=charts | path:1=4711", "mrn I3"),
        ("path:0=mrn | path:1=4711", "mrn I3"),
        ("path:0=patients | path:1=visitors", ""),
        ("path:0=patients | path:1=2025-annual-report", ""),
        ("path:0=articles | path:1=4711", ""),
    ] {
        check(message, expected);
    }
}

#[test]
fn a_group_is_no_person() {
    check("type=group | traits.name=Jane Roe", "");
    check("type=identify | traits.name=Jane Roe", "name I3");
    check(
        "batch.0.type=group | batch.0.traits.name=Acme Corner | batch.1.type=identify | \
         batch.1.traits.name=Jane Roe",
        "name I3",
    );
}
