//! The findings that the page lists.
//!
//! In: all findings. Out: the worst [`MAX_KEPT`] of them, the earliest of equal
//! ones, in order.

use std::{cmp::Reverse, collections::BTreeMap};

use crate::finding::{Finding, Severity};

/// Findings that are listed one by one.
pub(super) const MAX_KEPT: usize = 2_000;

/// The worst findings so far.
#[derive(Default)]
pub(super) struct Kept {
    findings: BTreeMap<(Reverse<Severity>, u64), Finding>,
    seen: u64,
}

impl Kept {
    /// Adds a finding, and drops the mildest if there are too many.
    pub(super) fn add(&mut self, finding: &Finding) {
        let key = (Reverse(finding.severity), self.seen);
        self.seen += 1;
        if self.findings.len() >= MAX_KEPT {
            let is_worse = self
                .findings
                .last_key_value()
                .is_some_and(|(last, _)| key < *last);
            if !is_worse {
                return;
            }
            self.findings.pop_last();
        }
        self.findings.insert(key, finding.clone());
    }

    /// The worst of all, of equal ones the first.
    pub(super) fn worst(&self) -> Option<&Finding> {
        self.findings.first_key_value().map(|(_, finding)| finding)
    }

    /// What is kept, in the order in which it came.
    pub(super) fn in_order(&self) -> Vec<&Finding> {
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by_key(|((_, number), _)| *number);
        findings.into_iter().map(|(_, finding)| finding).collect()
    }
}
