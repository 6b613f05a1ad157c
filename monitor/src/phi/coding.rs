//! Systems of medical codes, by the name or address that a neighbor of a code
//! gives: `{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F321"}`.

pub(super) use super::sets::coding::{CODE_KEYS, SYSTEM_KEYS};
use super::{subject::Subject, text};

/// Systems of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    /// ICD-10-CM, and ICD-9-CM before it.
    Icd,
    /// Laboratory tests and observations.
    Loinc,
    /// CPT and HCPCS.
    Procedure,
    /// Clinical terms.
    Snomed,
    /// `RxNorm` and the National Drug Code.
    Drug,
}

/// A set of systems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Systems(u8);

impl Systems {
    /// The set of one.
    const fn one(system: System) -> Self {
        Self(1 << system as u8)
    }

    /// The systems of both.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `system` is one of them.
    pub(super) const fn has(self, system: System) -> bool {
        self.0 & Self::one(system).0 != 0
    }
}

/// Longer values name no system.
const MAX_NAME_LENGTH: usize = 80;

/// What a name or an address of a system has in it, letters and digits only.
const NAMES: &[(&str, System)] = &[
    ("icd10", System::Icd),
    ("icd9", System::Icd),
    ("icdcm", System::Icd),
    ("loinc", System::Loinc),
    ("hcpcs", System::Procedure),
    ("amaassnorggocpt", System::Procedure),
    ("cpt4", System::Procedure),
    ("snomed", System::Snomed),
    ("rxnorm", System::Drug),
    ("hl7orgfhirsidndc", System::Drug),
];

/// Object identifiers of HL7 for systems: all begin alike.
const OID_ROOT: &str = "2.16.840.1.113883.6.";

/// What follows in them.
const OIDS: &[(&str, System)] = &[
    ("1", System::Loinc),
    ("3", System::Icd),
    ("12", System::Procedure),
    ("42", System::Icd),
    ("69", System::Drug),
    ("88", System::Drug),
    ("90", System::Icd),
    ("96", System::Snomed),
    ("103", System::Icd),
    ("285", System::Procedure),
];

/// The system that the value names, if its key says that it does.
pub(super) fn named(subject: &Subject<'_>) -> Systems {
    if subject.value.len() > MAX_NAME_LENGTH || !subject.leaf_in(SYSTEM_KEYS) {
        return Systems::default();
    }
    of_name(subject.value).map_or(Systems::default(), Systems::one)
}

/// The system that `name` names.
fn of_name(name: &str) -> Option<System> {
    let oid = name.strip_prefix("urn:oid:").unwrap_or(name);
    if let Some(rest) = oid.strip_prefix(OID_ROOT) {
        let known = OIDS.iter().find(|(oid, _)| *oid == rest);
        return known.map(|(_, system)| *system);
    }
    let folded = text::fold(name);
    match folded.as_str() {
        "icd" => return Some(System::Icd),
        "cpt" => return Some(System::Procedure),
        "ndc" => return Some(System::Drug),
        "sct" => return Some(System::Snomed),
        _ => {}
    }
    NAMES
        .iter()
        .find(|(part, _)| folded.contains(part))
        .map(|(_, system)| *system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_known_by_name_and_address() {
        for (name, expected) in [
            ("http://hl7.org/fhir/sid/icd-10-cm", Some(System::Icd)),
            ("ICD-10", Some(System::Icd)),
            ("icd9cm", Some(System::Icd)),
            ("urn:oid:2.16.840.1.113883.6.90", Some(System::Icd)),
            ("2.16.840.1.113883.6.1", Some(System::Loinc)),
            ("http://loinc.org", Some(System::Loinc)),
            ("LN", None),
            ("http://www.ama-assn.org/go/cpt", Some(System::Procedure)),
            ("HCPCS", Some(System::Procedure)),
            ("http://snomed.info/sct", Some(System::Snomed)),
            (
                "http://www.nlm.nih.gov/research/umls/rxnorm",
                Some(System::Drug),
            ),
            ("http://hl7.org/fhir/sid/ndc", Some(System::Drug)),
            ("metric", None),
            ("linux", None),
            ("", None),
        ] {
            assert_eq!(of_name(name), expected, "{name}");
        }
    }
}
