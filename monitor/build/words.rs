//! Compiles the word lists of `data/phi/` into one index, and the rules that are made of
//! lists into Rust.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use anyhow::{Context as _, Result, bail, ensure};
use toml::{Table, Value};

use crate::tables::{hash, spread};

/// Every list: its words in their order, and the number that the program knows it by.
#[derive(Default)]
struct Lists {
    words: Vec<Vec<String>>,
    /// By module and name.
    named: BTreeMap<(String, String), usize>,
    /// Those that rules of the data name, so that Rust need not.
    in_rules: BTreeSet<(String, String)>,
}

/// Compiles everything into `out`.
pub(crate) fn compile(out: &Path) -> Result<()> {
    let mut lists = Lists::default();
    let mut files: Vec<_> = fs::read_dir("data/phi/words")
        .context("list the words")?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    for file in files {
        let name = file.display().to_string();
        let module = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .with_context(|| format!("{name}: its name"))?;
        for (list, words) in read(&file)? {
            let words = strings(&words).with_context(|| format!("{name}: {list}"))?;
            lists
                .name(module, &list, words)
                .with_context(|| format!("{name}: {list}"))?;
        }
    }
    let senses = senses(&mut lists).context("data/phi/senses.toml")?;
    fs::write(out.join("senses.rs"), senses)?;
    let compound = compound(&mut lists).context("data/phi/compound.toml")?;
    fs::write(out.join("compound.rs"), compound)?;
    lists.write(out)
}

fn read(file: &Path) -> Result<Table> {
    let name = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("read {name}"))?;
    text.parse().with_context(|| format!("read {name}"))
}

fn strings(value: &Value) -> Result<Vec<String>> {
    let array = value.as_array().context("no list")?;
    array
        .iter()
        .map(|word| Ok(word.as_str().context("no word")?.to_owned()))
        .collect()
}

impl Lists {
    /// The number of a list of `words`.
    fn add(&mut self, words: Vec<String>) -> Result<usize> {
        let mut seen = BTreeSet::new();
        for word in &words {
            ensure!(*word == word.trim(), "`{word}` has white space around it");
            ensure!(seen.insert(word), "`{word}` is there twice");
        }
        if let Some(known) = self.words.iter().position(|list| *list == words) {
            return Ok(known);
        }
        self.words.push(words);
        Ok(self.words.len() - 1)
    }

    fn name(&mut self, module: &str, name: &str, words: Vec<String>) -> Result<()> {
        ensure!(!words.is_empty(), "an empty list");
        let number = self.add(words)?;
        self.named
            .insert((module.to_owned(), name.to_owned()), number);
        Ok(())
    }

    /// The number of the list that `value` holds, or that it names as `module::list`.
    fn of(&mut self, value: Option<&Value>) -> Result<usize> {
        match value {
            None => self.add(Vec::new()),
            Some(Value::String(name)) => {
                let (module, list) = name.split_once("::").context("no name of a list")?;
                let key = (module.to_owned(), list.to_owned());
                let number = self.named.get(&key).copied();
                self.in_rules.insert(key);
                number.with_context(|| format!("no list `{name}`"))
            }
            Some(value) => self.add(strings(value)?),
        }
    }

    fn write(&self, out: &Path) -> Result<()> {
        let mut modules: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        for (key, number) in &self.named {
            if self.in_rules.contains(key) {
                continue;
            }
            let (module, name) = key;
            modules.entry(module).or_default().push((name, *number));
        }
        let mut code = String::new();
        for (module, lists) in modules {
            writeln!(code, "pub(in crate::phi) mod {module} {{")?;
            writeln!(code, "    use super::WordSet;")?;
            for (name, number) in lists {
                let name = name.to_uppercase();
                writeln!(
                    code,
                    "    pub(in crate::phi) const {name}: WordSet = WordSet({number});"
                )?;
            }
            writeln!(code, "}}")?;
        }
        writeln!(code, "static LISTS: [&[&str]; {}] = [", self.words.len())?;
        for words in &self.words {
            writeln!(code, "    &{words:?},")?;
        }
        writeln!(code, "];")?;
        fs::write(out.join("sets.rs"), code)?;
        let mut index: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
        for (number, words) in self.words.iter().enumerate() {
            for word in words {
                index.entry(word).or_default().push(u16::try_from(number)?);
            }
        }
        let mut entries: Vec<u8> = Vec::new();
        let mut rows: BTreeMap<u64, [u8; 4]> = BTreeMap::new();
        for (word, numbers) in &index {
            let offset = u32::try_from(entries.len())?.to_le_bytes();
            let known = rows.insert(hash(word), offset);
            ensure!(known.is_none(), "two words with one hash: {word}");
            entries.push(u8::try_from(numbers.len())?);
            entries.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        }
        fs::write(out.join("sets.slots"), spread(rows.into_iter()))?;
        fs::write(out.join("sets.entries"), entries)?;
        Ok(())
    }
}

