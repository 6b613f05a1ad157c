//! The severity matrix: identifier, health information and recipient.

use super::Severity;
use crate::tracker::Weight;

/// How clearly one event identifies a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentifierLevel {
    /// Nobody.
    I0,
    /// A persistent pseudonym: a user id, a cookie, a click id, an IP address;
    /// a name alone.
    I1,
    /// A direct identifier, hashed.
    I2,
    /// A direct identifier as it is.
    I3,
}

impl IdentifierLevel {
    /// Every level, weakest first.
    pub const ALL: &'static [Self] = &[Self::I0, Self::I1, Self::I2, Self::I3];
}

/// What one event reveals about health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HealthLevel {
    /// Nothing.
    H0,
    /// The service that sends it is a health service.
    H1,
    /// A term in a URL, a title or the name of an event.
    H2,
    /// An explicit value: a diagnosis, a drug, an answer, an appointment.
    H3,
}

impl HealthLevel {
    /// Every level, weakest first.
    pub const ALL: &'static [Self] = &[Self::H0, Self::H1, Self::H2, Self::H3];
}

/// How many levels milder a disclosure under an agreement is.
pub(super) const AGREEMENT_LEVELS: usize = 2;

/// The severity of a disclosure; `None` if there is nothing to report.
pub fn severity(
    identifier: IdentifierLevel,
    health: HealthLevel,
    recipient: Weight,
) -> Option<Severity> {
    use HealthLevel::{H0, H1, H2, H3};
    use IdentifierLevel::{I0, I1, I2, I3};
    let advertising = recipient == Weight::R3;
    let severity = match (identifier, health) {
        (I3, H3) => Severity::Critical,
        (I3, H2) | (I2, H3) if advertising => Severity::Critical,
        (I3, H2 | H1) | (I2, H2 | H3) | (I1, H3) => Severity::High,
        (I3, H0) if advertising => Severity::Medium,
        (I2, H1) | (I1, H2) => Severity::Medium,
        (I3 | I2, H0) | (I1, H1) | (I0, H3) => Severity::Low,
        (I1, H0) | (I0, H2) => Severity::Info,
        (I0, H0 | H1) => return None,
    };
    Some(if recipient == Weight::R1 {
        severity.milder(AGREEMENT_LEVELS)
    } else {
        severity
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_matrix() {
        // Rows I3, I2, I1, I0; columns H3, H2, H1, H0.
        for (weight, rows) in [
            (
                Weight::R3,
                [
                    "critical critical high medium",
                    "critical high medium low",
                    "high medium low info",
                    "low info - -",
                ],
            ),
            (
                Weight::R2,
                [
                    "critical high high low",
                    "high high medium low",
                    "high medium low info",
                    "low info - -",
                ],
            ),
            (
                Weight::R1,
                [
                    "medium low low info",
                    "low low info info",
                    "low info info info",
                    "info info - -",
                ],
            ),
        ] {
            for (identifier, row) in IdentifierLevel::ALL.iter().rev().zip(rows) {
                let found: Vec<_> = HealthLevel::ALL
                    .iter()
                    .rev()
                    .map(|health| {
                        severity(*identifier, *health, weight).map_or("-", Severity::as_str)
                    })
                    .collect();
                assert_eq!(found.join(" "), row, "{weight:?} {identifier:?}");
            }
        }
    }
}
