//! The pre-trigger ring: messages wait in memory until one of them is a finding.
//!
//! In: messages with their values replaced, in order. Out: those to be written:
//! the messages before and after a finding, and nothing else. Time comes with
//! the messages.

use std::collections::VecDeque;

use crate::{event::Timestamp, message::Message};

/// Approximate memory of a message besides its texts, in bytes.
const OVERHEAD: usize = 1_024;
/// Memory of one piece of evidence, in bytes, about.
const PER_PROOF: usize = 256;

/// How much is kept around a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingLimits {
    /// Nanoseconds before a finding.
    pub before: u64,
    /// Nanoseconds after a finding.
    pub after: u64,
    /// Memory that waiting messages may take, in bytes; beyond it the oldest
    /// are dropped.
    pub max_bytes: usize,
}

/// Messages that wait.
pub struct Ring {
    limits: RingLimits,
    waiting: VecDeque<(Message, usize)>,
    bytes: usize,
    /// Messages up to this time are written at once.
    until: Option<Timestamp>,
}

impl Ring {
    /// A ring in which nothing waits.
    pub const fn new(limits: RingLimits) -> Self {
        Self {
            limits,
            waiting: VecDeque::new(),
            bytes: 0,
            until: None,
        }
    }

    /// Adds a message. With `is_finding`, it and those around it are to be
    /// written. Appends what is to be written to `out`, this message last.
    /// Returns whether this message is among them.
    pub fn push(&mut self, message: Message, is_finding: bool, out: &mut Vec<Message>) -> bool {
        let time = message.time;
        self.forget(time);
        if is_finding {
            let until = time.plus(self.limits.after);
            self.until = self.until.max(Some(until));
            out.extend(self.waiting.drain(..).map(|(message, _)| message));
            self.bytes = 0;
        }
        if is_finding || self.until.is_some_and(|until| time <= until) {
            out.push(message);
            return true;
        }
        let size = size(&message);
        self.bytes = self.bytes.saturating_add(size);
        self.waiting.push_back((message, size));
        while self.bytes > self.limits.max_bytes {
            self.drop_oldest();
        }
        false
    }

    /// Drops what is older than any finding from `now` on needs.
    fn forget(&mut self, now: Timestamp) {
        let oldest = now.0.saturating_sub(self.limits.before);
        while self
            .waiting
            .front()
            .is_some_and(|(message, _)| message.time.0 < oldest)
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, size)) = self.waiting.pop_front() {
            self.bytes = self.bytes.saturating_sub(size);
        } else {
            self.bytes = 0;
        }
    }
}

fn size(message: &Message) -> usize {
    message.texts() + OVERHEAD + PER_PROOF * message.facts.proofs.len()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{event::StreamId, message::MessageFacts, secret::Secret};

    fn message(time: u64, length: usize) -> Message {
        Message {
            time: Timestamp(time),
            stream: StreamId {
                owner: 1,
                handle: 1,
                born: 1,
            },
            place: None,
            origin: None,
            server_name: None,
            request: Secret::new(Bytes::from(vec![b'x'; length])),
            response: Secret::default(),
            facts: Box::new(MessageFacts::default()),
        }
    }

    /// Times of messages, `!` behind a finding, to the times that are written.
    fn check(max_bytes: usize, times: &str, expected: &[u64]) {
        let mut ring = Ring::new(RingLimits {
            before: 10,
            after: 5,
            max_bytes,
        });
        let mut written = Vec::new();
        for word in times.split(' ') {
            let time: u64 = word.trim_end_matches('!').parse().unwrap();
            let before = written.len();
            let is_in = ring.push(message(time, 1_000), word.ends_with('!'), &mut written);
            let last = written.get(before..).and_then(<[Message]>::last);
            assert_eq!(is_in, last.is_some_and(|message| message.time.0 == time));
        }
        let times: Vec<_> = written.iter().map(|message| message.time.0).collect();
        assert_eq!(times, expected);
    }

    #[test]
    fn only_what_is_around_a_finding_is_written() {
        check(1 << 20, "1 2 3", &[]);
        check(1 << 20, "1 5 12! 13 17 18", &[5, 12, 13, 17]);
        check(1 << 20, "1 12! 16! 20 22", &[12, 16, 20]);
        check(1 << 20, "1! 3 7 8 9 12!", &[1, 3, 7, 8, 9, 12]);
    }

    #[test]
    fn the_oldest_give_way() {
        check(3 * (1_000 + OVERHEAD), "1 2 3 4 5 6!", &[3, 4, 5, 6]);
        check(0, "1 2 3!", &[3]);
    }
}
