//! The process that records, and that the tests kill or let run out of disk
//! space.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use phiwatch::{
    capture::Provenance,
    event::{Data, Direction, Event, EventKind, Origin, Source, StreamId, Timestamp},
    loss::Loss,
    secret::Secret,
    store::{
        AgeRecipients, CaptureOptions, CaptureWriter, QuotaLimits, SigningKey, StoreOptions,
        SyncPolicy,
    },
};

/// Where the recorder records, and with what.
pub(crate) const FOLDER: &str = "PHIWATCH_TEST_FOLDER";
pub(crate) const EVENTS: &str = "PHIWATCH_TEST_EVENTS";
pub(crate) const SEGMENT: &str = "PHIWATCH_TEST_SEGMENT";
pub(crate) const KEY: &str = "PHIWATCH_TEST_KEY";
pub(crate) const RECIPIENT: &str = "PHIWATCH_TEST_RECIPIENT";
/// A file that the recorder removes when the disk is full.
pub(crate) const BALLAST: &str = "PHIWATCH_TEST_BALLAST";

/// Payload of one event, in bytes.
pub(crate) const PAYLOAD: usize = 4_000;

/// How long the recorder retries until there is space again.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The process that the tests below start and kill: it prints `synced N` when
/// everything up to event N is durable. Without a folder it does nothing.
#[test]
fn records() -> Result<()> {
    let Some(folder) = env::var_os(FOLDER) else {
        return Ok(());
    };
    let number = |name: &str| -> Result<u64> {
        let text = env::var(name).with_context(|| name.to_owned())?;
        text.parse().with_context(|| text.clone())
    };
    let started = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    let recipients: Vec<_> = env::var(RECIPIENT).into_iter().collect();
    let options = CaptureOptions {
        store: StoreOptions {
            segment_bytes: number(SEGMENT)?,
            quota: QuotaLimits {
                max_bytes: u64::MAX,
                max_age: None,
                min_free_bytes: 0,
            },
            sync: SyncPolicy::Second,
            recipients: AgeRecipients::parse(&recipients)?,
            key: env::var_os(KEY)
                .map(|path| SigningKey::load(Path::new(&path)))
                .transpose()?,
            ..StoreOptions::default()
        },
        provenance: Provenance::default(),
        started: Timestamp(started),
    };
    let mut writer = CaptureWriter::create(Path::new(&folder), options)?;
    let ballast = env::var_os(BALLAST).map(PathBuf::from);
    let mut accepted = 0;
    let count = number(EVENTS)?;
    for number in 0..count {
        let mut event = event(started, number);
        if writer.write(&mut event).is_ok() {
            accepted += 1;
        } else if let Some(ballast) = ballast.as_ref().filter(|ballast| ballast.exists()) {
            say(&format!("full {number}"))?;
            fs::remove_file(ballast)?;
        }
        if number % 4 == 3 && writer.sync().is_ok() {
            say(&format!("synced {number}"))?;
        }
    }
    // There is room: after a pause everything goes on.
    let deadline = Instant::now() + PATIENCE;
    let mut retries = 0;
    while ballast.is_some() && writer.write(&mut event(started, count)).is_err() {
        retries += 1;
        ensure!(Instant::now() < deadline, "no room after all");
        std::thread::yield_now();
    }
    accepted += u64::from(ballast.is_some());
    let lost = writer.losses().clone();
    writer.close()?;
    let refused = lost.get(Loss::CaptureNoRoom) + lost.get(Loss::CaptureWrite);
    say(&format!("closed {accepted} {refused} {retries}"))
}

/// Bypasses the test runner's capture of output.
fn say(line: &str) -> Result<()> {
    writeln!(io::stdout(), "\n{line}").context("print")
}

fn event(started: u64, number: u64) -> Event {
    let kind = if number == 0 {
        EventKind::Opened(Arc::new(Origin {
            source: Source::ALL[0],
            process: None,
            local: None,
            peer: None,
            one_way: false,
            blindness: None,
        }))
    } else {
        EventKind::Data(Data {
            direction: Direction::Sent,
            offset: number * PAYLOAD as u64,
            bytes: Secret::new(Bytes::from(vec![b'x'; PAYLOAD])),
        })
    };
    Event {
        time: Timestamp(started + number),
        stream: StreamId {
            owner: 1,
            handle: started,
            born: started,
        },
        place: None,
        kind,
    }
}

/// This program as the recorder.
pub(crate) fn record(command: &mut Command, folder: &Path, events: u64, segment: u64) {
    command
        .args(["--exact", "recorder::records", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(EVENTS, events.to_string())
        .env(SEGMENT, segment.to_string());
}
