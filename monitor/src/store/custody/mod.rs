//! The custody log: who took something out of a capture, when, and why.
//!
//! In: an action, its reason, and the files it concerned. Out: one line of
//! `custody.jsonl` in the folder of the capture, hash-chained to the lines
//! before, on disk before the function returns. Lines are only added. The log
//! names files and holds no payload.
//!
//! ```no_run
//! # use std::{collections::BTreeMap, path::Path};
//! # use phiwatch::store::{Custody, CustodyFile, Who};
//! # fn main() -> Result<(), phiwatch::store::CustodyError> {
//! let capture = Path::new("/var/tmp/evidence/phiwatch-20261124T024103Z-0000.pcapng.age");
//! let files = vec![CustodyFile::of(capture)?];
//! let details = BTreeMap::from([("finding".to_owned(), "5d41402abc4b2a76".to_owned())]);
//! let folder = Custody::folder(capture);
//! Custody::append(folder, "reveal", &Who::current(), "case 4711", files, details)?;
//! # Ok(())
//! # }
//! ```

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, OFlags};
use serde::{Deserialize, Serialize};

use super::{
    chain::{self, ChainError, NO_HASH},
    digest::sha256_of,
    now,
};

/// Name of the log in the folder of a capture.
pub const CUSTODY_FILE: &str = "custody.jsonl";

/// The longest reason that is taken, in bytes.
pub const MAX_REASON: usize = 1_000;
/// The most files that one entry names; an action on more is several entries.
pub const MAX_FILES: usize = 1_000;
/// The most details that one entry has, and the longest name or value of one.
pub const MAX_DETAILS: usize = 32;
const MAX_DETAIL: usize = 1_000;
/// The longest log that is continued, in bytes.
const MAX_LOG: u64 = 64 << 20;

/// Why nothing was entered into a custody log. The action must then not be
/// carried out.
#[derive(Debug, thiserror::Error)]
pub enum CustodyError {
    /// The operating system refused.
    #[error("{action} {}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The log is not as it was written, so it is not continued.
    #[error(
        "the custody log {} is not as it was written: {problem}; move it away and keep it",
        path.display()
    )]
    Broken {
        /// The log.
        path: PathBuf,
        /// Where.
        problem: String,
    },
    /// No reason was given.
    #[error("a reason is needed: it goes into the custody log")]
    NoReason,
    /// More than the log takes.
    #[error("{0} for one entry of the custody log")]
    TooLong(&'static str),
}

/// Who acts, as far as the operating system knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Number of the user that the process runs as.
    pub uid: u32,
    /// Name of that user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Who called sudo, if it was used: the person behind the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo_user: Option<String>,
    /// Number of the user who logged in, which sudo and su do not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_uid: Option<u32>,
}

impl Who {
    /// The user of this process.
    pub fn current() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let login_uid = fs::read_to_string("/proc/self/loginuid")
            .ok()
            .and_then(|text| text.trim().parse().ok())
            // All bits set says that nobody logged in.
            .filter(|uid| *uid != u32::MAX);
        Self {
            uid,
            user: user_name(&accounts, uid),
            sudo_user: env::var("SUDO_USER")
                .ok()
                .filter(|name| !name.is_empty())
                .map(|name| name.chars().take(MAX_DETAIL / 4).collect()),
            login_uid,
        }
    }
}

/// The name that `accounts`, in the form of `/etc/passwd`, has for `uid`.
fn user_name(accounts: &str, uid: u32) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut columns = line.split(':');
        let name = columns.next()?;
        (columns.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// A file that an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyFile {
    /// Its name in the folder, or its path if it is elsewhere.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
}

impl CustodyFile {
    /// The file at `path` as it is now, by its name.
    pub fn of(path: &Path) -> Result<Self, CustodyError> {
        let refused = |source| CustodyError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(refused)?;
        let (bytes, sha256) = sha256_of(&mut file).map_err(refused)?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            bytes,
            sha256,
        })
    }
}

/// One entry of a custody log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyEntry {
    /// When, in the wall clock of the host.
    pub time: String,
    /// What was done: `export`, `reveal`, …
    pub action: String,
    /// By whom.
    pub who: Who,
    /// On which host.
    pub host: String,
    /// Why.
    pub reason: String,
    /// With which files, as they were.
    #[serde(default)]
    pub files: Vec<CustodyFile>,
    /// What else there is to say.
    #[serde(default)]
    pub details: BTreeMap<String, String>,
    /// Bytes of an incomplete line that an interrupted writer had left at the
    /// end of the log and that this entry replaced.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub torn_bytes: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a custody log says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustodyLog {
    /// Its entries up to the first that is not as it was written.
    pub entries: Vec<CustodyEntry>,
    /// Hash of the last of them.
    pub head: String,
    /// Why the entries end before the file does.
    pub problem: Option<String>,
}

/// The custody log of a folder.
pub struct Custody;

impl Custody {
    /// The folder whose log an action on `path` is entered in: the folder
    /// itself, or that of the file.
    pub fn folder(path: &Path) -> &Path {
        if path.is_dir() {
            return path;
        }
        match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
    }

