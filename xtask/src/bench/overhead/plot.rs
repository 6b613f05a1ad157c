//! A plot of the shares of throughput that are kept.

use std::fmt::Write as _;

use serde_json::Value;

/// Pixels: for the names on the left, for a share of 1, for a row, and around
/// everything.
const NAMES: f64 = 320.0;
const WHOLE: f64 = 440.0;
const ROW: f64 = 30.0;
const MARGIN: f64 = 24.0;
/// Above the rows: a title.
const HEAD: f64 = 44.0;
/// Beside a bar: its figure.
const FIGURE: f64 = 60.0;

/// Colors of phiwatch, of others, and of a bar to reach.
const OURS: &str = "#2f6db5";
const OTHERS: &str = "#9aa3ad";
const GOAL: &str = "#c0392b";

/// A bar for each server and client: the share of requests a second that it
/// keeps.
pub(super) fn svg(figures: &Value) -> String {
    let rows: Vec<&Value> = ["server", "clients"]
        .iter()
        .filter_map(|key| figures[*key].as_array())
        .flatten()
        // A note says why a row is no measurement.
        .filter(|row| row["kept"].is_number() && row["note"].is_null())
        .collect();
    let width = MARGIN * 2.0 + NAMES + WHOLE + FIGURE;
    let height = MARGIN * 2.0 + HEAD + ROW * (rows.len() as f64 + 1.0);
    let left = MARGIN + NAMES;
    let top = MARGIN + HEAD;
    let bottom = top + ROW * rows.len() as f64;
    let mut shapes = String::new();
    for tenths in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let x = left + WHOLE * tenths;
        add(
            &mut shapes,
            format_args!(
                "<line x1=\"{x}\" y1=\"{top}\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"#dfe3e8\"/>\n\
                 <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555\">{tenths}</text>",
                bottom + 18.0
            ),
        );
    }
    for (at, row) in rows.iter().enumerate() {
        let kept = row["kept"].as_f64().unwrap_or_default();
        let name = escaped(row["name"].as_str().unwrap_or_default());
        // Others have no bar to reach.
        let goal = row["bar"].as_f64();
        let color = if goal.is_some() { OURS } else { OTHERS };
        let y = top + ROW * at as f64;
        let middle = y + ROW / 2.0 + 4.0;
        let length = WHOLE * kept.clamp(0.0, 1.1);
        // The figure stands to the right of the bar, and not across the line.
        let line = goal.map_or(0.0, |goal| goal * WHOLE);
        let crossed = (length..length + FIGURE).contains(&line);
        let end = if crossed { line } else { length };
        add(
            &mut shapes,
            format_args!(
                "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{name}</text>\n\
                 <rect x=\"{left}\" y=\"{}\" width=\"{length:.1}\" height=\"{}\" fill=\"{color}\"/>\n\
                 <text x=\"{:.1}\" y=\"{middle}\">{kept:.2}</text>",
                left - 10.0,
                y + 5.0,
                ROW - 10.0,
                left + end + 8.0,
            ),
        );
        if let Some(goal) = goal {
            let x = left + WHOLE * goal;
            add(
                &mut shapes,
                format_args!(
                    "<line x1=\"{x:.1}\" y1=\"{}\" x2=\"{x:.1}\" y2=\"{}\" stroke=\"{GOAL}\" stroke-width=\"2\"/>",
                    y + 2.0,
                    y + ROW - 2.0
                ),
            );
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"{MARGIN}\" y=\"{}\" font-size=\"16\">Requests a second that are kept while someone watches</text>\n\
         <text x=\"{MARGIN}\" y=\"{}\" fill=\"#555\">1 is without; red: the bar</text>\n\
         {shapes}</svg>\n",
        MARGIN + 12.0,
        MARGIN + 30.0,
    )
}

fn add(shapes: &mut String, shape: std::fmt::Arguments<'_>) {
    writeln!(shapes, "{shape}").expect("a string takes everything");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
