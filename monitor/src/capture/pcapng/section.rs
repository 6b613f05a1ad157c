//! What the recorders of a file say about themselves.
//!
//! In: headers and statistics of its sections. Out: one [`SectionSurvey`] each.

use std::collections::BTreeMap;

use super::option::Options;
use crate::capture::note::{LossNote, Provenance};

/// Sections of one file that are remembered.
pub(super) const MAX_SECTIONS: usize = 256;
/// Options of a section header: the operating system, the program.
const OPTION_SYSTEM: u16 = 3;
const OPTION_WRITER: u16 = 4;
/// What a header says about itself is cut to this many bytes.
const MAX_NAME: usize = 256;
/// Kinds of losses of a section.
const MAX_LOSSES: usize = 128;

/// What the header and the statistics of a section say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SectionSurvey {
    /// What phiwatch says, where it wrote it.
    pub provenance: Option<Provenance>,
    /// The program that wrote it.
    pub writer: String,
    /// The operating system that it ran on.
    pub system: String,
    /// Losses by `stage.reason`, of ours.
    pub lost: BTreeMap<String, u64>,
    /// Packets that were dropped, by others.
    pub dropped: u64,
}

impl SectionSurvey {
    /// What the options of a header say.
    pub(super) fn header(options: Option<&Options<'_>>) -> Self {
        let text = |code: u16| {
            let value = options?.clone().find_code(code)?;
            let value = value.get(..value.len().min(MAX_NAME))?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        Self {
            system: text(OPTION_SYSTEM).unwrap_or_default(),
            writer: text(OPTION_WRITER).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Adds what statistics say.
    pub(super) fn add(&mut self, note: &LossNote) {
        for (name, count) in &note.lost {
            let is_known = self.lost.contains_key(name);
            if is_known || (self.lost.len() < MAX_LOSSES && name.len() <= MAX_NAME) {
                let sum = self.lost.entry(name.clone()).or_default();
                *sum = sum.saturating_add(*count);
            }
        }
    }
}
