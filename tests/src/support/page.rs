//! The matrix as a page for people.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Combination, HOST, LENGTHS, Protocol, Route, Row, Runtime};

/// What stands before the table.
const HEAD: &str = "\
# Support matrix

Which runtimes phiwatch reads, as `cargo xtask test runtimes` found it: each client made
the same requests with a synthetic patient's data, one process for each combination of
protocol, length of the body, one request or three on a connection, and with or without
a proxy that is asked for a tunnel, where the client knows these. The table is written
by that command and not by hand.

- **read**: each request was found, exactly once, with its whole body, and no connection
  was said to be unread.
- **said**: what was not read was reported as a finding of kind `contact`, with the
  process and the reason.
- **silent**: neither. None is what we want.

";

/// What became of the requests of one cell.
#[derive(Default)]
struct Cell {
    requests: usize,
    found: usize,
    silent: usize,
    wrong: usize,
    /// Requests that were found although their connection was said to be unread.
    doubted: usize,
    reasons: BTreeMap<String, usize>,
    failed: usize,
}

impl Cell {
    fn take(&mut self, row: &Row) {
        self.requests += row.requests;
        self.found += row.found;
        self.silent += row.silent();
        self.wrong += row.wrong;
        self.failed += usize::from(row.failed.is_some());
        let unread = row.requests - row.found;
        if unread == 0 && !row.said.is_empty() {
            self.doubted += row.requests;
        }
        for reason in row.said.keys() {
            *self.reasons.entry(reason.clone()).or_default() += unread;
        }
    }

    fn text(&self) -> String {
        if self.requests == 0 {
            return if self.failed > 0 { "did not run" } else { "" }.to_owned();
        }
        let mut parts = Vec::new();
        if self.found > 0 {
            parts.push(format!("read {} of {}", self.found, self.requests));
        }
        for (reason, unread) in self.reasons.iter().filter(|(_, unread)| **unread > 0) {
            parts.push(format!("said {unread} (`{reason}`)"));
        }
        for (count, what) in [
            (self.silent, "**silent**"),
            (self.wrong, "not whole or twice"),
            (self.doubted, "said by mistake"),
        ] {
            if count > 0 {
                parts.push(format!("{what} {count}"));
            }
        }
        parts.join(", ")
    }
}

/// What became of these requests of one runtime.
fn cell<'a>(rows: impl Iterator<Item = &'a Row>) -> Cell {
    let mut cell = Cell::default();
    rows.for_each(|row| cell.take(row));
    cell
}

/// The page. Each runtime comes with its version.
pub fn page(runtimes: &[Runtime], rows: &[Row], kernel: &str) -> String {
    let mut text = HEAD.to_owned();
    let total = cell(rows.iter());
    let said: usize = total.reasons.values().sum();
    _ = writeln!(
        text,
        "{} requests to `{HOST}` by {} runtimes on Linux {kernel}: {} read, {said} said to be \
         unread, {} silent, {} not whole or twice, {} said by mistake.\n",
        total.requests,
        runtimes.len(),
        total.found,
        total.silent,
        total.wrong,
        total.doubted,
    );
    text.push_str("| runtime | version | TLS | protocol |");
    for length in LENGTHS {
        _ = write!(text, " {length} B |");
    }
    text.push_str(" through a tunnel |\n|---|---|---|---|");
    text.push_str(&"---|".repeat(LENGTHS.len() + 1));
    text.push('\n');
    for runtime in runtimes {
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let own =
                |row: &&Row| row.runtime == runtime.name && row.combination.protocol == protocol;
            if !rows.iter().any(|row| own(&row)) {
                continue;
            }
            let of = |is_one: &dyn Fn(Combination) -> bool| {
                cell(
                    rows.iter()
                        .filter(own)
                        .filter(|row| is_one(row.combination)),
                )
                .text()
            };
            _ = write!(
                text,
                "| {} | {} | {} | {} |",
                runtime.name,
                runtime.version(),
                runtime.tls,
                protocol.name()
            );
            for length in LENGTHS {
                let is_one = |own: Combination| own.length == *length;
                _ = write!(text, " {} |", of(&is_one));
            }
            _ = writeln!(text, " {} |", of(&|own| own.route == Route::Connect));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the cell of one process says that made three requests on one connection.
    fn check(found: usize, wrong: usize, said: Option<&str>, expected: &str) {
        let row = Row {
            runtime: "one",
            combination: Combination {
                protocol: Protocol::Http1,
                length: 1,
                count: 3,
                route: Route::Direct,
            },
            requests: 3,
            connections: 1,
            found,
            wrong,
            said: said
                .map(|reason| (reason.to_owned(), 1))
                .into_iter()
                .collect(),
            failed: None,
        };
        assert_eq!(
            cell([row].iter()).text(),
            expected,
            "{found} {wrong} {said:?}"
        );
    }

    #[test]
    fn cells_say_what_became_of_requests() {
        for (found, wrong, said, expected) in [
            (3, 0, None, "read 3 of 3"),
            (0, 0, Some("java"), "said 3 (`java`)"),
            (0, 0, None, "**silent** 3"),
            (
                2,
                1,
                None,
                "read 2 of 3, **silent** 1, not whole or twice 1",
            ),
            (3, 0, Some("unknown"), "read 3 of 3, said by mistake 3"),
        ] {
            check(found, wrong, said, expected);
        }
    }
}
