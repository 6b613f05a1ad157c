//! Reads a source on a thread of its own, a little ahead of whoever takes its
//! events.

use std::{
    io,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
    vec,
};

use crate::{
    capture::{CaptureError, CaptureSource, Recorded},
    event::EventKind,
    loss::Losses,
};

/// Approximate size of the events that are passed on at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;
/// The most events that are passed on at once.
const CHUNK_EVENTS: usize = 256;
/// The most chunks that were read and not taken.
const MAX_CHUNKS: usize = 8;

/// A source that is read ahead.
pub struct ReadAhead {
    chunks: Receiver<Chunk>,
    reader: Option<JoinHandle<()>>,
    events: vec::IntoIter<Recorded>,
    end: Option<Result<(), CaptureError>>,
}

/// What was read at once.
#[derive(Default)]
struct Chunk {
    events: Vec<Recorded>,
    bytes: usize,
    losses: Losses,
    /// How the source ended, if it did.
    end: Option<Result<(), CaptureError>>,
}

impl ReadAhead {
    /// Begins to read `source`. If it goes on after an error, the rest is not
    /// read.
    ///
    /// # Errors
    /// That of starting a thread.
    pub fn new(source: Box<dyn CaptureSource>) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(MAX_CHUNKS);
        let reader = thread::Builder::new()
            .name("phiwatch-reader".to_owned())
            .spawn(move || read(source, &sender))?;
        Ok(Self {
            chunks,
            reader: Some(reader),
            events: Vec::new().into_iter(),
            end: None,
        })
    }
}

impl CaptureSource for ReadAhead {
    fn next(&mut self, losses: &mut Losses) -> Result<Option<Recorded>, CaptureError> {
        loop {
            if let Some(event) = self.events.next() {
                return Ok(Some(event));
            }
            if let Some(end) = self.end.take() {
                return end.map(|()| None);
            }
            let Ok(chunk) = self.chunks.recv() else {
                // It ended, or panicked.
                let reader = self.reader.take().map(JoinHandle::join);
                if let Some(Err(panic)) = reader {
                    std::panic::resume_unwind(panic);
                }
                return Ok(None);
            };
            losses.merge(&chunk.losses);
            self.events = chunk.events.into_iter();
            self.end = chunk.end;
        }
    }
}

/// Reads `source` to its end, or until nobody takes its events.
fn read(mut source: Box<dyn CaptureSource>, sender: &SyncSender<Chunk>) {
    let mut chunk = Chunk::default();
    loop {
        match source.next(&mut chunk.losses) {
            Ok(Some(event)) => {
                chunk.bytes = chunk.bytes.saturating_add(payload(&event));
                chunk.events.push(event);
            }
            Ok(None) => chunk.end = Some(Ok(())),
            Err(error) => chunk.end = Some(Err(error)),
        }
        let is_over = chunk.end.is_some();
        if is_over || chunk.bytes >= CHUNK_BYTES || chunk.events.len() >= CHUNK_EVENTS {
            let sent = sender.send(std::mem::take(&mut chunk));
            if is_over || sent.is_err() {
                return;
            }
        }
    }
}

/// Bytes of payload that an event or a message holds.
fn payload(recorded: &Recorded) -> usize {
    match recorded {
        Recorded::Event(event) => match &event.kind {
            EventKind::Data(data) => data.bytes.expose().len(),
            _ => 0,
        },
        Recorded::Message(message) => message.texts(),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        path::PathBuf,
    };

    use super::*;
    use crate::{
        event::{Event, StreamId, Timestamp},
        loss::Loss,
    };

    /// Yields `left` events, counting a loss before each, and then `end`.
    struct Counted {
        left: u64,
        end: fn() -> Result<Option<Recorded>, CaptureError>,
    }

    impl CaptureSource for Counted {
        fn next(&mut self, losses: &mut Losses) -> Result<Option<Recorded>, CaptureError> {
            losses.count(Loss::CaptureMalformed);
            if self.left == 0 {
                return (self.end)();
            }
            self.left -= 1;
            Ok(Some(Recorded::Event(Event {
                time: Timestamp(self.left),
                stream: StreamId {
                    owner: 0,
                    handle: 0,
                    born: 0,
                },
                place: None,
                kind: EventKind::Closed,
            })))
        }
    }

    fn check(left: u64, end: fn() -> Result<Option<Recorded>, CaptureError>, expected: bool) {
        let mut source = ReadAhead::new(Box::new(Counted { left, end })).unwrap();
        let mut losses = Losses::default();
        for time in (0..left).rev() {
            let recorded = source.next(&mut losses).unwrap().unwrap();
            assert_eq!(recorded.time(), Timestamp(time));
        }
        assert_eq!(source.next(&mut losses).is_ok(), expected);
        assert_eq!(losses.get(Loss::CaptureMalformed), left + 1);
        assert!(matches!(source.next(&mut losses), Ok(None)));
    }

    #[test]
    fn reading_ahead_changes_nothing() {
        let unrecognized = || {
            Err(CaptureError::Unrecognized {
                path: PathBuf::from("memory"),
            })
        };
        for left in [0, 1, 256, 5_000] {
            check(left, || Ok(None), true);
            check(left, unrecognized, false);
            let end = || panic!("a source that panics");
            let mut source = ReadAhead::new(Box::new(Counted { left, end })).unwrap();
            let mut losses = Losses::default();
            let read = || while matches!(source.next(&mut losses), Ok(Some(_))) {};
            assert!(catch_unwind(AssertUnwindSafe(read)).is_err());
        }
        // A reader ends when nobody takes its events.
        let mut source = ReadAhead::new(Box::new(Counted {
            left: u64::MAX,
            end: || Ok(None),
        }))
        .unwrap();
        source.next(&mut Losses::default()).unwrap();
        drop(source.chunks);
        source.reader.unwrap().join().unwrap();
    }
}
