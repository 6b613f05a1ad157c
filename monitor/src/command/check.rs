//! `phiwatch check`: is a configuration file right?

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{ExitStatus, Failure, OrFail as _, recipients};
use crate::config::{Config, DEFAULT_PATH};

/// `phiwatch check`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example:
  phiwatch check /etc/phiwatch/phiwatch.toml && systemctl reload phiwatch")]
pub struct CheckArgs {
    /// The configuration file [default: /etc/phiwatch/phiwatch.toml]
    #[arg(value_name = "CONFIG")]
    pub config: Option<PathBuf>,
}

/// Loads the file as `run` would and reports success. Unlike for `run`, a
/// missing file is an error.
pub fn execute(args: &CheckArgs) -> Result<(), Failure> {
    let path = args.config.as_deref().unwrap_or(Path::new(DEFAULT_PATH));
    let config = Config::load(Some(path)).or_fail(ExitStatus::Config)?;
    recipients(&config)?;
    writeln!(io::stdout().lock(), "{}: OK", path.display()).or_fail(ExitStatus::Io)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_wrong_file_is_a_configuration_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phiwatch.toml");
        let args = CheckArgs {
            config: Some(path.clone()),
        };
        assert_eq!(execute(&args).unwrap_err().code, ExitStatus::Config);
        std::fs::write(&path, "[listen]\nadress = \"127.0.0.1:1\"\n").unwrap();
        let failure = execute(&args).unwrap_err();
        assert_eq!(failure.code, ExitStatus::Config);
        assert!(
            failure.to_string().contains("phiwatch.toml:2:1"),
            "{failure}"
        );
        std::fs::write(&path, "[listen]\naddress = \"127.0.0.1:1\"\n").unwrap();
        execute(&args).unwrap();
    }
}
