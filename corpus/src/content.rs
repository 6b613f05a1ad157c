//! What one event says: who, and what about them.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    attribute::attribute,
    label::{Level, Note},
    person::Person,
    rng::Rng,
    words::{Line, Split, Vehicle, Words},
};

/// A text with what it means.
#[derive(Clone)]
pub struct Text {
    /// The text.
    pub value: String,
    /// What stands there in JSON, if it is not this text.
    pub json: Option<Value>,
    /// What a detector should say about it.
    pub notes: Vec<Note>,
}

/// How much of the person an event carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Email, phone, name and what else the format has room for.
    Direct,
    /// Ids, cookies, an address on the network.
    Pseudonym,
    /// What the format cannot do without.
    Least,
}

/// One event before it is written in a platform's format.
pub struct Content {
    /// Who it is about.
    pub person: Person,
    /// What of the person it carries.
    pub identity: Identity,
    /// The single texts.
    pub texts: HashMap<Vehicle, Text>,
    /// Free properties of the event.
    pub props: Vec<(String, Text)>,
    /// Free attributes of the person.
    pub traits: Vec<(String, Text)>,
    /// Slots that the identity would fill and that stay empty.
    pub skipped: Vec<&'static str>,
    /// Whether the user id is the email address.
    pub mail_as_id: bool,
    /// Templates of what it says that has nothing to do with health.
    pub said: Vec<String>,
    /// Whether numbers are written as numbers, and `a.b` as an object, where the
    /// format is JSON.
    pub typed: bool,
}

const NEUTRAL_EVENTS: &[&str] = &[
    "PageView",
    "Lead",
    "CompleteRegistration",
    "page_view",
    "Form Submitted",
    "sign_up",
];
const NEUTRAL_PATHS: &[&str] = &["/", "/account", "/welcome", "/home?utm_source=newsletter"];
const SKIPPABLE: &[&str] = &[
    "phone", "first", "last", "name", "dob", "sex", "street", "city", "zip", "ip", "ext", "device",
    "anon", "fbp", "fbc", "click",
];

impl Content {
    /// An event of a new person, without any text yet.
    pub fn new(identity: Identity, rng: &mut Rng) -> Self {
        let keep = rng.range(20, 100);
        let skipped = SKIPPABLE
            .iter()
            .copied()
            .filter(|_| !rng.chance(keep))
            .collect();
        let neutral = |text: &str| Text {
            value: text.to_owned(),
            json: None,
            notes: vec![],
        };
        Self {
            person: Person::new(rng),
            identity,
            texts: HashMap::from([
                (Vehicle::Event, neutral(rng.pick(NEUTRAL_EVENTS))),
                (Vehicle::Path, neutral(rng.pick(NEUTRAL_PATHS))),
            ]),
            props: vec![],
            traits: vec![],
            skipped,
            mail_as_id: identity == Identity::Direct && rng.chance(25),
            said: vec![],
            typed: false,
        }
    }

    /// Adds a line of a table.
    pub fn say(&mut self, line: &Line, words: &Words, split: Split, health: bool, rng: &mut Rng) {
        let (key, value) = words.say(line, split, rng);
        let level = if line.vehicle == Vehicle::Prop {
            Level::Explicit
        } else {
            Level::Context
        };
        if !health {
            self.said.push(line.template.clone());
        }
        let notes = if health {
            let related = related(&line.class).iter().map(|class| (*class).to_owned());
            vec![Note {
                class: line.class.clone(),
                or: line.or.clone(),
                also: line.also.iter().cloned().chain(related).collect(),
                level,
                health: true,
                template: line.template.clone(),
            }]
        } else {
            vec![]
        };
        let text = Text {
            value,
            json: None,
            notes,
        };
        if line.vehicle == Vehicle::Prop {
            if !self.props.iter().any(|(other, _)| *other == key) {
                self.props.push((key, text));
            }
        } else {
            self.texts.insert(line.vehicle, text);
        }
    }

    /// Adds an attribute for which platforms have no field.
    pub fn add_attribute(&mut self, as_prop: bool, words: &Words, split: Split, rng: &mut Rng) {
        let (key, text) = attribute(&self.person, words, split, rng);
        let list = if as_prop {
            &mut self.props
        } else {
            &mut self.traits
        };
        if !list.iter().any(|(other, _)| *other == key) {
            list.push((key, text));
        }
    }
}

/// Classes that may also be reported for a text about `class`, because they
/// share its words.
fn related(class: &str) -> &'static [&'static str] {
    match class {
        "substance_use" => &["condition", "treatment", "medication"],
        "condition" => &["substance_use", "reproductive", "treatment"],
        "reproductive" => &["condition", "treatment", "medication", "service_date"],
        "appointment" => &["provider", "treatment", "service_date"],
        "provider" => &["appointment", "treatment"],
        "treatment" => &[
            "condition",
            "substance_use",
            "medication",
            "appointment",
            "provider",
        ],
        "assessment" | "lab" => &["condition"],
        "procedure" => &["treatment", "appointment", "condition"],
        "medication" => &["treatment", "substance_use", "reproductive"],
        "insurance" => &["health_plan_id"],
        _ => &[],
    }
}
