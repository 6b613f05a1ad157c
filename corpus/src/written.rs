//! Events that someone wrote one by one, in `events/`: what each says is in its line.
//!
//! A line names what an event contains and which classes it tells of someone; the
//! platform's envelope comes from `formats/`. A line may also be a whole request in a
//! shape of its own. The format is described in `events/README.md`.

use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    content::{Content, Identity, Text},
    format::{Carrier, Request},
    generator::Case,
    label::{EventLabel, Kind, Label, Level, Note},
    person::Person,
    rng::Rng,
    words::{Vehicle, noise},
};

/// One line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Record {
    event: Option<String>,
    path: Option<String>,
    title: Option<String>,
    search: Option<String>,
    item: Option<String>,
    category: Option<String>,
    note: Option<String>,
    props: Map<String, Value>,
    traits: Map<String, Value>,
    who: Who,
    says: String,
    hints: String,
    may: String,
    to: Option<String>,
    body: Option<Value>,
    #[serde(rename = "type")]
    content_type: Option<String>,
}

/// Who an event is about, as far as it tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Who {
    #[default]
    Direct,
    Pseudonym,
    None,
}

/// What the events of a folder are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Folder {
    /// Health information of a person.
    Health,
    /// Business that has nothing to do with health.
    Ordinary,
    /// Words near medicine that say nothing of anyone's health.
    Treacherous,
    /// What is sold to clinics, and their staff.
    Vendors,
}

impl Folder {
    /// Every folder of a split.
    pub const ALL: [Self; 4] = [
        Self::Health,
        Self::Ordinary,
        Self::Treacherous,
        Self::Vendors,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Ordinary => "ordinary",
            Self::Treacherous => "treacherous",
            Self::Vendors => "vendors",
        }
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Health => Kind::Phi,
            Self::Ordinary | Self::Treacherous | Self::Vendors => Kind::Shop,
        }
    }
}

/// The events of one file.
pub struct Group {
    /// What they are.
    pub folder: Folder,
    /// The kind of service, or the trade.
    pub name: String,
    /// The language, two letters.
    pub language: String,
    records: Vec<Record>,
}

/// Reads the folders of a split, in a fixed order.
pub fn load(split: &Path) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    for folder in Folder::ALL {
        let path = split.join(folder.name());
        let Ok(entries) = fs::read_dir(&path) else {
            continue;
        };
        let mut files: Vec<_> = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_>>()?;
        files.sort();
        for file in files {
            let name = file.file_name().and_then(|name| name.to_str());
            let stem = name.and_then(|name| name.strip_suffix(".jsonl"));
            let Some((name, language)) = stem.and_then(|stem| stem.rsplit_once('.')) else {
                bail!("{}: not KIND.LANGUAGE.jsonl", file.display());
            };
            let text =
                fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
            let lines = text.lines().enumerate();
            let records = lines
                .filter(|(_, line)| !line.trim().is_empty())
                .map(|(at, line)| {
                    let record: Record = serde_json::from_str(line)
                        .with_context(|| format!("{}:{}", file.display(), at + 1))?;
                    let has_label = !record.says.is_empty() || !record.hints.is_empty();
                    ensure!(
                        has_label == (folder == Folder::Health),
                        "{}:{}: what it says does not fit its folder",
                        file.display(),
                        at + 1
                    );
                    Ok(record)
                })
                .collect::<Result<_>>()?;
            groups.push(Group {
                folder,
                name: name.to_owned(),
                language: language.to_owned(),
                records,
            });
        }
    }
    Ok(groups)
}

impl Group {
    /// How many events it has.
    pub const fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The event at `index` as a request to one of the platforms, and its label.
    pub fn case(&self, index: usize, carriers: &[Carrier], rng: &mut Rng) -> Result<Case> {
        let record = &self.records[index];
        let source = format!("{}.{}:{}", self.name, self.language, index + 1);
        let writer = Writer {
            record,
            folder: self.folder,
            source: &source,
        };
        let case = match &record.to {
            Some(line) => writer.whole(line, carriers, rng),
            None => writer.carried(carriers, rng),
        };
        case.with_context(|| source.clone())
    }
}

struct Writer<'a> {
    record: &'a Record,
    folder: Folder,
    source: &'a str,
}

