//! The configuration file.
//!
//! Input: TOML. Output: a [`Config`] in which every value is valid, or a
//! [`ConfigError`] that says where and why. One struct per section, the
//! defaults beside the fields; `packaging/phiwatch.toml` shows them and a test
//! holds the two together.

mod canary;
mod error;
mod recipients;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, Read as _},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, de::Error as _};
use sha2::{Digest as _, Sha256};

pub use self::{
    error::{ConfigError, Problem},
    recipients::{PolicySection, Recipients, RecipientsError, ServiceSection, TrackersSection},
};
use crate::{
    canary::Canary,
    finding::Severity,
    store::{
        AgeRecipients, DEFAULT_MAX_BYTES, DEFAULT_MIN_FREE_BYTES, DEFAULT_SEGMENT_AGE,
        DEFAULT_SEGMENT_BYTES, SyncPolicy,
    },
};

/// The file that is read by default, if it exists.
pub const DEFAULT_PATH: &str = "/etc/phiwatch/phiwatch.toml";

/// The longest configuration file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Smallest ring buffer, in bytes.
const MIN_RING_BYTES: u32 = 64 * 1024;
/// Largest ring buffer, in bytes.
const MAX_RING_BYTES: u32 = 1024 * 1024 * 1024;
/// Smallest size at which the journal may be rotated, in bytes.
const MIN_JOURNAL_BYTES: u64 = 64 * 1024;
/// Smallest room for captures, in bytes.
const MIN_CAPTURE_BYTES: u64 = 1024 * 1024;
/// Smallest size at which a file of a capture may end, in bytes.
const MIN_SEGMENT_BYTES: u64 = 64 * 1024;
/// The most rotated journals that are kept.
const MAX_JOURNALS: u32 = 1_000;

/// Everything that can be configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What is watched.
    pub scope: ScopeSection,
    /// The HTTP server.
    pub listen: ListenSection,
    /// The journal of findings.
    pub journal: JournalSection,
    /// Captures.
    pub capture: CaptureSection,
    /// The buffers between the kernel and phiwatch.
    pub ring: RingSection,
    /// What phiwatch may cost.
    pub overhead: OverheadSection,
    /// What phiwatch keeps between runs.
    pub state: StateSection,
    /// Trackers besides those of the catalog.
    pub trackers: TrackersSection,
    /// What is declared about recipients.
    pub policy: PolicySection,
    /// The operator's services.
    #[serde(deserialize_with = "recipients::services")]
    pub service: Vec<ServiceSection>,
    /// Synthetic patients whose values are sought.
    #[serde(deserialize_with = "canary::canaries")]
    pub canary: Vec<Canary>,
}

/// What is watched. With nothing set, every process of the host is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScopeSection {
    /// A cgroup v2 folder: its processes and those of the cgroups below it.
    #[serde(deserialize_with = "absolute_option")]
    pub cgroup: Option<PathBuf>,
    /// Process ids. Together with executables, a process that is either is
    /// watched.
    #[serde(deserialize_with = "pids")]
    pub pid: Vec<u32>,
    /// Executables, as absolute paths.
    #[serde(deserialize_with = "absolute_list")]
    pub exe: Vec<PathBuf>,
}

/// The HTTP server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListenSection {
    /// Where it listens; port 0 lets the kernel choose.
    #[serde(deserialize_with = "address")]
    pub address: SocketAddr,
}

impl Default for ListenSection {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 9765)),
        }
    }
}

/// Where findings go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalTarget {
    /// Standard output, `-` in the file and on the command line.
    Stdout,
    /// A file, by its absolute path.
    File(PathBuf),
}

impl JournalTarget {
    /// The target of a command-line argument. Unlike in the file, a relative
    /// path is relative to the working directory.
    pub fn from_argument(argument: &Path) -> Self {
        if argument == Path::new("-") {
            return Self::Stdout;
        }
        Self::File(std::path::absolute(argument).unwrap_or_else(|_| argument.to_owned()))
    }
}

/// The journal of findings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalSection {
    /// Where findings go.
    #[serde(deserialize_with = "journal_target")]
    pub file: JournalTarget,
    /// The file is rotated before it grows beyond this, in bytes.
    #[serde(deserialize_with = "journal_bytes")]
    pub max_bytes: u64,
    /// Rotated files that are kept.
    #[serde(deserialize_with = "journals")]
    pub keep: u32,
    /// Findings a second with a line of their own in the journal, for one
    /// recipient; further ones of the same kind share a line. Metrics count
    /// every one.
    #[serde(deserialize_with = "rate")]
    pub findings_per_second: u64,
}

impl Default for JournalSection {
    fn default() -> Self {
        Self {
            file: JournalTarget::Stdout,
            max_bytes: 64 * 1024 * 1024,
            keep: 8,
            findings_per_second: 1_000,
        }
    }
}

