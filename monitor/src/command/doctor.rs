//! `phiwatch doctor`

use super::{ExitStatus, Failure};
use crate::cli::DoctorArgs;

/// Does it.
pub fn execute(_args: &DoctorArgs) -> Result<(), Failure> {
    Err(Failure::message(
        ExitStatus::Internal,
        "doctor is not yet built",
    ))
}
