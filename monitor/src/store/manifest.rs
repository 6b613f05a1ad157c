//! The manifest of a capture folder on disk.
//!
//! In: entries. Out: `manifest.jsonl`, a chain of hashed lines; `SHA256SUMS`
//! for stock tools; `SHA256SUMS.minisig` if there is a key. Each is written to
//! a draft, synced and renamed, the manifest first, so that a kill at any
//! moment leaves a whole manifest; the next commit brings the others up to
//! date.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    chain::{self, NO_HASH},
    digest::sha256,
    disk::{Disk, fresh, is_unsupported},
    entry::{Continued, Entry, SegmentIndex},
    error::StoreError,
    name::{self, FileKind, MANIFEST, SIGNATURE, SUMS},
    signature::SigningKey,
};

/// A manifest that has grown to this many bytes is archived and continued in a
/// new file.
const MAX_CURRENT: usize = if cfg!(test) { 8 << 10 } else { 4 << 20 };
/// The longest manifest file that is read, in bytes.
const MAX_FILE: u64 = 64 << 20;
/// The most earlier parts that are read.
const MAX_ARCHIVES: usize = 10_000;

/// The result of reading a manifest.
#[derive(Default)]
pub(super) struct Reading {
    /// Every entry up to the first problem, in order, and its hash.
    pub(super) entries: Vec<(Entry, String)>,
    /// What they add up to.
    pub(super) index: SegmentIndex,
    /// Hash of the last entry.
    pub(super) head: String,
    /// The earlier parts, in order.
    pub(super) archives: Vec<String>,
    /// The file in which something is wrong, and what. No later entry is
    /// included.
    pub(super) problem: Option<(String, String)>,
    /// The text of the current part.
    current: String,
}

/// Reads the manifest of `directory` with its earlier parts; `None` if there is
/// none.
pub(super) fn read(directory: &Path) -> Result<Option<Reading>, StoreError> {
    let Some(current) = text(directory, MANIFEST)? else {
        return Ok(None);
    };
    let mut reading = Reading {
        head: NO_HASH.to_owned(),
        current: current.clone(),
        ..Reading::default()
    };
    // From the current part back to the first.
    let mut parts = vec![(MANIFEST.to_owned(), current)];
    while let Some(Entry::Continued(Continued { file, sha256: hash })) =
        parts.last().and_then(|(_, text)| first_entry(text))
    {
        let is_archive = FileKind::of(&file) == FileKind::Archive;
        let earlier = if is_archive && parts.len() <= MAX_ARCHIVES {
            text(directory, &file)?
        } else {
            None
        };
        let problem = match &earlier {
            None => Some("it is missing"),
            Some(text) if sha256(text.as_bytes()) != hash => Some("it was changed"),
            Some(_) => None,
        };
        if let Some(problem) = problem {
            reading.problem = Some((file, problem.to_owned()));
            break;
        }
        reading.archives.insert(0, file.clone());
        parts.push((file, earlier.unwrap_or_default()));
    }
    for (file, text) in parts.iter().rev() {
        if reading.problem.is_none()
            && let Err(problem) = reading.take_in(text)
        {
            reading.problem = Some((file.clone(), problem));
        }
    }
    Ok(Some(reading))
}

impl Reading {
    fn take_in(&mut self, text: &str) -> Result<(), String> {
        let (lines, error) = chain::follow(text, &self.head);
        for (number, (line, hash)) in lines.into_iter().enumerate() {
            let problem = |what: &str| format!("line {}: {what}", number + 1);
            let entry: Entry =
                serde_json::from_str(line).map_err(|_not_shown| problem("no entry"))?;
            self.index.apply(&entry).map_err(|what| problem(&what))?;
            self.entries.push((entry, hash.to_owned()));
            hash.clone_into(&mut self.head);
        }
        error.map_or(Ok(()), |error| Err(error.to_string()))
    }
}

fn first_entry(text: &str) -> Option<Entry> {
    serde_json::from_str(text.lines().next()?).ok()
}

/// The content of the file `name`, `None` if there is none. Bytes that are not
/// UTF-8 are replaced by a character that no line with a correct hash contains.
pub(super) fn text(directory: &Path, name: &str) -> Result<Option<String>, StoreError> {
    let path = directory.join(name);
    let mut bytes = Vec::new();
    match File::open(&path).and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Read { path, source }),
    }
}

/// The manifest of a folder that is being written.
pub(super) struct Manifest {
    directory: PathBuf,
    disk: Arc<dyn Disk>,
    key: Option<SigningKey>,
    index: SegmentIndex,
    head: String,
    current: String,
    archives: usize,
    /// Entries that are true and could not be written yet.
    pending: Vec<Entry>,
    /// The sums or the signature lag behind the manifest.
    is_behind: bool,
}

