//! Which files are known, who maps them, and which may be hooked: pure
//! book-keeping, without a file or a kernel.
//!
//! Every process can map what it likes under the name of a TLS library. What it
//! maps takes room from others in no way: a file that is no TLS library is
//! remembered in a table of its own that forgets the least recently seen, and
//! those that are hooked have a share for each owner (a container, a unit, a
//! session), so that whoever maps a thousand copies of libssl goes without the
//! thousandth alone. What the files of other names cost that a process maps as code,
//! any of which may have a TLS library linked into it, is limited for each owner, too.
//!
//! A file that nobody maps any more stays hooked for a while: many clients live
//! for milliseconds and come back, and each would send its first request before
//! its library is hooked anew.

use std::collections::{BTreeSet, HashMap};

use super::library::{FileId, Stamp};

/// How many files are hooked at most.
const MAX_HOOKED: usize = 1_024;
/// How many of them one owner may bring.
const MAX_OWNED: usize = 64;
/// How many files are remembered that are not hooked.
const MAX_REFUSED: usize = 8_192;
/// How many bytes of an owner's files are searched between two sweeps, to find those
/// with TLS functions among all that it runs.
const MAX_SEARCHED: u64 = 512 << 20;
/// What a file counts for there at least: opening it costs as well.
const MIN_SEARCHED: u64 = 64 << 10;
/// How many sweeps in a row must find a file unmapped before it is released.
const IDLE_SWEEPS: u32 = 2;
/// How often a hooked file may change before it is left alone: who changes a
/// library again and again keeps phiwatch from all the others.
const MAX_CHANGES: u32 = 16;

/// Who brings a file: the part of its process's cgroup path that the process
/// cannot choose.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Owner {
    /// The host, in whose own folders the file lies.
    Host,
    /// The outermost container, unit or session of a process.
    Cgroup(String),
}

impl Owner {
    /// The owner of what a process in `cgroup` maps. Below its outermost unit or
    /// container a process may be free to make cgroups of its own.
    pub(super) fn of(cgroup: Option<&str>) -> Self {
        let path = cgroup.unwrap_or("/");
        let mut end = 0;
        for part in path.split_inclusive('/') {
            end += part.len();
            let name = part.trim_end_matches('/');
            let is_container =
                name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            let kind = name.rsplit_once('.').map(|(_, kind)| kind);
            if is_container || matches!(kind, Some("service" | "scope")) {
                break;
            }
        }
        let path = path.get(..end).unwrap_or(path);
        Self::Cgroup(path.trim_end_matches('/').to_owned())
    }
}

/// What is to be done about a file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It was never seen: examine it. If it is no hooked file under another name
    /// ([`Libraries::same`]), ask for [`Libraries::room`], and then say
    /// [`Libraries::hooked`] or [`Libraries::refused`].
    New,
    /// It is hooked, itself or through another name of the same file.
    Hooked(FileId),
    /// It is hooked but was written to since: unhook it, say
    /// [`Libraries::changed`], and examine it again under this name.
    Changed(FileId),
    /// It is not to be hooked, for this reason.
    Refused(&'static str),
}

/// What is to be done before a file is hooked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Nothing.
    Free,
    /// Unhook this one, which nobody maps. It is forgotten already.
    Instead(FileId),
    /// There is no room.
    Full(Full),
}

/// Whose room is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// That of all files.
    Everyone,
    /// That of the file's owner.
    Owner,
}

#[derive(Debug)]
struct Hooked {
    stamp: Stamp,
    owner: Owner,
    changes: u32,
    /// Processes that map it, under any of its names.
    processes: BTreeSet<u32>,
    /// Whether it stays hooked although no process maps it.
    is_kept: bool,
    /// How many sweeps in a row found that no process maps it.
    idle: u32,
    /// Its other names.
    names: BTreeSet<FileId>,
}

impl Hooked {
    fn is_idle(&self) -> bool {
        self.processes.is_empty() && !self.is_kept
    }
}

#[derive(Debug)]
struct Refused {
    stamp: Stamp,
    why: &'static str,
    /// When it was last asked for, counted in questions.
    asked: u64,
}

