//! The progress bar on a terminal.
//!
//! In: how far the files were read, and each finding that is shown. Out: one
//! line on standard error that disappears at the end; nothing if standard error
//! is no terminal.

use std::{
    io::{self, IsTerminal as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::summary::plural;
use crate::capture::Progress;

/// How often the bar is drawn.
const PERIOD: Duration = Duration::from_millis(100);

const KNOWN: &str = "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left, {msg}";
const UNKNOWN: &str = "{spinner} {bytes}, {bytes_per_sec}, {msg}";

/// A line that shows the progress of a replay. Disappears when it is dropped.
pub(super) struct ReplayBar {
    shown: Option<Shown>,
    findings: Arc<AtomicU64>,
}

struct Shown {
    bar: ProgressBar,
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ReplayBar {
    /// A bar for `progress`, if there is a terminal.
    pub(super) fn start(progress: &Arc<Progress>, is_quiet: bool) -> Self {
        let findings = Arc::<AtomicU64>::default();
        let is_wanted = !is_quiet && io::stderr().is_terminal();
        let shown = is_wanted.then(|| Shown::start(Arc::clone(progress), Arc::clone(&findings)));
        Self { shown, findings }
    }

    /// Hides the bar while `print` writes to what may be the same terminal.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.findings.fetch_add(1, Ordering::Relaxed);
        match &self.shown {
            Some(shown) => shown.bar.suspend(print),
            None => print(),
        }
    }
}

impl Shown {
    fn start(progress: Arc<Progress>, findings: Arc<AtomicU64>) -> Self {
        let bar = ProgressBar::new(0);
        let (stop, stopped) = channel::<()>();
        let own = bar.clone();
        // A thread of its own, since a long part without messages has no
        // findings and is still progress.
        let thread = thread::Builder::new()
            .name("progress".to_owned())
            .spawn(move || {
                let mut is_known = None;
                while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                    let total = progress.total.load(Ordering::Relaxed);
                    let read = progress.read.load(Ordering::Relaxed);
                    if is_known != Some(total > 0) {
                        is_known = Some(total > 0);
                        let template = if total > 0 { KNOWN } else { UNKNOWN };
                        // The templates are constants, and right.
                        if let Ok(style) = ProgressStyle::with_template(template) {
                            own.set_style(style.progress_chars("=> "));
                        }
                    }
                    let count = findings.load(Ordering::Relaxed);
                    own.set_length(total.max(read));
                    own.set_position(read);
                    own.set_message(format!("{count} finding{}", plural(count)));
                    own.tick();
                }
            })
            .ok();
        Self {
            bar,
            stop: Some(stop),
            thread,
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It only draws; if it panicked, there is nothing left to draw.
            drop(thread.join());
        }
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_right() {
        for template in [KNOWN, UNKNOWN] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn a_bar_ends_with_its_thread() {
        let progress = Arc::<Progress>::default();
        progress.total.store(10, Ordering::Relaxed);
        let shown = Shown::start(Arc::clone(&progress), Arc::default());
        drop(shown);
        assert_eq!(Arc::strong_count(&progress), 1);
        let bar = ReplayBar::start(&progress, true);
        assert_eq!(bar.aside(|| 7), 7);
        assert_eq!(bar.findings.load(Ordering::Relaxed), 1);
    }
}
