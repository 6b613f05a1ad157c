//! What phiwatch did not see, by stage and reason.
//!
//! A monitor that loses data silently is worse than none. Code that drops
//! something counts a [`Loss`], and the total becomes
//! `phiwatch_lost_total{stage,reason}`:
//!
//! | where it is lost | counted by | on its way to the metric |
//! |---|---|---|
//! | kernel programs | `counter` of `phiwatch_ebpf::abi` | `probe::reader` maps it to a [`Loss`], `command::watch` publishes it |
//! | ring thread, discovery | [`Losses`] | `command::watch` |
//! | the core and behind it | [`Losses`] | `command::core` |
//!
//! Captures keep the same totals in their statistics.

/// One way to lose something. The set is closed: it is the label set of
/// `phiwatch_lost_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum Loss {
    /// The data ring had no room for a chunk.
    KernelRingFull,
    /// The control ring had no room for a record.
    KernelControlRingFull,
    /// The buffer of a call was not resident when the program read it.
    KernelFault,
    /// One call wrote more than the cap per call.
    KernelCallCap,
    /// A return was seen without its entry (attached in between, or the table
    /// of calls in flight was full).
    KernelNoEntry,
    /// A kernel table (calls in flight, streams, sockets, requests) was full.
    KernelTableFull,
    /// A record had a tag or a length unknown to this build.
    ProbeUnknownRecord,
    /// The budget took probes from a process that brought no traffic to
    /// trackers: what it sends to others, and its pages, are not all seen.
    ProbeBudget,
    /// A server answers so often that only samples of its pages are looked at.
    ProbeSampled,
    /// A stream was closed before its end because too many were open.
    ProbeEvicted,
    /// A connection was opened before the process's TLS library was hooked, and
    /// none of its plaintext came.
    ProbeLate,
    /// A capture file had a block or packet that could not be read.
    CaptureMalformed,
    /// A capture file ended inside a block.
    CaptureTruncated,
    /// A capture record could not be written to disk.
    CaptureWrite,
    /// A capture record was refused because the limits or the disk left no room.
    CaptureNoRoom,
    /// A tunnel or link type that replay does not support.
    CaptureUnsupported,
    /// A fragment of an IP datagram whose other fragments never came.
    CaptureFragment,
    /// Packets that the capturing tool reports as dropped.
    CaptureDropped,
    /// Frames of a WebSocket in an HTTP archive, which are not examined.
    CaptureWebSocket,
    /// Bytes of a stream never arrived.
    StreamGap,
    /// Out-of-order bytes were discarded because the buffer limit was reached.
    StreamReorderLimit,
    /// A stream was forgotten because the table was full.
    StreamEvicted,
    /// Bytes on an HTTP stream that are no HTTP message.
    HttpMalformed,
    /// A request head was longer than the limit or had too many headers.
    HttpHeadLimit,
    /// A body was longer than the limit; its beginning was examined.
    HttpBodyLimit,
    /// A body decoded to more than the output or ratio cap; what came before
    /// the cap was examined.
    HttpBomb,
    /// A body's content coding was broken; what came before was examined.
    HttpBodyBroken,
    /// More unanswered requests on one connection than are remembered.
    HttpPipelineLimit,
    /// A message had more fields than the limit.
    FieldLimit,
    /// A value was nested deeper than the limit.
    FieldDepth,
    /// A value was longer than the limit; its beginning was examined.
    FieldLength,
    /// A page was not examined because too many came at once.
    PageRateLimit,
    /// A route was forgotten because the table was full: its page is reported
    /// again.
    PageEvicted,
    /// A version of a page was not reported because the route had too many.
    PageVersions,
    /// Person-events of one request beyond the limit, reported in one summary.
    FindingLimit,
    /// Identifiers were forgotten, so the same person may get another name.
    PeopleMemory,
    /// A person was not counted because the counts are full.
    PeopleLimit,
    /// Plain identifiers were forgotten or not learned, so hashes of them are
    /// not confirmed.
    HashMemory,
    /// A finding was not journaled because too many kinds came at once.
    AlertRateLimit,
    /// A finding could not be written to the journal.
    AlertJournalWrite,
}

