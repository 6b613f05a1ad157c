//! Counts, and the shares that follow from them.

/// Expected, found, and wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Score {
    /// How often it should be reported.
    pub expected: u64,
    /// How often it was, of those.
    pub found: u64,
    /// How often it was reported and should not have been.
    pub wrong: u64,
}

impl Score {
    /// Share of what is expected that was found; 1 where nothing is expected.
    pub fn recall(&self) -> f64 {
        share(self.found, self.expected)
    }

    /// Share of what was reported that is right.
    pub fn precision(&self) -> f64 {
        share(self.found, self.found + self.wrong)
    }
}

/// `alarms` in 100,000 requests.
pub fn per_100k(alarms: u64, requests: u64) -> f64 {
    alarms as f64 * 100_000.0 / requests.max(1) as f64
}

/// `part` of `whole`, 1 where there is no whole.
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

/// What is counted for one platform.
#[derive(Clone, Copy, Debug, Default)]
pub struct Platform {
    /// Requests with health information.
    pub positives: u64,
    /// Requests without.
    pub negatives: u64,
    /// Events of severity high or above.
    pub high: Score,
    /// (event, class) pairs.
    pub classes: Score,
    /// Findings above what a negative may give.
    pub false_alarms: u64,
}
