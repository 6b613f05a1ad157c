//! The bytes that a capture holds, read through phiwatch's own reader.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use phiwatch::{
    capture::{self, Recorded},
    event::{Direction, Event, EventKind, Source, StreamId},
    loss::Losses,
};
use tests::{
    Daemon, Running, Sandbox, Sink, identity, kernel,
    sink::{Connection, Options},
};

/// Captures what `send` makes clients send on `count` connections, and compares
/// it with what the sink received. Returns the result of `send`.
pub(crate) fn check<T>(
    options: Options,
    count: usize,
    send: impl FnOnce(&Sandbox) -> Result<T>,
) -> Result<Option<T>> {
    let start = |sandbox: &Sandbox| sandbox.worker();
    check_source(Source::OpenSsl, options, count, start, send)
}

/// The same for clients of another library, or of OpenSSL in another file, which
/// the process that `start` starts has mapped.
pub(crate) fn check_source<T>(
    source: Source,
    options: Options,
    count: usize,
    start: impl FnOnce(&Sandbox) -> Result<Running>,
    send: impl FnOnce(&Sandbox) -> Result<T>,
) -> Result<Option<T>> {
    let Some(sandbox) = kernel::sandbox()? else {
        return Ok(None);
    };
    sandbox.own_tls_library()?;
    let mut sink = Sink::start(&sandbox, options)?;
    let _worker = start(&sandbox)?;
    let mut daemon = Daemon::capture(&sandbox)?;
    let given = send(&sandbox)?;
    let expected = received(sink.connections(count)?);
    assert!(daemon.stop()?.success(), "{}", daemon.running.stderr()?);
    let streams = streams(&daemon.capture_path())?;
    assert_eq!(
        sent(&streams, source).with_context(|| described(&streams))?,
        expected,
        "{}",
        described(&streams)
    );
    Ok(Some(given))
}

/// A description of every stream, to find out why it is wrong.
fn described(streams: &[Stream]) -> String {
    let describe = |stream: &Stream| {
        let (chunks, missing) = (stream.chunks(), stream.missing());
        let held: usize = chunks.iter().map(|(_, bytes)| bytes.len()).sum();
        let (source, direction, count) = (stream.source, stream.direction, chunks.len());
        format!("{source:?} {direction:?}: {held} bytes in {count} chunks, {missing} missing")
    };
    streams.iter().map(describe).collect::<Vec<_>>().join("\n")
}

/// Length and hash of every connection, in the order of [`sent`].
pub(crate) fn received(connections: Vec<Connection>) -> Vec<(u64, String)> {
    let mut hashes: Vec<_> = connections
        .into_iter()
        .map(|connection| (connection.length, connection.sha256))
        .collect();
    hashes.sort();
    hashes
}

/// One direction of one stream.
pub(crate) struct Stream {
    /// Who saw it.
    pub(crate) source: Source,
    /// Which way the bytes went.
    pub(crate) direction: Direction,
    /// Offset and bytes of each chunk, in the order of the capture.
    chunks: Vec<(u64, Bytes)>,
    /// Offset and length of each part that is marked as missing.
    missing: Vec<(u64, u64)>,
}

impl Stream {
    /// All bytes, which must begin at 0 and follow one another exactly.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>> {
        ensure!(
            self.missing.is_empty(),
            "parts are missing: {:?}",
            self.missing
        );
        let mut bytes = Vec::new();
        for (offset, chunk) in &self.chunks {
            ensure!(
                *offset == bytes.len() as u64,
                "a chunk at {offset} follows {} bytes",
                bytes.len()
            );
            bytes.extend_from_slice(chunk);
        }
        Ok(bytes)
    }

    /// The chunks that are there, each with its offset.
    pub(crate) fn chunks(&self) -> &[(u64, Bytes)] {
        &self.chunks
    }

    /// Bytes that are marked as missing.
    pub(crate) fn missing(&self) -> u64 {
        self.missing.iter().map(|(_, length)| length).sum()
    }
}

/// The streams of all captures in `folder`, in the order of their first bytes.
pub(crate) fn streams(folder: &Path) -> Result<Vec<Stream>> {
    let mut events = Vec::new();
    for bytes in identity::decrypted(folder)? {
        let mut losses = Losses::default();
        let all = capture::read_bytes(&bytes, &mut losses).into_iter();
        events.extend(all.filter_map(Recorded::event));
        let lost: Vec<_> = losses
            .iter()
            .filter(|(loss, _)| loss.labels().0 == "capture")
            .collect();
        ensure!(lost.is_empty(), "{}: {lost:?}", folder.display());
    }
    Ok(collect(events))
}

fn collect(events: Vec<Event>) -> Vec<Stream> {
    let mut sources = BTreeMap::<StreamId, Source>::new();
    let mut streams: Vec<(StreamId, Stream)> = Vec::new();
    for event in events {
        let (direction, offset, bytes, missing) = match event.kind {
            EventKind::Opened(origin) => {
                sources.insert(event.stream, origin.source);
                continue;
            }
            EventKind::Data(data) => (data.direction, data.offset, Some(data.bytes), 0),
            EventKind::Missing {
                direction,
                offset,
                length,
                loss: _,
            } => (direction, offset, None, length),
            EventKind::Named(_) | EventKind::Closed => continue,
        };
        let known = streams
            .iter()
            .position(|(id, stream)| *id == event.stream && stream.direction == direction);
        let index = known.unwrap_or_else(|| {
            let source = sources.get(&event.stream).copied().unwrap_or(Source::Pcap);
            let stream = Stream {
                source,
                direction,
                chunks: vec![],
                missing: vec![],
            };
            streams.push((event.stream, stream));
            streams.len() - 1
        });
        let stream = &mut streams[index].1;
        match bytes {
            Some(bytes) => stream.chunks.push((offset, bytes.into_exposed())),
            None => stream.missing.push((offset, missing)),
        }
    }
    streams.into_iter().map(|(_, stream)| stream).collect()
}

/// Length and SHA-256 of the sent bytes of every stream that `source` saw.
pub(crate) fn sent(streams: &[Stream], source: Source) -> Result<Vec<(u64, String)>> {
    let mut hashes = Vec::new();
    for stream in streams {
        if stream.source == source && stream.direction == Direction::Sent {
            let bytes = stream.bytes()?;
            hashes.push((bytes.len() as u64, tests::sha256(&bytes)));
        }
    }
    hashes.sort();
    Ok(hashes)
}
