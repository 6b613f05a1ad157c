//! The values behind a finding: who asks and why is recorded first.
//!
//! In: a finding, and captures that hold it. Out: its values, once the custody
//! log has the entry. Values go to the caller and nowhere else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::ExplainArgs;
use crate::{
    command::{
        ExitStatus, Failure,
        replay::{self, Captures},
        say,
    },
    finding::Finding,
    phi::Class,
    pipeline::{Examiner, Revealed, each_step},
    secret::Secret,
    store::{Custody, CustodyFile, Who},
};

/// How deep below a folder a capture is searched for.
const MAX_DEPTH: usize = 16;
/// Files of the captures that an entry can name.
const MAX_FILES: usize = 64;

/// The value of each field of `finding`, after the custody log was written.
pub(super) fn reveal(
    args: &ExplainArgs,
    examiner: &Examiner,
    finding: &Finding,
) -> Result<Vec<Option<Secret<String>>>, Failure> {
    let reason = args.reason.as_deref().unwrap_or_default().trim();
    if reason.is_empty() {
        return Err(Failure::message(
            ExitStatus::Usage,
            "--reveal needs a --reason, which is written to the custody log",
        ));
    }
    let values = values(args, examiner, finding)?;
    write_down(args, finding, reason)?;
    Ok(values)
}

/// Reads the captures again, up to the message that the finding is about.
fn values(
    args: &ExplainArgs,
    examiner: &Examiner,
    finding: &Finding,
) -> Result<Vec<Option<Secret<String>>>, Failure> {
    let (identities, threads) = (&args.identity, replay::all_cores());
    let mut captures = Captures::open(&args.captures, identities, &Arc::default(), threads)?;
    let revealed = each_step(&mut captures, |step| {
        let revealed = examiner.reveal(step, finding);
        (!matches!(revealed, Revealed::Other)).then_some(revealed)
    })?;
    let missing = match revealed {
        Some(Revealed::Values(values)) => return Ok(values),
        Some(Revealed::Redacted) => {
            "this capture is redacted; a raw capture of the same time would have them"
        }
        Some(Revealed::Other) | None => "the message could not be read again",
    };
    Err(Failure::message(
        ExitStatus::BadInput,
        format!("the values are not there: {missing}"),
    ))
}

/// Records in the custody log beside each capture with the evidence that its
/// values are shown.
fn write_down(args: &ExplainArgs, finding: &Finding, reason: &str) -> Result<(), Failure> {
    let mut files = Vec::new();
    if let Some(evidence) = &finding.evidence {
        for path in &args.captures {
            collect(path, &evidence.file, 0, &mut files);
        }
    }
    if files.is_empty() {
        files.clone_from(&args.captures);
    }
    let mut folders: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    for file in files {
        let own = folders
            .entry(Custody::folder(&file).to_owned())
            .or_default();
        if file.is_file() {
            own.insert(file);
        }
    }
    let classes = finding.classes().map(Class::as_str);
    let details = BTreeMap::from([
        ("finding".to_owned(), finding.id.clone()),
        ("fields".to_owned(), finding.fields.len().to_string()),
        ("classes".to_owned(), classes.collect::<Vec<_>>().join(",")),
    ]);
    for (folder, files) in folders {
        let files = files.iter().map(|file| CustodyFile::of(file));
        let files = files.collect::<Result<Vec<_>, _>>();
        let written = files.and_then(|files| {
            let who = Who::current();
            Custody::append(&folder, "reveal", &who, reason, files, details.clone())
        });
        written.map_err(|error| {
            let context = "nothing is shown, because it cannot be written to the custody log";
            Failure::new(ExitStatus::Io, anyhow::Error::new(error).context(context))
        })?;
        say(format_args!(
            "phiwatch: written to the custody log in {}",
            folder.display()
        ));
    }
    Ok(())
}

/// Adds the files named `name` at or below `path`.
fn collect(path: &Path, name: &str, depth: usize, files: &mut Vec<PathBuf>) {
    if files.len() >= MAX_FILES {
        return;
    }
    if !path.is_dir() {
        if path.file_name().is_some_and(|own| own == name) {
            files.push(path.to_owned());
        }
        return;
    }
    // What cannot be listed was not read either.
    let Ok(entries) = fs::read_dir(path) else {
        return;
    };
    for entry in entries.flatten() {
        // Links could lead around in circles.
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if depth < MAX_DEPTH && !(is_link && entry.path().is_dir()) {
            collect(&entry.path(), name, depth + 1, files);
        }
    }
}
