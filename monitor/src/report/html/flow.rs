//! A diagram from processes to recipients: bands as wide as there are findings.
//!
//! In: counts by process and recipient. Out: the positions of nodes and bands.

use std::collections::BTreeMap;

use super::{
    super::tally::{OTHERS, Tally},
    super::text::{counted, cut, grouped},
    plot::{number, units},
};
use crate::finding::Severity;

const WIDTH: f64 = 960.0;
/// Where the two columns of nodes stand.
const LEFT: f64 = 250.0;
const RIGHT: f64 = 696.0;
const NODE: f64 = 14.0;
/// Between nodes.
const GAP: f64 = 16.0;
const MARGIN: f64 = 16.0;
/// The least height of a node: its two lines of text.
const MIN_NODE: f64 = 26.0;
/// The height that all findings share beyond that.
const SHARED: f64 = 150.0;
/// Nodes of a column; the rest share one.
const MAX_NODES: usize = 10;
/// Characters of a name.
const MAX_NAME: usize = 30;

/// The drawing.
pub(super) struct Diagram {
    pub(super) width: f64,
    pub(super) height: String,
    pub(super) description: String,
    pub(super) nodes: Vec<Node>,
    pub(super) bands: Vec<Band>,
    /// The diagram as a table: process, recipient, findings, worst severity.
    pub(super) rows: Vec<Row>,
    /// Pairs that have no row.
    pub(super) more: usize,
}

/// A process or a recipient.
pub(super) struct Node {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) text_x: String,
    pub(super) text_y: String,
    pub(super) count_y: String,
    pub(super) anchor: &'static str,
    pub(super) name: String,
    pub(super) title: String,
    pub(super) count: String,
}

/// The findings of one process to one recipient.
pub(super) struct Band {
    pub(super) path: String,
    pub(super) severity: &'static str,
    pub(super) title: String,
}

/// One pair.
pub(super) struct Row {
    pub(super) process: String,
    pub(super) recipient: String,
    pub(super) findings: String,
    pub(super) severity: &'static str,
}

/// A node without a position.
struct Side {
    name: String,
    findings: u64,
    y: f64,
    height: f64,
    /// Where the next band begins.
    next: f64,
}

/// Pairs that are listed below the drawing.
const MAX_ROWS: usize = 100;

impl Diagram {
    pub(super) fn new(tally: &Tally) -> Self {
        let mut flows = BTreeMap::<(String, String), (u64, Option<Severity>)>::new();
        for ((process, tracker), flow) in &tally.flows {
            let owner = tally
                .recipients
                .get(tracker)
                .map_or(OTHERS, |received| &received.owner);
            let key = (process.clone(), owner.to_owned());
            let sum = flows.entry(key).or_default();
            sum.0 += flow.findings;
            sum.1 = sum.1.max(flow.worst);
        }
        let rows = rows(&flows);
        let more = rows.len().saturating_sub(MAX_ROWS);
        let (lefts, left_names) = side(&flows, |(process, _)| process);
        let (rights, right_names) = side(&flows, |(_, recipient)| recipient);
        let (mut lefts, mut rights) = (place(lefts), place(rights));
        let bottom = |sides: &[Side]| {
            sides
                .last()
                .map_or(MARGIN, |side| side.y + side.height + MARGIN)
        };
        let height = bottom(&lefts).max(bottom(&rights));
        for sides in [&mut lefts, &mut rights] {
            let shift = (height - bottom(sides)) / 2.0;
            for side in sides.iter_mut() {
                side.y += shift;
                side.next += shift;
            }
        }
        let mut grouped_flows = BTreeMap::<(usize, usize), (u64, Option<Severity>)>::new();
        for ((process, recipient), (findings, worst)) in &flows {
            let index = |names: &BTreeMap<String, usize>, name: &str, last: usize| {
                names.get(name).copied().unwrap_or(last)
            };
            let key = (
                index(&left_names, process, lefts.len().saturating_sub(1)),
                index(&right_names, recipient, rights.len().saturating_sub(1)),
            );
            let sum = grouped_flows.entry(key).or_default();
            sum.0 += findings;
            sum.1 = sum.1.max(*worst);
        }
        let bands = grouped_flows
            .iter()
            .filter_map(|((left, right), (findings, worst))| {
                let (left, right) = (lefts.get_mut(*left)?, rights.get_mut(*right)?);
                Some(band(left, right, *findings, *worst))
            })
            .collect();
        Self {
            width: WIDTH,
            height: units(height),
            description: describe(&lefts, &rights),
            nodes: nodes(&lefts, true).chain(nodes(&rights, false)).collect(),
            bands,
            rows: rows.into_iter().take(MAX_ROWS).collect(),
            more,
        }
    }
}

