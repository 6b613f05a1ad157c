//! Evidence to a judgment of each event.
//!
//! Input: what the rules found in a message, and its facts. Output: the evidence that
//! the whole event bears out. What rules found of health stays where the sum of facts
//! says that the event tells something of someone's health; classes that no rule found
//! are added where their own sum says so, at the field that spoke most for them.

use std::{cell::OnceCell, cmp::Reverse, collections::BTreeMap};

use hashbrown::HashMap;

use super::{
    Class, Evidence, Form, Health, Identifier, Strength, date,
    facts::{self, Fact, FactKind},
    mask,
    path::{Layout, PathId, Paths},
    score::Sums,
    stem::stem,
    subject, terms,
};
use crate::{
    field::{Fields, StepId, ValueKind},
    secret::Secret,
};

/// Facts of one message; what lies beyond gives none.
const MAX_FACTS: usize = 65_536;
/// The fact that every event has.
pub(super) const ALWAYS: Fact<'static> = Fact {
    kind: FactKind::Always,
    first: "",
    second: "",
};

/// What an event in which rules found something of health has besides: it needs less.
const KEPT: Fact<'static> = Fact {
    kind: FactKind::Always,
    first: "found",
    second: "",
};

/// How many records of one person a profile is added to.
const MAX_INTRODUCED: usize = 64;

/// The fact that rules found something of health.
const FOUND: Fact<'static> = Fact {
    kind: FactKind::Evidence,
    first: "health",
    second: "",
};

/// Classes whose events have dates of care.
const DATED: [Health; 4] = [
    Health::Appointment,
    Health::Procedure,
    Health::Lab,
    Health::Treatment,
];

/// Bytes of a value that is evidence as a whole.
const MAX_SHOWN: usize = 256;

/// A fact and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    element: Option<StepId>,
    fact: u64,
    field: u32,
    is_phrase: bool,
}

