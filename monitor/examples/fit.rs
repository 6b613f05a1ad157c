//! Fits the weights of the score to labelled requests.
//!
//! `cargo xtask fit` runs it: it reads requests with their labels, one JSON object a
//! line, as the package `corpus` writes them, prints what grouped cross-validation says,
//! and writes `data/phi/weights.tsv`. The same input gives the same file.
//!
//! Logistic regression with an elastic net, one for whether an event tells of someone's
//! health and one for each class, by coordinate descent. In the cross-validation whole
//! services and whole trades are left out, since what is in both parts measures nothing.
#![expect(
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::let_underscore_must_use,
    reason = "a command for a person at a terminal, with small counts; text takes all"
)]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    thread,
};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Parser;
use phiwatch::{
    event::{StreamId, Timestamp},
    field::{self, FieldLimits},
    http::{Completeness, Protocol, Request},
    loss::Losses,
    phi::{CLASSES, Detector, Health, label_columns, share_of_a_fact},
    secret::Secret,
};
use serde::Deserialize;

/// Parts of the cross-validation.
const FOLDS: usize = 6;
/// Passes over all facts.
const PASSES: usize = 40;
/// Weights are written in steps of this part of one.
const SCALE: f64 = 256.0;

/// Fits the weights of the score.
#[derive(Parser)]
struct Arguments {
    /// Requests with labels
    requests: Vec<PathBuf>,
    /// Where the weights are written
    #[arg(long)]
    out: Option<PathBuf>,
    /// How strongly weights are drawn to zero, by their sum
    #[arg(long, default_value_t = 0.05)]
    l1: f64,
    /// The same, by the sum of their squares
    #[arg(long, default_value_t = 0.5)]
    l2: f64,
    /// False alarms that the cross-validation may have, in 100,000 ordinary events
    #[arg(long, default_value_t = 200.0)]
    alarms: f64,
    /// The same, in 100 events of trades near medicine, and of those who sell to clinics
    #[arg(long, default_value_t = 5.0)]
    near: f64,
    /// Of 100 events that must be high and that rules found, how many may be judged away
    #[arg(long, default_value_t = 0.5)]
    lost: f64,
    /// List the events that are judged worst
    #[arg(long)]
    worst: Option<usize>,
    /// Skip the cross-validation
    #[arg(long)]
    quick: bool,
}

#[derive(Deserialize)]
struct Row {
    folder: String,
    kind: String,
    language: String,
    method: String,
    host: String,
    target: String,
    body: String,
    label: Label,
}

#[derive(Deserialize)]
struct Label {
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    notes: Vec<Note>,
    #[serde(default)]
    said: Vec<String>,
}

#[derive(Deserialize)]
struct Note {
    class: String,
    #[serde(default)]
    or: Vec<String>,
    #[serde(default)]
    also: Vec<String>,
    level: String,
    health: bool,
}

/// The fact that rules found something of health.
const FOUND: &str = "o:health";
/// The fact that every event has.
const ALWAYS: &str = "_:";
/// What an event in which rules found something has besides.
const KEPT: &str = "_:found";
/// How much of a fact's weight is fitted, beside what its counts alone say.
const EVEN: f64 = 0.3;

/// One event to learn from.
struct Example {
    folder: String,
    language: String,
    group: String,
    source: String,
    facts: Vec<u32>,
    /// How much one fact counts: less, the more there are.
    share: f64,
    /// Of each output: yes, no, or not known.
    truth: [Option<bool>; CLASSES.len() + 1],
    must_be_high: bool,
}

