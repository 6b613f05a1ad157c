//! Which files are read, and in which order.
//!
//! In: files and directories as given. Out: chains of files: the segments of
//! one of our captures in sequence, every other file alone; chains in the order
//! of their first packets, whatever the order of the arguments. A file that is
//! given twice, or stored twice, is read once.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    fs::{self, File, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

use sha2::{Digest as _, Sha256};

use super::{track::Track, wrapping::unwrapped};
use crate::{
    capture::{
        CaptureError, OpenOptions,
        file::{self, Input},
    },
    event::Timestamp,
    loss::{Loss, Losses},
};

/// Directories in one another that are looked into.
const MAX_DEPTH: usize = 16;
/// Files that are read at most.
const MAX_FILES: usize = 65_536;

/// One file.
#[derive(Clone, Debug)]
pub(in crate::capture) struct Listed {
    pub(in crate::capture) path: PathBuf,
    /// The name in evidence.
    pub(in crate::capture) name: Arc<str>,
}

/// Files that are read one after the other, the next one last.
#[derive(Debug)]
pub(in crate::capture) struct Chain {
    pub(in crate::capture) files: Vec<Listed>,
    /// Time of the first packet; 0 where it is not known.
    pub(in crate::capture) begins: Timestamp,
}

/// What a look at a file showed.
struct Seen {
    listed: Listed,
    /// Device, inode and length; `None` where the file cannot be read twice.
    identity: Option<(u64, u64, u64)>,
    begins: Timestamp,
    /// The directory and the host of a segment of ours.
    capture: Option<(PathBuf, Arc<str>)>,
}

/// A file that was found or named.
struct Candidate {
    path: PathBuf,
    /// Found in a directory, which may contain other files too.
    is_found: bool,
}

/// The chains of `paths`, the first one last. A file that looks like a capture
/// but is none is counted in `losses`, unless it was given by name.
pub(in crate::capture) fn list(
    paths: &[PathBuf],
    options: &OpenOptions,
    losses: &mut Losses,
) -> Result<Vec<Chain>, CaptureError> {
    let mut candidates = Vec::new();
    for path in paths {
        let before = candidates.len();
        if metadata(path)?.is_dir() {
            walk(path, 0, &mut candidates, losses)?;
        } else {
            candidates.push(Candidate {
                path: path.clone(),
                is_found: false,
            });
        }
        if candidates.len() == before {
            return Err(CaptureError::Unrecognized { path: path.clone() });
        }
    }
    candidates.sort_by(|a, b| (&a.path, a.is_found).cmp(&(&b.path, b.is_found)));
    let mut inodes = HashSet::new();
    let mut seen = Vec::new();
    for candidate in candidates {
        let metadata = metadata(&candidate.path)?;
        let identity = metadata
            .is_file()
            .then(|| (metadata.dev(), metadata.ino(), metadata.len()));
        if identity.is_some_and(|identity| !inodes.insert(identity)) {
            continue;
        }
        seen.extend(look(candidate, &metadata, options, losses)?);
    }
    if seen.is_empty()
        && let Some(path) = paths.first()
    {
        return Err(CaptureError::Unrecognized { path: path.clone() });
    }
    seen.sort_by(|a, b| order(a).cmp(&order(b)));
    let seen = without_copies(seen)?;
    let total = seen.iter().filter_map(|seen| seen.identity);
    let total = total.fold(0_u64, |sum, (_, _, length)| sum.saturating_add(length));
    options.progress.total.store(total, Ordering::Relaxed);
    Ok(chains(seen))
}

fn order(seen: &Seen) -> (Timestamp, &str, &Path) {
    (seen.begins, &seen.listed.name, &seen.listed.path)
}

fn refused(path: &Path) -> impl FnOnce(io::Error) -> CaptureError {
    let path = path.to_owned();
    |source| CaptureError::Read { path, source }
}

fn metadata(path: &Path) -> Result<Metadata, CaptureError> {
    fs::metadata(path).map_err(refused(path))
}

/// Finds files below `directory`. Links are not followed: a target in here is
/// found anyway, and one elsewhere was not given.
fn walk(
    directory: &Path,
    depth: usize,
    found: &mut Vec<Candidate>,
    losses: &mut Losses,
) -> Result<(), CaptureError> {
    for entry in fs::read_dir(directory).map_err(refused(directory))? {
        let entry = entry.map_err(refused(directory))?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(refused(directory))?);
        if kind.is_dir() {
            if depth < MAX_DEPTH {
                walk(&path, depth + 1, found, losses)?;
            } else {
                losses.count(Loss::CaptureUnsupported);
            }
        } else if kind.is_file() {
            if found.len() >= MAX_FILES {
                let source = io::Error::other("too many files");
                return Err(refused(directory)(source));
            }
            found.push(Candidate {
                path,
                is_found: true,
            });
        } else if has_capture_name(&path) {
            losses.count(Loss::CaptureUnsupported);
        }
    }
    Ok(())
}

