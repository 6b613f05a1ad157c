//! The corpus: which events are written in which formats, with their labels.

use std::path::Path;

use anyhow::Result;

use crate::{
    capture::{Capture, Protocol},
    content::{Content, Identity},
    elsewhere,
    format::{Carrier, Quiet, Request},
    label::{EventLabel, Kind, Label, Level, Note},
    rng::Rng,
    words::{Line, Split, Vehicle, Words},
};

/// What the corpus is generated from.
pub struct Sources<'a> {
    /// The vocabulary.
    pub words: &'a Words,
    /// The formats.
    pub carriers: &'a [Carrier],
    /// Calls that disclose nothing.
    pub quiet: &'a [Quiet],
    /// Connections of 100 that speak HTTP/2.
    pub http2: u64,
}

/// One written request and its truth.
pub struct Case {
    /// The request.
    pub request: Request,
    /// Its label, the packet still to be filled in.
    pub label: Label,
}

/// How a part is written: the split of the vocabulary, and how many rounds or
/// requests.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    /// Which vocabulary.
    pub split: Split,
    /// Rounds over all formats, or number of requests.
    pub count: u64,
}

impl Sources<'_> {
    /// The formats that one split is written in.
    fn formats(&self, split: Split) -> Vec<&Carrier> {
        let own = |carrier: &&Carrier| !carrier.unseen || split == Split::Unseen;
        self.carriers.iter().filter(own).collect()
    }

    /// `count` rounds: each format with the health lines of one split.
    pub fn positives(&self, path: &Path, amount: Amount, rng: &mut Rng) -> Result<Vec<Label>> {
        let lines = self.words.health(amount.split);
        write(path, self.http2, rng, |next| {
            for _ in 0..amount.count {
                for carrier in self.formats(amount.split) {
                    next.request(|rng| self.positive(carrier, amount.split, &lines, rng))?;
                }
            }
            Ok(())
        })
    }

    /// The requests of [`Self::positives`], without a capture.
    pub fn positive_cases<'a>(
        &'a self,
        split: Split,
        rounds: u64,
        rng: &'a mut Rng,
    ) -> impl Iterator<Item = Result<Case>> + 'a {
        let lines = self.words.health(split);
        let formats = self.formats(split);
        let all = (0..rounds).flat_map(move |_| formats.clone());
        all.map(move |carrier| self.positive(carrier, split, &lines, rng))
    }

    /// The requests of [`Self::negatives`] that are of a business, without a capture.
    pub fn negative_cases<'a>(
        &'a self,
        split: Split,
        count: u64,
        rng: &'a mut Rng,
    ) -> impl Iterator<Item = Result<Case>> + 'a {
        let lines = self.words.innocent(split);
        let formats = self.formats(split);
        let mut businesses: Vec<&str> = lines.iter().map(|line| line.class.as_str()).collect();
        businesses.sort_unstable();
        businesses.dedup();
        (0..count).map(move |_| {
            let carrier = formats[rng.index(formats.len())];
            let business = rng.pick(&businesses);
            let own: Vec<&Line> = lines
                .iter()
                .copied()
                .filter(|line| line.class == business)
                .collect();
            self.negative(carrier, split, &own, rng)
        })
    }

    fn positive(
        &self,
        carrier: &Carrier,
        split: Split,
        lines: &[&Line],
        rng: &mut Rng,
    ) -> Result<Case> {
        let count = if !carrier.is_batch() || rng.chance(60) {
            1
        } else if rng.chance(90) {
            rng.range(2, 5)
        } else {
            rng.range(6, 20)
        };
        let vehicles = carrier.vehicles();
        let fitting: Vec<&Line> = lines
            .iter()
            .copied()
            .filter(|line| vehicles.contains(&line.vehicle))
            .collect();
        let mut events = Vec::new();
        for _ in 0..count {
            let identity = match rng.range(0, 99) {
                0..75 => Identity::Direct,
                75..97 => Identity::Pseudonym,
                _ => Identity::Least,
            };
            let mut content = Content::new(identity, rng);
            content.typed = split == Split::Unseen && rng.chance(50);
            if !fitting.is_empty() {
                let facts = [1, 1, 1, 2, 2, 3];
                for _ in 0..rng.pick(&facts) {
                    // Every class alike, whatever the length of its table.
                    let class = rng.pick(&fitting).class.clone();
                    let of_class: Vec<&Line> = fitting
                        .iter()
                        .copied()
                        .filter(|line| line.class == class)
                        .collect();
                    content.say(rng.pick(&of_class), self.words, split, true, rng);
                }
            }
            if identity == Identity::Direct && rng.chance(35) {
                let as_prop = !carrier.has_traits();
                if !as_prop || vehicles.contains(&Vehicle::Prop) {
                    content.add_attribute(as_prop, self.words, split, rng);
                }
            }
            self.neutral(&mut content, vehicles, split, rng);
            events.push(content);
        }
        let (request, labels) = carrier.write(&events, rng)?;
        Ok(case(carrier, Kind::Phi, request, labels))
    }

    /// Adds neutral properties, as real events have them.
    fn neutral(&self, content: &mut Content, vehicles: &[Vehicle], split: Split, rng: &mut Rng) {
        const KEYS: [&str; 4] = ["order_id", "timestamp", "session_id", "version"];
        if !vehicles.contains(&Vehicle::Prop) {
            return;
        }
        let lines = self.words.innocent(split);
        let plain: Vec<&Line> = lines
            .iter()
            .copied()
            .filter(|line| {
                line.vehicle == Vehicle::Prop && KEYS.iter().any(|key| line.template.contains(key))
            })
            .collect();
        for _ in 0..rng.range(0, 2) {
            if !plain.is_empty() {
                content.say(rng.pick(&plain), self.words, split, false, rng);
            }
        }
    }

    /// `count` requests of businesses that have nothing to do with health.
    pub fn negatives(&self, path: &Path, amount: Amount, rng: &mut Rng) -> Result<Vec<Label>> {
        let lines = self.words.innocent(amount.split);
        let formats = self.formats(amount.split);
        let mut businesses: Vec<&str> = lines.iter().map(|line| line.class.as_str()).collect();
        businesses.sort_unstable();
        businesses.dedup();
        write(path, self.http2, rng, |next| {
            let mut written = 0;
            while written < amount.count {
                let chosen = next.rng.range(0, 999);
                if chosen < 60 {
                    let call = &self.quiet[next.rng.index(self.quiet.len())];
                    next.request(|rng| self.housekeeping(call, rng))?;
                } else if chosen < 70 {
                    next.request(|rng| Ok(elsewhere::case(rng)))?;
                } else {
                    let carrier = formats[next.rng.index(formats.len())];
                    let business = next.rng.pick(&businesses);
                    let own: Vec<&Line> = lines
                        .iter()
                        .copied()
                        .filter(|line| line.class == business)
                        .collect();
                    next.request(|rng| self.negative(carrier, amount.split, &own, rng))?;
                }
                written += 1;
            }
            Ok(())
        })
    }

    fn negative(
        &self,
        carrier: &Carrier,
        split: Split,
        lines: &[&Line],
        rng: &mut Rng,
    ) -> Result<Case> {
        let vehicles = carrier.vehicles();
        let is_blog = lines.first().is_some_and(|line| line.class == "blog");
        let fitting: Vec<&Line> = lines
            .iter()
            .copied()
            .filter(|line| vehicles.contains(&line.vehicle))
            .collect();
        let count = if carrier.is_batch() && rng.chance(20) {
            rng.range(2, 6)
        } else {
            1
        };
        let mut events = Vec::new();
        for _ in 0..count {
            let identity = match rng.range(0, 99) {
                _ if is_blog => Identity::Least,
                0..45 => Identity::Direct,
                45..90 => Identity::Pseudonym,
                _ => Identity::Least,
            };
            let mut content = Content::new(identity, rng);
            content.typed = split == Split::Unseen && rng.chance(50);
            if !fitting.is_empty() {
                for _ in 0..rng.range(1, 6) {
                    content.say(rng.pick(&fitting), self.words, split, false, rng);
                }
            }
            events.push(content);
        }
        let (request, labels) = carrier.write(&events, rng)?;
        let kind = if is_blog { Kind::Blog } else { Kind::Shop };
        Ok(case(carrier, kind, request, labels))
    }

    /// Each quiet call once.
    pub fn every_quiet_call(&self, path: &Path, rng: &mut Rng) -> Result<Vec<Label>> {
        write(path, self.http2, rng, |next| {
            for call in self.quiet {
                next.request(|rng| self.housekeeping(call, rng))?;
            }
            Ok(())
        })
    }

    fn housekeeping(&self, call: &Quiet, rng: &mut Rng) -> Result<Case> {
        let request = call.write(rng)?;
        // Quiet calls have no weight of their own; the platform's applies.
        let known = self
            .carriers
            .iter()
            .find(|carrier| carrier.platform == call.platform);
        Ok(Case {
            request,
            label: Label {
                packet: 0,
                template: call.template(),
                platform: call.platform.clone(),
                weight: known.map_or(2, |carrier| carrier.r),
                kind: Kind::Housekeeping,
                events: vec![EventLabel {
                    notes: vec![pseudonym()],
                    said: vec![],
                }],
            },
        })
    }
}