/// The facts of a message: those of its fields, and which classes rules found. `contexts`
/// are those of [`facts::contexts`].
pub(super) fn gather(
    fields: &Fields,
    ids: &[Option<PathId>],
    layout: &Layout,
    paths: &Paths,
    contexts: &[bool],
    evidence: &[Evidence],
    take: &mut dyn FnMut(Option<StepId>, usize, Fact<'_>),
) {
    let identifies = having(fields.len(), evidence, identifies);
    facts::facts(
        fields,
        ids,
        paths,
        &identifies,
        contexts,
        &mut |field, fact| {
            let element = fields.get(field).and_then(|field| layout.element(&field));
            take(element, field, fact);
        },
    );
    for item in evidence {
        let fact = Fact {
            kind: FactKind::Evidence,
            first: item.class.as_str(),
            second: item.strength.as_str(),
        };
        take(item.element, item.field, fact);
        let is_told = match item.class {
            // A provider alone is no secret of a patient.
            Class::Health(health) => health != Health::Provider,
            Class::Identifier(_) => false,
        };
        if is_told {
            take(item.element, item.field, FOUND);
        }
    }
}

/// Whether a field is an identifier as it is: its words are names and no facts.
const fn identifies(class: Class) -> bool {
    matches!(
        class,
        Class::Identifier(
            Identifier::Email
                | Identifier::Name
                | Identifier::Phone
                | Identifier::Address
                | Identifier::City
                | Identifier::ExternalId
                | Identifier::OnlineId
                | Identifier::DeviceId
                | Identifier::Ip
        )
    )
}

/// Of each of so many fields, whether it has evidence of a class that fits.
fn having(count: usize, evidence: &[Evidence], fits: fn(Class) -> bool) -> Vec<bool> {
    let mut has = vec![false; count];
    for item in evidence.iter().filter(|item| fits(item.class)) {
        if let Some(has) = has.get_mut(item.field) {
            *has = true;
        }
    }
    has
}

/// The evidence that each event bears out, in the order of the fields.
pub(super) fn judge(
    fields: &Fields,
    ids: &[Option<PathId>],
    layout: &Layout,
    paths: &Paths,
    evidence: Vec<Evidence>,
) -> Vec<Evidence> {
    let people = People::new(&evidence);
    let contexts = facts::contexts(fields, ids, layout, paths);
    let mut placed = Vec::new();
    gather(
        fields,
        ids,
        layout,
        paths,
        &contexts,
        &evidence,
        &mut |element, field, fact| {
            if placed.len() < MAX_FACTS {
                placed.push(Placed {
                    element: element.map(|own| people.of(own)),
                    fact: fact.hash(),
                    field: field as u32,
                    is_phrase: fact.kind == FactKind::Phrase,
                });
            }
        },
    );
    placed.sort_unstable();
    let shared_end = placed.partition_point(|own| own.element.is_none());
    let (shared, own) = placed.split_at(shared_end);
    let settled = having(fields.len(), &evidence, is_settled);
    let mut judged: HashMap<Option<StepId>, Vec<Evidence>> = HashMap::new();
    let mut is_any = false;
    let mut events: Vec<&[Placed]> = own.chunk_by(|a, b| a.element == b.element).collect();
    if events.is_empty() {
        events.push(&[]);
    }
    for event in events {
        let sums = sum(shared, event);
        if !sums.is_health() {
            continue;
        }
        is_any = true;
        let person = event.first().and_then(|first| first.element);
        let added = judged.entry(person).or_default();
        let known: Vec<Health> = evidence
            .iter()
            .filter(|item| {
                let own = item.element.map(|own| people.of(own));
                own.is_none() || own == person
            })
            .filter_map(|item| match item.class {
                Class::Health(health) => Some(health),
                Class::Identifier(_) => None,
            })
            .collect();
        let mut told: Vec<Health> = sums.classes().collect();
        // An event that tells something tells at least what is likeliest.
        if told.is_empty() && known.iter().all(|class| *class == Health::Provider) {
            told.push(sums.likeliest());
        }
        let spoken = OnceCell::new();
        for class in told.iter().filter(|class| !known.contains(class)) {
            let fields_spoke = spoken.get_or_init(|| by_field(shared, event));
            let spoke = spoke_most(*class, fields_spoke);
            added.extend(spoke.and_then(|at| said(fields, &contexts, layout, at, *class)));
        }
        let is_dated = told.iter().any(|class| DATED.contains(class));
        let own = event
            .iter()
            .chain(shared)
            .map(|placed| placed.field as usize);
        let mut own: Vec<usize> = own.filter(|at| contexts.get(*at) == Some(&false)).collect();
        own.sort_unstable();
        own.dedup();
        for at in own {
            if settled.get(at) == Some(&true) {
                continue;
            }
            let Some(found) = identified(fields, ids, layout, paths, at, is_dated) else {
                continue;
            };
            // Who has the number of a plan has a plan.
            let is_plan = found.class == Class::Identifier(Identifier::HealthPlanId);
            if is_plan && !known.contains(&Health::Insurance) && !told.contains(&Health::Insurance)
            {
                added.extend(said(fields, &contexts, layout, at, Health::Insurance));
            }
            added.push(found);
        }
    }
    let mut kept: Vec<Evidence> = evidence
        .into_iter()
        .filter(|item| match (item.class, item.element) {
            (Class::Identifier(_), _) => true,
            (Class::Health(_), None) => is_any,
            (Class::Health(_), Some(own)) => judged.contains_key(&Some(people.of(own))),
        })
        .collect();
    let mut added: Vec<Evidence> = judged.into_values().flatten().collect();
    added.sort_by_key(|item| (item.field, item.class));
    added.dedup_by(|a, b| (a.field, a.class) == (b.field, b.class));
    kept.extend(added);
    kept.sort_by_key(|item| item.field);
    people.introduce(&mut kept);
    kept
}

/// Which array elements are about one person: a batch may have the person's profile in
/// one record and what happened in another, joined by an id.
struct People(HashMap<StepId, StepId>);

impl People {
    fn new(evidence: &[Evidence]) -> Self {
        let mut first: HashMap<(Identifier, &str), StepId> = HashMap::new();
        let mut people = Self(HashMap::new());
        for item in evidence {
            let (Class::Identifier(identifier), Some(element)) = (item.class, item.element) else {
                continue;
            };
            if !matches!(
                identifier,
                Identifier::ExternalId | Identifier::Email | Identifier::Phone
            ) {
                continue;
            }
            let key = (identifier, item.normalized.expose().as_str());
            let known = *first.entry(key).or_insert(element);
            if people.of(known) != people.of(element) {
                let (one, other) = (people.of(known), people.of(element));
                people.0.insert(one.max(other), one.min(other));
            }
        }
        people
    }

    /// The first element that is about the same person.
    fn of(&self, element: StepId) -> StepId {
        let mut own = element;
        // Each step leads to an earlier element.
        while let Some(earlier) = self.0.get(&own) {
            own = *earlier;
        }
        own
    }

    /// Gives the records of what happened the identifiers of the person's profile: those
    /// of elements that tell nothing about health.
    fn introduce(&self, evidence: &mut Vec<Evidence>) {
        if self.0.is_empty() {
            return;
        }
        let mut tells: BTreeMap<StepId, StepId> = BTreeMap::new();
        for item in &*evidence {
            if let (Class::Health(_), Some(element)) = (item.class, item.element) {
                tells.insert(element, self.of(element));
            }
        }
        let mut added = Vec::new();
        for item in &*evidence {
            let Some(element) = item.element else {
                continue;
            };
            let is_direct = matches!(item.strength, Strength::I2 | Strength::I3);
            if !is_direct || tells.contains_key(&element) {
                continue;
            }
            let person = self.of(element);
            let others = tells.iter().filter(|(_, own)| **own == person);
            for (other, _) in others.take(MAX_INTRODUCED) {
                added.push(Evidence {
                    element: Some(*other),
                    ..item.clone()
                });
            }
        }
        added.sort_by_key(|item| (item.field, item.element));
        evidence.extend(added);
        evidence.sort_by_key(|item| item.field);
    }
}

/// The sums of an event: each fact counts once.
fn sum(shared: &[Placed], own: &[Placed]) -> Sums {
    let mut sums = Sums::default();
    let found = FOUND.hash();
    let (mut facts, mut phrases, mut is_found) = (0, 0, false);
    let is_new = |item: &&Placed| {
        let place = own.binary_search_by_key(&item.fact, |own| own.fact);
        place.is_err()
    };
    for item in distinct(own).chain(distinct(shared).filter(is_new)) {
        sums.add(item.fact);
        facts += 1;
        phrases += usize::from(item.is_phrase);
        is_found |= item.fact == found;
    }
    for fact in facts::counts(phrases) {
        sums.add(fact.hash());
        facts += 1;
    }
    sums.share(facts);
    sums.add(ALWAYS.hash());
    if is_found {
        sums.add(KEPT.hash());
    }
    sums
}

/// One of each fact of `placed`, in which the same ones follow one another.
fn distinct(placed: &[Placed]) -> impl Iterator<Item = &Placed> {
    placed
        .chunk_by(|a, b| a.fact == b.fact)
        .filter_map(<[Placed]>::first)
}

/// What the facts of each field of an event say.
fn by_field(shared: &[Placed], own: &[Placed]) -> HashMap<u32, Sums> {
    let mut fields: HashMap<u32, Sums> = HashMap::new();
    for item in own.iter().chain(shared) {
        fields.entry(item.field).or_default().add(item.fact);
    }
    fields
}

/// The field whose facts speak most for a class; the first of several.
fn spoke_most(class: Health, fields: &HashMap<u32, Sums>) -> Option<usize> {
    let weight = |sums: &Sums| sums.class(class).saturating_add(sums.health() / 4);
    let most = fields
        .iter()
        .max_by_key(|(field, sums)| (weight(sums), Reverse(**field)));
    most.map(|(field, _)| *field as usize)
}

/// Whether evidence leaves no doubt what a field is: numbers of plans and records are also
/// known as ids of some kind.
const fn is_settled(class: Class) -> bool {
    match class {
        Class::Health(_) => false,
        Class::Identifier(identifier) => !matches!(
            identifier,
            Identifier::ExternalId | Identifier::Account | Identifier::License
        ),
    }
}

/// What the key of a field of an event about health makes of its value: a date of care,
/// the number of a health plan or of a record.
fn identified(
    fields: &Fields,
    ids: &[Option<PathId>],
    layout: &Layout,
    paths: &Paths,
    index: usize,
    is_dated: bool,
) -> Option<Evidence> {
    let field = fields.get(index)?;
    let value = subject::examined(&field);
    if !value.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let path = paths.get(ids.get(index).copied().flatten()?);
    let words: Vec<_> = path
        .keys
        .last()?
        .words
        .iter()
        .map(|word| stem(word))
        .collect();
    let says: Vec<&str> = terms::of_key(&words).collect();
    let says = |name: &str| says.contains(&name);
    // Seconds since 1970 are when something was sent, more often than when it happens.
    let is_count = value.len() != 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    let date = (field.kind() == ValueKind::Text && !is_count)
        .then(|| date::parse_moment(value))
        .flatten();
    let (identifier, rule, strength, normalized) = if let Some(date) = date {
        let is = (says("service_date") || is_dated) && !says("not_service_date");
        is.then(|| {
            (
                Identifier::ServiceDate,
                "service_date.event",
                Strength::I1,
                date.iso(),
            )
        })?
    } else if !is_number(value) {
        return None;
    } else if says("health_plan_id") && !says("not_health_plan_id") {
        let number = value.to_lowercase();
        (
            Identifier::HealthPlanId,
            "health_plan_id.event",
            Strength::I3,
            number,
        )
    } else if says("mrn") && !says("not_mrn") {
        (
            Identifier::Mrn,
            "mrn.event",
            Strength::I3,
            value.to_lowercase(),
        )
    } else {
        return None;
    };
    Some(Evidence {
        class: Class::Identifier(identifier),
        form: Form::Plain,
        field: index,
        rule,
        masked: mask(&normalized),
        normalized: Secret::new(normalized),
        strength,
        element: layout.element(&field),
    })
}

/// Whether a value looks like a number that someone gave out: digits, more than a year
/// has, letters and what separates them.
fn is_number(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"- ./".contains(&byte);
    (4..=30).contains(&value.len()) && digits >= 4 && value.bytes().all(fits)
}

/// Evidence that an event says something of a class, at one of its fields.
fn said(
    fields: &Fields,
    contexts: &[bool],
    layout: &Layout,
    index: usize,
    class: Health,
) -> Option<Evidence> {
    let field = fields.get(index)?;
    let value = subject::examined(&field);
    let is_context = contexts.get(index) == Some(&true);
    let shown = value
        .get(..value.floor_char_boundary(MAX_SHOWN))
        .unwrap_or(value);
    let normalized = shown.to_lowercase();
    Some(Evidence {
        class: Class::Health(class),
        form: Form::Plain,
        field: index,
        rule: rule(class),
        masked: if field.kind() == ValueKind::Text {
            mask(&normalized)
        } else {
            "…".to_owned()
        },
        normalized: Secret::new(normalized),
        strength: if is_context {
            Strength::H2
        } else {
            Strength::H3
        },
        element: layout.element(&field),
    })
}

/// The rule by which an event as a whole gives a class.
const fn rule(class: Health) -> &'static str {
    match class {
        Health::Condition => "condition.event",
        Health::Medication => "medication.event",
        Health::Procedure => "procedure.event",
        Health::Lab => "lab.event",
        Health::Assessment => "assessment.event",
        Health::Appointment => "appointment.event",
        Health::Treatment => "treatment.event",
        Health::Insurance => "insurance.event",
        Health::Provider => "provider.event",
        Health::Reproductive => "reproductive.event",
        Health::SubstanceUse => "substance_use.event",
        // Declared by the operator, never found.
        Health::Inherent => "",
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        class::{Class, Strength},
        phi::{Evidence, detect, tests::fields},
    };

    fn found(pairs: &[(&str, &str)]) -> Vec<Evidence> {
        detect(&fields(pairs))
    }

    fn classes(evidence: &[Evidence]) -> Vec<&'static str> {
        let health = evidence.iter().filter(|item| item.class.is_health());
        let mut classes: Vec<_> = health.map(|item| item.class.as_str()).collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    #[test]
    fn an_event_is_judged_as_a_whole() {
        for (pairs, expected) in [
            (
                &[
                    ("event", "Order Completed"),
                    ("properties.medication", "metformin 500 mg"),
                    ("user.email", "a.b@example.com"),
                ][..],
                "medication",
            ),
            (
                &[
                    ("event", "cita_confirmada"),
                    ("properties.diagnostico", "psoriasis en placas"),
                    ("properties.tratamiento", "fototerapia"),
                    ("user.email", "a.b@example.com"),
                ],
                "condition",
            ),
            (
                &[
                    ("event", "Order Completed"),
                    ("properties.product", "Oak bookshelf, five shelves"),
                    ("user.email", "a.b@example.com"),
                ],
                "",
            ),
            (
                &[
                    ("event", "Appointment Booked"),
                    ("properties.service", "Women's cut and color"),
                    ("properties.stylist", "Dana"),
                    ("user.email", "a.b@example.com"),
                ],
                "",
            ),
        ] {
            let evidence = found(pairs);
            let classes = classes(&evidence);
            if expected.is_empty() {
                assert_eq!(classes, Vec::<&str>::new(), "{pairs:?}");
            } else {
                assert!(classes.contains(&expected), "{pairs:?}: {classes:?}");
            }
        }
    }

    #[test]
    fn a_profile_introduces_the_records_of_the_same_person() {
        let evidence = found(&[
            ("attributes.0.external_id", "u-48213377"),
            ("attributes.0.email", "a.b@example.com"),
            ("events.0.external_id", "u-48213377"),
            ("events.0.name", "prescription_refilled"),
            ("events.0.properties.drug", "sertraline"),
            ("events.1.external_id", "u-99124410"),
            ("events.1.name", "page_view"),
        ]);
        let drug = evidence
            .iter()
            .find(|item| item.class.as_str() == "medication")
            .expect("a drug");
        let emails: Vec<_> = evidence
            .iter()
            .filter(|item| item.class.as_str() == "email")
            .map(|item| item.element)
            .collect();
        assert!(emails.contains(&drug.element), "{emails:?}");
        assert_eq!(emails.len(), 2, "its own, and one more");
    }

    #[test]
    fn parts_of_an_address_are_no_statements() {
        let evidence = found(&[
            ("event", "page_view"),
            (
                "page",
                "https://www.example.com/services/insomnia-treatment",
            ),
            ("user.email", "a.b@example.com"),
        ]);
        let health = evidence.iter().filter(|item| item.class.is_health());
        assert!(health.clone().count() > 0);
        for item in health {
            assert_eq!(item.strength, Strength::H2, "{}", item.rule);
        }
        let is_email = |item: &Evidence| matches!(item.class, Class::Identifier(_));
        assert!(evidence.iter().any(is_email));
    }
}
