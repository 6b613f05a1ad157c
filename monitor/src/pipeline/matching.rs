//! TLS connections, and the plaintext of them: which were read.
//!
//! In: the beginnings of connections to hosts of the catalog, as sockets show them
//! (a `ClientHello`, or a `CONNECT` that a proxy granted), when they send more than a
//! handshake, the TLS streams of which plaintext was seen, what the probe knows of a
//! connection, and the time. Out: each connection over which something was sent, once,
//! when it is known whether it was read.
//!
//! Nothing ties the stream of a TLS library to its socket. What they share is the
//! process and the name of the server, and they are matched by these, by time and
//! by number:
//!
//! - **Certain** is how many connections of a process to a host were read: a stream
//!   takes the place of the earliest that is not read yet, and of one that begins
//!   up to [`SLACK`] later, since some clients write before they greet. So as many
//!   streams as connections leave none unread, in whatever order they come.
//! - **Not certain** is which of several connections of one process to one host was
//!   not read: its time, its address and whether it began before the hooks may be
//!   those of another one.
//! - A connection over which nothing is sent but a handshake is none: the handshake
//!   failed, or a pool keeps it ready. While one waits, plaintext that is taken for
//!   its own may be another's that was made after it, and goes over to that.
//! - A tunnel through a proxy is the client's connection. If the proxy is watched as
//!   well, it passes the client's greeting on: the greeting with the same random is no
//!   connection of its own. A proxy that greets the server itself has its own.
//! - A connection over QUIC is never read, and none of this module's concern.
//! - A greeting without a name gives no connection. Where it is not known whose
//!   socket it is, plaintext of any process for that name counts.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use hashbrown::HashMap;

use crate::{
    event::{Blindness, Place, StreamId, Timestamp},
    stream::{Facts, RANDOM},
    tracker::HostMatch,
};

/// How long after what is sent over a connection its plaintext may come, in
/// nanoseconds. It comes before, but is told by its first whole request if its stream
/// has no name.
const WAIT: u64 = 3_000_000_000;
/// How long before its connection begins plaintext may be seen, in nanoseconds.
const SLACK: u64 = 1_000_000_000;
/// How long a proxy may take to pass a greeting on, in nanoseconds.
const RELAY: u64 = 30_000_000_000;
/// How many connections wait for their plaintext.
const MAX_WAITING: usize = 16_384;
/// How many streams are remembered.
const MAX_STREAMS: usize = 65_536;

/// A TLS connection to a host of the catalog.
pub(super) struct Connection {
    /// The socket.
    pub(super) stream: StreamId,
    /// The server's name.
    pub(super) host: Arc<str>,
    /// What the catalog knows of the host.
    pub(super) found: HostMatch,
    /// The tracker that its requests went to, if one was read.
    pub(super) tracker: Option<Arc<str>>,
    /// When it began.
    pub(super) began: Timestamp,
    /// What is known of the socket.
    pub(super) facts: Arc<Facts>,
    /// Where its beginning is recorded, if it is.
    pub(super) place: Option<Place>,
    /// Whether it goes through a proxy.
    pub(super) is_tunnel: bool,
    /// By what its greeting is known again.
    pub(super) random: Option<[u8; RANDOM]>,
    /// Since when more than a handshake is sent over it.
    pub(super) sends: Option<Timestamp>,
    /// Whether a redacted capture holds it already.
    pub(super) is_recorded: bool,
    /// What keeps it from being read, as far as the probe knows.
    pub(super) obstacle: Option<Blindness>,
    /// Whether plaintext of it was seen.
    pub(super) is_read: bool,
    /// The stream of a TLS library that is taken for its own.
    pub(super) reader: Option<StreamId>,
}

impl Connection {
    /// One that has just begun, of which no more is known than that.
    pub(super) fn new(
        stream: StreamId,
        host: Arc<str>,
        found: HostMatch,
        began: Timestamp,
        facts: Arc<Facts>,
        place: Option<Place>,
    ) -> Self {
        let obstacle = facts.origin.as_ref().and_then(|origin| origin.blindness);
        Self {
            stream,
            host,
            found,
            tracker: None,
            began,
            facts,
            place,
            is_tunnel: false,
            random: None,
            sends: None,
            is_recorded: false,
            obstacle,
            is_read: false,
            reader: None,
        }
    }

    fn key(&self) -> Key {
        (self.stream.owner, Arc::clone(&self.host))
    }

    /// Why it was not read; `None` if it was.
    pub(super) fn blindness(&self) -> Option<Blindness> {
        let unread = if self.is_tunnel {
            Blindness::Proxy
        } else {
            Blindness::Unknown
        };
        (!self.is_read).then(|| self.obstacle.unwrap_or(unread))
    }
}