    /// Enters `action` into the log of `directory` and gives the hash of the
    /// entry. When this returns, the entry is on disk.
    ///
    /// # Errors
    /// [`CustodyError::NoReason`] if `reason` is blank; otherwise the log could
    /// not be written or is not as it was written.
    pub fn append(
        directory: &Path,
        action: &'static str,
        who: &Who,
        reason: &str,
        files: Vec<CustodyFile>,
        details: BTreeMap<String, String>,
    ) -> Result<String, CustodyError> {
        let entry = CustodyEntry {
            time: now().to_string(),
            action: action.to_owned(),
            who: who.clone(),
            host: host(),
            reason: reason.trim().to_owned(),
            files,
            details,
            torn_bytes: 0,
        };
        check_limits(&entry)?;
        let path = directory.join(CUSTODY_FILE);
        let failed = |action| {
            let path = path.clone();
            move |source| CustodyError::Io {
                action,
                path,
                source,
            }
        };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .map_err(failed("open custody log"))?;
        // Two that write at once write one after the other.
        rustix::fs::flock(&file, FlockOperation::LockExclusive)
            .map_err(|error| failed("lock custody log")(error.into()))?;
        add(&mut file, &path, entry).inspect(|_| {
            // The name of a new log should survive a crash as well; the entry
            // is safe.
            drop(File::open(directory).and_then(|folder| folder.sync_all()));
        })
    }

    /// Reads the log of `directory`; `None` if there is none.
    pub fn read(directory: &Path) -> Result<Option<CustodyLog>, CustodyError> {
        let path = directory.join(CUSTODY_FILE);
        match File::open(&path) {
            Ok(mut file) => Ok(Some(read(&mut file, &path)?.0)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CustodyError::Io {
                action: "open custody log",
                path,
                source,
            }),
        }
    }
}

fn check_limits(entry: &CustodyEntry) -> Result<(), CustodyError> {
    if entry.reason.is_empty() {
        return Err(CustodyError::NoReason);
    }
    if entry.reason.len() > MAX_REASON {
        return Err(CustodyError::TooLong("the reason is too long"));
    }
    if entry.files.len() > MAX_FILES {
        return Err(CustodyError::TooLong("too many files"));
    }
    let is_long = |(name, value): (&String, &String)| name.len().max(value.len()) > MAX_DETAIL;
    if entry.details.len() > MAX_DETAILS || entry.details.iter().any(is_long) {
        return Err(CustodyError::TooLong("too many details"));
    }
    Ok(())
}

/// Adds `entry` to the log, which is locked.
fn add(file: &mut File, path: &Path, mut entry: CustodyEntry) -> Result<String, CustodyError> {
    let failed = |source| CustodyError::Io {
        action: "write custody log",
        path: path.to_owned(),
        source,
    };
    let (log, whole, torn) = read(file, path)?;
    match log.problem {
        Some(problem) if torn == 0 => {
            return Err(CustodyError::Broken {
                path: path.to_owned(),
                problem,
            });
        }
        // Only the end is incomplete, as a killed writer leaves it.
        _ => entry.torn_bytes = torn,
    }
    let line = chain::link(&log.head, &entry);
    if line.text.len() > chain::MAX_LINE {
        return Err(CustodyError::TooLong("the names of the files are too long"));
    }
    if torn > 0 {
        file.set_len(whole).map_err(failed)?;
    }
    let written = file
        .write_all(format!("{}\n", line.text).as_bytes())
        .and_then(|()| file.sync_all());
    if let Err(source) = written {
        // Half a line would only be in the way of the next.
        drop(file.set_len(whole));
        return Err(failed(source));
    }
    Ok(line.hash)
}

/// The log, the length of its whole lines, and that of an incomplete last one.
fn read(file: &mut File, path: &Path) -> Result<(CustodyLog, u64, u64), CustodyError> {
    let mut bytes = Vec::new();
    file.take(MAX_LOG + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| CustodyError::Io {
            action: "read custody log",
            path: path.to_owned(),
            source,
        })?;
    let broken = |problem: String| CustodyError::Broken {
        path: path.to_owned(),
        problem,
    };
    if bytes.len() as u64 > MAX_LOG {
        return Err(broken(format!("it is longer than {MAX_LOG} bytes")));
    }
    let text = String::from_utf8_lossy(&bytes);
    let (lines, error) = chain::follow(&text, NO_HASH);
    let mut log = CustodyLog {
        head: NO_HASH.to_owned(),
        problem: error.map(|error| error.to_string()),
        ..CustodyLog::default()
    };
    let mut whole = 0;
    for (line, hash) in lines {
        let Ok(entry) = serde_json::from_str(line) else {
            log.problem = Some(format!("line {} is no entry", log.entries.len() + 1));
            return Ok((log, whole, 0));
        };
        log.entries.push(entry);
        hash.clone_into(&mut log.head);
        whole += line.len() as u64 + 1;
    }
    let torn = match error {
        Some(ChainError::Torn { .. }) => (bytes.len() as u64).saturating_sub(whole),
        _ => 0,
    };
    Ok((log, whole, torn))
}

/// Name of this host.
fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests;
