//! `corpus`: writes the corpus, replays it, prints the measure.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command for a person at a terminal"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use clap::Parser;
use corpus::{
    format::{self, Carrier, Quiet},
    generator::{Amount, Sources},
    label::Label,
    measure::Measure,
    phiwatch::Phiwatch,
    recorded, report,
    report::Bar,
    rng::Rng,
    words::{Split, Words},
};

/// Measures phiwatch's detection on a labelled corpus.
#[derive(Parser)]
struct Arguments {
    /// The phiwatch to measure
    #[arg(long)]
    phiwatch: PathBuf,
    /// Where the captures are left
    #[arg(long)]
    directory: PathBuf,
    /// Requests without health information to generate
    #[arg(long, default_value_t = 200_000)]
    negatives: u64,
    /// Rounds over all formats with health information
    #[arg(long, default_value_t = 60)]
    rounds: u64,
    /// Connections of 100 that speak HTTP/2
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=100))]
    http2: u64,
    /// The seed of the corpus
    #[arg(long, default_value_t = 20_261_124)]
    seed: u64,
    /// The measure as JSON on standard output, the tables on standard error
    #[arg(long)]
    json: bool,
    /// Write every fault, by template, to this file
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// List the faults of the unseen split too, which spoils it for whoever
    /// tunes rules
    #[arg(long)]
    spoil: bool,
}

