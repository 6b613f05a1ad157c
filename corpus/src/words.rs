//! The vocabulary of the corpus, from the tables in `words/`.

use anyhow::{Context as _, Result, bail};

use crate::dice::Dice;

/// Which split of a table: what rules may be tuned on, or what they may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Seen while rules are written.
    Known,
    /// Held out.
    HeldOut,
    /// Of other industries, written without looking at rules or the other two.
    Unseen,
}

impl Half {
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
    half: String,
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
                    [half, name, values] => {
                        Ok(((*half).to_owned(), (*name).to_owned(), split(values)))
                    }
                    _ => bail!("fill.tsv: {row:?}"),
                })
                .collect::<Result<_>>()?,
            keys: rows(include_str!("../words/unseen/keys.tsv"))
                .map(|row| match row.as_slice() {
                    [first, spellings] => Ok(((*first).to_owned(), split(spellings))),
                    _ => bail!("keys.tsv: {row:?}"),
                })
                .collect::<Result<_>>()?,
        })
    }

    /// How senders of one split spell the key of an attribute, where not as in
    /// `attribute.rs`. `first` is its first key there.
    pub fn spellings(&self, first: &str, half: Half) -> Option<&[String]> {
        let (_, spellings) = self.keys.iter().find(|(of, _)| of == first)?;
        (half == Half::Unseen).then_some(spellings.as_slice())
    }

    /// The health lines of one half.
    pub fn health(&self, half: Half) -> Vec<&Line> {
        self.health
            .iter()
            .filter(|line| line.half == half.mark())
            .collect()
    }

    /// The innocent lines of one half.
    pub fn innocent(&self, half: Half) -> Vec<&Line> {
        self.innocent
            .iter()
            .filter(|line| line.half == half.mark())
            .collect()
    }

    /// Key (empty but for properties) and value of `line`, with names filled in.
    pub fn say(&self, line: &Line, half: Half, dice: &mut Dice) -> (String, String) {
        let key = if line.keys.is_empty() {
            String::new()
        } else {
            dice.pick(&line.keys)
        };
        let value = dice.pick(&line.values);
        (key, self.fill(&value, half, dice))
    }

    fn fill(&self, text: &str, half: Half, dice: &mut Dice) -> String {
        let mut out = String::new();
        for (position, part) in text.split('%').enumerate() {
            if position % 2 == 0 {
                out.push_str(part);
            } else if let Some(value) = self.made(part, half, dice) {
                out.push_str(&value);
            } else {
                // A per cent sign of the text itself.
                out.push('%');
                out.push_str(part);
            }
        }
        out
    }

    fn made(&self, name: &str, half: Half, dice: &mut Dice) -> Option<String> {
        let (name, style) = name
            .split_once('_')
            .filter(|(_, style)| matches!(*style, "slug" | "snake"))
            .unwrap_or((name, ""));
        let value = self.table(name, half, dice).or_else(|| noise(name, dice))?;
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

    fn table(&self, name: &str, half: Half, dice: &mut Dice) -> Option<String> {
        let (_, _, values) = self
            .fill
            .iter()
            .find(|(of, own, _)| own == name && (of == "*" || of == half.mark()))?;
        Some(dice.pick(values))
    }
}

fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t').collect())
}

fn split(values: &str) -> Vec<String> {
    values.split('|').map(str::to_owned).collect()
}

