//! Any number of threads gives the same results, whatever feeds the core and
//! however that ends.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::{loss::Loss, tracker::Policy};

/// How the run ends, besides with the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// The feed fails behind its events.
    Feed,
    /// The feed panics behind its events.
    FeedPanic,
    /// Taking results fails at once.
    Take,
    /// Taking results panics at once.
    TakePanic,
}

/// Events from memory, and all results.
struct Memory {
    inputs: std::vec::IntoIter<Input>,
    fault: Fault,
    out: Output,
    /// How many findings and notes there were after each step.
    steps: Vec<(usize, usize)>,
    taken: usize,
}

impl Feed for Memory {
    type Error = Fault;

    fn next(&mut self, losses: &mut Losses) -> Result<Input, Fault> {
        if let Some(input) = self.inputs.next() {
            return Ok(input);
        }
        losses.count(Loss::CaptureMalformed);
        match self.fault {
            Fault::Feed => Err(Fault::Feed),
            Fault::FeedPanic => panic!("a feed that panics"),
            _ => Ok(Input::End),
        }
    }
}

impl Sink for Memory {
    fn take(&mut self, out: &mut Output, _core: &Pipeline) -> Result<(), Fault> {
        self.taken += 1;
        let (findings, notes) = (self.out.findings.len(), self.out.notes.len());
        let ends = out.step_ends.iter();
        self.steps
            .extend(ends.map(|end| (findings + end.findings, notes + end.notes)));
        self.out.findings.append(&mut out.findings);
        self.out.notes.append(&mut out.notes);
        match self.fault {
            Fault::Take => Err(Fault::Take),
            Fault::TakePanic => panic!("a reader that panics"),
            _ => Ok(()),
        }
    }
}

/// Interleaved connections: most to a tracker, about recurring people; one to an
/// ordinary service.
fn conversations() -> Vec<Event> {
    const CONNECTIONS: u64 = 5;
    /// Room for one request in the offsets of a stream; what it does not fill is
    /// missing.
    const ROOM: u64 = 100_000;
    let mut events = Vec::new();
    for number in 0..40 * CONNECTIONS {
        let (round, connection) = (number / CONNECTIONS, number % CONNECTIONS);
        let host = if connection == 0 {
            "shop.example.com"
        } else {
            "api.segment.io"
        };
        let person = number % 17;
        let body = format!(
            r#"{{"batch":[{{"type":"track","userId":"u-{person}","event":"Booked","properties":{{"email":"p{person}@example.com","condition":"asthma"}}}},{{"type":"track","anonymousId":"7f0c61e2-7d5c-4a62-8a0e-{:012}","event":"Viewed"}}],"note":"{}"}}"#,
            round % 7,
            "x".repeat(usize::try_from(round).unwrap() * 40)
        );
        let text = post(host, "/v1/batch", &body);
        let length = text.len() as u64;
        let start = round % 20 * ROOM;
        let stream = StreamId {
            owner: 7,
            handle: connection,
            born: round / 20,
        };
        let data = |from: usize, part: &str| {
            EventKind::Data(Data {
                direction: Direction::Sent,
                offset: start + from as u64,
                bytes: Secret::new(Bytes::copy_from_slice(part.as_bytes())),
            })
        };
        let half = text.len() / 2;
        let origin = Origin {
            source: Source::OpenSsl,
            process: None,
            local: None,
            peer: None,
            one_way: false,
            blindness: None,
        };
        let opened = (round % 20 == 0).then(|| EventKind::Opened(Arc::new(origin)));
        let closed = (round % 20 == 19).then_some(EventKind::Closed);
        let missing = EventKind::Missing {
            direction: Direction::Sent,
            offset: start + length,
            length: ROOM - length,
            loss: None,
        };
        let kinds = opened
            .into_iter()
            .chain([data(0, &text[..half]), data(half, &text[half..]), missing])
            .chain(closed);
        events.extend(kinds.map(|kind| Event {
            time: Timestamp(1_000_000_000 + number * 10_000_000),
            stream,
            place: None,
            kind,
        }));
    }
    events
}

