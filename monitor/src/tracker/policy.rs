//! The operator's declarations about recipients: which hosts are the operator's
//! own, and with whom there is an agreement.

use std::collections::BTreeSet;

use super::{Tracker, entry::is_below, normalize_host};

/// The operator's declarations about recipients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    first_parties: Vec<Box<str>>,
    agreement_hosts: Vec<Box<str>>,
    agreement_ids: BTreeSet<Box<str>>,
}

/// An item of the policy that is neither a host nor an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("item {index} of {list} is no {wanted}")]
pub struct PolicyError {
    /// Which list.
    pub list: &'static str,
    /// Which of its items, from 1.
    pub index: usize,
    /// What an item is.
    pub wanted: &'static str,
}

impl Policy {
    /// A policy: hosts of the operator, each with everything below it; and ids
    /// of trackers, or hosts likewise, with whom there is a business associate
    /// agreement.
    pub fn new(first_parties: &[String], agreements: &[String]) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        for (index, item) in first_parties.iter().enumerate() {
            policy.first_parties.push(suffix(item).ok_or(PolicyError {
                list: "first_parties",
                index: index + 1,
                wanted: "host name",
            })?);
        }
        for (index, item) in agreements.iter().enumerate() {
            if item.contains('.') {
                policy.agreement_hosts.push(suffix(item).ok_or(PolicyError {
                    list: "baa",
                    index: index + 1,
                    wanted: "host name",
                })?);
            } else {
                policy.agreement_ids.insert(item.as_str().into());
            }
        }
        Ok(policy)
    }

    /// Whether `host` (normalized) is the operator's own.
    pub(super) fn is_first_party(&self, host: &str) -> bool {
        covers(&self.first_parties, host)
    }

    /// Whether there is an agreement with the recipient at `host`. A tracker's
    /// protocol does not prove to whom an unknown host belongs, so there the
    /// agreement has to name the host.
    pub(super) fn has_agreement(&self, tracker: &Tracker, host: &str, is_known: bool) -> bool {
        (is_known && self.agreement_ids.contains(&*tracker.id))
            || covers(&self.agreement_hosts, host)
    }

    /// The ids with an agreement.
    pub fn agreement_ids(&self) -> impl Iterator<Item = &str> {
        self.agreement_ids.iter().map(AsRef::as_ref)
    }
}

fn covers(suffixes: &[Box<str>], host: &str) -> bool {
    suffixes
        .iter()
        .any(|suffix| &**suffix == host || is_below(host, suffix))
}

fn suffix(text: &str) -> Option<Box<str>> {
    let name = text.strip_prefix('.').unwrap_or(text);
    let normal = normalize_host(name)?;
    (!normal.starts_with('.') && !normal.contains("..")).then(|| normal.into())
}
