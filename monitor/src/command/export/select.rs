//! Which messages are exported.

use std::collections::HashSet;

use super::ExportArgs;
use crate::{event::Timestamp, finding::Finding, select::Selection};

/// What the command line selects.
pub(super) struct Chosen {
    selection: Selection,
    only_findings: bool,
    ids: HashSet<String>,
}

impl Chosen {
    /// What `args` selects; `selection` are its filters.
    pub(super) fn new(args: &ExportArgs, selection: Selection) -> Self {
        // A message without findings has only a time.
        let is_by_time = Selection {
            since: None,
            until: None,
            ..selection
        };
        Self {
            only_findings: args.only_findings || !is_by_time.is_empty(),
            selection: Selection {
                since: selection.since,
                until: selection.until,
                ..is_by_time
            },
            ids: args.finding.iter().cloned().collect(),
        }
    }

    /// Whether nothing is left out.
    pub(super) fn is_everything(&self) -> bool {
        !self.only_findings && self.ids.is_empty() && self.selection.is_empty()
    }

    /// Whether a message of this time with these findings is exported.
    pub(super) fn takes(&self, time: Timestamp, findings: &[Finding]) -> bool {
        let is_chosen = |finding: &Finding| {
            (self.ids.is_empty() || self.ids.contains(&finding.id))
                && self.selection.matches(finding)
        };
        if findings.iter().any(is_chosen) {
            return true;
        }
        let Selection { since, until, .. } = self.selection;
        !self.only_findings
            && self.ids.is_empty()
            && since.is_none_or(|since| time.0 >= since)
            && until.is_none_or(|until| time.0 <= until)
    }
}
