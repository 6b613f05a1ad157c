//! `phiwatch capture`

use super::{ExitStatus, Failure};
use crate::cli::CaptureArgs;

/// Does it.
pub fn execute(_args: &CaptureArgs) -> Result<(), Failure> {
    Err(Failure::message(
        ExitStatus::Internal,
        "capture is not yet built",
    ))
}