fn has_capture_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["pcap", "pcapng", "cap", "har", "zst", "age", "gz"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Opens a file, which counts what is read of it.
pub(in crate::capture) fn open_file(
    path: &Path,
    options: &OpenOptions,
    is_counted: bool,
) -> Result<Input<'static>, CaptureError> {
    let file = File::open(path).map_err(refused(path))?;
    let reader: Box<dyn Read + Send> = if is_counted {
        let progress = Arc::clone(&options.progress);
        Box::new(file::Counted::new(file, progress))
    } else {
        Box::new(file)
    };
    Ok(Input::new(reader, path.to_owned()))
}

/// Looks at the first packet of a file. `None` if it is no capture and was only
/// found.
fn look(
    candidate: Candidate,
    metadata: &Metadata,
    options: &OpenOptions,
    losses: &mut Losses,
) -> Result<Option<Seen>, CaptureError> {
    let Candidate { path, is_found } = candidate;
    let name: Arc<str> = path
        .file_name()
        .map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy())
        .into();
    let mut seen = Seen {
        listed: Listed {
            path: path.clone(),
            name,
        },
        identity: None,
        begins: Timestamp(0),
        capture: None,
    };
    // A pipe cannot be read twice: it is examined when it is read.
    if !metadata.is_file() {
        return Ok(Some(seen));
    }
    seen.identity = Some((metadata.dev(), metadata.ino(), metadata.len()));
    // What is lost here is counted when the file is read.
    let mut unread = Losses::default();
    let input = open_file(&path, options, false)?;
    let (input, format) = unwrapped(input, &options.identities, u64::MAX)?;
    let Some(mut track) = Track::open(input, format, &seen.listed.name, &mut unread)? else {
        if !is_found {
            return Err(CaptureError::Unrecognized { path });
        }
        // Another JSON file beside the captures is not meant.
        if has_capture_name(&path) {
            losses.count(Loss::CaptureMalformed);
        }
        return Ok(None);
    };
    if track.advance(&mut unread)? {
        seen.begins = track.time();
    }
    seen.capture = track.our_host().map(|host| {
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        (directory, Arc::clone(host))
    });
    Ok(Some(seen))
}

/// Keeps the first of files with the same content.
fn without_copies(seen: Vec<Seen>) -> Result<Vec<Seen>, CaptureError> {
    let mut kept: Vec<Seen> = Vec::new();
    for candidate in seen {
        let mut is_copy = false;
        // Copies have the same first packet, so they are neighbors.
        for other in kept.iter().rev() {
            if other.begins != candidate.begins {
                break;
            }
            let length = |seen: &Seen| seen.identity.map(|(_, _, length)| length);
            if length(other).is_some()
                && length(other) == length(&candidate)
                && digest(&other.listed.path)? == digest(&candidate.listed.path)?
            {
                is_copy = true;
                break;
            }
        }
        if !is_copy {
            kept.push(candidate);
        }
    }
    Ok(kept)
}

fn digest(path: &Path) -> Result<[u8; 32], CaptureError> {
    let mut file = File::open(path).map_err(refused(path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = file.read(&mut buffer).map_err(refused(path))?;
        match buffer.get(..length) {
            Some(bytes) if !bytes.is_empty() => hash.update(bytes),
            _ => return Ok(hash.finalize().into()),
        }
    }
}

/// Joins the segments of each of our captures, in the order of their names,
/// which is the order in which they were written.
fn chains(seen: Vec<Seen>) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    let mut known = HashMap::new();
    for Seen {
        listed,
        begins,
        capture,
        ..
    } in seen
    {
        let next = chains.len();
        let index = capture.map_or(next, |capture| *known.entry(capture).or_insert(next));
        match chains.get_mut(index) {
            Some(chain) => chain.files.push(listed),
            None => chains.push(Chain {
                files: vec![listed],
                begins,
            }),
        }
    }
    for chain in &mut chains {
        let name = |listed: &Listed| (Arc::clone(&listed.name), listed.path.clone());
        chain
            .files
            .sort_by_cached_key(|listed| Reverse(name(listed)));
    }
    chains.reverse();
    chains
}
