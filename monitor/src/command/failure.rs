//! How a verb ends: its exit code, and why it failed.

use std::fmt;

/// The meaning of the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitStatus {
    /// All is well.
    Success = 0,
    /// Findings at or above `--fail-on`.
    Findings = 1,
    /// Wrong use of the command line.
    Usage = 2,
    /// `doctor --processes`: a process whose TLS is not read, or not known to be.
    Blind = 3,
    /// Input that cannot be read.
    BadInput = 65,
    /// This kernel lacks something.
    Unsupported = 69,
    /// An error of phiwatch itself.
    Internal = 70,
    /// Reading or writing failed.
    Io = 74,
    /// Not permitted.
    NotPermitted = 77,
    /// The configuration is wrong.
    Config = 78,
}

impl ExitStatus {
    /// Every status.
    pub const ALL: &'static [Self] = &[
        Self::Success,
        Self::Findings,
        Self::Usage,
        Self::Blind,
        Self::BadInput,
        Self::Unsupported,
        Self::Internal,
        Self::Io,
        Self::NotPermitted,
        Self::Config,
    ];
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// Why a verb failed: the exit code and the chain of causes.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: ExitStatus,
    /// What went wrong, to be printed once with all its causes.
    pub source: anyhow::Error,
}

impl Failure {
    /// A failure with this exit code.
    pub fn new(code: ExitStatus, source: impl Into<anyhow::Error>) -> Self {
        Self {
            code,
            source: source.into(),
        }
    }

    /// A failure with this exit code and message.
    pub fn message(code: ExitStatus, message: impl fmt::Display) -> Self {
        Self {
            code,
            source: anyhow::anyhow!("{message}"),
        }
    }
}

/// The message and its causes in one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.source)
    }
}

/// Gives the error of a result its exit code.
pub trait OrFail<T> {
    /// The value, or a [`Failure`] with `code`.
    fn or_fail(self, code: ExitStatus) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_fail(self, code: ExitStatus) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(code, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_prints_its_causes_once_and_in_order() {
        let cause = std::io::Error::other("no room");
        let failure = Err::<(), _>(anyhow::Error::new(cause).context("write the journal"))
            .or_fail(ExitStatus::Io)
            .unwrap_err();
        assert_eq!(failure.to_string(), "write the journal: no room");
        assert_eq!(failure.code, ExitStatus::Io);
    }
}
