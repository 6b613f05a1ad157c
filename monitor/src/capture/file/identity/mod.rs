//! Keys that open encrypted captures.
//!
//! In: files as `age-keygen` writes them. Out: the plaintext of an encrypted
//! input, chunk by chunk. No key reaches an error or `Debug`.

use std::{fmt, io, path::PathBuf};
#[cfg(feature = "encryption")]
use std::{fs::File, io::Read as _};

use super::Input;
use crate::capture::CaptureError;

/// The longest file of identities that is read, in bytes.
#[cfg(feature = "encryption")]
const MAX_FILE: u64 = 1 << 20;
/// The longest header of an encrypted file, in bytes: some thousand recipients.
#[cfg(feature = "encryption")]
const MAX_HEADER: usize = 512 << 10;

/// The identities that may open captures.
#[derive(Clone, Default)]
pub struct Identities {
    #[cfg(feature = "encryption")]
    keys: Vec<age::x25519::Identity>,
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities").finish_non_exhaustive()
    }
}

#[cfg(feature = "encryption")]
impl Identities {
    /// Reads files with one `AGE-SECRET-KEY-…` a line, comments beside them.
    ///
    /// # Errors
    /// [`CaptureError::Read`] if the operating system refuses,
    /// [`CaptureError::Identity`] if a file has another line, or none.
    pub fn from_files(paths: &[PathBuf]) -> Result<Self, CaptureError> {
        let mut keys = Vec::new();
        for path in paths {
            let mut text = String::new();
            File::open(path)
                .and_then(|file| file.take(MAX_FILE).read_to_string(&mut text))
                .map_err(|source| CaptureError::Read {
                    path: path.clone(),
                    source,
                })?;
            let before = keys.len();
            for (index, line) in text.lines().enumerate() {
                let line = line.trim();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let key = line.parse().ok();
                keys.push(key.ok_or_else(|| CaptureError::Identity {
                    path: path.clone(),
                    line: index + 1,
                })?);
            }
            if keys.len() == before {
                let path = path.clone();
                return Err(CaptureError::Identity { path, line: 1 });
            }
        }
        Ok(Self { keys })
    }

    /// The plaintext of `input`; `None` if the file is cut or broken before its
    /// first chunk.
    pub(in crate::capture) fn decrypted<'a>(
        &self,
        mut input: Input<'a>,
    ) -> Result<Option<Box<dyn io::Read + Send + 'a>>, CaptureError> {
        use age::{DecryptError, Decryptor, Identity, armor::ArmoredReader};

        let path = input.path().to_owned();
        let refused = |reason| {
            let path = path.clone();
            CaptureError::Encrypted { path, reason }
        };
        // A line of dashes and a code ends the header; armored files have their
        // own.
        let head = input.peek(MAX_HEADER)?;
        if memchr::memmem::find(head, b"\n--- ").is_none() && !head.starts_with(b"-") {
            return Ok(None);
        }
        let decryptor = match Decryptor::new(ArmoredReader::new(input)) {
            Ok(decryptor) => decryptor,
            Err(DecryptError::Io(source)) if source.raw_os_error().is_some() => {
                return Err(CaptureError::Read { path, source });
            }
            Err(_) => return Ok(None),
        };
        if decryptor.is_scrypt() {
            return Err(refused("with a passphrase, which is not supported"));
        }
        if self.keys.is_empty() {
            return Err(refused("give --identity"));
        }
        let keys = self.keys.iter().map(|key| key as &dyn Identity);
        match decryptor.decrypt(keys) {
            Ok(reader) => Ok(Some(Box::new(reader))),
            Err(DecryptError::NoMatchingKeys) => {
                Err(refused("for other identities than the ones given"))
            }
            Err(_) => Ok(None),
        }
    }
}

#[cfg(not(feature = "encryption"))]
#[expect(clippy::unused_self, reason = "the same interface as with encryption")]
impl Identities {
    /// This build reads no encrypted captures: there is no use for identities.
    ///
    /// # Errors
    /// [`CaptureError::Encrypted`] if there is one.
    pub fn from_files(paths: &[PathBuf]) -> Result<Self, CaptureError> {
        match paths.first() {
            None => Ok(Self {}),
            Some(path) => Err(CaptureError::Encrypted {
                path: path.clone(),
                reason: "this build has no encryption",
            }),
        }
    }

    pub(in crate::capture) fn decrypted<'a>(
        &self,
        input: Input<'a>,
    ) -> Result<Option<Box<dyn io::Read + Send + 'a>>, CaptureError> {
        Err(CaptureError::Encrypted {
            path: input.path().to_owned(),
            reason: "this build has no encryption",
        })
    }
}

#[cfg(all(test, feature = "encryption"))]
mod tests;
