//! The finding with an id, or with the beginning of one.
//!
//! In: a journal, or captures, which are replayed. Out: its record; an error if
//! there is none, or more than one.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write},
    path::Path,
    sync::Arc,
};

use serde_json::Value;

use super::{ExplainArgs, reveal, show};
use crate::{
    command::{
        ExitStatus, Failure, OrFail as _,
        replay::{self, Captures, Replay, all_cores},
    },
    finding::Finding,
    pipeline::{Output, drive},
};

/// Digits of the id of a finding.
const ID_LENGTH: usize = 32;
/// The fewest digits that name a finding.
pub(super) const MIN_DIGITS: usize = 6;
/// How many findings with the same beginning are listed.
const MAX_NAMED: usize = 5;
/// The longest line of a journal that is read, in bytes.
const MAX_LINE: u64 = 4 << 20;

/// Whether `what` can be the id of a finding or the beginning of one.
pub(super) fn is_id(what: &str) -> bool {
    (MIN_DIGITS..=ID_LENGTH).contains(&what.len())
        && what.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// There is no such finding.
pub(super) fn none(id: &str) -> Failure {
    Failure::message(
        ExitStatus::BadInput,
        format!(
            "there is no finding {id}; the id follows from the key of the tokens (--state), the \
             rules and the configuration of whoever found it"
        ),
    )
}

fn several<'a>(id: &str, all: impl Iterator<Item = &'a String>) -> Failure {
    let named: Vec<&str> = all.take(MAX_NAMED).map(String::as_str).collect();
    Failure::message(
        ExitStatus::Usage,
        format!("several findings begin with {id}: {}", named.join(", ")),
    )
}

/// Shows the finding of `args.captures` whose id begins with `id`, with its
/// values if they are asked for.
pub(super) fn in_captures(
    out: &mut impl Write,
    args: &ExplainArgs,
    id: &str,
) -> Result<(), Failure> {
    let id = id.to_ascii_lowercase();
    let examiner = replay::examiner(args.config.as_deref(), args.state.as_deref())?;
    let threads = all_cores();
    let captures = Captures::open(&args.captures, &args.identity, &Arc::default(), threads)?;
    let mut found: BTreeMap<String, Finding> = BTreeMap::new();
    let mut is_over = false;
    let take = |out: &mut Output| {
        for finding in out.findings.drain(..) {
            if finding.id.starts_with(&id) && found.len() <= MAX_NAMED {
                found.insert(finding.id.clone(), finding);
            }
        }
        // A whole id is the only one.
        is_over = id.len() == ID_LENGTH && !found.is_empty();
        if is_over {
            return Err(Failure::message(ExitStatus::Internal, "found"));
        }
        Ok(())
    };
    let mut core = replay::core(examiner.clone(), threads)?;
    let replayed = drive(&mut Replay { captures, take }, &mut core);
    if !is_over {
        replayed?;
    }
    if found.len() > 1 {
        return Err(several(&id, found.keys()));
    }
    let Some(finding) = found.into_values().next() else {
        let record = match &args.journal {
            Some(journal) if !args.reveal => in_journal(journal, &id)?,
            _ => None,
        };
        let record = record.ok_or_else(|| none(&id))?;
        return show::show(out, &record, None).or_fail(ExitStatus::Io);
    };
    let record = serde_json::to_value(&finding).or_fail(ExitStatus::Internal)?;
    let values = if args.reveal {
        Some(reveal::reveal(args, &examiner, &finding)?)
    } else {
        None
    };
    show::show(out, &record, values.as_deref()).or_fail(ExitStatus::Io)
}

/// The record of the finding whose id begins with `id`, from a journal.
pub(super) fn in_journal(journal: &Path, id: &str) -> Result<Option<Value>, Failure> {
    let id = id.to_ascii_lowercase();
    let read = |error| {
        let context = format!("read {}", journal.display());
        Failure::new(
            ExitStatus::Io,
            anyhow::Error::new::<std::io::Error>(error).context(context),
        )
    };
    let mut reader = BufReader::new(File::open(journal).map_err(read)?);
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = (&mut reader)
            .take(MAX_LINE)
            .read_until(b'\n', &mut line)
            .map_err(read)?;
        if length == 0 {
            break;
        }
        // A cheap look first: journals are long.
        if memchr::memmem::find(&line, id.as_bytes()).is_none() {
            continue;
        }
        let Ok(record) = serde_json::from_slice::<Value>(&line) else {
            continue;
        };
        let own = record.get("id").and_then(Value::as_str);
        if let Some(own) = own.filter(|own| own.starts_with(&id))
            && found.len() <= MAX_NAMED
        {
            found.insert(own.to_owned(), record);
        }
    }
    if found.len() > 1 {
        return Err(several(&id, found.keys()));
    }
    Ok(found.into_values().next())
}