impl Example {
    fn sum(&self, weights: &[f64], always: usize) -> f64 {
        let facts = self.facts.iter().map(|fact| *fact as usize);
        let others = facts.filter(|fact| *fact != always);
        let sum: f64 = others.map(|fact| weights[fact]).sum();
        sum * self.share + weights.get(always).copied().unwrap_or_default()
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let (mut examples, names) = read(&arguments.requests)?;
    let names = reduce(&mut examples, names);
    println!("{} events, {} facts", examples.len(), names.len());
    let folds = folds(&examples);
    let penalty = (arguments.l1, arguments.l2);
    let mut thresholds = [0.0; CLASSES.len() + 1];
    let mut bonus = 0.0;
    if !arguments.quick {
        let scores = cross_validate(&examples, &names, &folds, penalty);
        thresholds = report(&examples, &scores, &arguments);
        let found = names.iter().position(|name| name == FOUND);
        bonus = found.map_or(0.0, |found| {
            keep(
                &examples,
                &scores,
                found as u32,
                thresholds[0],
                arguments.lost,
            )
        });
    }
    if let Some(path) = &arguments.out {
        let all: Vec<usize> = (0..examples.len()).collect();
        let outputs = fit_all(&examples, &all, &names, penalty);
        write(path, &names, &outputs, &thresholds, bonus)?;
    }
    Ok(())
}

fn read(paths: &[PathBuf]) -> Result<(Vec<Example>, Vec<String>)> {
    let mut ids: HashMap<String, u32> = HashMap::new();
    let mut names = Vec::new();
    let mut examples = Vec::new();
    let mut detector = Detector::default();
    for path in paths {
        let file = fs::File::open(path).with_context(|| format!("open {}", path.display()))?;
        for line in BufReader::new(file).lines() {
            let row: Row = serde_json::from_str(&line?)
                .with_context(|| format!("a line of {}", path.display()))?;
            let mut facts = BTreeSet::new();
            for fact in facts_of(&row, &mut detector)? {
                let next = names.len() as u32;
                let id = *ids.entry(fact.clone()).or_insert_with(|| {
                    names.push(fact);
                    next
                });
                facts.insert(id);
            }
            let facts: Vec<u32> = facts.into_iter().collect();
            let share = f64::from(share_of_a_fact(facts.len() - 1)) / SCALE;
            examples.push(example(&row, facts, share));
        }
    }
    Ok((examples, names))
}

fn facts_of(row: &Row, detector: &mut Detector) -> Result<Vec<String>> {
    let mut body = STANDARD.decode(&row.body).context("a body")?;
    if body.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&body[..]), &mut plain)?;
        body = plain;
    }
    let request = Request {
        stream: StreamId {
            owner: 0,
            handle: 0,
            born: 0,
        },
        ordinal: 0,
        time: Timestamp::default(),
        end: Timestamp::default(),
        place: None,
        protocol: Protocol::Http1,
        method: row.method.clone(),
        target: Secret::new(row.target.clone().into_bytes().into()),
        host: Some(row.host.clone()),
        headers: vec![],
        body: Secret::new(body.into()),
        body_wire_length: 0,
        wire_length: 0,
        status: None,
        completeness: Completeness::Complete,
    };
    let mut fields = field::read(&request, &FieldLimits::default(), &mut Losses::default());
    label_columns(&mut fields);
    let mut facts = Vec::new();
    detector.facts(&fields, &mut |_, fact| {
        let mut text = format!("{}:{}", char::from(fact.kind as u8), fact.first);
        if !fact.second.is_empty() {
            text.push('=');
            text.push_str(fact.second);
        }
        if !text.contains(['\t', '\n', '\r']) {
            facts.push(text);
        }
    });
    Ok(facts)
}

fn example(row: &Row, facts: Vec<u32>, share: f64) -> Example {
    let notes = || row.label.events.iter().flat_map(|event| &event.notes);
    let is_health = notes().any(|note| note.health);
    let mut truth = [None; CLASSES.len() + 1];
    truth[0] = Some(is_health);
    for (at, class) in CLASSES.map(Health::as_str).into_iter().enumerate() {
        let is = notes().any(|note| note.health && note.class == class);
        let may = notes().any(|note| {
            let mut others = note.or.iter().chain(&note.also);
            others.any(|own| own == class)
        });
        truth[at + 1] = match (is, may) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        };
    }
    let level = |health: bool, level: &str| {
        notes().any(|note| note.health == health && note.class != "name" && note.level == level)
    };
    let is_direct = level(false, "Direct") || level(false, "Hashed");
    let is_known = level(false, "Pseudonym");
    let source = row
        .label
        .events
        .first()
        .and_then(|event| event.said.first());
    Example {
        folder: row.folder.clone(),
        language: row.language.clone(),
        // What several files have of one kind of service is left out together.
        group: format!(
            "{}.{}",
            row.kind.split('-').next().unwrap_or_default(),
            row.language
        ),
        source: source.cloned().unwrap_or_default(),
        facts,
        share,
        truth,
        must_be_high: is_health && (is_direct || (is_known && level(true, "Explicit"))),
    }
}