/// A pseudonym that a quiet call may carry: a cookie or a client id.
fn pseudonym() -> Note {
    Note {
        class: "online_id".to_owned(),
        or: vec![],
        also: ["external_id", "device_id", "ip"]
            .map(str::to_owned)
            .to_vec(),
        level: Level::Pseudonym,
        health: false,
        template: "quiet".to_owned(),
    }
}

fn case(carrier: &Carrier, kind: Kind, request: Request, events: Vec<EventLabel>) -> Case {
    Case {
        request,
        label: Label {
            packet: 0,
            template: carrier.id.clone(),
            platform: carrier.platform.clone(),
            // A protocol on the sender's own host may belong to the sender.
            weight: if carrier.fingerprint { 2 } else { carrier.r },
            kind,
            events,
        },
    }
}

/// Gathers requests into connections.
pub struct Next<'a> {
    capture: Capture,
    /// Chance.
    pub rng: &'a mut Rng,
    labels: Vec<Label>,
    http2: u64,
}

impl Next<'_> {
    /// A connection with one request.
    fn request(&mut self, make: impl FnOnce(&mut Rng) -> Result<Case>) -> Result<()> {
        let case = make(self.rng)?;
        self.write(vec![case])
    }

    /// Writes one connection.
    pub fn write(&mut self, cases: Vec<Case>) -> Result<()> {
        let protocol = if self.rng.chance(self.http2) {
            Protocol::Http2
        } else if self.rng.chance(50) {
            Protocol::Http1Split
        } else {
            Protocol::Http1
        };
        let (requests, labels): (Vec<_>, Vec<_>) = cases
            .into_iter()
            .map(|case| (case.request, case.label))
            .unzip();
        let starts = self.capture.connection(protocol, &requests, self.rng)?;
        for (packet, label) in starts.into_iter().zip(labels) {
            self.labels.push(Label { packet, ..label });
        }
        Ok(())
    }
}

