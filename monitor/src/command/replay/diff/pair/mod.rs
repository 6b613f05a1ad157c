//! Findings of one message under two configurations, side by side.
//!
//! In: the findings under either configuration. Out: the findings that only one
//! has, and the pairs that are about the same and differ.

use std::borrow::Cow;

use serde::Serialize;

use crate::{
    finding::{Finding, Kind, category_name, form_name},
    name::joined,
    phi::Class,
};

/// What happened to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// Only the other configuration has it.
    Gained,
    /// Only the first configuration has it.
    Lost,
    /// Both have it, and say different things of it.
    Changed,
}

impl Outcome {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Gained => "gained",
            Self::Lost => "lost",
            Self::Changed => "changed",
        }
    }
}

/// One difference between the two.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    #[serde(rename = "change")]
    pub(super) outcome: Outcome,
    /// What differs, for a pair.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) differs: Vec<Difference>,
    pub(super) before: Option<Finding>,
    pub(super) after: Option<Finding>,
}

/// One respect in which two findings differ.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// The name in the record.
    pub(super) what: &'static str,
    /// As it was.
    pub(super) before: String,
    /// As it is.
    pub(super) after: String,
}

/// The differences between the findings of one message, lost and changed ones
/// of `before` first, and how many findings are equal.
pub(super) fn pair(before: Vec<Finding>, after: Vec<Finding>) -> (Vec<Change>, u64) {
    let mut after: Vec<Option<Finding>> = after.into_iter().map(Some).collect();
    let mut before: Vec<Option<Finding>> = before.into_iter().map(Some).collect();
    let mut partners: Vec<Option<Finding>> = before.iter().map(|_| None).collect();
    // The most certain pairs first: the same id, the same fields, the same
    // element.
    let tests: [fn(&Finding, &Finding) -> bool; 3] = [
        |one, other| one.id == other.id,
        |one, other| is_alike(one, other) && places(one).eq(places(other)),
        |one, other| is_alike(one, other) && element(one) == element(other),
    ];
    for is_same in tests {
        for (own, partner) in before.iter().zip(&mut partners) {
            let Some(own) = own.as_ref().filter(|_| partner.is_none()) else {
                continue;
            };
            let found = after
                .iter_mut()
                .find(|other| other.as_ref().is_some_and(|other| is_same(own, other)));
            *partner = found.and_then(Option::take);
        }
    }
    let mut changes = Vec::new();
    let mut unchanged = 0;
    for (before, after) in before.iter_mut().map(Option::take).zip(partners) {
        let differs = match (&before, &after) {
            (Some(before), Some(after)) => differences(before, after),
            _ => Vec::new(),
        };
        let outcome = match &after {
            Some(_) if differs.is_empty() => {
                unchanged += 1;
                continue;
            }
            Some(_) => Outcome::Changed,
            None => Outcome::Lost,
        };
        changes.push(Change {
            outcome,
            differs,
            before,
            after,
        });
    }
    changes.extend(after.into_iter().flatten().map(|finding| Change {
        outcome: Outcome::Gained,
        differs: Vec::new(),
        before: None,
        after: Some(finding),
    }));
    (changes, unchanged)
}

/// Whether two findings of one message can be about the same thing. A page
/// loads several trackers, a request goes to one.
fn is_alike(one: &Finding, other: &Finding) -> bool {
    one.kind == other.kind
        && (one.kind != Kind::Page || one.recipient.host == other.recipient.host)
        && one.people.is_some() == other.people.is_some()
}

fn places(finding: &Finding) -> impl Iterator<Item = (Class, &str)> {
    let fields = finding.fields.iter();
    fields.map(|field| (field.class, field.path.as_str()))
}

/// The element of an array that a finding is about: the path up to its number.
fn element(finding: &Finding) -> Option<&str> {
    finding.fields.iter().find_map(|field| {
        let end = field.path.find(']')?;
        field.path.get(..=end)
    })
}

fn differences(before: &Finding, after: &Finding) -> Vec<Difference> {
    let fields = |finding: &Finding| {
        let fields = finding.fields.iter();
        let fields = fields.map(|field| {
            let form = form_name(field.form);
            format!("{} ({}, {form})", field.path, field.rule)
        });
        fields.collect::<Vec<_>>().join(", ")
    };
    let field_labels = |finding: &Finding| {
        let fields = finding
            .fields
            .iter()
            .filter(|field| !field.labels.is_empty());
        let fields = fields.map(|field| format!("{}: {}", field.path, joined(&field.labels, " ")));
        fields.collect::<Vec<_>>().join(", ")
    };
    let values = |finding: &Finding| {
        let recipient = &finding.recipient;
        let service = finding.process.service.clone().unwrap_or_default();
        let people = finding.people.map(|count| count.to_string());
        [
            ("severity", finding.severity.as_str().to_owned()),
            ("recipient.tracker", recipient.tracker.to_string()),
            ("recipient.owner", recipient.owner.to_string()),
            (
                "recipient.category",
                category_name(recipient.category).to_owned(),
            ),
            ("recipient.host", recipient.host.clone()),
            ("identifiers", joined(&finding.identifiers, ",")),
            ("health", joined(&finding.health, ",")),
            ("labels", joined(&finding.labels, ",")),
            ("fields", fields(finding)),
            ("fields.labels", field_labels(finding)),
            ("people", people.unwrap_or_default()),
            ("process.service", service),
        ]
    };
    values(before)
        .into_iter()
        .zip(values(after))
        .filter(|(before, after)| before != after)
        .map(|((what, before), (_, after))| Difference {
            what,
            before,
            after,
        })
        .collect()
}

impl Change {
    /// The finding as it is, or as it was.
    pub(super) fn latest(&self) -> Option<&Finding> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// What changed, in words.
    pub(super) fn words(&self) -> String {
        let words = self.differs.iter().map(|difference| {
            let Difference {
                what,
                before,
                after,
            } = difference;
            match *what {
                "identifiers" | "health" | "labels" => {
                    format!("{what} {}", members(before, after))
                }
                // Long, and implied by the differences that follow from them.
                "fields" | "fields.labels" => (*what).to_owned(),
                _ => format!("{what} {} → {}", shown(before), shown(after)),
            }
        });
        words.collect::<Vec<_>>().join("; ")
    }
}

fn shown(value: &str) -> Cow<'_, str> {
    Cow::Borrowed(if value.is_empty() { "none" } else { value })
}

/// The members that came and went.
fn members(before: &str, after: &str) -> String {
    let members = |list: &str| -> Vec<String> {
        let all = list.split(',').filter(|member| !member.is_empty());
        all.map(str::to_owned).collect()
    };
    let (before, after) = (members(before), members(after));
    let came = after.iter().filter(|own| !before.contains(own));
    let went = before.iter().filter(|own| !after.contains(own));
    let came = came.map(|own| format!("+{own}"));
    let all: Vec<String> = came.chain(went.map(|own| format!("-{own}"))).collect();
    all.join(" ")
}

#[cfg(test)]
mod tests;
