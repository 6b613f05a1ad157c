//! The verb that checks captures: `verify`.

use std::path::PathBuf;

use clap::Args;

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
