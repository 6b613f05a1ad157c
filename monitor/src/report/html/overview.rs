//! What happened, in plain words.
//!
//! In: counts and facts. Out: the sentences at the top of the page, and which
//! parts of them are certain.

use super::{
    super::clock::{lasting, to_second},
    super::facts::Facts,
    super::people::{self, Bounds},
    super::tally::Tally,
    super::text::{clean, counted, grouped, listed},
    label,
};
use crate::{
    finding::{Finding, Kind, Severity},
    phi::Class,
};

/// How many recipients and classes a sentence names; others are counted.
const MAX_NAMED: usize = 5;

/// The summary.
pub(super) struct Overview {
    pub(super) headline: String,
    pub(super) severity: &'static str,
    pub(super) sentences: Vec<String>,
    pub(super) tiles: Vec<Tile>,
    pub(super) certain: Vec<String>,
    pub(super) uncertain: Vec<String>,
    /// The conditions in force.
    pub(super) filter: Option<String>,
}

/// One number.
pub(super) struct Tile {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) note: String,
}

impl Overview {
    pub(super) fn new(tally: &Tally, facts: &Facts, worst: Option<&Finding>) -> Self {
        let people = if tally.with_health > 0 {
            people::counted(&tally.patients, facts)
        } else {
            people::in_total(tally, facts)
        };
        let anyone = people::in_total(tally, facts);
        Self {
            headline: headline(tally, people),
            severity: tally.worst().map_or("none", Severity::as_str),
            sentences: sentences(tally, people, anyone, worst),
            tiles: tiles(tally, people),
            certain: certain(tally),
            uncertain: uncertain(tally, facts, people),
            filter: facts
                .filter
                .as_deref()
                .map(|filter| clean(filter).into_owned()),
        }
    }
}

fn headline(tally: &Tally, people: Bounds) -> String {
    if tally.findings == 0 {
        return "No disclosure was found".to_owned();
    }
    let count = tally.recipients.len() as u64;
    let recipients = counted(count, "company", "companies");
    let what = if tally.with_health > 0 {
        "Health information"
    } else {
        "Personal data"
    };
    if people.at_most == 0 {
        format!("{what} went to {recipients}")
    } else {
        let noun = if people.at_most == 1 {
            "person"
        } else {
            "people"
        };
        format!(
            "{what} about {} {noun} went to {recipients}",
            people.words()
        )
    }
}

fn sentences(
    tally: &Tally,
    people: Bounds,
    anyone: Bounds,
    worst: Option<&Finding>,
) -> Vec<String> {
    let Some(span) = tally.span else {
        return vec![
            "In what was examined, nothing that identifies a person or tells about their health \
             went to a company that phiwatch knows as a tracker. That is no proof that nothing \
             did: read below what was not seen."
                .to_owned(),
        ];
    };
    let mut sentences = vec![format!(
        "Between {} and {} ({}), {} {} data going to {}.",
        to_second(span.first),
        to_second(span.last),
        lasting(span.last.since(span.first)),
        counted(tally.findings, "finding", "findings"),
        if tally.findings == 1 { "shows" } else { "show" },
        recipients(tally),
    )];
    let classes = |is_health: bool| {
        let mut sums = std::collections::BTreeMap::<Class, u64>::new();
        for received in tally.recipients.values() {
            for (class, count) in &received.classes {
                if class.is_health() == is_health {
                    *sums.entry(*class).or_default() += count;
                }
            }
        }
        let mut sorted: Vec<_> = sums.into_iter().collect();
        sorted.sort_by_key(|(class, count)| (u64::MAX - count, class.as_str()));
        let names = sorted
            .iter()
            .map(|(class, _)| label::class(*class).to_owned());
        shortened(names.collect(), "more kind", "more kinds")
    };
    let (identifiers, health) = (classes(false), classes(true));
    sentences.push(match (identifiers.is_empty(), health.is_empty()) {
        (false, false) => format!(
            "What identifies people in it: {identifiers}. What it tells about their health: \
             {health}."
        ),
        (false, true) => format!(
            "What identifies people in it: {identifiers}. Nothing in it tells about their health."
        ),
        (true, false) => format!(
            "What it tells about health: {health}. Nothing in it identifies a person directly."
        ),
        (true, true) => "Which data it was could not be read.".to_owned(),
    });
    if people.at_most > 0 {
        let whose = if tally.with_health > 0 {
            "The health information is about"
        } else {
            "It is about"
        };
        let others = if anyone.at_most > people.at_most {
            format!(
                " Of others only identifiers were sent; with them it is {}.",
                anyone.words()
            )
        } else {
            String::new()
        };
        sentences.push(format!("{whose} {}.{others}", people_words(people)));
    }
    if let Some(finding) = worst.filter(|finding| !finding.why.is_empty()) {
        sentences.push(format!(
            "The worst of it is {}. {}",
            finding.severity.as_str(),
            capital(&clean_sentence(&finding.why))
        ));
    }
    if let Some(alarm) = &tally.alarm {
        let after = alarm.time.since(span.first);
        sentences.push(format!(
            "The first finding that is reason for an alarm ({}, to {}) was at {}{}.",
            alarm.severity.as_str(),
            clean(&alarm.owner),
            to_second(alarm.time),
            if after == 0 {
                ", with the first disclosure".to_owned()
            } else {
                format!(", {} after the first disclosure", lasting(after))
            }
        ));
    }
    sentences
}