/// Keeps facts that more than one written event has.
fn reduce(examples: &mut [Example], names: Vec<String>) -> Vec<String> {
    let mut first: Vec<Option<&str>> = vec![None; names.len()];
    let mut is_kept = vec![false; names.len()];
    for example in &*examples {
        for fact in &example.facts {
            let at = *fact as usize;
            match first[at] {
                None => first[at] = Some(&example.source),
                Some(other) if other != example.source => is_kept[at] = true,
                Some(_) => {}
            }
        }
    }
    let mut kept = Vec::new();
    let mut places = vec![None; names.len()];
    for (at, name) in names.into_iter().enumerate() {
        if is_kept[at] {
            places[at] = Some(kept.len() as u32);
            kept.push(name);
        }
    }
    for example in examples {
        example.facts = example
            .facts
            .iter()
            .filter_map(|fact| places[*fact as usize])
            .collect();
    }
    kept
}

/// The part of every example: those of a group are in one.
fn folds(examples: &[Example]) -> Vec<usize> {
    let groups: BTreeSet<&str> = examples.iter().map(|own| own.group.as_str()).collect();
    let mut sorted: Vec<(u64, &str)> = groups
        .into_iter()
        .map(|group| {
            let mut hash = 0xcbf2_9ce4_8422_2325_u64;
            for byte in group.bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            (hash >> 7, group)
        })
        .collect();
    sorted.sort_unstable();
    let places: HashMap<&str, usize> = sorted
        .iter()
        .enumerate()
        .map(|(at, (_, group))| (*group, at % FOLDS))
        .collect();
    examples
        .iter()
        .map(|own| places[own.group.as_str()])
        .collect()
}

/// Of every example, the outputs that those who never saw its group give.
fn cross_validate(
    examples: &[Example],
    names: &[String],
    folds: &[usize],
    penalty: (f64, f64),
) -> Vec<[f64; CLASSES.len() + 1]> {
    let mut scores = vec![[0.0; CLASSES.len() + 1]; examples.len()];
    let always = always(names);
    for fold in 0..FOLDS {
        let train: Vec<usize> = (0..examples.len())
            .filter(|at| folds[*at] != fold)
            .collect();
        let outputs = fit_all(examples, &train, names, penalty);
        for (at, example) in examples.iter().enumerate() {
            if folds[at] == fold {
                for (output, weights) in outputs.iter().enumerate() {
                    scores[at][output] = example.sum(weights, always);
                }
            }
        }
    }
    scores
}