/// The known files.
#[derive(Debug, Default)]
pub(super) struct Libraries {
    hooked: HashMap<FileId, Hooked>,
    /// Other names of hooked files, and the name under which each is hooked.
    names: HashMap<FileId, FileId>,
    refused: HashMap<FileId, Refused>,
    owned: HashMap<Owner, usize>,
    /// Bytes that were searched since the last sweep.
    searched: HashMap<Owner, u64>,
    mapped: HashMap<u32, BTreeSet<FileId>>,
    questions: u64,
}

impl Libraries {
    /// What is to be done about the file `id`.
    pub(super) fn admit(&mut self, id: FileId, stamp: Stamp) -> Admission {
        self.questions += 1;
        let principal = self.principal(id);
        if let Some(hooked) = self.hooked.get(&principal) {
            return if hooked.stamp == stamp {
                Admission::Hooked(principal)
            } else {
                Admission::Changed(principal)
            };
        }
        if let Some(refused) = self.refused.get_mut(&id)
            && refused.stamp == stamp
        {
            refused.asked = self.questions;
            return Admission::Refused(refused.why);
        }
        Admission::New
    }

    /// Whether `bytes` of a file that `owner` brings may be searched now, or only after
    /// the next sweep.
    pub(super) fn may_search(&mut self, owner: &Owner, bytes: u64) -> bool {
        let searched = self.searched.entry(owner.clone()).or_default();
        let is_free = *searched < MAX_SEARCHED;
        if is_free {
            *searched += bytes.max(MIN_SEARCHED);
        }
        is_free
    }

    /// Whether there is room for a further file, which `owner` brings. Another name
    /// of a file that is hooked needs none, whoever brings it.
    pub(super) fn room(&mut self, owner: &Owner) -> Room {
        let share = self.owned.get(owner).copied().unwrap_or(0);
        let (full, idle) = if *owner != Owner::Host && share >= MAX_OWNED {
            (Full::Owner, self.idle(|hooked| hooked.owner == *owner))
        } else if self.hooked.len() >= MAX_HOOKED {
            (Full::Everyone, self.idle(|_| true))
        } else {
            return Room::Free;
        };
        match idle {
            Some(idle) => {
                self.released(idle);
                Room::Instead(idle)
            }
            None => Room::Full(full),
        }
    }

    /// The file that has been unmapped for longest, among those that `may` go.
    fn idle(&self, may: impl Fn(&Hooked) -> bool) -> Option<FileId> {
        self.hooked
            .iter()
            .filter(|(_, hooked)| hooked.is_idle() && may(hooked))
            .max_by_key(|(id, hooked)| (hooked.idle, **id))
            .map(|(id, _)| *id)
    }

    /// Notes that a file was hooked, or hooked again after it had changed. One
    /// that is kept stays so although no process maps it.
    pub(super) fn hooked(&mut self, id: FileId, stamp: Stamp, owner: Owner, is_kept: bool) {
        self.refused.remove(&id);
        if let Some(hooked) = self.hooked.get_mut(&id) {
            hooked.stamp = stamp;
            return;
        }
        *self.owned.entry(owner.clone()).or_default() += 1;
        self.hooked.insert(
            id,
            Hooked {
                stamp,
                owner,
                changes: 0,
                processes: BTreeSet::new(),
                is_kept,
                idle: 0,
                names: BTreeSet::new(),
            },
        );
    }

    /// Notes that the file `id` is the hooked file `principal` under another
    /// device number.
    pub(super) fn same(&mut self, id: FileId, principal: FileId) {
        if id != principal
            && let Some(hooked) = self.hooked.get_mut(&principal)
        {
            self.refused.remove(&id);
            hooked.names.insert(id);
            self.names.insert(id, principal);
        }
    }

    /// Notes that a file is not hooked, or no longer.
    pub(super) fn refused(&mut self, id: FileId, stamp: Stamp, why: &'static str) {
        self.released(id);
        if self.refused.len() >= MAX_REFUSED
            && let Some(oldest) = self
                .refused
                .iter()
                .min_by_key(|(_, refused)| refused.asked)
                .map(|(id, _)| *id)
        {
            self.refused.remove(&oldest);
        }
        let asked = self.questions;
        self.refused.insert(id, Refused { stamp, why, asked });
    }

