//! Findings compared with labels: what was found, missed and wrongly reported.

mod score;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;

use crate::label::{EventLabel, Kind, Label, Note, Severity};

pub use score::{Platform, Score, per_100k, share};

/// The part of a finding that is compared. Other members of the record are
/// ignored.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// Who received it.
    pub recipient: Recipient,
    /// Identifier classes.
    pub identifiers: Vec<String>,
    /// Health classes.
    pub health: Vec<String>,
    /// The evidence.
    pub fields: Vec<Field>,
    /// Where it stands in the capture.
    pub evidence: Option<Evidence>,
}

/// The recipient of a finding.
#[derive(Clone, Debug, Deserialize)]
pub struct Recipient {
    /// Id in the catalog.
    pub tracker: String,
}

/// One field of a finding.
#[derive(Clone, Debug, Deserialize)]
pub struct Field {
    /// Its class.
    pub class: String,
    /// The rule.
    pub rule: String,
}

/// The place of a finding.
#[derive(Clone, Debug, Deserialize)]
pub struct Evidence {
    /// Number of the packet, from 1.
    pub packet: u64,
}

impl Finding {
    fn classes(&self) -> impl Iterator<Item = &str> {
        self.identifiers
            .iter()
            .chain(&self.health)
            .map(String::as_str)
    }

    fn has(&self, note: &Note) -> bool {
        self.classes()
            .any(|class| class == note.class || note.or.iter().any(|or| or == class))
    }
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Measure {
    /// Requests by what they were written as.
    pub requests: BTreeMap<Kind, u64>,
    /// Events of severity high or above.
    pub high: Score,
    /// (event, class) pairs of findings of severity high or above.
    pub pairs_at_high: Score,
    /// By class, at any severity.
    pub classes: BTreeMap<String, Score>,
    /// By health class: false alarms of severity high that name it.
    pub class_alarms: BTreeMap<String, u64>,
    /// By platform.
    pub platforms: BTreeMap<String, Platform>,
    /// Findings on negatives of severity high or above that should not be.
    pub alarms_high: u64,
    /// Findings on negatives above what they may give, below high.
    pub alarms_mild: u64,
    /// Health classes reported on requests that say nothing about health.
    pub health_on_negatives: u64,
    /// Person-events of positives, and how many findings they gave.
    pub people: (u64, u64),
    /// What was missed or wrong, by template. Never a value.
    pub faults: BTreeMap<Fault, Tally>,
}

/// One way to be wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// `missed event`, `missed class`, `false alarm`, `wrong class`.
    pub kind: &'static str,
    /// By which template, or which rule.
    pub what: String,
}

/// How often, where, and one example.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// Part and packet of one example.
    pub example: String,
    /// Carriers, or innocent templates, and how often each.
    pub carriers: BTreeMap<String, u64>,
}

impl Measure {
    /// Compares the findings of one capture with its labels. `name` is the
    /// catalog's id of a label's platform.
    pub fn add(
        &mut self,
        part: &str,
        labels: &[Label],
        findings: &[Finding],
        name: &dyn Fn(&Label) -> String,
    ) {
        let mut by_packet: HashMap<u64, Vec<&Finding>> = HashMap::new();
        for finding in findings {
            let packet = finding
                .evidence
                .as_ref()
                .map_or(0, |evidence| evidence.packet);
            by_packet.entry(packet).or_default().push(finding);
        }
        for label in labels {
            let found = by_packet.remove(&label.packet).unwrap_or_default();
            let platform = name(label);
            *self.requests.entry(label.kind).or_default() += 1;
            let row = self.platforms.entry(platform.clone()).or_default();
            if label.kind.is_negative() {
                row.negatives += 1;
            } else {
                row.positives += 1;
            }
            let mut context = Context {
                measure: self,
                part,
                label,
                platform,
            };
            context.request(found);
        }
        for finding in by_packet.into_values().flatten() {
            // A finding that stands where no request begins.
            let what = format!("no request begins there ({})", finding.recipient.tracker);
            self.fault("false alarm", what, "", part.to_owned());
        }
    }

    fn fault(&mut self, kind: &'static str, what: String, carrier: &str, example: String) {
        let tally = self.faults.entry(Fault { kind, what }).or_default();
        tally.count += 1;
        *tally.carriers.entry(carrier.to_owned()).or_default() += 1;
        if tally.example.is_empty() {
            tally.example = example;
        }
    }