fn rows(flows: &BTreeMap<(String, String), (u64, Option<Severity>)>) -> Vec<Row> {
    let mut sorted: Vec<_> = flows.iter().collect();
    sorted.sort_by_key(|(names, (findings, _))| (u64::MAX - findings, *names));
    sorted
        .into_iter()
        .map(|((process, recipient), (findings, worst))| Row {
            process: cut(process, 120).into_owned(),
            recipient: cut(recipient, 120).into_owned(),
            findings: grouped(*findings),
            severity: worst.map_or("info", Severity::as_str),
        })
        .collect()
}

/// The nodes of one side, and the node of each name.
fn side(
    flows: &BTreeMap<(String, String), (u64, Option<Severity>)>,
    name: impl Fn(&(String, String)) -> &String,
) -> (Vec<(String, u64)>, BTreeMap<String, usize>) {
    let mut sums = BTreeMap::<&String, u64>::new();
    for (names, (findings, _)) in flows {
        *sums.entry(name(names)).or_default() += findings;
    }
    let mut sorted: Vec<_> = sums.into_iter().collect();
    sorted.sort_by_key(|(name, findings)| (u64::MAX - findings, *name));
    let is_cut = sorted.len() > MAX_NODES;
    let own = if is_cut { MAX_NODES - 1 } else { sorted.len() };
    let names = sorted
        .iter()
        .take(own)
        .enumerate()
        .map(|(index, (name, _))| ((*name).clone(), index))
        .collect();
    let rest: u64 = sorted.iter().skip(own).map(|(_, findings)| findings).sum();
    let count = sorted.len().saturating_sub(own);
    let mut nodes: Vec<_> = sorted
        .into_iter()
        .take(own)
        .map(|(name, findings)| (name.clone(), findings))
        .collect();
    if is_cut {
        nodes.push((format!("{count} {OTHERS}"), rest));
    }
    (nodes, names)
}

fn place(nodes: Vec<(String, u64)>) -> Vec<Side> {
    let all: u64 = nodes.iter().map(|(_, findings)| findings).sum();
    let mut y = MARGIN;
    nodes
        .into_iter()
        .map(|(name, findings)| {
            let height = MIN_NODE + SHARED * number(findings) / number(all.max(1));
            let side = Side {
                name,
                findings,
                y,
                height,
                next: y,
            };
            y += height + GAP;
            side
        })
        .collect()
}

fn band(left: &mut Side, right: &mut Side, findings: u64, worst: Option<Severity>) -> Band {
    // A band has its share of both nodes, which may differ in scale.
    let share = |side: &Side| side.height * number(findings) / number(side.findings.max(1));
    let (from, to) = (share(left), share(right));
    let (y0, y1) = (left.next, right.next);
    left.next += from;
    right.next += to;
    let (x0, x1) = (LEFT + NODE, RIGHT);
    let middle = f64::midpoint(x0, x1);
    let path = format!(
        "M{} {}C{} {} {} {} {} {}V{}C{} {} {} {} {} {}Z",
        units(x0),
        units(y0),
        units(middle),
        units(y0),
        units(middle),
        units(y1),
        units(x1),
        units(y1),
        units(y1 + to),
        units(middle),
        units(y1 + to),
        units(middle),
        units(y0 + from),
        units(x0),
        units(y0 + from),
    );
    Band {
        path,
        severity: worst.map_or("info", Severity::as_str),
        title: format!(
            "{} to {}: {}",
            cut(&left.name, 120),
            cut(&right.name, 120),
            counted(findings, "finding", "findings")
        ),
    }
}

fn nodes(sides: &[Side], is_left: bool) -> impl Iterator<Item = Node> + '_ {
    sides.iter().map(move |side| {
        let middle = side.y + side.height / 2.0;
        Node {
            x: units(if is_left { LEFT } else { RIGHT }),
            y: units(side.y),
            width: units(NODE),
            height: units(side.height),
            text_x: units(if is_left {
                LEFT - 10.0
            } else {
                RIGHT + NODE + 10.0
            }),
            text_y: units(middle - 2.0),
            count_y: units(middle + 14.0),
            anchor: if is_left { "end" } else { "start" },
            name: cut(&side.name, MAX_NAME).into_owned(),
            title: cut(&side.name, 120).into_owned(),
            count: counted(side.findings, "finding", "findings"),
        }
    })
}

fn describe(lefts: &[Side], rights: &[Side]) -> String {
    let names = |sides: &[Side]| {
        sides
            .iter()
            .map(|side| format!("{} ({})", cut(&side.name, 60), grouped(side.findings)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    format!(
        "Senders with their findings: {}. Recipients: {}.",
        names(lefts),
        names(rights)
    )
}
