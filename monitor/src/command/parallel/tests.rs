//! Any number of threads gives the same results, however the capture ends.

use std::fmt::Write as _;

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;

use super::*;
use crate::{
    command::ExitStatus,
    event::{Data, Direction, Event, EventKind, Origin, Source, StreamId, Timestamp},
    secret::Secret,
    token::TokenKey,
    tracker::Catalog,
};

/// Events from memory, and perhaps an error behind them.
pub(super) struct Memory {
    events: VecDeque<Event>,
    fails: bool,
}

impl EventSource for Memory {
    fn next(&mut self, losses: &mut Losses) -> Result<Option<Event>, CaptureError> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(event));
        }
        losses.count(crate::loss::Loss::CaptureMalformed);
        if self.fails {
            return Err(CaptureError::Unrecognized {
                path: PathBuf::from("memory"),
            });
        }
        Ok(None)
    }
}

/// Interleaved connections: most to a tracker, about recurring people, some in
/// plain text and some as hashes; one to an ordinary service.
pub(super) fn capture(fails: bool) -> Memory {
    const CONNECTIONS: u64 = 5;
    let mut events = VecDeque::new();
    let mut time = 1_000_000_000;
    for round in 0..40_u64 {
        for connection in 0..CONNECTIONS {
            time += 10_000_000;
            let stream = StreamId {
                owner: 7,
                handle: connection,
                born: round / 20,
            };
            let mut push = |kind| {
                events.push_back(Event {
                    time: Timestamp(time),
                    stream,
                    place: None,
                    kind,
                });
            };
            if round % 20 == 0 {
                push(EventKind::Opened(Arc::new(Origin {
                    source: Source::OpenSsl,
                    process: None,
                    local: None,
                    peer: None,
                    one_way: false,
                })));
            }
            let host = if connection == 0 {
                "shop.example.com"
            } else {
                "api.segment.io"
            };
            let person = (round * 5 + connection) % 17;
            let body = format!(
                r#"{{"batch":[{{"type":"track","userId":"u-{person}","event":"Booked","properties":{{"email":"p{person}@example.com","condition":"asthma"}}}},{{"type":"track","anonymousId":"7f0c61e2-7d5c-4a62-8a0e-{:012}","event":"Viewed"}}],"note":"{}"}}"#,
                round % 7,
                "x".repeat(usize::try_from(round).unwrap() * 40)
            );
            let text = format!(
                "POST /v1/batch HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let length = text.len() as u64;
            let half = text.len() / 2;
            for (from, part) in [(0, &text[..half]), (half, &text[half..])] {
                push(EventKind::Data(Data {
                    direction: Direction::Sent,
                    offset: (round % 20) * 100_000 + from as u64,
                    bytes: Secret::new(Bytes::copy_from_slice(part.as_bytes())),
                }));
            }
            push(EventKind::Missing {
                direction: Direction::Sent,
                offset: (round % 20) * 100_000 + length,
                length: 100_000 - length,
                loss: None,
            });
            if round % 20 == 19 {
                push(EventKind::Closed);
            }
        }
    }
    Memory { events, fails }
}

/// Everything that a replay says, as text.
fn said(threads: usize, fails: bool) -> String {
    let examiner = Examiner::new(Catalog::builtin(), TokenKey::from_bytes([3; 32]));
    let threads = NonZero::new(threads).unwrap();
    let mut text = String::new();
    let mut source = capture(fails);
    let unreadable = |error| Failure::new(ExitStatus::BadInput, error);
    let replayed = replay(&mut source, &examiner, threads, unreadable, |out| {
        for finding in out.findings.drain(..) {
            text += &serde_json::to_string(&finding).unwrap();
        }
        for note in out.notes.drain(..) {
            write!(text, "{note:?}").unwrap();
        }
        Ok(())
    });
    match replayed {
        Ok(replayed) => {
            let losses: Vec<_> = replayed.losses.iter().collect();
            let people = replayed.people("segment");
            text + &format!("{} {losses:?} {people:?}", replayed.events)
        }
        Err(_) => text + "failed",
    }
}

#[test]
fn any_number_of_threads_says_the_same() {
    for fails in [false, true] {
        let single = said(1, fails);
        assert!(single.matches("\"id\"").count() > 200, "{single}");
        assert_eq!(single.ends_with("failed"), fails);
        for threads in [2, 3, 8] {
            assert!(said(threads, fails) == single, "{threads} threads differ");
        }
    }
}

#[test]
fn the_first_error_of_the_sink_ends_it() {
    for threads in [1, 2, 8] {
        let examiner = Examiner::new(Catalog::builtin(), TokenKey::from_bytes([3; 32]));
        let mut calls = 0;
        let replayed = replay(
            &mut capture(false),
            &examiner,
            NonZero::new(threads).unwrap(),
            |error| Failure::new(ExitStatus::BadInput, error),
            |_| {
                calls += 1;
                Err(Failure::message(ExitStatus::Io, "full".to_owned()))
            },
        );
        assert!(replayed.is_err());
        assert_eq!(calls, 1);
    }
}
