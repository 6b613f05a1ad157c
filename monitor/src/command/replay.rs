//! `phiwatch replay`

use super::{ExitStatus, Failure};
use crate::cli::ReplayArgs;

/// Does it.
pub fn execute(_args: &ReplayArgs) -> Result<(), Failure> {
    Err(Failure::message(
        ExitStatus::Internal,
        "replay is not yet built",
    ))
}
