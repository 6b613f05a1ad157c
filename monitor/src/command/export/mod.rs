//! `phiwatch export`: messages of captures for other tools.
//!
//! In: captures. Out: one file, which appears only once it is complete and is
//! entered into the custody logs.

mod custody;
mod output;
mod select;
mod stage;

use std::sync::Arc;

use self::{output::Output, select::Chosen, stage::Stage};
use super::{
    Failure,
    replay::{examiner, open, selection, unreadable},
};
use crate::{
    capture::{EventSource, Provenance},
    cli::{ExportArgs, ExportFormat},
    event::Event,
    export::{Archive, Exporter, Item, Packets, Units},
    finding::Finding,
    loss::Losses,
    rules,
    select::Vocabulary,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// Exports what `args` selects.
pub fn execute(args: &ExportArgs) -> Result<(), Failure> {
    custody::check_reason(args)?;
    let examiner = examiner(args.config.as_deref(), args.state.as_deref())?;
    let vocabulary = Vocabulary::of([examiner.catalog()]);
    let selection = selection(&args.select, &vocabulary, &args.captures, &args.identity)?;
    let mut source = open(&args.captures, &args.identity, &Arc::default())?;
    let mut output = Output::create(&args.output, args.force)?;
    let mut export = Export {
        exporter: exporter(args),
        chosen: Chosen::new(args, selection),
        is_verbatim: args.raw && args.to == ExportFormat::Pcapng,
        buffer: Vec::new(),
        findings: 0,
    };
    let mut stage = Stage::new(examiner, args.raw);
    let losses = export.run(&mut *source, &mut stage, &mut output)?;
    let written = output.finish()?;
    custody::enter(args, &written, export.exporter.messages())?;
    written.publish()?;
    export.tell(args, &losses);
    Ok(())
}

fn exporter(args: &ExportArgs) -> Box<dyn Exporter> {
    // Nothing about this host or the present: the same captures give the same
    // bytes.
    let provenance = Provenance {
        version: VERSION.to_owned(),
        rules: rules::fingerprint().to_owned(),
        redacted: !args.raw,
        ..Provenance::default()
    };
    match args.to {
        ExportFormat::Har => Box::new(Archive::new(VERSION, args.raw)),
        ExportFormat::Pcapng => Box::new(Packets::new(provenance)),
        ExportFormat::Pdu => Box::new(Units::new(provenance)),
    }
}

struct Export {
    exporter: Box<dyn Exporter>,
    chosen: Chosen,
    /// Whole streams are written as they were recorded, since all are selected.
    is_verbatim: bool,
    buffer: Vec<u8>,
    findings: u64,
}

impl Export {
    /// Reads everything and writes what is selected. Returns what was lost.
    fn run(
        &mut self,
        source: &mut dyn EventSource,
        stage: &mut Stage,
        output: &mut Output,
    ) -> Result<Losses, Failure> {
        let mut losses = Losses::default();
        self.exporter.begin(&mut self.buffer);
        while let Some(event) = source.next(&mut losses).map_err(unreadable)? {
            if self.chosen.is_everything() && stage.is_raw() {
                self.exporter.event(&event, &mut self.buffer);
                if self.is_verbatim {
                    self.write(output, BUFFER)?;
                    continue;
                }
            }
            stage.push(&event, &mut |event, findings| {
                self.take(event, findings);
            });
            self.write(output, BUFFER)?;
        }
        stage.finish(&mut |event, findings| self.take(event, findings));
        losses.merge(stage.losses());
        self.exporter.finish(&losses, &mut self.buffer);
        self.write(output, 0)?;
        Ok(losses)
    }

    fn take(&mut self, event: &Event, findings: &[Finding]) {
        if !self.chosen.takes(event.time, findings) {
            return;
        }
        let ids: Vec<_> = findings.iter().map(|finding| finding.id.clone()).collect();
        self.findings += ids.len() as u64;
        let item = Item {
            event,
            findings: &ids,
        };
        self.exporter.message(&item, &mut self.buffer);
    }

    /// Writes what was gathered if it exceeds `limit` bytes.
    fn write(&mut self, output: &mut Output, limit: usize) -> Result<(), Failure> {
        if self.buffer.len() > limit {
            output.write(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Says on standard error what was written.
    fn tell(&self, args: &ExportArgs, losses: &Losses) {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        let file = args.output.display();
        if self.is_verbatim && self.chosen.is_everything() {
            super::say(format_args!(
                "phiwatch: {file}: everything as it was recorded"
            ));
        } else {
            let messages = self.exporter.messages();
            let findings = self.findings;
            super::say(format_args!(
                "phiwatch: {file}: {messages} message{}, {findings} finding{}",
                plural(messages),
                plural(findings),
            ));
        }
        let cut = self.exporter.cut();
        if cut > 0 {
            super::say(format_args!(
                "phiwatch: {cut} message{} too long for one packet and cut; --to pcapng holds all \
                 of them",
                if cut == 1 { " was" } else { "s were" },
            ));
        }
        for (loss, count) in losses.iter() {
            let (stage, reason) = loss.labels();
            super::say(format_args!(
                "phiwatch: lost in stage {stage}, {reason}: {count}"
            ));
        }
        if args.raw {
            super::say(format_args!(
                "phiwatch: warning: {file} holds values as they were sent; it is as confidential \
                 as what was disclosed"
            ));
        }
    }
}
