//! Where the report comes from: inputs, hashes, versions, configuration, rules.
//!
//! In: facts and the rules that found something. Out: tables.

use std::collections::BTreeMap;

use super::{
    super::clock::to_second,
    super::facts::{Facts, InputFacts, SectionFacts},
    super::tally::Tally,
    super::text::{clean, counted, grouped},
    label,
};
use crate::{event::Timestamp, phi::Class, rules};

/// Inputs that are listed.
const MAX_INPUTS: usize = 500;
/// Sections of recordings that are listed.
const MAX_SECTIONS: usize = 200;

/// The sections on provenance and rules.
pub(super) struct Origin {
    pub(super) inputs: Vec<Input>,
    pub(super) more_inputs: usize,
    pub(super) sections: Vec<Section>,
    pub(super) more_sections: usize,
    /// Name and value.
    pub(super) settings: Vec<(&'static str, String)>,
    pub(super) topics: Vec<Topic>,
}

/// One file.
pub(super) struct Input {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) bytes: String,
    pub(super) packets: String,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) sha256: String,
}

/// What a recording says about itself.
pub(super) struct Section {
    pub(super) file: String,
    /// Name and value.
    pub(super) facts: Vec<(&'static str, String)>,
}

/// The rules of one class.
pub(super) struct Topic {
    pub(super) class: &'static str,
    pub(super) why: &'static str,
    pub(super) hazards: &'static str,
    pub(super) advice: &'static str,
    pub(super) rules: Vec<(&'static str, &'static str)>,
}

impl Origin {
    pub(super) fn new(tally: &Tally, facts: &Facts) -> Self {
        let mut sections: Vec<Section> = Vec::new();
        let mut more_sections = 0;
        for input in &facts.inputs {
            let mut last: Option<&SectionFacts> = None;
            for section in &input.sections {
                let is_new = last.is_none_or(|last| !is_alike(last, section));
                last = Some(section);
                if is_new && sections.len() < MAX_SECTIONS {
                    sections.push(Section::new(input, section));
                } else if is_new {
                    more_sections += 1;
                }
            }
        }
        Self {
            inputs: facts
                .inputs
                .iter()
                .take(MAX_INPUTS)
                .map(Input::new)
                .collect(),
            more_inputs: facts.inputs.len().saturating_sub(MAX_INPUTS),
            sections,
            more_sections,
            settings: settings(facts),
            topics: topics(tally),
        }
    }
}

fn is_alike(one: &SectionFacts, other: &SectionFacts) -> bool {
    (&one.host, &one.kernel, &one.writer, &one.config, &one.rules)
        == (
            &other.host,
            &other.kernel,
            &other.writer,
            &other.config,
            &other.rules,
        )
        && one.redacted == other.redacted
}

fn settings(facts: &Facts) -> Vec<(&'static str, String)> {
    let or_none = |text: &str, none: &str| {
        if text.is_empty() {
            none.to_owned()
        } else {
            clean(text).into_owned()
        }
    };
    vec![
        ("phiwatch", or_none(&facts.version, "not known")),
        ("Detection rules", or_none(&facts.rules, "not known")),
        (
            "Trackers sought",
            counted(facts.trackers, "entry", "entries"),
        ),
        (
            "SHA-256 of the trackers",
            or_none(&facts.catalog, "not known"),
        ),
        (
            "SHA-256 of the configuration",
            facts
                .config
                .clone()
                .unwrap_or_else(|| "no configuration file: everything at its default".to_owned()),
        ),
        (
            "Conditions for findings",
            facts.filter.as_deref().map_or_else(
                || "none: every finding is counted".to_owned(),
                |filter| clean(filter).into_owned(),
            ),
        ),
    ]
}

impl Input {
    fn new(input: &InputFacts) -> Self {
        let time = |time: Option<Timestamp>| time.map_or_else(|| "–".to_owned(), to_second);
        Self {
            name: clean(&input.name).into_owned(),
            kind: clean(&input.kind).into_owned(),
            bytes: grouped(input.bytes),
            packets: grouped(input.packets),
            first: time(input.span.map(|span| span.first)),
            last: time(input.span.map(|span| span.last)),
            sha256: if input.sha256.is_empty() {
                "not computed".to_owned()
            } else {
                clean(&input.sha256).into_owned()
            },
        }
    }
}

impl Section {
    fn new(input: &InputFacts, section: &SectionFacts) -> Self {
        let SectionFacts {
            host,
            kernel,
            writer,
            config,
            rules,
            redacted,
            clocks,
            lost: _,
        } = section;
        let mut facts = Vec::new();
        for (name, value) in [
            ("host", Some(host)),
            ("kernel", Some(kernel)),
            ("written by", Some(writer)),
            ("configuration", config.as_ref()),
            ("rules", Some(rules)),
        ] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                facts.push((name, clean(value).into_owned()));
            }
        }
        if *redacted {
            facts.push((
                "values",
                "replaced by keyed tokens when recorded".to_owned(),
            ));
        }
        if let Some((_, realtime)) = clocks.first() {
            facts.push(("clock read", to_second(Timestamp(*realtime))));
        }
        Self {
            file: clean(&input.name).into_owned(),
            facts,
        }
    }
}

/// The rules that found something, by class.
fn topics(tally: &Tally) -> Vec<Topic> {
    let mut topics = BTreeMap::<&'static str, Topic>::new();
    for id in &tally.rules {
        let Some((topic, matches)) = rules::find(id) else {
            continue;
        };
        topics
            .entry(topic.class)
            .or_insert_with(|| Topic {
                class: Class::from_name(topic.class).map_or(topic.class, label::class),
                why: topic.why,
                hazards: topic.hazards,
                advice: topic.advice,
                rules: Vec::new(),
            })
            .rules
            .push((id, matches));
    }
    topics.into_values().collect()
}