/// By what connections and streams are matched: the process, 0 if it is not known,
/// and the server's name.
type Key = (u32, Arc<str>);

/// The connections that are not settled yet.
#[derive(Default)]
pub(super) struct Matching {
    waiting: HashMap<u64, Connection>,
    next: u64,
    /// Those over which something is sent.
    due: BTreeSet<(Timestamp, u64)>,
    /// Those over which nothing is sent yet.
    idle: BTreeSet<u64>,
    /// The connections of which no plaintext was seen, earliest first.
    unread: HashMap<Key, BTreeSet<u64>>,
    /// The connections that were taken for read, and send nothing.
    lenders: HashMap<Key, BTreeSet<u64>>,
    sockets: HashMap<StreamId, u64>,
    /// TLS streams of which plaintext was seen, and whose place each takes.
    streams: HashMap<StreamId, Option<u64>>,
    /// Streams whose connection has not begun yet.
    early: VecDeque<(Timestamp, StreamId, Key)>,
    /// Greetings that went into tunnels, and were not passed on yet.
    tunneled: VecDeque<(Timestamp, [u8; RANDOM])>,
}

impl Matching {
    /// A connection begins. Gives another one that has to be settled now, since
    /// there are too many.
    pub(super) fn begin(&mut self, connection: Connection) -> Option<Connection> {
        if self.is_relayed(&connection) {
            return None;
        }
        let first = self.due.first().map(|(_, number)| *number);
        let first = first.or_else(|| self.idle.first().copied());
        let evicted = first.filter(|_| self.waiting.len() >= MAX_WAITING);
        let evicted = evicted.and_then(|number| self.settle(number));
        let number = self.next;
        self.next += 1;
        match connection.sends {
            Some(time) => self.due.insert((time.plus(WAIT), number)),
            None => self.idle.insert(number),
        };
        self.sockets.insert(connection.stream, number);
        let key = connection.key();
        let early = self.early.iter().position(|(time, _, (owner, host))| {
            *host == key.1
                && (key.0 == 0 || *owner == 0 || *owner == key.0)
                && time.plus(SLACK) >= connection.began
        });
        self.waiting.insert(number, connection);
        self.unread.entry(key).or_default().insert(number);
        if let Some((_, stream, key)) = early.and_then(|index| self.early.remove(index)) {
            self.assign(stream, &key);
        }
        evicted
    }

    /// A greeting goes into a tunnel.
    pub(super) fn tunneled(&mut self, random: [u8; RANDOM], now: Timestamp) {
        while self.tunneled.len() >= MAX_WAITING
            || (self.tunneled.front()).is_some_and(|(time, _)| time.plus(RELAY) < now)
        {
            self.tunneled.pop_front();
        }
        self.tunneled.push_back((now, random));
    }

    /// Whether a proxy begins this connection for a tunnel that is one already.
    fn is_relayed(&mut self, connection: &Connection) -> bool {
        let Some(random) = connection.random else {
            return false;
        };
        let mut tunneled = self.tunneled.iter();
        let passed_on =
            tunneled.position(|(time, own)| *own == random && time.plus(RELAY) >= connection.began);
        passed_on
            .and_then(|index| self.tunneled.remove(index))
            .is_some()
    }

    /// Plaintext of a TLS stream to `host` was seen.
    pub(super) fn seen(&mut self, stream: StreamId, host: &Arc<str>, now: Timestamp) {
        if self.streams.contains_key(&stream) || self.streams.len() >= MAX_STREAMS {
            return;
        }
        self.streams.insert(stream, None);
        let key = (stream.owner, Arc::clone(host));
        if !self.assign(stream, &key) {
            while self.early.len() >= MAX_WAITING
                || (self.early.front()).is_some_and(|(time, ..)| time.plus(SLACK) < now)
            {
                self.early.pop_front();
            }
            self.early.push_back((now, stream, key));
        }
    }

    /// Lets a stream take the place of the earliest connection that is unread.
    fn assign(&mut self, stream: StreamId, key: &Key) -> bool {
        let unknown = (0, Arc::clone(&key.1));
        let number = self.earliest(key).or_else(|| self.earliest(&unknown));
        let number = number.or_else(|| {
            // The stream's own process may be unknown instead.
            (key.0 == 0).then(|| self.earliest_of_any(&key.1)).flatten()
        });
        let Some(number) = number else {
            return false;
        };
        // It may have ended since.
        if let Some(own) = self.streams.get_mut(&stream) {
            *own = Some(number);
        }
        if let Some(connection) = self.waiting.get_mut(&number) {
            connection.is_read = true;
            connection.reader = Some(stream);
            let key = connection.key();
            forget(&mut self.unread, &key, number);
            if connection.sends.is_none() {
                self.lenders.entry(key).or_default().insert(number);
            }
        }
        true
    }

