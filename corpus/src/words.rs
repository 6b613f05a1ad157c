//! The vocabulary of the corpus, from the tables in `words/`.

use anyhow::{Context as _, Result, bail};

use crate::rng::Rng;

/// Which split of a table: rules may be tuned on some and not on others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Seen while rules are written.
    Known,
    /// Held out.
    HeldOut,
    /// Of other industries, written without looking at the rules or the other
    /// two splits.
    Unseen,
}

impl Split {
    /// Both.
    pub const ALL: [Self; 3] = [Self::Known, Self::HeldOut, Self::Unseen];

    const fn mark(self) -> &'static str {
        match self {
            Self::Known => "A",
            Self::HeldOut => "B",
            Self::Unseen => "C",
        }
    }
}

/// Where in an event a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vehicle {
    /// Name of the event.
    Event,
    /// Path of the page.
    Path,
    /// Title of the page.
    Title,
    /// What was searched for.
    Search,
    /// Name of a product or content.
    Item,
    /// Category of it.
    Category,
    /// A free property.
    Prop,
    /// A message that someone wrote.
    Note,
}

impl Vehicle {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "event" => Self::Event,
            "path" => Self::Path,
            "title" => Self::Title,
            "search" => Self::Search,
            "item" => Self::Item,
            "category" => Self::Category,
            "prop" => Self::Prop,
            "note" => Self::Note,
            _ => return None,
        })
    }
}

/// One line of a table.
#[derive(Debug)]
pub struct Line {
    split: String,
    /// The class, or the business.
    pub class: String,
    /// Classes of which any is as right.
    pub or: Vec<String>,
    /// Classes that may be reported as well.
    pub also: Vec<String>,
    /// Where it stands.
    pub vehicle: Vehicle,
    /// Keys, of a property.
    keys: Vec<String>,
    values: Vec<String>,
    /// What a report calls it.
    pub template: String,
}

/// All tables.
pub struct Words {
    health: Vec<Line>,
    innocent: Vec<Line>,
    fill: Vec<(String, String, Vec<String>)>,
    /// Of the unseen split: the first key of an attribute, and its spellings.
    keys: Vec<(String, Vec<String>)>,
}

impl Words {
    /// Reads the tables.
    pub fn load() -> Result<Self> {
        let mut health = lines(include_str!("../words/health.tsv"))?;
        health.extend(lines(include_str!("../words/unseen/health.tsv"))?);
        let mut innocent = lines(include_str!("../words/innocent.tsv"))?;
        innocent.extend(lines(include_str!("../words/unseen/innocent.tsv"))?);
        Ok(Self {
            health,
            innocent,
            fill: rows(include_str!("../words/fill.tsv"))
                .chain(rows(include_str!("../words/unseen/fill.tsv")))
                .map(|row| match row.as_slice() {
                    [split, name, values] => Ok((
                        (*split).to_owned(),
                        (*name).to_owned(),
                        alternatives(values),
                    )),
                    _ => bail!("fill.tsv: {row:?}"),
                })
                .collect::<Result<_>>()?,
            keys: rows(include_str!("../words/unseen/keys.tsv"))
                .map(|row| match row.as_slice() {
                    [first, spellings] => Ok(((*first).to_owned(), alternatives(spellings))),
                    _ => bail!("keys.tsv: {row:?}"),
                })
                .collect::<Result<_>>()?,
        })
    }

    /// How senders of one split spell the key of an attribute, if not as in
    /// `attribute.rs`. `first` is its first key there.
    pub fn spellings(&self, first: &str, split: Split) -> Option<&[String]> {
        let (_, spellings) = self.keys.iter().find(|(of, _)| of == first)?;
        (split == Split::Unseen).then_some(spellings.as_slice())
    }

    /// The health lines of one split.
    pub fn health(&self, split: Split) -> Vec<&Line> {
        self.health
            .iter()
            .filter(|line| line.split == split.mark())
            .collect()
    }

    /// The innocent lines of one split.
    pub fn innocent(&self, split: Split) -> Vec<&Line> {
        self.innocent
            .iter()
            .filter(|line| line.split == split.mark())
            .collect()
    }