/// The conversations, with pauses after this many events, and with other
/// recipients after so many.
fn inputs(pause: usize, change: Option<usize>) -> Vec<Input> {
    let mut inputs = Vec::new();
    for (index, event) in conversations().into_iter().enumerate() {
        if index % pause == pause - 1 {
            inputs.push(Input::Idle(Timestamp(0)));
        }
        if change == Some(index) {
            // Those of an operator who owns the tracker.
            let policy = Policy::new(&["api.segment.io".to_owned()], &[]).unwrap();
            let catalog = Catalog::builtin().with_policy(policy);
            inputs.push(Input::Recipients(Box::new((catalog, Services::default()))));
        }
        inputs.push(Input::Event(event));
    }
    inputs
}

/// A core with that many threads, and the ends that it is driven with.
fn driven(threads: usize, inputs: Vec<Input>, fault: Fault) -> (Pipeline, Memory) {
    let threads = NonZero::new(threads).unwrap();
    let core = Pipeline::new(Catalog::builtin(), TokenKey::from_bytes([3; 32]));
    let memory = Memory {
        inputs: inputs.into_iter(),
        fault,
        out: Output::default(),
        steps: Vec::new(),
        taken: 0,
    };
    (core.with_threads(threads).unwrap(), memory)
}

/// Everything that a run says, as text, and the number of its findings.
fn said(threads: usize, inputs: Vec<Input>, fault: Fault) -> (String, usize) {
    let (mut core, mut memory) = driven(threads, inputs, fault);
    let ended = drive(&mut memory, &mut core);
    let Memory { steps, .. } = memory;
    let Output {
        findings, notes, ..
    } = memory.out;
    let count = findings.len();
    let totals = (core.events(), core.losses(), core.people("segment"));
    let text = format!("{findings:?} {notes:?} {steps:?} {totals:?} {ended:?}");
    (text, count)
}

#[test]
fn any_number_of_threads_says_the_same() {
    let (all, none) = (usize::MAX, None);
    for (change, fault, least) in [
        (none, Fault::None, 200),
        (none, Fault::Feed, 200),
        (Some(400), Fault::None, 100),
    ] {
        let expected = said(1, inputs(all, change), fault);
        assert!(expected.1 > least, "{} findings", expected.1);
        for threads in [1, 2, 3, 8] {
            for pause in [1, 100, all] {
                let said = said(threads, inputs(pause, change), fault);
                assert!(said == expected, "{threads} threads, pauses after {pause}");
            }
        }
    }
}

#[test]
fn other_recipients_are_known_from_then_on() {
    let found = |change| said(2, inputs(usize::MAX, change), Fault::None).1;
    // Half of the streams have ended by then.
    let half = found(Some(400));
    assert_eq!(found(Some(0)), 0);
    assert!(0 < half && half < found(None), "{half}");
}

#[test]
fn a_pause_brings_all_results() {
    for threads in [1, 4] {
        let mut all = inputs(usize::MAX, None);
        all.truncate(400);
        all.push(Input::Idle(Timestamp(0)));
        let (mut core, mut memory) = driven(threads, all, Fault::FeedPanic);
        let ended = catch_unwind(AssertUnwindSafe(|| drive(&mut memory, &mut core)));
        assert!(ended.is_err());
        assert!(memory.out.findings.len() > 100);
    }
}

#[test]
fn the_first_fault_ends_it() {
    for threads in [1, 2, 8] {
        for fault in [Fault::Feed, Fault::FeedPanic, Fault::Take, Fault::TakePanic] {
            let all = inputs(usize::MAX, None);
            let (mut core, mut memory) = driven(threads, all, fault);
            let ended = catch_unwind(AssertUnwindSafe(|| drive(&mut memory, &mut core)));
            match fault {
                Fault::FeedPanic | Fault::TakePanic => assert!(ended.is_err()),
                _ => assert_eq!(ended.unwrap(), Err(fault)),
            }
            if matches!(fault, Fault::Take | Fault::TakePanic) {
                assert_eq!(memory.taken, 1);
            }
        }
    }
}
