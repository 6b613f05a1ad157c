//! `phiwatch trackers`: the catalog, or which tracker a host is.
//!
//! Input: nothing, or a host and perhaps a path. Output: a table or JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::{ExitStatus, Failure, OrFail as _};
use crate::{
    cli::TrackersArgs,
    tracker::{Catalog, Tracker},
};

/// One line of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Row {
    id: &'static str,
    owner: &'static str,
    category: &'static str,
    /// Which rule matched; only where a host was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    matched_by: Option<&'static str>,
}

/// Prints the catalog, or the tracker that `args.host` is.
pub fn execute(args: &TrackersArgs) -> Result<(), Failure> {
    let rows = match &args.host {
        None => catalog(),
        Some(host) => lookup(host, &args.method, args.path.as_deref())
            .into_iter()
            .collect(),
    };
    print(&mut io::stdout().lock(), args, &rows).or_fail(ExitStatus::Io)
}

/// All entries of the catalog.
fn catalog() -> Vec<Row> {
    Catalog::builtin()
        .entries()
        .iter()
        .map(|tracker| row(tracker, None))
        .collect()
}

/// The tracker that receives such a request, if any. Without a path, what the
/// host alone says.
fn lookup(host: &str, method: &str, path: Option<&str>) -> Option<Row> {
    let catalog = Catalog::builtin();
    if let Some(path) = path {
        let found = catalog.match_request(Some(host), method, path)?;
        Some(row(found.tracker, Some(found.matched_by.as_str())))
    } else {
        let found = catalog.match_host(host)?;
        let how = if found.alone {
            "host"
        } else {
            "host, with some paths only"
        };
        Some(row(found.tracker, Some(how)))
    }
}

fn row(tracker: &Tracker, matched_by: Option<&'static str>) -> Row {
    Row {
        id: tracker.id,
        owner: tracker.owner,
        category: tracker.category.as_str(),
        matched_by,
    }
}

fn print(out: &mut impl Write, args: &TrackersArgs, rows: &[Row]) -> io::Result<()> {
    if args.json {
        serde_json::to_writer_pretty(&mut *out, rows)?;
        return writeln!(out);
    }
    if let (Some(host), []) = (&args.host, rows) {
        return writeln!(out, "{host} is no tracker of the catalog");
    }
    let width = |of: fn(&Row) -> &'static str, title: &str| {
        rows.iter()
            .map(|row| of(row).chars().count())
            .max()
            .unwrap_or(0)
            .max(title.len())
    };
    let (id, owner) = (
        width(|row| row.id, "TRACKER"),
        width(|row| row.owner, "OWNER"),
    );
    writeln!(out, "{:id$}  {:owner$}  CATEGORY", "TRACKER", "OWNER")?;
    for row in rows {
        write!(
            out,
            "{:id$}  {:owner$}  {}",
            row.id, row.owner, row.category
        )?;
        match row.matched_by {
            Some(matched_by) => writeln!(out, " (matched by {matched_by})")?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: Option<&str>, json: bool, rows: &[Row], expected: &str) {
        let args = TrackersArgs {
            host: host.map(str::to_owned),
            path: None,
            method: "POST".to_owned(),
            json,
        };
        let mut out = Vec::new();
        print(&mut out, &args, rows).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn tables_are_aligned_and_json_is_a_list() {
        let meta = Row {
            id: "meta",
            owner: "Meta Platforms",
            category: "ads",
            matched_by: None,
        };
        let found = Row {
            matched_by: Some("host"),
            ..meta.clone()
        };
        check(
            None,
            false,
            &[meta],
            "TRACKER  OWNER           CATEGORY\nmeta     Meta Platforms  ads\n",
        );
        check(
            Some("www.facebook.com"),
            false,
            &[found],
            "TRACKER  OWNER           CATEGORY\nmeta     Meta Platforms  ads (matched by host)\n",
        );
        check(
            Some("example.com"),
            false,
            &[],
            "example.com is no tracker of the catalog\n",
        );
        check(Some("example.com"), true, &[], "[]\n");
    }
}
