//! Keeping the limits: room is made before something is written.
//!
//! In: how much is to be written. Out: the oldest segments are gone, after the
//! manifest said so, or there is no room and the reason for it.

use std::fs;

use super::{
    entry::{Deleted, Entry, State},
    error::StoreError,
    quota::{self, Demand},
    recovery::is_held,
    segment::Segment,
    writer::CaptureWriter,
};
use crate::{
    capture::record::MAX_PACKET_PAYLOAD,
    event::{Event, EventKind},
};

/// Room for the header of a segment, and for the statistics that end it.
pub(super) const FRAME_RESERVE: u64 = 16 * 1024;
/// What a packet takes besides its payload, but for its notes.
const PACKET_RESERVE: u64 = 256;
/// What the notes of an event can take: introducing its stream, and itself.
const NOTES_RESERVE: u64 = 2 * 66_000;
/// What a piece of evidence takes in the notes of a message, about.
const PROOF_RESERVE: u64 = 1_024;
impl CaptureWriter {
    /// Deletes what the limits ask for. `is_written` says that `bytes` are about
    /// to be written, and are in the length of the segment already.
    pub(super) fn make_room(&mut self, bytes: u64, is_written: bool) -> Result<(), StoreError> {
        let current = self.segment.as_ref().map_or(0, Segment::bytes);
        let space = if is_written {
            self.disk.space(&self.directory).ok()
        } else {
            None
        };
        let demand = Demand {
            current: current + FRAME_RESERVE - if is_written { bytes.min(current) } else { 0 },
            bytes,
            space,
            now: self.disk.now(),
        };
        let plan = quota::plan(self.manifest.index(), &self.options.quota, &demand);
        let is_needed = plan
            .victims
            .iter()
            .any(|(_, limit)| *limit != "max_age_days");
        if !plan.victims.is_empty() {
            if !is_held(&self.directory) {
                self.delete(&plan.victims)?;
            } else if is_needed {
                return Err(self.no_room("the file hold says that nothing may be deleted".into()));
            }
        }
        match plan.short {
            Some(limit) => Err(self.no_room(format!("capture.{limit} leaves none"))),
            None => Ok(()),
        }
    }

    fn no_room(&self, reason: String) -> StoreError {
        StoreError::NoRoom {
            directory: self.directory.clone(),
            reason,
        }
    }

    /// Deletes segments, after the manifest says so.
    fn delete(&mut self, victims: &[(String, &'static str)]) -> Result<(), StoreError> {
        let time = self.disk.now().to_string();
        let mut entries = Vec::new();
        for (segment, reason) in victims {
            if let Some(State::Sealed(sealed)) = self.manifest.index().state(segment) {
                entries.push(Entry::Deleted(Deleted {
                    segment: segment.clone(),
                    time: time.clone(),
                    reason: (*reason).to_owned(),
                    bytes: sealed.bytes,
                    sha256: sealed.sha256.clone(),
                }));
            }
        }
        self.manifest.commit(&entries)?;
        for (segment, reason) in victims {
            tracing::info!("{segment} is deleted: capture.{reason}");
            if let Err(error) = fs::remove_file(self.directory.join(segment)) {
                tracing::warn!("{segment} could not be deleted: {error}");
            }
        }
        self.manifest.prune();
        Ok(())
    }
}

/// The most that `event` takes, in bytes.
pub(super) fn room_for(event: &Event) -> u64 {
    let (payload, proofs) = match &event.kind {
        EventKind::Data(data) => (data.bytes.expose().len(), 0),
        EventKind::Message(message) => (
            message.request.expose().len() + message.response.expose().len(),
            message.facts.proofs.len() + message.facts.plantings.len(),
        ),
        _ => (0, 0),
    };
    let packets = (payload / MAX_PACKET_PAYLOAD + 4) as u64;
    payload as u64 + packets * PACKET_RESERVE + proofs as u64 * PROOF_RESERVE + NOTES_RESERVE
}
