//! The figures as tables of Markdown, and the bars that they miss.

use serde_json::Value;

/// One column: its title, and its text for a row.
type Column = (&'static str, fn(&Value) -> String);

/// One table: the key of its rows, its heading, and its columns.
struct Table {
    key: &'static str,
    title: &'static str,
    columns: &'static [Column],
}

const TABLES: &[Table] = &[
    Table {
        key: "server",
        title: "nginx over TLS, saturated by wrk (one worker, a file of 64 bytes, connections kept alive)",
        columns: &[
            ("watched by", |row| text(row, "name")),
            ("requests/s without", |row| number(row, "without", 0)),
            ("with", |row| number(row, "with", 0)),
            ("kept", |row| number(row, "kept", 2)),
            ("least and most", each),
            ("bar", |row| number(row, "bar", 2)),
            ("µs of CPU a request, without", |row| {
                number(row, "cpu_without_us", 1)
            }),
            ("with", |row| number(row, "cpu_with_us", 1)),
        ],
    },
    Table {
        key: "clients",
        title: "A client that posts only to a tracker, one request after another",
        columns: &[
            ("client", |row| text(row, "name")),
            ("requests/s without", |row| number(row, "without", 0)),
            ("with", |row| number(row, "with", 0)),
            ("kept", |row| number(row, "kept", 2)),
            ("least and most", each),
            ("bar", |row| number(row, "bar", 2)),
            ("99th percentile without, µs", |row| {
                number(row, "p99_without_us", 0)
            }),
            ("with", |row| number(row, "p99_with_us", 0)),
        ],
    },
    Table {
        key: "hits",
        title: "One call of SSL_write, nanoseconds on top of the call itself",
        columns: &[
            ("what is written", |row| text(row, "name")),
            ("the call", |row| number(row, "call_ns", 0)),
            ("an empty program at the same place", |row| {
                number(row, "empty_ns", 0)
            }),
            ("phiwatch", |row| number(row, "phiwatch_ns", 0)),
            ("hits", |row| number(row, "hits", 2)),
            ("a hit, by an empty one", |row| number(row, "ratio", 2)),
            ("bar", |row| number(row, "bar", 2)),
            ("of it in the program", |row| number(row, "program_ns", 0)),
            ("offset in SSL_write", |row| {
                number(row, "offset_in_function", 0)
            }),
        ],
    },
    Table {
        key: "flow",
        title: "Requests to a tracker, with a patient each, while their sender runs on the same cores",
        columns: &[
            ("what phiwatch does", |row| text(row, "name")),
            ("requests/s without loss", |row| number(row, "rate", 0)),
            ("bar", |row| number(row, "bar", 0)),
            ("first rate with loss", |row| {
                number(&row["beyond"], "rate", 0)
            }),
            ("sent then", |row| number(&row["beyond"], "sent", 0)),
            ("examined", |row| number(&row["beyond"], "seen", 0)),
            ("counted as lost", |row| number(&row["beyond"], "lost", 0)),
        ],
    },
    Table {
        key: "memory",
        title: "Memory of the daemon, MiB",
        columns: &[
            ("", |row| text(row, "name")),
            ("resident", |row| number(row, "rss_mib", 0)),
            ("bar", |row| number(row, "bar", 0)),
            ("anonymous", |row| number(row, "anonymous_mib", 0)),
            ("of files and rings", |row| number(row, "file_mib", 0)),
            ("peak", |row| number(row, "peak_mib", 0)),
            ("maps in the kernel", |row| number(row, "kernel_mib", 0)),
            ("CPU, % of a core", |row| number(row, "idle_cpu_percent", 2)),
        ],
    },
    Table {
        key: "churn",
        title: "Memory of the daemon while processes come and go, each with a TLS library of its own, MiB",
        columns: &[
            ("for", |row| text(row, "name")),
            ("processes", |row| number(row, "processes", 0)),
            ("connections", |row| number(row, "connections", 0)),
            ("most in the first third", |row| {
                number(row, "first_third_mib", 1)
            }),
            ("in the last", |row| number(row, "last_third_mib", 1)),
            ("growth", |row| number(row, "growth_mib", 1)),
            ("bar", |row| number(row, "bar", 1)),
        ],
    },
    Table {
        key: "end",
        title: "From SIGTERM to the daemon's end, seconds",
        columns: &[
            ("hooked", |row| text(row, "name")),
            ("links", |row| number(row, "links", 0)),
            ("median", |row| number(row, "seconds", 2)),
            ("most", |row| number(row, "seconds_most", 2)),
            ("bar", |row| number(row, "bar", 1)),
        ],
    },
];

/// A bar: the key of the rows, the value, the key of the bar, and whether more is
/// better.
type Bar = (&'static str, &'static str, &'static str, bool);

const BARS: &[Bar] = &[
    ("server", "kept", "bar", true),
    ("clients", "kept", "bar", true),
    ("hits", "ratio", "bar", false),
    ("flow", "rate", "bar", true),
    ("memory", "rss_mib", "bar", false),
    ("memory", "idle_cpu_percent", "idle_cpu_bar", false),
    ("churn", "growth_mib", "bar", false),
    ("end", "seconds", "bar", false),
];

/// All tables that there are figures for.
pub(super) fn markdown(figures: &Value) -> String {
    let machine = &figures["machine"];
    let mut page = format!(
        "Linux {}, {} cores of {}. Medians.",
        text(machine, "kernel"),
        machine["cores"],
        text(machine, "cpu"),
    );
    if figures["quick"] == true {
        page += " A quick run, whose figures mean little.";
    }
    let mut lines = vec![page];
    for table in TABLES {
        if let Some(rows) = figures[table.key].as_array() {
            lines.extend(table.lines(rows));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A sentence for each missed bar, and for each row that explains why it is no
/// measurement.
pub(super) fn missed(figures: &Value) -> Vec<String> {
    let mut missed = Vec::new();
    for (key, value, bar, more) in BARS {
        for row in figures[*key].as_array().into_iter().flatten() {
            let name = text(row, "name");
            if let Some(note) = row["note"].as_str() {
                missed.push(format!("{name}: {note}"));
            } else if let (Some(found), Some(bar)) = (row[*value].as_f64(), row[*bar].as_f64())
                && (found < bar) == *more
                && found.total_cmp(&bar).is_ne()
            {
                missed.push(format!("{name}: {value} {found}, bar {bar}"));
            }
        }
    }
    missed.dedup();
    missed
}

impl Table {
    /// The title, the table, and a sentence for each row with a remark.
    fn lines(&self, rows: &[Value]) -> Vec<String> {
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let titles = self.columns.iter().map(|(title, _)| (*title).to_owned());
        let mut lines = vec![
            String::new(),
            format!("**{}**", self.title),
            String::new(),
            line(titles.collect()),
            line(vec!["---".to_owned(); self.columns.len()]),
        ];
        for row in rows {
            lines.push(line(
                self.columns.iter().map(|(_, show)| show(row)).collect(),
            ));
        }
        for row in rows {
            for key in ["note", "failed", "remark"] {
                if let Some(why) = row[key].as_str() {
                    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
                    lines.push(String::new());
                    lines.push(format!("{}: {why}.", text(row, "name")));
                }
            }
        }
        lines
    }
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or("-").to_owned()
}

/// With thousands separated; a dash for a missing value.
fn number(row: &Value, key: &str, digits: usize) -> String {
    let Some(value) = row[key].as_f64() else {
        return "-".to_owned();
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut apart = String::new();
    for (at, digit) in whole.char_indices() {
        let left = whole.len() - at;
        if at > 0 && left.is_multiple_of(3) && !apart.ends_with('-') {
            apart.push(',');
        }
        apart.push(digit);
    }
    if digits > 0 {
        apart.push('.');
    }
    apart + fraction
}

/// The pairs furthest apart.
fn each(row: &Value) -> String {
    let kept = row["kept_each"].as_array();
    let kept: Vec<f64> = kept
        .into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .collect();
    let least = kept.iter().copied().reduce(f64::min);
    let most = kept.iter().copied().reduce(f64::max);
    least.zip(most).map_or_else(
        || "-".to_owned(),
        |(least, most)| format!("{least:.2} – {most:.2}"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn thousands_are_apart_and_nothing_is_a_dash() {
        let row = json!({"a": 1_234_567.4, "b": 0.5, "c": 999, "d": -1_000});
        for (key, digits, expected) in [
            ("a", 0, "1,234,567"),
            ("b", 2, "0.50"),
            ("c", 0, "999"),
            ("d", 0, "-1,000"),
            ("e", 0, "-"),
        ] {
            assert_eq!(number(&row, key, digits), expected);
        }
    }

    #[test]
    fn a_missed_bar_is_said_whichever_way_it_goes() {
        for (kept, rss, expected) in [
            (0.95, 60, 0),
            (0.90, 64, 0),
            (0.89, 64, 1),
            (0.90, 65, 1),
            (0.89, 65, 2),
        ] {
            let figures = json!({
                "server": [{"name": "a", "kept": kept, "bar": 0.9}, {"name": "peer", "kept": 0.1}],
                "memory": [{"name": "b", "rss_mib": rss, "bar": 64}],
            });
            let missed = missed(&figures);
            assert_eq!(missed.len(), expected, "{missed:?}");
        }
    }

    #[test]
    fn what_is_no_measurement_is_said() {
        let figures = json!({"clients": [{"name": "a", "kept": 1, "bar": 0.9, "note": "unseen"}]});
        assert_eq!(missed(&figures), ["a: unseen"]);
    }
}