impl Writer<'_> {
    /// In the format of a platform that has room for it.
    fn carried(&self, carriers: &[Carrier], rng: &mut Rng) -> Result<Case> {
        let identity = match self.record.who {
            Who::Direct => Identity::Direct,
            Who::Pseudonym => Identity::Pseudonym,
            Who::None => Identity::Least,
        };
        let mut content = Content::new(identity, rng);
        content.typed = true;
        let mut notes = self.notes();
        let mut filler = Filler {
            person: content.person.clone(),
            notes: vec![],
        };
        let record = self.record;
        let mut texts = Vec::new();
        for (vehicle, key, text) in [
            (Vehicle::Event, "event_name", &record.event),
            (Vehicle::Path, "page_url", &record.path),
            (Vehicle::Title, "page_title", &record.title),
            (Vehicle::Search, "search_term", &record.search),
            (Vehicle::Item, "item_name", &record.item),
            (Vehicle::Category, "item_category", &record.category),
            (Vehicle::Note, "message", &record.note),
        ] {
            if let Some(text) = text {
                texts.push((vehicle, key, filler.text(text, rng)));
            }
        }
        let props = filler.object(&record.props, rng);
        let traits = filler.object(&record.traits, rng);
        let carrier = self.carrier(carriers, &texts, rng)?;
        let vehicles = carrier.vehicles();
        let mut free: Vec<(String, Value)> = props.into_iter().collect();
        for (vehicle, key, text) in texts {
            if vehicles.contains(&vehicle) {
                content.texts.insert(vehicle, plain(text));
            } else {
                free.push((key.to_owned(), Value::String(text)));
            }
        }
        let own: Vec<(String, Value)> = traits.into_iter().collect();
        if carrier.has_traits() {
            content.traits = own.into_iter().map(typed).collect();
        } else {
            free.extend(own);
        }
        content.props = free.into_iter().map(typed).collect();
        let (request, mut labels) = carrier.write(&[content], rng)?;
        notes.append(&mut filler.notes);
        for label in &mut labels {
            self.complete(label, notes.clone());
        }
        Ok(self.labelled(request, &carrier.id, &carrier.platform, carrier.r, labels))
    }

    /// A format with room for all of it, those with more texts of their own before
    /// those that take them as properties.
    fn carrier<'a>(
        &self,
        carriers: &'a [Carrier],
        texts: &[(Vehicle, &str, String)],
        rng: &mut Rng,
    ) -> Result<&'a Carrier> {
        let has_free = !self.record.props.is_empty() || !self.record.traits.is_empty();
        let room = |carrier: &Carrier| {
            let vehicles = carrier.vehicles();
            let own = texts
                .iter()
                .filter(|(vehicle, ..)| vehicles.contains(vehicle))
                .count();
            let has_props = vehicles.contains(&Vehicle::Prop);
            let fits = has_props || (!has_free && own == texts.len());
            (fits && !carrier.fingerprint).then_some(own)
        };
        let best = carriers.iter().filter_map(room).max();
        let best = best.context("no format has room for it")?;
        let fitting: Vec<&Carrier> = carriers
            .iter()
            .filter(|carrier| room(carrier).is_some_and(|own| own + 1 >= best))
            .collect();
        Ok(fitting[rng.index(fitting.len())])
    }

    /// As it is written.
    fn whole(&self, line: &str, carriers: &[Carrier], rng: &mut Rng) -> Result<Case> {
        let mut filler = Filler {
            person: Person::new(rng),
            notes: vec![],
        };
        let (method, rest) = line.split_once(' ').context("no method")?;
        let (host, target) = rest.split_at(rest.find('/').context("no path")?);
        let target = filler.text(target, rng);
        let body = self.record.body.clone().unwrap_or_default();
        let (body, content_type) = match filler.value(&body, rng) {
            Value::String(text) => (text.into_bytes(), "text/plain"),
            value => (serde_json::to_vec(&value)?, "application/json"),
        };
        let content_type = self.record.content_type.as_deref().unwrap_or(content_type);
        let mut request = Request {
            method: method.to_owned(),
            host: host.to_owned(),
            target,
            headers: vec![],
            body,
        };
        if !request.body.is_empty() {
            let header = ("Content-Type".to_owned(), content_type.to_owned());
            request.headers.push(header);
        }
        let known = carriers.iter().find(|carrier| carrier.is_at(host));
        let (id, platform, weight) = known.map_or(("own shape", host, 2), |carrier| {
            (carrier.id.as_str(), carrier.platform.as_str(), carrier.r)
        });
        let mut label = EventLabel::default();
        let mut notes = self.notes();
        notes.append(&mut filler.notes);
        self.complete(&mut label, notes);
        Ok(self.labelled(request, id, platform, weight, vec![label]))
    }

    fn labelled(
        &self,
        request: Request,
        template: &str,
        platform: &str,
        weight: u8,
        events: Vec<EventLabel>,
    ) -> Case {
        Case {
            request,
            label: Label {
                packet: 0,
                template: template.to_owned(),
                platform: platform.to_owned(),
                weight,
                kind: self.folder.kind(),
                events,
            },
        }
    }

    fn complete(&self, label: &mut EventLabel, notes: Vec<Note>) {
        label.notes.extend(notes);
        label.notes.sort();
        label.notes.dedup();
        label.said = vec![self.source.to_owned()];
    }

    /// What the line says that the event tells.
    fn notes(&self) -> Vec<Note> {
        let also: Vec<String> = self
            .record
            .may
            .split_whitespace()
            .flat_map(|class| class.split('/'))
            .map(str::to_owned)
            .collect();
        let mut notes = Vec::new();
        let says = self.record.says.split_whitespace();
        let says = says.map(|class| (class, Level::Explicit));
        let hints = self.record.hints.split_whitespace();
        for (classes, level) in says.chain(hints.map(|class| (class, Level::Context))) {
            let mut classes = classes.split('/').map(str::to_owned);
            let class = classes.next().unwrap_or_default();
            let health = IDENTIFIERS.iter().all(|own| *own != class);
            notes.push(Note {
                class,
                or: classes.collect(),
                also: also.clone(),
                level: if health { level } else { Level::Weak },
                health,
                template: self.source.to_owned(),
            });
        }
        if notes.is_empty() && !also.is_empty() {
            notes.push(Note {
                class: also[0].clone(),
                or: vec![],
                also,
                level: Level::Weak,
                health: false,
                template: self.source.to_owned(),
            });
        }
        notes
    }
}

