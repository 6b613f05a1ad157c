//! What was not seen.
//!
//! In: facts and counts. Out: tables of messages, connections, losses and
//! silences in words.

use crate::{
    loss::Loss,
    report::{
        clock::{lasting, to_second},
        facts::Facts,
        silence::{LONG_SILENCE, silences},
        tally::Tally,
        text::{clean, cut, grouped},
    },
};

/// The section.
pub(super) struct Gaps {
    /// In one sentence.
    pub(super) verdict: String,
    pub(super) is_whole: bool,
    /// What of the messages was seen: words and count.
    pub(super) messages: Vec<(&'static str, String)>,
    /// Tracker, readable, blind.
    pub(super) connections: Vec<(String, String, String)>,
    /// What was lost, how often, and what that means.
    pub(super) losses: Vec<(String, String, &'static str)>,
    /// From, to, how long, what is known.
    pub(super) silences: Vec<(String, String, String, &'static str)>,
    pub(super) more_silences: u64,
    pub(super) long_silence: String,
    pub(super) ended: Option<String>,
}

/// Recipients whose connections are listed.
const MAX_ROWS: usize = 100;

impl Gaps {
    pub(super) fn new(tally: &Tally, facts: &Facts) -> Self {
        let silent = silences(&facts.inputs);
        let losses: Vec<_> = facts
            .losses
            .iter()
            .map(|(loss, count)| {
                let (stage, reason) = loss.labels();
                (
                    format!("{stage}: {}", reason.replace('_', " ")),
                    grouped(count),
                    meaning(loss),
                )
            })
            .collect();
        let blind: u64 = facts.connections.values().map(|own| own.blind).sum();
        let is_whole = losses.is_empty()
            && blind == 0
            && silent.unrecorded == 0
            && facts.ended.is_none()
            && tally.complete() == tally.messages();
        let mut verdict = if is_whole {
            "Nothing is known to be missing from the inputs.".to_owned()
        } else {
            "Something is missing. What was disclosed is at least what is listed.".to_owned()
        };
        if silent.unrecorded > 0 {
            verdict.push_str(" No input covers ");
            verdict.push_str(&lasting(silent.unrecorded));
            verdict.push_str(" between the first and the last packet.");
        }
        Self {
            verdict,
            is_whole,
            messages: messages(facts),
            connections: connections(tally, facts),
            losses,
            silences: silent
                .list
                .iter()
                .map(|silence| {
                    let span = silence.span;
                    (
                        to_second(span.first),
                        to_second(span.last),
                        lasting(span.last.since(span.first)),
                        if silence.is_recorded {
                            "within an input: nothing was sent, or nothing was captured"
                        } else {
                            "between inputs: nobody was recording"
                        },
                    )
                })
                .collect(),
            more_silences: silent.more,
            long_silence: lasting(LONG_SILENCE),
            ended: facts
                .ended
                .as_deref()
                .map(|reason| cut(reason, 500).into_owned()),
        }
    }
}

fn messages(facts: &Facts) -> Vec<(&'static str, String)> {
    let mut sums = std::collections::BTreeMap::<&'static str, u64>::new();
    for ((_, completeness), count) in &facts.messages {
        *sums.entry(completeness).or_default() += count;
    }
    sums.into_iter()
        .map(|(name, count)| {
            let words = match name {
                "complete" => "seen whole",
                "truncated" => "cut off at a limit or at the end of what was recorded",
                "gap" => "with bytes missing in the middle",
                "late" => "whose beginning was not seen",
                other => other,
            };
            (words, grouped(count))
        })
        .collect()
}

fn connections(tally: &Tally, facts: &Facts) -> Vec<(String, String, String)> {
    let mut rows: Vec<_> = facts.connections.iter().collect();
    rows.sort_by_key(|(tracker, own)| (u64::MAX - own.blind, *tracker));
    rows.into_iter()
        .take(MAX_ROWS)
        .map(|(tracker, own)| {
            let owner = tally
                .recipients
                .get(tracker)
                .map_or(tracker, |received| &received.owner);
            (
                clean(owner).into_owned(),
                grouped(own.readable),
                grouped(own.blind),
            )
        })
        .collect()
}

/// What a loss means for a reader of the report.
const fn meaning(loss: Loss) -> &'static str {
    match loss {
        Loss::KernelRingFull
        | Loss::KernelControlRingFull
        | Loss::KernelFault
        | Loss::KernelCallCap
        | Loss::KernelNoEntry
        | Loss::KernelTableFull
        | Loss::ProbeUnknownRecord => "bytes never reached phiwatch",
        Loss::ProbeSampled => "a busy server's pages were looked at in samples",
        Loss::ProbeBudget => {
            "a process was probed less, to keep what phiwatch costs within its budget"
        }
        Loss::CaptureDropped => "the recorder had no room for packets",
        Loss::CaptureMalformed | Loss::CaptureTruncated | Loss::CaptureUnsupported => {
            "a part of an input could not be read"
        }
        Loss::ProbeEvicted
        | Loss::ProbeLate
        | Loss::StreamGap
        | Loss::StreamReorderLimit
        | Loss::StreamEvicted => {
            "bytes of a connection are missing; a request in them is missing or cut"
        }
        Loss::HttpMalformed => "bytes that are no HTTP/1.1 message were not examined",
        Loss::HttpHeadLimit
        | Loss::HttpBodyLimit
        | Loss::HttpBomb
        | Loss::HttpBodyBroken
        | Loss::FieldLimit
        | Loss::FieldDepth
        | Loss::FieldLength => "the rest of a message was not examined",
        Loss::HttpPipelineLimit => "answers could not be told to their requests",
        Loss::PageRateLimit | Loss::PageEvicted | Loss::PageVersions => {
            "a page was not examined, or is told again"
        }
        Loss::FindingLimit => "events of one request are told in one summary",
        Loss::PeopleMemory | Loss::PeopleLimit => "the numbers of people are less exact",
        Loss::HashMemory => "a hash could not be told to be that of a known value",
        _ => "something that should have been written was not",
    }
}
