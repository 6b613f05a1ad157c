//! What keeps the TLS of a process from being read, as far as user space knows.
//!
//! Discovery notes what each process maps and since when it is hooked. The reader
//! notes which sockets greet a TLS server, gives discovery a moment, and asks what
//! is known. Only what explains something is said, so a process that can be read
//! costs no event. Pure: times, nanoseconds of one clock, are handed in.

use std::{collections::VecDeque, sync::Arc};

use hashbrown::HashMap;

use crate::event::{Blindness, Origin, StreamId};

/// How many processes are remembered.
const MAX_PROCESSES: usize = 65_536;
/// How many sockets wait.
const MAX_GREETINGS: usize = 16_384;
/// How long discovery is given to look at a process.
const PATIENCE: u64 = 1_000_000_000;
/// How often discovery is asked to look at the same process.
const ASK_AGAIN: u64 = 1_000_000_000;

/// What a process encrypts with, as its memory map shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// A TLS library of a kind that is hooked.
    Library,
    /// A Java virtual machine.
    Java,
    /// None of these: it is compiled in, or a library that nothing is known of.
    Hidden,
}

/// What is known of one process.
#[derive(Clone, Copy, Debug, Default)]
struct Knowledge {
    /// When its library was first hooked.
    hooked: Option<u64>,
    /// What its map showed, and when.
    engine: Option<(Engine, u64)>,
    /// The budget leaves it unprobed.
    is_excluded: bool,
    /// Whether rustls is in its executable, if that was searched.
    rustls: Option<bool>,
}

impl Knowledge {
    /// What keeps a connection that began then from being read. Before it connects a
    /// program may not have loaded its library yet, so it has to be looked at after
    /// that, unless it `is_over`.
    fn obstacle(&self, began: u64, is_over: bool) -> Option<Blindness> {
        let is_late = self.hooked.is_some_and(|time| time > began);
        match self.engine {
            Some((Engine::Java, _)) => Some(Blindness::Java),
            Some((Engine::Hidden, _)) if self.rustls == Some(true) => Some(Blindness::Rustls),
            Some((Engine::Hidden, looked)) if looked >= began || is_over => {
                Some(Blindness::NoSymbols)
            }
            Some((Engine::Library, _)) if self.hooked.is_none() => Some(Blindness::AttachFailed),
            _ if is_late => Some(Blindness::AttachedLate),
            _ if self.is_excluded => Some(Blindness::Excluded),
            _ => None,
        }
    }

    /// Whether another look may tell more.
    const fn is_vague(&self) -> bool {
        matches!(self.engine, None | Some((Engine::Hidden, _)))
    }
}

/// What is known of all processes.
#[derive(Debug, Default)]
pub(super) struct Processes(HashMap<u32, Knowledge>);

impl Processes {
    fn entry(&mut self, pid: u32) -> Option<&mut Knowledge> {
        if self.0.len() >= MAX_PROCESSES && !self.0.contains_key(&pid) {
            return None;
        }
        Some(self.0.entry(pid).or_default())
    }

    /// A process is hooked since then; the first time counts.
    pub(super) fn hooked(&mut self, pid: u32, since: u64) {
        if let Some(known) = self.entry(pid) {
            known.hooked.get_or_insert(since);
        }
    }

    /// The map of a process was looked at, then.
    pub(super) fn looked(&mut self, pid: u32, engine: Engine, is_excluded: bool, now: u64) {
        if let Some(known) = self.entry(pid) {
            known.engine = Some((engine, now));
            known.is_excluded = is_excluded;
        }
    }

    /// Whether its map shows nothing that a process encrypts with, and its executable
    /// was not searched yet.
    pub(super) fn is_hidden(&self, pid: u32) -> bool {
        let is_hidden = |own: &Knowledge| matches!(own.engine, Some((Engine::Hidden, _)));
        let known = self.0.get(&pid);
        known.is_some_and(|own| is_hidden(own) && own.rustls.is_none())
    }

    /// The executable of a process was searched for rustls.
    pub(super) fn searched(&mut self, pid: u32, has_rustls: bool) {
        if let Some(known) = self.entry(pid) {
            known.rustls = Some(has_rustls);
        }
    }

    /// A process runs another program.
    pub(super) fn executed(&mut self, pid: u32) {
        if let Some(known) = self.0.get_mut(&pid) {
            (known.engine, known.rustls) = (None, None);
        }
    }

