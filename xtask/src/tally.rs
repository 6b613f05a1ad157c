//! Counts of what passed, failed and was skipped, over all checks and suites.

use std::{
    fmt,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};

use crate::process;

/// What a live test prints if the kernel refuses; it then passes for the test
/// runner, but not here.
const SKIPPED: &str = "SKIPPED(kernel)";

/// The counts. Prints as the closing line of the test command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

impl Tally {
    /// Whether nothing failed and something passed.
    pub(crate) const fn is_well(self) -> bool {
        self.failed == 0 && self.passed > 0
    }

    /// Counts one check by its result, and prints the reason of a failure.
    pub(crate) fn check(&mut self, name: &str, check: impl FnOnce() -> Result<()>) {
        eprintln!("xtask: {name}");
        match check() {
            Ok(()) => self.passed += 1,
            Err(error) => {
                eprintln!("xtask: {name} FAILED: {error:#}");
                self.failed += 1;
            }
        }
    }

    /// Runs a `cargo test`, shows its output, and counts its tests.
    pub(crate) fn suite(&mut self, name: &str, command: &mut Command) {
        eprintln!("xtask: {name}");
        match suite(command) {
            Ok(counts) => self.add(counts),
            Err(error) => {
                eprintln!("xtask: {name} FAILED: {error:#}");
                self.failed += 1;
            }
        }
    }

    const fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Counts the result in one line of a test runner's output.
    fn line(&mut self, line: &str) {
        if line.contains(SKIPPED) {
            self.skipped += 1;
            self.passed = self.passed.saturating_sub(1);
        }
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|l| l.split_once(". "))
        else {
            return;
        };
        for part in counts.split("; ") {
            let mut words = part.split(' ');
            let count = words
                .next()
                .and_then(|word| word.parse::<u64>().ok())
                .unwrap_or_default();
            match words.next() {
                Some("passed") => self.passed += count,
                Some("failed") => self.failed += count,
                Some("ignored") => self.skipped += count,
                _ => {}
            }
        }
    }
}

fn suite(command: &mut Command) -> Result<Tally> {
    let shown = process::shown(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {shown}"))?;
    let stdout = child
        .stdout
        .take()
        .context("the child has no standard output")?;
    let mut lines = Vec::new();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        lines.push(line);
    }
    let status = child.wait()?;
    Ok(count(lines.iter().map(String::as_str), status.success()))
}

/// The results in a test runner's output. A runner that fails without a failed
/// test did not build or was killed, which is a failure too.
fn count<'a>(lines: impl Iterator<Item = &'a str> + Clone, success: bool) -> Tally {
    let mut tally = Tally::default();
    // Skips precede the result that counts them as passed.
    for line in lines.clone().filter(|line| !line.contains(SKIPPED)) {
        tally.line(line);
    }
    for line in lines.filter(|line| line.contains(SKIPPED)) {
        tally.line(line);
    }
    if !success && tally.failed == 0 {
        tally.failed = 1;
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, success: bool, expected: (u64, u64, u64)) {
        let (passed, failed, skipped) = expected;
        assert_eq!(
            count(output.lines(), success),
            Tally {
                passed,
                failed,
                skipped
            }
        );
    }

    #[test]
    fn results_are_summed() {
        check(
            "running 2 tests\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; \
             0 filtered out; finished in 0.00s\n\
             test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out",
            false,
            (5, 4, 1),
        );
    }

    #[test]
    fn a_refusing_kernel_turns_passes_into_skips() {
        check(
            "test curl ... \nSKIPPED(kernel): curl: exit 77\nok\n\
             test result: ok. 3 passed; 0 failed; 0 ignored",
            true,
            (2, 0, 1),
        );
    }

    #[test]
    fn a_build_that_fails_is_a_failure() {
        check("", false, (0, 1, 0));
        assert!(!Tally::default().is_well());
    }
}