    /// Key (empty but for properties) and value of `line`, with names filled in.
    pub fn say(&self, line: &Line, split: Split, rng: &mut Rng) -> (String, String) {
        let key = if line.keys.is_empty() {
            String::new()
        } else {
            rng.pick(&line.keys)
        };
        let value = rng.pick(&line.values);
        (key, self.fill(&value, split, rng))
    }

    fn fill(&self, text: &str, split: Split, rng: &mut Rng) -> String {
        let mut out = String::new();
        for (position, part) in text.split('%').enumerate() {
            if position % 2 == 0 {
                out.push_str(part);
            } else if let Some(value) = self.made(part, split, rng) {
                out.push_str(&value);
            } else {
                // A per cent sign of the text itself.
                out.push('%');
                out.push_str(part);
            }
        }
        out
    }

    fn made(&self, name: &str, split: Split, rng: &mut Rng) -> Option<String> {
        let (name, style) = name
            .split_once('_')
            .filter(|(_, style)| matches!(*style, "slug" | "snake"))
            .unwrap_or((name, ""));
        let value = self.table(name, split, rng).or_else(|| noise(name, rng))?;
        let folded = |mark| {
            let lower = value.to_lowercase().replace('\'', "");
            lower.replace(|c: char| !c.is_ascii_alphanumeric(), mark)
        };
        Some(match style {
            "slug" => folded("-"),
            "snake" => folded("_"),
            _ => value,
        })
    }

    fn table(&self, name: &str, split: Split, rng: &mut Rng) -> Option<String> {
        let (_, _, values) = self
            .fill
            .iter()
            .find(|(of, own, _)| own == name && (of == "*" || of == split.mark()))?;
        Some(rng.pick(values))
    }
}

fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t').collect())
}

fn alternatives(values: &str) -> Vec<String> {
    values.split('|').map(str::to_owned).collect()
}

fn lines(table: &str) -> Result<Vec<Line>> {
    rows(table)
        .map(|row| {
            let [split, class, vehicle, text] = row.as_slice() else {
                bail!("not four columns: {row:?}");
            };
            let mut classes = class.split('+').map(str::to_owned);
            let first = classes.next().unwrap_or_default();
            let mut same = first.split('/').map(str::to_owned);
            let vehicle = Vehicle::from_name(vehicle).with_context(|| format!("{row:?}"))?;
            let (keys, values) = if vehicle == Vehicle::Prop {
                let (keys, values) = text.split_once('=').with_context(|| format!("{row:?}"))?;
                (alternatives(keys), alternatives(values))
            } else {
                (vec![], vec![(*text).to_owned()])
            };
            Ok(Line {
                split: (*split).to_owned(),
                class: same.next().unwrap_or_default(),
                or: same.collect(),
                also: classes.collect(),
                vehicle,
                keys,
                values,
                template: format!("{class} {vehicle:?}: {text}"),
            })
        })
        .collect()
}

const NOUNS: &[&str] = &[
    "lamp", "chair", "jacket", "kettle", "bicycle", "tent", "guitar", "notebook", "mug", "carpet",
    "router", "speaker", "camera", "puzzle", "planter", "backpack", "sandal", "keyboard", "drill",
    "curtain", "pillow", "scarf", "skillet", "ladder", "printer", "blender", "sofa", "canvas",
    "harbor", "falcon", "summit", "orchid", "ember", "atlas", "willow", "comet", "lantern",
];
const ADJECTIVES: &[&str] = &[
    "Red",
    "Compact",
    "Wireless",
    "Vintage",
    "Organic",
    "Foldable",
    "Deluxe",
    "Matte",
    "Nordic",
    "Heavy Duty",
    "Kids",
    "Ultra Light",
    "Handmade",
    "Smart",
    "Recycled",
    "Stainless",
];
const TIERS: &[&str] = &[
    "free",
    "starter",
    "pro",
    "business",
    "enterprise",
    "gold",
    "premium",
];
const ODD_SKUS: &[&str] = &[
    "A320", "H264", "B12", "F150", "C130", "E164", "G5", "J1772", "M4", "P256", "S23", "Z390",
];
const SURNAMES: &[&str] = &[
    "Alvarez",
    "Chen",
    "Rosenthal",
    "Mbeki",
    "Larsen",
    "Kapoor",
    "Whitfield",
];

