//! Planted values: the synthetic patients of the configuration, searched for in
//! every request to a third party.
//!
//! Input: [`Canary`]s, then the fields and the body of requests. Output: the
//! [`Hit`]s of the canaries that a request discloses, in any spelling, encoding
//! or hash. A value that many people share counts only together with another of
//! the same canary in the same event.

mod matcher;
mod record;
pub(crate) mod spelling;
#[cfg(test)]
mod tests;

use crate::{phi::Identifier, secret::Secret};

pub use self::{
    matcher::{Canaries, Disclosure, Hit},
    record::{Planting, finding, prove},
};

/// Canaries of one configuration.
pub const MAX_CANARIES: usize = 64;
/// Values of one canary.
pub const MAX_VALUES: usize = 64;
/// Longest value, in bytes.
pub const MAX_VALUE_LENGTH: usize = 512;
/// Shorter values count only beside another one.
pub const MIN_TELLING_LENGTH: usize = 6;

/// The kind of a planted value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Planted {
    /// The full name.
    Name,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The email address.
    Email,
    /// The telephone number.
    Phone,
    /// The date of birth.
    BirthDate,
    /// The street address.
    Address,
    /// The postal code.
    Zip,
    /// The number of the health plan.
    MemberId,
    /// The social security number.
    Ssn,
    /// The medical record number.
    Mrn,
    /// Anything else.
    Value,
}

impl Planted {
    /// The class that it has in findings.
    pub const fn identifier(self) -> Identifier {
        match self {
            Self::Name | Self::FirstName | Self::LastName => Identifier::Name,
            Self::Email => Identifier::Email,
            Self::Phone => Identifier::Phone,
            Self::BirthDate => Identifier::BirthDate,
            Self::Address => Identifier::Address,
            Self::Zip => Identifier::Zip,
            Self::MemberId => Identifier::HealthPlanId,
            Self::Ssn => Identifier::Ssn,
            Self::Mrn => Identifier::Mrn,
            Self::Value => Identifier::ExternalId,
        }
    }

    /// The rule that a hit is reported under.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Name | Self::FirstName | Self::LastName => "canary.name",
            Self::Email => "canary.email",
            Self::Phone => "canary.phone",
            Self::BirthDate => "canary.birth_date",
            Self::Address => "canary.address",
            Self::Zip => "canary.zip",
            Self::MemberId => "canary.member_id",
            Self::Ssn => "canary.ssn",
            Self::Mrn => "canary.mrn",
            Self::Value => "canary.value",
        }
    }

    /// How strong `value` is alone, in points of [`ENOUGH`].
    fn points(self, value: &str) -> u32 {
        let is_short = value.chars().filter(|c| c.is_alphanumeric()).count() < MIN_TELLING_LENGTH;
        match self {
            Self::FirstName | Self::Zip => 1,
            Self::LastName | Self::BirthDate => 2,
            Self::Name if !value.trim().contains(char::is_whitespace) => 2,
            _ if is_short => 2,
            _ => ENOUGH,
        }
    }
}

/// Points of the values in one event from which on a match is no coincidence.
const ENOUGH: u32 = 3;

/// One synthetic patient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canary {
    /// The values that were planted.
    pub values: Vec<(Planted, Secret<String>)>,
}

impl Canary {
    /// Whether all its values together are enough to be found.
    pub fn is_enough(&self) -> bool {
        self.complete()
            .iter()
            .map(|(planted, value)| planted.points(value))
            .fold(0, u32::saturating_add)
            >= ENOUGH
    }

    /// The values, and the parts of a full name where they are not given.
    fn complete(&self) -> Vec<(Planted, &str)> {
        let mut values: Vec<(Planted, &str)> = self
            .values
            .iter()
            .map(|(planted, value)| (*planted, value.expose().trim()))
            .filter(|(_, value)| !value.is_empty() && value.len() <= MAX_VALUE_LENGTH)
            .take(MAX_VALUES)
            .collect();
        let has = |planted| values.iter().any(|(own, _)| *own == planted);
        let name = values
            .iter()
            .find(|(own, _)| *own == Planted::Name)
            .and_then(|(_, name)| name.split_once(char::is_whitespace));
        let mut parts = Vec::new();
        if let Some((first, rest)) = name {
            let last = rest.split_whitespace().next_back().unwrap_or(rest);
            if !has(Planted::FirstName) {
                parts.push((Planted::FirstName, first));
            }
            if !has(Planted::LastName) {
                parts.push((Planted::LastName, last));
            }
        }
        values.extend(parts);
        values
    }
}
