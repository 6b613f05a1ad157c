//! The writer of captures: events in, segments out, one after the other.

use std::{
    fs::{self, DirBuilder, File},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::fs::FlockOperation;

use super::{
    CaptureOptions, ENCRYPTED_WAIT, StoreError, StoreOptions, SyncPolicy,
    backoff::Backoff,
    disk::{Disk, System},
    entry::{Deleted, Entry, Header, MANIFEST_VERSION, Sealed, State},
    manifest::Manifest,
    name::{MAX_NUMBER, segment_name},
    quota::{self, Demand},
    recovery::{adopt, is_held, recover},
    segment::Segment,
};
use crate::{
    event::{Event, EventKind, Place, Timestamp},
    loss::{Loss, Losses},
    message::Message,
    record::{Encoder, MAX_PACKET_PAYLOAD},
};

/// The most names of segments that are remembered for [`CaptureWriter::segments`].
const MAX_PATHS: usize = 10_000;

/// How often, and after which delays, locking the folder is tried: `verify`
/// locks it for a moment to see whether it is in use.
const LOCK_TRIES: u32 = 20;
const LOCK_RETRY_DELAY: Duration = Duration::from_millis(5);

/// Space for the header of a segment and for the statistics at its end.
const FRAME_RESERVE: u64 = 16 * 1024;
/// What a packet takes besides its payload and notes.
const PACKET_RESERVE: u64 = 256;
/// What the notes of an event can take: those that introduce its stream, and
/// its own.
const NOTES_RESERVE: u64 = 2 * 66_000;
/// Approximate size of a piece of evidence in the notes of a message.
const PROOF_RESERVE: u64 = 1_024;

/// Writes events to capture files.
pub struct CaptureWriter {
    pub(super) directory: PathBuf,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) options: StoreOptions,
    encoder: Encoder,
    pub(super) manifest: Manifest,
    /// The segment that is being written; `None` after one has failed.
    pub(super) segment: Option<Segment>,
    backoff: Backoff,
    /// Number in the name of the next segment, from which the search for a free
    /// one begins.
    number: u32,
    /// Time in the name of the current segment. Names never go back in time, so
    /// that their order is that of the events.
    named: Timestamp,
    drops: Losses,
    losses: Losses,
    paths: Vec<PathBuf>,
    buffer: Vec<u8>,
    /// Locked as long as this writer lives.
    _lock: File,
}

impl CaptureWriter {
    /// Begins a capture in `directory`, which is created (mode 0700) if it does
    /// not exist. What an interrupted writer left there is recovered first. A
    /// full disk is no error: events are refused until there is space.
    pub fn create(directory: &Path, options: CaptureOptions) -> Result<Self, StoreError> {
        Self::create_on(directory, options, Arc::new(System))
    }

