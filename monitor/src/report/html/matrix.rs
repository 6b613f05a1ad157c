//! Who received what: recipients by classes of data.
//!
//! In: the counts. Out: the cells of a table.

use super::{
    super::{tally::Tally, text::clean, text::grouped},
    label,
};
use crate::phi::Class;

/// Recipients that have a row; the others share one.
const MAX_ROWS: usize = 60;

/// Hosts that are named with a recipient.
const MAX_HOSTS: usize = 4;

/// The table.
pub(super) struct Matrix {
    /// Columns of identifiers.
    pub(super) identifiers: Vec<&'static str>,
    /// Columns of health information.
    pub(super) health: Vec<&'static str>,
    pub(super) rows: Vec<Row>,
    /// Recipients that have no row.
    pub(super) more: usize,
    /// The sums of the columns, of all recipients.
    pub(super) sums: Vec<Cell>,
    pub(super) total: String,
}

/// One recipient.
pub(super) struct Row {
    pub(super) owner: String,
    pub(super) category: &'static str,
    pub(super) hosts: String,
    pub(super) severity: &'static str,
    pub(super) worst: &'static str,
    pub(super) cells: Vec<Cell>,
    pub(super) total: String,
}

/// How many findings of a recipient hold a class.
pub(super) struct Cell {
    /// Empty for none.
    pub(super) count: String,
    /// From 0 to 4: how many, compared with the most.
    pub(super) heat: u8,
    /// Whether the column is of health information.
    pub(super) is_health: bool,
}

impl Matrix {
    pub(super) fn new(tally: &Tally) -> Self {
        let mut sums = std::collections::BTreeMap::<Class, u64>::new();
        for received in tally.recipients.values() {
            for (class, count) in &received.classes {
                *sums.entry(*class).or_default() += count;
            }
        }
        let (mut health, mut identifiers): (Vec<_>, Vec<_>) = sums
            .iter()
            .map(|(class, count)| (*class, *count))
            .partition(|(class, _)| class.is_health());
        for columns in [&mut health, &mut identifiers] {
            columns.sort_by_key(|(class, count)| (u64::MAX - count, class.as_str()));
        }
        let columns: Vec<_> = identifiers.iter().chain(&health).copied().collect();
        let most = columns.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let ranked = tally.ranked();
        let rows = ranked
            .iter()
            .take(MAX_ROWS)
            .map(|(_, received)| {
                let count = |class: &Class| received.classes.get(class).copied().unwrap_or(0);
                let mut hosts: Vec<_> = received
                    .hosts
                    .iter()
                    .map(|(host, count)| (u64::MAX - count, &**host))
                    .collect();
                hosts.sort_unstable();
                let more = hosts.len() > MAX_HOSTS || received.has_more_hosts;
                let mut hosts: Vec<_> = hosts
                    .into_iter()
                    .take(MAX_HOSTS)
                    .map(|(_, host)| clean(host))
                    .collect();
                if more {
                    hosts.push("…".into());
                }
                Row {
                    owner: clean(&received.owner).into_owned(),
                    category: label::category(received.category),
                    hosts: hosts.join(", "),
                    severity: received
                        .worst
                        .map_or("info", crate::finding::Severity::as_str),
                    worst: received.worst.map_or("Info", label::severity),
                    cells: columns
                        .iter()
                        .map(|(class, _)| Cell::new(*class, count(class), most))
                        .collect(),
                    total: grouped(received.findings),
                }
            })
            .collect();
        Self {
            identifiers: identifiers
                .iter()
                .map(|(own, _)| label::class(*own))
                .collect(),
            health: health.iter().map(|(own, _)| label::class(*own)).collect(),
            rows,
            more: ranked.len().saturating_sub(MAX_ROWS),
            sums: columns
                .iter()
                .map(|(class, count)| Cell::new(*class, *count, 0))
                .collect(),
            total: grouped(tally.findings),
        }
    }
}

impl Cell {
    fn new(class: Class, count: u64, most: u64) -> Self {
        let heat = if count == 0 || most == 0 {
            0
        } else {
            // On a logarithmic scale, since a single finding matters as well.
            let share = f64::from(u32::try_from(count).unwrap_or(u32::MAX)).ln_1p()
                / f64::from(u32::try_from(most).unwrap_or(u32::MAX)).ln_1p();
            match share {
                share if share > 0.85 => 4,
                share if share > 0.6 => 3,
                share if share > 0.35 => 2,
                _ => 1,
            }
        };
        Self {
            count: if count == 0 {
                String::new()
            } else {
                grouped(count)
            },
            heat,
            is_health: class.is_health(),
        }
    }
}
