//! Prints findings in the requested format.
//!
//! In: findings, and the facts at the end. Out: standard output, or a file that
//! appears under its name only when it is complete.

use std::{
    fs::{self, File, Metadata},
    io::{self, BufWriter, IsTerminal as _, StdoutLock, Write},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use crate::{
    command::is_colored,
    finding::Finding,
    report::{Facts, Format, Report, TableOptions},
};

/// Who may read what is written to a file: its owner.
const MODE: u32 = 0o600;

/// Prints findings.
pub(super) struct Printer {
    report: Box<dyn Report>,
    out: Destination,
    /// Every finding is shown at once.
    is_terminal: bool,
}

impl Printer {
    /// A printer in this format to `file`, or to standard output.
    ///
    /// # Errors
    /// What the operating system says when it refuses the file.
    pub(super) fn new(format: Format, file: Option<&Path>) -> io::Result<Self> {
        let (out, is_terminal) = Destination::open(file)?;
        Ok(Self {
            report: format.report(look(is_terminal)),
            out,
            is_terminal,
        })
    }

    /// Prints one finding.
    pub(super) fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.report.finding(finding, self.out.writer())?;
        if self.is_terminal {
            self.out.writer().flush()?;
        }
        Ok(())
    }

    /// Prints what was held back.
    pub(super) fn finish(mut self, facts: &Facts) -> io::Result<()> {
        self.report.finish(facts, self.out.writer())?;
        self.out.finish()
    }
}

/// How tables look on standard output.
fn look(is_terminal: bool) -> TableOptions {
    if !is_terminal {
        return TableOptions::default();
    }
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    TableOptions {
        width: size.map(|size| size.ws_col).filter(|width| *width > 0),
        is_colored: is_colored(&io::stdout()),
    }
}

/// Where output goes.
pub(super) enum Destination {
    Stdout(BufWriter<StdoutLock<'static>>),
    File(Draft),
}

impl Destination {
    /// `file`, or standard output; and whether it is a terminal.
    pub(super) fn open(file: Option<&Path>) -> io::Result<(Self, bool)> {
        let Some(file) = file else {
            let stdout = io::stdout();
            let is_terminal = stdout.is_terminal();
            return Ok((Self::Stdout(BufWriter::new(stdout.lock())), is_terminal));
        };
        Ok((Self::File(Draft::new(file)?), false))
    }

    /// Where to write.
    pub(super) fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(out) => out,
            Self::File(draft) => &mut draft.out,
        }
    }

    /// Writes what was held back; the file gets its name.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Stdout(mut out) => out.flush(),
            Self::File(draft) => draft.publish(),
        }
    }
}

/// A temporary file that becomes the output.
pub(super) struct Draft {
    out: BufWriter<File>,
    /// `None` once it has its name.
    hidden: Option<PathBuf>,
    path: PathBuf,
}

impl Draft {
    fn new(path: &Path) -> io::Result<Self> {
        // A device or a pipe is written to, never replaced: `-o /dev/null`. A link is
        // replaced, since it may lead anywhere.
        let is_special = |own: Metadata| {
            let kind = own.file_type();
            kind.is_char_device() || kind.is_block_device() || kind.is_fifo()
        };
        if path.symlink_metadata().is_ok_and(is_special) {
            return Ok(Self {
                out: BufWriter::new(File::options().write(true).open(path)?),
                hidden: None,
                path: path.to_owned(),
            });
        }
        let name = path
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a file name"))?;
        let mut hidden_name = std::ffi::OsString::from(".");
        hidden_name.push(name);
        hidden_name.push(format!(".{}.tmp", std::process::id()));
        let hidden = path.with_file_name(hidden_name);
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(&hidden)?;
        Ok(Self {
            out: BufWriter::new(file),
            hidden: Some(hidden),
            path: path.to_owned(),
        })
    }

    fn publish(mut self) -> io::Result<()> {
        self.out.flush()?;
        let Some(draft) = &self.hidden else {
            return Ok(());
        };
        self.out.get_ref().sync_all()?;
        fs::rename(draft, &self.path)?;
        self.hidden = None;
        let folder = self.path.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        // A user who may write to a folder may not be allowed to open it.
        File::open(folder.unwrap_or(Path::new("."))).map_or(Ok(()), |folder| folder.sync_all())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(draft) = &self.hidden {
            // The report is incomplete. If the file cannot be removed, nothing
            // can be done about it.
            drop(fs::remove_file(draft));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_whole_or_as_before_and_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        fs::write(&path, "old").unwrap();
        let mut draft = Draft::new(&path).unwrap();
        draft.out.write_all(b"new").unwrap();
        drop(draft);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        let mut draft = Draft::new(&path).unwrap();
        draft.out.write_all(b"new").unwrap();
        draft.publish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, MODE);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(Draft::new(&folder.path().join("no/where")).is_err());

        // A pipe stays one.
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        let mut options = File::options();
        options.read(true).write(true);
        let _reader = options.open(&pipe).unwrap();
        let mut draft = Draft::new(&pipe).unwrap();
        draft.out.write_all(b"new").unwrap();
        draft.publish().unwrap();
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    }
}