impl Loss {
    /// Every loss, in the order of the flow.
    pub const ALL: &'static [Self] = &[
        Self::KernelRingFull,
        Self::KernelControlRingFull,
        Self::KernelFault,
        Self::KernelCallCap,
        Self::KernelNoEntry,
        Self::KernelTableFull,
        Self::ProbeUnknownRecord,
        Self::ProbeBudget,
        Self::ProbeSampled,
        Self::ProbeEvicted,
        Self::ProbeLate,
        Self::CaptureMalformed,
        Self::CaptureTruncated,
        Self::CaptureWrite,
        Self::CaptureNoRoom,
        Self::CaptureUnsupported,
        Self::CaptureFragment,
        Self::CaptureDropped,
        Self::CaptureWebSocket,
        Self::StreamGap,
        Self::StreamReorderLimit,
        Self::StreamEvicted,
        Self::HttpMalformed,
        Self::HttpHeadLimit,
        Self::HttpBodyLimit,
        Self::HttpBomb,
        Self::HttpBodyBroken,
        Self::HttpPipelineLimit,
        Self::FieldLimit,
        Self::FieldDepth,
        Self::FieldLength,
        Self::PageRateLimit,
        Self::PageEvicted,
        Self::PageVersions,
        Self::FindingLimit,
        Self::PeopleMemory,
        Self::PeopleLimit,
        Self::HashMemory,
        Self::AlertRateLimit,
        Self::AlertJournalWrite,
    ];

    /// The label values `(stage, reason)`.
    pub const fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::KernelRingFull => ("kernel", "ring_full"),
            Self::KernelControlRingFull => ("kernel", "control_ring_full"),
            Self::KernelFault => ("kernel", "fault"),
            Self::KernelCallCap => ("kernel", "call_cap"),
            Self::KernelNoEntry => ("kernel", "no_entry"),
            Self::KernelTableFull => ("kernel", "table_full"),
            Self::ProbeUnknownRecord => ("probe", "unknown_record"),
            Self::ProbeBudget => ("probe", "budget"),
            Self::ProbeSampled => ("probe", "sampled"),
            Self::ProbeEvicted => ("probe", "evicted"),
            Self::ProbeLate => ("probe", "hooked_late"),
            Self::CaptureMalformed => ("capture", "malformed"),
            Self::CaptureTruncated => ("capture", "truncated"),
            Self::CaptureWrite => ("capture", "write"),
            Self::CaptureNoRoom => ("capture", "no_room"),
            Self::CaptureUnsupported => ("capture", "unsupported"),
            Self::CaptureFragment => ("capture", "fragment"),
            Self::CaptureDropped => ("capture", "dropped"),
            Self::CaptureWebSocket => ("capture", "websocket"),
            Self::StreamGap => ("stream", "gap"),
            Self::StreamReorderLimit => ("stream", "reorder_limit"),
            Self::StreamEvicted => ("stream", "evicted"),
            Self::HttpMalformed => ("http", "malformed"),
            Self::HttpHeadLimit => ("http", "head_limit"),
            Self::HttpBodyLimit => ("http", "body_limit"),
            Self::HttpBomb => ("http", "bomb"),
            Self::HttpBodyBroken => ("http", "body_broken"),
            Self::HttpPipelineLimit => ("http", "pipeline_limit"),
            Self::FieldLimit => ("field", "field_limit"),
            Self::FieldDepth => ("field", "depth"),
            Self::FieldLength => ("field", "length"),
            Self::PageRateLimit => ("page", "rate_limit"),
            Self::PageEvicted => ("page", "evicted"),
            Self::PageVersions => ("page", "versions"),
            Self::FindingLimit => ("finding", "finding_limit"),
            Self::PeopleMemory => ("finding", "people_memory"),
            Self::PeopleLimit => ("finding", "people_limit"),
            Self::HashMemory => ("finding", "hash_memory"),
            Self::AlertRateLimit => ("alert", "rate_limit"),
            Self::AlertJournalWrite => ("alert", "journal_write"),
        }
    }
}

/// Counts of losses, passed from the stage that lost to the one that reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Losses {
    counts: [u64; Loss::ALL.len()],
}

impl Default for Losses {
    fn default() -> Self {
        Self {
            counts: [0; Loss::ALL.len()],
        }
    }
}

impl Losses {
    /// Counts `loss` once.
    pub const fn count(&mut self, loss: Loss) {
        self.add(loss, 1);
    }

    /// Counts `loss` `times` times.
    pub const fn add(&mut self, loss: Loss, times: u64) {
        let slot = &mut self.counts[loss as usize];
        *slot = slot.saturating_add(times);
    }

    /// How often `loss` was counted.
    pub const fn get(&self, loss: Loss) -> u64 {
        self.counts[loss as usize]
    }

    /// The sum over all losses.
    pub fn total(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The losses that were counted at least once, in the order of the flow.
    pub fn iter(&self) -> impl Iterator<Item = (Loss, u64)> + '_ {
        Loss::ALL
            .iter()
            .map(|loss| (*loss, self.get(*loss)))
            .filter(|(_, count)| *count > 0)
    }

    /// Adds all counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (loss, count) in other.iter() {
            self.add(loss, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_loss_has_its_own_slot_and_labels() {
        let labels: HashSet<_> = Loss::ALL.iter().map(|loss| loss.labels()).collect();
        assert_eq!(labels.len(), Loss::ALL.len());
        for (index, loss) in Loss::ALL.iter().enumerate() {
            assert_eq!(*loss as usize, index);
        }
    }

    #[test]
    fn counts_merge() {
        let mut one = Losses::default();
        one.count(Loss::StreamGap);
        let mut two = Losses::default();
        two.add(Loss::StreamGap, 2);
        two.count(Loss::HttpBomb);
        one.merge(&two);
        assert_eq!(
            (
                one.get(Loss::StreamGap),
                one.get(Loss::HttpBomb),
                one.total()
            ),
            (3, 1, 4)
        );
    }
}