    fn earliest(&self, key: &Key) -> Option<u64> {
        self.unread.get(key)?.first().copied()
    }

    fn earliest_of_any(&self, host: &Arc<str>) -> Option<u64> {
        let own = self.unread.iter().filter(|((_, name), _)| name == host);
        own.filter_map(|(_, numbers)| numbers.first().copied())
            .min()
    }

    /// A request of a TLS stream went to this tracker.
    pub(super) fn identify(&mut self, stream: StreamId, tracker: &Arc<str>) {
        let connection = self
            .streams
            .get(&stream)
            .and_then(|connection| *connection)
            .and_then(|number| self.waiting.get_mut(&number));
        if let Some(connection) = connection {
            connection
                .tracker
                .get_or_insert_with(|| Arc::clone(tracker));
        }
    }

    /// More than a handshake is sent over a connection.
    pub(super) fn sends(&mut self, socket: StreamId, now: Timestamp) {
        let Some(number) = self.sockets.get(&socket).copied() else {
            return;
        };
        if self.idle.remove(&number)
            && let Some(connection) = self.waiting.get_mut(&number)
        {
            connection.sends = Some(now);
            forget(&mut self.lenders, &connection.key(), number);
            self.due.insert((now.plus(WAIT), number));
        }
    }

    /// The probe says what keeps a connection from being read.
    pub(super) fn explain(&mut self, socket: StreamId, obstacle: Blindness) {
        let number = self.sockets.get(&socket);
        if let Some(connection) = number.and_then(|own| self.waiting.get_mut(own)) {
            connection.obstacle = Some(obstacle);
        }
    }

    /// A stream has ended: that of a TLS library, or a socket.
    pub(super) fn close(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
        let number = self.sockets.get(&stream).copied();
        if let Some(number) = number.filter(|own| self.idle.contains(own)) {
            let closed = self.settle(number);
            // What was taken for its own is another's.
            if let Some(closed) = closed.filter(|own| own.is_read)
                && let Some(heir) = self.earliest(&closed.key())
            {
                self.inherit(heir, closed.reader, closed.tracker);
            }
        }
    }

    /// The next connection that is settled at `now`.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Connection> {
        let (due, number) = self.due.first().copied()?;
        if due > now {
            return None;
        }
        self.borrow(number);
        self.settle(number)
    }

    /// If the connection `number` is unread, another that sends nothing may have been
    /// taken for it.
    fn borrow(&mut self, number: u64) {
        let connection = self.waiting.get(&number);
        let Some(key) = connection.filter(|own| !own.is_read).map(Connection::key) else {
            return;
        };
        let lenders = self.lenders.get(&key);
        let lender = lenders.and_then(|own| own.first()).copied();
        let Some((from, lender)) =
            lender.and_then(|from| Some((from, self.waiting.get_mut(&from)?)))
        else {
            return;
        };
        lender.is_read = false;
        let (reader, tracker) = (lender.reader.take(), lender.tracker.take());
        forget(&mut self.lenders, &key, from);
        self.unread.entry(key).or_default().insert(from);
        self.inherit(number, reader, tracker);
    }

    /// What was seen of another connection is that of the connection `number`.
    fn inherit(&mut self, number: u64, reader: Option<StreamId>, tracker: Option<Arc<str>>) {
        let Some(heir) = self.waiting.get_mut(&number) else {
            return;
        };
        (heir.is_read, heir.reader, heir.tracker) = (true, reader, tracker);
        let key = heir.key();
        if heir.sends.is_none() {
            self.lenders.entry(key.clone()).or_default().insert(number);
        }
        forget(&mut self.unread, &key, number);
        if let Some(stream) = reader.and_then(|own| self.streams.get_mut(&own)) {
            *stream = Some(number);
        }
    }

    /// Takes a connection out.
    fn settle(&mut self, number: u64) -> Option<Connection> {
        let connection = self.waiting.remove(&number)?;
        match connection.sends {
            Some(time) => self.due.remove(&(time.plus(WAIT), number)),
            None => self.idle.remove(&number),
        };
        if self.sockets.get(&connection.stream) == Some(&number) {
            self.sockets.remove(&connection.stream);
        }
        let key = connection.key();
        forget(&mut self.unread, &key, number);
        forget(&mut self.lenders, &key, number);
        Some(connection)
    }
}

