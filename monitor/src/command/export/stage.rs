//! Events to messages with their findings.
//!
//! In: events of captures. Out: for every message the event that records it,
//! and the findings in it. Values are replaced unless the stage is raw;
//! messages whose values were replaced before stay as they are.

use crate::{
    event::{Event, EventKind},
    export::plain,
    finding::Finding,
    loss::Losses,
    pipeline::{Correlator, Examiner, MessageAssembler, Output, Pipeline, Step, WorkerCache},
};

/// Takes a message and its findings.
pub(super) type Take<'a> = dyn FnMut(&Event, &[Finding]) + 'a;

/// Reads messages and finds what is in them.
pub(super) struct Stage {
    /// For messages that are exported as they come.
    known: Pipeline,
    out: Output,
    mode: Mode,
    losses: Losses,
}

enum Mode {
    Redacted(Box<Pipeline>),
    Raw(Box<Raw>),
}

/// The parts of the pipeline, used separately to get at messages as they were
/// sent.
struct Raw {
    assembler: MessageAssembler,
    examiner: Examiner,
    correlator: Correlator,
    cache: WorkerCache,
    losses: Losses,
    steps: Vec<Step>,
}

impl Stage {
    pub(super) fn new(examiner: Examiner, is_raw: bool) -> Self {
        let mode = if is_raw {
            Mode::Raw(Box::new(Raw {
                assembler: MessageAssembler::default(),
                examiner: examiner.clone(),
                correlator: Correlator::default(),
                cache: WorkerCache::default(),
                losses: Losses::default(),
                steps: Vec::new(),
            }))
        } else {
            Mode::Redacted(Box::new(Pipeline::from(examiner.clone().redacting())))
        };
        Self {
            known: Pipeline::from(examiner),
            out: Output::default(),
            mode,
            losses: Losses::default(),
        }
    }

    pub(super) const fn is_raw(&self) -> bool {
        matches!(self.mode, Mode::Raw(_))
    }

    /// Takes one event.
    pub(super) fn push(&mut self, event: &Event, take: &mut Take<'_>) {
        if matches!(event.kind, EventKind::Message(_)) {
            self.known.push(event, &mut self.out);
            take(event, &self.out.findings);
            self.clear();
            return;
        }
        match &mut self.mode {
            Mode::Redacted(core) => core.push(event, &mut self.out),
            Mode::Raw(core) => {
                core.assembler
                    .push(event, &mut core.losses, &mut core.steps);
                core.take(&mut self.out, take);
            }
        }
        self.hand_on(take);
    }

    /// Takes what still waits for more.
    pub(super) fn finish(&mut self, take: &mut Take<'_>) {
        match &mut self.mode {
            Mode::Redacted(core) => core.finish(&mut self.out),
            Mode::Raw(core) => {
                core.assembler.finish(&mut core.losses, &mut core.steps);
                core.take(&mut self.out, take);
            }
        }
        self.hand_on(take);
        let core = match &self.mode {
            Mode::Redacted(core) => core.losses(),
            Mode::Raw(core) => &core.losses,
        };
        self.losses.merge(core);
        self.losses.merge(self.known.losses());
    }

    /// What was lost, once everything was taken.
    pub(super) const fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Passes on the messages whose values the core replaced.
    fn hand_on(&mut self, take: &mut Take<'_>) {
        for record in self.out.records.drain(..) {
            let findings = self.out.findings.get(record.findings).unwrap_or_default();
            take(&record.event, findings);
        }
        self.clear();
    }

    fn clear(&mut self) {
        self.out.findings.clear();
        self.out.notes.clear();
        self.out.records.clear();
    }
}

impl Raw {
    /// Takes the steps that the front made.
    fn take(&mut self, out: &mut Output, take: &mut Take<'_>) {
        let Self {
            examiner,
            correlator,
            cache,
            losses,
            steps,
            ..
        } = self;
        for mut step in steps.drain(..) {
            let event = match &mut step {
                Step::Exchange(exchange, _) => {
                    exchange.decode(losses);
                    Some(plain::exchange(exchange))
                }
                Step::Page(page, _) => page
                    .markup(&mut Losses::default())
                    .map(|(markup, _)| plain::page(page, &markup)),
                _ => None,
            };
            match step {
                Step::Exchange(exchange, recorded) => {
                    let examined = examiner.examine(cache, exchange, recorded);
                    correlator.exchange(examiner, &examined, losses, out);
                }
                other => correlator.step(examiner, other, losses, out),
            }
            if let Some(event) = event {
                take(&event, &out.findings);
            }
            out.findings.clear();
            out.notes.clear();
        }
    }
}
