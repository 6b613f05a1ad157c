//! A disclosed canary to its finding.

use super::Disclosure;
use crate::{
    field::Fields,
    finding::{Context, FieldRecord, Finding, Kind, Severity, Values, blank, id, place, show},
    message::{PlantedNote, PlantingNote},
    name,
    phi::Class,
    rules,
    token::{Token, TokenKey},
};

/// Fields of one finding beyond this are not listed.
const MAX_FIELDS: usize = 64;

/// A disclosed canary, without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planting {
    /// Its number in the configuration, from 1.
    pub canary: usize,
    /// The name of the synthetic patient in findings.
    pub person: Token,
    /// Where its values are, in the order of the message.
    pub fields: Vec<FieldRecord>,
}

impl Planting {
    /// The planting as a capture holds it.
    pub fn note(&self) -> PlantingNote {
        let fields = self.fields.iter().filter_map(|field| {
            Some(PlantedNote {
                class: field.class.into(),
                form: field.form?.into(),
                rule: field.rule.to_owned(),
                path: field.path.clone(),
                token: field.token?.into(),
            })
        });
        PlantingNote {
            canary: self.canary.try_into().unwrap_or(u32::MAX),
            person: self.person.into(),
            fields: fields.collect(),
        }
    }

    /// The planting that a note stands for.
    pub fn from_note(note: &PlantingNote) -> Option<Self> {
        let fields = note.fields.iter().take(MAX_FIELDS).map(|field| {
            Some(FieldRecord {
                class: field.class.value()?,
                form: Some(field.form.value()?),
                path: field.path.clone(),
                rule: rules::id(&field.rule)?,
                masked: "…".to_owned(),
                token: Some(field.token.value()?),
                labels: Vec::new(),
            })
        });
        Some(Self {
            canary: note.canary as usize,
            person: note.person.value()?,
            fields: fields.collect::<Option<_>>()?,
        })
    }
}

/// What the finding needs to know about a disclosure in `fields`.
pub fn prove(key: &TokenKey, fields: &Fields, disclosure: &Disclosure) -> Planting {
    let planted = disclosure
        .hits
        .iter()
        .map(|hit| hit.normalized.expose().as_str());
    let values = Values::of(planted);
    let records = disclosure.hits.iter().take(MAX_FIELDS).map(|hit| {
        let class = Class::Identifier(hit.planted.identifier());
        FieldRecord {
            class,
            form: Some(hit.form),
            path: hit
                .field
                .and_then(|field| fields.get(field))
                .map_or_else(|| "body".to_owned(), |field| show(&field, &values)),
            rule: hit.planted.rule(),
            masked: "…".to_owned(),
            token: Some(key.token(class.as_str(), hit.normalized.expose())),
            labels: Vec::new(),
        }
    });
    Planting {
        canary: disclosure.canary,
        // One name for the synthetic patient, whichever of the values were
        // sent.
        person: key.token("canary", &disclosure.canary.to_string()),
        fields: records.collect(),
    }
}

/// The finding of a disclosed canary. Only the operator knows the planted
/// values, so it is critical whoever the recipient is.
pub fn finding(context: &Context<'_>, planting: &Planting) -> Finding {
    let mut finding = blank(context, Kind::Canary, Severity::Critical);
    let identifiers = planting
        .fields
        .iter()
        .filter_map(|field| match field.class {
            Class::Identifier(identifier) => Some(identifier),
            Class::Health(_) => None,
        });
    finding.identifiers = name::sorted(identifiers);
    finding.fields.clone_from(&planting.fields);
    finding.id = id(&finding);
    finding.why = why(context, planting.canary);
    finding.person = Some(planting.person);
    finding.evidence = place(context);
    finding
}

fn why(context: &Context<'_>, canary: usize) -> String {
    let recipient = context
        .matched
        .map_or("A third party that the catalog does not know", |matched| {
            &matched.tracker.owner
        });
    let status = context.request.status;
    let verb = if status.is_some_and(|status| status >= 400) {
        "was sent"
    } else {
        "received"
    };
    let answer = status.map_or_else(
        || "no answer was seen".to_owned(),
        |status| format!("the request was answered with {status}"),
    );
    format!(
        "{recipient} {verb} planted values of the synthetic patient number {canary} of the \
         configuration; {answer}. Severity critical: nobody sends these values by accident, so \
         what happens to this patient's data happens to that of real ones."
    )
}
