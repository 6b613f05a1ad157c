//! The measure as a table and as JSON, and the bars that it must reach.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use crate::measure::{Fault, Measure, Platform, Score, Tally, per_100k};

/// Faults of each kind that are listed.
const LISTED: usize = 40;

/// Share of the events of severity high or above that must be found.
const HIGH_RECALL: f64 = 0.99;
/// Mean recall over classes.
const MACRO_RECALL: f64 = 0.97;
/// Share of (event, class) pairs at severity high or above that must be right.
const PRECISION: f64 = 0.99;
/// False alarms of severity high in 100,000 requests without health information.
const ALARMS: f64 = 1.0;

/// One bar.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    /// What is measured.
    pub name: String,
    /// What it must be.
    pub bar: String,
    /// What it is.
    pub value: f64,
    /// Whether that is enough.
    pub passed: bool,
    /// Whether it only informs, and a run does not fail by it.
    pub informative: bool,
}

/// The bars of one part of the corpus; `informative`: no run fails by them.
pub fn bars(part: &str, measure: &Measure, informative: bool) -> Vec<Bar> {
    let has_positives = measure.high.expected > 0;
    let bar = |name: &str, sign: &str, limit: f64, value: f64, passed: bool| Bar {
        name: format!("{part}: {name}"),
        bar: format!("{sign} {limit}"),
        value,
        passed,
        informative,
    };
    let mut bars = Vec::new();
    if has_positives {
        let high = measure.high.recall();
        let all = measure.macro_recall();
        bars.push(bar(
            "recall of events at high or above",
            ">=",
            HIGH_RECALL,
            high,
            high >= HIGH_RECALL,
        ));
        bars.push(bar(
            "macro recall over classes",
            ">=",
            MACRO_RECALL,
            all,
            all >= MACRO_RECALL,
        ));
    }
    let precision = measure.pairs_at_high.precision();
    bars.push(bar(
        "precision of (event, class) at high or above",
        ">=",
        PRECISION,
        precision,
        precision >= PRECISION,
    ));
    let alarms = measure.alarms_per_100k();
    bars.push(bar(
        "false alarms of severity high per 100,000",
        "<",
        ALARMS,
        alarms,
        alarms < ALARMS,
    ));
    bars
}

/// The table of one part.
pub fn table(part: &str, measure: &Measure) -> String {
    let mut out = String::new();
    let counts: Vec<String> = measure
        .requests
        .iter()
        .map(|(kind, count)| format!("{kind:?} {count}"))
        .collect();
    line(
        &mut out,
        format_args!("\n{part}: requests {}", counts.join(", ")),
    );
    line(
        &mut out,
        format_args!(
            "person-events {}, findings for them {}; on negatives: {} alarms at high, {} milder, {} health classes",
            measure.people.0,
            measure.people.1,
            measure.alarms_high,
            measure.alarms_mild,
            measure.health_on_negatives,
        ),
    );
    line(
        &mut out,
        format_args!(
            "\n{:<18} {:>9} {:>9} {:>8} {:>8} {:>9} {:>11}",
            "CLASS", "EXPECTED", "FOUND", "WRONG", "RECALL", "PRECISION", "ALARMS/100K"
        ),
    );
    for (class, score) in &measure.classes {
        line(
            &mut out,
            format_args!(
                "{class:<18} {:>9} {:>9} {:>8} {:>8.4} {:>9.4} {:>11.1}",
                score.expected,
                score.found,
                score.wrong,
                score.recall(),
                score.precision(),
                measure.class_alarms_per_100k(class),
            ),
        );
    }
    line(
        &mut out,
        format_args!(
            "\n{:<26} {:>9} {:>9} {:>8} {:>10} {:>12} {:>9} {:>11}",
            "PLATFORM",
            "POSITIVE",
            "NEGATIVE",
            "HIGH",
            "FOUND HIGH",
            "CLASS RECALL",
            "PRECISION",
            "ALARMS/100K"
        ),
    );
    for (platform, row) in &measure.platforms {
        line(
            &mut out,
            format_args!(
                "{platform:<26} {:>9} {:>9} {:>8} {:>10.4} {:>12.4} {:>9.4} {:>11.1}",
                row.positives,
                row.negatives,
                row.high.expected,
                row.high.recall(),
                row.classes.recall(),
                row.classes.precision(),
                per_100k(row.false_alarms, row.negatives),
            ),
        );
    }
    out
}