/// Classes of identifiers that a line may name.
const IDENTIFIERS: &[&str] = &[
    "service_date",
    "health_plan_id",
    "mrn",
    "birth_date",
    "name",
    "email",
    "phone",
    "fax",
    "address",
    "city",
    "zip",
    "external_id",
    "license",
    "account",
    "device_id",
    "sex",
    "biometric",
    "ssn",
    "photo",
    "vehicle",
    "ip",
];

fn plain(value: String) -> Text {
    Text {
        value,
        json: None,
        notes: vec![],
    }
}

fn typed((key, value): (String, Value)) -> (String, Text) {
    let text = match &value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let json = Some(value);
    (
        key,
        Text {
            value: text,
            json,
            notes: vec![],
        },
    )
}

/// Replaces the marks of a text by what they stand for.
struct Filler {
    person: Person,
    notes: Vec<Note>,
}

impl Filler {
    fn object(&mut self, object: &Map<String, Value>, rng: &mut Rng) -> Map<String, Value> {
        let entries = object.iter();
        entries
            .map(|(key, value)| (key.clone(), self.value(value, rng)))
            .collect()
    }

    fn value(&mut self, value: &Value, rng: &mut Rng) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text, rng)),
            Value::Array(items) => items.iter().map(|item| self.value(item, rng)).collect(),
            Value::Object(object) => Value::Object(self.object(object, rng)),
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str, rng: &mut Rng) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out += before;
            let slot = after.split_once('}');
            let filled = slot.and_then(|(name, after)| Some((self.slot(name, rng)?, after)));
            if let Some((value, after)) = filled {
                out += &value;
                rest = after;
            } else {
                // A brace of the text itself.
                out.push('{');
                rest = after;
            }
        }
        out + rest
    }

    fn slot(&mut self, name: &str, rng: &mut Rng) -> Option<String> {
        let person = &self.person;
        let (value, class, level) = match name {
            "first" => (person.first.clone(), "name", Level::Direct),
            "last" => (person.last.clone(), "name", Level::Direct),
            "name" => (person.name(), "name", Level::Direct),
            "email" => (person.email.clone(), "email", Level::Direct),
            "phone" => (person.phone.clone(), "phone", Level::Direct),
            "dob" => (person.birth.clone(), "birth_date", Level::Direct),
            "street" => (person.street.clone(), "address", Level::Direct),
            "city" => (person.city.to_owned(), "city", Level::Weak),
            "zip" => (person.zip.clone(), "zip", Level::Weak),
            "id" => (person.id.clone(), "external_id", Level::Pseudonym),
            "past" => {
                return Some(format!(
                    "2026-{:02}-{:02}",
                    rng.range(1, 9),
                    rng.range(1, 28)
                ));
            }
            "future" => {
                return Some(format!(
                    "2027-{:02}-{:02}",
                    rng.range(1, 9),
                    rng.range(1, 28)
                ));
            }
            other => return noise(other, rng),
        };
        self.notes.push(Note {
            class: class.to_owned(),
            or: match class {
                "external_id" => vec!["online_id".to_owned(), "device_id".to_owned()],
                _ => vec![],
            },
            also: vec!["external_id".to_owned()],
            level,
            health: false,
            template: format!("slot {name}"),
        });
        Some(value)
    }
}