    /// A process has ended.
    pub(super) fn ended(&mut self, pid: u32) {
        self.0.remove(&pid);
    }

    /// Forgets processes that are no more.
    pub(super) fn retain(&mut self, is_alive: impl Fn(u32) -> bool) {
        self.0.retain(|pid, _| is_alive(*pid));
    }

    /// Since when a process is hooked.
    pub(super) fn since(&self, pid: u32) -> Option<u64> {
        self.0.get(&pid)?.hooked
    }

    /// What keeps a connection of a process that began then from being read.
    pub(super) fn obstacle(&self, pid: u32, began: u64) -> Option<Blindness> {
        self.0.get(&pid)?.obstacle(began, false)
    }

    /// The same, of a process that has ended.
    pub(super) fn last_obstacle(&self, pid: u32, began: u64) -> Option<Blindness> {
        self.0.get(&pid)?.obstacle(began, true)
    }

    /// Whether another look at a process may tell more.
    pub(super) fn is_vague(&self, pid: u32) -> bool {
        self.0.get(&pid).is_none_or(Knowledge::is_vague)
    }
}

/// A socket that greeted a TLS server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    /// The socket's stream, with its process.
    pub(super) stream: StreamId,
    /// When it greeted.
    pub(super) began: u64,
    /// Where it came from, if it is closed.
    pub(super) closed: Option<Arc<Origin>>,
}

/// The sockets of which it is still to be asked what is known.
#[derive(Debug, Default)]
pub(super) struct Greetings {
    waiting: HashMap<StreamId, Greeting>,
    /// When they are due, about in order; of some it was asked before.
    queue: VecDeque<(u64, StreamId)>,
    asked: HashMap<u32, u64>,
}

impl Greetings {
    /// A socket greets a server. Returns whether discovery should look at its
    /// process.
    pub(super) fn begin(&mut self, greeting: Greeting) -> bool {
        let (stream, now) = (greeting.stream, greeting.began);
        if self.queue.len() >= MAX_GREETINGS
            && let Some((_, oldest)) = self.queue.pop_front()
        {
            self.waiting.remove(&oldest);
        }
        self.waiting.insert(stream, greeting);
        self.queue.push_back((now.saturating_add(PATIENCE), stream));
        if self.asked.len() >= MAX_PROCESSES {
            self.asked.clear();
        }
        let asked = self.asked.get(&stream.owner);
        let is_due = asked.is_none_or(|asked| asked.saturating_add(ASK_AGAIN) <= now);
        if is_due {
            self.asked.insert(stream.owner, now);
        }
        is_due
    }

    /// A socket that came from there is closed. Its process goes on, so discovery
    /// may still tell what keeps it from being read.
    pub(super) fn closed(&mut self, stream: StreamId, origin: Option<Arc<Origin>>) {
        if let Some(own) = self.waiting.get_mut(&stream) {
            own.closed = origin;
        }
    }

    /// A process has ended, and nothing more will be learned of it.
    pub(super) fn ended(&mut self, pid: u32) -> Vec<Greeting> {
        self.asked.remove(&pid);
        let all = self.waiting.extract_if(|stream, _| stream.owner == pid);
        all.map(|(_, own)| own).collect()
    }

