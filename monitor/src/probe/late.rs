//! Connections that a process opened before its TLS library was hooked.
//!
//! A process may live for milliseconds, and hooking a library that nobody has
//! used before takes some. What it sends meanwhile is not read, and must not be
//! lost in silence. The socket layer sees every TLS connection, whoever made it:
//! those that were opened before the hooks were there, and of which no plaintext
//! ever came, are counted. Pure: times are handed in.

use std::collections::HashMap;

/// How many processes are remembered.
const MAX_PROCESSES: usize = 8_192;
/// How many connections of a process are remembered.
const MAX_CONNECTIONS: usize = 64;
/// How long plaintext may take to come, nanoseconds: a slow handshake.
const WAIT: u64 = 5_000_000_000;

#[derive(Default)]
struct Early {
    /// When its TLS connections began.
    began: Vec<u64>,
    /// How many TLS streams gave plaintext.
    streams: usize,
}

/// What processes did before they were hooked. All times are nanoseconds of one
/// clock.
#[derive(Default)]
pub(super) struct Late {
    processes: HashMap<u32, Early>,
    /// When it is next looked who is due.
    next: u64,
}

impl Late {
    /// A process began a TLS connection.
    pub(super) fn connected(&mut self, pid: u32, time: u64) {
        if self.processes.len() >= MAX_PROCESSES && !self.processes.contains_key(&pid) {
            return;
        }
        let early = self.processes.entry(pid).or_default();
        if early.began.len() < MAX_CONNECTIONS {
            early.began.push(time);
        }
    }

    /// The first plaintext of a TLS stream of the process has come.
    pub(super) fn read(&mut self, pid: u32) {
        if let Some(early) = self.processes.get_mut(&pid) {
            early.streams += 1;
        }
    }

    /// A process has ended: how many of its connections were not read because
    /// they began before `hooked`, which is when its library was hooked.
    pub(super) fn ended(&mut self, pid: u32, hooked: Option<u64>) -> u64 {
        let early = self.processes.remove(&pid);
        early.map_or(0, |early| early.unread(hooked))
    }

    /// The same of processes that go on, whose plaintext would have come by `now`.
    pub(super) fn settle(&mut self, now: u64, hooked: impl Fn(u32) -> Option<u64>) -> u64 {
        if now < self.next {
            return 0;
        }
        self.next = now.saturating_add(WAIT / 10);
        let due: Vec<u32> = self
            .processes
            .iter()
            .filter(|(_, early)| {
                let last = early.began.last();
                last.is_none_or(|last| last.saturating_add(WAIT) <= now)
            })
            .map(|(pid, _)| *pid)
            .collect();
        due.into_iter()
            .map(|pid| self.ended(pid, hooked(pid)))
            .sum()
    }
}

impl Early {
    /// A process without a library that could be hooked is not late but blind,
    /// which is counted elsewhere.
    fn unread(&self, hooked: Option<u64>) -> u64 {
        let Some(hooked) = hooked else { return 0 };
        let before = self.began.iter().filter(|time| **time < hooked).count();
        let silent = self.began.len().saturating_sub(self.streams);
        before.min(silent) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Connections that begin at these times, `streams` of which are read.
    fn check(began: &[u64], streams: usize, hooked: Option<u64>, expected: u64) {
        let mut late = Late::default();
        for time in began {
            late.connected(1, *time);
        }
        for _ in 0..streams {
            late.read(1);
        }
        assert_eq!(late.ended(1, hooked), expected, "{began:?} {streams}");
        assert_eq!(late.ended(1, hooked), 0, "counted once");
    }

    #[test]
    fn what_began_before_the_hooks_and_was_not_read_counts() {
        check(&[10], 0, Some(20), 1);
        check(&[10], 1, Some(20), 0);
        check(&[10, 11, 30], 2, Some(20), 1);
        check(&[10, 11, 30], 1, Some(20), 2);
    }

    #[test]
    fn what_began_later_or_cannot_be_hooked_does_not() {
        check(&[30, 31], 0, Some(20), 0);
        check(&[10], 0, None, 0);
    }

    #[test]
    fn a_process_that_goes_on_is_settled_once_its_plaintext_would_have_come() {
        let mut late = Late::default();
        late.connected(1, 0);
        late.connected(2, WAIT);
        for (now, expected) in [(WAIT / 2, 0), (WAIT, 1), (2 * WAIT, 1), (9 * WAIT, 0)] {
            assert_eq!(late.settle(now, |_| Some(u64::MAX)), expected, "{now}");
        }
    }
}
