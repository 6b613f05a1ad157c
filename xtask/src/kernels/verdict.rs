//! The results of a guest: a row of the table, and every fault.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{
    clients::{CLIENTS, Client, Way},
    guest::Results,
};

/// Messages of a kernel in trouble.
const ALARMS: &[&str] = &[
    "BUG:",
    "WARNING:",
    "Oops",
    "general protection fault",
    "traps: ",
];

/// What came of a guest.
#[derive(Debug)]
pub(super) struct Verdict {
    /// What the kernel calls itself.
    release: String,
    /// How programs were attached to a process.
    attaches: String,
    /// Requests over TLS: those that gave a finding, and all.
    tls: (usize, usize),
    /// The same in plaintext.
    plain: (usize, usize),
    /// Whether no request gave two findings, or a part of one.
    once: bool,
    /// Whether everybody who left a stack inside a call ended well.
    fibers: bool,
    /// Seconds from the start until phiwatch was ready.
    start: f64,
    /// Seconds from the signal until it had ended.
    stop: f64,
    /// What it counted as lost.
    lost: String,
    /// What did not go well, in sentences.
    pub(super) faults: Vec<String>,
}

/// What one client's requests became.
#[derive(Debug, Default)]
struct Found {
    /// Findings.
    count: usize,
    /// Those of a whole request that was read where the client sends it.
    whole: usize,
    /// The sizes of their requests.
    bytes: BTreeSet<u64>,
}

/// Judges what a guest left.
pub(super) fn judge(results: &Results) -> Result<Verdict> {
    let mut faults = Vec::new();
    let status = status(results.text("status"))?;
    let ended = |name: &str| status.get(name).copied();
    for name in ["doctor", "ready", "phiwatch"]
        .into_iter()
        .chain(CLIENTS.iter().map(|client| client.name))
    {
        match ended(name) {
            Some(0) => {}
            Some(other) => faults.push(format!("{name}: status {other}")),
            None => faults.push(format!("{name}: has not ended")),
        }
    }
    let found = found(results, &mut faults)?;
    let (mut tls, mut plain, mut once) = ((0, 0), (0, 0), true);
    for client in CLIENTS {
        let of = &found[client.name];
        let wanted = match client.way {
            Way::Outside => 0,
            Way::Tls | Way::Plain => client.requests,
        };
        let seen = of.whole.min(wanted);
        match client.way {
            Way::Tls => tls = (tls.0 + seen, tls.1 + wanted),
            Way::Plain => plain = (plain.0 + seen, plain.1 + wanted),
            Way::Outside => {}
        }
        if of.count > wanted || of.whole < of.count || of.bytes.len() > 1 {
            once = false;
        }
        if (of.count, of.whole) != (wanted, wanted) || of.bytes.len() > 1 {
            faults.push(format!(
                "{}: {wanted} findings are due, there are {} of which {} whole, of requests of {:?} bytes",
                client.name, of.count, of.whole, of.bytes
            ));
        }
    }
    let lost = lost(results.text("metrics"));
    if !lost.is_empty() {
        faults.push(format!("lost: {lost}"));
    }
    let alarms = results.text("dmesg").lines();
    let alarms = alarms.filter(|line| ALARMS.iter().any(|alarm| line.contains(alarm)));
    faults.extend(alarms.map(|line| format!("the kernel says {line}")));
    let fibers = |client: &&Client| client.has_fibers();
    let seconds = |name| {
        let hundredths = ended(name).unwrap_or(0);
        f64::from(hundredths) / 100.0
    };
    Ok(Verdict {
        release: results.text("release").trim().to_owned(),
        attaches: attaches(results.text("links"), results.text("descriptors")),
        tls,
        plain,
        once,
        fibers: CLIENTS
            .iter()
            .filter(fibers)
            .all(|client| ended(client.name) == Some(0)),
        start: seconds("start_centiseconds"),
        stop: seconds("stop_centiseconds"),
        lost,
        faults,
    })
}

/// Lines of a name and a number.
fn status(text: &str) -> Result<BTreeMap<&str, i32>> {
    text.lines()
        .map(|line| {
            let (name, number) = line.split_once(' ').context("a status has a name")?;
            Ok((
                name,
                number
                    .parse()
                    .with_context(|| format!("status of {name}"))?,
            ))
        })
        .collect()
}

/// The findings of each client, recognized by its process. Those of others are
/// faults, and so is a repeated id.
fn found(results: &Results, faults: &mut Vec<String>) -> Result<BTreeMap<&'static str, Found>> {
    let pids = status(results.text("pids"))?;
    let mut found: BTreeMap<_, _> = CLIENTS
        .iter()
        .map(|client| (client.name, Found::default()))
        .collect();
    let mut ids = BTreeSet::new();
    for line in results.text("journal").lines() {
        let finding: Value = serde_json::from_str(line).context("read the journal")?;
        let id = finding["id"].as_str().context("a finding has an id")?;
        if !ids.insert(id.to_owned()) {
            faults.push(format!("{id} stands in the journal twice"));
        }
        let pid = finding["process"]["pid"].as_i64();
        let client = CLIENTS.iter().find(|client| {
            let own = pids.get(client.name).copied().map(i64::from);
            own.is_some() && own == pid
        });
        let Some(client) = client else {
            faults.push(format!("{id} is of process {pid:?}, which is no client"));
            continue;
        };
        let source = match client.way {
            Way::Plain => "socket",
            Way::Tls | Way::Outside => "openssl",
        };
        let found = found.entry(client.name).or_default();
        found.count += 1;
        if finding["source"] == source && finding["completeness"] == "complete" {
            found.whole += 1;
        }
        found.bytes.extend(finding["request"]["bytes"].as_u64());
    }
    Ok(found)
}

