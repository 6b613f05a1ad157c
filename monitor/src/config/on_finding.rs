//! When a capture keeps messages: `false`, `true`, or the least severity of the
//! finding that they are around.

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::finding::Severity;

#[derive(Deserialize)]
#[serde(untagged)]
enum Choice {
    Switch(bool),
    Least(String),
}

/// Reads the key.
pub(super) fn on_finding<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Severity>, D::Error> {
    let wrong = || {
        let names: Vec<_> = Severity::ALL.iter().map(|own| own.as_str()).collect();
        D::Error::custom(format!(
            "must be true, false or the least severity of a finding: {}",
            names.join(", ")
        ))
    };
    match Choice::deserialize(deserializer).map_err(|_not_shown| wrong())? {
        Choice::Switch(false) => Ok(None),
        Choice::Switch(true) => Ok(Some(Severity::Info)),
        Choice::Least(name) => Severity::ALL
            .iter()
            .copied()
            .find(|own| own.as_str() == name)
            .map(Some)
            .ok_or_else(wrong),
    }
}