/// A made-up value without meaning; `None` for an unknown name.
pub fn noise(name: &str, rng: &mut Rng) -> Option<String> {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars
            .next()
            .map(|first| first.to_uppercase().chain(chars).collect::<String>())
    };
    let epoch = || 1_795_000_000_u64;
    Some(match name {
        "noun" => rng.pick(NOUNS).to_owned(),
        "Noun" => capital(rng.pick(NOUNS))?,
        "Adj" => rng.pick(ADJECTIVES).to_owned(),
        "slug" => format!("{}-{}", rng.pick(NOUNS), rng.pick(NOUNS)),
        "tier" => rng.pick(TIERS).to_owned(),
        "lastname" => rng.pick(SURNAMES).to_owned(),
        "sku" => match rng.range(0, 3) {
            0 => rng.pick(ODD_SKUS).to_owned(),
            1 => rng.text(b"ABCDEFGHJKLMNPQRSTUVWXYZ", 2) + &rng.digits(5),
            2 => format!("{}-{}", rng.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", 3), rng.digits(4)),
            _ => rng.digits(8),
        },
        "semver" => format!("{}.{}.{}", rng.range(0, 20), rng.range(0, 30), rng.range(0, 99)),
        "price" => format!("{}.{:02}", rng.range(1, 400), rng.range(0, 99)),
        "uuid" => rng.uuid(),
        "token" => rng.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 32),
        "token8" => rng.text(b"abcdefghijklmnopqrstuvwxyz0123456789", 8),
        "epoch" => (epoch() - rng.range(0, 40_000_000)).to_string(),
        "epoch_ms" => format!("{}{:03}", epoch() - rng.range(0, 40_000_000), rng.range(0, 999)),
        "epoch_us" => format!("{}{:06}", epoch() - rng.range(0, 40_000_000), rng.range(0, 999_999)),
        "iso" => format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            rng.range(1, 11), rng.range(1, 28), rng.range(0, 23), rng.range(0, 59),
            rng.range(0, 59), rng.range(0, 999)
        ),
        "stamp" => format!(
            "2026-{:02}-{:02} {:02}:{:02}:{:02}+00:00",
            rng.range(1, 11), rng.range(1, 28), rng.range(0, 23), rng.range(0, 59), rng.range(0, 59)
        ),
        "date" => format!("2026-{:02}-{:02}", rng.range(1, 12), rng.range(1, 28)),
        "score27" => rng.range(5, 27).to_string(),
        "score21" => rng.range(5, 21).to_string(),
        "score6" => rng.range(3, 6).to_string(),
        "ua" => "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36".to_owned(),
        _ => {
            let (kind, length) = name.split_at(name.find(|c: char| c.is_ascii_digit())?);
            let length = length.parse().ok()?;
            match kind {
                "n" => rng.digits(length),
                "hex" => rng.hex(length),
                _ => return None,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_split_says_everything_everywhere() {
        let words = Words::load().unwrap();
        for split in Split::ALL {
            for class in [
                "condition",
                "medication",
                "lab",
                "insurance",
                "substance_use",
            ] {
                let lines = words.health(split);
                assert!(
                    lines.iter().any(|line| line.class == class),
                    "{split:?} {class}"
                );
            }
            let lines = words.innocent(split);
            assert!(lines.iter().any(|line| line.class == "blog"), "{split:?}");
        }
        let mut trades: Vec<&str> = words
            .innocent(Split::Unseen)
            .iter()
            .map(|line| line.class.as_str())
            .collect();
        trades.sort_unstable();
        trades.dedup();
        assert!(trades.len() >= 15, "{trades:?}");
    }

    #[test]
    fn every_mark_of_a_table_is_filled() {
        let words = Words::load().unwrap();
        let mut rng = Rng::new(4);
        for split in Split::ALL {
            for line in words.health(split).iter().chain(&words.innocent(split)) {
                for _ in 0..20 {
                    let (key, value) = words.say(line, split, &mut rng);
                    let text = format!("{key}={value}");
                    let marks = text.split('%').skip(1);
                    let open = marks.filter(|after| after.starts_with(|c: char| c.is_alphabetic()));
                    assert_eq!(open.count(), 0, "{}: {text}", line.template);
                }
            }
        }
    }
}