    /// As [`CaptureWriter::create`], on `disk`.
    pub(super) fn create_on(
        directory: &Path,
        options: CaptureOptions,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, StoreError> {
        let lock = prepare(directory)?;
        let CaptureOptions {
            store,
            provenance,
            started,
        } = options;
        let (mut manifest, set_aside) =
            Manifest::open(directory, Arc::clone(&disk), store.key.clone())?;
        if let Some(problem) = &set_aside {
            tracing::error!(
                "{}: the manifest is not as it was written and was set aside: {problem}",
                directory.display()
            );
        }
        for note in recover(directory, &*disk, &mut manifest)? {
            tracing::warn!("{}: {note}", directory.display());
        }
        manifest.note(Entry::Capture(Box::new(Header {
            version: MANIFEST_VERSION,
            time: disk.now().to_string(),
            provenance: provenance.clone(),
            boot: fs::read_to_string("/proc/sys/kernel/random/boot_id")
                .ok()
                .map(|text| text.trim().to_owned()),
            recipients: store.recipients.texts().to_vec(),
            public_key: store.key.as_ref().map(super::SigningKey::public),
            set_aside,
        })));
        let mut writer = Self {
            directory: directory.to_owned(),
            disk,
            options: store,
            encoder: Encoder::new(provenance),
            manifest,
            segment: None,
            backoff: Backoff::default(),
            number: 0,
            named: started,
            drops: Losses::default(),
            losses: Losses::default(),
            paths: Vec::new(),
            buffer: Vec::new(),
            _lock: lock,
        };
        match writer.begin(started) {
            Err(error) if error.is_full() => writer.failed(error),
            begun => begun?,
        }
        Ok(writer)
    }

    /// Records `event` and sets its place, if it is data or a server name.
    ///
    /// # Errors The event is not recorded, and is counted in
    /// [`CaptureWriter::losses`]. Writing is tried again after a pause; until
    /// then events are refused at once. With [`SyncPolicy::Write`] an event may
    /// also wait in memory, without a place, and is counted only if it is lost
    /// for good.
    pub fn write(&mut self, event: &mut Event) -> Result<(), StoreError> {
        event.place = None;
        if let Err(error) = self.ready(event.time, room_for(event)) {
            self.encoder.skip(event);
            return Err(error);
        }
        let number = self.encoder.event(event, &mut self.buffer);
        event.place = self.put(number)?;
        Ok(())
    }

    /// Records `message` and sets its place.
    ///
    /// # Errors
    /// As [`CaptureWriter::write`].
    pub fn write_message(&mut self, message: &mut Message) -> Result<(), StoreError> {
        message.place = None;
        self.ready(message.time, room_for_message(message))?;
        let number = self.encoder.message(message, &mut self.buffer);
        message.place = self.put(Some(number))?;
        Ok(())
    }

    /// Writes the packets in the buffer. Returns the place of the packet with
    /// this number.
    fn put(&mut self, number: Option<u64>) -> Result<Option<Place>, StoreError> {
        let Some(segment) = &mut self.segment else {
            return Err(StoreError::Waiting);
        };
        let mut result = segment.put_event(&self.buffer, &*self.disk);
        let place = number.map(|packet| Place {
            file: Arc::clone(&segment.name),
            packet,
        });
        let is_written_through = self.options.sync == SyncPolicy::Write;
        let is_written = is_written_through || segment.is_due();
        if result.is_ok() && is_written {
            result = self.hand_over();
        }
        if result.is_ok() && is_written_through {
            result = self.settle();
        }
        match result {
            Err(error) if is_written_through => {
                self.failed(error);
                return Err(self.backoff.told());
            }
            // The event waits in memory; the next write returns the error.
            Err(error) => self.failed(error),
            Ok(()) if is_written => self.backoff.ended(),
            Ok(()) => {}
        }
        Ok(place)
    }

    /// Does what is due; to be called about every second. Ends an old segment,
    /// deletes what is too old, and syncs according to the policy.
    pub fn tick(&mut self) -> Result<(), StoreError> {
        if self.is_paused() {
            return Ok(());
        }
        let result = self.try_tick();
        self.noted(result)
    }

    /// Sets what has been lost since the capture began; the counts go into the
    /// statistics at the end of a segment. It does not matter whether they
    /// include the writer's own losses.
    pub fn set_drops(&mut self, drops: &Losses) {
        self.drops = Losses::default();
        for (loss, count) in drops.iter() {
            if !matches!(loss, Loss::CaptureWrite | Loss::CaptureNoRoom) {
                self.drops.add(loss, count);
            }
        }
    }

    /// Whether writing failed and has not worked since.
    pub const fn is_failing(&self) -> bool {
        self.backoff.is_begun()
    }

    /// What could not be recorded.
    pub const fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Ends the current segment and begins the next, named after `now`.
    pub fn rotate(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let result = self.seal().and_then(|()| self.begin(now));
        self.noted(result)
    }

    /// Hands everything written so far to the operating system, except for the
    /// incomplete chunk of an encrypted segment.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        let result = self.hand_over();
        self.noted(result)
    }

