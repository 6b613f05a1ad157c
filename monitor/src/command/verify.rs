//! `phiwatch verify`: whether captures are as they were written.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;

use super::{ExitStatus, Failure, OrFail as _};
use crate::store::{CheckingKey, StoreError, Verification, verify};

/// `phiwatch verify`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  phiwatch verify /var/tmp/evidence
  phiwatch verify --public-key minisign.pub --json /var/tmp/evidence

Every file of a folder is checked against its manifest, whose entries are
chained by hashes, and against the signature if there is one. A file without a
manifest beside it can only be checked for being complete. Exit code 65 says
that something is not as it was written. Stock tools check the same:
  sha256sum -c SHA256SUMS
  minisign -V -p minisign.pub -m SHA256SUMS")]
pub struct VerifyArgs {
    /// Folders of captures, or single captures
    #[arg(required = true, value_name = "DIR|FILE")]
    pub paths: Vec<PathBuf>,
    /// The minisign public key that must have signed [default: the key that the
    /// manifest names, which only tells that nothing changed since]
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Checks the folders and files. A problem is shown like every other result,
/// and mentioned once more in the failure.
pub fn execute(args: &VerifyArgs) -> Result<(), Failure> {
    let key = match &args.public_key {
        Some(path) => Some(CheckingKey::load(path).or_fail(ExitStatus::Usage)?),
        None => None,
    };
    let mut found = Vec::new();
    for path in &args.paths {
        found.push(verify(path, key.as_ref()).map_err(unreadable)?);
    }
    let text = if args.json {
        format!("{:#}\n", as_json(&found))
    } else {
        found.iter().map(table).collect::<Vec<_>>().join("\n")
    };
    io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .or_fail(ExitStatus::Io)?;
    let wrong: Vec<_> = found
        .iter()
        .flat_map(|place| &place.files)
        .filter(|file| file.state.is_failure())
        .map(|file| file.name.as_str())
        .collect();
    match wrong.as_slice() {
        [] => Ok(()),
        names => Err(Failure::message(
            ExitStatus::BadInput,
            format!("not as written: {}", names.join(", ")),
        )),
    }
}

fn unreadable(error: StoreError) -> Failure {
    let code = match &error {
        StoreError::NoCapture { .. } => ExitStatus::BadInput,
        StoreError::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            ExitStatus::NotPermitted
        }
        _ => ExitStatus::Io,
    };
    Failure::new(code, error)
}

fn as_json(found: &[Verification]) -> serde_json::Value {
    json!({
        "schema": "phiwatch.verify/1",
        "ok": !found.iter().any(Verification::is_failure),
        "places": found,
    })
}

fn table(place: &Verification) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["FILE", "STATE", "PACKETS", "FROM", "TO", "DETAIL"]);
    for file in &place.files {
        let short = |time: &Option<String>| {
            time.as_deref()
                .and_then(|time| time.split('.').next())
                .map_or_else(|| "-".to_owned(), |time| format!("{time}Z"))
        };
        table.add_row([
            file.name.clone(),
            file.state.as_str().to_owned(),
            file.packets
                .map_or_else(|| "-".to_owned(), |packets| packets.to_string()),
            short(&file.first),
            short(&file.last),
            file.detail.clone(),
        ]);
    }
    let mut text = format!("{}\n{}\n", place.path.display(), table.trim_fmt());
    if !place.has_manifest {
        text.push_str("There is no manifest: nothing vouches for the content of these files.\n");
    }
    if let Some(head) = &place.chain_head {
        text.push_str("Head of the chain: ");
        text.push_str(head);
        text.push('\n');
    }
    let verdict = if place.is_failure() {
        "NOT as written.\n"
    } else if place.has_manifest {
        "As written.\n"
    } else {
        "Complete.\n"
    };
    text.push_str(verdict);
    text
}
