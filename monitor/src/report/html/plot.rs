//! Findings over time, drawn.
//!
//! In: counts by time and severity. Out: the positions of bars, ticks and the
//! mark of the first alert, in units of the drawing.

use super::{
    super::clock::{SECOND, day, lasting, minute, to_second},
    super::tally::Tally,
    super::text::{counted, grouped},
};
use crate::{event::Timestamp, finding::Severity};

/// Width and height of the drawing.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 260.0;
/// Where the bars stand.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 948.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 214.0;
/// Steps of time that have a bar each.
const MAX_BARS: usize = 72;
/// Labels below the bars.
const MAX_LABELS: usize = 6;
/// Bars are no wider.
const MAX_BAR: f64 = 64.0;

/// The drawing.
pub(super) struct Plot {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    pub(super) description: String,
    pub(super) bars: Vec<Bar>,
    pub(super) lines: Vec<Line>,
    pub(super) ticks: Vec<Tick>,
    pub(super) alarm: Option<Mark>,
    pub(super) step: String,
}

/// All findings of one step.
pub(super) struct Bar {
    pub(super) title: String,
    pub(super) parts: Vec<Part>,
}

/// Those of one severity.
pub(super) struct Part {
    pub(super) severity: &'static str,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
}

/// A horizontal line with its number.
pub(super) struct Line {
    pub(super) y: String,
    pub(super) text_y: String,
    pub(super) label: String,
}

/// A time below the bars.
pub(super) struct Tick {
    pub(super) x: String,
    pub(super) anchor: &'static str,
    pub(super) first: String,
    pub(super) second: String,
}

/// A moment.
pub(super) struct Mark {
    pub(super) x: String,
    pub(super) anchor: &'static str,
    pub(super) text_x: String,
    pub(super) label: String,
}

impl Plot {
    pub(super) fn new(tally: &Tally) -> Self {
        let (length, steps) = tally.timeline.steps(MAX_BARS);
        let most = steps
            .iter()
            .map(|step| step.counts.iter().sum::<u64>())
            .max()
            .unwrap_or(0);
        let top = nice(most);
        let slot = (RIGHT - LEFT) / number(steps.len().max(1) as u64);
        let bars = steps
            .iter()
            .enumerate()
            .filter(|(_, step)| step.counts.iter().any(|count| *count > 0))
            .map(|(index, step)| {
                let slot = Slot {
                    x: LEFT + slot * number(index as u64),
                    width: slot,
                };
                bar(step.start, length, &step.counts, slot, top)
            })
            .collect();
        let start = steps.first().map_or(Timestamp(0), |step| step.start);
        let end = start.plus(length.saturating_mul(steps.len() as u64));
        let place = |time: Timestamp| {
            let share = number(time.since(start)) / number(end.since(start).max(1));
            LEFT + (RIGHT - LEFT) * share
        };
        let alarm = tally.alarm.as_ref().map(|alarm| {
            let x = place(alarm.time);
            let is_right = x > WIDTH * 0.6;
            Mark {
                x: units(x),
                anchor: if is_right { "end" } else { "start" },
                text_x: units(if is_right { x - 7.0 } else { x + 7.0 }),
                label: format!("first alarm, {}", to_second(alarm.time)),
            }
        });
        Self {
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: RIGHT,
            bottom: BOTTOM,
            description: describe(tally, length),
            bars,
            lines: lines(top),
            ticks: ticks(&steps, length, slot),
            alarm,
            step: lasting(length),
        }
    }
}

#[derive(Clone, Copy)]
struct Slot {
    x: f64,
    width: f64,
}

fn bar(start: Timestamp, length: u64, counts: &[u64], slot: Slot, top: u64) -> Bar {
    let width = (slot.width * 0.82).min(MAX_BAR);
    let x = slot.x + (slot.width - width) / 2.0;
    let mut y = BOTTOM;
    let mut parts = Vec::new();
    let mut words = Vec::new();
    let both = Severity::ALL.iter().zip(counts).rev();
    for (severity, count) in both.filter(|(_, count)| **count > 0) {
        let height = (BOTTOM - TOP) * number(*count) / number(top.max(1));
        // The least is seen as well.
        let height = height.max(1.5);
        y -= height;
        parts.push(Part {
            severity: severity.as_str(),
            x: units(x),
            y: units(y),
            width: units(width),
            height: units(height),
        });
        words.push(format!("{} {}", grouped(*count), severity.as_str()));
    }
    Bar {
        title: format!(
            "{} and {} from then: {}",
            to_second(start),
            lasting(length),
            words.join(", ")
        ),
        parts,
    }
}

fn lines(top: u64) -> Vec<Line> {
    let step = (top / 4).max(1);
    (0..=4)
        .map(|index| index * step)
        .take_while(|count| *count <= top)
        .map(|count| {
            let y = BOTTOM - (BOTTOM - TOP) * number(count) / number(top.max(1));
            Line {
                y: units(y),
                text_y: units(y + 4.0),
                label: grouped(count),
            }
        })
        .collect()
}

fn ticks(steps: &[super::super::timeline::Step], length: u64, slot: f64) -> Vec<Tick> {
    let every = steps.len().div_ceil(MAX_LABELS).max(1);
    let is_by_day = length >= 86_400 * SECOND;
    let mut told = String::new();
    steps
        .iter()
        .enumerate()
        .step_by(every)
        .map(|(index, step)| {
            let date = day(step.start);
            let time = if length < 60 * SECOND {
                step.start
                    .to_string()
                    .get(11..19)
                    .unwrap_or_default()
                    .to_owned()
            } else {
                minute(step.start)
            };
            let (first, second) = if is_by_day {
                (date.clone(), String::new())
            } else if date == told {
                (time, String::new())
            } else {
                (time, date.clone())
            };
            told = date;
            Tick {
                x: units(LEFT + slot * number(index as u64)),
                anchor: if index == 0 { "start" } else { "middle" },
                first,
                second,
            }
        })
        .collect()
}

fn describe(tally: &Tally, length: u64) -> String {
    let Some(span) = tally.span else {
        return "No findings.".to_owned();
    };
    format!(
        "Bars of {} each, from {} to {}: {} in all.",
        lasting(length),
        to_second(span.first),
        to_second(span.last),
        counted(tally.findings, "finding", "findings")
    )
}

/// The next number at or above `count` that can be divided into four even
/// parts.
fn nice(count: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for factor in [4, 8, 12, 20, 40] {
            let top = unit.saturating_mul(factor);
            if top >= count {
                return top;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// A number of the drawing: to a tenth of its unit.
pub(super) fn units(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A count as a number for drawing: the rounding is too small to be seen.
#[expect(clippy::cast_precision_loss, reason = "nobody sees it")]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_nice_numbers() {
        for (count, top) in [
            (0, 4),
            (4, 4),
            (5, 8),
            (13, 20),
            (21, 40),
            (41, 80),
            (350, 400),
        ] {
            assert_eq!(nice(count), top);
        }
        assert_eq!(units(12.0), "12");
        assert_eq!(units(0.25), "0.2");
    }
}
