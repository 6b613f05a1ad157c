//! The captures that a verb reads, and what they are.

use std::{num::NonZero, path::PathBuf, sync::Arc, thread};

use super::unreadable;
use crate::{
    capture::{
        CaptureSource, FileSurvey, Identities, OpenOptions, Progress, ReadAhead, Recorded,
        open_all_with, survey,
    },
    command::{ExitStatus, Failure, OrFail as _},
    loss::Losses,
    pipeline::{Feed, Input, Output, Pipeline, Sink},
};

/// One thread for each core of the machine.
pub(crate) fn all_cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Captures that feed the core.
pub(crate) struct Captures(Box<dyn CaptureSource>);

impl Captures {
    /// Opens captures like [`open`]. With several `threads`, they are read on
    /// one of their own.
    pub(crate) fn open(
        files: &[PathBuf],
        identities: &[PathBuf],
        progress: &Arc<Progress>,
        threads: NonZero<usize>,
    ) -> Result<Self, Failure> {
        let source = open(files, identities, progress)?;
        Ok(Self(if threads.get() > 1 {
            Box::new(ReadAhead::new(source).or_fail(ExitStatus::Internal)?)
        } else {
            source
        }))
    }
}

impl Feed for Captures {
    type Error = Failure;

    fn next(&mut self, losses: &mut Losses) -> Result<Input, Failure> {
        Ok(match self.0.next(losses).map_err(unreadable)? {
            Some(Recorded::Event(event)) => Input::Event(event),
            Some(Recorded::Message(message)) => Input::Message(message),
            None => Input::End,
        })
    }
}

/// Captures, and what is done with the findings in them.
pub(crate) struct Replay<F> {
    pub(crate) captures: Captures,
    pub(crate) take: F,
}

impl<F> Feed for Replay<F> {
    type Error = Failure;

    fn next(&mut self, losses: &mut Losses) -> Result<Input, Failure> {
        self.captures.next(losses)
    }
}

impl<F: FnMut(&mut Output) -> Result<(), Failure>> Sink for Replay<F> {
    fn take(&mut self, out: &mut Output, _core: &Pipeline) -> Result<(), Failure> {
        (self.take)(out)
    }
}

/// Opens captures, encrypted ones with the identities in these files;
/// `progress` shows how far they were read.
fn open(
    files: &[PathBuf],
    identities: &[PathBuf],
    progress: &Arc<Progress>,
) -> Result<Box<dyn CaptureSource>, Failure> {
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
    while let Some(recorded) = source.next(&mut losses).map_err(unreadable)? {
        last = recorded.time().0.max(last);
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