    /// Notes that a hooked file was written to. `false`: that happens too often,
    /// and it is to be refused.
    pub(super) fn changed(&mut self, id: FileId, stamp: Stamp) -> bool {
        let Some(hooked) = self.hooked.get_mut(&id) else {
            return false;
        };
        hooked.stamp = stamp;
        hooked.changes += 1;
        hooked.changes <= MAX_CHANGES
    }

    /// The processes that map a hooked file.
    pub(super) fn processes(&self, id: FileId) -> impl Iterator<Item = u32> + '_ {
        let hooked = self.hooked.get(&id);
        hooked
            .into_iter()
            .flat_map(|own| own.processes.iter().copied())
    }

    /// The hooked files that a process maps.
    pub(super) fn files(&self, pid: u32) -> Vec<FileId> {
        let files = self.mapped.get(&pid);
        files.into_iter().flatten().copied().collect()
    }

    /// Hooked files that a process may come to map: the host's own, and those
    /// that others map at present.
    pub(super) fn likely(&self, most: usize) -> Vec<FileId> {
        let hooked = self.hooked.iter();
        let mut likely: Vec<(bool, FileId)> = hooked
            .filter(|(_, own)| !own.is_idle())
            .map(|(id, own)| (!own.is_kept, *id))
            .collect();
        likely.sort_unstable();
        likely.truncate(most);
        likely.into_iter().map(|(_, id)| id).collect()
    }

    /// Notes all files that a process maps now.
    pub(super) fn maps(&mut self, pid: u32, files: &[FileId]) {
        let now: BTreeSet<FileId> = files
            .iter()
            .map(|id| self.principal(*id))
            .filter(|id| self.hooked.contains_key(id))
            .collect();
        let before = self.mapped.remove(&pid).unwrap_or_default();
        for id in before.difference(&now) {
            if let Some(hooked) = self.hooked.get_mut(id) {
                hooked.processes.remove(&pid);
            }
        }
        for id in &now {
            if let Some(hooked) = self.hooked.get_mut(id) {
                hooked.processes.insert(pid);
                hooked.idle = 0;
            }
        }
        if !now.is_empty() {
            self.mapped.insert(pid, now);
        }
    }

    /// Notes that a process was forked: it maps what the other one maps.
    pub(super) fn forked(&mut self, parent: u32, child: u32) {
        let Some(files) = self.mapped.get(&parent).cloned() else {
            return;
        };
        for id in &files {
            if let Some(hooked) = self.hooked.get_mut(id) {
                hooked.processes.insert(child);
            }
        }
        self.mapped.insert(child, files);
    }

    /// Notes that a process has ended.
    pub(super) fn ended(&mut self, pid: u32) {
        self.maps(pid, &[]);
    }

    /// Looks through all, now and then. Processes that are not `alive` have
    /// ended unseen. Gives the files that no process has mapped for two sweeps,
    /// which are to be unhooked and are forgotten here.
    pub(super) fn sweep(&mut self, mut alive: impl FnMut(u32) -> bool) -> Vec<FileId> {
        let known: Vec<u32> = self.mapped.keys().copied().collect();
        for pid in known {
            if !alive(pid) {
                self.ended(pid);
            }
        }
        self.searched.clear();
        let mut free = Vec::new();
        for (id, hooked) in &mut self.hooked {
            if hooked.is_idle() {
                hooked.idle += 1;
                if hooked.idle >= IDLE_SWEEPS {
                    free.push(*id);
                }
            }
        }
        free.sort_unstable();
        for id in &free {
            self.released(*id);
        }
        free
    }

    /// Forgets a file that was unhooked.
    pub(super) fn released(&mut self, id: FileId) {
        let Some(hooked) = self.hooked.remove(&id) else {
            return;
        };
        for name in &hooked.names {
            self.names.remove(name);
        }
        for pid in &hooked.processes {
            if let Some(files) = self.mapped.get_mut(pid) {
                files.remove(&id);
            }
        }
        if let Some(share) = self.owned.get_mut(&hooked.owner) {
            *share -= 1;
            if *share == 0 {
                self.owned.remove(&hooked.owner);
            }
        }
    }

    fn principal(&self, id: FileId) -> FileId {
        self.names.get(&id).copied().unwrap_or(id)
    }
}

#[cfg(test)]
mod tests;