fn lines(table: &str) -> Result<Vec<Line>> {
    rows(table)
        .map(|row| {
            let [half, class, vehicle, text] = row.as_slice() else {
                bail!("not four columns: {row:?}");
            };
            let mut classes = class.split('+').map(str::to_owned);
            let first = classes.next().unwrap_or_default();
            let mut same = first.split('/').map(str::to_owned);
            let vehicle = Vehicle::from_name(vehicle).with_context(|| format!("{row:?}"))?;
            let (keys, values) = if vehicle == Vehicle::Prop {
                let (keys, values) = text.split_once('=').with_context(|| format!("{row:?}"))?;
                (split(keys), split(values))
            } else {
                (vec![], vec![(*text).to_owned()])
            };
            Ok(Line {
                half: (*half).to_owned(),
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

/// A made value that means nothing; `None` for a name that is unknown.
pub fn noise(name: &str, dice: &mut Dice) -> Option<String> {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars
            .next()
            .map(|first| first.to_uppercase().chain(chars).collect::<String>())
    };
    let epoch = || 1_795_000_000_u64;
    Some(match name {
        "noun" => dice.pick(NOUNS).to_owned(),
        "Noun" => capital(dice.pick(NOUNS))?,
        "Adj" => dice.pick(ADJECTIVES).to_owned(),
        "slug" => format!("{}-{}", dice.pick(NOUNS), dice.pick(NOUNS)),
        "tier" => dice.pick(TIERS).to_owned(),
        "lastname" => dice.pick(SURNAMES).to_owned(),
        "sku" => match dice.range(0, 3) {
            0 => dice.pick(ODD_SKUS).to_owned(),
            1 => dice.text(b"ABCDEFGHJKLMNPQRSTUVWXYZ", 2) + &dice.digits(5),
            2 => format!("{}-{}", dice.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", 3), dice.digits(4)),
            _ => dice.digits(8),
        },
        "semver" => format!("{}.{}.{}", dice.range(0, 20), dice.range(0, 30), dice.range(0, 99)),
        "price" => format!("{}.{:02}", dice.range(1, 400), dice.range(0, 99)),
        "uuid" => dice.uuid(),
        "token" => dice.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 32),
        "token8" => dice.text(b"abcdefghijklmnopqrstuvwxyz0123456789", 8),
        "epoch" => (epoch() - dice.range(0, 40_000_000)).to_string(),
        "epoch_ms" => format!("{}{:03}", epoch() - dice.range(0, 40_000_000), dice.range(0, 999)),
        "epoch_us" => format!("{}{:06}", epoch() - dice.range(0, 40_000_000), dice.range(0, 999_999)),
        "iso" => format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            dice.range(1, 11), dice.range(1, 28), dice.range(0, 23), dice.range(0, 59),
            dice.range(0, 59), dice.range(0, 999)
        ),
        "stamp" => format!(
            "2026-{:02}-{:02} {:02}:{:02}:{:02}+00:00",
            dice.range(1, 11), dice.range(1, 28), dice.range(0, 23), dice.range(0, 59), dice.range(0, 59)
        ),
        "date" => format!("2026-{:02}-{:02}", dice.range(1, 12), dice.range(1, 28)),
        "score27" => dice.range(5, 27).to_string(),
        "score21" => dice.range(5, 21).to_string(),
        "score6" => dice.range(3, 6).to_string(),
        "ua" => "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36".to_owned(),
        _ => {
            let (kind, length) = name.split_at(name.find(|c: char| c.is_ascii_digit())?);
            let length = length.parse().ok()?;
            match kind {
                "n" => dice.digits(length),
                "hex" => dice.hex(length),
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
        for half in Half::ALL {
            for class in [
                "condition",
                "medication",
                "lab",
                "insurance",
                "substance_use",
            ] {
                let lines = words.health(half);
                assert!(
                    lines.iter().any(|line| line.class == class),
                    "{half:?} {class}"
                );
            }
            let lines = words.innocent(half);
            assert!(lines.iter().any(|line| line.class == "blog"), "{half:?}");
        }
        let mut trades: Vec<&str> = words
            .innocent(Half::Unseen)
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
        let mut dice = Dice::new(4);
        for half in Half::ALL {
            for line in words.health(half).iter().chain(&words.innocent(half)) {
                for _ in 0..20 {
                    let (key, value) = words.say(line, half, &mut dice);
                    let text = format!("{key}={value}");
                    let marks = text.split('%').skip(1);
                    let open = marks.filter(|after| after.starts_with(|c: char| c.is_alphabetic()));
                    assert_eq!(open.count(), 0, "{}: {text}", line.template);
                }
            }
        }
    }
}