    /// Makes everything written so far durable.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        let result = self.hand_over().and_then(|()| self.settle());
        self.noted(result)
    }

    /// Ends the capture and returns the paths of its segments, in order.
    pub fn close(mut self) -> Result<Vec<PathBuf>, StoreError> {
        self.seal()?;
        self.manifest.commit(&[])?;
        Ok(self.paths)
    }

    /// The latest segments of this capture, in order. The last is being written.
    pub fn segments(&self) -> &[PathBuf] {
        &self.paths
    }

    fn try_tick(&mut self) -> Result<(), StoreError> {
        let uptime = self.disk.uptime();
        let is_over = self
            .segment
            .as_ref()
            .is_some_and(|segment| self.is_old(segment, uptime) || segment.is_ended);
        if is_over {
            self.seal()?;
            self.begin(self.disk.now())?;
        }
        self.hand_over()?;
        if let Some(segment) = &mut self.segment {
            match self.options.sync {
                SyncPolicy::Segment => {}
                SyncPolicy::Second | SyncPolicy::Write => segment.sync(&*self.disk)?,
            }
            let waits_long = |since: Duration| uptime.saturating_sub(since) >= ENCRYPTED_WAIT;
            if segment.waiting.is_some_and(waits_long) && self.options.sync != SyncPolicy::Segment {
                segment.settle(&*self.disk)?;
            }
        }
        if self.manifest.is_behind() {
            self.manifest.commit(&[])?;
        }
        Ok(())
    }

    /// Makes sure that there is a segment with `room` bytes for what happened at
    /// `time`, and empties the buffer. What there is no room for is counted.
    fn ready(&mut self, time: Timestamp, room: u64) -> Result<(), StoreError> {
        if !self.is_paused() {
            match self.try_ready(time, room) {
                Ok(()) => {
                    self.buffer.clear();
                    return Ok(());
                }
                Err(error) => self.failed(error),
            }
        }
        self.losses.count(self.backoff.loss());
        Err(self.backoff.told())
    }

    fn try_ready(&mut self, time: Timestamp, room: u64) -> Result<(), StoreError> {
        let uptime = self.disk.uptime();
        let is_over = self.segment.as_ref().is_none_or(|segment| {
            segment.is_broken
                || segment.is_ended
                || segment.bytes() >= self.options.segment_bytes
                || self.is_old(segment, uptime)
        });
        if is_over {
            self.seal()?;
            self.begin(time)?;
        }
        self.make_room(room, false)?;
        if self.segment.as_ref().is_some_and(Segment::is_due) {
            self.hand_over()?;
        }
        Ok(())
    }

    fn is_old(&self, segment: &Segment, uptime: Duration) -> bool {
        let age = |began| uptime.saturating_sub(began);
        segment
            .began
            .is_some_and(|began| age(began) >= self.options.segment_age)
    }

    /// Writes what waits in memory, if the limits allow.
    fn hand_over(&mut self) -> Result<(), StoreError> {
        if self
            .segment
            .as_ref()
            .is_some_and(|segment| segment.is_broken)
        {
            self.seal()?;
            self.begin(self.named)?;
        }
        let unwritten = self.segment.as_ref().map_or(0, Segment::unwritten);
        self.make_room(unwritten, true)?;
        match &mut self.segment {
            Some(segment) => segment.flush(&*self.disk),
            None => Ok(()),
        }
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        match &mut self.segment {
            Some(segment) => segment.settle(&*self.disk),
            None => Ok(()),
        }
    }

    /// Ends the segment that is being written, if there is one, and notes it.
    fn seal(&mut self) -> Result<(), StoreError> {
        let Some(segment) = &mut self.segment else {
            return Ok(());
        };
        if segment.is_broken {
            self.abandon();
            return Ok(());
        }
        if !segment.is_ended {
            let mut drops = self.drops.clone();
            drops.merge(&self.losses);
            self.buffer.clear();
            let summary = self.encoder.end_segment(&drops, &mut self.buffer);
            segment.end(&self.buffer, summary, &*self.disk)?;
        }
        segment.sync(&*self.disk)?;
        let summary = std::mem::take(&mut segment.summary);
        let sealed = Sealed {
            segment: segment.name.to_string(),
            time: self.disk.now().to_string(),
            bytes: segment.bytes(),
            sha256: segment.sha256(),
            first: summary.span.map(|(first, _)| first.to_string()),
            last: summary.span.map(|(_, last)| last.to_string()),
            packets: Some(summary.packets),
            losses: summary.lost,
            recovered: None,
        };
        self.manifest.note(Entry::Sealed(Box::new(sealed)));
        self.segment = None;
        Ok(())
    }

    /// Gives up a segment whose file cannot be written any more.
    fn abandon(&mut self) {
        let Some(segment) = self.segment.take() else {
            return;
        };
        self.losses
            .add(Loss::CaptureWrite, segment.unwritten_events());
        let reason = "writing it failed";
        match adopt(&self.directory, &segment.name, &*self.disk, reason) {
            Ok(Some(sealed)) => self.manifest.note(Entry::Sealed(Box::new(sealed))),
            Ok(None) => self.manifest.note(Entry::Lost {
                segment: segment.name.to_string(),
                time: self.disk.now().to_string(),
            }),
            // It stays begun, and the next start tries again.
            Err(error) => tracing::warn!("{} could not be recovered: {error}", segment.name),
        }
    }

    /// Begins the next segment: a draft first, then the entry in the manifest,
    /// then the rename.
    fn begin(&mut self, time: Timestamp) -> Result<(), StoreError> {
        self.make_room(FRAME_RESERVE, true)?;
        let time = time.max(self.named);
        let name = self.free_name(time);
        self.buffer.clear();
        self.encoder.begin_segment(&mut self.buffer);
        let segment = Segment::draft(
            &self.directory,
            &name,
            &self.buffer,
            &self.options.recipients,
            &*self.disk,
        )?;
        let begun = Entry::Begun {
            segment: name,
            time: self.disk.now().to_string(),
        };
        if let Err(error) = self.manifest.commit(&[begun]) {
            segment.discard(&self.directory);
            return Err(error);
        }
        // If this fails, the next start adopts the draft.
        segment.publish(&self.directory)?;
        self.named = time;
        self.number = (self.number + 1) % MAX_NUMBER;
        if self.paths.len() >= MAX_PATHS {
            self.paths.drain(..MAX_PATHS / 2);
        }
        self.paths.push(segment.path.clone());
        self.segment = Some(segment);
        Ok(())
    }

    /// A name that no file and no segment of the manifest has.
    fn free_name(&mut self, time: Timestamp) -> String {
        let is_encrypted = !self.options.recipients.is_empty();
        let mut name = segment_name(time, self.number, is_encrypted);
        for _ in 0..MAX_NUMBER {
            let is_known = self.manifest.index().state(&name).is_some();
            if !is_known && !self.directory.join(&name).exists() {
                break;
            }
            self.number = (self.number + 1) % MAX_NUMBER;
            name = segment_name(time, self.number, is_encrypted);
        }
        name
    }

    fn is_paused(&self) -> bool {
        self.backoff.covers(self.disk.uptime())
    }

    fn noted(&mut self, result: Result<(), StoreError>) -> Result<(), StoreError> {
        match result {
            Ok(()) => {
                self.backoff.ended();
                Ok(())
            }
            Err(error) => {
                self.failed(error);
                Err(self.backoff.told())
            }
        }
    }

    fn failed(&mut self, error: StoreError) {
        self.backoff.begins(self.disk.uptime(), error);
    }

    /// Deletes what the limits demand. `is_written` means that `bytes` are
    /// about to be written and are counted in the length of the segment
    /// already.
    fn make_room(&mut self, bytes: u64, is_written: bool) -> Result<(), StoreError> {
        let current = self.segment.as_ref().map_or(0, Segment::bytes);
        let space = if is_written {
            self.disk.space(&self.directory).ok()
        } else {
            None
        };
        let demand = Demand {
            current: current + FRAME_RESERVE - if is_written { bytes.min(current) } else { 0 },
            bytes,
            space,
            now: self.disk.now(),
        };
        let plan = quota::plan(self.manifest.index(), &self.options.quota, &demand);
        let is_needed = plan
            .victims
            .iter()
            .any(|(_, limit)| *limit != "max_age_days");
        if !plan.victims.is_empty() {
            if !is_held(&self.directory) {
                self.delete(&plan.victims)?;
            } else if is_needed {
                return Err(self.no_room("the file hold says that nothing may be deleted".into()));
            }
        }
        match plan.short {
            Some(limit) => Err(self.no_room(format!("capture.{limit} leaves none"))),
            None => Ok(()),
        }
    }

    fn no_room(&self, reason: String) -> StoreError {
        StoreError::NoRoom {
            directory: self.directory.clone(),
            reason,
        }
    }

    /// Deletes segments, after the manifest says so.
    fn delete(&mut self, victims: &[(String, &'static str)]) -> Result<(), StoreError> {
        let time = self.disk.now().to_string();
        let mut entries = Vec::new();
        for (segment, reason) in victims {
            if let Some(State::Sealed(sealed)) = self.manifest.index().state(segment) {
                entries.push(Entry::Deleted(Deleted {
                    segment: segment.clone(),
                    time: time.clone(),
                    reason: (*reason).to_owned(),
                    bytes: sealed.bytes,
                    sha256: sealed.sha256.clone(),
                }));
            }
        }
        self.manifest.commit(&entries)?;
        for (segment, reason) in victims {
            tracing::info!("{segment} is deleted: capture.{reason}");
            if let Err(error) = fs::remove_file(self.directory.join(segment)) {
                tracing::warn!("{segment} could not be deleted: {error}");
            }
        }
        self.manifest.prune();
        Ok(())
    }
}

/// The most that `event` takes, in bytes.
fn room_for(event: &Event) -> u64 {
    match &event.kind {
        EventKind::Data(data) => room(data.bytes.expose().len(), 0),
        _ => room(0, 0),
    }
}

/// The most that `message` takes, in bytes.
fn room_for_message(message: &Message) -> u64 {
    let facts = &message.facts;
    room(message.texts(), facts.proofs.len() + facts.plantings.len())
}

/// The most that so many bytes and proofs take, in bytes.
fn room(payload: usize, proofs: usize) -> u64 {
    let packets = (payload / MAX_PACKET_PAYLOAD + 4) as u64;
    payload as u64 + packets * PACKET_RESERVE + proofs as u64 * PROOF_RESERVE + NOTES_RESERVE
}

/// Creates `directory` and locks it against other writers.
fn prepare(directory: &Path) -> Result<File, StoreError> {
    let failed = |source| StoreError::Write {
        path: directory.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(failed)?;
    let lock = File::open(directory).map_err(failed)?;
    for _ in 0..LOCK_TRIES {
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(LOCK_RETRY_DELAY),
            // A file system without locks usually has no second writer either.
            _ => return Ok(lock),
        }
    }
    Err(StoreError::Busy {
        directory: directory.to_owned(),
    })
}

#[cfg(test)]
mod tests;
