//! The links that hook TLS libraries, and for whom.
//!
//! In: libraries that are to be hooked, the processes that map each, and what the
//! budget leaves them. [`plan`](super::plan) says which attachments that takes;
//! this module makes the links that are missing and takes away those that are too
//! many. Which files are libraries at all, and who maps them, is
//! [`super::libraries`]' matter.

use std::{
    collections::{BTreeMap, HashMap},
    os::fd::OwnedFd,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use aya::{
    Ebpf,
    maps::{Array, MapData},
};
use phiwatch_ebpf::abi::{MAX_TARGETS, target as bits, usage};

use super::{
    elf::BuildId,
    library::{self, FileId, Library, LibraryError, Stamp},
    load::monotonic,
    obstacle::Processes,
    plan::{self, Member, Probing, Whom},
    process,
    sites::{Decision, Effort, Part, Sites},
    status::{State, Status},
    table::HOOKS,
    uprobes::{Interface, Link, LinkPart, Target},
    usage::UsageMap,
};

/// How many threads take links away while phiwatch watches.
const CLOSERS: usize = 4;
/// How many take them away at its end.
const CLOSERS_AT_END: usize = 64;
/// How long links stay after they have stopped to count, so that calls which began
/// before are still seen to end. Almost all calls are shorter.
const IN_FLIGHT: Duration = Duration::from_millis(100);
/// Of how many files it is remembered what was decided.
const MAX_DECIDED: usize = 512;

/// The maps by which the programs know the attachments.
pub(super) struct TargetMaps {
    /// Value: a set of [`phiwatch_ebpf::abi::target`] bits.
    pub targets: Array<MapData, u32>,
    /// What each process costs and brings, and what its calls are told by.
    pub usage: UsageMap,
}

/// The links of one attachment.
struct Attached {
    index: u16,
    calls: Option<Link>,
    results: Option<Link>,
    since: u64,
}

struct Hooked {
    library: Library,
    build_id: Option<BuildId>,
    place: String,
    sites: Arc<Sites>,
    attached: BTreeMap<Whom, Attached>,
}

impl Hooked {
    fn is_tls(&self) -> bool {
        let object = library::object(&self.library.path);
        object.is_none_or(|object| object.source().is_some())
    }
}

/// Links that are to be taken away, and the index of their attachment if all of
/// it goes: until they are gone, whoever was given it would let them count again.
struct Closing {
    links: [Option<Link>; 2],
    index: Option<u16>,
    /// When no call is in flight any more.
    due: Instant,
}

/// The hooked libraries.
pub(super) struct Hooks {
    is_narrow: bool,
    interface: Interface,
    maps: TargetMaps,
    status: Status,
    files: HashMap<FileId, Hooked>,
    /// What was decided about a file as it was. Not by its build id alone, which
    /// anybody can copy into a file whose code is another.
    decided: HashMap<(FileId, Stamp), Arc<Sites>>,
    next_index: u16,
    free: Vec<u16>,
    closing: Sender<Closing>,
    /// The other end of that, from which the threads take.
    queue: Arc<Mutex<Receiver<Closing>>>,
    /// Indices of attachments whose links are gone.
    closed: Receiver<u16>,
    known: Arc<Mutex<Processes>>,
}

impl Hooks {
    /// Without cookies every attachment is the first of the map, which then says
    /// that ends are probed.
    pub(super) fn new(
        is_narrow: bool,
        interface: Interface,
        mut maps: TargetMaps,
        status: Status,
    ) -> Self {
        // Writing an array of the right size cannot fail.
        drop(maps.targets.set(0, bits::ENABLED | bits::EXITS_PROBED, 0));
        let (closing, queue) = channel();
        let (closed_in, closed) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..CLOSERS {
            let links = Arc::clone(&queue);
            let closed = closed_in.clone();
            let spawned = thread::Builder::new()
                .name(format!("phiwatch-close-{number}"))
                .spawn(move || close(&links, &closed));
            if let Err(error) = spawned {
                tracing::warn!(%error, "links are taken away by fewer threads");
            }
        }
        Self {
            is_narrow,
            interface,
            maps,
            status,
            files: HashMap::new(),
            decided: HashMap::new(),
            next_index: 1,
            free: Vec::new(),
            closing,
            queue,
            closed,
            known: Arc::default(),
        }
    }

    /// What each process costs and brings.
    pub(super) fn usage(&mut self) -> &mut UsageMap {
        &mut self.maps.usage
    }

    /// How programs are linked.
    pub(super) fn interface(&self) -> &Interface {
        &self.interface
    }

    /// What is known of how processes encrypt: since when they are hooked, and what
    /// discovery saw.
    pub(super) fn known(&self) -> Arc<Mutex<Processes>> {
        Arc::clone(&self.known)
    }

    /// Whether a hooked file has TLS functions, as all have but the loader.
    pub(super) fn is_tls(&self, id: FileId) -> bool {
        self.files.get(&id).is_some_and(Hooked::is_tls)
    }

    /// Notes, or asks, something about how processes encrypt.
    pub(super) fn learn<T>(&self, note: impl FnOnce(&mut Processes) -> T) -> T {
        note(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The hooked libraries, sorted.
    pub(super) fn places(&self) -> Vec<String> {
        let mut places: Vec<_> = self.files.values().map(|file| file.place.clone()).collect();
        places.sort();
        places
    }

    /// Where the probes of each library sit, or would: place and decision.
    pub(super) fn decisions(&self) -> impl Iterator<Item = (&str, &Decision)> {
        let files = self.files.values();
        files.flat_map(|file| {
            let decisions = file.sites.decisions.iter();
            decisions.map(|decision| (file.place.as_str(), decision))
        })
    }

    /// The hooked file of this build that `library` most likely is another name of,
    /// and where in it the probes are. Breakpoints tell whether it is, but not of
    /// which of two copies; only those for all processes can be looked for.
    pub(super) fn same_build(
        &self,
        build_id: &BuildId,
        library: &Library,
    ) -> Option<(FileId, Vec<u64>)> {
        let files = self.files.iter().filter(|(_, file)| {
            file.build_id.as_ref() == Some(build_id) && file.attached.contains_key(&Whom::Everyone)
        });
        let (id, file) = files.max_by_key(|(id, file)| {
            let likeness = id.likeness(file.library.stamp, library);
            (likeness, **id)
        })?;
        Some((*id, file.sites.call_offsets()))
    }

    /// Where the probes of a library sit.
    pub(super) fn decide(
        &mut self,
        library: &Library,
        effort: Effort,
    ) -> Result<Arc<Sites>, LibraryError> {
        let file = (library.id, library.stamp);
        if let Some(sites) = self.decided.get(&file) {
            return Ok(Arc::clone(sites));
        }
        let sites = Arc::new(Sites::decide(
            library,
            self.interface.has_cookies(),
            effort,
        )?);
        // Those with nothing to hook are remembered by whoever asks.
        if !sites.is_empty() {
            if self.decided.len() >= MAX_DECIDED {
                // Deciding again costs a millisecond each.
                self.decided.clear();
            }
            self.decided.insert(file, Arc::clone(&sites));
        }
        Ok(sites)
    }

    /// Takes in a library. It is hooked when it is reconciled.
    pub(super) fn add(
        &mut self,
        id: FileId,
        library: Library,
        build_id: Option<BuildId>,
        sites: Arc<Sites>,
    ) {
        let place = format!("{} (inode {})", library.path.display(), id.inode);
        tracing::info!(library = %place, "library is found");
        let file = Hooked {
            library,
            build_id,
            place,
            sites,
            attached: BTreeMap::new(),
        };
        self.files.insert(id, file);
    }

    /// Takes all hooks out of a library.
    pub(super) fn remove(&mut self, id: FileId) {
        let Some(file) = self.files.remove(&id) else {
            return;
        };
        self.forget_states(&file.place);
        tracing::info!(library = %file.place, "library is no longer watched");
        for (_, attached) in file.attached {
            self.detach(attached);
        }
    }

    /// Whether some file of a wide scope is hooked for its processes one by one.
    pub(super) fn is_separate(&self) -> bool {
        let mut files = self.files.values();
        files.any(|file| !file.attached.is_empty() && !file.attached.contains_key(&Whom::Everyone))
    }

    /// Forgets processes that are no more: their end may not have been seen.
    pub(super) fn retain(&mut self, is_alive: impl Fn(u32) -> bool) {
        self.maps.usage.retain(&is_alive);
        self.learn(|known| known.retain(&is_alive));
    }

    /// Forgets a process that has ended.
    pub(super) fn ended(&mut self, pid: u32) {
        self.learn(|known| known.ended(pid));
    }

    /// Takes all links away, in parallel, and closes `others` with them: the kernel
    /// waits a while for each, one after the other if it is left to the end of the
    /// process.
    pub(super) fn close_all(self, others: Vec<OwnedFd>) {
        let Self {
            files,
            closing,
            queue,
            ..
        } = self;
        // Those that were to go anyway: there may be hundreds. The threads end now,
        // instead of waiting for more and keeping the lock meanwhile.
        drop(closing);
        let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = queue.try_iter().flat_map(|closing| closing.links);
        let attached = files.into_values().flat_map(|file| file.attached);
        let links = attached
            .flat_map(|(_, Attached { calls, results, .. })| [calls, results])
            .chain(waiting)
            .flatten()
            .flat_map(Link::into_parts);
        let others = others.into_iter().map(LinkPart::from);
        let parts: Vec<LinkPart> = links.chain(others).collect();
        let parts = Mutex::new(parts.into_iter());
        let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            while let Some(part) = next() {
                drop(part);
            }
        };
        thread::scope(|scope| {
            for _ in 0..CLOSERS_AT_END {
                if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                    break;
                }
            }
            work();
        });
    }

    /// Makes the attachments of a file what the plan says for `members`.
    pub(super) fn reconcile(
        &mut self,
        ebpf: &mut Ebpf,
        id: FileId,
        members: &BTreeMap<u32, Member>,
    ) {
        let Some(mut file) = self.files.remove(&id) else {
            return;
        };
        let mut planned = plan::attachments(self.is_narrow, members);
        if !self.interface.has_cookies() {
            // Its programs cannot tell attachments apart: all or nothing.
            for probing in planned.values_mut() {
                *probing = Probing::BOTH;
            }
        }
        if file.attached.is_empty() && !planned.is_empty() {
            for decision in &file.sites.decisions {
                self.status
                    .set(decision.hook, &file.place, decision.state, &decision.detail);
            }
        }
        if self.is_narrow
            && planned.contains_key(&Whom::Everyone)
            && !file.attached.contains_key(&Whom::Everyone)
        {
            tracing::info!(
                library = %file.place,
                processes = members.len(),
                "too many processes map it: it is hooked for all, also out of scope"
            );
        }
        // What is new first, so that a process which goes from the file's
        // attachment to its own misses nothing. It counts once the old one has
        // stopped to: a hit on both would be told twice.
        let enabled: Vec<(u16, u32)> = planned
            .iter()
            .filter_map(|(whom, probing)| self.attach(ebpf, &mut file, *whom, *probing))
            .collect();
        let surplus: Vec<Whom> = file
            .attached
            .keys()
            .filter(|whom| !planned.contains_key(whom))
            .copied()
            .collect();
        for whom in &surplus {
            if let Whom::One(pid) = whom {
                self.maps.usage.set_flag(*pid, usage::EXITS_PROBED, false);
            }
            if let Some(attached) = file.attached.get(whom) {
                self.set_target(attached.index, 0);
            }
        }
        for (index, flags) in enabled {
            self.set_target(index, flags);
        }
        for whom in surplus {
            if let Some(attached) = file.attached.remove(&whom) {
                self.detach(attached);
            }
        }
        if file.attached.is_empty() {
            // It is hooked for nobody: no process of the scope maps it, or the
            // budget leaves none of them anything.
            self.forget_states(&file.place);
        }
        self.note_since(&file, members);
        self.files.insert(id, file);
    }

    fn forget_states(&self, place: &str) {
        for hook in HOOKS {
            self.status.forget(hook.name, place);
        }
    }

    /// Notes since when the processes are hooked.
    fn note_since(&self, file: &Hooked, members: &BTreeMap<u32, Member>) {
        if !file.is_tls() {
            return;
        }
        // One that failed reads nothing.
        let is_linked = |own: &&Attached| own.calls.is_some() || own.results.is_some();
        let of = |whom| {
            let attached = file.attached.get(&whom).filter(is_linked);
            attached.map(|attached| attached.since)
        };
        let everyone = of(Whom::Everyone);
        self.learn(|known| {
            for pid in members.keys() {
                if let Some(time) = everyone.or_else(|| of(Whom::One(*pid))) {
                    known.hooked(*pid, time);
                }
            }
        });
    }

    /// Makes the links of one attachment. Gives its index and the flags with which
    /// it is to count.
    fn attach(
        &mut self,
        ebpf: &mut Ebpf,
        file: &mut Hooked,
        whom: Whom,
        probing: Probing,
    ) -> Option<(u16, u32)> {
        if !file.attached.contains_key(&whom) {
            self.free.extend(self.closed.try_iter());
            let Some(index) = self.free.pop().or_else(|| self.new_index()) else {
                self.status.set(
                    "ssl_write",
                    &file.place,
                    State::Failed,
                    "too many attachments",
                );
                return None;
            };
            let attached = Attached {
                index,
                calls: None,
                results: None,
                since: 0,
            };
            file.attached.insert(whom, attached);
        }
        let attached = file.attached.get_mut(&whom)?;
        let index = attached.index;
        let pid = match whom {
            Whom::Everyone => None,
            Whom::One(pid) => Some(pid),
        };
        let path = file.library.attach_path();
        let target = Target {
            path: &path,
            pid,
            thread: pid.and_then(process::thread_without_main),
            index,
        };
        let mut failed = Vec::new();
        if !probing.results && attached.results.is_some() {
            // From now on calls are handed over where they begin.
            self.set_target(index, bits::ENABLED);
            self.close([attached.results.take(), None], None);
        }
        if probing.results && attached.results.is_none() {
            let linked = self
                .interface
                .link(ebpf, &file.sites, Part::Results, target);
            // An end that is not probed would be waited for in vain.
            if linked.failed.is_empty() {
                attached.results = Some(linked.link);
            }
            failed.extend(linked.failed);
        }
        if !probing.calls {
            self.close([attached.calls.take(), None], None);
        } else if attached.calls.is_none() {
            let linked = self.interface.link(ebpf, &file.sites, Part::Calls, target);
            failed.extend(linked.failed);
            attached.calls = Some(linked.link).filter(|link| !link.is_empty());
        }
        let exits = if attached.results.is_some() {
            bits::EXITS_PROBED
        } else {
            0
        };
        if attached.since == 0 {
            attached.since = monotonic();
        }
        if let (Some(pid), true) = (pid, attached.results.is_some() && !probing.calls) {
            self.maps.usage.set_flag(pid, usage::EXITS_PROBED, true);
        }
        for (hook, why) in failed {
            // A process that has gone meanwhile is no failure.
            let has_gone = pid.is_some_and(|pid| process::read(pid).is_none());
            if !has_gone {
                tracing::warn!(hook, place = file.place, why, "hook failed");
                self.status.set(hook, &file.place, State::Failed, why);
            }
        }
        Some((index, bits::ENABLED | exits))
    }

    fn new_index(&mut self) -> Option<u16> {
        let index = self.next_index;
        if u32::from(index) >= MAX_TARGETS {
            return None;
        }
        self.next_index += 1;
        Some(index)
    }

    fn set_target(&mut self, index: u16, flags: u32) {
        // All attachments without cookies are the first one, which stays as it is.
        if self.interface.has_cookies() {
            // Writing within an array cannot fail.
            drop(self.maps.targets.set(u32::from(index), flags, 0));
        }
    }

    fn detach(&mut self, attached: Attached) {
        let Attached {
            index,
            calls,
            results,
            since: _,
        } = attached;
        self.set_target(index, 0);
        self.close([calls, results], Some(index));
    }

    fn close(&self, links: [Option<Link>; 2], index: Option<u16>) {
        if index.is_some() || links.iter().any(Option::is_some) {
            // Threads that have ended leave it to this one.
            let due = Instant::now() + IN_FLIGHT;
            drop(self.closing.send(Closing { links, index, due }));
        }
    }
}

/// Takes links away until there will be no more.
fn close(links: &Mutex<Receiver<Closing>>, closed: &Sender<u16>) {
    loop {
        let next = links.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Closing { links, index, due }) = next else {
            return;
        };
        thread::sleep(due.saturating_duration_since(Instant::now()));
        drop(links);
        if let Some(index) = index {
            // Nobody is left to use it.
            closed.send(index).ok();
        }
    }
}