fn main() -> ExitCode {
    match evaluate(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("corpus: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether every bar is reached.
fn evaluate(arguments: &Arguments) -> Result<bool> {
    fs::create_dir_all(&arguments.directory)
        .with_context(|| format!("create {}", arguments.directory.display()))?;
    let phiwatch = Phiwatch::new(
        arguments.phiwatch.clone(),
        arguments.directory.join("state"),
    );
    let words = Words::load()?;
    let (carriers, quiet) = format::load()?;
    let names = Names::new(&phiwatch, &carriers, &quiet)?;
    let sources = Sources {
        words: &words,
        carriers: &carriers,
        quiet: &quiet,
        http2: arguments.http2,
    };
    let mut reports = Vec::new();
    for (part, seed) in [
        ("recorded", 0),
        ("known", 1),
        ("held out", 2),
        ("unseen", 3),
    ] {
        let mut rng = Rng::new(arguments.seed.wrapping_add(seed));
        let measure = run(part, arguments, &sources, &phiwatch, &names, &mut rng)?;
        reports.push((part, measure));
    }
    let mut bars: Vec<Bar> = reports
        .iter()
        .flat_map(|(part, measure)| report::bars(part, measure, *part == "unseen"))
        .collect();
    bars.push(names.coverage());
    print(arguments, &reports, &bars, &names)?;
    Ok(bars.iter().all(|bar| bar.passed || bar.informative))
}

/// Writes, replays and compares one part.
fn run(
    part: &str,
    arguments: &Arguments,
    sources: &Sources<'_>,
    phiwatch: &Phiwatch,
    names: &Names,
    rng: &mut Rng,
) -> Result<Measure> {
    let (split, share) = match part {
        "held out" => (Split::HeldOut, 2),
        "unseen" => (Split::Unseen, 4),
        _ => (Split::Known, 2),
    };
    let mut measure = Measure::default();
    let mut add = |name: &str, labels: &[Label], path: &Path| -> Result<()> {
        let labels_file = path.with_extension("labels.jsonl");
        write_labels(&labels_file, labels)?;
        measure.add(name, labels, &phiwatch.replay(path)?, &|label| {
            names.of(label)
        });
        Ok(())
    };
    let file = |name: &str| {
        arguments
            .directory
            .join(format!("{}-{name}.pcap", part.replace(' ', "-")))
    };
    if part == "recorded" {
        let path = file("sdk");
        add(
            "recorded-sdk",
            &recorded::write(&path, arguments.http2, rng)?,
            &path,
        )?;
        let path = file("quiet");
        add(
            "recorded-quiet",
            &sources.every_quiet_call(&path, rng)?,
            &path,
        )?;
        return Ok(measure);
    }
    let path = file("positives");
    let labels = sources.positives(
        &path,
        Amount {
            split,
            count: arguments.rounds.div_ceil(share),
        },
        rng,
    )?;
    add(&format!("{part} positives"), &labels, &path)?;
    let path = file("negatives");
    let labels = sources.negatives(
        &path,
        Amount {
            split,
            count: arguments.negatives.div_ceil(share),
        },
        rng,
    )?;
    add(&format!("{part} negatives"), &labels, &path)?;
    Ok(measure)
}

fn write_labels(path: &Path, labels: &[Label]) -> Result<()> {
    use std::io::Write as _;
    let mut out = std::io::BufWriter::new(
        fs::File::create(path).with_context(|| format!("create {}", path.display()))?,
    );
    for label in labels {
        serde_json::to_writer(&mut out, label)?;
        out.write_all(b"\n")?;
    }
    out.flush().context("write the labels")
}

fn print(
    arguments: &Arguments,
    reports: &[(&str, Measure)],
    bars: &[Bar],
    names: &Names,
) -> Result<()> {
    let mut text = String::new();
    for (part, measure) in reports {
        text += &report::table(part, measure);
        if *part != "unseen" || arguments.spoil {
            text += &report::faults(part, measure, false);
        }
    }
    text += &names.unknown();
    text += &report::verdict(bars);
    if let Some(path) = &arguments.faults {
        let all: String = reports
            .iter()
            .filter(|(part, _)| *part != "unseen" || arguments.spoil)
            .map(|(part, measure)| report::faults(part, measure, true))
            .collect();
        fs::write(path, all + &names.unknown() + &report::verdict(bars))
            .with_context(|| format!("write {}", path.display()))?;
    }
    if arguments.json {
        eprint!("{text}");
        let parts: BTreeMap<&str, serde_json::Value> = reports
            .iter()
            .map(|(part, measure)| (*part, report::json(measure)))
            .collect();
        let value = serde_json::json!({
            "schema": "phiwatch.eval/1",
            "seed": arguments.seed,
            "bars": bars,
            "parts": parts,
        });
        println!("{value:#}");
    } else {
        print!("{text}");
    }
    Ok(())
}

/// The catalog's names of the corpus's platforms, and what it lacks.
struct Names {
    catalog: Vec<String>,
    /// Which platform the catalog recognizes, by template.
    resolved: BTreeMap<String, Option<String>>,
    positive: BTreeSet<String>,
    negative: BTreeSet<String>,
}

impl Names {
    fn new(phiwatch: &Phiwatch, carriers: &[Carrier], quiet: &[Quiet]) -> Result<Self> {
        let mut names = Self {
            catalog: phiwatch.catalog()?,
            resolved: BTreeMap::new(),
            positive: BTreeSet::new(),
            negative: BTreeSet::new(),
        };
        let mut rng = Rng::new(7);
        for carrier in carriers {
            let (method, host, target) = carrier.address(&mut rng)?;
            let found = phiwatch.tracker(&method, &host, &target)?;
            names.positive.extend(found.clone());
            // Each format carries a shop's events as well.
            names.negative.extend(found.clone());
            names.resolved.insert(carrier.id.clone(), found);
        }
        for call in quiet {
            let request = call.write(&mut rng)?;
            let found = phiwatch.tracker(&request.method, &request.host, &request.target)?;
            names.negative.extend(found.clone());
            names.resolved.insert(call.template(), found);
        }
        Ok(names)
    }

    fn of(&self, label: &Label) -> String {
        match self.resolved.get(&label.template) {
            Some(Some(id)) => id.clone(),
            Some(None) => format!("{} (no tracker)", label.platform),
            None => label.platform.clone(),
        }
    }

    /// Checks that every platform of the catalog has a positive and a negative.
    fn coverage(&self) -> Bar {
        let covered = self
            .catalog
            .iter()
            .filter(|id| self.positive.contains(*id) && self.negative.contains(*id))
            .count();
        Bar {
            name: "platforms of the catalog with a positive and a negative".to_owned(),
            bar: format!("= {}", self.catalog.len()),
            value: covered as f64,
            passed: covered == self.catalog.len(),
            informative: false,
        }
    }

    /// Platforms that the corpus lacks, and formats that the catalog lacks.
    fn unknown(&self) -> String {
        let lacking = |set: &BTreeSet<String>| {
            let ids: Vec<&str> = self
                .catalog
                .iter()
                .filter(|id| !set.contains(*id))
                .map(String::as_str)
                .collect();
            ids.join(" ")
        };
        let formats: Vec<&str> = self
            .resolved
            .iter()
            .filter(|(template, found)| found.is_none() && !template.starts_with("quiet"))
            .map(|(template, _)| template.as_str())
            .collect();
        format!(
            "\nplatforms without a positive: {}\nplatforms without a negative: {}\nformats whose host and path the catalog does not know: {}\n",
            lacking(&self.positive),
            lacking(&self.negative),
            formats.join(" "),
        )
    }
}