/// The variant of a Rust enum that `name` means.
fn variant(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_uppercase() + rest
        })
        .collect()
}

fn rows<'a>(table: &'a Table, key: &str) -> Result<Vec<&'a Table>> {
    let array = table.get(key).and_then(Value::as_array);
    let array = array.with_context(|| format!("no [[{key}]]"))?;
    array
        .iter()
        .map(|row| row.as_table().with_context(|| format!("no table in {key}")))
        .collect()
}

fn only(row: &Table, known: &[&str]) -> Result<()> {
    for key in row.keys() {
        ensure!(known.contains(&key.as_str()), "unknown key `{key}`");
    }
    Ok(())
}

/// One table of `Sense` for each kind of phrases.
fn senses(lists: &mut Lists) -> Result<String> {
    let all = read(Path::new("data/phi/senses.toml"))?;
    let mut code = String::new();
    for key in all.keys() {
        writeln!(
            code,
            "pub(in crate::phi) static {}: &[Sense] = &[",
            key.to_uppercase()
        )?;
        for row in rows(&all, key)? {
            only(row, &["phrases", "words", "trades"])?;
            let phrases = lists.of(row.get("phrases"))?;
            let words = lists.of(row.get("words"))?;
            let mut trades = String::new();
            if let Some(all) = row.get("trades") {
                for trade in strings(all)? {
                    write!(trades, "Trade::{}, ", variant(&trade))?;
                }
            }
            writeln!(
                code,
                "    Sense {{ phrases: WordSet({phrases}), words: WordSet({words}), \
                 trades: Trades::of(&[{trades}]) }},"
            )?;
        }
        writeln!(code, "];")?;
    }
    Ok(code)
}

/// The rules of words that say something together, and the words that begin one.
fn compound(lists: &mut Lists) -> Result<String> {
    let all = read(Path::new("data/phi/compound.toml"))?;
    only(&all, &["key", "text"])?;
    let mut code = String::new();
    let kinds = [
        ("key", "KeyRule", ["subjects", "attributes", "unless"]),
        ("text", "TextRule", ["nouns", "beside", "unless"]),
    ];
    for (key, rule, parts) in kinds {
        let mut first: BTreeSet<String> = BTreeSet::new();
        writeln!(code, "static {}_RULES: &[{rule}] = &[", key.to_uppercase())?;
        for row in rows(&all, key)? {
            only(row, &[&parts[..], &["class", "value", "goods"]].concat())?;
            let text = |key: &str| row.get(key).and_then(Value::as_str);
            let class = variant(text("class").context("no class")?);
            write!(code, "    {rule} {{ health: Health::{class}, ")?;
            for part in parts {
                let list = lists.of(row.get(part))?;
                if part == parts[0] {
                    ensure!(!lists.words[list].is_empty(), "a rule without {part}");
                    first.extend(lists.words[list].iter().cloned());
                }
                write!(code, "{part}: WordSet({list}), ")?;
            }
            if key == "key" {
                let value = variant(text("value").context("no value")?);
                writeln!(code, "value: Expect::{value} }},")?;
            } else {
                let goods = match row.get("goods") {
                    None => false,
                    Some(Value::Boolean(goods)) => *goods,
                    Some(_) => bail!("goods is true or false"),
                };
                writeln!(code, "goods: {goods} }},")?;
            }
        }
        writeln!(code, "];")?;
        lists.name(
            "compound",
            &format!("{key}_firsts"),
            first.into_iter().collect(),
        )?;
    }
    Ok(code)
}