/// Captures.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaptureSection {
    /// The folder for captures; without one, nothing is captured.
    #[serde(deserialize_with = "absolute_option")]
    pub directory: Option<PathBuf>,
    /// Disk that all captures in the folder may take together, in bytes. The
    /// oldest are deleted first.
    #[serde(deserialize_with = "capture_bytes")]
    pub max_bytes: u64,
    /// Keep only the messages around findings of at least this severity.
    #[serde(deserialize_with = "on_finding")]
    pub on_finding: Option<Severity>,
    /// How long before a finding they may be, in seconds.
    pub before_seconds: u32,
    /// How long after a finding they may be, in seconds.
    pub after_seconds: u32,
    /// Memory for messages that may precede a finding, in bytes.
    pub ring_bytes: u64,
    /// Captures are deleted when they are this old, in days; `None` never.
    #[serde(deserialize_with = "days")]
    pub max_age_days: Option<u32>,
    /// Disk that stays free, in bytes, but not more than a tenth of it.
    pub min_free_bytes: u64,
    /// A file of this many bytes is followed by a new one.
    #[serde(deserialize_with = "segment_bytes")]
    pub segment_bytes: u64,
    /// So is one that is this old, in seconds.
    #[serde(deserialize_with = "rate")]
    pub segment_seconds: u64,
    /// When written data is made durable.
    #[serde(deserialize_with = "sync_policy")]
    pub sync: SyncPolicy,
    /// The age recipients who can read raw captures.
    #[serde(deserialize_with = "age_recipients")]
    pub recipients: Vec<String>,
    /// A minisign secret key without a password, which signs the manifest.
    #[serde(deserialize_with = "absolute_option")]
    pub sign_key: Option<PathBuf>,
}

impl Default for CaptureSection {
    fn default() -> Self {
        Self {
            directory: None,
            on_finding: None,
            before_seconds: 30,
            after_seconds: 30,
            ring_bytes: 16 * 1024 * 1024,
            max_bytes: DEFAULT_MAX_BYTES,
            max_age_days: None,
            min_free_bytes: DEFAULT_MIN_FREE_BYTES,
            segment_bytes: DEFAULT_SEGMENT_BYTES,
            segment_seconds: DEFAULT_SEGMENT_AGE.as_secs(),
            sync: SyncPolicy::default(),
            recipients: Vec::new(),
            sign_key: None,
        }
    }
}

/// The buffers between the kernel and phiwatch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RingSection {
    /// The buffer for plaintext, in bytes: a power of two.
    #[serde(deserialize_with = "ring_bytes")]
    pub data_bytes: u32,
    /// The buffer for everything else, in bytes: a power of two.
    #[serde(deserialize_with = "ring_bytes")]
    pub control_bytes: u32,
}

impl Default for RingSection {
    fn default() -> Self {
        Self {
            data_bytes: 8 * 1024 * 1024,
            control_bytes: 1024 * 1024,
        }
    }
}

/// How much phiwatch may cost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OverheadSection {
    /// The share of the host's processors that probes and phiwatch itself may
    /// take. Beyond it, processes whose probes bring no traffic to trackers are
    /// probed less.
    #[serde(deserialize_with = "share")]
    pub budget: Share,
}

impl Default for OverheadSection {
    fn default() -> Self {
        Self {
            budget: Share(10_000),
        }
    }
}

/// A share of something, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// The share as a number from 0 to 1.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

/// What phiwatch keeps between runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateSection {
    /// The folder that holds the key of the tokens.
    #[serde(deserialize_with = "absolute")]
    pub directory: PathBuf,
}

impl Default for StateSection {
    fn default() -> Self {
        Self {
            directory: PathBuf::from("/var/lib/phiwatch"),
        }
    }
}

impl Config {
    /// Reads the file at `path`; without one, the file at [`DEFAULT_PATH`] if
    /// it exists, or else the defaults.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let chosen = path.unwrap_or(Path::new(DEFAULT_PATH));
        match read(chosen) {
            Ok(text) => Self::parse(&text, chosen),
            Err(error) if path.is_none() && error.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(source) => Err(ConfigError::Read {
                path: chosen.to_owned(),
                source,
            }),
        }
    }

    /// SHA-256 of the file that [`Config::load`] reads, in hexadecimal digits;
    /// `None` if there is none.
    pub fn digest(path: Option<&Path>) -> Option<String> {
        let text = read(path.unwrap_or(Path::new(DEFAULT_PATH))).ok()?;
        Some(base16ct::lower::encode_string(&Sha256::digest(
            text.as_bytes(),
        )))
    }

    /// Parses `text`; errors name `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text)
            .map_err(|error| ConfigError::Invalid(Box::new(Problem::new(text, path, &error))))
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    // One byte more than allowed reveals a file that is too long.
    let length = File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)?;
    if length as u64 > MAX_FILE_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "the file is longer than 1 MiB",
        ));
    }
    Ok(text)
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(|_not_shown| {
            D::Error::custom("must be an IP address and a port, like 127.0.0.1:9765 or [::1]:9765")
        })
}

