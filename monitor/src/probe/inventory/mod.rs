//! Which processes use TLS, with which engine, and whether phiwatch reads it.
//!
//! In: a [`Scope`]. Out: an [`Inventory`]. It looks at what each process maps as the
//! daemon does, and at the bytes of those files for engines that have no hooks; it
//! attaches nothing. Each file is looked at once, and how much is read has a bound.

mod judge;
mod trace;

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, Metadata},
    io::{self, Read as _},
    os::unix::{ffi::OsStrExt, fs::MetadataExt as _},
    path::{Path, PathBuf},
    rc::Rc,
};

pub use self::judge::{Hindrance, Sending, TlsEngine};
use self::{
    judge::{Facts, judge},
    trace::Traces,
};
use super::{
    elf::{Elf, ElfError},
    library::{self, Library, LibraryError},
    load::gives_cookies,
    maps::{Mapped, Maps, without_deleted},
    obstacle,
    process::{self, Scope, Seen},
    sites::{Decision, Effort, Sites},
};
use crate::event::Process;

/// How much of a file is searched, bytes. Programs with an engine for JavaScript have
/// about 130 MiB.
const MAX_SEARCHED: u64 = 256 << 20;
/// How much of all files, bytes.
const MAX_SEARCHED_IN_ALL: u64 = 8 << 30;
/// How many files are remembered.
const MAX_FILES: usize = 16_384;
/// How many processes are looked at because a named one has forked them.
const MAX_DESCENDANTS: usize = 4_096;
/// How often a process is looked at that calls exec meanwhile.
const MAX_LOOKS: usize = 3;
/// How many folders above a Java virtual machine may be its home.
const MAX_ABOVE: usize = 5;
/// How much of the file with its version is read, bytes.
const MAX_RELEASE: u64 = 64 << 10;
/// How many files of a process that could not be looked at are named.
const MAX_NAMED: usize = 4;

/// What was found out about the processes of a scope.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Those with TLS, by their id.
    pub processes: Vec<TlsProcess>,
    /// How many have none that leaves a trace.
    pub others: usize,
    /// Those that were not looked at, or not whole.
    pub unseen: Vec<Unseen>,
}

/// A process with TLS.
#[derive(Clone, Debug)]
pub struct TlsProcess {
    /// Who it is.
    pub process: Process,
    /// Its engines.
    pub engines: Vec<TlsUse>,
}

/// An engine in a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsUse {
    /// Which.
    pub engine: TlsEngine,
    /// Its version, if it says so.
    pub version: Option<String>,
    /// The file that it is in.
    pub file: String,
    /// Whether what it sends is read.
    pub sending: Sending,
}

/// A process of which not all was seen.
#[derive(Clone, Debug)]
pub struct Unseen {
    /// Its id.
    pub pid: u32,
    /// Why.
    pub why: String,
    /// Whether a permission was missing.
    pub is_permission: bool,
}

/// Looks at every process of the scope.
///
/// # Errors
/// If the processes cannot be listed.
pub fn inventory(scope: &Scope) -> io::Result<Inventory> {
    // An empty list would look like a host without TLS.
    fs::read_dir("/proc")?;
    let mut inspector = Inspector {
        has_cookies: gives_cookies(),
        own: fs::metadata("/proc/self/exe")
            .ok()
            .map(|own| identity(&own)),
        files: HashMap::new(),
        searched: 0,
    };
    let mut inventory = Inventory::default();
    for pid in members(scope) {
        match inspector.look_at(pid) {
            Look::Passed => {}
            Look::Unseen(unseen) => inventory.unseen.push(unseen),
            Look::Seen { found, unseen } => {
                if found.engines.is_empty() && unseen.is_none() {
                    inventory.others += 1;
                }
                inventory.unseen.extend(unseen);
                if !found.engines.is_empty() {
                    inventory.processes.push(found);
                }
            }
        }
    }
    Ok(inventory)
}

