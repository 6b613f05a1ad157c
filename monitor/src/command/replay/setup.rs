//! What every verb needs that searches captures for findings.
//!
//! In: the names of a configuration and of a state folder. Out: the [`Examiner`]
//! that examines messages, the core around it, and the [`Failure`] of a capture
//! that cannot be read.

use std::{
    num::NonZero,
    path::{Path, PathBuf},
};

use crate::{
    canary::Canaries,
    capture::CaptureError,
    command::{ExitStatus, Failure, OrFail as _, recipients, state::token_key},
    config::{Config, Recipients},
    pipeline::{Examiner, Pipeline},
};

/// The examiner for the configuration at `config`, with the token key in
/// `state`, or in the state folder of the configuration.
pub(crate) fn examiner(config: Option<&Path>, state: Option<&Path>) -> Result<Examiner, Failure> {
    let config = Config::load(config).or_fail(ExitStatus::Config)?;
    let recipients = recipients(&config)?;
    let directory = state.map_or_else(|| state_directory(&config), Path::to_owned);
    let key = token_key(&directory).or_fail(ExitStatus::Io)?;
    let Recipients {
        catalog, services, ..
    } = recipients;
    let canaries = Canaries::new(&config.canary).or_fail(ExitStatus::Config)?;
    Ok(Examiner::new(catalog, key)
        .with_services(services)
        .with_canaries(canaries))
}

/// A core that examines messages like `examiner`, on this many threads.
pub(crate) fn core(examiner: Examiner, threads: NonZero<usize>) -> Result<Pipeline, Failure> {
    Pipeline::from(examiner)
        .with_threads(threads)
        .or_fail(ExitStatus::Internal)
}

/// The configured state folder if this user can use it, otherwise the user's
/// own.
fn state_directory(config: &Config) -> PathBuf {
    let configured = config.state.directory.clone();
    if rustix::process::geteuid().is_root() {
        return configured;
    }
    let own = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    own.map_or(configured, |folder| folder.join("phiwatch"))
}

/// How the program ends when a capture cannot be read.
pub(crate) fn unreadable(error: CaptureError) -> Failure {
    let code = match &error {
        CaptureError::Unrecognized { .. } | CaptureError::Identity { .. } => ExitStatus::BadInput,
        CaptureError::Encrypted { .. } => ExitStatus::NotPermitted,
        CaptureError::Read { .. } | CaptureError::Write { .. } => ExitStatus::Io,
    };
    Failure::new(code, error)
}