/// How programs are attached, by the descriptors of phiwatch while it watches a
/// process: what `fdinfo` says of them, and what they are links to.
fn attaches(links: &str, descriptors: &str) -> String {
    let count = |text: &str, words: &str| text.lines().filter(|line| line.contains(words)).count();
    let (multi, single) = (count(links, "\tuprobe_multi"), count(links, "\tperf"));
    if multi > 0 {
        format!("{multi} `uprobe_multi` links")
    } else if single > 0 {
        format!("{single} perf links with cookies")
    } else {
        // Four of them are tracepoints.
        let events = count(descriptors, "[perf_event]").saturating_sub(4);
        format!("{events} perf events without cookies")
    }
}

/// The nonzero counts of losses.
fn lost(metrics: &str) -> String {
    let lost: Vec<_> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("phiwatch_lost_total"))
        .filter(|rest| !rest.ends_with(" 0"))
        .collect();
    lost.join(", ")
}

/// The table.
pub(super) fn markdown(verdicts: &[Verdict]) -> String {
    let mut text = String::from(
        "| Linux | attaches | TLS findings | plaintext | exactly once | fibers survive | start, s | stop, s | lost |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let word = |is: bool| if is { "yes" } else { "**no**" };
    for Verdict {
        release,
        attaches,
        tls,
        plain,
        once,
        fibers,
        start,
        stop,
        lost,
        faults: _,
    } in verdicts
    {
        let lost = if lost.is_empty() { "nothing" } else { lost };
        writeln!(
            text,
            "| {release} | {attaches} | {} of {} | {} of {} | {} | {} | {start:.1} | {stop:.1} | {lost} |",
            tls.0,
            tls.1,
            plain.0,
            plain.1,
            word(*once),
            word(*fibers),
        )
        .expect("a string takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The results of a guest without faults.
    fn well() -> Results {
        let (mut status, mut pids, mut journal) = (String::new(), String::new(), String::new());
        for name in ["doctor", "ready", "phiwatch"] {
            writeln!(status, "{name} 0").unwrap();
        }
        status.push_str("start_centiseconds 150\nstop_centiseconds 42\n");
        for (pid, client) in CLIENTS.iter().enumerate() {
            writeln!(status, "{} 0", client.name).unwrap();
            writeln!(pids, "{} {pid}", client.name).unwrap();
            let source = match client.way {
                Way::Tls => "openssl",
                Way::Plain => "socket",
                Way::Outside => continue,
            };
            for number in 0..client.requests {
                writeln!(
                    journal,
                    r#"{{"id":"{pid}-{number}","process":{{"pid":{pid}}},"source":"{source}","completeness":"complete","request":{{"bytes":9}}}}"#
                )
                .unwrap();
            }
        }
        let files = [
            ("release", "6.1.0\n"),
            ("status", status.as_str()),
            ("pids", &pids),
            ("journal", &journal),
            ("links", "link_type:\tperf\nlink_type:\tcgroup\n"),
            ("metrics", "phiwatch_lost_total{stage=\"x\"} 0\n"),
        ];
        let owned = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Results(owned.into())
    }

    #[test]
    fn a_guest_in_which_all_went_well_has_no_fault() {
        let verdict = judge(&well()).unwrap();
        assert!(verdict.faults.is_empty(), "{:?}", verdict.faults);
        let row = "| 6.1.0 | 1 perf links with cookies | 525 of 525 | 1 of 1 | yes | yes | 1.5 | 0.4 | nothing |";
        assert_eq!(markdown(&[verdict]).lines().last(), Some(row));
    }

    #[test]
    fn whatever_went_wrong_is_a_fault() {
        for (file, from, to, expected) in [
            ("status", "doctor 0", "doctor 69", "doctor: status 69"),
            ("status", "held 0\n", "", "held: has not ended"),
            (
                "journal",
                "\"0-7\"",
                "\"0-8\"",
                "0-8 stands in the journal twice",
            ),
            (
                "journal",
                "\"pid\":0}",
                "\"pid\":999}",
                "which is no client",
            ),
            (
                "journal",
                "\"pid\":0}",
                "\"pid\":6}",
                "fibers-outside: 0 findings are due",
            ),
            (
                "journal",
                "socket",
                "openssl",
                "there are 1 of which 0 whole",
            ),
            (
                "journal",
                "\"complete\"",
                "\"truncated\"",
                "of which 49 whole",
            ),
            (
                "journal",
                "\"bytes\":9",
                "\"bytes\":8",
                "of requests of {8, 9} bytes",
            ),
            ("metrics", "} 0", "} 3", "lost: {stage=\"x\"} 3"),
            ("release", "6.1.0", "6.1.0", ""),
        ] {
            let mut results = well();
            let text = results.0.get_mut(file).unwrap();
            *text = text.replacen(from, to, 1);
            let faults = judge(&results).unwrap().faults;
            assert_eq!(
                faults.iter().any(|fault| fault.contains(expected)),
                !expected.is_empty(),
                "{expected}: {faults:?}"
            );
        }
    }

    #[test]
    fn the_kernel_is_heard() {
        let mut results = well();
        let said = "[ 1.0] BUG: unable to handle page fault".to_owned();
        results.0.insert("dmesg".to_owned(), said);
        assert_eq!(judge(&results).unwrap().faults.len(), 1);
    }
}