    fn blame(&mut self, kind: &'static str, what: &str, template: &str) {
        let fault = Fault {
            kind,
            what: what.to_owned(),
        };
        if let Some(tally) = self.faults.get_mut(&fault) {
            *tally.carriers.entry(template.to_owned()).or_default() += 1;
        }
    }

    /// Mean recall over the classes that are expected often enough.
    pub fn macro_recall(&self) -> f64 {
        const ENOUGH: u64 = 20;
        let recalls: Vec<f64> = self
            .classes
            .values()
            .filter(|score| score.expected >= ENOUGH)
            .map(Score::recall)
            .collect();
        if recalls.is_empty() {
            0.0
        } else {
            recalls.iter().sum::<f64>() / recalls.len() as f64
        }
    }

    /// Requests without health information of a person.
    pub fn negatives(&self) -> u64 {
        self.requests
            .iter()
            .filter(|(kind, _)| kind.is_negative())
            .map(|(_, count)| count)
            .sum()
    }

    /// False alarms of severity high in 100,000 requests.
    pub fn alarms_per_100k(&self) -> f64 {
        per_100k(self.alarms_high, self.negatives())
    }

    /// [`Self::alarms_per_100k`] of the alarms that name one class.
    pub fn class_alarms_per_100k(&self, class: &str) -> f64 {
        let alarms = self.class_alarms.get(class).copied().unwrap_or_default();
        per_100k(alarms, self.negatives())
    }
}

struct Context<'a> {
    measure: &'a mut Measure,
    part: &'a str,
    label: &'a Label,
    platform: String,
}

impl Context<'_> {
    fn request(&mut self, mut found: Vec<&Finding>) {
        if !self.label.kind.is_negative() {
            self.measure.people.0 += self.label.events.len() as u64;
            self.measure.people.1 += found.len() as u64;
        }
        if self.label.kind.is_negative() {
            for finding in &found {
                self.alarm(finding);
            }
        }
        let paired = pair(&self.label.events, &found);
        for (event, own) in self.label.events.iter().zip(&paired) {
            self.event(event, own.and_then(|position| found.get(position).copied()));
        }
        let mut position = 0;
        found.retain(|_| {
            position += 1;
            !paired.contains(&Some(position - 1))
        });
        let allowed = self.label.allowed();
        for finding in found {
            self.wrong(finding, &allowed, None);
        }
    }

    fn event(&mut self, event: &EventLabel, finding: Option<&Finding>) {
        let least = event.least(self.label.weight);
        if self.label.kind == Kind::Phi && least > Severity::None {
            self.classes(event, finding);
        }
        if self.label.kind == Kind::Phi && least >= Severity::High {
            let is_found = finding.is_some_and(|finding| finding.severity >= Severity::High);
            let row = self
                .measure
                .platforms
                .entry(self.platform.clone())
                .or_default();
            for score in [&mut self.measure.high, &mut row.high] {
                score.expected += 1;
                score.found += u64::from(is_found);
            }
            if !is_found {
                let given = finding.map_or(Severity::None, |finding| finding.severity);
                let health: Vec<&str> = event
                    .notes
                    .iter()
                    .filter(|note| note.health)
                    .map(|note| note.template.as_str())
                    .collect();
                self.fault(
                    "missed event",
                    &format!("{given:?} for {}", health.join(" + ")),
                    None,
                );
            }
        }
        if let Some(finding) = finding {
            self.wrong(finding, &event.allowed(), Some(event));
        }
    }

    fn classes(&mut self, event: &EventLabel, finding: Option<&Finding>) {
        let mut seen = BTreeSet::new();
        for note in &event.notes {
            if !seen.insert(&note.class) {
                continue;
            }
            let is_found = finding.is_some_and(|finding| finding.has(note));
            let row = self
                .measure
                .platforms
                .entry(self.platform.clone())
                .or_default();
            let class = self.measure.classes.entry(note.class.clone()).or_default();
            for score in [class, &mut row.classes] {
                score.expected += 1;
                score.found += u64::from(is_found);
            }
            if !is_found {
                let why = if finding.is_none() {
                    "no finding: "
                } else {
                    ""
                };
                self.fault(
                    "missed class",
                    &format!("{why}{} ← {}", note.class, note.template),
                    None,
                );
            }
        }
    }

    /// Counts the classes of `finding` that it should not have.
    fn wrong(&mut self, finding: &Finding, allowed: &BTreeSet<&str>, event: Option<&EventLabel>) {
        let is_high = finding.severity >= Severity::High;
        for class in finding.classes() {
            // What an article is about is no secret, and true.
            let is_topic = self.label.kind == Kind::Blog
                && finding.health.iter().any(|health| health == class);
            let is_right = allowed.contains(class) || is_topic;
            if is_high {
                self.measure.pairs_at_high.expected += 1;
                self.measure.pairs_at_high.found += u64::from(is_right);
                self.measure.pairs_at_high.wrong += u64::from(!is_right);
            }
            if is_right {
                continue;
            }
            let row = self
                .measure
                .platforms
                .entry(self.platform.clone())
                .or_default();
            row.classes.wrong += 1;
            self.measure
                .classes
                .entry(class.to_owned())
                .or_default()
                .wrong += 1;
            if self.label.kind.is_negative() && finding.health.iter().any(|health| health == class)
            {
                self.measure.health_on_negatives += 1;
            }
            self.fault("wrong class", &because(finding, class), event);
        }
    }

    /// Counts a finding on a negative that is worse than the negative may give.
    fn alarm(&mut self, finding: &Finding) {
        let label = self.label;
        let most = label
            .events
            .iter()
            .map(|event| event.most(label.weight, label.kind))
            .max();
        if finding.severity <= most.unwrap_or_default() {
            return;
        }
        if finding.severity >= Severity::High {
            self.measure.alarms_high += 1;
            for class in &finding.health {
                *self.measure.class_alarms.entry(class.clone()).or_default() += 1;
            }
            self.measure
                .platforms
                .entry(self.platform.clone())
                .or_default()
                .false_alarms += 1;
        } else {
            self.measure.alarms_mild += 1;
        }
        let why: Vec<String> = finding
            .health
            .iter()
            .map(|class| because(finding, class))
            .collect();
        self.fault(
            "false alarm",
            &format!(
                "{:?}, {:?}: {}",
                finding.severity,
                label.kind,
                why.join("; ")
            ),
            label.events.first(),
        );
    }

    /// Blames the carrier, or everything that the event says: the sums show
    /// which is to blame.
    fn fault(&mut self, kind: &'static str, what: &str, event: Option<&EventLabel>) {
        let example = format!("{} packet {}", self.part, self.label.packet);
        let said: Vec<&String> = match (self.label.kind, event) {
            (_, None) => vec![],
            (Kind::Phi, Some(event)) => event
                .notes
                .iter()
                .filter(|note| note.health)
                .map(|note| &note.template)
                .collect(),
            (_, Some(event)) => event.said.iter().collect(),
        };
        let carrier = &self.label.template;
        let (first, rest) = said.split_first().unwrap_or((&carrier, &[]));
        self.measure.fault(kind, what.to_owned(), first, example);
        for template in rest {
            self.measure.blame(kind, what, template);
        }
    }
}