fn forget(index: &mut HashMap<Key, BTreeSet<u64>>, key: &Key, number: u64) {
    if let Some(numbers) = index.get_mut(key) {
        numbers.remove(&number);
        if numbers.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracker::Catalog;

    const HOST: &str = "graph.facebook.com";

    fn id(owner: u32, handle: u64) -> StreamId {
        StreamId {
            owner,
            handle,
            born: 0,
        }
    }

    fn random(number: u64) -> [u8; RANDOM] {
        [number as u8; RANDOM]
    }

    /// Does each step of a script, and expects the connections that are settled,
    /// with the time in milliseconds at which they are: `handle@time reason`.
    ///
    /// | step | |
    /// |---|---|
    /// | `T P begin S` | at T the process P begins a connection on the socket S, and sends |
    /// | `T P greet S` | the same, and sends nothing but a handshake |
    /// | `T P send S` | now it does |
    /// | `T P tunnel S` | the same as `begin`, through a proxy |
    /// | `T P greets S` | it greets the server through its tunnel, with the random S |
    /// | `T P passes S` | P begins a connection with that greeting |
    /// | `T P read S` | plaintext of its stream S is seen |
    /// | `T P end S` | its stream or socket S ends |
    /// | `T P java S` | the probe says that it is a Java machine's |
    fn check(script: &[&str], expected: &[&str]) {
        let catalog = Catalog::builtin();
        let host: Arc<str> = HOST.into();
        let (mut matching, mut settled) = (Matching::default(), Vec::new());
        let mut steps = script.iter().map(|step| {
            let words: Vec<_> = step.split(' ').collect();
            let [time, owner, what, handle] = words[..] else {
                panic!("{step}");
            };
            let number = |word: &str| word.parse::<u64>().unwrap();
            (number(time), owner.parse().unwrap(), what, number(handle))
        });
        let mut next = steps.next();
        for time in (0..=20_000).step_by(100) {
            let now = Timestamp(time * 1_000_000);
            while let Some(connection) = matching.take(now) {
                let reason = connection.blindness().map_or("read", Blindness::as_str);
                settled.push(format!("{}@{time} {reason}", connection.stream.handle));
            }
            while let Some((_, owner, what, handle)) = next.filter(|step| step.0 == time) {
                let stream = id(owner, handle);
                match what {
                    "begin" | "greet" | "tunnel" | "passes" => {
                        let found = catalog.match_host(&host).unwrap();
                        let (host, facts) = (Arc::clone(&host), Arc::default());
                        let connection = Connection {
                            is_tunnel: what == "tunnel",
                            random: (what == "passes").then(|| random(handle)),
                            sends: (what != "greet").then_some(now),
                            ..Connection::new(stream, host, found, now, facts, None)
                        };
                        assert!(matching.begin(connection).is_none());
                    }
                    "read" => matching.seen(stream, &host, now),
                    "end" => matching.close(stream),
                    "greets" => matching.tunneled(random(handle), now),
                    "send" => matching.sends(stream, now),
                    "java" => matching.explain(stream, Blindness::Java),
                    _ => panic!("{what}"),
                }
                next = steps.next();
            }
        }
        assert!(next.is_none(), "{next:?} is not in time");
        assert_eq!(settled, expected, "{script:?}");
        let Matching {
            waiting,
            due,
            unread,
            sockets,
            idle,
            lenders,
            ..
        } = matching;
        assert_eq!(waiting.len(), idle.len(), "{script:?}");
        assert_eq!(sockets.len(), idle.len(), "{script:?}");
        let lent: usize = lenders.values().map(BTreeSet::len).sum();
        let unread: usize = unread.values().map(BTreeSet::len).sum();
        assert_eq!((due.len(), lent + unread), (0, idle.len()), "{script:?}");
    }

    #[test]
    fn a_connection_is_read_if_its_process_gave_plaintext_for_its_host() {
        check(&["0 7 begin 1"], &["1@3000 unknown"]);
        check(&["0 7 begin 1", "200 7 read 50"], &["1@3000 read"]);
        check(&["0 7 begin 1", "2900 7 read 50"], &["1@3000 read"]);
        check(&["0 7 begin 1", "200 8 read 50"], &["1@3000 unknown"]);
        check(&["0 7 begin 1", "200 0 read 50"], &["1@3000 read"]);
        check(&["0 0 begin 1", "200 8 read 50"], &["1@3000 read"]);
    }

    #[test]
    fn as_many_streams_as_connections_leave_none_unread() {
        check(
            &[
                "0 7 begin 1",
                "100 7 begin 2",
                "1000 7 begin 3",
                "1100 7 read 50",
                "2800 7 read 51",
                "3900 7 read 52",
            ],
            &["1@3000 read", "2@3100 read", "3@4000 read"],
        );
        // A stream takes one connection's place, however much it sends.
        check(
            &[
                "0 7 begin 1",
                "0 7 begin 2",
                "100 7 read 50",
                "200 7 read 50",
            ],
            &["1@3000 read", "2@3000 unknown"],
        );
        check(
            &[
                "0 7 begin 1",
                "100 7 read 50",
                "200 7 end 50",
                "300 7 begin 2",
            ],
            &["1@3000 read", "2@3300 unknown"],
        );
    }

    #[test]
    fn a_handshake_alone_is_no_connection() {
        check(&["0 7 greet 1"], &[]);
        check(&["0 7 greet 1", "500 7 end 1"], &[]);
        check(&["0 7 greet 1", "400 7 java 1", "500 7 end 1"], &[]);
        // A pool keeps it ready.
        check(
            &["0 7 greet 1", "9000 7 send 1", "9100 7 end 1"],
            &["1@12000 unknown"],
        );
        check(
            &["0 7 greet 1", "8900 7 read 50", "9000 7 send 1"],
            &["1@12000 read"],
        );
        check(
            &["0 7 greet 1", "100 7 java 1", "9000 7 send 1"],
            &["1@12000 java"],
        );
        // What was taken for its own is that of one that was made after it.
        check(
            &["0 7 greet 1", "7000 7 read 50", "7100 7 begin 2"],
            &["2@10100 read"],
        );
        check(
            &[
                "0 7 greet 1",
                "7000 7 begin 2",
                "7100 7 read 50",
                "7200 7 end 1",
            ],
            &["2@10000 read"],
        );
        check(
            &[
                "0 7 greet 1",
                "7000 7 begin 2",
                "7100 7 read 50",
                "10500 7 send 1",
            ],
            &["2@10000 read", "1@13500 unknown"],
        );
        check(
            &[
                "0 7 greet 1",
                "7000 7 begin 2",
                "7100 7 read 50",
                "10500 7 read 51",
                "10600 7 send 1",
            ],
            &["2@10000 read", "1@13600 read"],
        );
    }

    #[test]
    fn what_a_proxy_passes_on_is_its_clients() {
        let begun = ["0 7 tunnel 1", "100 7 greets 5"];
        let script = |steps: &[&'static str]| [&begun[..], steps].concat();
        check(&script(&["200 9 passes 5"]), &["1@3000 proxy"]);
        check(
            &script(&["200 7 read 50", "300 9 passes 5"]),
            &["1@3000 read"],
        );
        // Of another process, or of the same, that greets the server itself.
        for begins in ["200 9 passes 6", "200 7 passes 6"] {
            check(&script(&[begins]), &["1@3000 proxy", "6@3200 unknown"]);
        }
        check(
            &script(&["200 9 begin 2"]),
            &["1@3000 proxy", "2@3200 unknown"],
        );
        // It is passed on once.
        check(
            &script(&["200 9 passes 5", "300 9 passes 5"]),
            &["1@3000 proxy", "5@3300 unknown"],
        );
    }

    #[test]
    fn plaintext_may_be_a_little_early_and_hides_nothing_later() {
        check(&["0 7 read 50", "900 7 begin 1"], &["1@3900 read"]);
        check(&["0 7 read 50", "1100 7 begin 1"], &["1@4100 unknown"]);
        check(
            &["0 7 read 50", "100 7 begin 1", "200 7 begin 2"],
            &["1@3100 read", "2@3200 unknown"],
        );
        check(
            &["0 7 read 50", "100 7 end 50", "200 7 begin 1"],
            &["1@3200 read"],
        );
        // It came too late for the first, and is not kept for the second.
        check(
            &["0 7 begin 1", "4000 7 read 50", "6000 7 begin 2"],
            &["1@3000 unknown", "2@9000 unknown"],
        );
    }

    #[test]
    fn the_reason_is_the_best_that_is_known() {
        check(&["0 7 begin 1", "1000 7 java 1"], &["1@3000 java"]);
        check(
            &["0 7 begin 1", "1000 7 java 1", "2900 7 read 50"],
            &["1@3000 read"],
        );
        check(&["0 7 begin 1", "4000 7 java 1"], &["1@3000 unknown"]);
        check(&["0 7 tunnel 1"], &["1@3000 proxy"]);
        check(&["0 7 tunnel 1", "100 7 read 50"], &["1@3000 read"]);
        check(&["0 7 tunnel 1", "100 7 java 1"], &["1@3000 java"]);
    }
}
