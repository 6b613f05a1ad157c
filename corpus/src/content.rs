//! What one event says: who, and what about them.

use std::collections::HashMap;

use crate::{
    dice::Dice,
    label::{Level, Note},
    person::Person,
    words::{Half, Line, Vehicle, Words},
};

/// A text with what it means.
#[derive(Clone)]
pub struct Text {
    /// The text.
    pub value: String,
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
    /// Slots that stay empty, of those that the identity would fill.
    pub skipped: Vec<&'static str>,
    /// Whether the user id is the email address.
    pub mail_as_id: bool,
    /// Templates of what it says that has nothing to do with health.
    pub said: Vec<String>,
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
    /// An event of someone new that says nothing yet.
    pub fn new(identity: Identity, dice: &mut Dice) -> Self {
        let keep = dice.range(20, 100);
        let skipped = SKIPPABLE
            .iter()
            .copied()
            .filter(|_| !dice.chance(keep))
            .collect();
        let neutral = |text: &str| Text {
            value: text.to_owned(),
            notes: vec![],
        };
        Self {
            person: Person::new(dice),
            identity,
            texts: HashMap::from([
                (Vehicle::Event, neutral(dice.pick(NEUTRAL_EVENTS))),
                (Vehicle::Path, neutral(dice.pick(NEUTRAL_PATHS))),
            ]),
            props: vec![],
            traits: vec![],
            skipped,
            mail_as_id: identity == Identity::Direct && dice.chance(25),
            said: vec![],
        }
    }

    /// Adds a line of a table.
    pub fn say(&mut self, line: &Line, words: &Words, half: Half, health: bool, dice: &mut Dice) {
        let (key, value) = words.say(line, half, dice);
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
                or: vec![],
                also: line.also.iter().cloned().chain(related).collect(),
                level,
                health: true,
                template: line.template.clone(),
            }]
        } else {
            vec![]
        };
        let text = Text { value, notes };
        if line.vehicle == Vehicle::Prop {
            if !self.props.iter().any(|(other, _)| *other == key) {
                self.props.push((key, text));
            }
        } else {
            self.texts.insert(line.vehicle, text);
        }
    }

    /// Adds an attribute of a person that platforms have no field for.
    pub fn add_trait(&mut self, as_prop: bool, dice: &mut Dice) {
        let (class, keys, value): (&str, &[&str], String) = match dice.range(0, 12) {
            0 => (
                "ssn",
                &["ssn", "social_security_number", "patientSSN"],
                format!(
                    "{}-{:02}-{:04}",
                    dice.range(201, 665),
                    dice.range(1, 99),
                    dice.range(1, 9999)
                ),
            ),
            1 => (
                "mrn",
                &[
                    "mrn",
                    "medical_record_number",
                    "MRN",
                    "chart_number",
                    "patientMrn",
                ],
                format!("{}{}", dice.pick(&["", "MRN", "E"]), dice.digits(7)),
            ),
            2 | 3 => (
                "health_plan_id",
                &[
                    "member_id",
                    "insurance_member_id",
                    "subscriberId",
                    "policy_number",
                    "insurancePolicyNumber",
                ],
                format!(
                    "{}{}",
                    dice.text(b"ABCDEFGHJKMNPQRTUVWXY", 3),
                    dice.digits(9)
                ),
            ),
            4 => (
                "health_plan_id",
                &["mbi", "medicare_id", "medicareNumber"],
                medicare(dice),
            ),
            5 => (
                "birth_date",
                &["dob", "date_of_birth", "birthDate", "BirthDate", "birthday"],
                self.person.birth.clone(),
            ),
            6 => (
                "zip",
                &["zip", "zip_code", "postalCode", "postal_code"],
                self.person.zip.clone(),
            ),
            7 => (
                "address",
                &["address", "street_address", "address_line_1", "homeAddress"],
                format!("{}, {}", self.person.street, self.person.city),
            ),
            8 => ("sex", &["gender", "sex"], self.person.sex.to_owned()),
            9 => (
                "phone",
                &["mobile", "cell_phone", "phoneNumber", "contact_phone"],
                self.person.phone.clone(),
            ),
            10 => (
                "license",
                &["drivers_license", "driver_license_number", "dl_number"],
                format!("{}{}", dice.text(b"ABCDEFGHJKL", 1), dice.digits(8)),
            ),
            11 => (
                "account",
                &["bank_account_number", "iban", "account_number"],
                "DE89370400440532013000".to_owned(),
            ),
            _ => (
                "service_date",
                &["admission_date", "discharge_date", "date_of_service"],
                format!("2026-{:02}-{:02}", dice.range(1, 11), dice.range(1, 28)),
            ),
        };
        let level = match class {
            "zip" | "sex" | "service_date" => Level::Weak,
            _ => Level::Direct,
        };
        let key = dice.pick(keys).to_owned();
        let also = match class {
            "address" => vec!["city".to_owned(), "zip".to_owned()],
            // A plan's number is insurance, a date of service an appointment.
            "health_plan_id" => vec!["insurance".to_owned()],
            "service_date" => vec!["appointment".to_owned()],
            _ => vec![],
        };
        let or = if class == "service_date" {
            vec!["appointment".to_owned()]
        } else {
            vec![]
        };
        let note = Note {
            class: class.to_owned(),
            or,
            also,
            level,
            health: false,
            template: format!("{class} {}", keys.join("|")),
        };
        let list = if as_prop {
            &mut self.props
        } else {
            &mut self.traits
        };
        if !list.iter().any(|(other, _)| *other == key) {
            list.push((
                key,
                Text {
                    value,
                    notes: vec![note],
                },
            ));
        }
    }
}

/// A Medicare beneficiary identifier.
fn medicare(dice: &mut Dice) -> String {
    const LETTERS: &[u8] = b"ACDEFGHJKMNPQRTUVWXY";
    const BOTH: &[u8] = b"0123456789ACDEFGHJKMNPQRTUVWXY";
    const DIGITS: &[u8] = b"0123456789";
    let mut out = dice.text(b"123456789", 1);
    for alphabet in [
        LETTERS, BOTH, DIGITS, LETTERS, BOTH, DIGITS, LETTERS, LETTERS, DIGITS, DIGITS,
    ] {
        out += &dice.text(alphabet, 1);
    }
    if dice.chance(40) {
        out.insert(7, '-');
        out.insert(4, '-');
    }
    out
}

/// Classes that a text about `class` may give as well: the words of one are
/// words of the other.
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