/// Every line of `groups` once, or `copies` times in different formats, in a fixed
/// order.
pub fn cases<'a>(
    groups: &'a [Group],
    carriers: &'a [Carrier],
    copies: u64,
    seed: u64,
) -> impl Iterator<Item = (&'a Group, Result<Case>)> {
    groups.iter().flat_map(move |group| {
        (0..group.len()).flat_map(move |index| {
            (0..copies).map(move |copy| {
                let mut rng = Rng::new(own_seed(group, index, copy, seed));
                (group, group.case(index, carriers, &mut rng))
            })
        })
    })
}

/// A line is written the same whatever lines stand around it.
fn own_seed(group: &Group, index: usize, copy: u64, seed: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
    let text = format!("{}.{}:{index}:{copy}", group.name, group.language);
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

/// How many events each folder has, by language.
pub fn counts(groups: &[Group]) -> HashMap<(Folder, String), usize> {
    let mut counts = HashMap::new();
    for group in groups {
        *counts
            .entry((group.folder, group.language.clone()))
            .or_default() += group.len();
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::format;

    fn splits() -> Vec<(String, Vec<Group>)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
        let mut splits = Vec::new();
        for entry in fs::read_dir(root).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                splits.push((name, load(&path).unwrap()));
            }
        }
        splits
    }

    #[test]
    fn every_line_can_be_written_and_names_classes_that_exist() {
        const HEALTH: [&str; 11] = [
            "condition",
            "medication",
            "procedure",
            "lab",
            "assessment",
            "appointment",
            "treatment",
            "insurance",
            "provider",
            "reproductive",
            "substance_use",
        ];
        let (carriers, _) = format::load().unwrap();
        for (split, groups) in splits() {
            for (group, case) in cases(&groups, &carriers, 1, 1) {
                let case = case.unwrap();
                for note in case.label.events.iter().flat_map(|event| &event.notes) {
                    let classes = [&note.class].into_iter().chain(&note.or).chain(&note.also);
                    for class in classes {
                        let class = class.as_str();
                        assert!(
                            HEALTH.contains(&class)
                                || IDENTIFIERS.contains(&class)
                                || matches!(class, "online_id" | "device_id"),
                            "{split} {} {class}",
                            group.name
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn no_line_stands_twice() {
        for (split, groups) in splits() {
            let mut seen = BTreeSet::new();
            for group in &groups {
                for record in &group.records {
                    let what = format!("{record:?}").to_lowercase();
                    let what: String = what.chars().filter(|c| !c.is_ascii_digit()).collect();
                    assert!(seen.insert(what), "{split} {} {record:?}", group.name);
                }
            }
        }
    }

    #[test]
    fn dev_is_wide() {
        let (_, groups) = splits()
            .into_iter()
            .find(|(name, _)| name == "dev")
            .unwrap();
        let count = |folder| {
            let own = groups.iter().filter(|group| group.folder == folder);
            own.map(Group::len).sum::<usize>()
        };
        assert!(count(Folder::Health) >= 3_000);
        assert!(count(Folder::Ordinary) >= 9_500);
        assert!(count(Folder::Treacherous) >= 1_500);
        assert!(count(Folder::Vendors) >= 1_000);
        for language in ["en", "es", "de", "fr"] {
            let own = counts(&groups);
            assert!(own.contains_key(&(Folder::Health, language.to_owned())));
        }
    }

    #[test]
    fn marks_are_replaced_and_other_braces_stay() {
        let mut rng = Rng::new(3);
        let mut filler = Filler {
            person: Person::new(&mut rng),
            notes: vec![],
        };
        let email = filler.person.email.clone();
        for (text, expected) in [
            ("a {email} b", format!("a {email} b")),
            ("{not a mark} {", "{not a mark} {".to_owned()),
            ("{{email}}", format!("{{{email}}}")),
        ] {
            assert_eq!(filler.text(text, &mut rng), expected, "{text}");
        }
        assert!(filler.notes.iter().all(|note| note.class == "email"));
    }
}
