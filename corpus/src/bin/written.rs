//! `written`: writes the events of a split as requests, replays them, prints the measure.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command for a person at a terminal"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use clap::Parser;
use corpus::{
    encode, format,
    format::{Carrier, Quiet, Request},
    generator::{self, Case, Sources},
    label::{Kind, Label},
    measure::{Measure, share},
    phiwatch::Phiwatch,
    recorded,
    rng::Rng,
    words::{Split, Words},
    written::{self, Folder, Group},
};
use serde::Serialize;

/// Measures phiwatch on written events.
#[derive(Parser)]
struct Arguments {
    /// The folder of the split: `health/`, `ordinary/`, `treacherous/`, `vendors/`
    events: PathBuf,
    /// The phiwatch to measure
    #[arg(long)]
    phiwatch: Option<PathBuf>,
    /// Where captures and labels are left
    #[arg(long)]
    directory: PathBuf,
    /// In how many formats each event is written
    #[arg(long, default_value_t = 1)]
    copies: u64,
    /// The seed of formats and people
    #[arg(long, default_value_t = 20_261_202)]
    seed: u64,
    /// Write requests and labels to this file, for the fit
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// So many rounds over all formats of the known and the held-out split of `words/` as
    /// well, and 500 requests without health information a round
    #[arg(long, default_value_t = 0)]
    rounds: u64,
    /// Write every fault to this file
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("written: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// One request with its truth, for whoever learns from it.
#[derive(Serialize)]
struct Row<'a> {
    folder: &'static str,
    kind: &'a str,
    language: &'a str,
    method: &'a str,
    host: &'a str,
    target: &'a str,
    headers: &'a [(String, String)],
    body: String,
    label: &'a Label,
}

fn run(arguments: &Arguments) -> Result<()> {
    let groups = written::load(&arguments.events)?;
    let (carriers, quiet) = format::load()?;
    fs::create_dir_all(&arguments.directory)?;
    if let Some(path) = &arguments.requests {
        let file = fs::File::create(path).with_context(|| format!("create {}", path.display()))?;
        let mut out = std::io::BufWriter::new(file);
        for (group, case) in written::cases(&groups, &carriers, arguments.copies, arguments.seed) {
            let case = case?;
            serde_json::to_writer(&mut out, &row(group, &case.request, &case.label))?;
            out.write_all(b"\n")?;
        }
        generated(
            arguments.rounds,
            arguments.seed,
            &carriers,
            &quiet,
            &mut out,
        )?;
        out.flush()?;
    }
    let Some(binary) = &arguments.phiwatch else {
        return Ok(());
    };
    let phiwatch = Phiwatch::new(binary.clone(), arguments.directory.join("state"));
    let mut parts: BTreeMap<(Folder, String), Vec<Group>> = BTreeMap::new();
    for group in groups {
        let language = match group.folder {
            Folder::Health => group.language.clone(),
            _ => String::new(),
        };
        parts
            .entry((group.folder, language))
            .or_default()
            .push(group);
    }
    let mut faults = String::new();
    for ((folder, language), groups) in &parts {
        let name = format!(
            "{}{}{language}",
            folder.name(),
            if language.is_empty() { "" } else { "." }
        );
        let path = arguments.directory.join(format!("{name}.pcap"));
        let mut rng = Rng::new(arguments.seed);
        let labels = generator::write(&path, 0, &mut rng, |next| {
            for (_, case) in written::cases(groups, &carriers, arguments.copies, arguments.seed) {
                next.write(vec![case?])?;
            }
            Ok(())
        })?;
        let mut measure = Measure::default();
        measure.add(&name, &labels, &phiwatch.replay(&path)?, &|label| {
            label.platform.clone()
        });
        print(&name, *folder, &measure);
        faults += &list(&name, &measure);
    }
    if let Some(path) = &arguments.faults {
        fs::write(path, faults).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// Requests of one event each from the tables of `words/`.
fn generated(
    rounds: u64,
    seed: u64,
    carriers: &[Carrier],
    quiet: &[Quiet],
    out: &mut impl std::io::Write,
) -> Result<()> {
    if rounds == 0 {
        return Ok(());
    }
    let words = Words::load()?;
    let sources = Sources {
        words: &words,
        carriers,
        quiet,
        http2: 0,
    };
    let mut rng = Rng::new(seed);
    let mut add = |case: Case, language: &str, kind: &str| -> Result<()> {
        // An article about an illness is nobody's, and neither health information of a
        // person nor without any.
        if case.label.events.len() != 1 || case.label.kind == Kind::Blog {
            return Ok(());
        }
        let folder = if case.label.kind.is_negative() {
            "generated"
        } else {
            Folder::Health.name()
        };
        let row = Row {
            folder,
            kind,
            language,
            method: &case.request.method,
            host: &case.request.host,
            target: &case.request.target,
            headers: &case.request.headers,
            body: encode::base64(&case.request.body),
            label: &case.label,
        };
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
        Ok(())
    };
    for case in recorded::cases()? {
        add(case, "recorded", "recorded")?;
    }
    for split in [Split::Known, Split::HeldOut] {
        let name = format!("{split:?}");
        for case in sources.positive_cases(split, rounds, &mut rng) {
            add(case?, "generated", &name)?;
        }
        for case in sources.negative_cases(split, rounds * 500, &mut rng) {
            add(case?, "generated", &name)?;
        }
    }
    Ok(())
}

fn row<'a>(group: &'a Group, request: &'a Request, label: &'a Label) -> Row<'a> {
    Row {
        folder: group.folder.name(),
        kind: &group.name,
        language: &group.language,
        method: &request.method,
        host: &request.host,
        target: &request.target,
        headers: &request.headers,
        body: encode::base64(&request.body),
        label,
    }
}

fn print(name: &str, folder: Folder, measure: &Measure) {
    if folder != Folder::Health {
        println!(
            "{name}: {} events, {} false alarms of high ({:.0} in 100,000), {} milder ones",
            measure.negatives(),
            measure.alarms_high,
            measure.alarms_per_100k(),
            measure.alarms_mild
        );
        return;
    }
    let pairs = &measure.pairs_at_high;
    println!(
        "{name}: {} events that must be high, recall {:.3}; macro recall of classes {:.3}; precision of classes at high {:.3}",
        measure.high.expected,
        measure.high.recall(),
        measure.macro_recall(),
        share(pairs.found, pairs.expected),
    );
    let wrong: u64 = measure.classes.values().map(|score| score.wrong).sum();
    let classes: BTreeSet<&String> = measure.classes.keys().collect();
    for class in classes {
        let score = &measure.classes[class];
        println!(
            "    {class:16} {:5} expected, recall {:.3}, {:4} wrong",
            score.expected,
            score.recall(),
            score.wrong
        );
    }
    println!("    {wrong} wrong in all");
}

fn list(name: &str, measure: &Measure) -> String {
    let faults = measure.faults.iter();
    let lines: Vec<String> = faults
        .map(|(fault, tally)| {
            let (kind, what, count) = (fault.kind, &fault.what, tally.count);
            let sources: Vec<&String> = tally.carriers.keys().take(12).collect();
            format!("{name}\t{kind}\t{what}\t{count}\t{sources:?}\n")
        })
        .collect();
    lines.concat()
}