/// The measure of one part as JSON: counts, with what follows from them.
pub fn json(measure: &Measure) -> Value {
    let score = |score: &Score| {
        json!({
            "expected": score.expected,
            "found": score.found,
            "wrong": score.wrong,
            "recall": score.recall(),
            "precision": score.precision(),
        })
    };
    let class = |(name, own): (&String, &Score)| {
        let mut value = score(own);
        value["false_alarms_per_100k"] = measure.class_alarms_per_100k(name).into();
        (name.clone(), value)
    };
    let platform = |(name, own): (&String, &Platform)| {
        let value = json!({
            "positives": own.positives,
            "negatives": own.negatives,
            "events_at_high": { "expected": own.high.expected, "found": own.high.found, "recall": own.high.recall() },
            "classes": score(&own.classes),
            "false_alarms": own.false_alarms,
            "false_alarms_per_100k": per_100k(own.false_alarms, own.negatives),
        });
        (name.clone(), value)
    };
    let high = &measure.high;
    json!({
        "requests": measure.requests,
        "person_events": measure.people.0,
        "findings_on_positives": measure.people.1,
        "events_at_high": { "expected": high.expected, "found": high.found, "recall": high.recall() },
        "pairs_at_high": { "right": measure.pairs_at_high.found, "wrong": measure.pairs_at_high.wrong, "precision": measure.pairs_at_high.precision() },
        "macro_recall": measure.macro_recall(),
        "false_alarms_high": measure.alarms_high,
        "false_alarms_high_per_100k": measure.alarms_per_100k(),
        "false_alarms_mild": measure.alarms_mild,
        "health_classes_on_negatives": measure.health_on_negatives,
        "classes": measure.classes.iter().map(class).collect::<serde_json::Map<_, _>>(),
        "platforms": measure.platforms.iter().map(platform).collect::<serde_json::Map<_, _>>(),
    })
}

/// The faults, by kind, most frequent first. Templates and rules, never values.
pub fn faults(part: &str, measure: &Measure, all: bool) -> String {
    let mut out = String::new();
    for kind in ["missed event", "missed class", "false alarm", "wrong class"] {
        let mut list: Vec<(&Fault, &Tally)> = measure
            .faults
            .iter()
            .filter(|(fault, _)| fault.kind == kind)
            .collect();
        if list.is_empty() {
            continue;
        }
        list.sort_by_key(|(fault, tally)| (std::cmp::Reverse(tally.count), *fault));
        let sum: u64 = list.iter().map(|(_, tally)| tally.count).sum();
        line(&mut out, format_args!("\n{part}: {kind}, {sum} in all"));
        for (fault, tally) in list.iter().take(if all { usize::MAX } else { LISTED }) {
            let mut carriers: Vec<_> = tally.carriers.iter().collect();
            carriers.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
            let carriers: Vec<String> = carriers
                .iter()
                .take(6)
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            line(
                &mut out,
                format_args!(
                    "{:>7}  {}  [{}; {}]",
                    tally.count,
                    fault.what,
                    carriers.join(", "),
                    tally.example
                ),
            );
        }
        if all {
            continue;
        }
        if list.len() > LISTED {
            line(
                &mut out,
                format_args!("         and {} more kinds", list.len() - LISTED),
            );
        }
    }
    out
}

/// The bars as lines.
pub fn verdict(bars: &[Bar]) -> String {
    let mut out = String::from("\n");
    for bar in bars {
        let mark = match (bar.passed, bar.informative) {
            (true, _) => "ok  ",
            (false, true) => "info",
            (false, false) => "FAIL",
        };
        line(
            &mut out,
            format_args!("{mark}  {:<66} {:>9.4}  {}", bar.name, bar.value, bar.bar),
        );
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string cannot fail");
}
