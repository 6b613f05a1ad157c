//! Compiles `data/phi/` into tables that are searched without reading them first.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    stem::{Fnv, GOES_ON, MAX_WORDS, stem},
    words,
};

/// How many kinds of concepts the table can tell apart.
const MAX_TAGS: usize = 63;
/// Weights are stored in steps of this part of one.
const SCALE: i64 = 256;

/// Compiles everything.
pub(crate) fn compile() -> Result<()> {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=data/phi");
    let out = PathBuf::from(env::var_os("OUT_DIR").context("OUT_DIR is not set")?);
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir("data/phi/terms").context("list the terms")? {
        files.push(entry?.path());
    }
    files.sort();
    phrases(&files, &out, "terms").context("compile the terms")?;
    let keys = [PathBuf::from("data/phi/keys.tsv")];
    phrases(&keys, &out, "keys").context("compile the words of keys")?;
    words::compile(&out).context("compile the words")?;
    weights(&out).context("compile the weights")
}

/// `PHRASE \t CLASS \t CERTAINTY` lines: the tag is class and certainty.
fn phrases(files: &[PathBuf], out: &Path, into: &str) -> Result<()> {
    let mut phrases: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).with_context(|| format!("read {name}"))?;
        for (at, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let columns: Vec<&str> = line.split('\t').collect();
            let [phrase, class, certainty] = columns[..] else {
                bail!("{name}:{}: not three columns", at + 1);
            };
            let words: Vec<_> = phrase
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(|word| stem(&word.to_lowercase()).into_owned())
                .collect();
            ensure!(
                (1..=MAX_WORDS).contains(&words.len()),
                "{name}:{}: a phrase has one to {MAX_WORDS} words",
                at + 1
            );
            let tags = phrases.entry(words.join(" ")).or_default();
            tags.insert(format!("{class}.{certainty}"));
        }
    }
    let names: BTreeSet<&String> = phrases.values().flatten().collect();
    let names: Vec<&String> = names.into_iter().collect();
    ensure!(names.len() <= MAX_TAGS, "{} kinds of concepts", names.len());
    let bit = |tag: &String| names.binary_search(&tag).map_or(0, |bit| 1_u64 << bit);
    let mut table: BTreeMap<u64, u64> = BTreeMap::new();
    for (phrase, tags) in &phrases {
        let words: Vec<&str> = phrase.split(' ').collect();
        for count in 1..words.len() {
            *table.entry(hash(&words[..count].join(" "))).or_default() |= GOES_ON;
        }
        *table.entry(hash(phrase)).or_default() |= tags.iter().map(bit).sum::<u64>();
    }
    let rows = table.iter().map(|(hash, tags)| (*hash, tags.to_le_bytes()));
    fs::write(out.join(format!("{into}.bin")), spread(rows))?;
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    fs::write(out.join(format!("{into}.tags")), names.join("\n"))?;
    Ok(())
}

pub(crate) fn hash(text: &str) -> u64 {
    let mut hash = Fnv::new(0);
    hash.add(text.as_bytes());
    hash.finish()
}

/// A table with open addressing, at most half full.
pub(crate) fn spread<const N: usize>(
    rows: impl ExactSizeIterator<Item = (u64, [u8; N])>,
) -> Vec<u8> {
    let slots = (rows.len() * 2 + 1).next_power_of_two();
    let width = 8 + N;
    let mut table = vec![0_u8; slots * width];
    for (hash, value) in rows {
        let mut at = hash as usize & (slots - 1);
        while table[at * width..at * width + 8] != [0; 8] {
            at = (at + 1) & (slots - 1);
        }
        table[at * width..at * width + 8].copy_from_slice(&hash.to_le_bytes());
        table[at * width + 8..(at + 1) * width].copy_from_slice(&value);
    }
    table
}

/// `FACT \t OUTPUT=WEIGHT …` lines; outputs are listed in the first line.
fn weights(out: &Path) -> Result<()> {
    let text = fs::read_to_string("data/phi/weights.tsv").unwrap_or_default();
    let mut slots: BTreeMap<u64, [u8; 4]> = BTreeMap::new();
    let mut entries = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut columns = line.split('\t');
        let fact = columns.next().unwrap_or_default();
        let (kind, text) = fact
            .split_once(':')
            .filter(|(kind, _)| kind.len() == 1)
            .with_context(|| format!("weights.tsv:{}: no fact", at + 1))?;
        let mut hash = Fnv::new(kind.as_bytes()[0]);
        hash.add(text.as_bytes());
        let offset = u32::try_from(entries.len())?;
        let weights: Vec<&str> = columns.collect();
        entries.push(u8::try_from(weights.len())?);
        for weight in weights {
            let (output, weight) = weight
                .split_once('=')
                .with_context(|| format!("weights.tsv:{}: no weight", at + 1))?;
            let weight: i64 = weight.parse().context("a weight")?;
            ensure!(weight.abs() <= 120 * SCALE, "a weight that no sum needs");
            entries.push(output.parse()?);
            entries.extend(i16::try_from(weight)?.to_le_bytes());
        }
        let known = slots.insert(hash.finish(), offset.to_le_bytes());
        ensure!(known.is_none(), "weights.tsv:{}: a fact twice", at + 1);
    }
    fs::write(out.join("weights.slots"), spread(slots.into_iter()))?;
    fs::write(out.join("weights.entries"), entries)?;
    Ok(())
}
