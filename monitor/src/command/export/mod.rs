//! `phiwatch export`: messages of captures for other tools.
//!
//! In: captures. Out: one file, which appears only once it is complete and is
//! entered into the custody logs.

mod custody;
mod output;
mod select;

use std::{path::PathBuf, sync::Arc};

use clap::{Args, ValueEnum};

use self::{output::Output, select::Chosen};
use super::{
    Failure,
    replay::{Captures, SelectArgs, all_cores, core, examiner, selection},
};
use crate::{
    capture::Provenance,
    event::Timestamp,
    export::{Archive, Exporter, Item, Packets, Units},
    loss::Losses,
    pipeline::{Feed, Input, Output as Results, Pipeline, Sink, drive},
    rules,
    select::Vocabulary,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// An HTTP archive, for browsers and mitmproxy
    Har,
    /// Packets, for every tool that reads captures
    Pcapng,
    /// Whole messages as exported PDUs, which Wireshark reads on any port
    Pdu,
}

impl ExportFormat {
    /// The name in options and in custody logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Har => "har",
            Self::Pcapng => "pcapng",
            Self::Pdu => "pdu",
        }
    }
}

/// `phiwatch export`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  phiwatch export /var/tmp/evidence --to har -o evidence.har
  phiwatch export evidence/ --to pdu --only-findings --reason 'case 4711' -o findings.pcapng
  phiwatch export evidence/ --to har --finding 5d41402abc4b2a76b9719d911017c592 -o one.har
  phiwatch export evidence/ --to pcapng --raw --reason 'court order 12/26' \\
      --identity key.txt -o raw.pcapng

Values that could identify someone are replaced by tokens, equal ones by equal
ones, unless --raw is given. Who took what out of a capture, when and why, is
entered into custody.jsonl in its folder: always with --raw or --reason, else
where there is such a log. The file appears only once it is complete.

Filters choose messages by their findings; --since and --until alone keep
messages without findings as well.")]
pub struct ExportArgs {
    /// Captures, or folders of captures
    #[arg(required = true, value_name = "CAPTURE")]
    pub captures: Vec<PathBuf>,
    /// What is written
    #[arg(long, value_name = "FORMAT")]
    pub to: ExportFormat,
    /// The file that is written; only its owner can read it
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file if there is one
    #[arg(long)]
    pub force: bool,
    /// Write values as they were sent
    #[arg(long, requires = "reason")]
    pub raw: bool,
    /// Why, for the custody log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only messages with findings
    #[arg(long)]
    pub only_findings: bool,
    /// Only the message with this finding; may be repeated
    #[arg(long, value_name = "ID")]
    pub finding: Vec<String>,
    /// A file with age identities, for encrypted captures; may be repeated
    #[arg(long, value_name = "FILE")]
    pub identity: Vec<PathBuf>,
    /// The configuration file [default: /etc/phiwatch/phiwatch.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder with the key of the tokens, for tokens equal to those of the
    /// daemon that used it
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Which messages.
    #[command(flatten)]
    pub select: SelectArgs,
}

/// Exports what `args` selects.
pub fn execute(args: &ExportArgs) -> Result<(), Failure> {
    custody::check_reason(args)?;
    let examiner = examiner(args.config.as_deref(), args.state.as_deref())?;
    let vocabulary = Vocabulary::of([examiner.catalog()]);
    let selection = selection(&args.select, &vocabulary, &args.captures, &args.identity)?;
    let threads = all_cores();
    let captures = Captures::open(&args.captures, &args.identity, &Arc::default(), threads)?;
    let mut export = Export {
        captures,
        output: Output::create(&args.output, args.force)?,
        exporter: exporter(args),
        chosen: Chosen::new(args, selection),
        is_raw: args.raw,
        is_verbatim: args.raw && args.to == ExportFormat::Pcapng,
        buffer: Vec::new(),
        held: None,
        findings: 0,
    };
    let examiner = if args.raw {
        examiner.keeping()
    } else {
        examiner.redacting()
    };
    let mut core = core(examiner, threads)?;
    export.exporter.begin(&mut export.buffer);
    drive(&mut export, &mut core)?;
    export.exporter.finish(core.losses(), &mut export.buffer);
    export.write(0)?;
    let Export {
        output, exporter, ..
    } = export;
    let written = output.finish()?;
    custody::enter(args, &written, exporter.messages())?;
    written.publish()?;
    let is_whole = export.is_verbatim && export.chosen.is_everything();
    let findings = (!is_whole).then_some(export.findings);
    tell(args, &*exporter, findings, core.losses());
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

/// What feeds the core in an export and takes its results.
struct Export {
    captures: Captures,
    output: Output,
    exporter: Box<dyn Exporter>,
    chosen: Chosen,
    /// Values are exported as they were sent.
    is_raw: bool,
    /// Whole streams are written as they were recorded, if all are selected.
    is_verbatim: bool,
    buffer: Vec<u8>,
    /// An input, and what is written of it behind the messages before it.
    held: Option<(Input, Vec<u8>)>,
    findings: u64,
}

impl Feed for Export {
    type Error = Failure;

    fn next(&mut self, losses: &mut Losses) -> Result<Input, Failure> {
        if let Some((input, bytes)) = self.held.take() {
            self.buffer.extend(bytes);
            self.write(BUFFER)?;
            return Ok(input);
        }
        loop {
            let input = self.captures.next(losses)?;
            if !self.is_raw || !self.chosen.is_everything() {
                return Ok(input);
            }
            let mut bytes = Vec::new();
            let out = if self.is_verbatim {
                &mut self.buffer
            } else {
                &mut bytes
            };
            match &input {
                Input::Event(event) => self.exporter.event(event, out),
                Input::Message(message) => self.exporter.recorded(message, out),
                _ => return Ok(input),
            }
            if self.is_verbatim {
                self.write(BUFFER)?;
                continue;
            }
            if bytes.is_empty() {
                return Ok(input);
            }
            self.held = Some((input, bytes));
            // First come the messages before it.
            return Ok(Input::Idle(Timestamp(0)));
        }
    }
}

impl Sink for Export {
    fn take(&mut self, out: &mut Results, _core: &Pipeline) -> Result<(), Failure> {
        for record in out.records.drain(..) {
            let findings = out.findings.get(record.findings).unwrap_or_default();
            if !self.chosen.takes(record.message.time, findings) {
                continue;
            }
            let ids: Vec<_> = findings.iter().map(|finding| finding.id.clone()).collect();
            self.findings += ids.len() as u64;
            let item = Item {
                recorded: &record.message,
                findings: &ids,
            };
            self.exporter.message(&item, &mut self.buffer);
            self.write(BUFFER)?;
        }
        Ok(())
    }
}

impl Export {
    /// Writes what was gathered if it exceeds `limit` bytes.
    fn write(&mut self, limit: usize) -> Result<(), Failure> {
        if self.buffer.len() > limit {
            self.output.write(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}

/// Says on standard error what was written: messages with so many `findings`,
/// or everything as it was recorded.
fn tell(args: &ExportArgs, exporter: &dyn Exporter, findings: Option<u64>, losses: &Losses) {
    let plural = |count: u64| if count == 1 { "" } else { "s" };
    let file = args.output.display();
    if let Some(findings) = findings {
        let messages = exporter.messages();
        super::say(format_args!(
            "phiwatch: {file}: {messages} message{}, {findings} finding{}",
            plural(messages),
            plural(findings),
        ));
    } else {
        super::say(format_args!(
            "phiwatch: {file}: everything as it was recorded"
        ));
    }
    let cut = exporter.cut();
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
