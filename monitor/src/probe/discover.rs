//! Follows processes and the TLS libraries that they map, and keeps the hooks
//! within their budget.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::ControlFlow,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use phiwatch_ebpf::abi::{self, Usage, mark};
use rustix::time::{ClockId, clock_gettime};

use super::{
    attach::Probes,
    elf::BuildId,
    libraries::{Admission, Full, Owner, Room},
    library::{self, FileId, Library, LibraryError},
    load::monotonic,
    maps::{Mapped, Maps},
    plan::{Coverage, Member},
    process,
    sites::Effort,
    status::State,
    translate::Signal,
};

/// How often everything is scanned, in case an event was missed.
const RESCAN: Duration = Duration::from_secs(30);
/// When a process that has just started or loads libraries is looked at again: it
/// may tell of them before they are mapped.
const FOLLOW_UPS: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];
/// How many looks are waiting at most.
const MAX_FOLLOW_UPS: usize = 4_096;
/// How many processes are looked at because one that was let in had forked them.
const MAX_DESCENDANTS: usize = 4_096;
/// How many libraries a process of a narrow scope is hooked in before it has
/// mapped them.
const MAX_EXPECTED: usize = 8;
/// How soon discovery ends when it is told to.
const STOP: Duration = Duration::from_millis(250);
/// How often costs are looked at.
const TURN: Duration = Duration::from_millis(500);

/// Why a file is not hooked that was not searched for functions without symbols.
const NOTHING: &str = "it has none of the functions";

/// What discovery tells whoever reports.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WatchState {
    /// Processes that the scope holds.
    pub watched: usize,
    /// The share of the host's processors that hooks and phiwatch take.
    pub overhead: f64,
    /// Processes of which the budget leaves less than everything probed.
    pub backed_off: usize,
    /// How often a process has given way so far.
    pub back_offs: u64,
    /// How often a server became so busy that its pages are sampled.
    pub samplings: u64,
    /// Hits on probes in TLS functions so far.
    pub hits: u64,
}

impl Probes {
    /// Looks at every process of the scope. Returns how many there are.
    pub fn scan(&mut self) -> usize {
        let all = process::all();
        for id in self.libraries.sweep(|pid| all.contains(&pid)) {
            self.hooks.remove(id);
        }
        self.hooks.retain(|pid| all.contains(&pid));
        self.passed = Some(HashSet::new());
        let count = all.into_iter().filter(|pid| self.look_at(*pid)).count();
        self.passed = None;
        count
    }