/// The index of the finding for each event. Pairs that agree best are made
/// first, and among equals those at the same position.
fn pair(events: &[EventLabel], findings: &[&Finding]) -> Vec<Option<usize>> {
    let mut candidates = Vec::new();
    for (event, label) in events.iter().enumerate() {
        for (position, finding) in findings.iter().enumerate() {
            if let Some(score) = agreement(label, finding) {
                candidates.push((
                    std::cmp::Reverse(score),
                    event.abs_diff(position),
                    event,
                    position,
                ));
            }
        }
    }
    candidates.sort_unstable();
    let mut paired = vec![None; events.len()];
    let mut is_used = vec![false; findings.len()];
    for (_, _, event, position) in candidates {
        if let (Some(own @ None), Some(used @ false)) =
            (paired.get_mut(event), is_used.get_mut(position))
        {
            *own = Some(position);
            *used = true;
        }
    }
    paired
}

/// How well a finding fits an event; `None` where they have nothing in common.
fn agreement(event: &EventLabel, finding: &Finding) -> Option<isize> {
    let allowed = event.allowed();
    let right = event.notes.iter().filter(|note| finding.has(note)).count();
    let wrong = finding
        .classes()
        .filter(|class| !allowed.contains(class))
        .count();
    (right > 0).then_some((2 * right).cast_signed() - wrong.cast_signed())
}

/// The rule and the place of the first evidence of `class`.
fn because(finding: &Finding, class: &str) -> String {
    let field = finding.fields.iter().find(|field| field.class == class);
    field.map_or_else(
        || class.to_owned(),
        |field| format!("{class} by {}", field.rule),
    )
}

#[cfg(test)]
mod tests;
