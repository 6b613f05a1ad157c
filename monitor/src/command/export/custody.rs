//! The entries of exports in custody logs.
//!
//! In: what was exported, from where, and why. Out: entries in the logs of the
//! folders that the captures are in, on disk before the export has its name.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::{ExportArgs, output::Written};
use crate::{
    command::{ExitStatus, Failure},
    store::{CUSTODY_FILE, Custody, CustodyError, CustodyFile, MAX_CUSTODY_FILES, Who},
};

/// The reason of a redacted export for which none was given.
const NO_REASON: &str = "(none given)";
/// What the names of captures contain.
const KINDS: &[&str] = &[".pcap", ".har", ".cap"];

/// Fails if a reason was given that is none.
pub(super) fn check_reason(args: &ExportArgs) -> Result<(), Failure> {
    match &args.reason {
        Some(reason) if reason.trim().is_empty() => Err(failure(CustodyError::NoReason)),
        _ => Ok(()),
    }
}

/// Enters the export into the logs of the folders of its captures.
pub(super) fn enter(args: &ExportArgs, written: &Written, messages: u64) -> Result<(), Failure> {
    let who = Who::current();
    let reason = args.reason.as_deref().unwrap_or(NO_REASON);
    let target = std::path::absolute(&args.output).unwrap_or_else(|_| args.output.clone());
    let details = BTreeMap::from([
        ("format".to_owned(), args.to.as_str().to_owned()),
        ("messages".to_owned(), messages.to_string()),
        ("output".to_owned(), shortened(&target)),
        ("output_sha256".to_owned(), written.sha256.clone()),
        (
            "values".to_owned(),
            if args.raw { "as sent" } else { "replaced" }.to_owned(),
        ),
    ]);
    for (folder, captures) in folders(args)? {
        let has_log = folder.join(CUSTODY_FILE).exists();
        if args.reason.is_none() && !has_log {
            continue;
        }
        let files: Result<Vec<_>, _> = captures.iter().map(|path| CustodyFile::of(path)).collect();
        let files = files.map_err(failure)?;
        for files in files.chunks(MAX_CUSTODY_FILES) {
            Custody::append(
                &folder,
                "export",
                &who,
                reason,
                files.to_vec(),
                details.clone(),
            )
            .map_err(failure)?;
        }
    }
    Ok(())
}

/// The captures by the folder whose log is theirs.
fn folders(args: &ExportArgs) -> Result<BTreeMap<PathBuf, Vec<PathBuf>>, Failure> {
    let mut folders: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for path in &args.captures {
        let own = folders.entry(Custody::folder(path).to_owned()).or_default();
        if !path.is_dir() {
            own.push(path.clone());
            continue;
        }
        let refused = |error: io::Error| {
            let source = anyhow::Error::new(error).context(format!("read {}", path.display()));
            Failure::new(ExitStatus::Io, source)
        };
        for entry in fs::read_dir(path).map_err(refused)? {
            let entry = entry.map_err(refused)?.path();
            let name = entry.file_name().unwrap_or_default().to_string_lossy();
            if entry.is_file() && KINDS.iter().any(|kind| name.contains(kind)) {
                own.push(entry);
            }
        }
    }
    for captures in folders.values_mut() {
        captures.sort();
        captures.dedup();
    }
    Ok(folders)
}

/// The path as text that fits a detail.
fn shortened(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars().take(250).collect()
}

fn failure(error: CustodyError) -> Failure {
    let code = match &error {
        CustodyError::NoReason | CustodyError::TooLong(_) => ExitStatus::Usage,
        CustodyError::Broken { .. } => ExitStatus::BadInput,
        CustodyError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            ExitStatus::NotPermitted
        }
        CustodyError::Io { .. } => ExitStatus::Io,
    };
    Failure::new(code, error)
}