/// The processes of a scope, with those that were forked from one of its executables
/// and may have changed their arguments since.
fn members(scope: &Scope) -> BTreeSet<u32> {
    let all: Vec<Seen> = process::all()
        .into_iter()
        .filter_map(process::read)
        .filter(|seen| scope.reaches(&seen.process))
        .collect();
    let id = |seen: &Seen| seen.process.pid;
    if !scope.is_listed() {
        return all.iter().map(id).collect();
    }
    let listed: Vec<&Seen> = all.iter().filter(|seen| scope.lists(seen)).collect();
    let mut members: BTreeSet<u32> = listed.iter().map(|seen| id(seen)).collect();
    let mut parents: Vec<&Seen> = listed
        .into_iter()
        .filter(|seen| !scope.pids.contains(&id(seen)))
        .collect();
    let mut left = MAX_DESCENDANTS;
    while let Some(parent) = parents.pop() {
        for child in process::children(id(parent)) {
            let child = all.iter().find(|seen| id(seen) == child);
            // Another executable or script is what it called exec for.
            let is_fork = |child: &&Seen| child.exe == parent.exe && child.script.is_none();
            if let Some(child) = child.filter(is_fork)
                && left > 0
                && members.insert(id(child))
            {
                left -= 1;
                parents.push(child);
            }
        }
    }
    members
}

/// Which file it is.
fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// A file, as it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct FileKey {
    file: (u64, u64),
    size: u64,
    changed: (i64, i64),
}

