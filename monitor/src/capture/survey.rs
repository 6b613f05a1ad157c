//! What captures are, without their content: for reports that name their
//! sources.
//!
//! In: captures as given. Out: for each file its hash, its kind, when it has
//! packets, and what its recorder says about itself. Files are read from end to
//! end in bounded memory; no payload is examined.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};

use super::{
    CaptureError, OpenOptions, SectionSurvey,
    file::Input,
    reader::{
        listing::{self, Listed},
        track::Track,
        wrapping::{self, Format, unwrapped},
    },
};
use crate::{event::Timestamp, loss::Losses};

/// A longer time without packets ends a run, in nanoseconds.
const QUIET: u64 = 60_000_000_000;
/// Runs of one file; beyond that the last one grows.
const MAX_RUNS: usize = 4_096;

/// The description of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileSurvey {
    /// Its name, as in evidence.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its content, in hexadecimal digits; `None` if it can be read
    /// only once.
    pub sha256: Option<String>,
    /// What it is and what is around it: `pcapng in zstd`.
    pub kind: String,
    /// Packets, or entries of an HTTP archive.
    pub packets: u64,
    /// When it has packets, first and last of each run without a pause of more
    /// than a minute; in order.
    pub runs: Vec<(Timestamp, Timestamp)>,
    /// What its recorders say about themselves, the first 256.
    pub sections: Vec<SectionSurvey>,
}

/// Looks at every file that [`open_all_with`](super::open_all_with) reads, in
/// the same order.
///
/// # Errors
/// As it.
pub fn survey(paths: &[PathBuf], options: &OpenOptions) -> Result<Vec<FileSurvey>, CaptureError> {
    // Losses are counted by the replay itself.
    let mut unread = Losses::default();
    let own = OpenOptions {
        identities: options.identities.clone(),
        ..OpenOptions::default()
    };
    let mut chains = listing::list(paths, &own, &mut unread)?;
    let mut surveys = Vec::new();
    while let Some(mut chain) = chains.pop() {
        while let Some(listed) = chain.files.pop() {
            surveys.push(look(&listed, &own, &mut unread)?);
        }
    }
    Ok(surveys)
}

fn look(
    listed: &Listed,
    options: &OpenOptions,
    unread: &mut Losses,
) -> Result<FileSurvey, CaptureError> {
    let mut survey = FileSurvey {
        name: listed.name.to_string(),
        ..FileSurvey::default()
    };
    let refused = |source| CaptureError::Read {
        path: listed.path.clone(),
        source,
    };
    if !fs::metadata(&listed.path).map_err(refused)?.is_file() {
        "pipe, read once".clone_into(&mut survey.kind);
        return Ok(survey);
    }
    let file = File::open(&listed.path).map_err(refused)?;
    let mut rest = file.try_clone().map_err(refused)?;
    let hash = Arc::new(Mutex::new(Hash::default()));
    let hashed = Hashed {
        file,
        hash: Arc::clone(&hash),
    };
    let mut input = Input::new(Box::new(hashed), listed.path.clone());
    let around = wrapping::outermost(input.peek(wrapping::MAGIC_BYTES)?);
    let (input, format) = unwrapped(input, &options.identities, u64::MAX)?;
    survey.kind = kind(format, around);
    if let Some(mut track) = Track::open(input, format, &listed.name, unread)? {
        while track.advance(unread)? {
            survey.packets += 1;
            extend(&mut survey.runs, track.time());
        }
        survey.sections = track.sections().to_vec();
    }
    survey.runs.sort_unstable();
    // Bytes behind the last packet belong to the file as well.
    let mut hash = hash.lock().unwrap_or_else(PoisonError::into_inner);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = rest.read(&mut buffer).map_err(refused)?;
        match buffer.get(..length) {
            Some(bytes) if !bytes.is_empty() => hash.update(bytes),
            _ => break,
        }
    }
    survey.bytes = hash.bytes;
    survey.sha256 = Some(base16ct::lower::encode_string(
        &hash.digest.clone().finalize(),
    ));
    Ok(survey)
}

fn kind(format: Format, around: Option<&str>) -> String {
    let name = match format {
        Format::Pcap => "pcap",
        Format::Pcapng => "pcapng",
        Format::Json => "HTTP archive",
        Format::Torn => "cut off",
        Format::Unknown => "not a capture",
    };
    around.map_or_else(|| name.to_owned(), |around| format!("{name} in {around}"))
}

/// Adds a moment to the runs. Packets need not be in order.
fn extend(runs: &mut Vec<(Timestamp, Timestamp)>, time: Timestamp) {
    let is_full = runs.len() >= MAX_RUNS;
    match runs.last_mut() {
        Some((first, last))
            if is_full || time.0.abs_diff(last.0) <= QUIET || (*first..=*last).contains(&time) =>
        {
            *first = (*first).min(time);
            *last = (*last).max(time);
        }
        _ => runs.push((time, time)),
    }
}

#[derive(Default)]
struct Hash {
    digest: Sha256,
    bytes: u64,
}

impl Hash {
    fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
    }
}

/// A file that is hashed while it is read.
struct Hashed {
    file: File,
    hash: Arc<Mutex<Hash>>,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        let mut hash = self.hash.lock().unwrap_or_else(PoisonError::into_inner);
        hash.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_where_it_is_quiet() {
        let second = |seconds: u64| Timestamp(seconds * 1_000_000_000);
        for (times, expected) in [
            (&[][..], &[][..]),
            (&[5], &[(5, 5)]),
            (&[5, 65], &[(5, 65)]),
            (&[5, 66, 67], &[(5, 5), (66, 67)]),
            (&[100, 90, 95, 300], &[(90, 100), (300, 300)]),
        ] {
            let mut runs = Vec::new();
            for time in times {
                extend(&mut runs, second(*time));
            }
            let expected: Vec<_> = expected
                .iter()
                .map(|(first, last)| (second(*first), second(*last)))
                .collect();
            assert_eq!(runs, expected, "{times:?}");
        }
        let mut runs = Vec::new();
        for number in 0..10_000 {
            extend(&mut runs, second(number * 100));
        }
        assert_eq!(runs.len(), MAX_RUNS);
        assert_eq!(runs.last().map(|(_, last)| *last), Some(second(999_900)));
    }
}
