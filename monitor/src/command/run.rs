//! `phiwatch run`

use super::{ExitStatus, Failure};
use crate::cli::RunArgs;

/// Does it.
pub fn execute(_args: &RunArgs) -> Result<(), Failure> {
    Err(Failure::message(
        ExitStatus::Internal,
        "run is not yet built",
    ))
}