    /// Follows signals until `stop` says to end or their sender has gone, scanning
    /// now and then, and takes all hooks away at the end. `tell` learns what has
    /// become of them.
    pub fn discover(
        mut self,
        signals: &Receiver<Signal>,
        stop: &AtomicBool,
        mut tell: impl FnMut(WatchState),
    ) {
        let started = Instant::now();
        let mut state = WatchState {
            watched: self.scan(),
            ..WatchState::default()
        };
        tell(state);
        let mut next_scan = started + RESCAN;
        let mut next_turn = started + TURN;
        let mut follow_ups: BTreeSet<(Instant, u32)> = BTreeSet::new();
        while !stop.load(Ordering::Relaxed) {
            let now = Instant::now();
            while let Some((due, pid)) = follow_ups.first().copied()
                && due <= now
            {
                follow_ups.pop_first();
                self.look_at(pid);
            }
            if now >= next_scan {
                state.watched = self.scan();
                next_scan = now + RESCAN;
            }
            if now >= next_turn {
                self.turn(now - started, &mut state);
                tell(state);
                next_turn = now + TURN;
            }
            let look = follow_ups.first().map(|(due, _)| *due);
            let due = look.into_iter().chain([next_scan, next_turn]).min();
            let wait = due.unwrap_or(next_turn).saturating_duration_since(now);
            match signals.recv_timeout(wait.clamp(Duration::from_millis(1), STOP)) {
                Ok(signal) => {
                    if let Some(pid) = self.follow(&signal, started.elapsed()) {
                        follow_up(&mut follow_ups, now, pid);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.hooks.close_all(self.tracepoints);
    }

    /// Does what a signal asks for; `now` is the time since the start. Gives the
    /// process that is to be looked at again.
    fn follow(&mut self, signal: &Signal, now: Duration) -> Option<u32> {
        match *signal {
            Signal::Exec(pid) => {
                self.hooks.learn(|known| known.executed(pid));
                if !self.is_let_in(pid, &mut Vec::new()) {
                    self.map(pid, &[]);
                    return None;
                }
                // Its executable is mapped already and may have a TLS library in it.
                let own = self.hook_mapped(pid)?;
                self.expect(pid, own);
                Some(pid)
            }
            Signal::Fork { parent, child } => {
                self.libraries.forked(parent, child);
                // Probes for one process do not follow its children.
                for id in self.libraries.files(child) {
                    self.reconcile(id);
                }
                self.expect(child, Vec::new());
                Some(child)
            }
            Signal::Library(pid) => {
                self.look_at(pid);
                Some(pid)
            }
            Signal::Moved(thread) => {
                let pid = process::of_thread(thread)?;
                self.look_at(pid).then_some(pid)
            }
            Signal::Exit(pid) => {
                self.map(pid, &[]);
                self.hooks.ended(pid);
                self.config.scope.ended(pid);
                None
            }
            Signal::Hello(pid) => {
                if self.look_at(pid) && self.hooks.learn(|known| known.is_hidden(pid)) {
                    if self.search(pid) {
                        self.look_at(pid);
                    }
                    let has = self.executables.have_rustls(pid);
                    self.hooks.learn(|known| known.searched(pid, has));
                }
                None
            }
            Signal::Tracker(pid) => {
                if self.budget.needed(pid, now) {
                    tracing::info!(pid, "it connects to a tracker: its calls are probed again");
                    self.hooks.usage().set_probed(pid, true, monotonic());
                    self.reconcile_all(pid);
                }
                None
            }
        }
    }

    /// Hooks a process in the files that it maps already and, where processes are
    /// hooked one by one, in the libraries that it is likely to map, before it does: it
    /// may live for milliseconds. The next look at it takes away what it does not map.
    fn expect(&mut self, pid: u32, mut files: Vec<FileId>) {
        let before = self.libraries.files(pid);
        let is_separate = self.config.scope.is_narrow() || self.hooks.is_separate();
        if is_separate && before.is_empty() {
            files.extend(self.libraries.likely(MAX_EXPECTED));
        }
        if !files.is_empty() {
            files.extend(before);
            self.map(pid, &files);
        }
    }

    /// Looks at one process: whether it is watched, and which libraries it maps.
    fn look_at(&mut self, pid: u32) -> bool {
        let mut descendants = Vec::new();
        let is_held = self.look_at_one(pid, &mut descendants);
        // Before a process was let in the kernel watched none that it forked.
        for index in 0.. {
            let Some(child) = descendants.get(index).copied() else {
                break;
            };
            self.look_at_one(child, &mut descendants);
            descendants.truncate(MAX_DESCENDANTS);
        }
        is_held
    }

    /// The same, without what the process has forked: that goes to `forked` if
    /// the process is let in now.
    fn look_at_one(&mut self, pid: u32, forked: &mut Vec<u32>) -> bool {
        if !self.is_let_in(pid, forked) {
            self.map(pid, &[]);
            return false;
        }
        let Some(files) = self.hook_mapped(pid) else {
            return false;
        };
        self.map(pid, &files);
        true
    }

    /// Hooks the files that a process maps, as far as they have functions to be hooked,
    /// and says which have; `None` if it has gone. Notes what its maps tell.
    fn hook_mapped(&mut self, pid: u32) -> Option<Vec<FileId>> {
        let seen = process::read(pid)?;
        let owner = Owner::of(seen.process.cgroup.as_deref());
        let maps = Maps::read(pid);
        if maps.moves_stacks() {
            // The kernel notes it by itself of a process that starts later.
            let usage = self.hooks.usage();
            usage.set_flag(pid, abi::usage::MOVES_STACKS, true);
        }
        let files: Vec<FileId> = maps
            .files()
            .iter()
            .filter_map(|mapped| {
                if mapped.is_named {
                    self.hook(library::open_mapped(pid, mapped), &owner, Effort::Usual)
                } else {
                    self.hook_other(pid, mapped, &owner)
                }
            })
            .collect();
        let is_hooked = files.iter().any(|id| self.hooks.is_tls(*id));
        if let Some(engine) = maps.engine(is_hooked) {
            let is_excluded = self.budget.coverage(pid) == Coverage::Nothing;
            let looked = maps.time();
            self.hooks
                .learn(|known| known.looked(pid, engine, is_excluded, looked));
        }
        Some(files)
    }

    /// Searches what a process maps for TLS functions that no symbol names, each file
    /// once. Returns whether some are hooked now.
    fn search(&mut self, pid: u32) -> bool {
        let Some(seen) = process::read(pid) else {
            return false;
        };
        let owner = Owner::of(seen.process.cgroup.as_deref());
        let mut is_any = false;
        for mapped in Maps::read(pid).files() {
            let opened = library::open_mapped(pid, &mapped);
            is_any |= self.hook(opened, &owner, Effort::Thorough).is_some();
        }
        is_any
    }

    /// Hooks a file of any name, if it has TLS functions. Almost none has, and all
    /// processes map dozens: what is known of a file is not asked again.
    fn hook_other(&mut self, pid: u32, mapped: &Mapped, owner: &Owner) -> Option<FileId> {
        let key = (owner.clone(), mapped.name.clone());
        if self.passed.as_ref().is_some_and(|all| all.contains(&key)) {
            return None;
        }
        let found = match library::identify(pid, mapped) {
            Some((id, stamp)) => match self.libraries.admit(id, stamp) {
                Admission::Refused(_) => None,
                Admission::Hooked(id) => return Some(id),
                Admission::New | Admission::Changed(_) => {
                    self.hook(library::open_mapped(pid, mapped), owner, Effort::Usual)
                }
            },
            None => self.hook(library::open_mapped(pid, mapped), owner, Effort::Usual),
        };
        if let (None, Some(passed)) = (found, &mut self.passed) {
            passed.insert(key);
        }
        found
    }

    /// Whether a process is watched. What it has forked goes to `forked` if it is
    /// let in only now.
    fn is_let_in(&mut self, pid: u32, forked: &mut Vec<u32>) -> bool {
        let Some(seen) = process::read(pid) else {
            return false;
        };
        if !self.config.scope.reaches(&seen.process) {
            return false;
        }
        if !self.config.scope.is_listed() {
            return true;
        }
        let before = self.watched.get(&pid, 0).unwrap_or(0);
        let is_named = self.config.scope.lists(&seen);
        // The kernel saw the path of a script, which may be gone from what
        // `/proc` shows.
        if !is_named && before & mark::BY_PATH == 0 {
            if before != 0 {
                // It may have gone meanwhile, and then so has its mark.
                drop(self.watched.remove(&pid));
            }
            return false;
        }
        if is_named && before & (mark::LISTED | mark::CONFIRMED) == 0 {
            // A full map leaves the process unwatched; the kernel counts that.
            drop(self.watched.insert(pid, before | mark::CONFIRMED, 0));
            forked.extend(process::children(pid));
            // It may have called exec between the two: then the kernel has taken
            // away the mark that was just set again.
            let is_still = process::read(pid)
                .is_some_and(|now| now.exe == seen.exe && now.started == seen.started);
            if !is_still {
                drop(self.watched.remove(&pid));
                return false;
            }
        }
        true
    }

    /// Notes which hooked files a process maps, and hooks it in them.
    fn map(&mut self, pid: u32, files: &[FileId]) {
        let before = self.libraries.files(pid);
        self.libraries.maps(pid, files);
        let after = self.libraries.files(pid);
        let changed: BTreeSet<FileId> = before
            .iter()
            .chain(&after)
            .filter(|id| before.contains(id) != after.contains(id))
            .copied()
            .collect();
        for id in changed {
            self.reconcile(id);
        }
    }

    fn reconcile_all(&mut self, pid: u32) {
        for id in self.libraries.files(pid) {
            self.reconcile(id);
        }
    }

    /// Hooks a file for those that map it, as far as the budget lets them be.
    fn reconcile(&mut self, id: FileId) {
        let members: BTreeMap<u32, Member> = self
            .libraries
            .processes(id)
            .map(|pid| {
                let member = Member {
                    coverage: self.budget.coverage(pid),
                    granted: self.budget.granted(pid),
                    is_client: self.budget.is_client(pid),
                };
                (pid, member)
            })
            .collect();
        self.hooks.reconcile(&mut self.ebpf, id, &members);
    }

    /// Hooks a library that `owner` brings, if it is one, and says which file it
    /// is.
    pub(super) fn hook(
        &mut self,
        opened: Result<Library, LibraryError>,
        owner: &Owner,
        effort: Effort,
    ) -> Option<FileId> {
        let library = match opened {
            Ok(library) => library,
            Err(error) => {
                // Often a relative or wrong path that a process merely tried to
                // open.
                tracing::debug!(%error, "file is not looked at");
                return None;
            }
        };
        let (id, is_new) = match self.admit(&library, effort) {
            ControlFlow::Continue(admitted) => admitted,
            ControlFlow::Break(known) => return known,
        };
        let stamp = library.stamp;
        let build_id = library.build_id().ok().flatten();
        // Before it is asked for room: another name of a file takes none, and the
        // share that it would be taken from is not that of the file's owner.
        if let Some(principal) = self.hooked_as(&library, build_id.as_ref()) {
            self.libraries.same(id, principal);
            return Some(principal);
        }
        // Any program may have a TLS library linked into it, so it is searched first;
        // a file that is called as one asks for room at once.
        let is_named = library::object(&library.path).is_some();
        if is_new && is_named && !self.make_room(owner) {
            return None;
        }
        let weight = effort.weight(&library);
        if !is_named && !self.libraries.may_search(owner, weight) {
            return None;
        }
        let sites = match self.hooks.decide(&library, effort) {
            Ok(sites) => sites,
            Err(error) => {
                tracing::debug!(%error, "file is no TLS library");
                let why = "it is no ELF file of this machine";
                self.libraries.refused(id, stamp, why);
                return None;
            }
        };
        if sites.is_empty() {
            let why = match effort {
                Effort::Usual => NOTHING,
                Effort::Thorough => "it has none of the functions, also without symbols",
            };
            self.libraries.refused(id, stamp, why);
            return None;
        }
        if is_new && !is_named && !self.make_room(owner) {
            return None;
        }
        let is_kept = *owner == Owner::Host;
        self.libraries.hooked(id, stamp, owner.clone(), is_kept);
        self.hooks.add(id, library, build_id, sites);
        self.reconcile(id);
        Some(id)
    }

    /// Whether a library is to be examined: under which id, and whether that is a
    /// new one. If not, its id where it is hooked already.
    fn admit(
        &mut self,
        library: &Library,
        effort: Effort,
    ) -> ControlFlow<Option<FileId>, (FileId, bool)> {
        match self.libraries.admit(library.id, library.stamp) {
            Admission::New => ControlFlow::Continue((library.id, true)),
            Admission::Hooked(id) => ControlFlow::Break(Some(id)),
            Admission::Changed(id) => {
                self.hooks.remove(id);
                if self.libraries.changed(id, library.stamp) {
                    return ControlFlow::Continue((id, false));
                }
                let why = "it changes too often";
                self.libraries.refused(id, library.stamp, why);
                ControlFlow::Break(None)
            }
            // It was refused with less effort.
            Admission::Refused(NOTHING) if effort == Effort::Thorough => {
                ControlFlow::Continue((library.id, true))
            }
            Admission::Refused(why) => {
                tracing::trace!(path = %library.path.display(), why, "file is not hooked");
                ControlFlow::Break(None)
            }
        }
    }

    /// Whether there is room for a further library of `owner`, perhaps that of one
    /// that nobody maps any more.
    fn make_room(&mut self, owner: &Owner) -> bool {
        let why = match self.libraries.room(owner) {
            Room::Free => return true,
            Room::Instead(other) => {
                self.hooks.remove(other);
                return true;
            }
            Room::Full(Full::Everyone) => "too many libraries are hooked",
            Room::Full(Full::Owner) => "too many libraries of one container or unit are hooked",
        };
        self.status
            .set("ssl_write", "further libraries", State::Failed, why);
        false
    }

    /// The hooked file that this one is, seen through another layer of a
    /// container's file system.
    fn hooked_as(&self, library: &Library, build_id: Option<&BuildId>) -> Option<FileId> {
        let (id, offsets) = self.hooks.same_build(build_id?, library)?;
        // All of them: another tool may have set a breakpoint, too.
        let is_hooked = offsets
            .iter()
            .all(|offset| library.is_hooked_at(*offset).unwrap_or(false));
        is_hooked.then_some(id)
    }

    /// Looks at what the hooks cost, and takes probes away from what costs too much.
    fn turn(&mut self, now: Duration, state: &mut WatchState) {
        let usage: HashMap<u32, Usage> = self.hooks.usage().all().collect();
        let clients: Vec<u32> = usage
            .iter()
            .filter(|(pid, own)| own.wanted > 0 && !self.budget.is_client(**pid))
            .map(|(pid, _)| *pid)
            .collect();
        let own = clock_gettime(ClockId::ProcessCPUTime);
        let own = Duration::new(
            u64::try_from(own.tv_sec).unwrap_or(0),
            u32::try_from(own.tv_nsec).unwrap_or(0),
        );
        let turn = self.budget.turn(now, usage, own);
        for (pid, coverage) in &turn.changes {
            tracing::info!(pid, ?coverage, "the budget changes what is probed");
            let is_probed = *coverage > Coverage::Nothing;
            let usage = self.hooks.usage();
            usage.set_probed(*pid, is_probed, monotonic());
        }
        let changed = turn.changes.keys().copied();
        for pid in changed.chain(clients).collect::<Vec<_>>() {
            self.reconcile_all(pid);
        }
        state.overhead = turn.share;
        state.backed_off = self.budget.gave_way();
        state.back_offs += turn.gave_way;
        state.samplings += turn.sampled;
        state.hits += turn.hits;
    }
}

/// Has a process looked at again, unless that will happen anyway. A look that is
/// due sooner may come before the library is mapped.
fn follow_up(follow_ups: &mut BTreeSet<(Instant, u32)>, now: Instant, pid: u32) {
    let [soon, _] = FOLLOW_UPS;
    let mut waiting = follow_ups.range((now + soon / 2, 0)..);
    if waiting.any(|(due, other)| *other == pid && *due <= now + soon)
        || follow_ups.len() + FOLLOW_UPS.len() > MAX_FOLLOW_UPS
    {
        return;
    }
    follow_ups.extend(FOLLOW_UPS.iter().map(|after| (now + *after, pid)));
}