impl FileKey {
    fn of(metadata: &Metadata) -> Self {
        Self {
            file: identity(metadata),
            size: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// What is known of a file.
struct Examined {
    decisions: Vec<Decision>,
    is_go: bool,
    go_version: Option<String>,
    traces: Traces,
    /// Whether the file is longer than what was searched of it.
    is_partial: bool,
}

/// A file of a process, and what is known of it.
struct Part {
    path: PathBuf,
    examined: Rc<Examined>,
}

/// Why nothing is known of a file.
#[derive(Debug, thiserror::Error)]
enum Ignorance {
    /// It cannot be opened, or is no ELF file as it should be.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It is larger than what is searched of it, and nothing was found so far.
    #[error("{}: only its first {} MiB are searched", .0.display(), MAX_SEARCHED >> 20)]
    TooLarge(PathBuf),
    /// Enough was searched.
    #[error("{}: not searched, after {} GiB of other files", .0.display(), MAX_SEARCHED_IN_ALL >> 30)]
    Enough(PathBuf),
}

impl Ignorance {
    fn is_permission(&self) -> bool {
        match self {
            Self::Library(LibraryError::Open { source, .. }) | Self::Read { source, .. } => {
                source.kind() == io::ErrorKind::PermissionDenied
            }
            _ => false,
        }
    }
}

/// What came of looking at a process.
enum Look {
    /// It has ended, is one of the kernel's, or is phiwatch.
    Passed,
    /// Nothing could be seen.
    Unseen(Unseen),
    /// It was seen, perhaps but for some files.
    Seen {
        found: TlsProcess,
        unseen: Option<Unseen>,
    },
}

struct Inspector {
    has_cookies: bool,
    /// The file of phiwatch, which mentions all engines.
    own: Option<(u64, u64)>,
    files: HashMap<FileKey, Rc<Examined>>,
    /// How many bytes were searched so far.
    searched: u64,
}

impl Inspector {
    /// Looks at a process, again if it has become another program meanwhile.
    fn look_at(&mut self, pid: u32) -> Look {
        for _ in 0..MAX_LOOKS {
            let Some(before) = process::read(pid) else {
                return Look::Passed;
            };
            let look = self.look_once(pid, &before);
            // Whatever failed, it is no news of a process that has ended.
            let Some(after) = process::read(pid).filter(|now| now.started == before.started) else {
                return Look::Passed;
            };
            if after.exe == before.exe {
                return look;
            }
            if after.exe.is_none() {
                return Look::Passed;
            }
        }
        Look::Unseen(Unseen {
            pid,
            why: "it becomes another program again and again".to_owned(),
            is_permission: false,
        })
    }

    fn look_once(&mut self, pid: u32, seen: &Seen) -> Look {
        let unseen = |why: String, is_permission| Unseen {
            pid,
            why,
            is_permission,
        };
        let Some(folder) = process::folder(pid) else {
            return Look::Passed;
        };
        let exe = folder.join("exe");
        let found = fs::read_link(&exe).and_then(|path| Ok((path, fs::metadata(&exe)?)));
        let (exe_path, metadata) = match found {
            Ok(found) => found,
            // A thread of the kernel, or a process that has ended.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Look::Passed,
            Err(error) => {
                let is_permission = error.kind() == io::ErrorKind::PermissionDenied;
                let why = format!("its executable cannot be looked at: {error}");
                return Look::Unseen(unseen(why, is_permission));
            }
        };
        if self.own == Some(identity(&metadata)) {
            return Look::Passed;
        }
        let maps = Maps::read(pid);
        let Some(engine) = maps.engine(false) else {
            let why = "its memory map cannot be read".to_owned();
            return Look::Unseen(unseen(why, true));
        };
        let mut parts = Vec::new();
        let mut engines = Vec::new();
        let mut failures: Vec<Ignorance> = Vec::new();
        let program = self.examine(&exe_path, false, &exe, || Library::open(&exe, &exe_path));
        let mapped_files = maps.files();
        let mapped = mapped_files.iter().filter(|mapped| {
            // The program itself may be mapped from elsewhere, or not any more.
            mapped.name.path != exe_path
        });
        let mut take = |result: Result<Option<Rc<Examined>>, Ignorance>, path: &Path| match result {
            // A file may be mapped under two names.
            Ok(Some(examined)) => {
                if !parts
                    .iter()
                    .any(|own: &Part| Rc::ptr_eq(&own.examined, &examined))
                {
                    parts.push(Part {
                        path: shown(path),
                        examined,
                    });
                }
            }
            Ok(None) => {}
            Err(error) => {
                let named = library::object(shown(path)).and_then(TlsEngine::of);
                match named {
                    Some(engine) => engines.push(TlsUse {
                        engine,
                        version: None,
                        file: shown(path).to_string_lossy().into_owned(),
                        sending: Sending::Unknown(error.to_string()),
                    }),
                    None => failures.push(error),
                }
            }
        };
        take(program, &exe_path);
        for mapped in mapped {
            take(self.examine_mapped(pid, mapped), &mapped.name.path);
        }
        if engine == obstacle::Engine::Java {
            engines.push(java(pid, &mapped_files));
        }
        engines.extend(engines_of(&parts));
        let unseen = failures.first().map(|first| {
            let mut why: Vec<String> = failures
                .iter()
                .take(MAX_NAMED)
                .map(ToString::to_string)
                .collect();
            if let Some(more) = failures
                .len()
                .checked_sub(MAX_NAMED)
                .filter(|more| *more > 0)
            {
                why.push(format!("and {more} more"));
            }
            let is_permission = first.is_permission();
            unseen(why.join("; "), is_permission)
        });
        Look::Seen {
            found: TlsProcess {
                process: seen.process.clone(),
                engines,
            },
            unseen,
        }
    }

    fn examine_mapped(
        &mut self,
        pid: u32,
        mapped: &Mapped,
    ) -> Result<Option<Rc<Examined>>, Ignorance> {
        let by_mapping = PathBuf::from(format!("/proc/{pid}/map_files/{}", mapped.range));
        self.examine(&mapped.name.path, mapped.is_named, &by_mapping, || {
            library::open_mapped(pid, mapped)
        })
    }

    /// What is known of a file, which is opened only if it was not looked at before;
    /// `None` of one that holds no code. `itself` leads to it, perhaps.
    fn examine(
        &mut self,
        path: &Path,
        is_named: bool,
        itself: &Path,
        open: impl FnOnce() -> Result<Library, LibraryError>,
    ) -> Result<Option<Rc<Examined>>, Ignorance> {
        if let Ok(metadata) = fs::metadata(itself)
            && let Some(known) = self.files.get(&FileKey::of(&metadata))
        {
            return known.told(path);
        }
        let library = match open() {
            Ok(library) => library,
            // A device.
            Err(LibraryError::Special { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let failed = |source| Ignorance::Read {
            path: path.to_owned(),
            source,
        };
        let metadata = library.file().metadata().map_err(failed)?;
        let key = FileKey::of(&metadata);
        if let Some(known) = self.files.get(&key) {
            return known.told(path);
        }
        let weight = Effort::Thorough.weight(&library);
        let cost = weight.saturating_add(key.size.min(MAX_SEARCHED));
        if self.searched.saturating_add(cost) > MAX_SEARCHED_IN_ALL {
            return Err(Ignorance::Enough(path.to_owned()));
        }
        self.searched += cost;
        let decisions = match Sites::decide(&library, self.has_cookies, Effort::Thorough) {
            Ok(sites) => sites.decisions,
            // It may be code all the same, and its bytes tell whether it has TLS.
            Err(LibraryError::Elf {
                source: ElfError::NotElf | ElfError::Foreign,
                ..
            }) if !is_named => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let elf = library.elf().ok();
        let traces = Traces::search(library.file().take(MAX_SEARCHED)).map_err(failed)?;
        let examined = Rc::new(Examined {
            decisions,
            is_go: elf.as_ref().is_some_and(Elf::is_go),
            go_version: elf.as_ref().and_then(Elf::go_version),
            traces,
            is_partial: key.size > MAX_SEARCHED,
        });
        if self.files.len() >= MAX_FILES {
            self.files.clear();
        }
        self.files.insert(key, Rc::clone(&examined));
        examined.told(path)
    }
}

impl Examined {
    /// Itself, unless what is known is too little to tell.
    fn told(self: &Rc<Self>, path: &Path) -> Result<Option<Rc<Self>>, Ignorance> {
        if self.is_partial && self.verdicts(path, None).is_empty() {
            return Err(Ignorance::TooLarge(path.to_owned()));
        }
        Ok(Some(Rc::clone(self)))
    }

    fn verdicts(&self, path: &Path, crypto: Option<&Traces>) -> Vec<judge::Verdict> {
        let facts = Facts {
            name: name(path),
            decisions: &self.decisions,
            is_go: self.is_go,
            go_version: self.go_version.as_deref(),
            traces: &self.traces,
        };
        judge(facts, crypto)
    }
}

/// A path without what the kernel says of a deleted file.
fn shown(path: &Path) -> PathBuf {
    let bytes = without_deleted(path.as_os_str().as_bytes());
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

fn name(path: &Path) -> &[u8] {
    path.file_name().map(OsStrExt::as_bytes).unwrap_or_default()
}

/// The engines in the files of a process.
fn engines_of(parts: &[Part]) -> Vec<TlsUse> {
    let mut engines = Vec::new();
    for part in parts {
        let verdicts = part.examined.verdicts(&part.path, crypto_of(part, parts));
        engines.extend(verdicts.into_iter().map(|verdict| TlsUse {
            engine: verdict.engine,
            version: verdict.version,
            file: part.path.to_string_lossy().into_owned(),
            sending: verdict.sending,
        }));
    }
    engines
}

/// What the libcrypto shows that a libssl of the same process calls: of the same
/// release and, if there is one, in the same folder. `None` if it could be several.
fn crypto_of<'a>(part: &Part, parts: &'a [Part]) -> Option<&'a Traces> {
    let own = name(&part.path);
    if !own.starts_with(b"libssl") {
        return None;
    }
    let release = judge::soname(own);
    let all = parts.iter().filter(|other| {
        let name = name(&other.path);
        name.starts_with(b"libcrypto") && judge::soname(name) == release
    });
    let all: Vec<&Part> = all.collect();
    let beside: Vec<&Part> = all
        .iter()
        .copied()
        .filter(|other| other.path.parent() == part.path.parent())
        .collect();
    let candidates = if beside.is_empty() { all } else { beside };
    let (first, rest) = candidates.split_first()?;
    let traces = &first.examined.traces;
    let is_same = |other: &&Part| other.examined.traces.versions == traces.versions;
    rest.iter().all(is_same).then_some(traces)
}

/// The engine of a process that maps a Java virtual machine.
fn java(pid: u32, mapped: &[Mapped]) -> TlsUse {
    let machine = mapped
        .iter()
        .map(|mapped| shown(&mapped.name.path))
        .find(|path| name(path) == b"libjvm.so")
        .unwrap_or_default();
    let mut homes = machine.ancestors().skip(1).take(MAX_ABOVE);
    let version = homes.find_map(|home| {
        let release = library::open_in_root(pid, &home.join("release")).ok()?;
        let mut text = Vec::new();
        let file = release.file().take(MAX_RELEASE).read_to_end(&mut text);
        file.ok()?;
        java_version(&String::from_utf8_lossy(&text))
    });
    TlsUse {
        engine: TlsEngine::Java,
        version,
        file: machine.to_string_lossy().into_owned(),
        sending: Sending::Blind(Hindrance::Java),
    }
}

/// The version in a Java home's file `release`.
fn java_version(text: &str) -> Option<String> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
    let version = value.trim().trim_matches('"');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    let is_version = version.starts_with(|first: char| first.is_ascii_digit())
        && version.len() <= 32
        && version.bytes().all(is_plain);
    is_version.then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(path: &str, text: &str) -> Part {
        Part {
            path: PathBuf::from(path),
            examined: Rc::new(Examined {
                decisions: Vec::new(),
                is_go: false,
                go_version: None,
                traces: Traces::search(format!("\0{text}\0").as_bytes()).unwrap(),
                is_partial: false,
            }),
        }
    }

    #[test]
    fn a_library_has_the_version_of_the_one_that_it_calls() {
        const NEW: &str = "OpenSSL 3.5.7 9 Jun 2026";
        const OLD: &str = "OpenSSL 3.0.19 27 Jan 2026";
        for (others, expected) in [
            (&[("/lib/libcrypto.so.3", OLD)][..], Some("3.0.19")),
            (
                &[("/opt/libcrypto.so.3", NEW), ("/lib/libcrypto.so.3", OLD)],
                Some("3.0.19"),
            ),
            (&[("/opt/libcrypto.so.3", NEW)], Some("3.5.7")),
            (
                &[("/opt/libcrypto.so.3", NEW), ("/srv/libcrypto.so.3", OLD)],
                None,
            ),
            // Deleted by an update, and what came in its place.
            (
                &[("/lib/libcrypto.so.3", NEW), ("/lib/libcrypto.so.3", OLD)],
                None,
            ),
            (&[("/lib/libcrypto.so.1.1", OLD)], None),
            (&[], None),
        ] {
            let mut parts = vec![part("/lib/libssl.so.3", "ssl/ssl_lib.c")];
            parts.extend(others.iter().map(|(path, text)| part(path, text)));
            let engines = engines_of(&parts);
            let found: Vec<_> = engines.iter().map(|own| own.version.as_deref()).collect();
            assert_eq!(found, [expected], "{others:?}");
        }
    }

    #[test]
    fn java_tells_its_version() {
        for (text, expected) in [
            (
                "IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"17.0.15\"\nJAVA_VERSION_DATE=\"2025-04-15\"\n",
                Some("17.0.15"),
            ),
            ("JAVA_VERSION=\"1.8.0_442\"\n", Some("1.8.0_442")),
            ("JAVA_VERSION=\"\u{1b}[2J\"\n", None),
            ("JAVA_VERSION=\n", None),
            ("NAME=\"other\"\n", None),
        ] {
            assert_eq!(java_version(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn phiwatch_does_not_list_itself() {
        let mut inspector = Inspector {
            has_cookies: true,
            own: fs::metadata("/proc/self/exe")
                .ok()
                .map(|own| identity(&own)),
            files: HashMap::new(),
            searched: 0,
        };
        let look = inspector.look_at(std::process::id());
        assert!(matches!(look, Look::Passed));
        let gone = inspector.look_at(4_194_305);
        assert!(matches!(gone, Look::Passed));
    }
}