fn absolute<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(D::Error::custom("must be an absolute path"))
    }
}

fn absolute_option<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PathBuf>, D::Error> {
    absolute(deserializer).map(Some)
}

/// An empty list would watch every process of the host.
fn not_empty<T, E: serde::de::Error>(list: Vec<T>) -> Result<Vec<T>, E> {
    if list.is_empty() {
        return Err(E::custom(
            "must name at least one; leave the key out to watch them all",
        ));
    }
    Ok(list)
}

fn absolute_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    let paths = not_empty(Vec::<PathBuf>::deserialize(deserializer)?)?;
    if paths.iter().all(|path| path.is_absolute()) {
        Ok(paths)
    } else {
        Err(D::Error::custom("must be absolute paths"))
    }
}

fn pids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    let pids = not_empty(Vec::<u32>::deserialize(deserializer)?)?;
    if pids.contains(&0) {
        return Err(D::Error::custom("must be process ids, which begin at 1"));
    }
    Ok(pids)
}

fn journal_target<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JournalTarget, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    if path == Path::new("-") {
        Ok(JournalTarget::Stdout)
    } else if path.is_absolute() {
        Ok(JournalTarget::File(path))
    } else {
        Err(D::Error::custom(
            "must be an absolute path, or \"-\" for standard output",
        ))
    }
}

fn ring_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let bytes = u32::deserialize(deserializer)?;
    if bytes.is_power_of_two() && (MIN_RING_BYTES..=MAX_RING_BYTES).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(D::Error::custom(format!(
            "must be a power of two from {MIN_RING_BYTES} to {MAX_RING_BYTES}"
        )))
    }
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Share, D::Error> {
    let share = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&share) {
        // Neither negative nor above a million, so nothing is cut.
        Ok(Share(((share * 1e6).round() as i32).unsigned_abs()))
    } else {
        Err(D::Error::custom("must be a share from 0.0 to 1.0"))
    }
}

fn journal_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    at_least(MIN_JOURNAL_BYTES, u64::deserialize(deserializer)?)
}

fn capture_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    at_least(MIN_CAPTURE_BYTES, u64::deserialize(deserializer)?)
}

fn segment_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    at_least(MIN_SEGMENT_BYTES, u64::deserialize(deserializer)?)
}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let days = u32::deserialize(deserializer)?;
    at_least(1, u64::from(days)).map(|_| Some(days))
}

fn sync_policy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SyncPolicy, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "second" => Ok(SyncPolicy::Second),
        "segment" => Ok(SyncPolicy::Segment),
        "write" => Ok(SyncPolicy::Write),
        _ => Err(D::Error::custom(
            "must be \"second\", \"segment\" or \"write\"",
        )),
    }
}

fn age_recipients<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let recipients = Vec::<String>::deserialize(deserializer)?;
    AgeRecipients::parse(&recipients).map_err(D::Error::custom)?;
    Ok(recipients)
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    at_least(1, u64::deserialize(deserializer)?)
}

fn at_least<E: serde::de::Error>(least: u64, value: u64) -> Result<u64, E> {
    if value >= least {
        Ok(value)
    } else {
        Err(E::custom(format!("must be at least {least}")))
    }
}

fn journals<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let keep = u32::deserialize(deserializer)?;
    if (1..=MAX_JOURNALS).contains(&keep) {
        Ok(keep)
    } else {
        Err(D::Error::custom(format!(
            "must be from 1 to {MAX_JOURNALS}"
        )))
    }
}

/// The values of `capture.on_finding`: whether messages are kept, or the least
/// severity of the finding that they are kept for.
#[derive(Deserialize)]
#[serde(untagged)]
enum OnFinding {
    Switch(bool),
    Least(String),
}

fn on_finding<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Severity>, D::Error> {
    let wrong = || {
        let names: Vec<_> = Severity::ALL.iter().map(|own| own.as_str()).collect();
        D::Error::custom(format!(
            "must be true, false or the least severity of a finding: {}",
            names.join(", ")
        ))
    };
    match OnFinding::deserialize(deserializer).map_err(|_not_shown| wrong())? {
        OnFinding::Switch(false) => Ok(None),
        OnFinding::Switch(true) => Ok(Some(Severity::Info)),
        OnFinding::Least(name) => Severity::from_name(&name).map(Some).ok_or_else(wrong),
    }
}
