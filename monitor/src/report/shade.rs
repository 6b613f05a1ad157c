//! Colors of severities on a terminal.

use crate::finding::Severity;

/// How a severity is colored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shade {
    BoldRed,
    Red,
    Yellow,
    Blue,
}

impl Shade {
    pub(super) const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::BoldRed,
            Severity::High => Self::Red,
            Severity::Medium => Self::Yellow,
            Severity::Low | Severity::Info => Self::Blue,
        }
    }

    /// The parameters of the terminal's sequence `SGR` that turns it on.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::BoldRed => "1;31",
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Blue => "34",
        }
    }
}
