//! How a finding is written: an object for programs, or lines for people.

use serde::Serialize;

use super::rate::Times;
use crate::{
    finding::Finding,
    report::{Span, brief},
};

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JournalForm {
    /// One JSON object a line.
    #[default]
    Json,
    /// A few lines for people.
    Text {
        /// Whether severities are colored.
        is_colored: bool,
    },
}

/// A finding, and how many it stands for.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    repeated: Times,
}

impl JournalForm {
    /// The finding, which stands for several if it has `times`; without the last
    /// newline.
    pub(super) fn line(
        self,
        finding: &Finding,
        times: Option<Times>,
    ) -> Result<Vec<u8>, serde_json::Error> {
        match (self, times) {
            (Self::Json, None) => serde_json::to_vec(finding),
            (Self::Json, Some(repeated)) => serde_json::to_vec(&Line { finding, repeated }),
            (Self::Text { is_colored }, times) => {
                let repeated = times.map(|Times { count, first, last }| {
                    let span = Span { first, last };
                    (count, span)
                });
                Ok(brief(finding, repeated, is_colored).into_bytes())
            }
        }
    }
}
