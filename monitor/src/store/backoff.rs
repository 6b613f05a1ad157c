//! The pause after a failure: a full disk is not tried again for every event.
//!
//! In: failures, successes and the time. Out: whether to try now, the error
//! (once), and how refused events are counted meanwhile.

use std::time::Duration;

use super::error::StoreError;
use crate::loss::Loss;

/// How long the writer waits after the first failure.
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);
/// The time after a failure during which nothing is tried.
#[derive(Default)]
pub(super) struct Backoff {
    until: Duration,
    length: Duration,
    /// What failed, until it has been reported.
    trouble: Option<StoreError>,
    /// How refused events are counted.
    is_full: bool,
}

impl Backoff {
    /// Whether nothing is tried at `now`, in the monotonic clock.
    pub(super) fn covers(&self, now: Duration) -> bool {
        now < self.until
    }

    /// Whether something failed and nothing has worked since.
    pub(super) const fn is_begun(&self) -> bool {
        !self.length.is_zero()
    }

    /// Begins a pause, longer than the last one unless that had ended.
    pub(super) fn begins(&mut self, now: Duration, error: StoreError) {
        self.length = (self.length * 2).clamp(INITIAL_BACKOFF, MAX_BACKOFF);
        self.until = now + self.length;
        self.is_full = error.is_full();
        self.trouble = Some(error);
    }

    /// Ends: writing works.
    pub(super) fn ended(&mut self) {
        *self = Self::default();
    }

    /// The error, the first time; then that there was one.
    pub(super) fn told(&mut self) -> StoreError {
        self.trouble.take().unwrap_or(StoreError::Waiting)
    }

    /// How an event is counted that is refused.
    pub(super) const fn loss(&self) -> Loss {
        if self.is_full {
            Loss::CaptureNoRoom
        } else {
            Loss::CaptureWrite
        }
    }
}