fn clean_sentence(text: &str) -> String {
    super::super::text::cut(text, 1_000).into_owned()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn people_words(people: Bounds) -> String {
    let Bounds {
        at_least, at_most, ..
    } = people;
    let noun = if at_most == 1 { "person" } else { "people" };
    if at_least == at_most {
        format!("{} {noun}", people.words())
    } else {
        format!(
            "{} {noun}: at least {} if identifiers that were seen together belong to one person, \
             at most {} if each belongs to another",
            people.words(),
            grouped(at_least),
            grouped(at_most)
        )
    }
}

fn recipients(tally: &Tally) -> String {
    let names = tally.ranked().into_iter().map(|(_, received)| {
        format!(
            "{} ({})",
            clean(&received.owner),
            label::category(received.category)
        )
    });
    let mut names: Vec<_> = names.collect();
    names.dedup();
    shortened(names, "other", "others")
}

/// The first of `names`, and how many more there are.
fn shortened(mut names: Vec<String>, one: &str, many: &str) -> String {
    let more = names.len().saturating_sub(MAX_NAMED) as u64;
    if more > 0 {
        names.truncate(MAX_NAMED);
        names.push(counted(more, one, many));
    }
    listed(&names)
}

fn tiles(tally: &Tally, people: Bounds) -> Vec<Tile> {
    let moment = |time: Option<crate::event::Timestamp>| {
        time.map_or_else(
            || ("none".to_owned(), String::new()),
            |time| {
                let text = to_second(time);
                let (day, time) = text.split_once(' ').unwrap_or((&text, ""));
                (day.to_owned(), time.to_owned())
            },
        )
    };
    let (first, first_time) = moment(tally.span.map(|span| span.first));
    let (alarm, alarm_time) = moment(tally.alarm.as_ref().map(|alarm| alarm.time));
    let (last, last_time) = moment(tally.span.map(|span| span.last));
    let severe = tally.severity(Severity::Critical) + tally.severity(Severity::High);
    vec![
        Tile {
            label: "People affected",
            value: people.words(),
            note: if people.at_least == people.at_most {
                String::new()
            } else {
                "merged to unmerged".to_owned()
            },
        },
        Tile {
            label: "Recipients",
            value: grouped(tally.recipients.len() as u64),
            note: String::new(),
        },
        Tile {
            label: "Findings",
            value: grouped(tally.findings),
            note: format!("{} high or critical", grouped(severe)),
        },
        Tile {
            label: "First disclosure",
            value: first,
            note: first_time,
        },
        Tile {
            label: "First alarm",
            value: alarm,
            note: alarm_time,
        },
        Tile {
            label: "Last disclosure",
            value: last,
            note: last_time,
        },
    ]
}

fn certain(tally: &Tally) -> Vec<String> {
    let mut list = Vec::new();
    if tally.findings == 0 {
        return list;
    }
    list.push(
        "Each finding was read from recorded traffic; the table of evidence says in which file \
         and packet it stands, and the hashes of the files are below."
            .to_owned(),
    );
    if tally.accepted > 0 {
        list.push(format!(
            "{} answered by the recipient with success: the data arrived.",
            counted(tally.accepted, "request was", "requests were")
        ));
    }
    let complete = tally.complete();
    if complete > 0 {
        list.push(format!(
            "{} seen from the first byte to the last.",
            counted(complete, "message was", "messages were")
        ));
    }
    list.push(
        "That a recipient received a hash is no protection: it can compare it with the hashes of \
         the people that it knows."
            .to_owned(),
    );
    list
}

fn uncertain(tally: &Tally, facts: &Facts, people: Bounds) -> Vec<String> {
    let mut list = Vec::new();
    if people.at_least != people.at_most || people.is_lower_bound {
        list.push(
            "How many people it is: two identifiers may belong to one person without ever being \
             seen together, and one cookie may be used by several people."
                .to_owned(),
        );
    }
    if tally.attempted > 0 {
        list.push(format!(
            "{} refused by the recipient. What a server refuses it may have read; these count as \
             attempts.",
            counted(tally.attempted, "request was", "requests were")
        ));
    }
    if tally.unanswered > 0 {
        list.push(format!(
            "For {} no answer was seen. They may have failed on the way.",
            counted(tally.unanswered, "request", "requests")
        ));
    }
    let partial = tally.messages() - tally.complete();
    if partial > 0 {
        list.push(format!(
            "{} not seen whole. There may be more in them than is listed.",
            counted(partial, "message was", "messages were")
        ));
    }
    let pages = tally.kinds.get(&Kind::Page).copied().unwrap_or(0);
    if pages > 0 {
        list.push(format!(
            "{} about a page that loads a tracker. What the visitor’s browser then sent was not \
             seen.",
            counted(pages, "finding is", "findings are")
        ));
    }
    let canaries = tally.kinds.get(&Kind::Canary).copied().unwrap_or(0);
    if canaries > 0 {
        list.push(format!(
            "{} about a planted, synthetic patient: no real person, but the same way.",
            counted(canaries, "finding is", "findings are")
        ));
    }
    let blind: u64 = facts.connections.values().map(|own| own.blind).sum();
    if blind > 0 {
        list.push(format!(
            "{} to trackers could not be read. What went over them is not known.",
            counted(blind, "connection", "connections")
        ));
    }
    if facts.losses.total() > 0 || facts.ended.is_some() {
        list.push("Something was lost on the way: see what was not seen, below.".to_owned());
    }
    list.push(
        "Health information is recognized by rules. Words that no rule knows are not found, and a \
         rule can be wrong: the appendix says when."
            .to_owned(),
    );
    list
}
