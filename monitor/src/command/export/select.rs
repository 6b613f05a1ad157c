//! Which messages are exported.

use std::collections::HashSet;

use crate::{cli::ExportArgs, finding::Finding};

/// What the command line selects.
pub(super) struct Selection {
    only_findings: bool,
    ids: HashSet<String>,
}

impl Selection {
    /// What `args` selects.
    pub(super) fn new(args: &ExportArgs) -> Self {
        Self {
            only_findings: args.only_findings,
            ids: args.finding.iter().cloned().collect(),
        }
    }

    /// Whether nothing is left out.
    pub(super) fn is_everything(&self) -> bool {
        !self.only_findings && self.ids.is_empty()
    }

    /// Whether a message with these findings is exported.
    pub(super) fn takes(&self, findings: &[Finding]) -> bool {
        if self.ids.is_empty() {
            return !self.only_findings || !findings.is_empty();
        }
        findings
            .iter()
            .any(|finding| self.ids.contains(&finding.id))
    }
}