/// A capture at `path`, written by `fill`; `http2` connections of 100 speak HTTP/2.
pub fn write(
    path: &Path,
    http2: u64,
    rng: &mut Rng,
    fill: impl FnOnce(&mut Next<'_>) -> Result<()>,
) -> Result<Vec<Label>> {
    let mut next = Next {
        capture: Capture::create(path)?,
        rng,
        labels: vec![],
        http2,
    };
    fill(&mut next)?;
    next.capture.close()?;
    Ok(next.labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format;

    #[test]
    fn the_same_seed_writes_the_same_corpus() {
        let words = Words::load().unwrap();
        let (carriers, quiet) = format::load().unwrap();
        let sources = Sources {
            words: &words,
            carriers: &carriers,
            quiet: &quiet,
            http2: 10,
        };
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, seed| {
            let amount = Amount {
                split: Split::HeldOut,
                count: 2,
            };
            let path = folder.path().join(name);
            let labels = sources
                .positives(&path, amount, &mut Rng::new(seed))
                .unwrap();
            (labels, std::fs::read(path).unwrap())
        };
        let (labels, bytes) = make("one", 5);
        assert_eq!(labels.len(), 2 * sources.formats(Split::HeldOut).len());
        assert!(sources.formats(Split::Unseen).len() > sources.formats(Split::Known).len());
        assert!(make("two", 5).1 == bytes, "the same seed");
        assert!(make("three", 6).1 != bytes, "another seed");
    }

    #[test]
    fn every_format_says_something_about_someone() {
        let words = Words::load().unwrap();
        let (carriers, quiet) = format::load().unwrap();
        let sources = Sources {
            words: &words,
            carriers: &carriers,
            quiet: &quiet,
            http2: 0,
        };
        let mut rng = Rng::new(9);
        for carrier in &carriers {
            let mut notes = 0;
            for _ in 0..20 {
                let lines = words.health(Split::Known);
                let case = sources
                    .positive(carrier, Split::Known, &lines, &mut rng)
                    .unwrap();
                notes += case
                    .label
                    .events
                    .iter()
                    .map(|event| event.notes.len())
                    .sum::<usize>();
            }
            assert!(notes > 0, "{}", carrier.id);
        }
    }

    #[test]
    fn quiet_calls_have_no_open_slots() {
        let (_, quiet) = format::load().unwrap();
        let mut rng = Rng::new(3);
        for call in &quiet {
            let request = call.write(&mut rng).unwrap();
            let target = request.target;
            assert!(!target.contains(['{', '}', ' ']), "{target}");
        }
    }
}