    /// The next that is due at `now`, and since when.
    pub(super) fn due(&mut self, now: u64) -> Option<(u64, Greeting)> {
        while let Some((due, stream)) = self.queue.pop_front_if(|(due, _)| *due <= now) {
            if let Some(own) = self.waiting.remove(&stream) {
                return Some((due, own));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Source;

    /// What is said of a connection that began at 10, after these notes: since when
    /// its process is hooked, and what was seen of its map, when.
    fn check(
        hooked: Option<u64>,
        engine: Option<(Engine, u64)>,
        is_excluded: bool,
        expected: Option<Blindness>,
    ) {
        let mut known = Processes::default();
        if let Some(since) = hooked {
            known.hooked(7, since);
            known.hooked(7, since + 100);
        }
        if let Some((engine, now)) = engine {
            known.looked(7, engine, is_excluded, now);
        }
        let obstacle = known.obstacle(7, 10);
        assert_eq!(obstacle, expected, "{hooked:?} {engine:?} {is_excluded}");
        known.ended(7);
        assert_eq!(known.obstacle(7, 10), None);
    }

    #[test]
    fn rustls_is_found_and_what_ends_is_judged_by_what_was_seen_of_it() {
        let mut known = Processes::default();
        assert!(!known.is_hidden(7));
        known.looked(7, Engine::Hidden, false, 9);
        assert!(known.is_hidden(7));
        assert_eq!(known.obstacle(7, 10), None);
        assert_eq!(known.last_obstacle(7, 10), Some(Blindness::NoSymbols));
        known.searched(7, true);
        assert!(!known.is_hidden(7));
        assert_eq!(known.obstacle(7, 10), Some(Blindness::Rustls));
        known.looked(7, Engine::Library, false, 20);
        known.hooked(7, 5);
        assert_eq!(known.last_obstacle(7, 10), None);
        known.executed(7);
        known.looked(7, Engine::Hidden, false, 30);
        assert!(known.is_hidden(7));
    }

    #[test]
    fn what_is_known_explains_it() {
        use Blindness::{AttachFailed, AttachedLate, Excluded, Java, NoSymbols};
        use Engine::{Hidden, Library};
        for (hooked, engine, is_excluded, expected) in [
            (None, None, false, None),
            (Some(9), None, false, None),
            (Some(11), None, false, Some(AttachedLate)),
            (Some(9), Some((Library, 20)), false, None),
            (Some(9), Some((Library, 20)), true, Some(Excluded)),
            (Some(11), Some((Library, 20)), false, Some(AttachedLate)),
            (None, Some((Library, 20)), false, Some(AttachFailed)),
            (None, Some((Hidden, 20)), false, Some(NoSymbols)),
            (Some(9), Some((Hidden, 10)), false, Some(NoSymbols)),
            // Looked at before it connected.
            (None, Some((Hidden, 9)), false, None),
            (None, Some((Engine::Java, 5)), false, Some(Java)),
            (Some(9), Some((Engine::Java, 20)), false, Some(Java)),
        ] {
            check(hooked, engine, is_excluded, expected);
        }
    }

    #[test]
    fn another_program_is_looked_at_again() {
        let mut known = Processes::default();
        known.looked(7, Engine::Java, false, 5);
        known.executed(7);
        assert_eq!(known.obstacle(7, 10), None);
    }

    fn greeting(owner: u32, handle: u64, began: u64) -> Greeting {
        let stream = StreamId {
            owner,
            handle,
            born: 0,
        };
        let closed = None;
        Greeting {
            stream,
            began,
            closed,
        }
    }

    #[test]
    fn some_processes_are_known_well_enough() {
        let mut known = Processes::default();
        for (engine, expected) in [
            (Engine::Library, false),
            (Engine::Java, false),
            (Engine::Hidden, true),
        ] {
            known.looked(1, engine, false, 0);
            assert_eq!(known.is_vague(1), expected, "{engine:?}");
        }
        assert!(known.is_vague(2));
    }

    #[test]
    fn discovery_is_asked_now_and_then() {
        let mut greetings = Greetings::default();
        for (pid, began, expected) in [
            (2, 10, true),
            (2, 11, false),
            (3, 11, true),
            (2, 10 + ASK_AGAIN, true),
        ] {
            let asks = greetings.begin(greeting(pid, began, began));
            assert_eq!(asks, expected, "{pid} {began}");
        }
    }

    #[test]
    fn each_socket_is_asked_for_once_also_if_it_is_closed() {
        let mut greetings = Greetings::default();
        let all = [greeting(1, 1, 0), greeting(1, 2, 5), greeting(2, 3, 6)];
        for own in &all {
            greetings.begin(own.clone());
        }
        let [first, second, third] = all;
        let origin = Arc::new(Origin {
            source: Source::Socket,
            process: None,
            local: None,
            peer: None,
            one_way: false,
            blindness: None,
        });
        greetings.closed(second.stream, Some(Arc::clone(&origin)));
        assert_eq!(greetings.due(PATIENCE - 1), None);
        assert_eq!(greetings.due(PATIENCE), Some((PATIENCE, first)));
        assert_eq!(greetings.due(PATIENCE), None);
        assert_eq!(greetings.ended(2), [third]);
        let second = Greeting {
            closed: Some(origin),
            ..second
        };
        assert_eq!(greetings.due(u64::MAX), Some((PATIENCE + 5, second)));
        assert_eq!(greetings.due(u64::MAX), None);
        assert_eq!(greetings.ended(1), []);
    }
}
