//! How many people are affected: by recipient, in total and by state, with the
//! thresholds of further notifications.
//!
//! In: counts and facts. Out: tables and sentences. The thresholds are those of
//! HIPAA's breach notification rule (45 CFR 164.406 and 164.408).

use super::{
    super::clock::to_second,
    super::facts::Facts,
    super::people::{self, Bounds, Reach},
    super::tally::Tally,
    super::text::{clean, grouped},
};
use crate::phi::state_name;

/// From this many people on, the authority is notified at the same time as they
/// are.
const AUTHORITY: u64 = 500;
/// From this many residents of one state on (more than 500), the media are
/// notified.
const MEDIA: u64 = 501;
/// Recipients that have a row.
const MAX_ROWS: usize = 100;

/// The section.
pub(super) struct Residents {
    pub(super) rows: Vec<Row>,
    pub(super) more: usize,
    pub(super) total: Row,
    pub(super) authority: Verdict,
    pub(super) media: Verdict,
    pub(super) states: Vec<State>,
    pub(super) without_state: bool,
}

/// One recipient.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) findings: String,
    /// About whose health something was said.
    pub(super) at_least: String,
    pub(super) at_most: String,
    /// About whom anything was said.
    pub(super) anyone: String,
    pub(super) first: String,
    pub(super) last: String,
}

/// Whether a threshold is reached.
pub(super) struct Verdict {
    /// `reached`, `possible` or `below`, for the style.
    pub(super) kind: &'static str,
    pub(super) title: &'static str,
    pub(super) text: String,
}

/// One state.
pub(super) struct State {
    pub(super) letters: &'static str,
    pub(super) name: &'static str,
    pub(super) findings: String,
    pub(super) at_least: String,
    pub(super) at_most: String,
    pub(super) kind: &'static str,
    pub(super) verdict: &'static str,
    /// Width of its bar, of 100.
    pub(super) share: u64,
}

impl Residents {
    pub(super) fn new(tally: &Tally, facts: &Facts) -> Self {
        let ranked = tally.ranked();
        let rows = ranked
            .iter()
            .take(MAX_ROWS)
            .map(|(tracker, received)| {
                row(
                    clean(&received.owner).into_owned(),
                    received.findings,
                    people::counted(&received.patients, facts),
                    people::of(tracker, received, facts),
                    received.span,
                )
            })
            .collect();
        let total = people::counted(&tally.patients, facts);
        let anyone = people::in_total(tally, facts);
        let states = states(tally, facts);
        Self {
            rows,
            more: ranked.len().saturating_sub(MAX_ROWS),
            total: row(
                "All recipients".to_owned(),
                tally.findings,
                total,
                anyone,
                tally.span,
            ),
            authority: authority(total, anyone),
            media: media(tally, facts),
            without_state: states.is_empty(),
            states,
        }
    }
}

fn row(
    name: String,
    findings: u64,
    people: Bounds,
    anyone: Bounds,
    span: Option<super::super::facts::Span>,
) -> Row {
    let or_more = if people.is_lower_bound {
        " or more"
    } else {
        ""
    };
    let time =
        |time: Option<crate::event::Timestamp>| time.map_or_else(|| "–".to_owned(), to_second);
    Row {
        name,
        findings: grouped(findings),
        at_least: grouped(people.at_least),
        at_most: format!("{}{or_more}", grouped(people.at_most)),
        anyone: anyone.words(),
        first: time(span.map(|span| span.first)),
        last: time(span.map(|span| span.last)),
    }
}

fn kind(reach: Reach) -> &'static str {
    match reach {
        Reach::Reached => "reached",
        Reach::Possible => "possible",
        Reach::NotReached => "below",
    }
}

fn authority(total: Bounds, anyone: Bounds) -> Verdict {
    let reach = total.reach(AUTHORITY);
    let words = total.words();
    let others = if anyone.at_most > total.at_most {
        format!(
            " With those of whom only an identifier was sent it is {}: they count as well where \
             using the service tells about health.",
            anyone.words()
        )
    } else {
        String::new()
    };
    Verdict {
        kind: kind(reach),
        title: "500 people in total",
        text: match reach {
            Reach::Reached => format!(
                "Reached ({words}). Under HIPAA’s breach notification rule, a breach of this size \
                 is reported to the Department of Health and Human Services together with the \
                 notices to the people, without unreasonable delay and within 60 days of its \
                 discovery."
            ),
            Reach::Possible => format!(
                "Possibly reached ({words}): it depends on which identifiers belong to the same \
                 person. From 500 people on, the Department of Health and Human Services is told \
                 together with the people, within 60 days of the discovery."
            ),
            Reach::NotReached => format!(
                "Not reached by what was seen ({words}). Breaches of fewer than 500 people are \
                 reported to the Department of Health and Human Services once a year. What was \
                 not seen does not count here: read it before relying on this."
            ),
        } + &others,
    }
}

fn media(tally: &Tally, facts: &Facts) -> Verdict {
    let mut reached = Vec::new();
    let mut possible = Vec::new();
    for (letters, (_, disclosed)) in &tally.states {
        let name = state_name(letters).unwrap_or(letters).to_owned();
        match people::counted(disclosed, facts).reach(MEDIA) {
            Reach::Reached => reached.push(name),
            Reach::Possible => possible.push(name),
            Reach::NotReached => {}
        }
    }
    let rule = "Where a breach affects more than 500 residents of one state, HIPAA’s rule asks for \
                a notice to prominent media outlets serving that state, beside the notices to the \
                people.";
    let in_total = people::counted(&tally.patients, facts).reach(MEDIA);
    let (kind, start) = if !reached.is_empty() {
        (
            "reached",
            format!("Reached for {}.", super::super::text::listed(&reached)),
        )
    } else if !possible.is_empty() {
        (
            "possible",
            format!(
                "Possibly reached for {}.",
                super::super::text::listed(&possible)
            ),
        )
    } else if in_total == Reach::NotReached {
        (
            "below",
            "Not reached: fewer people than that are affected in all, by what was seen.".to_owned(),
        )
    } else {
        (
            "possible",
            "Not reached by the states that were seen, but most data does not say in which state \
             somebody lives: compare the people with your own records."
                .to_owned(),
        )
    };
    Verdict {
        kind,
        title: "More than 500 residents of one state",
        text: format!("{start} {rule}"),
    }
}

fn states(tally: &Tally, facts: &Facts) -> Vec<State> {
    let mut sorted: Vec<_> = tally
        .states
        .iter()
        .map(|(letters, (findings, disclosed))| {
            (*letters, *findings, people::counted(disclosed, facts))
        })
        .collect();
    sorted.sort_by_key(|(letters, _, people)| (u64::MAX - people.at_most, *letters));
    let most = sorted
        .first()
        .map_or(1, |(_, _, people)| people.at_most.max(1));
    sorted
        .into_iter()
        .map(|(letters, findings, people)| {
            let reach = people.reach(MEDIA);
            State {
                letters,
                name: state_name(letters).unwrap_or(letters),
                findings: grouped(findings),
                at_least: grouped(people.at_least),
                at_most: format!(
                    "{}{}",
                    grouped(people.at_most),
                    if people.is_lower_bound {
                        " or more"
                    } else {
                        ""
                    }
                ),
                kind: kind(reach),
                verdict: match reach {
                    Reach::Reached => "more than 500",
                    Reach::Possible => "maybe more than 500",
                    Reach::NotReached => "500 or fewer",
                },
                share: (people.at_most.saturating_mul(100) / most).min(100),
            }
        })
        .collect()
}
