//! A simulated disk for tests: it fills up, fails and ages on command.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use super::*;

/// 25 November 2025.
const START: u64 = 1_764_038_463_000_000_000;

/// A disk on which syncing is quick, and which fails on command.
pub(in crate::store) struct SimulatedDisk {
    /// Nanoseconds since the start.
    clock: AtomicU64,
    /// Bytes that can be written before the disk is full.
    room: AtomicU64,
    /// What [`Disk::space`] says.
    space: Mutex<Space>,
    /// Whether syncing fails.
    fails: AtomicBool,
    /// Synced files.
    pub(in crate::store) syncs: AtomicU64,
}

impl Default for SimulatedDisk {
    fn default() -> Self {
        Self {
            clock: AtomicU64::new(0),
            room: AtomicU64::new(u64::MAX),
            space: Mutex::new(Space {
                free: u64::MAX / 4,
                total: u64::MAX / 2,
            }),
            fails: AtomicBool::new(false),
            syncs: AtomicU64::new(0),
        }
    }
}

impl SimulatedDisk {
    /// Lets time pass.
    pub(in crate::store) fn pass(&self, time: Duration) {
        self.clock
            .fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Leaves room for `bytes` that are written.
    pub(in crate::store) fn set_room(&self, bytes: u64) {
        self.room.store(bytes, Ordering::Relaxed);
    }

    /// Sets what is free of how much.
    pub(in crate::store) fn set_space(&self, free: u64, total: u64) {
        *self.space.lock().unwrap() = Space { free, total };
    }

    /// Lets every sync fail from now on, or none.
    pub(in crate::store) fn set_failing(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }
}

impl Disk for SimulatedDisk {
    fn now(&self) -> Timestamp {
        Timestamp(START + self.clock.load(Ordering::Relaxed))
    }

    fn uptime(&self) -> Duration {
        Duration::from_nanos(self.clock.load(Ordering::Relaxed))
    }

    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let room = self.room.load(Ordering::Relaxed);
        let length = bytes.len().min(room.try_into().unwrap_or(usize::MAX));
        if length == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room.store(room - length as u64, Ordering::Relaxed);
        file.write_at(&bytes[..length], offset)
    }

    fn sync(&self, _file: &File) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) {
            return Err(io::Error::other("the disk is broken"));
        }
        Ok(())
    }

    fn space(&self, _directory: &Path) -> io::Result<Space> {
        Ok(*self.space.lock().unwrap())
    }
}
