//! The captures that a verb reads, and what they are.

use std::{path::PathBuf, sync::Arc, thread};

use super::unreadable;
use crate::{
    capture::{EventSource, FileSurvey, Identities, OpenOptions, Progress, open_all_with, survey},
    command::{ExitStatus, Failure},
    loss::Losses,
};

/// Opens captures, those that are encrypted with the identities in these files;
/// `progress` tells how far they were read.
pub(crate) fn open(
    files: &[PathBuf],
    identities: &[PathBuf],
    progress: &Arc<Progress>,
) -> Result<Box<dyn EventSource>, Failure> {
    let options = OpenOptions {
        identities: Identities::from_files(identities).map_err(unreadable)?,
        progress: Arc::clone(progress),
    };
    open_all_with(files, &options).map_err(unreadable)
}

/// The time of the last event of captures, in nanoseconds since the Unix epoch.
/// They are read whole for that.
///
/// # Errors
/// Pipes are refused: they can be read once only.
pub(crate) fn last_time(files: &[PathBuf], identities: &[PathBuf]) -> Result<u64, Failure> {
    for path in files {
        // What cannot be looked at is told by whoever opens it.
        let is_once = path
            .metadata()
            .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        if is_once {
            return Err(Failure::message(
                ExitStatus::Usage,
                format!(
                    "a time before the end of the captures needs captures that can be read twice; \
                     {} is a pipe: write it to a file first, or give the time itself",
                    path.display()
                ),
            ));
        }
    }
    let mut source = open(files, identities, &Arc::default())?;
    let mut losses = Losses::default();
    let mut last = 0;
    while let Some(event) = source.next(&mut losses).map_err(unreadable)? {
        last = event.time.0.max(last);
    }
    Ok(last)
}

/// Looks at captures while another thread replays them.
pub(super) struct Surveying(thread::JoinHandle<Vec<FileSurvey>>);

impl Surveying {
    /// Begins to read these files.
    pub(super) fn start(files: &[PathBuf], identities: &[PathBuf]) -> Self {
        let (files, identities) = (files.to_vec(), identities.to_vec());
        Self(thread::spawn(move || {
            // Whoever replays tells what cannot be read.
            let options = OpenOptions {
                identities: Identities::from_files(&identities).unwrap_or_default(),
                progress: Arc::default(),
            };
            survey(&files, &options).unwrap_or_default()
        }))
    }

    /// What the captures are; nothing if one of them could not be read.
    pub(super) fn end(self) -> Vec<FileSurvey> {
        self.0
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
