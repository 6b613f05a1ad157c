//! What phiwatch keeps between runs: the key of the tokens.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::rand::{GetRandomFlags, getrandom};

use crate::{redact::RedactionKey, token::TokenKey};

/// Name of the key's file in the state folder.
const KEY_FILE: &str = "token.key";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateError {
    /// The file or its folder cannot be read or written.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The file is no key.
    #[error("{path} does not hold 32 bytes, so it is no key; tokens would not match earlier ones")]
    NoKey {
        /// The file.
        path: PathBuf,
    },
}

/// The key of the replacements in redacted captures. It is derived from the
/// token key, so that it never leaves the host either.
pub(super) fn redaction_key(directory: &Path) -> Result<RedactionKey, StateError> {
    Ok(RedactionKey::from_bytes(
        token_key(directory)?.derived("redaction"),
    ))
}

/// The key in `directory`, created if there is none yet. Only its owner can
/// read the file. Two runs with the same key give the same tokens.
pub(super) fn token_key(directory: &Path) -> Result<TokenKey, StateError> {
    let path = directory.join(KEY_FILE);
    let failed = |action| {
        let path = path.clone();
        move |source| StateError::Io {
            action,
            path,
            source,
        }
    };
    match fs::read(&path) {
        Ok(bytes) => {
            let key = <[u8; 32]>::try_from(bytes.as_slice()).ok();
            return key
                .map(TokenKey::from_bytes)
                .ok_or(StateError::NoKey { path });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed("read")(error)),
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(failed("create"))?;
    let mut key = [0; 32];
    let filled = getrandom(&mut key, GetRandomFlags::empty())
        .map_err(|error| failed("draw a key for")(error.into()))?;
    if filled != key.len() {
        return Err(failed("draw a key for")(
            io::ErrorKind::UnexpectedEof.into(),
        ));
    }
    // Written to a draft and linked into place: of two processes that start at
    // once, both use the key of the first.
    let draft = directory.join(format!("{KEY_FILE}.{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .map_err(failed("write"))?;
    file.write_all(&key)
        .and_then(|()| file.sync_all())
        .map_err(failed("write"))?;
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft).map_err(failed("write"))?;
    match linked {
        Ok(()) => Ok(TokenKey::from_bytes(key)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => token_key(directory),
        Err(error) => Err(failed("write")(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let first = token_key(&state).unwrap().token("email", "x");
        assert_eq!(token_key(&state).unwrap().token("email", "x"), first);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state), mode(&state.join(KEY_FILE))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1);
        let other = token_key(&folder.path().join("other"))
            .unwrap()
            .token("email", "x");
        assert_ne!(other, first);
    }

    #[test]
    fn a_file_that_is_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KEY_FILE), "short").unwrap();
        assert!(matches!(
            token_key(folder.path()),
            Err(StateError::NoKey { .. })
        ));
    }
}
