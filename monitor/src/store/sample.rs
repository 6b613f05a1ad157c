//! Events for tests of the store.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    event::{Data, Direction, Event, EventKind, Origin, Process, Source, StreamId, Timestamp},
    loss::Loss,
    secret::Secret,
};

/// A small deterministic generator (xorshift).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

pub(super) fn origin(random: &mut Random) -> Arc<Origin> {
    let addresses = [
        "10.0.0.1:40000",
        "10.0.0.2:443",
        "[2001:db8::1]:5000",
        "[fe80::1%3]:443",
        "127.0.0.1:80",
    ];
    let mut address = || {
        let index = random.below(8) as usize;
        addresses
            .get(index)
            .map(|text| text.parse().expect("a literal address"))
    };
    let (local, peer) = (address(), address());
    let process = (random.below(2) == 0).then(|| {
        Arc::new(Process {
            pid: 7,
            exe: Some("/usr/bin/\"quoted\"".into()),
            ..Process::default()
        })
    });
    let source = Source::ALL[random.below(Source::ALL.len() as u64) as usize];
    Arc::new(Origin {
        source,
        process,
        local,
        peer,
        one_way: false,
        blindness: None,
    })
}

/// `count` events of a few streams, of every kind.
pub(super) fn random_events(seed: u64, count: u64) -> Vec<Event> {
    let mut random = Random(seed);
    let mut events = Vec::new();
    let mut opened = std::collections::HashSet::new();
    for step in 0..count {
        let number = random.below(6);
        let stream = StreamId {
            owner: number as u32,
            handle: u64::MAX - number,
            born: 9,
        };
        let direction = if random.below(2) == 0 {
            Direction::Sent
        } else {
            Direction::Received
        };
        let offset = match random.below(4) {
            0 => random.below(u64::MAX),
            1 => (1 << 32) - 10 + random.below(20),
            _ => random.below(5_000),
        };
        let kind = match random.below(12) {
            0 => {
                let origin = origin(&mut random);
                opened.insert(stream);
                EventKind::Opened(origin)
            }
            1 => EventKind::Named(format!("host-{number}.example.com").into()),
            2 => EventKind::Missing {
                direction,
                offset,
                length: random.below(u64::MAX),
                loss: [None, Some(Loss::KernelRingFull)][random.below(2) as usize],
            },
            3 => EventKind::Closed,
            other => {
                let length = if other == 4 {
                    60_000 + random.below(70_000)
                } else {
                    random.below(50)
                };
                let bytes = vec![other as u8; length as usize];
                EventKind::Data(Data {
                    direction,
                    offset,
                    bytes: Secret::new(Bytes::from(bytes)),
                })
            }
        };
        events.push(Event {
            time: Timestamp(1_764_038_463_000_000_000 + step),
            stream,
            place: None,
            kind,
        });
    }
    events
}