impl Manifest {
    /// Opens the manifest of `directory`, or begins one. A manifest that cannot
    /// be continued is set aside; the problem with it is returned.
    pub(super) fn open(
        directory: &Path,
        disk: Arc<dyn Disk>,
        key: Option<SigningKey>,
    ) -> Result<(Self, Option<String>), StoreError> {
        let reading = read(directory)?;
        let mut manifest = Self {
            directory: directory.to_owned(),
            disk,
            key,
            index: SegmentIndex::default(),
            head: NO_HASH.to_owned(),
            current: String::new(),
            archives: 0,
            pending: Vec::new(),
            is_behind: true,
        };
        match reading {
            None => Ok((manifest, None)),
            Some(Reading {
                problem: Some((file, problem)),
                ..
            }) => {
                let problem = format!("{file}: {problem}");
                manifest.set_aside()?;
                Ok((manifest, Some(problem)))
            }
            Some(reading) => {
                manifest.index = reading.index;
                manifest.head = reading.head;
                manifest.current = reading.current;
                manifest.archives = reading.archives.len();
                Ok((manifest, None))
            }
        }
    }

    /// Renames the files of a broken manifest. They are evidence.
    fn set_aside(&self) -> Result<(), StoreError> {
        let now = self.disk.now();
        for file in [MANIFEST, SUMS, SIGNATURE] {
            let from = self.directory.join(file);
            let mut to = self.directory.join(name::broken_name(file, now));
            // Never overwrites an earlier one of the same second.
            let mut later = now;
            while to.exists() {
                later = later.plus(1_000_000_000);
                to = self.directory.join(name::broken_name(file, later));
            }
            match fs::rename(&from, &to) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::Write { path: from, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What the entries add up to, including the pending ones.
    pub(super) const fn index(&self) -> &SegmentIndex {
        &self.index
    }

    /// Notes an `entry` that has already happened; the next commit writes it.
    pub(super) fn note(&mut self, entry: Entry) {
        // What the store notes follows from what it did.
        if self.index.apply(&entry).is_ok() {
            self.pending.push(entry);
        }
    }

    /// Forgets what is no longer there.
    pub(super) fn prune(&mut self) {
        self.index.prune();
    }

    /// Whether a commit without entries would write something.
    pub(super) const fn is_behind(&self) -> bool {
        self.is_behind || !self.pending.is_empty()
    }

    /// Writes the pending entries and `entries`. After an error nothing of
    /// `entries` has happened, and what is pending remains so.
    pub(super) fn commit(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut index = self.index.clone();
        for entry in entries {
            index.apply(entry).map_err(StoreError::Inconsistent)?;
        }
        if self.current.len() >= MAX_CURRENT {
            self.put_away()?;
        }
        let mut text = self.current.clone();
        let mut head = self.head.clone();
        for entry in self.pending.iter().chain(entries) {
            let line = chain::link(&head, entry);
            text.push_str(&line.text);
            text.push('\n');
            head = line.hash;
        }
        let sums = index.sums();
        // Without a sealed segment there is nothing to list: sha256sum treats
        // an empty list as an error.
        let has_sums = !sums.is_empty();
        let signature = match &self.key {
            Some(key) if has_sums => {
                let last = index.sealed().filter_map(|sealed| sealed.last.as_deref());
                Some(key.sign(&sums, last.max(), &head)?)
            }
            _ => None,
        };
        // All drafts are on disk before the first is renamed.
        self.draft(MANIFEST, &text)?;
        if has_sums {
            self.draft(SUMS, &sums)?;
        }
        if let Some(signature) = &signature {
            self.draft(SIGNATURE, signature)?;
        }
        self.publish(MANIFEST)?;
        // From here on the entries hold, whatever happens to the other files.
        self.index = index;
        self.head = head;
        self.current = text;
        self.pending.clear();
        let others = [(SUMS, has_sums), (SIGNATURE, signature.is_some())];
        let mut is_published = true;
        for (file, is_wanted) in others {
            if is_wanted {
                is_published &= self.publish(file).is_ok();
            } else if self.directory.join(file).exists() {
                // It vouches for what is no longer there.
                is_published &= fs::remove_file(self.directory.join(file)).is_ok();
            }
        }
        let synced = File::open(&self.directory).and_then(|folder| self.disk.sync(&folder));
        let is_synced = match synced {
            Ok(()) => true,
            // A file system that has nothing to sync there.
            Err(error) => is_unsupported(&error),
        };
        self.is_behind = !is_published || !is_synced;
        Ok(())
    }

    /// Renames the current part to an archive, and begins a new one with a line
    /// that refers to it.
    fn put_away(&mut self) -> Result<(), StoreError> {
        let file = name::archive_name(self.archives + 1);
        self.draft(&file, &self.current)?;
        self.publish(&file)?;
        let line = chain::link(
            &self.head,
            &Entry::Continued(Continued {
                file,
                sha256: sha256(self.current.as_bytes()),
            }),
        );
        self.archives += 1;
        self.head = line.hash;
        self.current = line.text + "\n";
        Ok(())
    }

    /// Writes the draft of the file `name` and makes it durable.
    fn draft(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let path = self.directory.join(name::draft_name(name));
        let written = fresh(&path).and_then(|file| {
            self.disk.write_all(&file, text.as_bytes(), 0)?;
            self.disk.sync(&file)
        });
        written.map_err(|source| {
            // An incomplete draft takes space and is of no use.
            drop(fs::remove_file(&path));
            StoreError::Write { path, source }
        })
    }

    /// Puts the draft of the file `name` in its place.
    fn publish(&self, name: &str) -> Result<(), StoreError> {
        let draft = self.directory.join(name::draft_name(name));
        let path = self.directory.join(name);
        fs::rename(draft, &path).map_err(|source| StoreError::Write { path, source })
    }
}
