//! A disclosed canary to its finding.

use std::collections::BTreeSet;

use super::Disclosure;
use crate::{
    field::Fields,
    finding::{Context, FieldRecord, Finding, Kind, Severity, Values, blank, id, place, show},
    token::digits,
};

/// Fields of one finding beyond this are not listed.
const MAX_FIELDS: usize = 64;

/// The finding of a disclosed canary. Nobody but the operator knows the planted
/// values, so it is critical whoever received them.
pub fn finding(context: &Context<'_>, fields: &Fields, disclosure: &Disclosure) -> Finding {
    let planted = disclosure
        .hits
        .iter()
        .map(|hit| hit.normalized.expose().as_str());
    let values = Values::of(planted);
    let mut finding = blank(context, Kind::Canary, Severity::Critical);
    let classes: BTreeSet<_> = disclosure
        .hits
        .iter()
        .map(|hit| hit.planted.identifier().as_str())
        .collect();
    finding.identifiers = classes.into_iter().collect();
    finding.fields = disclosure
        .hits
        .iter()
        .take(MAX_FIELDS)
        .map(|hit| {
            let class = hit.planted.identifier().as_str();
            FieldRecord {
                class,
                form: hit.form,
                path: hit
                    .field
                    .and_then(|field| fields.get(field))
                    .map_or_else(|| "body".to_owned(), |field| show(&field, &values)),
                rule: hit.planted.rule(),
                masked: "…".to_owned(),
                token: context.key.token(class, hit.normalized.expose()),
                labels: Vec::new(),
            }
        })
        .collect();
    finding.id = id(&finding);
    finding.why = why(context, disclosure);
    // One name for the synthetic patient, whichever values were sent.
    let number = context.key.number("canary", &disclosure.canary.to_string());
    finding.person = Some(digits(number));
    finding.evidence = place(context);
    finding
}

fn why(context: &Context<'_>, disclosure: &Disclosure) -> String {
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
        "{recipient} {verb} planted values of the synthetic patient number {} of the \
         configuration; {answer}. Severity critical: nobody sends these values by accident, so \
         what happens to this patient's data happens to that of real ones.",
        disclosure.canary
    )
}
