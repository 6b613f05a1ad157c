//! The captures that a verb reads, and what they are.

use std::{path::PathBuf, sync::Arc, thread};

use super::unreadable;
use crate::{
    capture::{EventSource, FileSurvey, Identities, OpenOptions, Progress, open_all_with, survey},
    command::{ExitStatus, Failure},
    loss::Losses,
};

/// Opens captures, encrypted ones with the identities in these files;
/// `progress` shows how far they were read.
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
/// They are read completely for that.
///
/// # Errors Pipes are refused: they can be read only once.
pub(crate) fn last_time(files: &[PathBuf], identities: &[PathBuf]) -> Result<u64, Failure> {
    for path in files {
        // A file that cannot be examined is reported when it is opened.
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

/// Surveys captures while another thread replays them.
pub(super) struct Surveying(thread::JoinHandle<Vec<FileSurvey>>);

impl Surveying {
    /// Begins to read these files.
    pub(super) fn start(files: &[PathBuf], identities: &[PathBuf]) -> Self {
        let (files, identities) = (files.to_vec(), identities.to_vec());
        Self(thread::spawn(move || {
            // The replay reports what cannot be read.
            let options = OpenOptions {
                identities: Identities::from_files(&identities).unwrap_or_default(),
                progress: Arc::default(),
            };
            survey(&files, &options).unwrap_or_default()
        }))
    }

    /// The surveys; empty if one of the captures could not be read.
    pub(super) fn end(self) -> Vec<FileSurvey> {
        self.0
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