/// The weights of every output.
fn fit_all(
    examples: &[Example],
    train: &[usize],
    names: &[String],
    penalty: (f64, f64),
) -> Vec<Vec<f64>> {
    let outputs: Vec<usize> = (0..=CLASSES.len()).collect();
    let mut all = vec![Vec::new(); outputs.len()];
    thread::scope(|scope| {
        let halves = outputs.chunks(outputs.len().div_ceil(2));
        let running: Vec<_> = halves
            .map(|half| {
                scope.spawn(move || {
                    half.iter()
                        .map(|output| (*output, fit(examples, train, names, *output, penalty)))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        for half in running {
            for (output, weights) in half.join().unwrap_or_default() {
                all[output] = weights;
            }
        }
    });
    all
}

/// Coordinate descent with Newton steps.
///
/// A fact's values are scaled by what its counts alone say (the logarithm of how much more
/// often it is in events that tell than in others, as naive Bayes has it), so that rare
/// facts that speak clearly are drawn to zero less than common ones that say little.
fn fit(
    examples: &[Example],
    train: &[usize],
    names: &[String],
    output: usize,
    (l1, l2): (f64, f64),
) -> Vec<f64> {
    let always = always(names);
    let known: Vec<(&Example, f64)> = train
        .iter()
        .filter_map(|at| {
            let truth = examples[*at].truth[output]?;
            Some((&examples[*at], if truth { 1.0 } else { 0.0 }))
        })
        .collect();
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); names.len()];
    for (row, (example, _)) in known.iter().enumerate() {
        for fact in &example.facts {
            rows[*fact as usize].push(row as u32);
        }
    }
    let scales = scales(&rows, &known, always);
    let mut weights = vec![0.0_f64; names.len()];
    let mut margins = vec![0.0_f64; known.len()];
    let mut odds = vec![0.5_f64; known.len()];
    for pass in 0..PASSES {
        let mut largest = 0.0_f64;
        for (fact, rows) in rows.iter().enumerate() {
            // What stayed at zero is looked at again now and then.
            if rows.is_empty() || (weights[fact] == 0.0 && pass > 3 && pass % 5 != 0) {
                continue;
            }
            let value = |row: u32| {
                let share = if fact == always {
                    1.0
                } else {
                    known[row as usize].0.share
                };
                share * scales[fact]
            };
            let (mut slope, mut curve) = (0.0, 1e-6);
            for row in rows {
                let (odds, value) = (odds[*row as usize], value(*row));
                slope += (odds - known[*row as usize].1) * value;
                curve += odds * (1.0 - odds) * value * value;
            }
            let own = weights[fact];
            slope += l2 * own;
            curve += l2;
            // The step that minimizes the quadratic with the absolute value.
            let target = own - slope / curve;
            let limit = l1 / curve;
            let next = if target > limit {
                target - limit
            } else if target < -limit {
                target + limit
            } else {
                0.0
            };
            let step = (next - own).clamp(-1.0, 1.0);
            if step == 0.0 {
                continue;
            }
            largest = largest.max(step.abs());
            weights[fact] = own + step;
            for row in rows {
                let at = *row as usize;
                margins[at] += step * value(*row);
                odds[at] = 1.0 / (1.0 + (-margins[at]).exp());
            }
        }
        if largest < 1e-3 {
            break;
        }
    }
    for (weight, scale) in weights.iter_mut().zip(scales) {
        *weight *= scale;
    }
    weights
}

/// How much each fact's counts say by themselves.
fn scales(rows: &[Vec<u32>], known: &[(&Example, f64)], always: usize) -> Vec<f64> {
    let told = |row: &&u32| known[**row as usize].1 > 0.5;
    let counts: Vec<(f64, f64)> = rows
        .iter()
        .map(|rows| {
            let yes = rows.iter().filter(told).count();
            (yes as f64 + 1.0, (rows.len() - yes) as f64 + 1.0)
        })
        .collect();
    let yes: f64 = counts.iter().map(|own| own.0).sum();
    let no: f64 = counts.iter().map(|own| own.1).sum();
    let scale = |(fact, own): (usize, &(f64, f64))| {
        if fact == always {
            1.0
        } else {
            ((own.0 / yes) / (own.1 / no)).ln().abs() + EVEN
        }
    };
    counts.iter().enumerate().map(scale).collect()
}

fn always(names: &[String]) -> usize {
    names
        .iter()
        .position(|name| name == ALWAYS)
        .unwrap_or(usize::MAX)
}

/// Prints what the cross-validation says, and chooses the thresholds.
fn report(
    examples: &[Example],
    scores: &[[f64; CLASSES.len() + 1]],
    arguments: &Arguments,
) -> [f64; CLASSES.len() + 1] {
    let mut thresholds = [0.0; CLASSES.len() + 1];
    let of = |folder: &str| -> Vec<f64> {
        let mut own: Vec<f64> = examples
            .iter()
            .zip(scores)
            .filter(|(example, _)| example.folder == folder)
            .map(|(_, score)| score[0])
            .collect();
        own.sort_by(|a, b| b.total_cmp(a));
        own
    };
    let limit = |folder: &str, share: f64| {
        let own = of(folder);
        let may = (own.len() as f64 * share).floor() as usize;
        own.get(may).copied().unwrap_or(f64::MIN)
    };
    let wanted = [
        limit("ordinary", arguments.alarms / 100_000.0),
        limit("treacherous", arguments.near / 100.0),
        limit("vendors", arguments.near / 100.0),
    ];
    println!("thresholds by ordinary, treacherous, vendors: {wanted:.2?}");
    thresholds[0] = wanted.into_iter().fold(0.0, f64::max);
    for threshold in [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, thresholds[0]] {
        let mut line = format!("at {threshold:5.2}:");
        let languages: BTreeSet<&str> = examples.iter().map(|own| own.language.as_str()).collect();
        for language in languages {
            let must = examples
                .iter()
                .zip(scores)
                .filter(|(own, _)| own.must_be_high && own.language == language);
            let all: Vec<bool> = must.map(|(_, score)| score[0] > threshold).collect();
            if !all.is_empty() {
                let found = all.iter().filter(|found| **found).count();
                let _ = write!(line, " {language} {:.3}", found as f64 / all.len() as f64);
            }
        }
        for folder in ["ordinary", "treacherous", "vendors"] {
            let own = of(folder);
            let alarms = own.iter().filter(|score| **score > threshold).count();
            let _ = write!(line, "  {folder} {alarms}/{}", own.len());
        }
        println!("{line}");
    }
    for (at, class) in CLASSES.map(Health::as_str).into_iter().enumerate() {
        let mut own: Vec<(f64, bool)> = examples
            .iter()
            .zip(scores)
            .filter(|(_, score)| score[0] > thresholds[0])
            .filter_map(|(example, score)| {
                let truth = example.truth[at + 1]?;
                Some((score[at + 1], truth))
            })
            .collect();
        own.sort_by(|a, b| b.0.total_cmp(&a.0));
        let all = own.iter().filter(|own| own.1).count();
        // The lowest threshold from which on nineteen of twenty are right.
        let (mut right, mut best) = (0, (f64::MAX, 0));
        for (count, (score, is)) in own.iter().enumerate() {
            right += usize::from(*is);
            if right as f64 >= 0.93 * (count + 1) as f64 {
                best = (*score, right);
            }
        }
        thresholds[at + 1] = best.0.min(6.0) - 1e-9;
        println!(
            "{class:14} {all:5} told of those found, {:.3} named at {:.2}",
            best.1 as f64 / all.max(1) as f64,
            best.0
        );
    }
    if let Some(count) = arguments.worst {
        let mut all: Vec<usize> = (0..examples.len()).collect();
        all.sort_by(|a, b| scores[*a][0].total_cmp(&scores[*b][0]));
        let missed = all.iter().filter(|at| examples[**at].must_be_high);
        for at in missed.take(count) {
            println!("missed {:6.2} {}", scores[*at][0], examples[*at].source);
        }
        let alarms = all
            .iter()
            .rev()
            .filter(|at| examples[**at].truth[0] == Some(false));
        for at in alarms.take(count) {
            println!("alarm  {:6.2} {}", scores[*at][0], examples[*at].source);
        }
    }
    thresholds
}

/// How much less an event needs in which rules found something: so much that almost none
/// of them that must be high is judged away.
fn keep(
    examples: &[Example],
    scores: &[[f64; CLASSES.len() + 1]],
    found: u32,
    threshold: f64,
    lost: f64,
) -> f64 {
    let has = |example: &Example| example.facts.binary_search(&found).is_ok();
    let all = || examples.iter().zip(scores);
    let mut own: Vec<f64> = all()
        .filter(|(example, _)| example.must_be_high && has(example))
        .map(|(_, score)| score[0])
        .collect();
    own.sort_by(f64::total_cmp);
    let at = (own.len() as f64 * lost / 100.0) as usize;
    let lower = own.get(at).copied().unwrap_or(threshold).min(threshold);
    let passes = |example: &Example, score: &[f64; CLASSES.len() + 1]| {
        score[0] > threshold || (has(example) && score[0] > lower)
    };
    println!("rules' findings stay above {lower:.2}:");
    let mut languages: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    let mut folders: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for (example, score) in all() {
        let row = if example.must_be_high {
            languages.entry(&example.language).or_default()
        } else if example.truth[0] == Some(false) {
            folders.entry(&example.folder).or_default()
        } else {
            continue;
        };
        row.0 += 1;
        row.1 += usize::from(has(example));
        row.2 += usize::from(passes(example, score));
    }
    for (name, (all, rules, both)) in languages {
        let share = |count: usize| count as f64 / all as f64;
        println!(
            "  {name}: rules alone {:.3}, both {:.3}",
            share(rules),
            share(both)
        );
    }
    for (name, (all, rules, both)) in folders {
        println!("  {name}: rules alone {rules}, both {both} of {all}");
    }
    threshold - lower
}

fn write(
    path: &PathBuf,
    names: &[String],
    outputs: &[Vec<f64>],
    thresholds: &[f64],
    bonus: f64,
) -> Result<()> {
    let mut lines: BTreeMap<&str, String> = BTreeMap::new();
    for (fact, name) in names.iter().enumerate() {
        let mut line = String::new();
        for (output, weights) in outputs.iter().enumerate() {
            let mut weight = weights[fact];
            if name == ALWAYS {
                weight -= thresholds[output];
            }
            let steps = (weight * SCALE).round() as i64;
            if steps != 0 {
                let _ = write!(line, "\t{output}={steps}");
            }
        }
        if !line.is_empty() {
            lines.insert(name, line);
        }
    }
    lines.insert(KEPT, format!("\t0={}", (bonus * SCALE).round() as i64));
    let mut text = String::from(
        "# Made by `cargo xtask fit`: a fact, and what it adds to each sum in steps of 1/256.\n# Sums: 0 health",
    );
    for (at, class) in CLASSES.map(Health::as_str).into_iter().enumerate() {
        let _ = write!(text, ", {} {class}", at + 1);
    }
    text.push('\n');
    for (name, line) in &lines {
        let _ = writeln!(text, "{name}{line}");
    }
    println!("{} facts with weights", lines.len());
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}
